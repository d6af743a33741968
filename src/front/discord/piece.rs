//! Replies as the messages that Discord takes: text in pieces, files, rows of buttons.

use serenity::builder::{CreateActionRow, CreateAllowedMentions, CreateAttachment, CreateButton, EditAttachments};
use serenity::model::application::ButtonStyle;

use crate::chat::Reply;
use crate::chat::message::{Button, Buttons, Picture};
use crate::chat::press::Press;

use super::markdown;

/// Longest alternative text, characters.
const ALT_LIMIT: usize = 1_024;
/// Most files of a message.
const FILES: usize = 10;
/// Most rows of buttons, and most buttons in a row.
const ROWS: usize = 5;
/// Longest label of a button, characters.
const LABEL_LIMIT: usize = 80;

/// What one message of Discord holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// Markdown.
    pub(super) content: String,
    /// Files, at most ten.
    pub(super) pictures: Vec<Picture>,
    /// Buttons as the conversation arranged them.
    pub(super) buttons: Buttons,
}

/// The messages that say the replies. Pictures go with the beginning of their text, buttons with its end.
pub(super) fn pieces(replies: Vec<Reply>) -> Vec<Piece> {
    replies.into_iter().flat_map(of_reply).collect()
}

/// The one message that a reply is where there can be but one: what is too long for it is cut off.
pub(super) fn whole(reply: Reply) -> Piece {
    let buttons = reply.buttons.clone();
    let first = of_reply(reply).into_iter().next().unwrap_or_default();
    Piece { buttons, ..first }
}

fn of_reply(reply: Reply) -> Vec<Piece> {
    let Reply { text, picture, buttons, album } = reply;
    let pictures: Vec<Picture> = picture.into_iter().chain(album).take(FILES).collect();
    let mut contents = markdown::messages(&text);
    if contents.is_empty() && !pictures.is_empty() {
        contents.push(String::new());
    }
    let mut pieces: Vec<Piece> = contents.into_iter().map(|content| Piece { content, ..Piece::default() }).collect();
    if let Some(first) = pieces.first_mut() {
        first.pictures = pictures;
    }
    if let Some(last) = pieces.last_mut() {
        last.buttons = buttons;
    }
    pieces
}

impl Piece {
    /// The files, to be sent.
    pub(super) fn files(&self) -> Vec<CreateAttachment> {
        self.pictures.iter().map(file).collect()
    }

    /// The files in place of all that the message has.
    pub(super) fn replacement(&self) -> EditAttachments {
        self.files().into_iter().fold(EditAttachments::new(), EditAttachments::add)
    }

    /// The rows of buttons; none take those away that the message has.
    pub(super) fn rows(&self) -> Vec<CreateActionRow> {
        rows(&self.buttons)
    }
}

/// A picture, to be sent.
pub(super) fn file(picture: &Picture) -> CreateAttachment {
    let alt: String = picture.alt.chars().take(ALT_LIMIT).collect();
    CreateAttachment::bytes(picture.bytes.clone(), picture.name.clone()).description(alt)
}

/// Rows of buttons that Discord takes: long ones are broken, and all are filled up where there are too many.
pub(super) fn rows(buttons: &Buttons) -> Vec<CreateActionRow> {
    let mut rows: Vec<Vec<&Button>> = Vec::new();
    for row in buttons {
        let row: Vec<&Button> = row.iter().collect();
        rows.extend(row.chunks(ROWS).map(<[_]>::to_vec));
    }
    if rows.len() > ROWS {
        let all = rows.concat();
        rows = all.chunks(ROWS).map(<[_]>::to_vec).take(ROWS).collect();
    }
    rows.into_iter().map(|row| CreateActionRow::Buttons(row.into_iter().map(button).collect())).collect()
}

fn button(button: &Button) -> CreateButton {
    // Answers stand out from what only turns pages.
    let style = match button.press {
        Press::Answer { .. } => ButtonStyle::Primary,
        _ => ButtonStyle::Secondary,
    };
    let label: String = button.label.chars().take(LABEL_LIMIT).collect();
    CreateButton::new(button.press.payload()).style(style).label(label)
}

/// No message of the bot pings anybody.
pub(super) fn nobody() -> CreateAllowedMentions {
    CreateAllowedMentions::new().replied_user(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quiz::RoundId;

    fn picture(name: &str, alt: &str) -> Picture {
        Picture { name: name.to_owned(), bytes: vec![1], alt: alt.to_owned() }
    }

    fn buttons(row: usize, count: u8) -> Buttons {
        let button =
            |number: u8| Button { label: number.to_string(), press: Press::Open { round: RoundId(1), number } };
        let all: Vec<Button> = (1..=count).map(button).collect();
        all.chunks(row).map(<[_]>::to_vec).collect()
    }

    #[test]
    fn long_replies_become_several_messages_with_the_picture_first_and_the_buttons_last() {
        let text = format!("{}\n{}", "a".repeat(1_500), "b".repeat(1_500));
        let long = Reply { buttons: buttons(5, 3), ..Reply::picture(text, picture("a.jpg", &"x".repeat(2_000))) };
        let pieces = pieces(vec![long.clone(), Reply::words("c".to_owned())]);
        let kinds: Vec<(&str, usize, usize)> =
            pieces.iter().map(|p| (&p.content[..1], p.pictures.len(), p.buttons.len())).collect();
        assert_eq!(kinds, [("a", 1, 0), ("b", 0, 1), ("c", 0, 0)]);
        let files = pieces[0].files();
        let alt = files[0].description.as_deref().expect("has an alternative text");
        assert_eq!(alt.len(), ALT_LIMIT);
        let whole = whole(long);
        assert_eq!((&whole.content[..1], whole.pictures.len(), whole.buttons.len()), ("a", 1, 1));
    }

    #[test]
    fn a_picture_needs_no_words() {
        let pieces = pieces(vec![Reply::picture(String::new(), picture("a.png", "")), Reply::words(String::new())]);
        assert_eq!(pieces.len(), 1);
    }

    #[test]
    fn an_album_is_one_message() {
        let album = (0..12).map(|number| picture(&format!("{number}.jpg"), "")).collect();
        let pieces = pieces(vec![Reply { text: "all".to_owned(), album, ..Reply::default() }]);
        assert_eq!(pieces.iter().map(|piece| piece.pictures.len()).collect::<Vec<_>>(), [FILES]);
    }

    #[test]
    fn rows_are_broken_and_filled_up_to_what_discord_takes() {
        for (row, count, expected) in
            [(3, 9, vec![3, 3, 3]), (8, 8, vec![5, 3]), (3, 18, vec![5, 5, 5, 3]), (8, 40, vec![5; 5])]
        {
            let lengths: Vec<usize> = rows(&buttons(row, count)).iter().map(length).collect();
            assert_eq!(lengths, expected, "{count} in rows of {row}");
        }
    }

    fn length(row: &CreateActionRow) -> usize {
        let CreateActionRow::Buttons(buttons) = row else { panic!("{row:?}") };
        buttons.len()
    }
}
