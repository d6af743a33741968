//! A metadata answer.

use reqwest::Url;
use serde::Deserialize;

use super::LICENCE;
use crate::collect::wire::Answer;
use crate::domain::Coordinate;
use crate::domain::imagery::{Sighting, Source};

/// `status` of a metadata answer, as published; anything else is an error that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::collect) enum Status {
    Ok,
    ZeroResults,
    NotFound,
    OverQueryLimit,
    RequestDenied,
    InvalidRequest,
    UnknownError,
    #[serde(other)]
    Other,
}

/// What the service says of a place.
#[derive(Debug, PartialEq, Deserialize)]
pub(in crate::collect) struct Metadata {
    pub(in crate::collect) status: Status,
    pub(in crate::collect) error_message: Option<String>,
    copyright: Option<String>,
    date: Option<String>,
    location: Option<Position>,
    pano_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
struct Position {
    lat: f64,
    lng: f64,
}

impl Metadata {
    /// Reads an answer; `None` when it is not one.
    pub(in crate::collect) fn parse(answer: &Answer) -> Option<Self> {
        serde_json::from_slice(&answer.body).ok()
    }

    /// The panorama, when everything that identifies it is there.
    pub(in crate::collect) fn sighting(self) -> Option<Sighting> {
        let Position { lat, lng } = self.location?;
        let id = self.pano_id.filter(|id| !id.is_empty() && id.len() <= 256)?;
        Some(Sighting {
            source: Source::StreetView,
            position: Coordinate::new(lat, lng)?,
            captured: self.date.filter(|date| is_month_or_day(date)),
            heading: None,
            attribution: self.copyright.unwrap_or_else(|| "© Google".to_owned()),
            licence: LICENCE.to_owned(),
            link: Some(link(&id)),
            id,
        })
    }
}

/// `2024-05` or `2024-05-17`.
fn is_month_or_day(date: &str) -> bool {
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    match date.split('-').collect::<Vec<_>>().as_slice() {
        [year, month] => digits(year, 4) && digits(month, 2),
        [year, month, day] => digits(year, 4) && digits(month, 2) && digits(day, 2),
        _ => false,
    }
}

/// The panorama for people, by Google's documented Maps URLs, which need no key
/// (<https://developers.google.com/maps/documentation/urls/get-started#street-view-action>).
fn link(id: &str) -> String {
    let base = "https://www.google.com/maps/@";
    let pairs = [("api", "1"), ("map_action", "pano"), ("pano", id)];
    Url::parse_with_params(base, pairs).map_or_else(|_| base.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn metadata(json: &str) -> Option<Metadata> {
        let media_type = "application/json".to_owned();
        Metadata::parse(&Answer { status: StatusCode::OK, media_type, body: json.into(), retry_after: None })
    }

    /// The example of Google's documentation.
    #[test]
    fn a_panorama_is_told_with_everything() {
        let json = r#"{ "copyright" : "© 2017 Google", "date" : "2016-05", "location" : { "lat" : 48.857832,
            "lng" : 2.295226 }, "pano_id" : "tu510ie_z4ptBZYo2BGEJg", "status" : "OK" }"#;
        let sighting = metadata(json).unwrap().sighting().unwrap();
        assert_eq!(
            sighting,
            Sighting {
                source: Source::StreetView,
                id: "tu510ie_z4ptBZYo2BGEJg".to_owned(),
                position: Coordinate { lat: 48.857832, lng: 2.295226 },
                captured: Some("2016-05".to_owned()),
                heading: None,
                attribution: "© 2017 Google".to_owned(),
                licence: LICENCE.to_owned(),
                link: Some(
                    "https://www.google.com/maps/@?api=1&map_action=pano&pano=tu510ie_z4ptBZYo2BGEJg".to_owned()
                ),
            }
        );
    }

    #[test]
    fn what_is_missing_or_impossible_is_no_panorama() {
        for json in [
            r#"{"status":"OK"}"#,
            r#"{"status":"OK","pano_id":"a"}"#,
            r#"{"status":"OK","pano_id":"","location":{"lat":1,"lng":2}}"#,
            r#"{"status":"OK","pano_id":"a","location":{"lat":91,"lng":2}}"#,
        ] {
            assert_eq!(metadata(json).unwrap().sighting(), None, "{json}");
        }
        let dated = r#"{"status":"OK","pano_id":"a","location":{"lat":1,"lng":2},"date":"May '16"}"#;
        assert_eq!(metadata(dated).unwrap().sighting().unwrap().captured, None);
    }

    #[test]
    fn every_published_status_is_known_and_new_ones_do_no_harm() {
        let status = |name: &str| metadata(&format!(r#"{{"status":"{name}"}}"#)).map(|metadata| metadata.status);
        assert_eq!(status("ZERO_RESULTS"), Some(Status::ZeroResults));
        assert_eq!(status("UNKNOWN_ERROR"), Some(Status::UnknownError));
        assert_eq!(status("TEA_TIME"), Some(Status::Other));
        assert_eq!(metadata("<html>"), None);
        assert_eq!(metadata("{}"), None);
    }
}
