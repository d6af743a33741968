//! What buttons mean: the grammar of their payloads, at most 64 bytes (Telegram's limit), stateless.

use super::message::Role;
use crate::domain::job::JobId;
use crate::domain::quiz::RoundId;

/// Version of the grammar: payloads of other versions are stale buttons.
const VERSION: &str = "1";

/// Which scores a leaderboard counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Those of the chat where it is shown.
    #[default]
    Chat,
    /// All.
    Global,
}

/// Which time a leaderboard counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Period {
    /// The current week, from Monday.
    #[default]
    Week,
    /// The current month.
    Month,
    /// Ever.
    All,
}

impl Scope {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Chat, Self::Global];

    /// Lower-case name, as in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Global => "global",
        }
    }
}

impl Period {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Week, Self::Month, Self::All];

    /// Lower-case name, as in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::All => "all",
        }
    }
}

/// The meaning of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Press {
    /// "Photo `number` shows area `choice`."
    Answer {
        /// The round.
        round: RoundId,
        /// The photo, from 1.
        number: u8,
        /// Index among the round's areas.
        choice: u8,
    },
    /// "Show me photo `number`, large and with its areas."
    Open {
        /// The round.
        round: RoundId,
        /// The photo, from 1.
        number: u8,
    },
    /// "Show everybody the photos one by one, large."
    Album {
        /// The round.
        round: RoundId,
    },
    /// "Turn the leaderboard to this page."
    Leaderboard {
        /// Which scores.
        scope: Scope,
        /// Which time.
        period: Period,
        /// Page, from 0.
        page: u16,
    },
    /// "Another round like this one."
    Again {
        /// The round.
        round: RoundId,
    },
    /// "Do what was offered": an admin's.
    Begin {
        /// The job that was offered.
        job: JobId,
    },
    /// "Why is it not that area?", or, of the area that was answered, "why?"
    Why {
        /// The answered photo.
        photo: PhotoKey,
        /// The area, as the model's label.
        label: u16,
        /// Whether the less probable areas have buttons too.
        all: bool,
    },
    /// "Which photos of other places look like it?"
    Similar {
        /// The answered photo.
        photo: PhotoKey,
    },
    /// "Where is that on the map?"
    Map {
        /// The answered photo.
        photo: PhotoKey,
    },
    /// "Yes, keep my photos as test photos", or "no".
    Give {
        /// The question.
        offer: OfferKey,
        /// Yes.
        keep: bool,
    },
    /// "Take back what I gave."
    TakeBack {
        /// The question that was answered with yes.
        offer: OfferKey,
    },
}

/// The number of a question whether photos may be kept, drawn at random; below 2^63, as the database stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfferKey(pub u64);

impl OfferKey {
    /// As buttons and addresses name it: hexadecimal digits.
    #[must_use]
    pub fn code(self) -> String {
        format!("{:x}", self.0)
    }

    /// The key of such a code; `None` of anything else.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        u64::from_str_radix(code, 16).ok().filter(|key| *key < 1 << 63).map(Self)
    }

    /// As the database stores it.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0.cast_signed()
    }
}

/// The number of an answered photo in the memory of the program that answered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PhotoKey(pub u64);

/// How an adapter has to prepare for what a press leads to, before it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Something for the presser alone, new or in place of the sheet that was pressed.
    Private,
    /// Another face of the pressed message.
    Edit,
    /// A message for everybody.
    Public,
}

impl Press {
    /// The payload: `1a:2k:3:0`.
    #[must_use]
    pub fn payload(self) -> String {
        let words = match self {
            Self::Answer { round, number, choice } => format!("a:{}:{number}:{choice}", round.0),
            Self::Open { round, number } => format!("o:{}:{number}", round.0),
            Self::Album { round } => format!("p:{}", round.0),
            Self::Leaderboard { scope, period, page } => format!("l:{}:{}:{page}", scope.name(), period.name()),
            Self::Again { round } => format!("n:{}", round.0),
            Self::Begin { job } => format!("j:{}", job.0),
            Self::Similar { photo } => format!("s:{:x}", photo.0),
            Self::Map { photo } => format!("m:{:x}", photo.0),
            Self::Why { photo, label, all } => format!("w:{:x}:{label}:{}", photo.0, u8::from(all)),
            Self::Give { offer, keep } => format!("g:{}:{}", offer.code(), u8::from(keep)),
            Self::TakeBack { offer } => format!("t:{}", offer.code()),
        };
        format!("{VERSION}{words}")
    }

