//! The methods that the bot may call, with the parameters that it may give and what they do.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::calls::{Call, Refused, violation};
use super::{BOT_ID, BOT_NAME, Model, Sent, Shared, Webhook, buttons};

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Text,
    Object,
    Array,
    /// `attach://` and an uploaded file.
    File,
}

pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    required: bool,
}

const fn needs(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: false }
}

/// A method of the Bot API.
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
}

impl Method {
    /// The chat that a call puts something into.
    pub(super) fn speaks_in(&self, call: &Call) -> Option<i64> {
        let speaks = self.name.starts_with("edit") || self.name.starts_with("send") && self.name != "sendChatAction";
        call.params.get("chat_id").filter(|_| speaks)?.as_i64()
    }
}

/// Every method that the bot has a use for. Others are violations: teach them here first.
pub(super) const ALL: &[Method] = &[
    Method { name: "getMe", params: &[] },
    Method { name: "getWebhookInfo", params: &[] },
    Method {
        name: "getUpdates",
        params: &[
            may("offset", Kind::Integer),
            may("limit", Kind::Integer),
            may("timeout", Kind::Integer),
            may("allowed_updates", Kind::Array),
        ],
    },
    Method {
        name: "setMyCommands",
        params: &[needs("commands", Kind::Array), may("language_code", Kind::Text), may("scope", Kind::Object)],
    },
    Method { name: "deleteWebhook", params: &[may("drop_pending_updates", Kind::Boolean)] },
    Method {
        name: "setWebhook",
        params: &[needs("url", Kind::Text), needs("secret_token", Kind::Text), may("allowed_updates", Kind::Array)],
    },
    Method { name: "getFile", params: &[needs("file_id", Kind::Text)] },
    Method {
        name: "sendChatAction",
        params: &[
            needs("chat_id", Kind::Integer),
            needs("action", Kind::Text),
            may("message_thread_id", Kind::Integer),
        ],
    },
    Method {
        name: "sendMessage",
        params: &[
            needs("chat_id", Kind::Integer),
            needs("text", Kind::Text),
            may("reply_parameters", Kind::Object),
            may("reply_markup", Kind::Object),
            may("message_thread_id", Kind::Integer),
            may("link_preview_options", Kind::Object),
        ],
    },
    Method {
        name: "sendPhoto",
        params: &[
            needs("chat_id", Kind::Integer),
            needs("photo", Kind::File),
            may("reply_parameters", Kind::Object),
            may("reply_markup", Kind::Object),
            may("caption", Kind::Text),
            may("message_thread_id", Kind::Integer),
        ],
    },
    Method {
        name: "sendMediaGroup",
        params: &[
            needs("chat_id", Kind::Integer),
            needs("media", Kind::Array),
            may("reply_parameters", Kind::Object),
            may("message_thread_id", Kind::Integer),
        ],
    },
    Method {
        name: "editMessageText",
        params: &[
            needs("chat_id", Kind::Integer),
            needs("message_id", Kind::Integer),
            needs("text", Kind::Text),
            may("reply_markup", Kind::Object),
            may("link_preview_options", Kind::Object),
        ],
    },
    Method {
        name: "editMessageCaption",
        params: &[
            needs("chat_id", Kind::Integer),
            needs("message_id", Kind::Integer),
            needs("caption", Kind::Text),
            may("reply_markup", Kind::Object),
        ],
    },
    Method {
        name: "editMessageMedia",
        params: &[
            needs("chat_id", Kind::Integer),
            needs("message_id", Kind::Integer),
            needs("media", Kind::Object),
            may("reply_markup", Kind::Object),
        ],
    },
    Method { name: "answerCallbackQuery", params: &[needs("callback_query_id", Kind::Text), may("text", Kind::Text)] },
    Method { name: "getChatMember", params: &[needs("chat_id", Kind::Integer), needs("user_id", Kind::Integer)] },
];

impl Method {
    /// Every parameter is known and of its kind, and none is missing.
    pub(super) fn check(&self, call: &Call) -> Result<(), String> {
        for (name, value) in &call.params {
            let param = self.params.iter().find(|param| param.name == name);
            let param = param.ok_or_else(|| format!("there is no parameter {name}={value}"))?;
            let fits = match param.kind {
                Kind::Integer => value.is_i64(),
                Kind::Boolean => value.is_boolean(),
                Kind::Text => value.is_string(),
                Kind::Object => value.is_object(),
                Kind::Array => value.is_array(),
                Kind::File => attached(call, name).is_some(),
            };
            if !fits {
                return Err(format!("{name}={value} is no {:?}", param.kind));
            }
        }
        let missing = self.params.iter().find(|param| param.required && !call.params.contains_key(param.name));
        missing.map_or(Ok(()), |param| Err(format!("{} is missing", param.name)))
    }

