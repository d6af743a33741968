//! `POST /api/v1/locate`: photos in, JSON out.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::language::Language;
use super::problem::Problem;
use super::upload::{self, Photos};
use super::{Shared, Site, clients};
use crate::album::Album;
use crate::chat::map::Map;
use crate::chat::similar::Similar;
use crate::chat::{Lang, text};
use crate::domain::{Area, Prediction};
use crate::front::json::{Answer, Entry, Failure};
use crate::infer::explain::Question;
use crate::infer::{Core, LocateError, Located};

/// How many areas an answer names unless told otherwise.
const DEFAULT_TOP: usize = 3;

/// The parameters as they come.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    top: Option<String>,
    heatmap: Option<String>,
    why_not: Option<String>,
    similar: Option<String>,
    map: Option<String>,
    /// Read by [`Language`].
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

/// What the caller wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    /// How many areas to name, 1 or more.
    top: usize,
    heatmap: Option<Heatmap>,
    /// Whether to show photos of other places that look alike.
    similar: bool,
    /// Whether to draw the map of the answer, in a language.
    map: Option<Lang>,
}

/// Labels are indices among the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heatmap {
    /// What it speaks for; `None`: for the best area.
    of: Option<usize>,
    /// What it is set against.
    against: Option<usize>,
}

