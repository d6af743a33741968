//! The answer as JSON: `predict --json` and the API write the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::chat::Lang;
use crate::chat::map::Map;
use crate::chat::similar::Shown;
use crate::domain::{Area, Geocell, ModelIdentity, Timings};
use crate::infer::index::kin::SecondOpinion;
use crate::infer::{LocateError, Located};

/// The answer for one photo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    model: Model,
    known: bool,
    street: bool,
    /// The area that the file itself names, which the answer never sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_area: Option<String>,
    areas: Vec<AreaShare>,
    ms: Milliseconds,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    heatmap: Option<Heatmap>,
    /// Where the model has an index; boxed, so that an answer is not much larger than a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_opinion: Option<Box<Second>>,
    /// Where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    similar: Option<Vec<LookAlike>>,
    /// Where it is known where the first of `areas` lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    guess: Option<Position>,
    /// A `data:` address with a PNG, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<String>,
}

/// Degrees, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Position {
    lat: f64,
    lng: f64,
}

/// What the most similar photos say.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Second {
    area: String,
    /// Share of their votes, 0 to 1.
    share: f32,
    agrees: bool,
}

/// A photo of another place that looks alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct LookAlike {
    area: String,
    town: String,
    /// Cosine of the angle between the features.
    similarity: f64,
    /// From the middle of the photos of the first of `areas`.
    distance_km: Option<f64>,
    attribution: String,
    licence: String,
    link: Option<String>,
    /// A `data:` address with a JPEG.
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<String>,
}

/// What stands in the place of one photo among several.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// It was answered.
    Answer(Box<Answer>),
    /// It was not.
    Failure(Failure),
}