    pub(super) async fn run(&self, shared: &Shared, call: Call) -> Result<Value, Refused> {
        match self.name {
            "getMe" => Ok(me()),
            "getWebhookInfo" => Ok(webhook_info(shared)),
            "getUpdates" => get_updates(shared, &call).await,
            "setMyCommands" => set_my_commands(shared, &call),
            "deleteWebhook" => {
                shared.with(|model| model.webhook = None);
                Ok(json!(true))
            }
            "setWebhook" => set_webhook(shared, &call),
            "getFile" => get_file(shared, &call),
            "sendChatAction" => send_chat_action(shared, &call),
            "sendMessage" => send_message(shared, &call),
            "sendPhoto" => send_photo(shared, &call),
            "sendMediaGroup" => buttons::send_media_group(shared, &call),
            "editMessageText" | "editMessageCaption" | "editMessageMedia" => buttons::edit(shared, self.name, &call),
            "answerCallbackQuery" => buttons::answer_callback_query(shared, &call),
            "getChatMember" => buttons::get_chat_member(shared, &call),
            other => unreachable!("{other} is in ALL without doing anything"),
        }
    }
}

pub(super) fn attached<'a>(call: &'a Call, name: &str) -> Option<&'a Vec<u8>> {
    call.files.get(call.params.get(name)?.as_str()?.strip_prefix("attach://")?)
}

pub(super) fn text<'a>(call: &'a Call, name: &str) -> &'a str {
    call.params.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn integer(call: &Call, name: &str) -> Option<i64> {
    call.params.get(name).and_then(Value::as_i64)
}

fn me() -> Value {
    json!({"id": BOT_ID, "is_bot": true, "first_name": "ここどこ", "username": BOT_NAME, "can_join_groups": true,
        "can_read_all_group_messages": false, "supports_inline_queries": false, "can_connect_to_business": false,
        "has_main_web_app": false})
}

fn webhook_info(shared: &Shared) -> Value {
    shared.with(|model| {
        let url = model.webhook.as_ref().map_or(String::new(), |webhook| webhook.url.clone());
        json!({"url": url, "has_custom_certificate": false, "pending_update_count": model.updates.len()})
    })
}

async fn get_updates(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let offset = integer(call, "offset").unwrap_or(0);
    let limit = integer(call, "limit").unwrap_or(100);
    if offset < 0 || !(1..=100).contains(&limit) {
        return Err(violation(shared, StatusCode::BAD_REQUEST, format!("getUpdates: offset {offset}, limit {limit}")));
    }
    allow_updates(shared, call);
    let poll = shared.with(|model| {
        // An update is confirmed as soon as a higher offset is asked for.
        model.updates.retain(|update| update["update_id"].as_i64() >= Some(offset));
        model.poll += 1;
        model.poll
    });
    let look = |model: &mut Model| {
        if model.webhook.is_some() {
            let words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook";
            return Some(Err(Refused::new(StatusCode::CONFLICT, words)));
        }
        if model.poll != poll {
            let words =
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
            return Some(Err(Refused::new(StatusCode::CONFLICT, words)));
        }
        let new: Vec<Value> = model.updates.iter().take(limit as usize).cloned().collect();
        (!new.is_empty()).then_some(Ok(Value::Array(new)))
    };
    let hold = Duration::from_secs(integer(call, "timeout").unwrap_or(0).unsigned_abs());
    match tokio::time::timeout(hold, shared.until(look)).await {
        Ok(answer) => answer,
        Err(_) => Ok(json!([])),
    }
}

/// What was asked for stays until something else is; an empty list means the usual kinds.
fn allow_updates(shared: &Shared, call: &Call) {
    let Some(kinds) = call.params.get("allowed_updates").and_then(Value::as_array) else { return };
    let kinds: Vec<String> = kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    shared.with(|model| model.allowed = Some(kinds).filter(|kinds| !kinds.is_empty()));
}

fn set_my_commands(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let commands = call.params["commands"].as_array().expect("checked");
    let entry = |command: &Value| {
        let name = command["command"].as_str().filter(|name| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            (1..=32).contains(&name.len()) && name.chars().all(plain)
        })?;
        let words = command["description"].as_str().filter(|words| (1..=256).contains(&words.chars().count()))?;
        Some((name.to_owned(), words.to_owned()))
    };
    let entries: Option<Vec<(String, String)>> = commands.iter().map(entry).collect();
    let entries = entries.filter(|entries| (1..=100).contains(&entries.len()));
    let bad = || violation(shared, StatusCode::BAD_REQUEST, format!("setMyCommands: {:?}", call.params));
    let entries = entries.ok_or_else(bad)?;
    let chat = call.params.get("scope").map(|scope| scope["chat_id"].as_i64());
    match chat {
        Some(None) => return Err(bad()),
        Some(Some(chat)) if !shared.with(|model| model.chats.contains_key(&chat)) => {
            return Err(Refused::bad_request("chat not found"));
        }
        _ => {}
    }
    let language = text(call, "language_code").to_owned();
    shared.with(|model| model.commands.insert((chat.flatten(), language), entries));
    Ok(json!(true))
}

