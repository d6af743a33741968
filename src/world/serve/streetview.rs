//! Street View Static: the image and the free metadata.

mod request;
mod signature;
mod tile;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::books::within_quota;
use super::drawing::{self, Picture};
use super::query::Params;
use super::{Services, Shared};
use crate::domain::Coordinate;
use crate::world::{Panorama, View, World};
use request::{Place, Request};

/// What every refusal in words begins with.
const REJECTED: &str = "The Google Maps Platform server rejected your request. ";
const COPYRIGHT: &str = "© Drawn World";
/// The renderer's narrowest view, degrees.
const NARROWEST: f64 = 10.0;

/// The two paths.
pub fn routes() -> Router<Arc<Services>> {
    Router::new().route("/maps/api/streetview", get(image)).route("/maps/api/streetview/metadata", get(metadata))
}

/// `status` of a metadata answer, as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Ok,
    ZeroResults,
    NotFound,
    OverQueryLimit,
    RequestDenied,
    InvalidRequest,
}

/// A metadata answer; fields in the order of the real one.
#[derive(Debug, Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    copyright: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Coordinate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pano_id: Option<&'a str>,
    status: Status,
}

impl<'a> Metadata<'a> {
    fn of(panorama: &'a Panorama) -> Self {
        let (year, month) = panorama.captured;
        Self {
            copyright: Some(COPYRIGHT),
            date: Some(format!("{year:04}-{month:02}")),
            error_message: None,
            location: Some(panorama.position),
            pano_id: Some(&panorama.id),
            status: Status::Ok,
        }
    }

    fn without_panorama(status: Status, error_message: Option<String>) -> Self {
        Self { copyright: None, date: None, error_message, location: None, pano_id: None, status }
    }
}

impl IntoResponse for Metadata<'_> {
    /// Always 200: the status is inside.
    fn into_response(self) -> Response {
        match serde_json::to_vec_pretty(&self) {
            Ok(json) => ([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], json).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

/// What a request's place leads to.
enum Found<'w> {
    Panorama(&'w Panorama),
    Nothing,
    UnknownAddress,
}

fn find<'w>(world: &'w World, request: &Request) -> Found<'w> {
    let panorama = match &request.place {
        Place::Pano(id) => world.by_id(id),
        Place::Near(location) => world.nearest(*location, request.radius_m, request.outdoor_only),
        Place::Address(_) => return Found::UnknownAddress,
    };
    panorama.map_or(Found::Nothing, Found::Panorama)
}

async fn metadata(State(services): Shared, uri: Uri) -> Response {
    let params = Params::of(&uri);
    if let Err(why) = authorize(&services, &uri, &params) {
        services.books.write(|ledger| ledger.streetview.denied += 1);
        return Metadata::without_panorama(Status::RequestDenied, Some(why.to_owned())).into_response();
    }
    let request = match Request::of_metadata(&params) {
        Ok(request) => request,
        Err(why) => {
            services.books.write(|ledger| ledger.streetview.invalid += 1);
            return Metadata::without_panorama(Status::InvalidRequest, Some(why.to_string())).into_response();
        }
    };
    if !take_metadata(&services) {
        let why = "You have exceeded your daily request quota for this API.".to_owned();
        return Metadata::without_panorama(Status::OverQueryLimit, Some(why)).into_response();
    }
    match find(&services.world, &request) {
        Found::Panorama(panorama) => Metadata::of(panorama),
        Found::Nothing => Metadata::without_panorama(Status::ZeroResults, None),
        Found::UnknownAddress => Metadata::without_panorama(Status::NotFound, None),
    }
    .into_response()
}

fn take_metadata(services: &Services) -> bool {
    services.books.write(|ledger| {
        let books = &mut ledger.streetview;
        let admitted = within_quota(books.metadata, services.options.metadata_quota);
        *if admitted { &mut books.metadata } else { &mut books.over_quota } += 1;
        admitted
    })
}

async fn image(State(services): Shared, uri: Uri) -> Response {
    let params = Params::of(&uri);
    if let Err(why) = authorize(&services, &uri, &params) {
        services.books.write(|ledger| ledger.streetview.denied += 1);
        return refusal(StatusCode::FORBIDDEN, why);
    }
    let (request, size) = match Request::of_image(&params) {
        Ok(parsed) => parsed,
        Err(why) => {
            services.books.write(|ledger| ledger.streetview.invalid += 1);
            return refusal(StatusCode::BAD_REQUEST, &why.to_string());
        }
    };
    if !image_quota_left(&services) {
        return refusal(StatusCode::TOO_MANY_REQUESTS, "You have exceeded your daily request quota for this API.");
    }
    let found = match find(&services.world, &request) {
        Found::Panorama(panorama) => panorama.clone(),
        Found::Nothing | Found::UnknownAddress if request.return_error_code => return not_found(&services),
        Found::Nothing | Found::UnknownAddress => return grey_tile(&services, size),
    };
    picture(&services, found, &request, size).await
}

