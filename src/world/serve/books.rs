//! What the stand-ins sold and refused: the seller's side of a collector's ledger.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Everything since the start, as `GET /_books` gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Street View Static.
    pub streetview: StreetView,
    /// Mapillary Graph v4 and its thumbnails.
    pub mapillary: Mapillary,
    /// Geolonia v1 and v2.
    pub geolonia: Geolonia,
    /// Requests to paths that no stand-in has.
    pub unknown_requests: u64,
}

/// Street View Static's part. Every request is counted in one field, a billed image also in `images`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreetView {
    /// Pictures and grey tiles: what the service asks money for.
    pub images_billed: u64,
    /// Grey tiles among them.
    pub grey_tiles: u64,
    /// How often each picture was bought, by panorama and view; above 1 is money wasted.
    pub images: BTreeMap<String, u64>,
    /// Images refused with 404, not billed.
    pub images_not_found: u64,
    /// Answered metadata requests, whatever they found; free.
    pub metadata: u64,
    /// Wrong or missing keys and signatures.
    pub denied: u64,
    /// Malformed requests.
    pub invalid: u64,
    /// Requests beyond the quota.
    pub over_quota: u64,
    /// Pictures that could not be drawn, not billed.
    pub failed: u64,
}

/// Mapillary's part. Nothing here costs money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapillary {
    /// Answered searches.
    pub searches: u64,
    /// Answered questions about one image, also when there is no such image.
    pub entities: u64,
    /// How often each thumbnail was fetched, by image and width.
    pub thumbs: BTreeMap<String, u64>,
    /// Wrong or missing tokens, expired or forged links.
    pub denied: u64,
    /// Malformed requests.
    pub invalid: u64,
    /// Requests beyond the quota.
    pub over_quota: u64,
    /// Thumbnails that could not be drawn.
    pub failed: u64,
}

/// Geolonia's part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Geolonia {
    /// Lists that were served.
    pub lists: u64,
    /// Requests for lists that do not exist.
    pub not_found: u64,
}

/// A ledger that handlers share.
#[derive(Debug, Default)]
pub struct Books(Mutex<Ledger>);

impl Books {
    /// A copy of the ledger as it is now.
    pub fn read(&self) -> Ledger {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Enters something; the entry is atomic.
    pub fn write<T>(&self, enter: impl FnOnce(&mut Ledger) -> T) -> T {
        // A panic inside `enter` leaves at worst one entry out: the ledger stays usable.
        enter(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes one from a quota; false when nothing is left.
pub fn within_quota(served: u64, quota: Option<u64>) -> bool {
    quota.is_none_or(|quota| served < quota)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_of_two_lets_two_through() {
        let served = (0..5).filter(|&served| within_quota(served, Some(2))).count();
        assert_eq!(served, 2);
        assert!(within_quota(u64::MAX, None));
    }
}
