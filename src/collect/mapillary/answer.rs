//! Answers of the Graph API.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::collect::offer::Offer;
use crate::collect::wire::Answer;
use crate::domain::Coordinate;
use crate::domain::imagery::{Sighting, Source};

/// SPDX expression of every image on Mapillary (<https://help.mapillary.com/hc/en-us/articles/115001770409>).
const LICENCE: &str = "CC-BY-SA-4.0";
/// Farthest that structure from motion may move an image from where the phone was, metres; beyond, one of the two is
/// wrong and nobody knows which.
const LARGEST_CORRECTION_M: f64 = 100.0;

/// A search's answer.
#[derive(Debug, Deserialize)]
pub(in crate::collect) struct Images {
    pub(in crate::collect) data: Vec<Image>,
}

/// An image, as far as it was asked about.
#[derive(Debug, Default, Deserialize)]
pub(in crate::collect) struct Image {
    id: String,
    geometry: Option<Point>,
    computed_geometry: Option<Point>,
    compass_angle: Option<f64>,
    computed_compass_angle: Option<f64>,
    /// Milliseconds since 1970.
    captured_at: Option<i64>,
    is_pano: Option<bool>,
    sequence: Option<String>,
    creator: Option<Creator>,
    /// Where the file lies, in the one size that was asked for.
    #[serde(alias = "thumb_256_url", alias = "thumb_1024_url", alias = "thumb_2048_url")]
    pub(in crate::collect) thumb: Option<String>,
}

/// GeoJSON: longitude, latitude.
#[derive(Debug, Deserialize)]
struct Point {
    coordinates: Vec<f64>,
}

#[derive(Debug, Deserialize)]
struct Creator {
    username: Option<String>,
}

impl Image {
    /// What the image offers; `None` for 360° strips and for what has no place that can be trusted.
    pub(in crate::collect) fn offer(self) -> Option<Offer> {
        if self.is_pano == Some(true) || !is_id(&self.id) {
            return None;
        }
        let (position, is_computed) = self.position()?;
        let computed_angle = self.computed_compass_angle.filter(|_| is_computed);
        let angle = computed_angle.or(self.compass_angle).filter(|angle| angle.is_finite());
        let user = self.creator.and_then(|creator| creator.username).filter(|name| !name.trim().is_empty());
        let sighting = Sighting {
            source: Source::Mapillary,
            position,
            captured: self.captured_at.and_then(day),
            heading: angle.map(|angle| (angle as f32).rem_euclid(360.0) % 360.0),
            attribution: user.map_or_else(|| "Mapillary".to_owned(), |name| format!("Mapillary / {}", name.trim())),
            licence: LICENCE.to_owned(),
            link: Some(format!("https://www.mapillary.com/app/?pkey={}", self.id)),
            id: self.id,
        };
        Some(Offer { sighting, drive: self.sequence, file: self.thumb })
    }

    /// The computed position where there is one, else the phone's. `None` without either, or when they contradict.
    fn position(&self) -> Option<(Coordinate, bool)> {
        let point = |point: &Option<Point>| match point.as_ref()?.coordinates.as_slice() {
            [lng, lat, ..] => Coordinate::new(*lat, *lng),
            _ => None,
        };
        match (point(&self.computed_geometry), point(&self.geometry)) {
            (Some(computed), Some(gps)) if computed.distance_m(gps) > LARGEST_CORRECTION_M => None,
            (Some(computed), _) => Some((computed, true)),
            (None, gps) => gps.map(|gps| (gps, false)),
        }
    }
}