fn image_quota_left(services: &Services) -> bool {
    services.books.write(|ledger| {
        let left = within_quota(ledger.streetview.images_billed, services.options.image_quota);
        ledger.streetview.over_quota += u64::from(!left);
        left
    })
}

fn not_found(services: &Services) -> Response {
    services.books.write(|ledger| ledger.streetview.images_not_found += 1);
    refusal(StatusCode::NOT_FOUND, "No imagery was found for this request.")
}

fn grey_tile(services: &Services, (width, height): (u32, u32)) -> Response {
    match drawing::encode(&tile::no_imagery(width, height)) {
        Ok(jpeg) => {
            services.books.write(|ledger| {
                ledger.streetview.images_billed += 1;
                ledger.streetview.grey_tiles += 1;
            });
            jpeg_response(jpeg)
        }
        Err(error) => failed(services, &error),
    }
}

async fn picture(services: &Services, panorama: Panorama, request: &Request, (width, height): (u32, u32)) -> Response {
    let view = View {
        heading: heading(request, &panorama) as f32,
        fov: request.fov.max(NARROWEST) as f32,
        pitch: request.pitch as f32,
        width,
        height,
    };
    let View { heading, fov, pitch, .. } = view;
    let item = format!("{} heading={heading} fov={fov} pitch={pitch} size={width}x{height}", panorama.id);
    let books = services.books.clone();
    let sold = move || {
        books.write(|ledger| {
            ledger.streetview.images_billed += 1;
            *ledger.streetview.images.entry(item).or_default() += 1;
        });
    };
    match services.studio.draw(panorama, Picture::View(view), sold).await {
        Ok(jpeg) => jpeg_response(jpeg),
        Err(error) => failed(services, &error),
    }
}

/// The asked-for heading, else towards the location, else north.
fn heading(request: &Request, panorama: &Panorama) -> f64 {
    request.heading.unwrap_or_else(|| match request.place {
        Place::Near(location) => bearing(panorama.position, location),
        Place::Pano(_) | Place::Address(_) => 0.0,
    })
}

/// Initial compass direction of the great circle from one position to another, degrees, 0 to 360.
fn bearing(from: Coordinate, to: Coordinate) -> f64 {
    let (lat1, lat2) = (from.lat.to_radians(), to.lat.to_radians());
    let turn = (to.lng - from.lng).to_radians();
    let east = turn.sin() * lat2.cos();
    let north = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * turn.cos();
    east.atan2(north).to_degrees().rem_euclid(360.0)
}

/// Checks the key, then the signature where one is required.
fn authorize(services: &Services, uri: &Uri, params: &Params) -> Result<(), &'static str> {
    match params.get("key") {
        None => {
            return Err("You must use an API key to authenticate each request to Google Maps Platform APIs. For \
                        additional information, please refer to http://g.co/dev/maps-no-account");
        }
        Some(key) if key != services.options.google_key => return Err("The provided API key is invalid."),
        Some(_) => {}
    }
    match &services.options.google_signing_secret {
        Some(secret) if !signature::verifies(secret, uri) => {
            Err("Unable to authenticate the request. Provided 'signature' is not \
             valid for the provided API Key, or the provided API Key requires a 'signature'.")
        }
        _ => Ok(()),
    }
}

fn jpeg_response(jpeg: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response()
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, format!("{REJECTED}{why}")).into_response()
}

fn failed(services: &Services, error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "no Street View picture");
    services.books.write(|ledger| ledger.streetview.failed += 1);
    (StatusCode::INTERNAL_SERVER_ERROR, "The drawn world could not draw this picture.").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearings_follow_the_compass() {
        let tower = Coordinate { lat: 35.6586, lng: 139.7454 };
        for (east, north, expected) in [(0.0, 9.0, 0.0), (9.0, 0.0, 90.0), (0.0, -9.0, 180.0), (-9.0, 9.0, 315.0)] {
            let to = tower.offset_m(east, north);
            let off = (bearing(tower, to) - expected + 180.0).rem_euclid(360.0) - 180.0;
            assert!(off.abs() < 0.01, "{east} {north}: {}", bearing(tower, to));
        }
    }
}
