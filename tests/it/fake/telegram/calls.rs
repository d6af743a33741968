//! HTTP: paths, tokens, parameters in JSON and in multipart form, injected failures.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures_util::stream;
use jiff::SignedDuration;
use kokodoko::clock::WallClock;
use serde_json::{Map, Value, json};

use super::methods::{self, Kind};
use super::{Failure, Shared, TOKEN, spec};

/// A refusal of the server.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) description: String,
    pub(super) retry_after: Option<u64>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, description: impl Into<String>) -> Self {
        Self { status, description: description.into(), retry_after: None }
    }

    pub(super) fn bad_request(description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("Bad Request: {description}"))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut body = json!({"ok": false, "error_code": self.status.as_u16(), "description": self.description});
        if let Some(seconds) = self.retry_after {
            body["parameters"] = json!({ "retry_after": seconds });
        }
        (self.status, Json(body)).into_response()
    }
}

/// The parameters of a call.
pub(super) struct Call {
    pub(super) params: Map<String, Value>,
    /// Uploaded files, by the name that `attach://` refers to.
    pub(super) files: HashMap<String, Vec<u8>>,
}

pub(super) fn router(shared: Shared) -> Router {
    Router::new().fallback(handle).layer(axum::extract::DefaultBodyLimit::max(50 << 20)).with_state(shared)
}

async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let answer = match path.strip_prefix("/file/bot") {
        Some(rest) => download(&shared, rest).await,
        None => call(&shared, &path, request)
            .await
            .map(|result| Json(json!({"ok": true, "result": result})).into_response()),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

/// Something that no well-made bot does: remembered, and refused.
pub(super) fn violation(shared: &Shared, status: StatusCode, what: String) -> Refused {
    shared.with(|model| model.violations.push(what.clone()));
    Refused::new(status, what)
}

async fn call(shared: &Shared, path: &str, request: Request) -> Result<Value, Refused> {
    let malformed = || violation(shared, StatusCode::NOT_FOUND, format!("no method at {path}"));
    let (token, method) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')).ok_or_else(malformed)?;
    if token != TOKEN {
        return Err(Refused::new(StatusCode::UNAUTHORIZED, "Unauthorized"));
    }
    // Telegram ignores the case of methods; teloxide writes SendMessage.
    let method = methods::ALL.iter().find(|known| known.name.eq_ignore_ascii_case(method)).ok_or_else(malformed)?;
    shared.with(|model| model.calls.push(method.name.to_owned()));
    let bad = |what: String| violation(shared, StatusCode::BAD_REQUEST, format!("{}: {what}", method.name));
    let call = read(request, method).await.map_err(bad)?;
    method.check(&call).map_err(bad)?;
    spec::check(method.name, &call).map_err(bad)?;
    if let Some(chat) = method.speaks_in(&call) {
        keep_pace(shared, chat)
            .map_err(|what| violation(shared, StatusCode::TOO_MANY_REQUESTS, format!("{}: {what}", method.name)))?;
    }
    if method.name == "getMe" {
        // A process that starts cannot know what the one before it said; Telegram tells it by 429.
        shared.with(|model| model.spoken.clear());
    }
    let is_unheard = fail_as_told(shared, method.name)?;
    let done = method.run(shared, call).await;
    if is_unheard {
        return std::future::pending().await;
    }
    done
}

/// Parameters come as JSON or as a form, whose values are text and become what the method says they are.
async fn read(request: Request, method: &methods::Method) -> Result<Call, String> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("multipart/form-data") {
        return read_form(request, method).await;
    }
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.map_err(|error| error.to_string())?;
    let params = if bytes.is_empty() { Ok(Map::new()) } else { serde_json::from_slice(&bytes) };
    Ok(Call { params: params.map_err(|error| format!("no JSON object: {error}"))?, files: HashMap::new() })
}

