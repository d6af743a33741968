//! Why a source gives nothing.

use crate::collect::picture::BadPicture;
use crate::domain::spend::Settlement;

/// A question that was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The service, or the way to it, is in trouble. It was tried several times; later may be better.
    #[error("{service} does not answer: {why}")]
    Later {
        /// Name of the service.
        service: &'static str,
        /// What happened, without URL and key.
        why: String,
    },
    /// Nothing more can be had until the admin does something.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// What ends a run. Each says what the admin does about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The key, its rights, its signature or the billing of its project.
    #[error(
        "Street View refuses the key ({said}): in the Google Cloud console, enable the Street View Static API and \
         billing for its project, let its restrictions include this API and this machine, and give the URL signing \
         secret if the project demands signatures"
    )]
    StreetViewDenied {
        /// Google's own words, shortened.
        said: String,
    },
    /// The quota of the key is used up.
    #[error(
        "Street View's quota is used up ({said}): wait until it is renewed (midnight in California) or raise it in \
         the Google Cloud console, then start the run again; it goes on where it was"
    )]
    StreetViewQuota {
        /// Google's own words, shortened.
        said: String,
    },
    /// The access token is missing, wrong or withdrawn.
    #[error(
        "Mapillary refuses the access token ({said}): make a client token at https://www.mapillary.com/dashboard/developers \
         and set it"
    )]
    MapillaryDenied {
        /// Mapillary's own words, shortened.
        said: String,
    },
    /// Too many requests for this token, also after several pauses.
    #[error(
        "Mapillary's rate limit is used up ({said}): start the run again in an hour, or with a lower rate; it goes on \
         where it was"
    )]
    MapillaryQuota {
        /// Mapillary's own words, shortened.
        said: String,
    },
    /// The service does not understand us: the program is wrong, or the service has changed.
    #[error("{service} does not understand the program's request ({said}): the program needs a newer version")]
    Misunderstood {
        /// Name of the service.
        service: &'static str,
        /// The service's own words, shortened.
        said: String,
    },
}

/// A picture that did not come of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// It is not there any more, or never was.
    #[error("the picture is gone")]
    Gone,
    /// Something came that is no picture of a street.
    #[error(transparent)]
    Bad(#[from] BadPicture),
    /// No answer, or none that can be used.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// The outcome of asking for a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched<T> {
    /// What the service bills for it.
    pub bill: Settlement,
    /// The picture.
    pub picture: Result<T, NoPicture>,
}

/// A service's own words as they may be shown: one line, at most 200 characters, with `key` blotted out.
#[must_use]
pub(super) fn quote(said: &str, key: &str) -> String {
    let blotted = if key.is_empty() { said.to_owned() } else { said.replace(key, "…") };
    let line = blotted.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
    if line.is_empty() { "no reason given".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_short_and_hold_no_key() {
        assert_eq!(quote("API key\n  abc123 is\u{7} invalid", "abc123"), "API key … is invalid");
        assert_eq!(quote(&"あ".repeat(900), "k").chars().count(), 200);
        assert_eq!(quote(" \n", ""), "no reason given");
    }
}
