//! A round of "beat the model": its terms, its state, and what a press of a button does to it.
//!
//! The rules are pure: the clock and all chance are passed in. The database keeps the state, and asks these rules
//! inside its transactions.

mod areas;

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

pub use self::areas::choose_areas;
use super::{Area, ChatRef};

/// Numbers of photos that a round can have: each makes a good picture.
pub const PHOTO_COUNTS: [u8; 4] = [1, 3, 5, 9];
/// Photos of a round unless asked otherwise.
pub const DEFAULT_PHOTOS: u8 = 9;
/// Seconds that a round may last.
pub const SECONDS: std::ops::RangeInclusive<u32> = 15..=600;
/// Seconds for each photo unless asked otherwise, on top of [`BASE_SECONDS`].
pub const SECONDS_PER_PHOTO: u32 = 15;
/// Seconds to look at the picture unless asked otherwise.
pub const BASE_SECONDS: u32 = 15;
/// Most areas to choose from: a row of buttons holds eight.
pub const MAX_AREAS: usize = 8;
/// Areas of an easy or hard round.
pub const FEW_AREAS: usize = 4;

/// The number of a round in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoundId(pub i64);

/// The number of a player in the database: a person with all their identities, or a version of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlayerId(pub i64);

/// Why a round has the photos that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Drawn for this chat.
    Quiz,
    /// The same for everyone that day.
    Daily,
    /// The photos of an earlier round, usually of another chat.
    Rematch,
}

/// How alike the areas of a round are, by the model's own confusion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Difficulty {
    /// Areas that the model hardly ever mixes up.
    Easy,
    /// All areas.
    #[default]
    Normal,
    /// Pairs of areas that the model mixes up.
    Hard,
}

/// Where a round stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Photos and guesses are sealed; the chat has not got the picture yet.
    Preparing,
    /// Answers count until the bell.
    Open,
    /// The bell has rung and the points are given.
    Closed,
    /// Ended without points: stopped, or its picture could not be delivered.
    Cancelled,
}

macro_rules! names {
    ($type:ty { $($variant:ident = $name:literal),* $(,)? }) => {
        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Lower-case name, as in the database and in commands.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }

        impl FromStr for $type {
            type Err = ();

            fn from_str(name: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|value| value.name() == name).ok_or(())
            }
        }
    };
}

names!(Kind { Quiz = "quiz", Daily = "daily", Rematch = "rematch" });
names!(Difficulty { Easy = "easy", Normal = "normal", Hard = "hard" });
names!(State { Preparing = "preparing", Open = "open", Closed = "closed", Cancelled = "cancelled" });

/// Whom a picture is owed to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credit {
    /// Source and author as they want to be named: `Mapillary / some_user`.
    pub source: String,
    /// Licence, an SPDX expression or the terms' name.
    pub licence: String,
    /// Where the original can be seen.
    pub url: Option<String>,
}

/// One photo of a round, with the model's sealed guess.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its number in the picture, from 1.
    pub number: u8,
    /// Its key in the quiz pool.
    pub photo: String,
    /// Index of the true area among the round's.
    pub truth: usize,
    /// Index of the model's guess among the round's areas.
    pub guess: usize,
    /// The model's probability of its guess among the round's areas, 0 to 1.
    pub probability: f32,
    /// Whom the picture is owed to.
    pub credit: Credit,
}

impl Question {
    /// Whether the model guessed right.
    #[must_use]
    pub fn model_is_right(&self) -> bool {
        self.guess == self.truth
    }
}

/// Which model plays, as stored with the scores.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelVersion {
    /// SHA-256 of the network.
    pub sha256: String,
    /// Name: `drawn-world`.
    pub name: String,
    /// Version: `1.0.0`.
    pub version: String,
}

/// A round as it is known to the chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Its number.
    pub id: RoundId,
    /// Why it has the photos that it has.
    pub kind: Kind,
    /// Where it is played.
    pub chat: ChatRef,
    /// The topic of a forum, by the service's own number.
    pub thread: Option<i64>,
    /// Whether one person plays alone: then it ends with their last answer.
    pub alone: bool,
    /// Who began it; `None` once that person is forgotten.
    pub starter: Option<PlayerId>,
    /// Language of the chat's announcements: `ja` or `en`.
    pub lang: String,
    /// Which model plays.
    pub model: ModelVersion,
    /// The areas on the buttons.
    pub areas: Vec<Area>,
    /// The photos, in their order.
    pub questions: Vec<Question>,
    /// Seeds how the photos are cut anew for this round.
    pub cut_seed: u64,
    /// By this code another group plays the same photos.
    pub code: String,
    /// How long answers count, seconds.
    pub seconds: u32,
    /// Where it stands.
    pub state: State,
    /// When answers began to count.
    pub opened_at: Option<Timestamp>,
    /// When the last answer counts that is not late.
    pub deadline: Option<Timestamp>,
    /// When the bell rings: the deadline, or earlier once all who joined are done.
    pub bell: Option<Timestamp>,
    /// The message with the picture and the buttons, by the service's own number.
    pub message: Option<i64>,
}

