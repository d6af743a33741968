//! `/health` and `/metrics`: for those who run the bot.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::Serialize;
use subtle::ConstantTimeEq;

use super::language::Language;
use super::problem::Problem;
use super::{Shared, Site};
use crate::front::json::Model;

/// What proxies add.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

#[derive(Serialize)]
struct Health {
    status: &'static str,
    model: Model,
    /// Seconds since the start.
    uptime: f64,
}

/// Says that the site answers, and what with.
pub(super) async fn health(State(site): Shared) -> impl IntoResponse {
    let uptime = site.meters.uptime().as_millis() as f64 / 1_000.0;
    Json(Health { status: "ok", model: Model::from(&*site.core.identity()), uptime })
}

/// All that is measured: for this machine, and for whoever shows the token. Others find nothing here.
pub(super) async fn metrics(State(site): Shared, Language(lang): Language, request: Request) -> Response {
    if !may_read(&site, &request) {
        return Problem::NotFound.response(lang);
    }
    let text = super::metrics::render(&site, &site.metrics).await;
    ([(CONTENT_TYPE, crate::metrics::CONTENT_TYPE)], text).into_response()
}

/// A proxy on this machine speaks for others, and says so in a header.
fn may_read(site: &Site, request: &Request) -> bool {
    let headers = request.headers();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_near = peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    if is_near && !FORWARDED.iter().any(|name| headers.contains_key(*name)) {
        return true;
    }
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let token = site.metrics_token.as_ref();
    token.is_some_and(|token| bool::from(shown.unwrap_or_default().ct_eq(token.expose_secret().as_bytes())))
}
