//! What collecting may cost: purchases, caps, and what counts against them.

use std::fmt;

use jiff::civil::Date;

use super::imagery::{Look, Micros, Source};

/// A run of collecting, by its number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// A purchase in the ledger, by its number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PurchaseId(pub i64);

/// A picture that can be bought, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    /// Who sells it.
    pub source: Source,
    /// The source's own number of the panorama or image.
    pub image: String,
    /// How the panorama is looked at; `None` for images with a direction of their own.
    pub look: Option<Look>,
}

/// Most that may be spent, all sources together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// In one run, however often it is interrupted.
    pub run: Micros,
    /// On one calendar day.
    pub day: Micros,
    /// In one calendar month.
    pub month: Micros,
}

/// A cap of [`Caps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cap {
    /// Of the run.
    Run,
    /// Of the day.
    Day,
    /// Of the month.
    Month,
}

impl Cap {
    /// Every cap, in the order in which [`Caps::refusal`] looks at them.
    pub const ALL: [Self; 3] = [Self::Run, Self::Day, Self::Month];
}

impl fmt::Display for Cap {
    /// `run`, `day` or `month`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "run",
            Self::Day => "day",
            Self::Month => "month",
        })
    }
}

/// Why a picture is not bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It would cost more than a cap leaves.
    #[error("the cap of the {cap} is reached: {spent} of {limit} spent, the next picture costs {price}")]
    Cap {
        /// Which.
        cap: Cap,
        /// The most that may be spent.
        limit: Micros,
        /// What is spent or in doubt.
        spent: Micros,
        /// What the picture would cost.
        price: Micros,
    },
    /// It was bought, or is being bought, here or elsewhere.
    #[error("the picture is taken: {0}")]
    Taken(Taken),
}

/// How a picture that is not bought again stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It lies in the dataset.
    Kept,
    /// It was paid for, though it is not in the dataset: it was not kept, or removed since.
    Paid,
    /// Somebody is buying it now, or was killed over it.
    InDoubt,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "it is in the dataset",
            Self::Paid => "it was paid for before",
            Self::InDoubt => "it is being bought, or was when a run was killed",
        })
    }
}

/// How a purchase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The service bills it.
    Billed,
    /// The service bills nothing: the picture may be asked for again.
    Free,
    /// The answer never came, and the service may bill it: it counts as spent and is not asked for again.
    Lost,
}

/// What was spent in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// What the services bill.
    pub billed: Micros,
    /// What they may bill: pictures that are being bought, and those whose buyer was killed.
    pub in_doubt: Micros,
    /// Pictures in `billed`.
    pub images_billed: u64,
    /// Pictures in `in_doubt`.
    pub images_in_doubt: u64,
}

impl Spent {
    /// What counts against a cap.
    #[must_use]
    pub fn counted(&self) -> Micros {
        Micros(self.billed.0.saturating_add(self.in_doubt.0))
    }
}

/// A time over which spending is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Since the beginning.
    All,
    /// In a run.
    Run(RunId),
    /// On the day of this date.
    Day(Date),
    /// In the month of this date.
    Month(Date),
}

impl fmt::Display for Period {
    /// As in the database: `all`, `run 7`, `2026-11-26`, `2026-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Run(run) => write!(f, "run {}", run.0),
            Self::Day(day) => write!(f, "{day}"),
            Self::Month(day) => write!(f, "{:04}-{:02}", day.year(), day.month()),
        }
    }
}

impl Caps {
    /// Why a picture of this price is not bought when so much of each cap, in the order of [`Cap::ALL`], is used;
    /// `None` when it may be. What costs nothing always may.
    #[must_use]
    pub fn refusal(&self, spent: [Micros; 3], price: Micros) -> Option<Refusal> {
        let limits = [self.run, self.day, self.month];
        let reached = |spent: Micros, limit: Micros| spent.0.saturating_add(price.0) > limit.0;
        let found = Cap::ALL.into_iter().zip(limits).zip(spent).find_map(|((cap, limit), spent)| {
            reached(spent, limit).then_some(Refusal::Cap { cap, limit, spent, price })
        });
        found.filter(|_| price > Micros(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_may_be_reached_and_not_passed() {
        let caps = Caps { run: Micros(100), day: Micros(50), month: Micros(1_000) };
        assert_eq!(caps.refusal([Micros(0), Micros(43), Micros(900)], Micros(7)), None);
        let refused = Refusal::Cap { cap: Cap::Day, limit: Micros(50), spent: Micros(44), price: Micros(7) };
        assert_eq!(caps.refusal([Micros(0), Micros(44), Micros(0)], Micros(7)), Some(refused));
        assert_eq!(caps.refusal([Micros(100), Micros(50), Micros(0)], Micros(0)), None, "what is free");
        assert!(caps.refusal([Micros(i64::MAX), Micros(0), Micros(0)], Micros(7)).is_some(), "no overflow");
        assert!(Caps::default().refusal([Micros(0); 3], Micros(1)).is_some(), "nothing may be spent unless said so");
    }

    #[test]
    fn periods_are_named_as_the_ledger_sums_them() {
        let day = jiff::civil::date(2026, 3, 9);
        let names = [Period::All, Period::Run(RunId(7)), Period::Day(day), Period::Month(day)].map(|p| p.to_string());
        assert_eq!(names, ["all", "run 7", "2026-03-09", "2026-03"]);
    }
}
