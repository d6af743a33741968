//! The gateway: HELLO, IDENTIFY, RESUME, heartbeats, and the events of the log in order.

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::{Shared, TOKEN, event};

/// GUILD_MEMBERS, GUILD_PRESENCES and MESSAGE_CONTENT.
const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | 1 << 15;

const AUTHENTICATION_FAILED: u16 = 4004;
const DECODE_ERROR: u16 = 4002;
const UNKNOWN_ERROR: u16 = 4000;
const DISALLOWED_INTENTS: u16 = 4014;

type Socket = WebSocketStream<TcpStream>;

/// Why a connection ends.
enum End {
    /// The bot left, or its connection broke.
    Gone,
    /// We refuse it.
    Close(u16),
}

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("the listener lives");
        connections.spawn(connection(stream, shared.clone()));
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return shared.violation("the gateway's handshake failed".to_owned());
    };
    let number = shared.change(|state| {
        state.connections += 1;
        state.connections
    });
    if let Err(End::Close(code)) = talk(&mut socket, &shared, number).await {
        let frame = CloseFrame { code: CloseCode::from(code), reason: Cow::Borrowed("") };
        // The bot may be gone already: then there is nobody to tell.
        socket.close(Some(frame)).await.ok();
        while let Some(Ok(_)) = socket.next().await {}
    }
}

async fn talk(socket: &mut Socket, shared: &Shared, number: usize) -> Result<(), End> {
    send(socket, &json!({"op": 10, "s": null, "t": null, "d": {"heartbeat_interval": 41_250}})).await?;
    let mut next = loop {
        if let Some(place) = greet(socket, shared).await? {
            break place;
        }
    };
    let mut changes = shared.changes.subscribe();
    loop {
        changes.borrow_and_update();
        if number <= shared.state().cut_below {
            return Err(End::Close(UNKNOWN_ERROR));
        }
        let due: Vec<_> = shared.state().log[next..].to_vec();
        for (name, data) in due {
            next += 1;
            send(socket, &json!({"op": 0, "s": next, "t": name, "d": data})).await?;
        }
        tokio::select! {
            message = receive(socket, shared) => heartbeat(socket, shared, &message?).await?,
            changed = changes.changed() => changed.map_err(|_| End::Gone)?,
        }
    }
}

/// Handles one message before the session stands; then says from where in the log it goes on.
async fn greet(socket: &mut Socket, shared: &Shared) -> Result<Option<usize>, End> {
    let message = receive(socket, shared).await?;
    let data = &message["d"];
    match message["op"].as_u64() {
        Some(2) => identify(shared, data).map(Some),
        Some(6) => resume(shared, data).map(Some),
        _ => heartbeat(socket, shared, &message).await.map(|()| None),
    }
}

fn identify(shared: &Shared, data: &Value) -> Result<usize, End> {
    check_token(shared, data)?;
    let Some(intents) = data["intents"].as_u64() else {
        shared.violation(format!("IDENTIFY without intents: {data}"));
        return Err(End::Close(DECODE_ERROR));
    };
    if intents & PRIVILEGED != 0 {
        shared.violation(format!("IDENTIFY with privileged intents: {intents:#b}"));
        return Err(End::Close(DISALLOWED_INTENTS));
    }
    if ["os", "browser", "device"].iter().any(|key| !data["properties"][key].is_string()) {
        shared.violation(format!("IDENTIFY without properties: {data}"));
        return Err(End::Close(DECODE_ERROR));
    }
    let gateway = shared.gateway.clone();
    Ok(shared.change(|state| {
        let start = state.log.len();
        state.log.push(("READY".to_owned(), event::ready(&state.servers, &gateway)));
        let servers = state.servers.iter().map(|(id, locale)| ("GUILD_CREATE".to_owned(), event::server(*id, locale)));
        state.log.extend(servers);
        state.identified += 1;
        start
    }))
}

fn resume(shared: &Shared, data: &Value) -> Result<usize, End> {
    check_token(shared, data)?;
    let events = shared.state().log.len();
    let seen = data["seq"].as_u64().and_then(|seq| usize::try_from(seq).ok()).filter(|seq| *seq <= events);
    let (Some(seen), true) = (seen, data["session_id"] == "session") else {
        shared.violation(format!("RESUME of no session: {}", data["seq"]));
        return Err(End::Close(DECODE_ERROR));
    };
    shared.change(|state| {
        state.log.push(("RESUMED".to_owned(), json!({})));
        state.resumed += 1;
    });
    Ok(seen)
}

fn check_token(shared: &Shared, data: &Value) -> Result<(), End> {
    let token = data["token"].as_str().unwrap_or_default();
    if token.trim_start_matches("Bot ") == TOKEN {
        return Ok(());
    }
    shared.violation("the gateway got a wrong token".to_owned());
    Err(End::Close(AUTHENTICATION_FAILED))
}

async fn heartbeat(socket: &mut Socket, shared: &Shared, message: &Value) -> Result<(), End> {
    if message["op"] != 1 {
        shared.violation(format!("the gateway got {}", message["op"]));
        return Err(End::Close(DECODE_ERROR));
    }
    send(socket, &json!({"op": 11, "s": null, "t": null, "d": null})).await
}

async fn receive(socket: &mut Socket, shared: &Shared) -> Result<Value, End> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|error| {
                    shared.violation(format!("the gateway got no JSON: {error}"));
                    End::Close(DECODE_ERROR)
                });
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => return Err(End::Close(DECODE_ERROR)),
            // tungstenite answers a close by itself when it is asked for more.
            Some(Ok(Message::Close(_))) => {
                while let Some(Ok(_)) = socket.next().await {}
                shared.change(|state| state.left += 1);
                return Err(End::Gone);
            }
            Some(Err(_)) | None => return Err(End::Gone),
        }
    }
}

async fn send(socket: &mut Socket, message: &Value) -> Result<(), End> {
    socket.send(Message::Text(message.to_string())).await.map_err(|_| End::Gone)
}