/// Numbers only: they become part of URLs and of links for people.
fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2024-05-17`, in UTC. Dates before street photos or after all clocks are a camera's mistake.
fn day(ms: i64) -> Option<String> {
    let date = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(ms).ok()?).date();
    (1990..2100).contains(&date.year()).then(|| date.to_string())
}

/// A refusal of the Graph API. Codes: <https://developers.facebook.com/docs/graph-api/guides/error-handling>.
#[derive(Debug, Deserialize)]
pub(in crate::collect) struct GraphError {
    #[serde(default)]
    pub(in crate::collect) message: String,
    code: i64,
    pub(in crate::collect) error_subcode: Option<i64>,
}

impl GraphError {
    /// Reads a refusal; `None` when the answer is something else.
    pub(in crate::collect) fn parse(answer: &Answer) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            error: GraphError,
        }
        // Search results are no refusal, and may be large.
        let is_refusal = answer.body.len() < 64 << 10;
        is_refusal.then(|| serde_json::from_slice::<Body>(&answer.body).ok()).flatten().map(|body| body.error)
    }

    /// Too many requests: of the app (4), the user (17), a page (32), or by an own limit (613).
    pub(in crate::collect) fn is_rate_limit(&self) -> bool {
        matches!(self.code, 4 | 17 | 32 | 341 | 613)
    }

    /// No token (104), an invalid or expired one (102, 190), or one without the right (3, 10, 200 to 299).
    pub(in crate::collect) fn is_about_token(&self) -> bool {
        matches!(self.code, 3 | 10 | 102 | 104 | 190 | 200..300)
    }

    /// The service's own trouble.
    pub(in crate::collect) fn may_pass(&self) -> bool {
        matches!(self.code, 1 | 2 | -1)
    }

    /// "Please reduce the amount of data you're asking for, then retry your request".
    pub(in crate::collect) fn wants_less(&self) -> bool {
        self.code == 1 && self.message.contains("reduce the amount of data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use serde_json::{Value, json};

    fn offer(change: Value) -> Option<Offer> {
        let mut image = json!({
            "id": "1933525276802129", "captured_at": 1_507_560_881_000_i64, "compass_angle": 200.9,
            "computed_compass_angle": 201.5, "sequence": "f1ihYvTZNTEhCCnRjyMAuQ", "is_pano": false,
            "geometry": { "type": "Point", "coordinates": [-97.743279, 30.270651] },
            "computed_geometry": { "type": "Point", "coordinates": [-97.743200, 30.270600] },
            "creator": { "username": "some_user", "id": "7" }, "thumb_1024_url": "https://x.fbcdn.net/1",
        });
        for (key, value) in change.as_object().unwrap() {
            image[key] = value.clone();
        }
        serde_json::from_value::<Image>(image).unwrap().offer()
    }

    #[test]
    fn an_image_is_told_with_everything() {
        let told = offer(json!({})).unwrap();
        assert_eq!(
            told,
            Offer {
                sighting: Sighting {
                    source: Source::Mapillary,
                    id: "1933525276802129".to_owned(),
                    position: Coordinate { lat: 30.2706, lng: -97.7432 },
                    captured: Some("2017-10-09".to_owned()),
                    heading: Some(201.5),
                    attribution: "Mapillary / some_user".to_owned(),
                    licence: "CC-BY-SA-4.0".to_owned(),
                    link: Some("https://www.mapillary.com/app/?pkey=1933525276802129".to_owned()),
                },
                drive: Some("f1ihYvTZNTEhCCnRjyMAuQ".to_owned()),
                file: Some("https://x.fbcdn.net/1".to_owned()),
            }
        );
    }

    #[test]
    fn without_a_computed_position_the_phones_counts() {
        let told = offer(json!({ "computed_geometry": null })).unwrap().sighting;
        assert_eq!((told.position.lat, told.heading), (30.270651, Some(200.9)));
        let nothing = json!({ "computed_geometry": null, "geometry": null });
        assert_eq!(offer(nothing), None);
        let far = json!({ "computed_geometry": { "coordinates": [-97.74, 30.28] } });
        assert_eq!(offer(far), None, "a kilometre apart");
        for broken in [json!([1.0]), json!([]), json!([200.0, 10.0]), json!([10.0, 200.0])] {
            let point = json!({ "computed_geometry": { "coordinates": broken } });
            assert_eq!(offer(point).unwrap().sighting.position.lat, 30.270651, "{broken}");
        }
    }

    #[test]
    fn strips_and_strange_ids_are_left_out_and_strange_values_dropped() {
        assert_eq!(offer(json!({ "is_pano": true })), None);
        for id in ["", "../../me", "1?access_token=x", "１２３"] {
            assert_eq!(offer(json!({ "id": id })), None, "{id}");
        }
        assert_eq!(offer(json!({ "captured_at": -1 })).unwrap().sighting.captured, None);
        assert_eq!(offer(json!({ "captured_at": i64::MAX })).unwrap().sighting.captured, None);
        assert_eq!(offer(json!({ "computed_compass_angle": -90.0 })).unwrap().sighting.heading, Some(270.0));
        assert_eq!(offer(json!({ "creator": {} })).unwrap().sighting.attribution, "Mapillary");
    }

    #[test]
    fn errors_are_told_apart() {
        let error = |body: &str| {
            let (status, media_type) = (StatusCode::BAD_REQUEST, "application/json".to_owned());
            GraphError::parse(&Answer { status, media_type, body: body.into(), retry_after: None })
        };
        let code = |code: i64| error(&format!(r#"{{"error":{{"message":"m","type":"t","code":{code}}}}}"#)).unwrap();
        assert!(code(4).is_rate_limit() && code(190).is_about_token() && code(2).may_pass());
        assert!(!code(100).is_rate_limit() && !code(100).is_about_token() && !code(100).may_pass());
        let less = "Please reduce the amount of data you're asking for, then retry your request";
        assert!(error(&format!(r#"{{"error":{{"message":"{less}","code":1}}}}"#)).unwrap().wants_less());
        assert!(error(r#"{"data":[]}"#).is_none() && error("<html>").is_none());
    }
}