/// Answers one photo with an object, several with an array in their order.
///
/// One photo that cannot be answered is a problem; among several it has an error in its place, unless the core is too busy
/// for the first: then nothing is done.
pub(super) async fn locate(
    State(site): Shared,
    Language(lang): Language,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Response {
    // One model answers the whole request: labels of the wish are its.
    let core = site.core.pinned();
    let wish = parameters
        .map_err(|_| Problem::BadQuery)
        .and_then(|Query(parameters)| Wish::parse(&parameters, &core.manifest().labels, lang));
    let outcomes = match wish {
        Ok(wish) => admitted(&site, &core, wish, request).await,
        Err(problem) => Err(problem),
    };
    match outcomes.map(single_or_all) {
        Ok(Outcomes::Single(Ok(answer))) => Json(*answer).into_response(),
        Ok(Outcomes::Single(Err(error))) => Problem::Locate(error).response(lang),
        Ok(Outcomes::All(all)) => {
            let entry = |outcome: Outcome| match outcome {
                Ok(answer) => Entry::Answer(Box::new(answer)),
                Err(error) => Entry::Failure(Failure::new(&error, text::locate_error(lang, &error))),
            };
            Json(all.into_iter().map(entry).collect::<Vec<_>>()).into_response()
        }
        Err(problem) => problem.response(lang),
    }
}

type Outcome = Result<Answer, LocateError>;

enum Outcomes {
    Single(Result<Box<Answer>, LocateError>),
    All(Vec<Outcome>),
}

fn single_or_all(mut outcomes: Vec<Outcome>) -> Outcomes {
    match outcomes.pop() {
        Some(only) if outcomes.is_empty() => Outcomes::Single(only.map(Box::new)),
        last => {
            outcomes.extend(last);
            Outcomes::All(outcomes)
        }
    }
}

/// Answers unless the client already has too much running.
async fn admitted(site: &Arc<Site>, core: &Core, wish: Wish, request: Request) -> Result<Vec<Outcome>, Problem> {
    let _ticket = site.clients.admit(clients::address(request.extensions())).ok_or(Problem::TooManyRequests)?;
    answer_all(site, core, wish, request).await
}

/// Answers each photo before the next is read, so that a request holds one photo in memory.
async fn answer_all(site: &Arc<Site>, core: &Core, wish: Wish, request: Request) -> Result<Vec<Outcome>, Problem> {
    let mut photos = Photos::of(request, *core.limits()).await?;
    let mut outcomes = Vec::new();
    while let Some(photo) = photos.next().await? {
        if outcomes.len() == upload::MAX_PHOTOS {
            return Err(Problem::TooManyPhotos);
        }
        // Who was let in is answered to the last photo.
        let is_first = outcomes.is_empty();
        let slowdown = site.max_slowdown.filter(|_| is_first).unwrap_or(f64::INFINITY);
        let outcome = match photo {
            Ok(photo) => answer(site, core, wish, photo, slowdown).await,
            Err(error) => Err(LocateError::Photo(error)),
        };
        record(site, &outcome);
        if let Err(error @ LocateError::Busy { .. }) = &outcome
            && is_first
        {
            return Err(Problem::Locate(error.clone()));
        }
        outcomes.push(outcome);
    }
    if outcomes.is_empty() { Err(Problem::MissingPhoto) } else { Ok(outcomes) }
}

async fn answer(site: &Site, core: &Core, wish: Wish, photo: Vec<u8>, slowdown: f64) -> Outcome {
    let placed = site.giving.as_ref().and_then(|giving| giving.look(&photo));
    let located = core.locate_within(photo, slowdown).await?;
    let (album, extents) = (site.album.clone(), site.extents.clone());
    let draws = wish.similar || wish.heatmap.is_some() || wish.map.is_some();
    let drawing = tokio::task::spawn_blocking(move || {
        let extents = extents.of(&located.manifest, located.index.as_deref());
        illustrate(&located, wish, &album).with_map(Map::of(&located.prediction, &extents), wish.map)
    });
    let drawn = if draws { core.meters().explain(drawing).await } else { drawing.await };
    let answer = drawn.map_err(|error| LocateError::Failed(format!("the pictures could not be drawn: {error}")))?;
    // What is no street is of no use as a test photo.
    let placed = placed.filter(|_| answer.is_street());
    Ok(answer.with_file_area(placed.as_ref().map(|placed| &placed.area)))
}

/// The answer with the pictures that are wished for.
fn illustrate(located: &Located, wish: Wish, album: &Album) -> Answer {
    let answer = Answer::from(located).top(wish.top);
    let answer = match located.kin() {
        Some(kin) => {
            let second = kin.second_opinion(&located.prediction);
            let answer = answer.with_second(second.as_ref());
            match wish.similar {
                true => answer.with_similar(&Similar::find(&kin, &located.prediction, second, album).shown, true),
                false => answer,
            }
        }
        None => answer,
    };
    let Some(question) = wish.heatmap.map(|heatmap| heatmap.question(&located.prediction)) else { return answer };
    let name = |label: usize| located.manifest.labels[label].area.as_str();
    let (of, against) = match question {
        Question::Why(label) => (name(label), None),
        Question::WhyNot(label, other) => (name(label), Some(name(other))),
    };
    answer.with_heatmap(of, against, &located.explanation.heatmap_jpeg(question))
}

fn record(site: &Site, outcome: &Outcome) {
    let name = match outcome {
        Ok(answer) if answer.is_known() => "known",
        Ok(answer) if !answer.is_street() => "no-street",
        Ok(_) => "unknown",
        Err(error) => error.code(),
    };
    site.meters.photo(name);
    if let Err(LocateError::Failed(detail)) = outcome {
        tracing::error!(detail, "a photo could not be answered");
    }
}

impl Wish {
    fn parse(parameters: &Parameters, labels: &[Area], lang: Lang) -> Result<Self, Problem> {
        let top = match &parameters.top {
            Some(top) => top.parse().ok().filter(|top| *top >= 1).ok_or(Problem::BadQuery)?,
            None => DEFAULT_TOP,
        };
        let switch = |value: Option<&str>| match value {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::BadQuery),
        };
        let similar = switch(parameters.similar.as_deref())?;
        let map = switch(parameters.map.as_deref())?.then_some(lang);
        let label = |area: &str| find(area, labels).ok_or_else(|| Problem::UnknownArea(area.to_owned()));
        let against = parameters.why_not.as_deref().map(label).transpose()?;
        let of = match parameters.heatmap.as_deref() {
            Some("false") if against.is_some() => return Err(Problem::BadQuery),
            None | Some("false") if against.is_none() => return Ok(Self { top, heatmap: None, similar, map }),
            None | Some("true" | "false") => None,
            Some(area) => Some(label(area)?),
        };
        Ok(Self { top, heatmap: Some(Heatmap { of, against }), similar, map })
    }
}

