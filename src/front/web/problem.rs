//! Errors of the API: `application/problem+json` (RFC 9457) in the reader's language.

use std::time::Duration;

use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::chat::{Lang, text};
use crate::infer::LocateError;
use crate::infer::decode::PhotoError;

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// One photo, and it cannot be answered.
    Locate(LocateError),
    /// No photo in the request.
    MissingPhoto,
    /// A multipart body that cannot be read.
    BadMultipart,
    /// More photos than [`crate::chat::MAX_PHOTOS`].
    TooManyPhotos,
    /// One client asks for too much at the same time.
    TooManyRequests,
    /// More bytes in all than so many.
    BodyTooLarge {
        /// The most bytes of a body.
        limit: usize,
    },
    /// The body ended too early.
    UploadBroken,
    /// The body took too long.
    UploadSlow,
    /// Parameters that cannot be read.
    BadQuery,
    /// A heatmap for an area that the model does not know.
    UnknownArea(String),
    /// Nothing at this address.
    NotFound,
    /// A method that the address does not take.
    Method,
    /// A host that we are not.
    Host(String),
    /// The page of another site asks.
    Origin,
    /// A JSON body that cannot be read.
    BadBody,
    /// The quiz is not switched on.
    QuizOff,
    /// The quiz's database failed.
    QuizFailed,
    /// Nobody is asked for test photos.
    GiftsOff,
    /// The file of a photo names no place in a known area.
    NoPosition,
    /// A test photo has to show a street.
    NoStreet,
    /// A gift could not be kept or given back.
    GiftFailed,
}

/// Tells the metrics what went wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code(pub(super) &'static str);

#[derive(Serialize)]
struct Body<'a> {
    /// `about:blank`: the status says it; `code` says it more precisely (RFC 9457, section 4.2.1).
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
}

impl Problem {
    /// Stable name.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Locate(error) => error.code(),
            Self::MissingPhoto => "missing-photo",
            Self::BadMultipart => "bad-multipart",
            Self::TooManyPhotos => "too-many-photos",
            Self::TooManyRequests => "too-many-requests",
            Self::BodyTooLarge { .. } => "body-too-large",
            Self::UploadBroken => "upload-broken",
            Self::UploadSlow => "upload-slow",
            Self::BadQuery => "bad-query",
            Self::UnknownArea(_) => "unknown-area",
            Self::NotFound => "not-found",
            Self::Method => "method-not-allowed",
            Self::Host(_) => "unknown-host",
            Self::Origin => "foreign-origin",
            Self::BadBody => "bad-body",
            Self::QuizOff => "quiz-off",
            Self::QuizFailed => "quiz-failed",
            Self::GiftsOff => "gifts-off",
            Self::NoPosition => "no-position",
            Self::NoStreet => "no-street",
            Self::GiftFailed => "gift-failed",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Locate(error) => locate_status(error),
            Self::MissingPhoto
            | Self::BadMultipart
            | Self::UploadBroken
            | Self::BadQuery
            | Self::BadBody
            | Self::UnknownArea(_) => StatusCode::BAD_REQUEST,
            Self::TooManyPhotos | Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::UploadSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotFound | Self::QuizOff | Self::GiftsOff => StatusCode::NOT_FOUND,
            Self::NoPosition | Self::NoStreet => StatusCode::UNPROCESSABLE_ENTITY,
            Self::QuizFailed | Self::GiftFailed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
        }
    }

    /// The sentence for the reader.
    pub(super) fn detail(&self, lang: Lang) -> String {
        match self {
            Self::Locate(error) => text::locate_error(lang, error),
            Self::MissingPhoto => text::web::missing_photo(lang),
            Self::BadMultipart => text::web::bad_multipart(lang),
            Self::TooManyPhotos => text::web::too_many_photos(lang, crate::chat::MAX_PHOTOS),
            Self::TooManyRequests => text::web::too_many_requests(lang),
            Self::BodyTooLarge { limit } => text::web::body_too_large(lang, *limit),
            Self::UploadBroken => text::web::upload_broken(lang),
            Self::UploadSlow => text::web::upload_slow(lang),
            Self::BadQuery => text::web::bad_query(lang),
            Self::UnknownArea(area) => text::web::unknown_area(lang, area),
            Self::NotFound => text::web::not_found(lang),
            Self::Method => text::web::method(lang),
            Self::Host(host) => text::web::host(lang, host),
            Self::Origin => text::web::origin(lang),
            Self::BadBody => text::web::bad_body(lang),
            Self::QuizOff => text::quiz::off(lang),
            Self::QuizFailed => text::quiz::failed(lang),
            Self::GiftsOff => text::gift::off(lang),
            Self::NoPosition => text::gift::no_position(lang),
            Self::NoStreet => text::no_street(lang),
            Self::GiftFailed => text::gift::failed(lang),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Locate(LocateError::Busy { retry_after }) => Some(*retry_after),
            // The client's own requests end sooner or later; a second later is a good time to look.
            Self::TooManyRequests => Some(Duration::from_secs(1)),
            // A restart takes less than a minute.
            Self::Locate(LocateError::Stopped) => Some(Duration::from_secs(60)),
            _ => None,
        }
    }

    /// The response, its sentence in `lang`.
    pub(super) fn response(&self, lang: Lang) -> Response {
        let (status, code) = (self.status(), self.code());
        let body = Body {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: &self.detail(lang),
            code,
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
        headers.insert(VARY, HeaderValue::from_static("accept-language"));
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response.extensions_mut().insert(Code(code));
        response
    }
}

fn locate_status(error: &LocateError) -> StatusCode {
    match error {
        LocateError::Photo(PhotoError::Empty) => StatusCode::BAD_REQUEST,
        LocateError::Photo(PhotoError::TooManyBytes { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        LocateError::Photo(PhotoError::NotAPicture | PhotoError::UnsupportedFormat { .. }) => {
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        }
        LocateError::Photo(_) => StatusCode::UNPROCESSABLE_ENTITY,
        LocateError::Busy { .. } | LocateError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        LocateError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_refused_hears_when_to_come_back() {
        let busy = Problem::Locate(LocateError::Busy { retry_after: Duration::from_secs(7) });
        let response = busy.response(Lang::Ja);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        let many = Problem::TooManyRequests.response(Lang::En);
        assert_eq!(
            (many.status(), &many.headers()[RETRY_AFTER]),
            (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from(1))
        );
        assert_eq!(Problem::Locate(LocateError::Stopped).response(Lang::En).headers()[RETRY_AFTER], "60");
    }

    #[test]
    fn inner_words_stay_inside() {
        let failed = Problem::Locate(LocateError::Failed("secret inner words".to_owned()));
        assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(Lang::ALL.iter().all(|lang| !failed.detail(*lang).contains("secret")));
    }
}
