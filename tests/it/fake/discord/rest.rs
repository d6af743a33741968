//! REST v10 and the file server.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Interaction, ME, Place, Sent, Shared, Shown, Stage, State, TOKEN, Upload, check, event};

/// Largest upload of an application, bytes.
const UPLOAD_LIMIT: usize = 10 << 20;
/// Discord's code for a message that there is none of.
const UNKNOWN_MESSAGE: i64 = 10_008;

/// Why a request is refused: the status, Discord's code, and what is wrong.
pub(super) struct Refusal(u16, i64, String);

/// Not allowed in the place where it was done.
fn wrong(what: impl Into<String>) -> Refusal {
    Refusal(400, 50_035, what.into())
}

/// A body, whichever way it came.
struct Content {
    json: Value,
    files: Vec<Upload>,
}

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let answer = move |request: Request| answer(shared.clone(), request);
    let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(4 * UPLOAD_LIMIT));
    axum::serve(listener, router).await.expect("the listener lives");
}

async fn answer(shared: Arc<Shared>, request: Request) -> Response {
    let name = format!("{} {}", request.method(), request.uri().path().trim_start_matches("/api/v10"));
    shared.change(|state| state.requests.push(name.clone()));
    if let Some(fault) = fault(&shared, &name) {
        return fault;
    }
    let keep_receipt = shared.change(|state| {
        let at = state.receipts_kept.iter().position(|beginning| name.starts_with(beginning));
        at.map(|at| state.receipts_kept.remove(at)).is_some()
    });
    let done = route(&shared, request).await;
    if keep_receipt {
        return std::future::pending().await;
    }
    match done {
        Ok(response) => response,
        Err(Refusal(status, code, what)) => {
            // Who edits what somebody else deletes does nothing wrong.
            if code != UNKNOWN_MESSAGE {
                shared.violation(format!("{name}: {what}"));
            }
            let body = axum::Json(json!({"message": what, "code": code}));
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
    }
}

fn fault(shared: &Shared, name: &str) -> Option<Response> {
    let mut state = shared.state();
    let index = state.faults.iter().position(|fault| name.starts_with(&fault.request))?;
    let fault = state.faults.remove(index)?;
    let mut response = (StatusCode::from_u16(fault.status).expect("a status"), axum::Json(fault.body)).into_response();
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Some(response)
}

async fn route(shared: &Shared, request: Request) -> Result<Response, Refusal> {
    let path = request.uri().path().to_owned();
    if path.starts_with("/attachments/") {
        return file(shared, request.into_parts().0).await;
    }
    let Some(path) = path.strip_prefix("/api/v10") else {
        return Err(Refusal(404, 0, format!("no such path: {path}")));
    };
    check_authorization(request.headers())?;
    let method = request.method().clone();
    let content = read(request).await?;
    if let Some(spec) = &shared.spec {
        spec.check(method.as_str(), path, &content.json).map_err(wrong)?;
    }
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let body = match (&method, &segments[..]) {
        (&Method::GET, ["gateway"]) => json!({"url": shared.gateway}),
        (&Method::GET, ["users", "@me"]) => event::me(),
        (&Method::GET, ["gateway", "bot"]) => json!({"url": shared.gateway, "shards": 2, "session_start_limit":
            {"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1}}),
        (&Method::GET, ["oauth2", "applications", "@me"]) => event::application(),
        (&Method::PUT, ["applications", id, "commands"]) if is_me(id) => register(shared, &content)?,
        (&Method::POST, ["channels", _, "typing"]) => return Ok(StatusCode::NO_CONTENT.into_response()),
        (&Method::POST, ["channels", channel, "messages"]) => say(shared, number(channel)?, content)?,
        (&Method::PATCH, ["channels", channel, "messages", message]) => {
            edit(shared, number(channel)?, number(message)?, content)?
        }
        (&Method::DELETE, ["channels", channel, "messages", message]) => {
            delete(shared, number(channel)?, number(message)?)?;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        (&Method::DELETE, ["webhooks", id, token, "messages", "@original"]) if is_me(id) => {
            take_back(shared, token)?;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        (&Method::POST, ["interactions", id, token, "callback"]) => {
            callback(shared, number(id)?, token, content)?;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        (&Method::PATCH, ["webhooks", id, token, "messages", "@original"]) if is_me(id) => {
            original(shared, token, content)?
        }
        (&Method::POST, ["webhooks", id, token]) if is_me(id) => follow_up(shared, token, content)?,
        _ => return Err(Refusal(404, 0, "no such route".to_owned())),
    };
    Ok(axum::Json(body).into_response())
}

fn is_me(id: &str) -> bool {
    id == ME.to_string()
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| wrong(format!("no id: {id}")))
}

fn check_authorization(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(&format!("Bot {TOKEN}")) { Ok(()) } else { Err(Refusal(401, 0, "401: Unauthorized".to_owned())) }
}

/// A file, when its link was used as it was given.
async fn file(shared: &Shared, request: Parts) -> Result<Response, Refusal> {
    if request.uri.query() != Some("ex=1&is=2&hm=signature") {
        return Err(Refusal(404, 0, "the link was changed".to_owned()));
    }
    if request.headers.contains_key(header::AUTHORIZATION) {
        return Err(wrong("the file server must not get the token"));
    }
    let mut open = shared.files_open.subscribe();
    open.wait_for(|open| *open).await.expect("the sender lives in the fake");
    let file = shared.state().files.get(request.uri.path()).cloned();
    file.map(IntoResponse::into_response).ok_or_else(|| Refusal(404, 0, "no such file".to_owned()))
}

async fn read(request: Request) -> Result<Content, Refusal> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        return read_form(request).await;
    }
    let is_json = kind == Some("application/json");
    let bytes: Bytes =
        to_bytes(Body::new(request.into_body()), UPLOAD_LIMIT).await.map_err(|e| wrong(e.to_string()))?;
    if bytes.is_empty() {
        return Ok(Content { json: Value::Null, files: Vec::new() });
    }
    if !is_json {
        return Err(wrong("a body without the type application/json"));
    }
    let json = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    Ok(Content { json, files: Vec::new() })
}

async fn read_form(request: Request) -> Result<Content, Refusal> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| wrong(error.to_string()))?;
    let (mut json, mut parts) = (None, Vec::new());
    while let Some(field) = form.next_field().await.map_err(|error| wrong(error.to_string()))? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let kind = field.content_type().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|error| wrong(error.to_string()))?.to_vec();
        match (name.as_str(), file) {
            ("payload_json", None) => json = Some(serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?),
            (_, Some(file)) => parts.push((name, Upload { name: file, kind, description: None, bytes })),
            _ => return Err(wrong(format!("an unknown field: {name}"))),
        }
    }
    let json: Value = json.ok_or_else(|| wrong("no payload_json"))?;
    let files = check::files(&json, parts).map_err(wrong)?;
    if files.iter().map(|file| file.bytes.len()).sum::<usize>() > UPLOAD_LIMIT {
        return Err(Refusal(413, 40_005, "request entity too large".to_owned()));
    }
    Ok(Content { json, files })
}

