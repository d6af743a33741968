//! The bodies that Discord takes, as strictly as this bot needs them.

use serde_json::{Map, Value};

use super::{Upload, components};

/// EPHEMERAL.
const EPHEMERAL: u64 = 1 << 6;
/// SUPPRESS_EMBEDS.
const SUPPRESS_EMBEDS: u64 = 1 << 2;

/// Why a message without words and files is refused.
const EMPTY: &str = "an empty message";

/// What kind of answer an interaction gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callback {
    /// Type 4: a message.
    Message,
    /// Type 5: the promise of one.
    Promise,
    /// Type 6: the pressed message may change later.
    Hear,
    /// Type 7: the pressed message changes at once.
    Update,
}

/// A message in a channel.
pub(super) struct Said {
    /// The message replied to.
    pub(super) reply_to: Option<u64>,
    /// Says whether it was sent before.
    pub(super) nonce: Option<String>,
}

/// Values that say nothing; serenity sends such where Discord knows no field.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

pub(super) fn object<'a>(value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let object = value.as_object().ok_or_else(|| format!("no object: {value}"))?;
    let unknown = object.iter().find(|(key, value)| !known.contains(&key.as_str()) && !says_nothing(value));
    unknown.map_or(Ok(object), |(key, _)| Err(format!("an unknown field: {key}")))
}

/// The files of a form with their descriptions: `attachments[].id` names the part `files[id]`; those that a message
/// has already have the ids of Discord.
pub(super) fn files(json: &Value, parts: Vec<(String, Upload)>) -> Result<Vec<Upload>, String> {
    let described = json.get("attachments").or_else(|| json["data"].get("attachments"));
    let mut described = described.and_then(Value::as_array).cloned().unwrap_or_default();
    described.retain(|about| !about["id"].is_string());
    if described.len() != parts.len() {
        return Err(format!("{} files, {} of them described", parts.len(), described.len()));
    }
    let find = |(name, file): (String, Upload)| {
        let meant = described.iter().find(|about| name == format!("files[{}]", about["id"]));
        let about = meant.ok_or_else(|| format!("a file without description: {name}"))?;
        object(about, &["id", "filename", "description"])?;
        if about["filename"] != file.name.as_str() {
            return Err(format!("two names: {} and {}", about["filename"], file.name));
        }
        let description = about["description"].as_str().map(str::to_owned);
        if description.as_ref().is_some_and(|text| text.chars().count() > 1_024) {
            return Err("a description of more than 1,024 characters".to_owned());
        }
        Ok(Upload { description, ..file })
    };
    if parts.len() > 10 {
        return Err(format!("{} files", parts.len()));
    }
    parts.into_iter().map(find).collect()
}

/// The part that all messages share. This bot must never ping anybody.
fn message(json: &Value, files: &[Upload], known: &[&str]) -> Result<(), String> {
    object(json, known)?;
    components::fit(&json["components"])?;
    let content = json["content"].as_str().unwrap_or_default();
    if content.chars().count() > 2_000 {
        return Err("a message of more than 2,000 characters".to_owned());
    }
    if content.is_empty() && files.is_empty() {
        return Err(EMPTY.to_owned());
    }
    let mentions = object(&json["allowed_mentions"], &["parse", "users", "roles", "replied_user"])?;
    if mentions.get("parse").is_none() || mentions.values().any(|value| !says_nothing(value)) {
        return Err(format!("pings: {}", json["allowed_mentions"]));
    }
    Ok(())
}

/// A message in a channel.
pub(super) fn channel_message(json: &Value, files: &[Upload]) -> Result<Said, String> {
    let known = [
        "content",
        "nonce",
        "enforce_nonce",
        "allowed_mentions",
        "message_reference",
        "flags",
        "attachments",
        "components",
    ];
    message(json, files, &known)?;
    if json["flags"].as_u64().unwrap_or(0) & !SUPPRESS_EMBEDS != 0 {
        return Err(format!("flags that a channel message cannot have: {}", json["flags"]));
    }
    let nonce = json["nonce"].as_str().map(str::to_owned);
    if nonce.as_ref().is_some_and(|nonce| nonce.len() > 25) {
        return Err("a nonce of more than 25 characters".to_owned());
    }
    let nonce = nonce.filter(|_| json["enforce_nonce"] == true);
    let reference = &json["message_reference"];
    if reference.is_null() {
        return Ok(Said { reply_to: None, nonce });
    }
    object(reference, &["type", "message_id", "channel_id", "guild_id", "fail_if_not_exists"])?;
    let reply_to = reference["message_id"].as_str().and_then(|id| id.parse().ok());
    Ok(Said { reply_to: Some(reply_to.ok_or("a reference to no message")?), nonce })
}

/// A change of a message in a channel; `has_files` is whether files of it stay.
pub(super) fn edit(json: &Value, files: &[Upload], has_files: bool) -> Result<(), String> {
    let known = ["content", "allowed_mentions", "attachments", "components"];
    match message(json, files, &known) {
        Err(error) if error == EMPTY && has_files => Ok(()),
        done => done,
    }
}

