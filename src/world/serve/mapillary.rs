//! Mapillary's Graph API, version 4: images in a box, one image, and the files behind the links.

mod catalogue;
mod error;
mod fields;
mod search;
mod thumb;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::books::within_quota;
use super::query::Params;
use super::{Services, Shared};
pub use catalogue::Catalogue;
use error::GraphError;
use fields::Fields;
use search::Search;

/// The Graph API and the content delivery beneath it.
pub fn routes() -> Router<Arc<Services>> {
    Router::new()
        .route("/mapillary/images", get(images))
        .route("/mapillary/{image_id}", get(image))
        .route("/mapillary/cdn/{image_id}/{file}", get(thumb::file))
}

async fn images(State(services): Shared, headers: HeaderMap, uri: Uri) -> Response {
    let params = Params::of(&uri);
    let answer = admit(&services, &headers, &params).and_then(|()| {
        let (search, fields) = (Search::parse(&params)?, Fields::parse(&params)?);
        take(&services, |books| &mut books.searches)?;
        let shots = search.run(&services.world);
        let objects: Vec<Value> = shots.iter().map(|shot| fields.of(shot, &services.options)).collect();
        Ok(json!({ "data": objects }))
    });
    respond(&services, answer)
}

async fn image(State(services): Shared, Path(id): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    let params = Params::of(&uri);
    let answer = admit(&services, &headers, &params).and_then(|()| {
        let fields = Fields::parse(&params)?;
        take(&services, |books| &mut books.entities)?;
        let shot = services.catalogue.find(&services.world, &id).ok_or_else(|| GraphError::no_object(&id))?;
        Ok(fields.of(&shot, &services.options))
    });
    respond(&services, answer)
}

/// Checks the token, which comes as a parameter or as `Authorization: OAuth …`.
fn admit(services: &Services, headers: &HeaderMap, params: &Params) -> Result<(), GraphError> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let from_header = header.and_then(|value| value.strip_prefix("OAuth ").or_else(|| value.strip_prefix("Bearer ")));
    match params.get("access_token").or(from_header) {
        None => Err(GraphError::no_token()),
        Some(token) if token != services.options.mapillary_token => Err(GraphError::bad_token()),
        Some(_) => Ok(()),
    }
}

/// Counts a request that will be answered, unless the quota is used up.
fn take(services: &Services, count: fn(&mut super::MapillaryBooks) -> &mut u64) -> Result<(), GraphError> {
    services.books.write(|ledger| {
        let books = &mut ledger.mapillary;
        if !within_quota(books.searches + books.entities, services.options.mapillary_quota) {
            return Err(GraphError::rate_limit());
        }
        *count(books) += 1;
        Ok(())
    })
}

fn respond(services: &Services, answer: Result<Value, GraphError>) -> Response {
    match answer {
        Ok(value) => Json(value).into_response(),
        Err(error) => {
            services.books.write(|ledger| error.enter(&mut ledger.mapillary));
            error.into_response()
        }
    }
}
