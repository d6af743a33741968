//! Albums arrive as separate messages with a common number and no word of how many there are.

use std::time::Duration;

use teloxide::types::{ChatId, MediaGroupId, Message};
use tokio::time::Instant;

/// How long to wait for the next photo of an album. Telegram sends them within milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);
/// Most messages of an album: with so many it is complete.
const COMPLETE: usize = 10;

/// The albums that may still grow.
#[derive(Default)]
pub(super) struct Albums {
    open: Vec<Album>,
}

struct Album {
    chat: ChatId,
    group: MediaGroupId,
    messages: Vec<Message>,
    due: Instant,
}

impl Albums {
    /// Takes a message in, or hands it back when it is no part of an album; hands the whole album back when it
    /// cannot grow.
    pub(super) fn add(&mut self, message: Message, now: Instant) -> Option<Vec<Message>> {
        let Some(group) = message.media_group_id().cloned() else { return Some(vec![message]) };
        let chat = message.chat.id;
        let at = self.open.iter().position(|album| album.chat == chat && album.group == group).unwrap_or_else(|| {
            self.open.push(Album { chat, group, messages: Vec::new(), due: now });
            self.open.len() - 1
        });
        let album = &mut self.open[at];
        album.messages.push(message);
        album.due = now + PATIENCE;
        (album.messages.len() >= COMPLETE).then(|| self.open.remove(at).sorted())
    }

    /// When the next album is complete, unless it grows.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.open.iter().map(|album| album.due).min()
    }

    /// Takes out the albums that are complete by now, those first that were begun first.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Vec<Message>> {
        self.open.extract_if(.., |album| album.due <= now).map(Album::sorted).collect()
    }

    /// Takes out all albums.
    pub(super) fn take_all(&mut self) -> Vec<Vec<Message>> {
        self.open.drain(..).map(Album::sorted).collect()
    }
}

impl Album {
    /// In the order of the chat.
    fn sorted(mut self) -> Vec<Message> {
        self.messages.sort_by_key(|message| message.id.0);
        self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn part(chat: i64, group: &str, id: i32) -> Message {
        let size = json!({"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9});
        let message = json!({"message_id": id, "date": 0, "chat": {"id": chat, "type": "private", "first_name": "A"},
            "photo": [size], "media_group_id": group});
        serde_json::from_value(message).expect("a message")
    }

    fn ids(album: &[Message]) -> Vec<i32> {
        album.iter().map(|message| message.id.0).collect()
    }

    #[test]
    fn parts_come_together_by_chat_and_number() {
        let (mut albums, begin) = (Albums::default(), Instant::now());
        for (chat, group, id) in [(1, "x", 12), (1, "y", 20), (2, "x", 30), (1, "x", 11)] {
            assert!(albums.add(part(chat, group, id), begin).is_none());
        }
        assert_eq!(albums.next_due(), Some(begin + PATIENCE));
        assert!(albums.take_due(begin).is_empty());
        let due: Vec<Vec<i32>> = albums.take_due(begin + PATIENCE).iter().map(|album| ids(album)).collect();
        assert_eq!(due, [vec![11, 12], vec![20], vec![30]]);
        assert_eq!(albums.next_due(), None);
    }

    #[test]
    fn each_part_prolongs_the_wait() {
        let (mut albums, begin) = (Albums::default(), Instant::now());
        assert!(albums.add(part(1, "x", 1), begin).is_none());
        assert!(albums.add(part(1, "x", 2), begin + PATIENCE / 2).is_none());
        assert!(albums.take_due(begin + PATIENCE).is_empty());
        assert_eq!(ids(&albums.take_all()[0]), [1, 2]);
    }

    #[test]
    fn ten_are_complete() {
        let (mut albums, now) = (Albums::default(), Instant::now());
        for id in 1..10 {
            assert!(albums.add(part(1, "x", id), now).is_none());
        }
        assert_eq!(albums.add(part(1, "x", 10), now).map(|album| album.len()), Some(10));
        assert_eq!(albums.next_due(), None);
    }
}
