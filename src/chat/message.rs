//! Plain data between the chats and the conversation.

use super::command::Command;
use super::press::Press;
use super::text::Lang;
pub use crate::domain::{ChatRef, Platform, UserRef};
use crate::infer::decode::PhotoError;

/// Who can read a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// One person and the bot.
    Private,
    /// Several people: the bot answers only when asked.
    Group,
}

/// What a person may do, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Anybody.
    #[default]
    Member,
    /// Whom the chat lets manage messages, by the service's own rules: its owner and administrators.
    Moderator,
    /// Who runs the bot: the configuration names them by number. No adapter says so of anybody; the conversation
    /// finds out.
    Admin,
    /// Whose bot it is, named in the same way: sees what admins did, and may overrule a comparison of models.
    Owner,
}

/// What came with a message: enough to decide without downloading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What the adapter needs to fetch it: Telegram's file id, Discord's link.
    pub handle: String,
    /// Size that the service states, bytes, when it does.
    pub bytes: Option<u64>,
    /// Whether whoever asks sent the photo themselves, not forwarded: only they can consent to its being kept.
    pub is_own: bool,
}

/// A message to the bot, or one that it overhears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Where it was said.
    pub chat: ChatRef,
    /// Who can read it.
    pub kind: ChatKind,
    /// The topic of a forum, by the service's own number.
    pub thread: Option<i64>,
    /// Who said it.
    pub user: UserRef,
    /// The name that they show, for the scores; never used to tell people apart.
    pub name: String,
    /// What they may do there. Adapters find it out for commands with [`Command::asks_role`] and leave it at
    /// [`Role::Member`] for all others.
    pub role: Role,
    /// The language to answer in.
    pub lang: Lang,
    /// Whether the bot was mentioned, replied to or called by a command.
    pub addressed: bool,
    /// What is asked.
    pub request: Request,
    /// The words after a command: `9 hard 港区`. Adapters turn the options of a slash command into the same words,
    /// `name=value` each.
    pub arguments: String,
    /// Photos that came with it, or with the message that it replies to; the first [`super::MAX_PHOTOS`] are
    /// looked at.
    pub attachments: Vec<Attachment>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Photos without a command.
    Photos,
    /// A command of the one grammar.
    Command(Command),
    /// A command that there is none of, as typed, without its slash.
    UnknownCommand(String),
    /// Words without a photo.
    Words,
    /// The person has left the chat (also when thrown out).
    Left,
    /// The person has come (back) into the chat.
    Came,
}

/// A button that was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// Where its message stands.
    pub chat: ChatRef,
    /// Who can read that.
    pub kind: ChatKind,
    /// The topic of a forum, by the service's own number.
    pub thread: Option<i64>,
    /// Who pressed.
    pub user: UserRef,
    /// The name that they show.
    pub name: String,
    /// The language to answer in.
    pub lang: Lang,
    /// Whether the service still counts them among the chat's people; `true` where it does not say.
    pub present: bool,
    /// What the button means.
    pub press: Press,
}

/// What a press leads to. Empty: the press was heard, and there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PressReply {
    /// Told to the presser alone, at most 190 characters: Telegram's notice over the chat, Discord's private message.
    /// Discord does not show it where there is a `sheet` (which says the same) or an `edit`.
    pub notice: String,
    /// Shown to the presser alone, with buttons of its own, where the service can do that (Discord); it replaces the
    /// sheet whose button was pressed. Telegram's adapter leaves it out.
    pub sheet: Option<Reply>,
    /// Replaces the message whose button was pressed, picture included.
    pub edit: Option<Reply>,
    /// New messages in the chat.
    pub messages: Vec<Reply>,
}

/// A photo as the adapter delivered it: its bytes, or why there are none.
pub type Delivered = Result<Vec<u8>, DeliveryError>;

/// Why an adapter has no bytes for an attachment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The service does not hand out the file, or the connection failed; trying again may help.
    #[error("the file could not be downloaded: {0}")]
    Download(String),
    /// Too large to download, or not a picture by what the service says.
    #[error(transparent)]
    Photo(#[from] PhotoError),
}

/// A picture to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// File name: `heatmap-1.jpg`.
    pub name: String,
    /// PNG or JPEG bytes.
    pub bytes: Vec<u8>,
    /// What it shows, for those who cannot see it (Discord's alt text).
    pub alt: String,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}, {} bytes, {:?})", self.name, self.bytes.len(), self.alt)
    }
}

/// A button under a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says, at most 80 characters (Discord's limit).
    pub label: String,
    /// What it means.
    pub press: Press,
}

/// Rows of buttons. Telegram: at most 8 in a row and 100 in all; Discord: 5 rows of 5.
pub type Buttons = Vec<Vec<Button>>;

/// One message of the bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Plain text, no markup; adapters escape what their service would read as markup.
    /// At most 1,000 characters when a picture goes with it (Telegram's caption limit is 1,024).
    pub text: String,
    /// Picture shown with the text.
    pub picture: Option<Picture>,
    /// Buttons under the message.
    pub buttons: Buttons,
    /// Pictures shown together, 2 to 10, the text with the first of them; then there is neither `picture` nor
    /// `buttons`.
    pub album: Vec<Picture>,
}

impl Reply {
    /// A message of words alone.
    #[must_use]
    pub fn words(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// A picture with words.
    #[must_use]
    pub fn picture(text: String, picture: Picture) -> Self {
        Self { text, picture: Some(picture), ..Self::default() }
    }
}

/// Something that the bot says unasked: a round's picture, its bell, its reveal.
#[derive(Debug)]
pub struct Announcement {
    /// Where.
    pub to: ChatRef,
    /// The topic of a forum, by the service's own number.
    pub thread: Option<i64>,
    /// What.
    pub what: Notice,
    /// Told once the service has taken it, with the number of the (first) message; or why not.
    pub done: tokio::sync::oneshot::Sender<Result<i64, Undelivered>>,
}

/// What is announced.
#[derive(Debug)]
pub enum Notice {
    /// A new message. Where the service refuses its picture, the words are said alone.
    Send(Reply),
    /// A new message that is of no use without its picture: refused with it.
    Show(Reply),
    /// Another face for a message. No buttons take the old ones away.
    Edit {
        /// Its number in the service.
        message: i64,
        /// The new words.
        text: String,
        /// The new buttons.
        buttons: Buttons,
        /// What becomes of its picture.
        picture: Canvas,
    },
}

/// The picture of a message that is edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canvas {
    /// The message has none.
    None,
    /// It stays.
    Kept,
    /// This one takes its place.
    New(Picture),
}

/// Why an announcement did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The chat or the message is gone, or the bot may not write there: trying again is of no use.
    #[error("refused: {0}")]
    Refused(String),
    /// The service or the line is at fault; later it may work.
    #[error("not now: {0}")]
    Later(String),
}
