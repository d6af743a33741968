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

use super::{Interaction, ME, Place, Sent, Shared, Stage, State, TOKEN, Upload, check, event};

/// Largest upload of an application, bytes.
const UPLOAD_LIMIT: usize = 10 << 20;

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
    match route(&shared, request).await {
        Ok(response) => response,
        Err(Refusal(status, code, what)) => {
            shared.violation(format!("{name}: {what}"));
            let body = axum::Json(json!({"message": what, "code": code}));
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
    }
}

fn fault(shared: &Shared, name: &str) -> Option<Response> {
    let mut state = shared.state();
    let index = state.faults.iter().position(|fault| name.starts_with(&fault.request))?;
    let fault = state.faults.remove(index)?;
    Some((StatusCode::from_u16(fault.status).expect("a status"), axum::Json(fault.body)).into_response())
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
        (&Method::GET, ["oauth2", "applications", "@me"]) => event::application(),
        (&Method::PUT, ["applications", id, "commands"]) if is_me(id) => register(shared, &content)?,
        (&Method::POST, ["channels", _, "typing"]) => return Ok(StatusCode::NO_CONTENT.into_response()),
        (&Method::POST, ["channels", channel, "messages"]) => say(shared, number(channel)?, content)?,
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
    let answer = message(shared, channel, &content);
    let repeated = said.nonce.as_ref().and_then(|nonce| shared.state().nonces.get(nonce).cloned());
    if let Some(first) = repeated {
        return Ok(first);
    }
    shared.change(|state| {
        state.nonces.extend(said.nonce.map(|nonce| (nonce, answer.clone())));
        push(state, place, content, false);
    });
    Ok(answer)
}

fn callback(shared: &Shared, id: u64, token: &str, content: Content) -> Result<(), Refusal> {
    let (kind, ephemeral) = check::callback(&content.json).map_err(wrong)?;
    shared.change(|state| {
        let interaction = interaction(state, token)?;
        if interaction.id != id {
            return Err(Refusal(404, 10_062, "the token belongs to another interaction".to_owned()));
        }
        if interaction.stage != Stage::Offered {
            return Err(Refusal(400, 40_060, "Interaction has already been acknowledged.".to_owned()));
        }
        if kind == check::Callback::Promise {
            interaction.stage = Stage::Promised { ephemeral };
            return Ok(());
        }
        interaction.stage = Stage::Answered { ephemeral };
        let Content { json, files } = content;
        push(state, Place::Immediate(id), Content { json: json["data"].clone(), files }, ephemeral);
        Ok(())
    })
}

fn original(shared: &Shared, token: &str, content: Content) -> Result<Value, Refusal> {
    check::webhook_message(&content.json, &content.files, &["content", "allowed_mentions", "attachments"])
        .map_err(wrong)?;
    let answer = message(shared, 20, &content);
    shared.change(|state| {
        let interaction = interaction(state, token)?;
        let Stage::Promised { ephemeral } = interaction.stage else {
            return Err(Refusal(404, 10_015, format!("no promise to keep: {:?}", interaction.stage)));
        };
        interaction.stage = Stage::Answered { ephemeral };
        let place = Place::Original(interaction.id);
        push(state, place, content, ephemeral);
        Ok(())
    })?;
    Ok(answer)
}

fn follow_up(shared: &Shared, token: &str, content: Content) -> Result<Value, Refusal> {
    let keys = ["content", "allowed_mentions", "attachments", "embeds", "flags"];
    let ephemeral = check::webhook_message(&content.json, &content.files, &keys).map_err(wrong)?;
    let answer = message(shared, 20, &content);
    shared.change(|state| {
        let interaction = interaction(state, token)?;
        if !matches!(interaction.stage, Stage::Answered { .. }) {
            return Err(Refusal(404, 10_015, "a follow-up before the answer".to_owned()));
        }
        let place = Place::FollowUp(interaction.id);
        push(state, place, content, ephemeral);
        Ok(())
    })?;
    Ok(answer)
}

fn interaction<'a>(state: &'a mut State, token: &str) -> Result<&'a mut Interaction, Refusal> {
    let unknown = || Refusal(404, 10_062, "Unknown interaction".to_owned());
    state.interactions.get_mut(token).ok_or_else(unknown)
}

fn push(state: &mut State, place: Place, content: Content, ephemeral: bool) {
    let text = content.json["content"].as_str().unwrap_or_default().to_owned();
    state.sent.push(Sent { place, content: text, files: content.files, ephemeral });
}

/// The message that was made, as Discord returns it.
fn message(shared: &Shared, channel: u64, content: &Content) -> Value {
    let id = shared.change(|state| {
        state.last_id += 1;
        1_300_000_000_000_000_000 + state.last_id
    });
    let mut message = event::message(id, channel, &event::me());
    message["content"] = content.json["content"].clone();
    let file = |(index, file): (usize, &Upload)| {
        event::attachment(
            id + 1 + index as u64,
            &file.name,
            &file.kind,
            file.bytes.len(),
            "https://cdn.discordapp.com/x",
        )
    };
    message["attachments"] = content.files.iter().enumerate().map(file).collect();
    message
}
