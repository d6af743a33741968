//! Long work that admins ask for.

use std::str::FromStr;

use jiff::Timestamp;

use super::{ChatRef, UserRef};

/// The number of a job in the database; a job that was asked later has a greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub i64);

/// What is done. One job of a kind runs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Collecting street imagery.
    Collect,
    /// Training a model.
    Train,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It was shown to an admin, who has not confirmed it.
    Offered,
    /// Others of its kind come first.
    Queued,
    /// It is being done, or will be again after a restart.
    Running,
    /// It came to its end.
    Done,
    /// It could not be done.
    Failed,
    /// An admin ended it.
    Cancelled,
}

/// Who asked for a job, and where its news go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Who asked.
    pub user: UserRef,
    /// Where.
    pub chat: ChatRef,
    /// The topic of a forum, by the service's own number.
    pub thread: Option<i64>,
    /// The language of its news: `ja` or `en`.
    pub lang: String,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What is done.
    pub kind: JobKind,
    /// What exactly, as JSON of the kind's own shape.
    pub request: String,
    /// For whom.
    pub client: Client,
    /// How it stands.
    pub state: JobState,
    /// The message of the chat that shows its progress.
    pub message: Option<i64>,
    /// How far it has come, as JSON of the kind's own shape.
    pub progress: Option<String>,
    /// What came of it: JSON of the kind's own shape when it is done, that or a sentence when it failed.
    pub outcome: Option<String>,
    /// When it was asked.
    pub created: Timestamp,
    /// When it was begun, first.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl JobKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Collect, Self::Train];

    /// Lower-case name, as in commands and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Train => "train",
        }
    }
}

impl FromStr for JobKind {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == s).ok_or(())
    }
}

impl JobState {
    /// All six.
    pub const ALL: [Self; 6] = [Self::Offered, Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// Lower-case name, as in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will come of it any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Offered | Self::Queued | Self::Running)
    }
}

impl FromStr for JobState {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.name() == s).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert!(JobKind::ALL.into_iter().all(|kind| kind.name().parse() == Ok(kind)));
        assert!(JobState::ALL.into_iter().all(|state| state.name().parse() == Ok(state)));
    }

    #[test]
    fn what_is_over_neither_waits_nor_runs() {
        let over = JobState::ALL.map(JobState::is_over);
        assert_eq!(over, [false, false, false, true, true, true]);
    }
}