/// The label with this name or, counted from 0, this number.
fn find(area: &str, labels: &[Area]) -> Option<usize> {
    let by_name = labels.iter().position(|label| label.area == area);
    by_name.or_else(|| area.parse().ok().filter(|label| *label < labels.len()))
}

impl Heatmap {
    /// What it answers. An area is not set against itself: then it says why that area.
    fn question(self, prediction: &Prediction) -> Question {
        let of = self.of.unwrap_or(prediction.best().label);
        Question::about(of, self.against.unwrap_or(of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(top: Option<&str>, heatmap: Option<&str>, why_not: Option<&str>) -> Result<Wish, Problem> {
        let labels =
            [Area::new("東京都", "港区", "Minato, Tokyo"), Area::new("北海道", "旭川市", "Asahikawa, Hokkaido")];
        let [top, heatmap, why_not] = [top, heatmap, why_not].map(|value| value.map(str::to_owned));
        Wish::parse(&Parameters { top, heatmap, why_not, ..Parameters::default() }, &labels, Lang::Ja)
    }

    fn heatmap(of: Option<usize>, against: Option<usize>) -> Result<Wish, Problem> {
        Ok(Wish { top: 3, heatmap: Some(Heatmap { of, against }), similar: false, map: None })
    }

    #[test]
    fn a_heatmap_is_asked_for_by_name_number_or_for_the_best() {
        assert_eq!(parse(None, None, None), Ok(Wish { top: 3, heatmap: None, similar: false, map: None }));
        assert_eq!(parse(None, Some("false"), None), Ok(Wish { top: 3, heatmap: None, similar: false, map: None }));
        assert_eq!(parse(Some("3"), Some("true"), None), heatmap(None, None));
        assert_eq!(parse(None, Some("北海道旭川市"), None), heatmap(Some(1), None));
        assert_eq!(parse(None, Some("0"), None), heatmap(Some(0), None));
    }

    #[test]
    fn an_area_is_set_against_the_best_or_a_chosen_one() {
        for asked in [None, Some("true")] {
            assert_eq!(parse(None, asked, Some("北海道旭川市")), heatmap(None, Some(1)), "{asked:?}");
        }
        assert_eq!(parse(None, Some("0"), Some("1")), heatmap(Some(0), Some(1)));
        let best = Prediction::from_logits(&[0.0, 1.0], &[Area::new("", "a", "a"), Area::new("", "b", "b")], 1.0, 0.0);
        let question = |of, against| Heatmap { of, against }.question(&best);
        assert_eq!(question(None, Some(0)), Question::WhyNot(1, 0));
        assert_eq!(question(None, Some(1)), Question::Why(1), "not against itself");
        assert_eq!(question(Some(0), None), Question::Why(0));
        assert_eq!(question(Some(0), Some(1)), Question::WhyNot(0, 1));
    }

    #[test]
    fn wishes_that_cannot_be_met() {
        assert_eq!(parse(Some("0"), None, None), Err(Problem::BadQuery));
        assert_eq!(parse(Some("all"), None, None), Err(Problem::BadQuery));
        assert_eq!(parse(None, Some("false"), Some("0")), Err(Problem::BadQuery), "a heatmap, or none?");
        assert_eq!(parse(None, Some("2"), None), Err(Problem::UnknownArea("2".to_owned())));
        assert_eq!(parse(None, None, Some("大阪")), Err(Problem::UnknownArea("大阪".to_owned())));
    }
}
