//! Buttons: keyboards under messages, presses, edits, albums, and who may do what.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::calls::{Call, Refused, violation};
use super::methods::{check_picture, existing_chat, integer, text};
use super::{Edit, FakeTelegram, Model, Sent, Shared, User};

/// The keyboard of a call, within Telegram's limits; null where there is none.
pub(super) fn keyboard(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let Some(markup) = call.params.get("reply_markup") else { return Ok(Value::Null) };
    let rows = markup["inline_keyboard"].as_array().cloned().unwrap_or_default();
    let fits = |button: &Value| {
        let data = button["callback_data"].as_str().unwrap_or_default();
        (1..=64).contains(&data.len()) && button["text"].as_str().is_some_and(|label| !label.is_empty())
    };
    let all: Vec<&Value> = rows.iter().flat_map(|row| row.as_array().into_iter().flatten()).collect();
    let narrow = rows.iter().all(|row| row.as_array().is_some_and(|row| (1..=8).contains(&row.len())));
    if all.len() > 100 || !narrow || !all.into_iter().all(fits) {
        return Err(violation(shared, StatusCode::BAD_REQUEST, format!("a keyboard beyond the limits: {markup}")));
    }
    Ok(markup.clone())
}

pub(super) fn send_media_group(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let chat = existing_chat(shared, call)?;
    let media = call.params["media"].as_array().expect("checked");
    let file = |item: &Value| {
        let name = item["media"].as_str()?.strip_prefix("attach://")?;
        call.files.get(name).cloned()
    };
    let files: Option<Vec<Vec<u8>>> = media.iter().map(file).collect();
    let files = files.filter(|files| (2..=10).contains(&files.len()));
    let bad = || violation(shared, StatusCode::BAD_REQUEST, format!("sendMediaGroup: {media:?}"));
    let files = files.ok_or_else(bad)?;
    Ok(shared.with(|model| {
        let messages = files.into_iter().zip(media).map(|(photo, item)| {
            let words = item["caption"].as_str().unwrap_or_default().to_owned();
            let id = model.next_message();
            model.pictures.insert((chat, id), photo.clone());
            model.sent.push(Sent { id, chat, text: words.clone(), photo: Some(photo), reply_to: None });
            let size = json!({"file_id": "sent", "file_unique_id": "s", "width": 9, "height": 9, "file_size": 9});
            model.message(chat, id, &me(), &json!({"photo": [size], "caption": words, "media_group_id": "g"}))
        });
        Value::Array(messages.collect())
    }))
}

fn me() -> Value {
    json!({"id": super::BOT_ID, "is_bot": true, "first_name": "ここどこ", "username": super::BOT_NAME})
}

pub(super) fn edit(shared: &Shared, method: &str, call: &Call) -> Result<Value, Refused> {
    let chat = existing_chat(shared, call)?;
    let keyboard = keyboard(shared, call)?;
    let id = integer(call, "message_id").expect("checked");
    let picture = new_picture(shared, method, call)?;
    let is_anothers = |model: &mut Model| {
        let message = model.chats[&chat].messages.get(&id);
        message.is_some_and(|message| message["from"]["id"] != json!(super::BOT_ID))
    };
    if shared.with(is_anothers) {
        return Err(violation(shared, StatusCode::BAD_REQUEST, format!("message {id} can't be edited: not the bot's")));
    }
    shared.with(|model| {
        let message = model.chats.get_mut(&chat).expect("exists").messages.get_mut(&id);
        let message = message.filter(|message| message["deleted"] != json!(true));
        let Some(message) = message else { return Err(Refused::bad_request("message to edit not found")) };
        let before = message.clone();
        let has_picture = message["photo"].is_array();
        match method {
            "editMessageText" if has_picture => {
                return Err(Refused::bad_request("there is no text in the message to edit"));
            }
            "editMessageCaption" if !has_picture => {
                return Err(Refused::bad_request("there is no caption in the message to edit"));
            }
            "editMessageText" => message["text"] = json!(text(call, "text")),
            "editMessageCaption" => message["caption"] = json!(text(call, "caption")),
            _ => {
                message["caption"] = call.params["media"]["caption"].clone();
                let size = picture.as_ref().map(Vec::len);
                message["photo"] = json!([{"file_id": format!("edited-{id}"), "file_unique_id": "e", "width": 9,
                    "height": 9, "file_size": size}]);
            }
        }
        if keyboard.is_null() {
            message.as_object_mut().expect("an object").remove("reply_markup");
        } else {
            message["reply_markup"] = keyboard;
        }
        let message = message.clone();
        if message == before && picture.is_none() {
            return Err(Refused::bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message",
            ));
        }
        let words = if has_picture { &message["caption"] } else { &message["text"] };
        let words = words.as_str().unwrap_or_default().to_owned();
        model.edits.push(Edit { message: id, text: words, photo: picture.clone() });
        model.pictures.extend(picture.map(|picture| ((chat, id), picture)));
        Ok(message)
    })
}

