//! What the chats say to `/gallery`, `/confusions` and `/atlas`, for the page.
//!
//! `GET /api/v1/model/{gallery|confusions|atlas}`, with `area=` (any name of an area) and `lang=`: words and pictures.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::language::Language;
use super::play::data_url;
use super::problem::Problem;
use super::{Shared, clients};
use crate::chat::command::Command;
use crate::chat::insight::About;
use crate::chat::message::{Picture, Reply};

/// The parameters as they come.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    #[serde(default)]
    area: String,
    /// Read by [`Language`].
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

#[derive(Serialize)]
struct Said {
    text: String,
    pictures: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    /// A `data:` address.
    picture: String,
    /// What it shows.
    alt: String,
}

/// `GET /api/v1/model/{about}`
pub(super) async fn show(
    State(site): Shared,
    Path(about): Path<String>,
    Language(lang): Language,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Response {
    let Ok(Query(Parameters { area, .. })) = parameters else { return Problem::BadQuery.response(lang) };
    let about = match Command::parse(&about) {
        Some(Command::Gallery) => About::Gallery(area),
        Some(Command::Confusions) => About::Confusions,
        Some(Command::Atlas) => About::Atlas(area),
        _ => return Problem::NotFound.response(lang),
    };
    let Some(insight) = &site.insight else { return Problem::NotFound.response(lang) };
    // Drawing takes the processor as answering does.
    let Some(_ticket) = site.clients.admit(clients::address(request.extensions())) else {
        return Problem::TooManyRequests.response(lang);
    };
    Json(Said::from(insight.show(lang, &site.core.manifest(), about).await)).into_response()
}

impl From<Reply> for Said {
    fn from(reply: Reply) -> Self {
        let shown = |picture: Picture| Shown { picture: data_url(&picture), alt: picture.alt };
        Self { text: reply.text, pictures: reply.picture.into_iter().chain(reply.album).map(shown).collect() }
    }
}