fn register(shared: &Shared, content: &Content) -> Result<Value, Refusal> {
    let commands = check::commands(&content.json).map_err(wrong)?;
    let registered: Vec<Value> =
        commands.iter().enumerate().map(|(index, command)| registered(index, command)).collect();
    shared.change(|state| state.commands = commands);
    Ok(Value::Array(registered))
}

/// A command as Discord returns it.
fn registered(index: usize, command: &Value) -> Value {
    let mut command = command.clone();
    command["id"] = json!((901 + index).to_string());
    command["application_id"] = json!(ME.to_string());
    command["version"] = json!("1");
    if command["description"].is_null() {
        command["description"] = json!("");
    }
    command
}

fn say(shared: &Shared, channel: u64, content: Content) -> Result<Value, Refusal> {
    let said = check::channel_message(&content.json, &content.files).map_err(wrong)?;
    let place = Place::Channel { id: channel, reply_to: said.reply_to };
    shared.change(|state| {
        if let Some(first) = said.nonce.as_ref().and_then(|nonce| state.nonces.get(nonce)) {
            return Ok(first.clone());
        }
        let id = create(state, place, channel, content, false);
        let answer = json(id, &state.messages[&id]);
        state.nonces.extend(said.nonce.map(|nonce| (nonce, answer.clone())));
        Ok(answer)
    })
}

fn edit(shared: &Shared, channel: u64, message: u64, content: Content) -> Result<Value, Refusal> {
    shared.change(|state| {
        let Some(shown) = state.messages.get(&message).filter(|shown| shown.channel == channel && !shown.ephemeral)
        else {
            return Err(Refusal(404, UNKNOWN_MESSAGE, "Unknown Message".to_owned()));
        };
        let stay = content.json.get("attachments").is_none() && !shown.files.is_empty();
        check::edit(&content.json, &content.files, stay).map_err(wrong)?;
        change(state, Place::Edit { message }, message, content)
    })
}

fn delete(shared: &Shared, channel: u64, message: u64) -> Result<(), Refusal> {
    shared.change(|state| match state.messages.get(&message) {
        Some(shown) if shown.channel == channel && !shown.ephemeral => {
            state.messages.remove(&message);
            Ok(())
        }
        _ => Err(Refusal(404, UNKNOWN_MESSAGE, "Unknown Message".to_owned())),
    })
}

fn callback(shared: &Shared, id: u64, token: &str, content: Content) -> Result<(), Refusal> {
    shared.change(|state| {
        let interaction = interaction(state, token)?;
        if interaction.id != id {
            return Err(Refusal(404, 10_062, "the token belongs to another interaction".to_owned()));
        }
        if interaction.stage != Stage::Offered {
            return Err(Refusal(400, 40_060, "Interaction has already been acknowledged.".to_owned()));
        }
        let (channel, pressed) = (interaction.channel, interaction.pressed);
        let (kind, ephemeral) = check::callback(&content.json, pressed.is_some()).map_err(wrong)?;
        interaction.stage = match kind {
            check::Callback::Promise => Stage::Promised { ephemeral },
            check::Callback::Hear => Stage::Heard,
            check::Callback::Message | check::Callback::Update => Stage::Answered { ephemeral },
        };
        let Content { json, files } = content;
        let content = Content { json: json["data"].clone(), files };
        match (kind, pressed) {
            (check::Callback::Message, _) => {
                create(state, Place::Immediate(id), channel, content, ephemeral);
            }
            (check::Callback::Update, Some(pressed)) => {
                change(state, Place::Immediate(id), pressed, content)?;
            }
            _ => {}
        }
        Ok(())
    })
}

