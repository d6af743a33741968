//! Answers of map services, and what photos say of themselves, as strangers may write them.

use reqwest::StatusCode;

use super::exif::Exif;
use super::geolonia::lists::{municipalities, towns};
use super::mapillary::answer::{GraphError, Image, Images};
use super::settings::GeoloniaVersion;
use super::streetview::answer::Metadata;
use super::wire::Answer;
use crate::domain::imagery::Sighting;

fn answer(body: &[u8]) -> Answer {
    let media_type = "application/json".to_owned();
    Answer { status: StatusCode::OK, media_type, body: body.to_vec(), retry_after: None }
}

/// Whatever a service says: it has a place on Earth and a name that a file and an URL may have.
fn check(sighting: &Sighting) {
    let at = sighting.position;
    assert!((-90.0..=90.0).contains(&at.lat) && (-180.0..=180.0).contains(&at.lng), "{at:?}");
    assert!(!sighting.id.is_empty() && sighting.id.len() <= 256);
    assert!(sighting.heading.is_none_or(|heading| (0.0..360.0).contains(&heading)), "{:?}", sighting.heading);
    assert!(sighting.captured.as_ref().is_none_or(|day| matches!(day.len(), 7 | 10)), "{:?}", sighting.captured);
}

/// The tags of a photo.
pub fn exif(bytes: &[u8]) {
    let Exif { position, captured, heading, owner } = Exif::read(bytes);
    assert!(position.is_none_or(|at| at.lat.abs() <= 90.0 && at.lng.abs() <= 180.0), "{position:?}");
    assert!(captured.as_ref().is_none_or(|day| day.len() == 10), "{captured:?}");
    assert!(heading.is_none_or(|heading| (0.0..360.0).contains(&heading)), "{heading:?}");
    assert!(owner.as_ref().is_none_or(|owner| owner.chars().count() <= 100), "{owner:?}");
}

/// An answer of Street View's metadata.
pub fn streetview(bytes: &[u8]) {
    if let Some(sighting) = Metadata::parse(&answer(bytes)).and_then(Metadata::sighting) {
        check(&sighting);
    }
}

/// An answer of Mapillary's Graph API: images, or a refusal.
pub fn mapillary(bytes: &[u8]) {
    if let Some(refusal) = GraphError::parse(&answer(bytes)) {
        let kinds = [refusal.is_rate_limit(), refusal.is_about_token(), refusal.may_pass()];
        assert!(kinds.iter().filter(|is| **is).count() <= 1, "{refusal:?}");
    }
    let images = serde_json::from_slice::<Images>(bytes).map_or_else(|_| Vec::new(), |images| images.data);
    for offer in images.into_iter().filter_map(Image::offer) {
        check(&offer.sighting);
        assert!(offer.sighting.id.bytes().all(|byte| byte.is_ascii_digit()), "it becomes part of URLs");
    }
}

/// Geolonia's lists of municipalities and towns, in both versions.
pub fn geolonia(bytes: &[u8]) {
    for version in [GeoloniaVersion::V1, GeoloniaVersion::V2] {
        let _ = municipalities(version, bytes);
        for town in towns(version, bytes).unwrap_or_default() {
            assert!(!town.name.is_empty());
            assert!(town.centers.iter().all(|at| at.lat.abs() <= 90.0 && at.lng.abs() <= 180.0), "{:?}", town.centers);
        }
    }
}
