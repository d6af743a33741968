//! The one command enum: grammar, help, menus and registration all come from here.

use super::collect::MAX_POINTS;
use super::message::Role;
use super::train::MAX_CELL;
use crate::domain::quiz::SECONDS;

/// A command of the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// What the bot can do.
    Help,
    /// Telegram's first message to a bot.
    Start,
    /// Where was this photo (attached, or in the message replied to) taken?
    Where,
    /// Which photos of other places look like this one (attached, or in the message replied to)?
    Similar,
    /// A round of "beat the model".
    Quiz,
    /// The round that is the same for everyone today.
    Daily,
    /// The photos of another chat's round.
    Rematch,
    /// Ends the running round.
    Stop,
    /// The asker's own scores.
    Score,
    /// The best of a chat or of all.
    Leaderboard,
    /// The asker against the model, area by area.
    Versus,
    /// Joins the asker's Telegram and Discord identities.
    Link,
    /// When the asker's days begin.
    Day,
    /// Keeps no scores of the asker.
    Optout,
    /// Removes all that is stored of the asker.
    Forget,
    /// What the live model is and what it was trained on.
    Model,
    /// The photos most like an area.
    Gallery,
    /// What the model takes for what.
    Confusions,
    /// A map of the towns that it finds.
    Atlas,
    /// What is stored.
    Privacy,
    /// The models to choose from.
    Models,
    /// Makes a model live.
    Promote,
    /// Makes the model before live again.
    Rollback,
    /// Street imagery is collected.
    Collect,
    /// Models are trained.
    Train,
    /// What admins did lately.
    Audit,
}

/// What an option of a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A whole number within bounds, both included.
    Integer {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any words.
    Text,
}

/// Something that may be said with a command: `name=value`, or mostly just the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandOption {
    /// Its name, lower case.
    pub name: &'static str,
    /// What it takes.
    pub kind: OptionKind,
}

const fn option(name: &'static str, kind: OptionKind) -> CommandOption {
    CommandOption { name, kind }
}

impl Command {
    /// Every command, in the order of menus.
    pub const ALL: [Self; 26] = [
        Self::Where,
        Self::Similar,
        Self::Quiz,
        Self::Daily,
        Self::Rematch,
        Self::Stop,
        Self::Score,
        Self::Leaderboard,
        Self::Versus,
        Self::Link,
        Self::Day,
        Self::Optout,
        Self::Forget,
        Self::Model,
        Self::Gallery,
        Self::Confusions,
        Self::Atlas,
        Self::Privacy,
        Self::Models,
        Self::Promote,
        Self::Rollback,
        Self::Collect,
        Self::Train,
        Self::Audit,
        Self::Help,
        Self::Start,
    ];

