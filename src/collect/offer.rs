//! What a source offers at a place.

use crate::domain::imagery::Sighting;

/// A panorama or image, and what only its source and this run know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What is kept of it.
    pub sighting: Sighting,
    /// The drive or walk that it belongs to, where the source says.
    pub drive: Option<String>,
    /// Where its file lies now: a link that expires, or a path.
    pub file: Option<String>,
}

impl From<Sighting> for Offer {
    fn from(sighting: Sighting) -> Self {
        Self { sighting, drive: None, file: None }
    }
}
