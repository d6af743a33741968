//! Every sentence that users see, in Japanese and English; nothing else in the program words any.
//!
//! The sentences are Fluent messages in `text/ja.ftl` and `text/en.ftl`; here are their named constructors.
//! All of them return plain text without markup.

pub mod admin;
mod bundle;
pub mod collect;
pub mod collecting;
mod format;
pub mod gift;
pub mod insight;
pub mod map;
pub mod models;
pub mod quiz;
pub mod report;
pub mod running;
pub mod similar;
#[cfg(test)]
mod tests;
pub mod training;
pub mod web;
pub mod why;

use std::time::Duration;

use self::bundle::say;
use super::command::Command;
use super::message::{DeliveryError, Platform, Role};
use crate::domain::{Area, ModelIdentity, Prediction};
use crate::infer::LocateError;
use crate::infer::decode::PhotoError;
use crate::infer::manifest::Manifest;

/// How many areas an answer lists.
pub const TOP: usize = 3;
/// Longest part of an unknown command that is repeated, characters.
const ECHO: usize = 32;

/// A language that the bot speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ja, Self::En];

    /// The language for a BCP 47 tag: Japanese for Japanese, English for every other.
    ///
    /// ```
    /// use kokodoko::chat::Lang;
    /// assert_eq!(Lang::from_tag("ja-JP"), Lang::Ja);
    /// assert_eq!(Lang::from_tag("jam"), Lang::En, "Jamaican Creole is not Japanese");
    /// ```
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("ja") { Self::Ja } else { Self::En }
    }

    /// The tag: `ja` or `en`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }
}

/// The name of an area for readers of a language.
#[must_use]
pub fn area(lang: Lang, area: &Area) -> &str {
    match lang {
        Lang::Ja => &area.area,
        Lang::En => &area.name_en,
    }
}

/// The name of an area without its prefecture, where there is little room.
#[must_use]
pub fn short_area(lang: Lang, area: &Area) -> &str {
    match lang {
        Lang::Ja => &area.municipality,
        Lang::En => area.name_en.split(',').next().unwrap_or(&area.name_en),
    }
}

/// A share of 0 to 1 in whole per cent: `62%`, `<1%`, `>99%`.
#[must_use]
pub fn percent(share: f32) -> String {
    format::percent(share)
}

/// The answer in one sentence, or that there is none.
#[must_use]
pub fn headline(lang: Lang, prediction: &Prediction) -> String {
    if !prediction.is_street {
        return no_street(lang);
    }
    let best = prediction.best();
    let id = if prediction.known { "answer-known" } else { "answer-unknown" };
    let values = [("area", area(lang, &best.area).into()), ("percent", percent(best.probability).into())];
    say(lang, id, &values)
}

/// To a photo that is no street.
#[must_use]
pub fn no_street(lang: Lang) -> String {
    say(lang, "answer-no-street", &[])
}

