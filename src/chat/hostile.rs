//! What people may type and press.

use super::command::Command;
use super::press::Press;
use super::{collect, train, wish};
use crate::domain::Area;

/// A command with its words, as people type them: `quiz 9 60s hard 港区`.
pub fn command(bytes: &[u8]) {
    let typed = String::from_utf8_lossy(bytes);
    let (name, words) = typed.split_once(char::is_whitespace).unwrap_or((&typed, ""));
    if let Some(command) = Command::parse(name) {
        assert_eq!(command.name(), name, "one name a command");
    }
    let labels = [Area::new("東京都", "港区", "Minato, Tokyo"), Area::new("東京都", "渋谷区", "Shibuya, Tokyo")];
    if let Ok(wish) = wish::quiz(words, &labels) {
        assert!(wish.areas.iter().all(|area| *area < labels.len()) && wish.areas.len() != 1, "{wish:?}");
    }
    let _ = wish::board(words);
    let _ = wish::value(words);
    let _ = wish::find(words, &labels);
    collect::hostile(words);
    train::hostile(words);
}

/// The payload of a button.
pub fn press(bytes: &[u8]) {
    let payload = String::from_utf8_lossy(bytes);
    if let Some(press) = Press::parse(&payload) {
        assert_eq!(press.payload(), payload, "one payload a meaning");
        assert!(payload.len() <= 64, "{payload:?}");
    }
}
