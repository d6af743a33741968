//! What goes wrong between here and a service.

use std::fmt;

use super::{Repeat, Verdict};

/// A request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// Whether the service may have received the request, and so may have answered and billed it.
    pub delivered: bool,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The server could not be reached.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The answer broke off, or was no HTTP.
    Broken,
    /// The body is larger than what was asked for can be.
    TooLarge {
        /// The limit, bytes.
        limit: usize,
    },
    /// The run was stopped before the request was sent.
    Stopped,
}

impl Fault {
    /// Went wrong before the service could notice.
    pub(super) fn unsent(kind: FaultKind) -> Self {
        Self { kind, delivered: false }
    }

    /// Went wrong while the answer arrived.
    pub(super) fn received(kind: FaultKind) -> Self {
        Self { kind, delivered: true }
    }

    /// Without the error itself: it holds the URL, and with it perhaps a key.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        Self { kind: FaultKind::of(error), delivered: !error.is_connect() && !error.is_builder() }
    }

    pub(super) fn verdict(&self, repeat: Repeat) -> Verdict {
        match self.kind {
            FaultKind::Stopped | FaultKind::TooLarge { .. } => Verdict::Final,
            _ if self.delivered && repeat == Repeat::Unbilled => Verdict::Final,
            _ => Verdict::Again,
        }
    }
}

impl FaultKind {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        match () {
            () if error.is_connect() => Self::Unreachable,
            () if error.is_timeout() => Self::TimedOut,
            () => Self::Broken,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the server cannot be reached"),
            Self::TimedOut => f.write_str("the answer took too long"),
            Self::Broken => f.write_str("the answer broke off"),
            Self::TooLarge { limit } => write!(f, "the answer has more than {limit} bytes"),
            Self::Stopped => f.write_str("stopped before the request was sent"),
        }
    }
}