fn original(shared: &Shared, token: &str, content: Content) -> Result<Value, Refusal> {
    check::webhook_message(
        &content.json,
        &content.files,
        &["content", "allowed_mentions", "attachments", "components"],
    )
    .map_err(wrong)?;
    shared.change(|state| {
        let interaction = interaction(state, token)?;
        let (id, channel) = (interaction.id, interaction.channel);
        match (interaction.stage, interaction.pressed) {
            (Stage::Promised { ephemeral }, _) => {
                interaction.stage = Stage::Answered { ephemeral };
                let message = create(state, Place::Original(id), channel, content, ephemeral);
                Ok(json(message, &state.messages[&message]))
            }
            (Stage::Heard, Some(pressed)) => change(state, Place::Original(id), pressed, content),
            (stage, _) => Err(Refusal(404, 10_015, format!("no promise to keep: {stage:?}"))),
        }
    })
}

fn take_back(shared: &Shared, token: &str) -> Result<(), Refusal> {
    shared.change(|state| {
        let interaction = interaction(state, token)?;
        match interaction.stage {
            Stage::Promised { ephemeral } => interaction.stage = Stage::Answered { ephemeral },
            stage => return Err(Refusal(404, UNKNOWN_MESSAGE, format!("no promise to take back: {stage:?}"))),
        }
        Ok(())
    })
}

fn follow_up(shared: &Shared, token: &str, content: Content) -> Result<Value, Refusal> {
    let keys = ["content", "allowed_mentions", "attachments", "embeds", "flags", "components"];
    let ephemeral = check::webhook_message(&content.json, &content.files, &keys).map_err(wrong)?;
    shared.change(|state| {
        let interaction = interaction(state, token)?;
        if !matches!(interaction.stage, Stage::Answered { .. } | Stage::Heard) {
            return Err(Refusal(404, 10_015, "a follow-up before the answer".to_owned()));
        }
        let (place, channel) = (Place::FollowUp(interaction.id), interaction.channel);
        let id = create(state, place, channel, content, ephemeral);
        Ok(json(id, &state.messages[&id]))
    })
}

fn interaction<'a>(state: &'a mut State, token: &str) -> Result<&'a mut Interaction, Refusal> {
    let unknown = || Refusal(404, 10_062, "Unknown interaction".to_owned());
    state.interactions.get_mut(token).ok_or_else(unknown)
}

/// Makes a message, and remembers that it was said; returns its number.
fn create(state: &mut State, place: Place, channel: u64, content: Content, ephemeral: bool) -> u64 {
    state.last_id += 1;
    let id = 1_300_000_000_000_000_000 + state.last_id;
    let Content { json, files } = content;
    let text = json["content"].as_str().unwrap_or_default().to_owned();
    let components = rows(&json);
    let shown = Shown { channel, content: text.clone(), files: files.clone(), components, ephemeral };
    state.messages.insert(id, shown);
    state.sent.push(Sent { place, content: text, files, ephemeral, message: id });
    id
}

/// Changes what is mentioned of a message; files that are not mentioned stay only when none are.
fn change(state: &mut State, place: Place, id: u64, content: Content) -> Result<Value, Refusal> {
    let gone = || Refusal(404, UNKNOWN_MESSAGE, "Unknown Message".to_owned());
    let shown = state.messages.get_mut(&id).ok_or_else(gone)?;
    let Content { json: body, files } = content;
    if let Some(text) = body["content"].as_str() {
        text.clone_into(&mut shown.content);
    }
    if body.get("components").is_some() {
        shown.components = rows(&body);
    }
    if body.get("attachments").is_some() {
        shown.files = files;
    }
    let shown = shown.clone();
    let answer = json(id, &shown);
    let Shown { content, files, ephemeral, .. } = shown;
    state.sent.push(Sent { place, content, files, ephemeral, message: id });
    Ok(answer)
}

/// The rows of buttons as Discord keeps them.
fn rows(json: &Value) -> Value {
    json["components"].as_array().cloned().unwrap_or_default().into()
}

/// A message as Discord returns it.
pub(super) fn json(id: u64, shown: &Shown) -> Value {
    let mut message = event::message(id, shown.channel, &event::me());
    message["content"] = json!(shown.content);
    message["components"] = shown.components.clone();
    message["flags"] = json!(if shown.ephemeral { 64 } else { 0 });
    let file = |(index, file): (usize, &Upload)| {
        let url = "https://cdn.discordapp.com/x";
        event::attachment(id + 1 + index as u64, &file.name, &file.kind, file.bytes.len(), url)
    };
    message["attachments"] = shown.files.iter().enumerate().map(file).collect();
    message
}