    /// Name without slash, lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Start => "start",
            Self::Where => "where",
            Self::Similar => "similar",
            Self::Quiz => "quiz",
            Self::Daily => "daily",
            Self::Rematch => "rematch",
            Self::Stop => "stop",
            Self::Score => "score",
            Self::Leaderboard => "leaderboard",
            Self::Versus => "versus",
            Self::Link => "link",
            Self::Day => "day",
            Self::Optout => "optout",
            Self::Forget => "forget",
            Self::Model => "model",
            Self::Gallery => "gallery",
            Self::Confusions => "confusions",
            Self::Atlas => "atlas",
            Self::Privacy => "privacy",
            Self::Models => "models",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Collect => "collect",
            Self::Train => "train",
            Self::Audit => "audit",
        }
    }

    /// The command of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }

    /// The least that somebody has to be to use it. The conversation checks this before anything else.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Models | Self::Promote | Self::Rollback | Self::Collect | Self::Train => Role::Admin,
            Self::Audit => Role::Owner,
            _ => Role::Member,
        }
    }

    /// Whether menus show it to those who may use it. `/start` is Telegram's own and says what `/help` says.
    #[must_use]
    pub fn in_menus(self) -> bool {
        self != Self::Start
    }

    /// What menus show to somebody of this role, in their order.
    pub fn menu(role: Role) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |command| command.in_menus() && command.role() <= role)
    }

    /// Whether it takes photos.
    #[must_use]
    pub fn takes_photos(self) -> bool {
        matches!(self, Self::Where | Self::Similar)
    }

    /// Whether the answer depends on what the asker may do in the chat, by the service's own rules. Who may stop a
    /// round is decided with the round: it has a starter.
    #[must_use]
    pub fn asks_role(self) -> bool {
        self == Self::Stop
    }

    /// Whether all in the chat are to see the answer; else it is for the asker alone, where the service can do that.
    #[must_use]
    pub fn answers_everybody(self) -> bool {
        matches!(
            self,
            Self::Where
                | Self::Similar
                | Self::Quiz
                | Self::Daily
                | Self::Rematch
                | Self::Stop
                | Self::Leaderboard
                | Self::Versus
                | Self::Gallery
                | Self::Confusions
                | Self::Atlas
        )
    }

    /// What may be said with it.
    #[must_use]
    pub fn options(self) -> &'static [CommandOption] {
        const SECONDS_KIND: OptionKind = OptionKind::Integer { min: *SECONDS.start(), max: *SECONDS.end() };
        const QUIZ: &[CommandOption] = &[
            option("photos", OptionKind::Choice(&["1", "3", "5", "9"])),
            option("seconds", SECONDS_KIND),
            option("difficulty", OptionKind::Choice(&["easy", "normal", "hard"])),
            option("areas", OptionKind::Text),
        ];
        const BOARD: &[CommandOption] = &[
            option("scope", OptionKind::Choice(&["chat", "global"])),
            option("period", OptionKind::Choice(&["week", "month", "all"])),
        ];
        const AREA: &[CommandOption] = &[option("area", OptionKind::Text)];
        const CODE: &[CommandOption] = &[option("code", OptionKind::Text)];
        const DAY: &[CommandOption] =
            &[option("zone", OptionKind::Text), option("hour", OptionKind::Integer { min: 0, max: 23 })];
        const PROMOTE: &[CommandOption] = &[option("name", OptionKind::Text), option("force", OptionKind::Text)];
        const SWITCH: &[CommandOption] = &[option("switch", OptionKind::Choice(&["on", "off"]))];
        const COLLECT: &[CommandOption] = &[
            option("action", OptionKind::Choice(&["begin", "plan", "status", "stop"])),
            option("areas", OptionKind::Text),
            option("source", OptionKind::Choice(&["mapillary", "streetview", "folder"])),
            option("points", OptionKind::Integer { min: 1, max: MAX_POINTS }),
        ];
        const TRAIN: &[CommandOption] = &[
            option("action", OptionKind::Choice(&["begin", "status", "cancel"])),
            option("mode", OptionKind::Choice(&["head", "full"])),
            option("recipe", OptionKind::Text),
            option("data", OptionKind::Choice(&["drawn", "collected", "folder"])),
            option("labels", OptionKind::Choice(&["areas", "cells"])),
            option("most", OptionKind::Integer { min: 1, max: MAX_CELL }),
            option("least", OptionKind::Integer { min: 1, max: MAX_CELL }),
        ];
        match self {
            Self::Collect => COLLECT,
            Self::Train => TRAIN,
            Self::Quiz => QUIZ,
            Self::Leaderboard => BOARD,
            Self::Gallery | Self::Atlas => AREA,
            Self::Rematch | Self::Link => CODE,
            Self::Day => DAY,
            Self::Promote => PROMOTE,
            Self::Optout => SWITCH,
            _ => &[],
        }
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
        assert_eq!((Command::parse("teach"), Command::parse("WHERE")), (None, None));
    }

    #[test]
    fn every_service_takes_the_names() {
        // Telegram: 1 to 32 of a-z, 0-9 and _; Discord the same, and - besides.
        for name in Command::ALL.map(Command::name) {
            assert!((1..=32).contains(&name.len()) && name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
        }
    }
}
