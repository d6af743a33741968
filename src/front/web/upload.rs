//! Photos out of a request, one at a time and never more bytes than allowed.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::problem::Problem;
use crate::infer::decode::{Limits, PhotoError};

/// Most photos in one request.
pub(super) const MAX_PHOTOS: usize = crate::chat::MAX_PHOTOS;
/// What a multipart body may hold around each photo, bytes.
const PART_OVERHEAD: usize = 4 << 10;
/// How much of a body that is too large is read and thrown away. A browser that is hung up on while it still
/// sends never reads why.
const PATIENCE: usize = 32 << 20;
/// How long one photo may take to arrive.
const UPLOAD_TIME: Duration = Duration::from_secs(60);

/// Most bytes of a body.
pub(super) fn max_body(limits: &Limits) -> usize {
    MAX_PHOTOS * (limits.max_bytes + PART_OVERHEAD)
}

/// A photo's bytes, or why they were not taken.
pub(super) type Photo = Result<Vec<u8>, PhotoError>;

/// The photos of a request, in their order.
pub(super) struct Photos {
    source: Source,
    limits: Limits,
}

enum Source {
    /// The body is the photo.
    Raw(Raw),
    Multipart(Box<Multipart>),
    Done,
}

struct Raw {
    stream: BodyDataStream,
    /// What `Content-Length` says, bytes.
    declared: Option<usize>,
    /// The client sends nothing before we ask for it.
    waits: bool,
}

impl Photos {
    /// Looks at the request's headers; reads nothing yet. Everything that is not multipart is taken for a
    /// photo, whatever its declared type: only its bytes count.
    pub(super) async fn of(request: Request, limits: Limits) -> Result<Self, Problem> {
        let headers = request.headers();
        let (declared, waits) = (content_length(headers), headers.contains_key(EXPECT));
        let source = if is_multipart(headers) {
            let limit = max_body(&limits);
            if declared.is_some_and(|bytes| bytes > limit) {
                return Err(Problem::BodyTooLarge { limit });
            }
            let multipart = Multipart::from_request(request, &()).await.map_err(|_| Problem::BadMultipart)?;
            Source::Multipart(Box::new(multipart))
        } else {
            Source::Raw(Raw { stream: Body::into_data_stream(request.into_body()), declared, waits })
        };
        Ok(Self { source, limits })
    }

    /// The next photo; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Photo>, Problem> {
        timeout(UPLOAD_TIME, self.read()).await.unwrap_or(Err(Problem::UploadSlow))
    }

    async fn read(&mut self) -> Result<Option<Photo>, Problem> {
        match &mut self.source {
            Source::Done => Ok(None),
            Source::Multipart(multipart) => next_field(multipart, &self.limits).await,
            Source::Raw(raw) => {
                let photo = read_raw(raw, self.limits.max_bytes).await;
                self.source = Source::Done;
                photo.map(Some)
            }
        }
    }
}

async fn read_raw(raw: &mut Raw, limit: usize) -> Result<Photo, Problem> {
    let declared = raw.declared.unwrap_or(0);
    let refused = |bytes: usize| Ok(Err(PhotoError::TooManyBytes { bytes: bytes.max(declared), limit }));
    if declared > limit.saturating_add(PATIENCE) || (declared > limit && raw.waits) {
        return refused(declared);
    }
    let (mut photo, mut total) = (Vec::new(), 0_usize);
    while let Some(chunk) = raw.stream.next().await {
        let chunk = chunk.map_err(|_| Problem::UploadBroken)?;
        total += chunk.len();
        if total <= limit {
            photo.extend_from_slice(&chunk);
        } else {
            photo = Vec::new();
        }
        if total > limit.saturating_add(PATIENCE) {
            break;
        }
    }
    if total > limit { refused(total) } else { Ok(Ok(photo)) }
}

async fn next_field(multipart: &mut Multipart, limits: &Limits) -> Result<Option<Photo>, Problem> {
    while let Some(field) = multipart.next_field().await.map_err(|error| refuse(&error, limits))? {
        if field.name() == Some("photo") {
            return read_field(field, limits).await.map(Some);
        }
    }
    Ok(None)
}

async fn read_field(mut field: Field<'_>, limits: &Limits) -> Result<Photo, Problem> {
    let (mut photo, mut total) = (Vec::new(), 0_usize);
    while let Some(chunk) = field.chunk().await.map_err(|error| refuse(&error, limits))? {
        total += chunk.len();
        if total <= limits.max_bytes {
            photo.extend_from_slice(&chunk);
        } else {
            photo = Vec::new();
        }
    }
    let too_large = PhotoError::TooManyBytes { bytes: total, limit: limits.max_bytes };
    Ok(if total > limits.max_bytes { Err(too_large) } else { Ok(photo) })
}

fn refuse(error: &MultipartError, limits: &Limits) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::BodyTooLarge { limit: max_body(limits) }
    } else {
        Problem::BadMultipart
    }
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    declared.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}