/// The answer to an interaction (`pressed`: to that of a button), and whether only the asker sees it.
pub(super) fn callback(json: &Value, pressed: bool) -> Result<(Callback, bool), String> {
    object(json, &["type", "data"])?;
    let known = ["content", "allowed_mentions", "flags", "attachments", "components"];
    let data = &json["data"];
    let kind = match json["type"].as_u64() {
        Some(4) => {
            message(data, &[], &known)?;
            Callback::Message
        }
        Some(5) => {
            object(data, &["flags"])?;
            Callback::Promise
        }
        Some(6) if pressed && says_nothing(data) => return Ok((Callback::Hear, false)),
        Some(7) if pressed => {
            message(data, &[], &known)?;
            Callback::Update
        }
        _ => return Err(format!("no answer to this interaction: type {}", json["type"])),
    };
    Ok((kind, ephemeral(data)?))
}

/// A message through an interaction's token, and whether only the asker sees it.
pub(super) fn webhook_message(json: &Value, files: &[Upload], known: &[&str]) -> Result<bool, String> {
    message(json, files, known)?;
    ephemeral(json)
}

fn ephemeral(json: &Value) -> Result<bool, String> {
    let flags = json["flags"].as_u64().unwrap_or(0);
    if flags & !EPHEMERAL == 0 { Ok(flags != 0) } else { Err(format!("unknown flags: {flags}")) }
}

/// The commands of a registration.
pub(super) fn commands(json: &Value) -> Result<Vec<Value>, String> {
    let commands = json.as_array().ok_or("no array")?;
    let known = [
        "name",
        "name_localizations",
        "description",
        "description_localizations",
        "options",
        "type",
        "contexts",
        "integration_types",
        "default_member_permissions",
    ];
    for command in commands {
        object(command, &known)?;
        let name = command["name"].as_str().ok_or("a command without name")?;
        let description = command["description"].as_str().unwrap_or_default();
        let permissions = &command["default_member_permissions"];
        if !permissions.is_null() && permissions.as_str().is_none_or(|bits| bits.parse::<u64>().is_err()) {
            return Err(format!("permissions that are no number in a string: {command}"));
        }
        let fits = match command["type"].as_u64() {
            Some(1) => is_command_name(name) && (1..=100).contains(&description.chars().count()),
            Some(3) => {
                (1..=32).contains(&name.chars().count()) && description.is_empty() && says_nothing(&command["options"])
            }
            _ => false,
        };
        if !fits {
            return Err(format!("an impossible command: {command}"));
        }
        let options: Vec<&Value> = command["options"].as_array().into_iter().flatten().collect();
        options.iter().try_for_each(|option| option_fits(option))?;
        let late = options.windows(2).any(|pair| pair[0]["required"] != true && pair[1]["required"] == true);
        let twice = (1..options.len()).any(|at| options[..at].iter().any(|o| o["name"] == options[at]["name"]));
        if late || twice || options.len() > 25 {
            return Err(format!("impossible options: {command}"));
        }
    }
    Ok(commands.clone())
}

fn option_fits(option: &Value) -> Result<(), String> {
    let known = [
        "name",
        "name_localizations",
        "description",
        "description_localizations",
        "type",
        "required",
        "choices",
        "min_value",
        "max_value",
    ];
    object(option, &known)?;
    let names = option["name_localizations"].as_object().into_iter().flat_map(Map::values);
    let names: Option<Vec<&str>> = names.chain([&option["name"]]).map(Value::as_str).collect();
    let short = |text: &Value| text.as_str().is_some_and(|text| (1..=100).contains(&text.chars().count()));
    let mut descriptions = option["description_localizations"].as_object().into_iter().flat_map(Map::values);
    let described = short(&option["description"]) && descriptions.all(short);
    let choices = option["choices"].as_array().map(Vec::as_slice).unwrap_or_default();
    let bounds = [&option["min_value"], &option["max_value"]];
    let typed = match option["type"].as_u64() {
        Some(3) => choices.len() <= 25 && choices.iter().all(|c| short(&c["name"]) && short(&c["value"])),
        Some(4) => choices.is_empty() && bounds.iter().all(|bound| bound.is_null() || bound.is_i64()),
        Some(11) => choices.is_empty(),
        _ => false,
    };
    let unbounded = option["type"] == 4 || bounds.iter().all(|bound| bound.is_null());
    if typed && unbounded && described && names.is_some_and(|names| names.into_iter().all(is_command_name)) {
        return Ok(());
    }
    Err(format!("an impossible option: {option}"))
}

/// `^[-_'\p{L}\p{N}]{1,32}$`, in lower case.
fn is_command_name(name: &str) -> bool {
    let allowed = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_' | '\'');
    (1..=32).contains(&name.chars().count()) && name.chars().all(allowed)
}
