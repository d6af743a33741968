//! The quiz as the page's script knows it.

use serde::{Deserialize, Serialize};

use crate::chat::message::{self, Picture};
use crate::chat::quiz::Standing;
use crate::chat::{Lang, text};
use crate::domain::Area;
use crate::domain::quiz::{Question, State};
use crate::front::json;
use crate::store::Outcome;

/// What is said with a command.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CommandBody {
    /// The words that would follow the command in a chat.
    pub(super) words: String,
    /// The name to go by on leaderboards; without it the name stays.
    pub(super) name: Option<String>,
}

/// An answer to one photo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBody {
    /// Index among the round's areas.
    pub(super) choice: u8,
}

/// What the page begins with.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    /// The player's name; `None` for who never played.
    pub(super) name: Option<String>,
    pub(super) round: Option<Round>,
}

/// What a command leads to.
#[derive(Debug, Serialize)]
pub(super) struct Said {
    pub(super) replies: Vec<Reply>,
    pub(super) round: Option<Round>,
}

/// What a button leads to.
#[derive(Debug, Serialize)]
pub(super) struct Pressed {
    /// One sentence; may be empty.
    pub(super) notice: String,
    pub(super) replies: Vec<Reply>,
    pub(super) round: Option<Round>,
}

/// A message of the bot.
#[derive(Debug, Serialize)]
pub(super) struct Reply {
    text: String,
    /// A `data:` address.
    picture: Option<String>,
    /// What the picture shows.
    alt: Option<String>,
    buttons: Vec<Button>,
}

#[derive(Debug, Serialize)]
struct Button {
    label: String,
    /// For `POST /api/v1/quiz/buttons/{payload}`.
    payload: String,
}

/// A round: the one that runs, or the last one that was played.
#[derive(Debug, Serialize)]
pub(super) struct Round {
    id: i64,
    is_open: bool,
    areas: Vec<Area>,
    photos: Vec<Photo>,
    /// How long answers count in all.
    seconds: u32,
    /// Until the bell.
    seconds_left: f64,
    /// Once the bell has rung.
    results: Option<Results>,
}

#[derive(Debug, Serialize)]
struct Photo {
    url: String,
    /// The player's answer: index among the areas.
    choice: Option<u8>,
}

#[derive(Debug, Serialize)]
struct Results {
    /// Who won, in one sentence.
    verdict: String,
    model: String,
    model_right: u8,
    /// The player's own; `None` for who did not answer, or wants no scores kept.
    mine: Option<Mine>,
    truths: Vec<Truth>,
    credits: Vec<String>,
    /// By this code another group plays the same photos.
    code: String,
}

#[derive(Debug, Serialize)]
struct Mine {
    right: u8,
    points: u32,
    rating_change: f64,
    /// Whether it counts: not for who knew these photos.
    scored: bool,
}

#[derive(Debug, Serialize)]
struct Truth {
    /// Index among the areas.
    truth: usize,
    /// The model's guess.
    guess: usize,
    /// The model's probability of its guess among the round's areas, 0 to 1.
    probability: f32,
}

impl From<message::Reply> for Reply {
    fn from(reply: message::Reply) -> Self {
        let button = |button: message::Button| Button { label: button.label, payload: button.press.payload() };
        Self {
            text: reply.text,
            picture: reply.picture.as_ref().map(data_url),
            alt: reply.picture.map(|picture| picture.alt),
            buttons: reply.buttons.into_iter().flatten().map(button).collect(),
        }
    }
}

/// A picture as a `data:` address.
pub(in crate::front::web) fn data_url(picture: &Picture) -> String {
    let kind = if picture.name.ends_with(".png") { "image/png" } else { "image/jpeg" };
    json::data_url(kind, &picture.bytes)
}

impl Round {
    /// What its player may know of the round: nothing of the truth before the bell.
    pub(super) fn new(lang: Lang, standing: Standing) -> Self {
        let Standing { round, choices, seconds_left, outcome, player } = standing;
        let id = round.id.0;
        let photo = |(number, choice): (u8, Option<u8>)| {
            let url = format!("/api/v1/quiz/rounds/{id}/photos/{number}");
            Photo { url, choice }
        };
        let results = outcome.map(|outcome| {
            let mine = outcome.entries.iter().find(|entry| Some(entry.player) == player).map(|entry| Mine {
                right: entry.right,
                points: entry.points,
                rating_change: entry.rating_change,
                scored: entry.scored,
            });
            Results::new(lang, mine, &outcome)
        });
        Self {
            id,
            is_open: round.state == State::Open,
            areas: round.areas,
            photos: (1..).zip(choices).map(photo).collect(),
            seconds: round.seconds,
            seconds_left,
            results,
        }
    }
}

impl Results {
    fn new(lang: Lang, mine: Option<Mine>, outcome: &Outcome) -> Self {
        let truth = |&Question { truth, guess, probability, .. }: &Question| Truth { truth, guess, probability };
        Self {
            verdict: text::quiz::verdict(lang, outcome),
            model: format!("{} {}", outcome.round.model.name, outcome.round.model.version),
            model_right: outcome.model_right,
            mine,
            truths: outcome.round.questions.iter().map(truth).collect(),
            credits: text::quiz::credits(lang, outcome),
            code: outcome.round.code.clone(),
        }
    }
}