    /// The meaning of a payload; `None` for those of other versions and for what people make up.
    #[must_use]
    pub fn parse(payload: &str) -> Option<Self> {
        let parts: Vec<&str> = payload.strip_prefix(VERSION)?.split(':').collect();
        let round = |id: &str| id.parse().ok().filter(|id| *id > 0).map(RoundId);
        let press = match parts[..] {
            ["a", id, number, choice] => {
                Self::Answer { round: round(id)?, number: number.parse().ok()?, choice: choice.parse().ok()? }
            }
            ["o", id, number] => Self::Open { round: round(id)?, number: number.parse().ok()? },
            ["p", id] => Self::Album { round: round(id)? },
            ["l", scope, period, page] => Self::Leaderboard {
                scope: Scope::ALL.into_iter().find(|value| value.name() == scope)?,
                period: Period::ALL.into_iter().find(|value| value.name() == period)?,
                page: page.parse().ok()?,
            },
            ["n", id] => Self::Again { round: round(id)? },
            ["j", id] => Self::Begin { job: id.parse().ok().filter(|id| *id > 0).map(JobId)? },
            ["s", photo] => Self::Similar { photo: PhotoKey(u64::from_str_radix(photo, 16).ok()?) },
            ["m", photo] => Self::Map { photo: PhotoKey(u64::from_str_radix(photo, 16).ok()?) },
            ["w", photo, label, all] => Self::Why {
                photo: PhotoKey(u64::from_str_radix(photo, 16).ok()?),
                label: label.parse().ok()?,
                all: all == "1",
            },
            ["g", key, keep] => Self::Give { offer: OfferKey::parse(key)?, keep: keep == "1" },
            ["t", key] => Self::TakeBack { offer: OfferKey::parse(key)? },
            _ => return None,
        };
        // One payload a meaning: `+3` and `03` are nobody's buttons.
        (press.payload() == payload).then_some(press)
    }

    /// The least that somebody has to be to press it. The conversation checks this before anything else.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Begin { .. } => Role::Admin,
            _ => Role::Member,
        }
    }

    /// What the press leads to.
    #[must_use]
    pub fn reaction(self) -> Reaction {
        match self {
            Self::Answer { .. } | Self::Open { .. } => Reaction::Private,
            Self::Leaderboard { .. } | Self::Begin { .. } | Self::Why { .. } => Reaction::Edit,
            Self::Similar { .. } | Self::Map { .. } => Reaction::Edit,
            Self::Give { .. } | Self::TakeBack { .. } => Reaction::Edit,
            Self::Album { .. } | Self::Again { .. } => Reaction::Public,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn presses() -> impl Strategy<Value = Press> {
        let round = (1_i64..).prop_map(RoundId);
        prop_oneof![
            (round.clone(), any::<u8>(), any::<u8>()).prop_map(|(round, number, choice)| Press::Answer {
                round,
                number,
                choice
            }),
            (round.clone(), any::<u8>()).prop_map(|(round, number)| Press::Open { round, number }),
            round.clone().prop_map(|round| Press::Album { round }),
            (prop::sample::select(&Scope::ALL[..]), prop::sample::select(&Period::ALL[..]), any::<u16>())
                .prop_map(|(scope, period, page)| Press::Leaderboard { scope, period, page }),
            round.prop_map(|round| Press::Again { round }),
            (1_i64..).prop_map(|id| Press::Begin { job: JobId(id) }),
            any::<u64>().prop_map(|photo| Press::Similar { photo: PhotoKey(photo) }),
            any::<u64>().prop_map(|photo| Press::Map { photo: PhotoKey(photo) }),
            any::<(u64, u16, bool)>().prop_map(|(photo, label, all)| Press::Why { photo: PhotoKey(photo), label, all }),
            (0_u64..1 << 63, any::<bool>()).prop_map(|(key, keep)| Press::Give { offer: OfferKey(key), keep }),
            (0_u64..1 << 63).prop_map(|key| Press::TakeBack { offer: OfferKey(key) }),
        ]
    }

    #[test]
    fn stale_and_made_up_payloads_mean_nothing() {
        for payload in [
            "",
            "1",
            "0a:1:2:3",
            "1a:1:2",
            "1a:1:2:3:4",
            "1a:+1:2:3",
            "1a:1:300:0",
            "1a:-1:2:3",
            "1l:all:week:0",
            "1w:1:0:2",
            "1w:F:0:0",
            "1s:0f",
            "1g:1:2",
            "1t:8000000000000000",
            "1m:0f",
        ] {
            assert_eq!(Press::parse(payload), None, "{payload}");
        }
    }

    proptest! {
        #[test]
        fn payloads_round_trip_and_fit(press in presses()) {
            let payload = press.payload();
            prop_assert!(payload.len() <= 64);
            prop_assert_eq!(Press::parse(&payload), Some(press));
        }

        #[test]
        fn no_payload_panics(payload in ".{0,80}") {
            let _ = Press::parse(&payload);
        }
    }
}
