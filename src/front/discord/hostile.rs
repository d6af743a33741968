//! Events as Discord may come to send them.

use serenity::model::application::Interaction;
use serenity::model::channel::Message;
use serenity::model::id::UserId;

use super::{incoming, markdown};

/// A message or an interaction.
pub fn event(bytes: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<Message>(bytes)
        && let Some(question) = incoming::from_message(&message, UserId::new(1_000), None)
    {
        check(&question);
        // What people write comes back in answers.
        for piece in markdown::messages(&message.content) {
            assert!(piece.chars().count() <= 2_000);
        }
    }
    match serde_json::from_slice::<Interaction>(bytes) {
        Ok(Interaction::Command(command)) => check(&incoming::from_command(&command)),
        Ok(Interaction::Component(pressed)) => drop(incoming::from_press(&pressed)),
        _ => {}
    }
}

fn check(question: &incoming::Question) {
    assert_eq!(question.photos.len(), question.incoming.attachments.len());
}