fn set_webhook(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let (url, secret) = (text(call, "url").to_owned(), text(call, "secret_token").to_owned());
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !url.starts_with("https://") || !(1..=256).contains(&secret.len()) || !secret.chars().all(plain) {
        return Err(violation(shared, StatusCode::BAD_REQUEST, format!("setWebhook: {url} with secret {secret:?}")));
    }
    allow_updates(shared, call);
    shared.with(|model| model.webhook = Some(Webhook { url, secret }));
    Ok(json!(true))
}

fn get_file(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let id = text(call, "file_id");
    let found = shared.with(|model| model.files.get(id).map(|file| (file.path.clone(), file.size)));
    let unknown = || violation(shared, StatusCode::BAD_REQUEST, format!("getFile: there is no file {id}"));
    let (path, size) = found.ok_or_else(unknown)?;
    if size > 20 << 20 {
        return Err(Refused::bad_request("file is too big"));
    }
    Ok(json!({"file_id": id, "file_unique_id": "u", "file_size": size, "file_path": path}))
}

fn send_chat_action(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    existing_chat(shared, call)?;
    let action = text(call, "action");
    if !["typing", "upload_photo"].contains(&action) {
        return Err(violation(shared, StatusCode::BAD_REQUEST, format!("sendChatAction: {action}")));
    }
    Ok(json!(true))
}

fn send_message(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let words = text(call, "text");
    if !(1..=4096).contains(&words.encode_utf16().count()) {
        return Err(violation(shared, StatusCode::BAD_REQUEST, format!("sendMessage: {} characters", words.len())));
    }
    deliver(shared, call, words, None)
}

fn send_photo(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let caption = text(call, "caption");
    if caption.encode_utf16().count() > 1024 {
        return Err(violation(shared, StatusCode::BAD_REQUEST, "sendPhoto: caption too long".to_owned()));
    }
    let photo = attached(call, "photo").expect("checked");
    check_picture(shared, photo)?;
    deliver(shared, call, caption, Some(photo.clone()))
}

pub(super) fn check_picture(shared: &Shared, photo: &[u8]) -> Result<(), Refused> {
    let size = image::load_from_memory(photo).map(|picture| (picture.width(), picture.height()));
    let bad = |error| violation(shared, StatusCode::BAD_REQUEST, format!("no picture: {error}"));
    let (width, height) = size.map_err(bad)?;
    if photo.len() > 10 << 20 || width + height > 10_000 || width.max(height) > 20 * width.min(height) {
        return Err(Refused::bad_request("PHOTO_INVALID_DIMENSIONS"));
    }
    Ok(())
}

pub(super) fn existing_chat(shared: &Shared, call: &Call) -> Result<i64, Refused> {
    let chat = integer(call, "chat_id").expect("checked");
    if shared.with(|model| model.chats.contains_key(&chat)) {
        return Ok(chat);
    }
    Err(violation(shared, StatusCode::BAD_REQUEST, format!("Bad Request: chat not found: {chat}")))
}

fn deliver(shared: &Shared, call: &Call, words: &str, photo: Option<Vec<u8>>) -> Result<Value, Refused> {
    let chat = existing_chat(shared, call)?;
    let none = Value::Null;
    let reply = call.params.get("reply_parameters").unwrap_or(&none);
    let to = reply["message_id"].as_i64();
    let original = shared.with(|model| to.and_then(|to| model.chats[&chat].messages.get(&to).cloned()));
    let unknown = || violation(shared, StatusCode::BAD_REQUEST, format!("{words:?} answers no message: {reply}"));
    let deleted = !reply.is_null() && original.ok_or_else(unknown)?["deleted"] == json!(true);
    if deleted && reply["allow_sending_without_reply"] != json!(true) {
        return Err(Refused::bad_request("message to be replied not found"));
    }
    let keyboard = buttons::keyboard(shared, call)?;
    Ok(shared.with(|model| {
        let mut fields = match &photo {
            None => json!({ "text": words }),
            Some(bytes) => {
                let size = json!({"file_id": "sent", "file_unique_id": "s", "width": 9, "height": 9,
                    "file_size": bytes.len()});
                json!({"photo": [size], "caption": words})
            }
        };
        if !keyboard.is_null() {
            fields["reply_markup"] = keyboard;
        }
        let reply_to = to.filter(|_| !deleted);
        let id = model.next_message();
        model.pictures.extend(photo.clone().map(|photo| ((chat, id), photo)));
        model.sent.push(Sent { id, chat, text: words.to_owned(), photo, reply_to });
        let from = json!({"id": BOT_ID, "is_bot": true, "first_name": "ここどこ", "username": BOT_NAME});
        model.message(chat, id, &from, &fields)
    }))
}