impl Round {
    /// Right guesses of the model.
    #[must_use]
    pub fn model_right(&self) -> u8 {
        self.questions.iter().filter(|question| question.model_is_right()).count() as u8
    }
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// There is no such round, photo or area.
    Unknown,
    /// The picture is not out yet.
    NotOpen,
    /// The bell has rung.
    TooLate,
    /// The person has left the chat.
    Left,
    /// The round was stopped, or its picture never arrived.
    CalledOff,
}

/// Whether an answer given at `now` counts. The bell itself still counts: who presses in its instant is in time.
///
/// # Errors
/// Why it does not.
pub fn judge(state: State, bell: Option<Timestamp>, now: Timestamp, left: bool) -> Result<(), Refusal> {
    match (state, bell) {
        (State::Preparing, _) | (State::Open, None) => Err(Refusal::NotOpen),
        (State::Closed, _) => Err(Refusal::TooLate),
        (State::Cancelled, _) => Err(Refusal::CalledOff),
        (State::Open, Some(bell)) if now > bell => Err(Refusal::TooLate),
        (State::Open, Some(_)) if left => Err(Refusal::Left),
        (State::Open, Some(_)) => Ok(()),
    }
}

/// When the bell rings, given whether all who joined have answered everything: at once for who plays alone; in a
/// group after a last call, so that nobody is shut out by a quick first player; else at the deadline, also when
/// somebody joins during the last call.
#[must_use]
pub fn bell(deadline: Timestamp, now: Timestamp, all_done: bool, alone: bool, last_call: SignedDuration) -> Timestamp {
    match (all_done, alone) {
        (false, _) => deadline,
        (true, true) => deadline.min(now),
        (true, false) => deadline.min(now.saturating_add(last_call).unwrap_or(deadline)),
    }
}

/// Seconds that a round of so many photos lasts unless asked otherwise.
#[must_use]
pub fn usual_seconds(photos: u8) -> u32 {
    BASE_SECONDS + SECONDS_PER_PHOTO * u32::from(photos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    #[test]
    fn answers_count_while_the_round_is_open_and_the_bell_has_not_rung() {
        let bell = Some(at(100));
        assert_eq!(judge(State::Open, bell, at(100), false), Ok(()));
        assert_eq!(judge(State::Open, bell, at(101), false), Err(Refusal::TooLate));
        assert_eq!(judge(State::Open, bell, at(50), true), Err(Refusal::Left));
        assert_eq!(judge(State::Preparing, None, at(50), false), Err(Refusal::NotOpen));
        assert_eq!(judge(State::Closed, bell, at(50), false), Err(Refusal::TooLate));
        assert_eq!(judge(State::Cancelled, bell, at(50), false), Err(Refusal::CalledOff));
    }

    #[test]
    fn the_bell_waits_for_those_who_may_still_join() {
        let call = SignedDuration::from_secs(10);
        assert_eq!(bell(at(100), at(50), false, false, call), at(100));
        assert_eq!(bell(at(100), at(50), true, false, call), at(60), "a last call in a group");
        assert_eq!(bell(at(100), at(50), true, true, call), at(50), "at once for who is alone");
        assert_eq!(bell(at(100), at(95), true, false, call), at(100), "never after the deadline");
    }

    #[test]
    fn names_round_trip() {
        assert!(Kind::ALL.iter().all(|kind| kind.name().parse() == Ok(*kind)));
        assert!(Difficulty::ALL.iter().all(|difficulty| difficulty.name().parse() == Ok(*difficulty)));
        assert!(State::ALL.iter().all(|state| state.name().parse() == Ok(*state)));
        assert_eq!("brutal".parse::<Difficulty>(), Err(()));
    }

    #[test]
    fn usual_rounds_are_within_the_limits() {
        assert!(PHOTO_COUNTS.into_iter().all(|photos| SECONDS.contains(&usual_seconds(photos))));
    }

    proptest! {
        #[test]
        fn the_bell_rings_between_now_and_the_deadline(
            now in 0_i64..1_000, left in 0_i64..1_000, all_done: bool, alone: bool, call in 0_i64..60,
        ) {
            let (now, deadline) = (at(now), at(now + left));
            let rings = bell(deadline, now, all_done, alone, SignedDuration::from_secs(call));
            prop_assert!(now <= rings && rings <= deadline);
        }
    }
}