/// The picture that takes the place of another.
fn new_picture(shared: &Shared, method: &str, call: &Call) -> Result<Option<Vec<u8>>, Refused> {
    if method != "editMessageMedia" {
        return Ok(None);
    }
    let media = &call.params["media"];
    let name = media["media"].as_str().and_then(|name| name.strip_prefix("attach://"));
    let file = name.and_then(|name| call.files.get(name)).filter(|_| media["type"] == "photo");
    let bad = || violation(shared, StatusCode::BAD_REQUEST, format!("editMessageMedia: {media}"));
    let file = file.ok_or_else(bad)?;
    check_picture(shared, file)?;
    Ok(Some(file.clone()))
}

pub(super) fn answer_callback_query(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let (id, words) = (text(call, "callback_query_id").to_owned(), text(call, "text").to_owned());
    if words.chars().count() > 200 {
        return Err(violation(shared, StatusCode::BAD_REQUEST, format!("a notice that is too long: {words}")));
    }
    let answered = shared.with(|model| model.presses.get_mut(&id).map(|answer| answer.replace(words)));
    match answered {
        Some(None) => Ok(json!(true)),
        Some(Some(_)) => Err(violation(shared, StatusCode::BAD_REQUEST, format!("press {id} was answered twice"))),
        None => Err(Refused::bad_request("query is too old and response timeout expired or query ID is invalid")),
    }
}

pub(super) fn get_chat_member(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let chat = existing_chat(shared, call)?;
    let user = integer(call, "user_id").expect("checked");
    let is_administrator = shared.with(|model| model.administrators.contains(&(chat, user)));
    let person = json!({"id": user, "is_bot": false, "first_name": "A"});
    if is_administrator {
        return Ok(json!({"status": "creator", "user": person, "is_anonymous": false}));
    }
    Ok(json!({"status": "member", "user": person}))
}

impl FakeTelegram {
    /// The payload of the button with this label.
    pub fn data(&self, chat: i64, message: i64, label: &str) -> String {
        self.shared.with(|model| {
            let rows = model.chats[&chat].messages[&message]["reply_markup"]["inline_keyboard"].clone();
            let buttons: Vec<Value> = rows
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|row| row.as_array().cloned().unwrap_or_default())
                .collect();
            let found = buttons.iter().find(|button| button["text"] == label);
            let found = found.unwrap_or_else(|| panic!("no button {label} among {buttons:?}"));
            found["callback_data"].as_str().expect("data").to_owned()
        })
    }

    /// A user sends the payload of a button, there or not.
    pub fn press_data(&self, chat: i64, user: User, message: i64, data: &str) -> String {
        self.shared.with(|model| {
            let id = format!("press-{}", model.presses.len());
            model.presses.insert(id.clone(), None);
            let update = press_update(model, &id, chat, user, message, data);
            model.push_update(update);
            id
        })
    }

    /// The same press, delivered again as another update.
    pub fn deliver_again(&self, id: &str, chat: i64, user: User, message: i64, data: &str) {
        self.shared.with(|model| {
            let update = press_update(model, id, chat, user, message, data);
            model.push_update(update);
        });
    }

    /// What the bot answered to a press.
    pub async fn answer_to(&self, press: &str) -> String {
        self.wait("an answer to a press", |model| model.presses[press].clone()).await
    }

    /// A message as it stands now.
    pub fn shown(&self, chat: i64, message: i64) -> Value {
        self.shared.with(|model| model.chats[&chat].messages[&message].clone())
    }

    /// The picture of a message of the bot as it stands now.
    pub fn picture(&self, chat: i64, message: i64) -> Option<Vec<u8>> {
        self.shared.with(|model| model.pictures.get(&(chat, message)).cloned())
    }

    /// Waits until a message stands as `look` wants it.
    pub async fn stands(&self, chat: i64, message: i64, look: impl Fn(&Value) -> bool) {
        let stands = |model: &mut Model| look(&model.chats[&chat].messages[&message]).then_some(());
        self.wait("a message to change", stands).await;
    }

    /// A user becomes administrator of a chat.
    pub fn make_administrator(&self, chat: i64, user: User) {
        self.shared.with(|model| model.administrators.push((chat, user.id)));
    }

    /// A user leaves a group, or comes back.
    pub fn leave(&self, chat: i64, user: User) {
        self.post(chat, user, json!({"left_chat_member": person(user)}));
    }

    /// A user comes back into a group.
    pub fn come_back(&self, chat: i64, user: User) {
        self.post(chat, user, json!({"new_chat_members": [person(user)]}));
    }
}

fn person(user: User) -> Value {
    json!({"id": user.id, "is_bot": false, "first_name": user.name(), "language_code": user.language})
}

fn press_update(model: &Model, id: &str, chat: i64, user: User, message: i64, data: &str) -> Value {
    let message = model.chats[&chat].messages[&message].clone();
    json!({"callback_query": {"id": id, "from": person(user), "chat_instance": "c", "message": message, "data": data}})
}