/// The best `top` areas, one a line, each with a bar.
#[must_use]
pub fn bars(lang: Lang, prediction: &Prediction, top: usize) -> String {
    let line = |share: f32, name: &str| format!("{} {} {name}", format::bar(share), format::padded(&percent(share)));
    let lines = prediction.areas.iter().take(top).map(|found| line(found.probability, area(lang, &found.area)));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is said with every answer while the live model has only seen drawings.
#[must_use]
pub fn drawn_world(lang: Lang) -> String {
    say(lang, "drawn-world", &[])
}

/// What a heatmap shows, for those who cannot see it.
#[must_use]
pub fn heatmap_alt(lang: Lang, of: &Area) -> String {
    say(lang, "answer-heatmap-alt", &[("area", area(lang, of).into())])
}

/// An answer under the line that says which photo of how many it is about, counted from 1.
#[must_use]
pub fn placed(lang: Lang, place: Option<(usize, usize)>, answer: String) -> String {
    let Some((number, count)) = place else { return answer };
    let values = [("number", number.to_string().into()), ("count", count.to_string().into())];
    format!("{}\n{answer}", say(lang, "answer-place", &values))
}

/// The whole answer to a photo in a chat, with how to read its heatmap if it has one.
#[must_use]
pub fn answer(lang: Lang, prediction: &Prediction, is_drawn_world: bool, heatmap: Option<String>) -> String {
    let mut words = headline(lang, prediction);
    if prediction.is_street {
        words.push_str("\n\n");
        words.push_str(&bars(lang, prediction, TOP));
    }
    let notes: Vec<String> = heatmap.into_iter().chain(is_drawn_world.then(|| drawn_world(lang))).collect();
    if !notes.is_empty() {
        words.push_str("\n\n");
        words.push_str(&notes.join("\n"));
    }
    words
}

/// To words without a photo.
#[must_use]
pub fn photo_wanted(lang: Lang) -> String {
    say(lang, "photo-wanted", &[])
}

/// To `/where` without a photo.
#[must_use]
pub fn photo_missing(lang: Lang, platform: Platform) -> String {
    say(lang, "photo-missing", &[("platform", platform.name().into())])
}

/// To more photos than are answered at once.
#[must_use]
pub fn photos_too_many(lang: Lang, limit: usize, rest: usize) -> String {
    say(lang, "photos-too-many", &[("limit", limit.to_string().into()), ("rest", rest.to_string().into())])
}

/// What a command does, in a few words: for menus and `/help`. At most 100 characters (Discord's limit).
#[must_use]
pub fn command(lang: Lang, command: Command) -> String {
    let id = match command {
        Command::Help => "command-help",
        Command::Start => "command-start",
        Command::Where => "command-where",
        Command::Similar => "command-similar",
        Command::Quiz => "command-quiz",
        Command::Daily => "command-daily",
        Command::Rematch => "command-rematch",
        Command::Stop => "command-stop",
        Command::Score => "command-score",
        Command::Leaderboard => "command-leaderboard",
        Command::Versus => "command-versus",
        Command::Link => "command-link",
        Command::Day => "command-day",
        Command::Optout => "command-optout",
        Command::Forget => "command-forget",
        Command::Model => "command-model",
        Command::Gallery => "command-gallery",
        Command::Confusions => "command-confusions",
        Command::Atlas => "command-atlas",
        Command::Privacy => "command-privacy",
        Command::Models => "command-models",
        Command::Promote => "command-promote",
        Command::Rollback => "command-rollback",
        Command::Collect => "command-collect",
        Command::Train => "command-train",
        Command::Audit => "command-audit",
    };
    say(lang, id, &[])
}

/// What an option of a command is. At most 100 characters (Discord's limit).
#[must_use]
pub fn command_option(lang: Lang, command: Command, option: &str) -> String {
    let id = match (command, option) {
        (Command::Link, _) => "option-link-code",
        (Command::Collect, "action") => "option-action",
        (Command::Collect, "areas") => "option-collect-areas",
        (Command::Collect, "source") => "option-source",
        (Command::Collect, "points") => "option-points",
        (Command::Train, "action") => "option-train-action",
        (Command::Train, "labels") => "option-labels",
        (Command::Train, "most") => "option-most",
        (Command::Train, "least") => "option-least",
        (_, "area") => "option-area",
        (_, "mode") => "option-mode",
        (_, "recipe") => "option-recipe",
        (_, "data") => "option-data",
        (_, "photos") => "option-photos",
        (_, "seconds") => "option-seconds",
        (_, "difficulty") => "option-difficulty",
        (_, "areas") => "option-areas",
        (_, "scope") => "option-scope",
        (_, "period") => "option-period",
        (_, "code") => "option-rematch-code",
        (_, "zone") => "option-zone",
        (_, "hour") => "option-hour",
        (_, "name") => "option-model",
        (_, "force") => "option-force",
        _ => "option-switch",
    };
    say(lang, id, &[])
}

/// To a button that means nothing any more.
#[must_use]
pub fn stale_button(lang: Lang) -> String {
    say(lang, "stale-button", &[])
}

/// The entry in the menu of a message that asks where its photos were taken. At most 32 characters (Discord's
/// limit).
#[must_use]
pub fn message_menu(lang: Lang) -> String {
    say(lang, "message-menu", &[])
}

/// The name of the photo among the options of `/where` and `/similar`: one lower-case word.
#[must_use]
pub fn photo_option_name(lang: Lang) -> String {
    say(lang, "photo-option-name", &[])
}

/// What the photo among the options of `/where` and `/similar` is.
#[must_use]
pub fn photo_option(lang: Lang) -> String {
    say(lang, "photo-option", &[])
}

/// To a command that there is none of, as typed without its slash.
#[must_use]
pub fn command_unknown(lang: Lang, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(ECHO).collect();
    say(lang, "command-unknown", &[("name", name.into())])
}

/// `/help`: what the bot does and every command of the menus that somebody of this role may use.
#[must_use]
pub fn help(lang: Lang, platform: Platform, role: Role) -> String {
    let commands: Vec<String> = Command::menu(role).map(|c| format!("/{} — {}", c.name(), command(lang, c))).collect();
    let groups = say(lang, "help-groups", &[("platform", platform.name().into())]);
    format!("{}\n\n{}\n\n{groups}", say(lang, "help-intro", &[]), commands.join("\n"))
}

/// `/model`: what answers, how good it is, and whom it owes thanks.
#[must_use]
pub fn model(lang: Lang, manifest: &Manifest, identity: &ModelIdentity) -> String {
    let text = |s: &str| s.to_owned().into();
    let title = [("name", text(&identity.name)), ("version", text(&identity.version))];
    let arch = [("arch", text(&manifest.arch)), ("backend", text(&identity.backend))];
    let mut lines =
        vec![say(lang, "model-title", &title), say(lang, "model-arch", &arch), areas(lang, &manifest.labels)];
    lines.extend([String::new(), metrics(lang, manifest), String::new()]);
    lines.push(say(lang, "model-data", &[("data", text(&manifest.provenance.data))]));
    lines.push(say(lang, "model-licence", &[("licence", text(&manifest.provenance.licence))]));
    let credits = manifest.provenance.attribution.iter();
    lines.extend(credits.map(|credit| say(lang, "model-attribution", &[("credit", text(credit))])));
    if manifest.provenance.is_drawn_world() {
        lines.extend([String::new(), drawn_world(lang)]);
    }
    lines.join("\n")
}

fn areas(lang: Lang, labels: &[Area]) -> String {
    let separator = match lang {
        Lang::Ja => "、",
        Lang::En => "; ",
    };
    let names: Vec<&str> = labels.iter().map(|label| area(lang, label)).collect();
    say(lang, "model-areas", &[("areas", names.join(separator).into())])
}

fn metrics(lang: Lang, manifest: &Manifest) -> String {
    let metrics = &manifest.metrics;
    let share = |value: f32| format::percent_1(value).into();
    let values = [
        ("photos", metrics.photos.to_string().into()),
        ("top1", share(metrics.top1)),
        ("top3", share(metrics.top3)),
        ("recall", share(metrics.macro_recall)),
        ("ece", share(metrics.ece)),
        ("coverage", share(metrics.coverage)),
        ("selective", share(metrics.selective_accuracy)),
    ];
    say(lang, "model-metrics", &values)
}

/// `/privacy`: what happens to photos, and what is stored.
#[must_use]
pub fn privacy(lang: Lang, platform: Platform) -> String {
    say(lang, "privacy", &[("platform", platform.name().into())])
}

/// Why a photo cannot be read, and what to do.
#[must_use]
pub fn photo_error(lang: Lang, error: &PhotoError) -> String {
    match error {
        PhotoError::Empty => say(lang, "error-empty", &[]),
        PhotoError::TooManyBytes { bytes, limit } => {
            let (size, limit) = (format::megabytes_ceil(*bytes), format::megabytes_floor(*limit));
            say(lang, "error-too-many-bytes", &[("size", size.into()), ("limit", limit.into())])
        }
        PhotoError::TooManyPixels { width, height, limit } => {
            let (width, height) = (width.to_string(), height.to_string());
            let limit = format::megapixels(*limit);
            let values = [("width", width.into()), ("height", height.into()), ("limit", limit.into())];
            say(lang, "error-too-many-pixels", &values)
        }
        PhotoError::NoPixels => say(lang, "error-no-pixels", &[]),
        PhotoError::NotAPicture => say(lang, "error-not-a-picture", &[]),
        PhotoError::UnsupportedFormat { format } => {
            say(lang, "error-unsupported-format", &[("format", (*format).into())])
        }
        PhotoError::Truncated => say(lang, "error-truncated", &[]),
        PhotoError::Damaged { .. } => say(lang, "error-damaged", &[]),
    }
}

/// Why a photo did not arrive, and what to do.
#[must_use]
pub fn delivery_error(lang: Lang, error: &DeliveryError) -> String {
    match error {
        DeliveryError::Download(_) => say(lang, "error-download", &[]),
        DeliveryError::Photo(error) => photo_error(lang, error),
    }
}

/// That a file on the command line cannot be read; `reason` is the system's own.
#[must_use]
pub fn file_unreadable(lang: Lang, path: &str, reason: &str) -> String {
    say(lang, "error-file-unreadable", &[("path", path.to_owned().into()), ("reason", reason.to_owned().into())])
}

/// Why there is no answer, and what to do.
#[must_use]
pub fn locate_error(lang: Lang, error: &LocateError) -> String {
    match error {
        LocateError::Photo(error) => photo_error(lang, error),
        LocateError::Busy { retry_after } => busy(lang, *retry_after),
        LocateError::Failed(_) => say(lang, "error-internal", &[]),
        LocateError::Stopped => say(lang, "error-stopping", &[]),
    }
}

/// That the bot has too much to do for all, and when to come back.
#[must_use]
pub fn busy(lang: Lang, retry_after: Duration) -> String {
    say(lang, "error-busy", &[("seconds", format::seconds(retry_after).into())])
}

/// That photos of this chat were not answered, or perhaps not, since the program was ended meanwhile or an answer was
/// lost on its way.
#[must_use]
pub fn interrupted(lang: Lang, photos: i64) -> String {
    say(lang, "interrupted", &[("photos", photos.into())])
}

/// That this person or chat asks too often, and when to come back.
#[must_use]
pub fn slow_down(lang: Lang, wait: Duration) -> String {
    say(lang, "slow-down", &[("seconds", format::seconds(wait).into())])
}
