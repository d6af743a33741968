//! Who plays where: services, chats and people, by the services' own numbers.

/// A service that people reach the bot through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// Telegram.
    Telegram,
    /// Discord.
    Discord,
    /// The page of this program. Its people are numbers drawn at random, known by a token in their browser.
    Web,
}

impl Platform {
    /// The chat services; the page is none.
    pub const CHATS: [Self; 2] = [Self::Telegram, Self::Discord];
    /// Every service.
    pub const ALL: [Self; 3] = [Self::Telegram, Self::Discord, Self::Web];

    /// Lower-case name, as in logs, in the database and in the variants of sentences.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Discord => "discord",
            Self::Web => "web",
        }
    }

    /// The service of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.name() == name)
    }
}

/// The number of this machine's terminal among the people and chats of [`Platform::Web`]; pages have others.
pub const TERMINAL: i64 = 0;

/// A chat: a Telegram chat, a Discord channel or one person's page. Enough to write there later, after a restart too.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert!(Platform::ALL.into_iter().all(|platform| Platform::parse(platform.name()) == Some(platform)));
        assert_eq!(Platform::parse("irc"), None);
    }
}
