//! The one command enum: grammar, help, menus and registration all come from here.

/// A command of the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// What the bot can do.
    Help,
    /// Telegram's first message to a bot.
    Start,
    /// Where was this photo (attached, or in the message replied to) taken?
    Where,
    /// What the live model is and what it was trained on.
    Model,
    /// What is stored.
    Privacy,
}

impl Command {
    /// Every command, in the order of menus.
    pub const ALL: [Self; 5] = [Self::Where, Self::Model, Self::Privacy, Self::Help, Self::Start];

    /// Name without slash, lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Start => "start",
            Self::Where => "where",
            Self::Model => "model",
            Self::Privacy => "privacy",
        }
    }

    /// The command of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }

    /// Whether menus show it. `/start` is Telegram's own and says what `/help` says.
    #[must_use]
    pub fn in_menus(self) -> bool {
        self != Self::Start
    }

    /// Whether it takes photos.
    #[must_use]
    pub fn takes_photos(self) -> bool {
        self == Self::Where
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_round_trip_and_are_their_own() {
        assert!(Command::ALL.iter().all(|command| Command::parse(command.name()) == Some(*command)));
        let names: HashSet<&str> = Command::ALL.iter().map(|command| command.name()).collect();
        assert_eq!(names.len(), Command::ALL.len());
        assert_eq!((Command::parse("quiz"), Command::parse("WHERE")), (None, None));
    }

    #[test]
    fn every_service_takes_the_names() {
        // Telegram: 1 to 32 of a-z, 0-9 and _; Discord the same, and - besides.
        for name in Command::ALL.map(Command::name) {
            assert!((1..=32).contains(&name.len()) && name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
        }
    }
}
