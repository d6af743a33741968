//! Photos to try the page with.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::language::Language;
use super::problem::Problem;
use super::{Shared, Site};
use crate::domain::Area;

/// A photo to try the page with.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where it was really taken, so that the page can say whether the answer is right.
    pub area: Area,
    /// The photo, a JPEG.
    pub jpeg: Vec<u8>,
}

/// A sample as the page knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Listed {
    url: String,
    area: String,
}

/// What the page offers.
pub(super) fn listed(samples: &[Sample]) -> Vec<Listed> {
    let list = samples.iter().enumerate();
    list.map(|(n, sample)| Listed { url: format!("/samples/{n}.jpg"), area: sample.area.area.clone() }).collect()
}

/// `GET /samples`
pub(super) async fn list(State(site): Shared) -> Json<Vec<Listed>> {
    Json(listed(&site.samples))
}

/// `GET /samples/{n}.jpg`
pub(super) async fn serve(State(site): Shared, Path(name): Path<String>, Language(lang): Language) -> Response {
    let Some(sample) = find(&site, &name) else {
        return Problem::NotFound.response(lang);
    };
    let headers = [(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-cache")];
    (headers, sample.jpeg.clone()).into_response()
}

fn find<'a>(site: &'a Site, name: &str) -> Option<&'a Sample> {
    let number: usize = name.strip_suffix(".jpg")?.parse().ok()?;
    site.samples.get(number)
}
