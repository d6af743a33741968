//! Updates as anybody who knows the webhook's secret could send them, and as Telegram may come to send them.

use teloxide::types::{Me, Update, UpdateKind};

use super::{incoming, press};

/// The bot's own name.
const ME: &str = r#"{"id": 7, "is_bot": true, "first_name": "ここどこ", "username": "KokodokoBot",
    "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
    "has_main_web_app": false}"#;

/// One update.
pub fn update(bytes: &[u8]) {
    let me: Me = serde_json::from_str(ME).expect("getMe's answer");
    let Ok(update) = serde_json::from_slice::<Update>(bytes) else { return };
    match update.kind {
        UpdateKind::Message(message) => {
            let people = incoming::comings_and_goings(&message);
            assert!(people.iter().all(|incoming| incoming.attachments.is_empty()));
            if let Some(heard) = incoming::hear(&me, std::slice::from_ref(&message)) {
                assert!(!heard.addresses.is_empty());
                let photos = heard.incoming.attachments.len();
                assert!(photos <= 1 && heard.addresses.len() == photos.max(1), "{photos} photos of one message");
            }
        }
        UpdateKind::CallbackQuery(query) => press::hostile(&query),
        _ => {}
    }
}
