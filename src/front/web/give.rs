//! Photos that people of the page give as test photos.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/v1/gifts` with a photo whose file says where it was taken | [`Thanks`]: it is kept |
//! | `DELETE /api/v1/gifts/{gift}` | [`Said`]: it is deleted |
//!
//! Sending the photo again is the consent: nothing waits in the memory of the server meanwhile.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::Serialize;

use super::language::Language;
use super::play::player::Player;
use super::problem::Problem;
use super::upload::{self, Photos};
use super::{Shared, Site, clients};
use crate::chat::gift::Giving;
use crate::chat::press::OfferKey;
use crate::chat::{Lang, locate, text};
use crate::collect::gifts::GiftError;
use crate::infer::decode::Limits;

/// What is said to a gift.
#[derive(Serialize)]
struct Thanks {
    /// One or two sentences.
    text: String,
    /// For `DELETE /api/v1/gifts/{gift}`; `None` for a photo that was given before.
    gift: Option<String>,
}

/// What is said to a gift that is taken back.
#[derive(Serialize)]
struct Said {
    text: String,
}

/// The paths of gifts.
pub(super) fn routes(limits: &Limits) -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/gifts", post(give).layer(DefaultBodyLimit::max(upload::max_body(limits))))
        .route("/api/v1/gifts/{gift}", delete(take_back))
}

async fn give(State(site): Shared, Language(lang): Language, request: Request) -> Response {
    given(&site, lang, request).await.unwrap_or_else(|problem| problem.response(lang))
}

async fn given(site: &Site, lang: Lang, request: Request) -> Result<Response, Problem> {
    let giving = site.giving.as_ref().ok_or(Problem::GiftsOff)?;
    let _ticket = site.clients.admit(clients::address(request.extensions())).ok_or(Problem::TooManyRequests)?;
    let known = Player::of(request.headers());
    let mut photos = Photos::of(request, *site.core.limits()).await?;
    let photo = photos.next().await?.ok_or(Problem::MissingPhoto)?;
    let photo = photo.map_err(|error| Problem::Locate(error.into()))?;
    let placed = giving.look(&photo).ok_or(Problem::NoPosition)?;
    let located = site.core.locate(photo).await.map_err(Problem::Locate)?;
    if !located.prediction.is_street {
        return Err(Problem::NoStreet);
    }
    let (_, parcel) = locate::wrap(located, placed).await.map_err(Problem::Locate)?;
    let player = match known {
        Some(player) => player,
        None => Player::new(&giving.token().await.map_err(failed)?),
    };
    let key = giving.new_key();
    let outcome = giving.keep(&player.user, key, &[parcel]).await.map_err(failed)?;
    let gift = (!outcome.kept.is_empty()).then(|| key.code());
    let mut response = Json(Thanks { text: text::gift::thanks(lang, &outcome), gift }).into_response();
    // Who gave nothing new gets no token: nothing is remembered of them.
    if let Some(cookie) = player.cookie().filter(|_| !outcome.kept.is_empty()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn take_back(
    State(site): Shared,
    Language(lang): Language,
    Path(gift): Path<String>,
    request: Request,
) -> Response {
    let player = Player::of(request.headers());
    let taken = match (&site.giving, player, OfferKey::parse(&gift)) {
        (None, ..) => Err(Problem::GiftsOff),
        (Some(giving), Some(player), Some(key)) => taken(giving, &player, key).await,
        _ => Err(Problem::NotFound),
    };
    match taken {
        Ok(count) => Json(Said { text: text::gift::withdrawn(lang, count) }).into_response(),
        Err(problem) => problem.response(lang),
    }
}

async fn taken(giving: &Giving, player: &Player, key: OfferKey) -> Result<usize, Problem> {
    match giving.withdraw(&player.user, key).await.map_err(failed)? {
        0 => Err(Problem::NotFound),
        count => Ok(count),
    }
}

/// What the disk or the database said is for the log alone.
pub(super) fn failed(error: GiftError) -> Problem {
    tracing::error!(%error, "a gift could not be kept or given back");
    Problem::GiftFailed
}
