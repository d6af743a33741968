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
use crate::chat::text;
use crate::domain::{Area, Prediction};
use crate::front::json::{Answer, Entry, Failure};
use crate::infer::explain::Question;
use crate::infer::{Core, LocateError};

/// How many areas an answer names unless told otherwise.
const DEFAULT_TOP: usize = 3;

/// The parameters as they come.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    top: Option<String>,
    heatmap: Option<String>,
    /// Read by [`Language`].
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

/// What the caller wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    /// How many areas to name, 1 or more.
    top: usize,
    heatmap: Heatmap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heatmap {
    None,
    Best,
    /// Of the model's label with this index.
    Label(usize),
}

/// Answers one photo with an object, several with an array in their order.
///
/// One photo that cannot be answered is a problem; among several it has an error in its place.
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
        .and_then(|Query(parameters)| Wish::parse(&parameters, &core.manifest().labels));
    let outcomes = match wish {
        Ok(wish) => admitted(&site, &core, wish, request).await,
        Err(problem) => Err(problem),
    };
    match outcomes.map(single_or_all) {
        Ok(Outcomes::Single(Ok(answer))) => Json(*answer).into_response(),
        Ok(Outcomes::Single(Err(error))) => Problem::Locate(error).response(lang),
        Ok(Outcomes::All(all)) => {
            let entry = |outcome: Outcome| match outcome {
                Ok(answer) => Entry::Answer(answer),
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
        let outcome = match photo {
            Ok(photo) => answer(core, wish, photo).await,
            Err(error) => Err(LocateError::Photo(error)),
        };
        record(site, &outcome);
        outcomes.push(outcome);
    }
    if outcomes.is_empty() { Err(Problem::MissingPhoto) } else { Ok(outcomes) }
}

async fn answer(core: &Core, wish: Wish, photo: Vec<u8>) -> Outcome {
    let located = core.locate(photo).await?;
    let manifest = located.manifest.clone();
    let answer = Answer::from(&located).top(wish.top);
    let Some(label) = wish.heatmap.label(&located.prediction) else {
        return Ok(answer);
    };
    let drawing = tokio::task::spawn_blocking(move || located.explanation.heatmap_jpeg(Question::Why(label)));
    let drawn = core.meters().explain(drawing).await;
    let jpeg = drawn.map_err(|error| LocateError::Failed(format!("the heatmap could not be drawn: {error}")))?;
    Ok(answer.with_heatmap(&manifest.labels[label].area, &jpeg))
}

fn record(site: &Site, outcome: &Outcome) {
    let name = match outcome {
        Ok(answer) if answer.is_known() => "known",
        Ok(_) => "unknown",
        Err(error) => error.code(),
    };
    site.meters.photo(name);
    if let Err(LocateError::Failed(detail)) = outcome {
        tracing::error!(detail, "a photo could not be answered");
    }
}

impl Wish {
    fn parse(parameters: &Parameters, labels: &[Area]) -> Result<Self, Problem> {
        let top = match &parameters.top {
            Some(top) => top.parse().ok().filter(|top| *top >= 1).ok_or(Problem::BadQuery)?,
            None => DEFAULT_TOP,
        };
        let heatmap = match parameters.heatmap.as_deref() {
            None | Some("false") => Heatmap::None,
            Some("true") => Heatmap::Best,
            Some(area) => Heatmap::Label(find(area, labels).ok_or_else(|| Problem::UnknownArea(area.to_owned()))?),
        };
        Ok(Self { top, heatmap })
    }
}

/// The label with this name or, counted from 0, this number.
fn find(area: &str, labels: &[Area]) -> Option<usize> {
    let by_name = labels.iter().position(|label| label.area == area);
    by_name.or_else(|| area.parse().ok().filter(|label| *label < labels.len()))
}

impl Heatmap {
    fn label(self, prediction: &Prediction) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Best => Some(prediction.best().label),
            Self::Label(label) => Some(label),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(top: Option<&str>, heatmap: Option<&str>) -> Result<Wish, Problem> {
        let labels =
            [Area::new("東京都", "港区", "Minato, Tokyo"), Area::new("北海道", "旭川市", "Asahikawa, Hokkaido")];
        let parameters =
            Parameters { top: top.map(str::to_owned), heatmap: heatmap.map(str::to_owned), ..Parameters::default() };
        Wish::parse(&parameters, &labels)
    }

    #[test]
    fn a_heatmap_is_asked_for_by_name_number_or_for_the_best() {
        assert_eq!(parse(None, None), Ok(Wish { top: 3, heatmap: Heatmap::None }));
        assert_eq!(parse(Some("1"), Some("true")), Ok(Wish { top: 1, heatmap: Heatmap::Best }));
        assert_eq!(parse(None, Some("北海道旭川市")), Ok(Wish { top: 3, heatmap: Heatmap::Label(1) }));
        assert_eq!(parse(None, Some("0")), Ok(Wish { top: 3, heatmap: Heatmap::Label(0) }));
    }

    #[test]
    fn wishes_that_cannot_be_met() {
        assert_eq!(parse(Some("0"), None), Err(Problem::BadQuery));
        assert_eq!(parse(Some("all"), None), Err(Problem::BadQuery));
        assert_eq!(parse(None, Some("2")), Err(Problem::UnknownArea("2".to_owned())));
    }
}
