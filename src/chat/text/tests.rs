//! Both languages say the same things, and here is what they say.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;

use super::*;
use crate::chat::sample;

/// Message names with the variables that they use.
pub(super) fn messages(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    FluentResource::try_new(source.to_owned()).expect("the messages parse");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut id = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if !line.starts_with([' ', '}']) {
            id = line.split('=').next().expect("a message has a name").trim().to_owned();
            assert!(found.insert(id.clone(), BTreeSet::new()).is_none(), "{id} is there twice");
        }
        let variables = line.split('$').skip(1).map(|rest| rest.split([' ', '}']).next().expect("a name").to_owned());
        found.get_mut(&id).expect("just inserted").extend(variables);
    }
    found
}

#[test]
fn both_languages_have_the_same_messages_and_variables() {
    assert_eq!(messages(bundle::JA), messages(bundle::EN));
}

#[test]
fn every_message_is_used_and_every_used_one_is_there() {
    let code = include_str!("../text.rs");
    let known = messages(bundle::EN);
    let quoted: BTreeSet<&str> = code.split('"').skip(1).step_by(2).collect();
    let unused: Vec<&String> = known.keys().filter(|id| !quoted.contains(id.as_str())).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
    let said = code.split("say(lang, \"").skip(1).map(|rest| rest.split('"').next().expect("a name"));
    let missing: Vec<&str> = said.filter(|id| !known.contains_key(*id)).collect();
    assert!(missing.is_empty(), "nowhere worded: {missing:?}");
}

#[test]
fn everything_the_bot_says_in_english() {
    insta::assert_snapshot!("en", everything(Lang::En));
}

#[test]
fn everything_the_bot_says_in_japanese() {
    insta::assert_snapshot!("ja", everything(Lang::Ja));
}

#[test]
fn menus_take_the_descriptions() {
    for (lang, command) in Lang::ALL.into_iter().flat_map(|lang| Command::ALL.map(|command| (lang, command))) {
        let words = super::command(lang, command);
        assert!((1..=100).contains(&words.chars().count()), "{words}");
    }
}

#[test]
fn an_answer_fits_a_caption() {
    let long = Area::new("北海道", &"長".repeat(60), &"x".repeat(80));
    let prediction = Prediction::from_logits(&[0.0; 5], &vec![long; 5], 1.0, 0.9);
    for lang in Lang::ALL {
        let words = answer(lang, &prediction, true, Some("x".repeat(200)));
        assert!(words.encode_utf16().count() < 950, "{words}");
    }
}

#[test]
fn unknown_commands_are_repeated_in_moderation() {
    let words = command_unknown(Lang::En, &format!("a\n{}", "b".repeat(5_000)));
    assert!(words.contains(&format!("/a{} ", "b".repeat(ECHO - 1)).replace(' ', ".")), "{words}");
}

/// Every constructor, labelled.
fn everything(lang: Lang) -> String {
    let mut out = answers(lang);
    for platform in Platform::CHATS {
        out.push((format!("help on {}", platform.name()), help(lang, platform, Role::Member)));
        out.push((format!("privacy on {}", platform.name()), privacy(lang, platform)));
        out.push((format!("photo missing on {}", platform.name()), photo_missing(lang, platform)));
    }
    out.push(("help for admins".to_owned(), help(lang, Platform::Telegram, Role::Owner)));
    let (manifest, identity) = (sample::manifest(), sample::identity());
    out.push(("model".to_owned(), model(lang, &manifest, &identity)));
    out.extend(Command::ALL.map(|c| (format!("menu entry of {}", c.name()), command(lang, c))));
    out.push(("unknown command".to_owned(), command_unknown(lang, "quiz")));
    out.push(("words without a photo".to_owned(), photo_wanted(lang)));
    out.push(("too many photos".to_owned(), photos_too_many(lang, 10, 2)));
    out.push(("too often".to_owned(), slow_down(lang, Duration::from_millis(4_200))));
    out.extend(errors(lang));
    out.push(("unreadable file".to_owned(), file_unreadable(lang, "photo.jpg", "No such file or directory")));
    let parts: Vec<String> = out.into_iter().map(|(label, words)| format!("── {label}\n{words}\n")).collect();
    parts.join("\n")
}

fn answers(lang: Lang) -> Vec<(String, String)> {
    let (sure, unsure) = (sample::prediction(4.0), sample::prediction(0.4));
    vec![
        ("answer".to_owned(), answer(lang, &sure, true, Some("(how to read the heatmap)".to_owned()))),
        ("answer of a model of real streets, without a picture".to_owned(), answer(lang, &sure, false, None)),
        ("unknown".to_owned(), answer(lang, &unsure, true, Some("(how to read the heatmap)".to_owned()))),
        ("number".to_owned(), placed(lang, Some((2, 3)), "…".to_owned())),
        ("heatmap for the blind".to_owned(), heatmap_alt(lang, &sure.best().area)),
    ]
}

fn errors(lang: Lang) -> Vec<(String, String)> {
    let photo = [
        PhotoError::Empty,
        PhotoError::TooManyBytes { bytes: 25_000_000, limit: 20 << 20 },
        PhotoError::TooManyPixels { width: 60_000, height: 40_000, limit: 16_000_000 },
        PhotoError::NoPixels,
        PhotoError::NotAPicture,
        PhotoError::UnsupportedFormat { format: "HEIC" },
        PhotoError::UnsupportedFormat { format: "video" },
        PhotoError::UnsupportedFormat { format: "such" },
        PhotoError::Truncated,
        PhotoError::Damaged { detail: "secret inner words".to_owned() },
    ];
    let locate = [
        LocateError::Busy { retry_after: Duration::from_secs(5) },
        LocateError::Failed("secret inner words".to_owned()),
        LocateError::Stopped,
    ];
    let photo = photo.into_iter().map(|error| (error.code().to_owned(), locate_error(lang, &error.into())));
    let locate = locate.into_iter().map(|error| (error.code().to_owned(), locate_error(lang, &error)));
    let download = DeliveryError::Download("secret inner words".to_owned());
    let download = std::iter::once(("download".to_owned(), delivery_error(lang, &download)));
    photo.chain(locate).chain(download).collect()
}
