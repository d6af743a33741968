//! The buttons of a round, as each service can show them.

use crate::chat::message::{Button, Buttons, Platform};
use crate::chat::press::Press;
use crate::chat::text::{self, Lang};
use crate::domain::quiz::Round;

/// Most buttons in a row where their full names are to be read.
const WIDE: usize = 4;
/// Most rows with full names; beyond that areas get short names and one row a photo.
const FULL_ROWS: usize = 4;
/// Buttons in a row of Discord.
const DISCORD_ROW: usize = 5;

/// The buttons under a round's picture, and the short names on them with what they mean.
///
/// Telegram shows everybody the same buttons: an answer sheet, one row a photo. Discord shows a person their own
/// sheet once they press a number.
pub(super) fn of_round(lang: Lang, round: &Round) -> (Buttons, Vec<(String, String)>) {
    let (mut rows, key) = match round.chat.platform {
        Platform::Telegram => answer_sheet(lang, round),
        Platform::Discord | Platform::Web => (numbers(round), Vec::new()),
    };
    if round.questions.len() > 1 {
        let label = text::quiz::album_button(lang);
        rows.push(vec![Button { label, press: Press::Album { round: round.id } }]);
    }
    (rows, key)
}

fn answer_sheet(lang: Lang, round: &Round) -> (Buttons, Vec<(String, String)>) {
    let full: Vec<&str> = round.areas.iter().map(|area| text::short_area(lang, area)).collect();
    if let [question] = &round.questions[..] {
        let buttons: Buttons = chunks(choices(round, question.number, &full, false), WIDE);
        return (buttons, Vec::new());
    }
    let is_roomy = full.len() <= WIDE && round.questions.len() <= FULL_ROWS + 1;
    let short = if is_roomy { full.iter().map(|name| (*name).to_owned()).collect() } else { shorten(&full) };
    let names: Vec<&str> = short.iter().map(String::as_str).collect();
    let rows = round.questions.iter().map(|question| choices(round, question.number, &names, true)).collect();
    let explained = short.iter().zip(&full).filter(|(short, full)| short.as_str() != **full);
    (rows, explained.map(|(short, full)| (short.clone(), (*full).to_owned())).collect())
}

fn choices(round: &Round, number: u8, names: &[&str], numbered: bool) -> Vec<Button> {
    let button = |(choice, name): (usize, &&str)| Button {
        label: if numbered { format!("{number} {name}") } else { (*name).to_owned() },
        press: Press::Answer { round: round.id, number, choice: choice as u8 },
    };
    names.iter().enumerate().map(button).collect()
}

fn numbers(round: &Round) -> Buttons {
    let button = |number: u8| Button { label: number.to_string(), press: Press::Open { round: round.id, number } };
    chunks(round.questions.iter().map(|question| button(question.number)).collect(), DISCORD_ROW)
}

/// The buttons of one photo for one person: its areas, and the ways to its neighbours.
pub(super) fn of_sheet(lang: Lang, round: &Round, number: u8) -> Buttons {
    let names: Vec<&str> = round.areas.iter().map(|area| text::short_area(lang, area)).collect();
    let mut rows = chunks(choices(round, number, &names, false), WIDE);
    let count = round.questions.len() as u8;
    if count > 1 {
        let to = |label: String, number: u8| Button { label, press: Press::Open { round: round.id, number } };
        let before = if number == 1 { count } else { number - 1 };
        let after = if number == count { 1 } else { number + 1 };
        let ways = [to(format!("◀ {before}"), before), to(format!("{after} ▶"), after)];
        // Of two photos both ways lead to the same one, and a message has each button once.
        rows.push(ways.into_iter().take(if before == after { 1 } else { 2 }).collect());
    }
    rows
}

/// The shortest beginnings that tell the names apart.
fn shorten(names: &[&str]) -> Vec<String> {
    let beginning = |name: &str, length: usize| name.chars().take(length).collect::<String>();
    let short = |name: &&str| {
        let lengths = 1..=name.chars().count();
        let alone = |length: &usize| {
            names.iter().filter(|other| beginning(other, *length) == beginning(name, *length)).count() == 1
        };
        // One letter of a Latin name says too little, one kanji mostly enough.
        let least = if name.is_ascii() { 3 } else { 1 };
        lengths.filter(|length| *length >= least).find(alone).map_or_else(|| (*name).to_owned(), |l| beginning(name, l))
    };
    names.iter().map(short).collect()
}

fn chunks(buttons: Vec<Button>, row: usize) -> Buttons {
    buttons.chunks(row).map(<[Button]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_tell_areas_apart() {
        assert_eq!(shorten(&["中央区", "港区", "江東区", "千代田区"]), ["中", "港", "江", "千"]);
        assert_eq!(shorten(&["中央区", "中野区", "港区"]), ["中央", "中野", "港"]);
        assert_eq!(shorten(&["Chuo", "Chiyoda", "Shibuya", "Shinjuku"]), ["Chu", "Chi", "Shib", "Shin"]);
    }
}
