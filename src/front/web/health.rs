//! `/health` and `/metrics`: for those who run the bot.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;

use super::Shared;
use crate::front::json::Model;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    model: Model,
    /// Seconds since the start.
    uptime: f64,
}

/// Says that the site answers, and what with.
pub(super) async fn health(State(site): Shared) -> impl IntoResponse {
    let uptime = site.metrics.uptime().as_millis() as f64 / 1_000.0;
    Json(Health { status: "ok", model: Model::from(&*site.core.identity()), uptime })
}

/// The counters.
pub(super) async fn metrics(State(site): Shared) -> impl IntoResponse {
    let text = site.metrics.render(&site.core.identity());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
