//! Errors as the Graph API words them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::world::serve::MapillaryBooks;

const OAUTH: &str = "OAuthException";
const MAPILLARY: &str = "MLYApiException";

/// A refusal; `code` is what callers branch on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    status: StatusCode,
    message: String,
    kind: &'static str,
    code: u16,
    subcode: Option<u16>,
}

impl GraphError {
    fn new(status: StatusCode, kind: &'static str, code: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind, code, subcode: None }
    }

    /// 104: no token came with the request.
    pub fn no_token() -> Self {
        let message = "An access token is required to request this resource.";
        Self::new(StatusCode::BAD_REQUEST, OAUTH, 104, message)
    }

    /// 190: the token is not ours.
    pub fn bad_token() -> Self {
        Self::new(StatusCode::BAD_REQUEST, OAUTH, 190, "Invalid OAuth access token - Cannot parse access token")
    }

    /// 4: the quota is used up.
    pub fn rate_limit() -> Self {
        Self::new(StatusCode::FORBIDDEN, OAUTH, 4, "Application request limit reached")
    }

    /// 100: a parameter is missing, malformed, out of range or not served.
    pub fn bad_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, MAPILLARY, 100, message)
    }

    /// 100: images have no such field.
    pub fn no_field(name: &str) -> Self {
        Self::bad_parameter(format!("Tried accessing nonexisting field ({name}) on node type (Image)"))
    }

    /// 100, subcode 33: there is no such image.
    pub fn no_object(id: &str) -> Self {
        let message = format!(
            "Unsupported get request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation"
        );
        Self { subcode: Some(33), ..Self::bad_parameter(message) }
    }

    /// Books the refusal. A missing image is an answered question, which is booked already.
    pub fn enter(&self, books: &mut MapillaryBooks) {
        match (self.code, self.subcode) {
            (104 | 190, _) => books.denied += 1,
            (4, _) => books.over_quota += 1,
            (_, Some(33)) => {}
            _ => books.invalid += 1,
        }
    }

    /// Looks like a trace id, but is the same for the same error.
    fn trace_id(&self) -> String {
        format!("A{}", &URL_SAFE_NO_PAD.encode(Sha256::digest(&self.message))[..22])
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": self.trace_id(),
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_booked_where_it_belongs() {
        let mut books = MapillaryBooks::default();
        let errors = [
            GraphError::no_token(),
            GraphError::bad_token(),
            GraphError::rate_limit(),
            GraphError::no_field("colour"),
            GraphError::no_object("1"),
        ];
        errors.iter().for_each(|error| error.enter(&mut books));
        assert_eq!((books.denied, books.over_quota, books.invalid), (2, 1, 1));
    }
}
