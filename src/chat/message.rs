//! Plain data between the chats and the conversation.

use super::command::Command;
use super::text::Lang;
use crate::infer::decode::PhotoError;

/// A chat service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// Telegram.
    Telegram,
    /// Discord.
    Discord,
}

impl Platform {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Telegram, Self::Discord];

    /// Lower-case name, as in logs and in the variants of sentences.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Discord => "discord",
        }
    }
}

/// A chat: a Telegram chat or a Discord channel. Enough to write there later, after a restart too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChatRef {
    /// The service.
    pub platform: Platform,
    /// The service's own number of the chat.
    pub id: i64,
}

/// A person, by the service's own number; names are never used to tell people apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserRef {
    /// The service.
    pub platform: Platform,
    /// The service's own number of the person.
    pub id: i64,
}

/// Who can read a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// One person and the bot.
    Private,
    /// Several people: the bot answers only when asked.
    Group,
}

/// What came with a message: enough to decide without downloading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What the adapter needs to fetch it: Telegram's file id, Discord's link.
    pub handle: String,
    /// Size that the service states, bytes, when it does.
    pub bytes: Option<u64>,
}

/// A message to the bot, or one that it overhears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Where it was said.
    pub chat: ChatRef,
    /// Who can read it.
    pub kind: ChatKind,
    /// Who said it.
    pub user: UserRef,
    /// The language to answer in.
    pub lang: Lang,
    /// Whether the bot was mentioned, replied to or called by a command.
    pub addressed: bool,
    /// What is asked.
    pub request: Request,
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

/// One message of the bot, an answer to the incoming one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Plain text, no markup; adapters escape what their service would read as markup.
    /// At most 1,000 characters when a picture goes with it (Telegram's caption limit is 1,024).
    pub text: String,
    /// Picture shown with the text.
    pub picture: Option<Picture>,
}

impl Reply {
    /// A message of words alone.
    #[must_use]
    pub fn words(text: String) -> Self {
        Self { text, picture: None }
    }
}