async fn read_form(request: Request, method: &methods::Method) -> Result<Call, String> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| error.to_string())?;
    let mut call = Call { params: Map::new(), files: HashMap::new() };
    while let Some(field) = form.next_field().await.map_err(|error| error.to_string())? {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() {
            call.files.insert(name, field.bytes().await.map_err(|error| error.to_string())?.to_vec());
            continue;
        }
        let text = field.text().await.map_err(|error| error.to_string())?;
        let value = match method.params.iter().find(|param| param.name == name).map(|param| param.kind) {
            Some(Kind::Text | Kind::File) | None => Value::String(text),
            Some(_) => serde_json::from_str(&text).map_err(|error| format!("{name}={text:?}: {error}"))?,
        };
        call.params.insert(name, value);
    }
    Ok(call)
}

/// What Telegram bears of a bot: a message a second in a chat, 20 a minute in a group, 30 a second in all.
fn keep_pace(shared: &Shared, chat: i64) -> Result<(), String> {
    let (now, second) = (shared.clock.now(), SignedDuration::from_secs(1));
    shared.with(|model| {
        model.spoken.retain(|(at, _)| now.duration_since(*at) < 60 * second);
        let within = |span: SignedDuration, only: Option<i64>| {
            let here = model.spoken.iter().filter(|(_, there)| only.is_none_or(|only| only == *there));
            here.filter(|(at, _)| now.duration_since(*at) < span).count()
        };
        if within(second, Some(chat)) > 0 {
            return Err(format!("two in a second in the chat {chat}"));
        }
        if chat < 0 && within(60 * second, Some(chat)) >= 20 {
            return Err(format!("more than 20 in a minute in the group {chat}"));
        }
        if within(second, None) >= 30 {
            return Err("more than 30 in a second".to_owned());
        }
        model.spoken.push_back((now, chat));
        Ok(())
    })
}

/// Whether the answer of a call is to be lost.
fn fail_as_told(shared: &Shared, method: &'static str) -> Result<bool, Refused> {
    let now = shared.clock.now();
    if shared.with(|model| model.quiet_until.get(method).is_some_and(|until| now < *until)) {
        return Err(violation(shared, StatusCode::TOO_MANY_REQUESTS, format!("{method} came back before its time")));
    }
    match next_failure(shared, method) {
        None | Some(Failure::BrokenDownload) => Ok(false),
        Some(Failure::Unheard) => Ok(true),
        Some(Failure::Refusal(words)) => Err(Refused::bad_request(words)),
        Some(Failure::BadGateway) => Err(Refused::new(StatusCode::BAD_GATEWAY, "Bad Gateway")),
        Some(Failure::TooManyRequests { retry_after }) => {
            let until = now + SignedDuration::from_secs(retry_after.cast_signed());
            shared.with(|model| model.quiet_until.insert(method.to_owned(), until));
            let description = format!("Too Many Requests: retry after {retry_after}");
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, description);
            Err(Refused { retry_after: Some(retry_after), ..refused })
        }
    }
}

fn next_failure(shared: &Shared, method: &str) -> Option<Failure> {
    shared.with(|model| {
        let at = model.failures.iter().position(|(of, _)| *of == method)?;
        model.failures.remove(at).map(|(_, failure)| failure)
    })
}

async fn download(shared: &Shared, rest: &str) -> Result<Response, Refused> {
    let (token, path) = rest.split_once('/').unwrap_or((rest, ""));
    if token != TOKEN {
        return Err(Refused::new(StatusCode::UNAUTHORIZED, "Unauthorized"));
    }
    let path = path.replace("%2F", "/");
    shared.with(|model| model.calls.push("download".to_owned()));
    shared.until(|model| (!model.downloads_held).then_some(())).await;
    let found = shared.with(|model| model.files.values().find(|file| file.path == path).map(|file| file.bytes.clone()));
    let unknown = || violation(shared, StatusCode::NOT_FOUND, format!("there is no file {path}"));
    let bytes = found.ok_or_else(unknown)?;
    match next_failure(shared, "download") {
        Some(Failure::BrokenDownload) => {
            let half = bytes[..bytes.len() / 2].to_vec();
            let broken = stream::iter([Ok(half), Err(std::io::Error::other("the line is cut"))]);
            Ok(Response::new(Body::from_stream(broken)))
        }
        Some(_) => Ok((StatusCode::BAD_GATEWAY, "<html>502 Bad Gateway</html>").into_response()),
        None => Ok(Response::new(Body::from(bytes))),
    }
}