/// Why a photo has no answer: `{"error":{"code","message"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    error: ErrorBody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ErrorBody {
    code: String,
    message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Model {
    name: String,
    version: String,
    backend: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct AreaShare {
    area: String,
    prefecture: String,
    municipality: String,
    /// Token of the S2 cell that it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<String>,
    probability: f32,
}

/// Milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Milliseconds {
    decode: f64,
    preprocess: f64,
    queue: f64,
    run: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Heatmap {
    /// A `data:` address with a JPEG.
    heatmap: String,
    heatmap_area: String,
    /// The area that it is set against, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmap_against: Option<String>,
}

impl From<&Located> for Answer {
    /// Names every area, most probable first, without a heatmap.
    fn from(located: &Located) -> Self {
        let areas = located.prediction.areas.iter().map(|found| AreaShare {
            area: found.area.area.clone(),
            prefecture: found.area.prefecture.clone(),
            municipality: found.area.municipality.clone(),
            cell: found.area.cell.map(Geocell::token),
            probability: found.probability,
        });
        Self {
            model: Model::from(&*located.model),
            known: located.prediction.known,
            street: located.prediction.is_street,
            file_area: None,
            areas: areas.collect(),
            ms: Milliseconds::from(&located.timings),
            heatmap: None,
            second_opinion: None,
            similar: None,
            guess: None,
            map: None,
        }
    }
}

impl Answer {
    /// Adds the area that the photo's own file names.
    #[must_use]
    pub fn with_file_area(mut self, area: Option<&Area>) -> Self {
        self.file_area = area.map(|area| area.area.clone());
        self
    }

    /// Whether the photo looks like a street.
    #[must_use]
    pub fn is_street(&self) -> bool {
        self.street
    }

    /// Whether the model stands by its best area.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Keeps only the `top` most probable areas.
    #[must_use]
    pub fn top(mut self, top: usize) -> Self {
        self.areas.truncate(top);
        self
    }

    /// Adds the heatmap for the area of that name, a JPEG; `against` names the area that it is set against, if any.
    #[must_use]
    pub fn with_heatmap(mut self, area: &str, against: Option<&str>, jpeg: &[u8]) -> Self {
        self.heatmap = Some(Heatmap {
            heatmap: data_url("image/jpeg", jpeg),
            heatmap_area: area.to_owned(),
            heatmap_against: against.map(str::to_owned),
        });
        self
    }

    /// Adds where the best area lies, and the picture of it where that is wanted.
    #[must_use]
    pub fn with_map(mut self, map: Option<Map<'_>>, picture: Option<Lang>) -> Self {
        // To about ten metres, which is more than it can know.
        let round = |degrees: f64| (degrees * 1e4).round() / 1e4;
        self.guess = map.and_then(|map| map.guess()).map(|at| Position { lat: round(at.lat), lng: round(at.lng) });
        self.map = map.zip(picture).map(|(map, lang)| data_url("image/png", &map.picture(lang)));
        self
    }

    /// Adds what the most similar photos say, if there are any.
    #[must_use]
    pub fn with_second(mut self, second: Option<&SecondOpinion>) -> Self {
        self.second_opinion = second.map(|second| {
            Box::new(Second {
                area: second.best.area.area.clone(),
                share: second.best.probability,
                agrees: second.agrees,
            })
        });
        self
    }

    /// Adds photos of other places that look alike, with their pixels where those are wanted and there.
    #[must_use]
    pub fn with_similar(mut self, shown: &[Shown], pixels: bool) -> Self {
        let look_alike = |Shown { alike, jpeg }: &Shown| LookAlike {
            area: alike.area.area.clone(),
            town: alike.entry.town.clone(),
            // To a ten-thousandth, and to ten metres.
            similarity: (alike.similarity * 1e4).round() / 1e4,
            distance_km: alike.distance_m.map(|metres| (metres / 10.0).round() / 100.0),
            attribution: alike.entry.credit.source.clone(),
            licence: alike.entry.credit.licence.clone(),
            link: alike.entry.credit.url.clone(),
            photo: jpeg.as_deref().filter(|_| pixels).map(|jpeg| data_url("image/jpeg", jpeg)),
        };
        self.similar = Some(shown.iter().map(look_alike).collect());
        self
    }
}

/// A `data:` address.
pub(super) fn data_url(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

impl Failure {
    /// The error of the core, in words for users: see [`crate::chat::text::locate_error`].
    #[must_use]
    pub fn new(error: &LocateError, message: String) -> Self {
        Self::with_code(error.code(), message)
    }

    /// Any other error: `code` is stable, `message` is for users.
    #[must_use]
    pub fn with_code(code: &str, message: String) -> Self {
        Self { error: ErrorBody { code: code.to_owned(), message } }
    }
}

impl From<&ModelIdentity> for Model {
    fn from(identity: &ModelIdentity) -> Self {
        Self { name: identity.name.clone(), version: identity.version.clone(), backend: identity.backend.clone() }
    }
}

impl From<&Timings> for Milliseconds {
    fn from(timings: &Timings) -> Self {
        // To the microsecond: what lies below is noise.
        let ms = |duration: std::time::Duration| duration.as_micros() as f64 / 1_000.0;
        Self {
            decode: ms(timings.decode),
            preprocess: ms(timings.preprocess),
            queue: ms(timings.queue),
            run: ms(timings.run),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use image::RgbImage;

    use super::*;
    use crate::domain::{Area, Prediction};
    use crate::infer::explain::Explanation;
    use crate::infer::manifest::ModelFiles;

    fn located() -> Located {
        let labels = [Area::new("東京都", "港区", "Minato, Tokyo"), Area::new("東京都", "渋谷区", "Shibuya, Tokyo")];
        let micros = Duration::from_micros;
        Located {
            prediction: Prediction::from_logits(&[0.0, 0.0], &labels, 1.0, 0.5),
            logits: vec![0.0; 2],
            features: Vec::new(),
            index: None,
            model: Arc::new(ModelIdentity {
                name: "drawn-world".to_owned(),
                version: "1.0.0".to_owned(),
                backend: "tract".to_owned(),
            }),
            timings: Timings { decode: micros(1_500), preprocess: micros(250), queue: micros(7), run: micros(20_000) },
            explanation: Explanation::new(RgbImage::new(2, 2), vec![0.0; 2], (1, 1), 2),
            manifest: Arc::new(ModelFiles::built_in().expect("a sound program").manifest),
        }
    }

    #[test]
    fn an_answer_has_the_documented_shape() {
        insta::assert_json_snapshot!(Answer::from(&located()).top(1));
    }

    #[test]
    fn several_photos_keep_their_places() {
        let bad = Failure::new(&LocateError::Stopped, "gone".to_owned());
        let answer = Answer::from(&located()).with_heatmap("東京都港区", Some("東京都渋谷区"), &[0xff, 0xd8]);
        let entries = [Entry::Failure(bad), Entry::Answer(Box::new(answer))];
        insta::assert_json_snapshot!(entries);
    }
}
