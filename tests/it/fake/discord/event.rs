//! Objects as Discord sends them.

use serde_json::{Value, json};

use super::ME;

const WHEN: &str = "2026-04-01T09:00:00.000000+00:00";

/// The bot.
pub fn me() -> Value {
    json!({
        "id": ME.to_string(), "username": "kokodoko", "discriminator": "0", "global_name": null, "avatar": null,
        "bot": true, "flags": 0, "public_flags": 0, "verified": true, "mfa_enabled": true,
    })
}

/// A person.
pub fn person(id: u64) -> Value {
    json!({
        "id": id.to_string(), "username": format!("person{id}"), "discriminator": "0", "global_name": "花子",
        "avatar": null, "public_flags": 0,
    })
}

/// The application of the bot.
pub(super) fn application() -> Value {
    json!({
        "id": ME.to_string(), "name": "kokodoko", "icon": null, "description": "", "summary": "",
        "bot_public": true, "bot_require_code_grant": false, "verify_key": "00", "team": null, "flags": 0,
        "owner": person(2), "bot": me(), "integration_types_config": {},
    })
}

/// A file in a message.
pub(super) fn attachment(id: u64, name: &str, kind: &str, size: usize, url: &str) -> Value {
    json!({
        "id": id.to_string(), "filename": name, "size": size, "url": url, "proxy_url": url,
        "content_type": kind, "width": 320, "height": 240,
    })
}

/// A message in a server, without anything in it; without `guild_id` it is private.
pub fn message(id: u64, channel: u64, author: &Value) -> Value {
    json!({
        "id": id.to_string(), "channel_id": channel.to_string(), "guild_id": "30", "author": author, "content": "",
        "timestamp": WHEN, "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [],
        "mention_roles": [], "attachments": [], "embeds": [], "pinned": false, "type": 0, "flags": 0,
        "components": [],
    })
}

/// A command of a person, in a server.
pub fn command(id: u64, user: u64, locale: &str, data: &Value) -> Value {
    let member = json!({
        "user": person(user), "roles": [], "joined_at": WHEN, "deaf": false, "mute": false, "flags": 0,
        "permissions": "2248473465835073", "pending": false,
    });
    json!({
        "id": id.to_string(), "application_id": ME.to_string(), "type": 2, "token": format!("secret-{id}"),
        "version": 1, "guild_id": "30", "guild_locale": "en-US", "channel_id": "20", "member": member,
        "locale": locale, "entitlements": [], "attachment_size_limit": 10_485_760, "app_permissions": "2248473465835073",
        "authorizing_integration_owners": {"0": "30"}, "context": 0, "data": data,
    })
}

/// A person's press of a button of `message`, in a server.
pub fn press(id: u64, user: u64, message: &Value, custom_id: &str) -> Value {
    let base = command(id, user, "en-US", &json!({"component_type": 2, "custom_id": custom_id}));
    let mut press = base;
    press["type"] = json!(3);
    press["channel_id"] = message["channel_id"].clone();
    press["message"] = message.clone();
    press
}

/// The data of `/where` with a file.
pub fn where_with(file: &Value) -> Value {
    let id = &file["id"];
    json!({
        "id": "901", "name": "where", "type": 1, "options": [{"name": "photo", "type": 11, "value": id}],
        "resolved": {"attachments": {id.as_str().expect("an id"): file}},
    })
}

/// The data of "Where is this?" on a message.
pub fn menu_on(message: &Value) -> Value {
    let id = &message["id"];
    json!({
        "id": "902", "name": "Where is this?", "type": 3, "target_id": id,
        "resolved": {"messages": {id.as_str().expect("an id"): message}},
    })
}

/// The data of a command without options.
pub fn plain(name: &str) -> Value {
    json!({"id": "903", "name": name, "type": 1})
}

/// The data of a command with options.
pub fn with_options(name: &str, options: &[Value]) -> Value {
    json!({"id": "904", "name": name, "type": 1, "options": options})
}

/// The bot's first event.
pub(super) fn ready(servers: &[(u64, String)], gateway: &str) -> Value {
    let guilds: Vec<Value> = servers.iter().map(|(id, _)| json!({"id": id.to_string(), "unavailable": true})).collect();
    json!({
        "v": 10, "user": me(), "guilds": guilds, "session_id": "session", "resume_gateway_url": gateway,
        "shard": [0, 1], "application": {"id": ME.to_string(), "flags": 0},
    })
}

/// A server that the bot is in.
pub(super) fn server(id: u64, locale: &str) -> Value {
    json!({
        "id": id.to_string(), "name": "test", "icon": null, "splash": null, "discovery_splash": null,
        "owner_id": "2", "afk_channel_id": null, "afk_timeout": 300, "verification_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "roles": [], "emojis": [], "features": [],
        "mfa_level": 0, "application_id": null, "system_channel_id": null, "system_channel_flags": 0,
        "rules_channel_id": null, "vanity_url_code": null, "description": null, "banner": null, "premium_tier": 0,
        "preferred_locale": locale, "public_updates_channel_id": null, "nsfw_level": 0, "stickers": [],
        "premium_progress_bar_enabled": false, "joined_at": WHEN, "large": false, "unavailable": false,
        "member_count": 2, "voice_states": [], "members": [], "channels": [], "threads": [], "presences": [],
        "stage_instances": [], "guild_scheduled_events": [], "safety_alerts_channel_id": null,
    })
}
