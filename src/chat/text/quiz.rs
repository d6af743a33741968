//! What the quiz says.

use std::time::Duration;

use super::bundle::say;
use super::{Lang, percent, short_area};
use crate::chat::press::{Period, Scope};
use crate::chat::wish::{MIN_AREAS, WishError};
use crate::domain::Area;
use crate::domain::quiz::{Credit, Kind, MAX_AREAS, Refusal, Round, SECONDS};
use crate::domain::score::{Duel, MIN_RANKED_ANSWERS};
use crate::quiz::BeginError;
use crate::store::{Entry, LinkError, ModelRow, Outcome, Row, Score};

/// Names that a line lists before it counts the others.
const NAMES: usize = 4;
/// People that a reveal lists.
const PEOPLE: usize = 10;
/// Longest name and word that is repeated, characters.
const ECHO: usize = 24;

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(lang: Lang) -> String { say(lang, $id, &[]) })*
    };
}

plain! {
    /// Under the picture once the bell has rung.
    closed = "quiz-closed";
    /// Under the picture of a stopped round.
    stopped = "quiz-stopped";
    /// The button for large photos.
    album_button = "quiz-album-button";
    /// The button for another round.
    again_button = "quiz-again-button";
    /// Over the reveal.
    reveal_title = "quiz-reveal-title";
    /// What the reveal's picture shows.
    reveal_alt = "quiz-reveal-alt";
    /// The people's column in the reveal's picture.
    people = "quiz-people";
    /// There is no quiz here.
    off = "quiz-off";
    /// The picture could not be sent.
    undelivered = "quiz-undelivered";
    /// To a chat whose round was about to begin when the program ended.
    interrupted = "quiz-interrupted";
    /// To `/stop` without a round.
    nothing_to_stop = "quiz-nothing-to-stop";
    /// To `/stop` by somebody else.
    not_yours = "quiz-not-yours";
    /// To `/score` of who never played.
    score_none = "score-none";
    /// The model's place on a leaderboard.
    board_model_rank = "board-model-rank";
    /// The button to the page before.
    board_previous = "board-previous";
    /// The button to the page after.
    board_next = "board-next";
    /// What the chart's numbers are.
    versus_subtitle = "versus-subtitle";
    /// The chart's left half.
    versus_left = "versus-left";
    /// The chart's right half.
    versus_right = "versus-right";
    /// The chart's first row.
    versus_total = "versus-total";
    /// What the chart shows.
    versus_alt = "versus-alt";
    /// To `/link` in a group.
    link_private = "link-private";
    /// To a code that joined two identities.
    link_done = "link-done";
    /// To a time zone or hour that there is none of.
    day_bad = "day-bad";
    /// Our own fault.
    failed = "quiz-failed";
}

fn number(value: impl ToString) -> fluent_bundle::FluentValue<'static> {
    value.to_string().into()
}

/// A name or word of somebody else's, shortened and without control characters.
#[must_use]
pub fn echo(word: &str) -> String {
    let plain: String = word.chars().filter(|c| !c.is_control()).collect();
    if plain.chars().count() <= ECHO { plain } else { plain.chars().take(ECHO - 1).chain(['…']).collect() }
}

/// The line over a round's picture.
#[must_use]
pub fn title(lang: Lang, round: &Round) -> String {
    let id = match round.kind {
        Kind::Quiz => "quiz-title-quiz",
        Kind::Daily => "quiz-title-daily",
        Kind::Rematch => "quiz-title-rematch",
    };
    say(lang, id, &[("photos", number(round.questions.len())), ("seconds", number(round.seconds))])
}

/// What stands under a round's picture; `key` explains the short names of areas on the buttons.
#[must_use]
pub fn invitation(lang: Lang, round: &Round, key: &[(String, String)]) -> String {
    let platform = round.chat.platform.name();
    let mut lines = vec![title(lang, round), say(lang, "quiz-how", &[("platform", platform.into())])];
    if !key.is_empty() {
        let entry = |(short, full): &(String, String)| {
            say(lang, "quiz-key", &[("short", short.clone().into()), ("area", full.clone().into())])
        };
        lines.push(key.iter().map(entry).collect::<Vec<_>>().join(" · "));
    }
    lines.push(say(lang, "quiz-sealed", &[]));
    lines.join("\n")
}

/// What a round's picture shows.
#[must_use]
pub fn grid_alt(lang: Lang, photos: usize) -> String {
    say(lang, "quiz-grid-alt", &[("photos", number(photos))])
}

/// A photo's name in an album.
#[must_use]
pub fn photo(lang: Lang, photo: u8) -> String {
    say(lang, "quiz-photo", &[("number", number(photo))])
}

/// To an answer that counts.
#[must_use]
pub fn answered(lang: Lang, photo: u8, chosen: &Area, done: u8, all: u8) -> String {
    let id = if done == all { "quiz-complete" } else { "quiz-answered" };
    let chosen = short_area(lang, chosen).to_owned();
    say(lang, id, &[("number", number(photo)), ("area", chosen.into()), ("done", number(done)), ("all", number(all))])
}

/// Over one large photo.
#[must_use]
pub fn sheet(lang: Lang, photo: u8, all: usize) -> String {
    say(lang, "quiz-sheet", &[("number", number(photo)), ("all", number(all))])
}

/// To an answer that does not count.
#[must_use]
pub fn refusal(lang: Lang, refusal: Refusal) -> String {
    let id = match refusal {
        Refusal::TooLate => "quiz-too-late",
        Refusal::NotOpen => "quiz-not-open",
        Refusal::Left => "quiz-left",
        Refusal::Unknown => "quiz-unknown",
        Refusal::CalledOff => "quiz-called-off",
    };
    say(lang, id, &[])
}

/// ✓ or ✗.
#[must_use]
pub fn mark(right: bool) -> &'static str {
    if right { "✓" } else { "✗" }
}

/// The model's guess in the reveal's picture.
#[must_use]
pub fn guess(lang: Lang, area: &Area, probability: f32) -> String {
    let values = [("area", short_area(lang, area).to_owned().into()), ("percent", percent(probability).into())];
    say(lang, "quiz-guess", &values)
}

/// Words one after the other.
fn list<S: std::borrow::Borrow<str>>(lang: Lang, words: &[S]) -> String {
    words.join(if lang == Lang::Ja { "、" } else { ", " })
}

fn names(lang: Lang, names: &[&str]) -> String {
    let listed: Vec<String> = names.iter().take(NAMES).map(|name| echo(name)).collect();
    match names.len() {
        0 => say(lang, "quiz-nobody", &[]),
        count if count > NAMES => {
            let more = number(count - NAMES);
            say(lang, "quiz-others", &[("names", list(lang, &listed).into()), ("more", more)])
        }
        _ => list(lang, &listed),
    }
}

/// Under the reveal's picture: who won.
#[must_use]
pub fn results(lang: Lang, outcome: &Outcome) -> String {
    result(lang, outcome).join("\n")
}

/// Photo by photo: the truth, the model's guess and who was right; then whom the photos are owed to.
#[must_use]
pub fn reveal(lang: Lang, outcome: &Outcome) -> String {
    let mut lines: Vec<String> =
        outcome.round.questions.iter().map(|question| reveal_line(lang, outcome, question)).collect();
    lines.push(String::new());
    lines.extend(credits(lang, outcome));
    lines.push(say(lang, "quiz-code", &[("code", outcome.round.code.clone().into())]));
    lines.join("\n")
}

fn reveal_line(lang: Lang, outcome: &Outcome, question: &crate::domain::quiz::Question) -> String {
    let index = usize::from(question.number) - 1;
    let is_right = |entry: &&Entry| entry.choices.get(index).copied().flatten() == Some(question.truth as u8);
    let right: Vec<&str> = outcome.entries.iter().filter(is_right).map(|entry| entry.name.as_str()).collect();
    let of = |label: usize| short_area(lang, &outcome.round.areas[label]).to_owned();
    let values = [
        ("number", number(question.number)),
        ("truth", of(question.truth).into()),
        ("guess", of(question.guess).into()),
        ("percent", percent(question.probability).into()),
        ("mark", mark(question.model_is_right()).into()),
        ("people", names(lang, &right).into()),
    ];
    say(lang, "quiz-reveal-line", &values)
}

/// Who won: the verdict, the people and the model.
fn result(lang: Lang, outcome: &Outcome) -> Vec<String> {
    let all = outcome.round.questions.len();
    let model = [
        ("name", outcome.round.model.name.clone().into()),
        ("right", number(outcome.model_right)),
        ("all", number(all)),
    ];
    let mut lines = vec![verdict(lang, outcome)];
    let entry = |(rank, entry): (usize, &Entry)| entry_line(lang, rank + 1, entry, all);
    lines.extend(outcome.entries.iter().take(PEOPLE).enumerate().map(entry));
    lines.push(say(lang, "quiz-model-line", &model));
    lines
}

/// Humans against model, in one sentence.
#[must_use]
pub fn verdict(lang: Lang, outcome: &Outcome) -> String {
    let Some(best) = outcome.entries.iter().max_by_key(|entry| (entry.right, entry.points)) else {
        return say(lang, "quiz-no-players", &[]);
    };
    match best.right.cmp(&outcome.model_right) {
        std::cmp::Ordering::Greater => {
            let winners = outcome.entries.iter().filter(|entry| entry.right > outcome.model_right);
            let winners: Vec<&str> = winners.map(|entry| entry.name.as_str()).collect();
            say(lang, "quiz-won", &[("name", names(lang, &winners).into())])
        }
        std::cmp::Ordering::Equal => say(lang, "quiz-drawn", &[]),
        std::cmp::Ordering::Less => say(lang, "quiz-lost", &[]),
    }
}

fn entry_line(lang: Lang, rank: usize, entry: &Entry, all: usize) -> String {
    let base = [("name", echo(&entry.name).into()), ("right", number(entry.right)), ("all", number(all))];
    if !entry.scored {
        return say(lang, "quiz-unscored", &base);
    }
    let change = format!("{:+.0}", entry.rating_change);
    let rating = say(lang, "quiz-rating", &[("change", change.into())]);
    let more = [("rank", number(rank)), ("points", number(entry.points)), ("rating", rating.into())];
    say(lang, "quiz-entry-line", &[&base[..], &more[..]].concat())
}

/// Whom the photos are owed to, a line each.
#[must_use]
pub fn credits(lang: Lang, outcome: &Outcome) -> Vec<String> {
    let mut all: Vec<&Credit> = outcome.round.questions.iter().map(|question| &question.credit).collect();
    all.sort_by_key(|credit| (&credit.source, &credit.url));
    all.dedup();
    let line = |credit: &&Credit| {
        let source = match &credit.url {
            Some(url) => format!("{} {url}", credit.source),
            None => credit.source.clone(),
        };
        say(lang, "quiz-credit", &[("source", source.into()), ("licence", credit.licence.clone().into())])
    };
    all.iter().map(line).collect()
}

/// The people's and the model's results at the foot of the reveal's picture.
#[must_use]
pub fn result_lines(lang: Lang, outcome: &Outcome) -> (String, String) {
    let all = outcome.round.questions.len();
    let model = [
        ("name", outcome.round.model.name.clone().into()),
        ("right", number(outcome.model_right)),
        ("all", number(all)),
    ];
    (verdict(lang, outcome), say(lang, "quiz-model-line", &model))
}

/// Where the terminal's photos lie.
#[must_use]
pub fn terminal_photos(lang: Lang, folder: &str) -> String {
    say(lang, "quiz-terminal-photos", &[("folder", folder.to_owned().into())])
}

/// To a line of the terminal that is no area's number.
#[must_use]
pub fn terminal_key(lang: Lang, areas: usize) -> String {
    say(lang, "quiz-terminal-key", &[("areas", number(areas))])
}

/// To who leaves the terminal before the bell.
#[must_use]
pub fn terminal_later(lang: Lang) -> String {
    say(lang, "quiz-terminal-later", &[])
}

/// Why no round begins.
#[must_use]
pub fn begin_error(lang: Lang, error: &BeginError) -> String {
    let id = match error {
        BeginError::Running(_) => "quiz-running",
        BeginError::DailyPlayed => "quiz-daily-played",
        BeginError::UnknownCode => "quiz-unknown-code",
        BeginError::OtherAreas => "quiz-other-areas",
        BeginError::FewPhotos => "quiz-few-photos",
        BeginError::Model(error) => return super::locate_error(lang, error),
        BeginError::Store(_) => "quiz-failed",
    };
    say(lang, id, &[])
}

/// What is wrong with the words after `/quiz`.
#[must_use]
pub fn wish_error(lang: Lang, error: &WishError, labels: &[Area]) -> String {
    match error {
        WishError::Word(word) => {
            let example: Vec<&str> = labels.iter().take(2).map(|label| short_area(lang, label)).collect();
            say(lang, "quiz-bad-word", &[("word", echo(word).into()), ("area", example.join(",").into())])
        }
        WishError::Photos => say(lang, "quiz-bad-photos", &[]),
        WishError::Seconds => {
            let (least, most) = (number(SECONDS.start()), number(SECONDS.end()));
            say(lang, "quiz-bad-seconds", &[("least", least), ("most", most)])
        }
        WishError::Area(word) => {
            let known: Vec<&str> = labels.iter().map(|label| short_area(lang, label)).collect();
            let known = list(lang, &known);
            say(lang, "quiz-bad-area", &[("word", echo(word).into()), ("areas", known.into())])
        }
        WishError::AreaCount => {
            say(lang, "quiz-bad-area-count", &[("least", number(MIN_AREAS)), ("most", number(MAX_AREAS))])
        }
    }
}

/// How `/rematch` works, and the code of the chat's last round.
#[must_use]
pub fn rematch_how(lang: Lang, code: Option<&str>) -> String {
    match code {
        Some(code) => say(lang, "quiz-rematch-how", &[("code", code.to_owned().into())]),
        None => say(lang, "quiz-rematch-none", &[]),
    }
}

/// A person's own scores; `streak` is the one seen today.
#[must_use]
pub fn score(lang: Lang, name: &str, score: &Score, streak: u32, opted_out: bool) -> String {
    let share = if score.answers > 0 { score.right as f32 / score.answers as f32 } else { 0.0 };
    let values = [
        ("points", number(score.points)),
        ("right", number(score.right)),
        ("answers", number(score.answers)),
        ("percent", percent(share).into()),
        ("rating", format!("{:.0}", score.rating).into()),
        ("rounds", number(score.rated_rounds)),
        ("streak", number(streak)),
        ("best", number(score.streak.best)),
    ];
    let rank = match score.rank {
        Some(rank) => say(lang, "score-rank", &[("rank", number(rank))]),
        None => say(lang, "score-unranked", &[("least", number(MIN_RANKED_ANSWERS))]),
    };
    let title = say(lang, "score-title", &[("name", echo(name).into())]);
    let mut lines = vec![title, say(lang, "score-lines", &values), rank];
    if opted_out {
        lines.push(say(lang, "score-opted-out", &[]));
    }
    lines.join("\n")
}

/// A leaderboard's title and the time that it counts.
#[must_use]
pub fn board_title(lang: Lang, scope: Scope, period: Period) -> (String, String) {
    let title = say(lang, "board-title", &[("scope", scope.name().into())]);
    (title, say(lang, "board-period", &[("period", period.name().into())]))
}

/// The heads of a leaderboard's columns.
#[must_use]
pub fn board_columns(lang: Lang) -> [String; 4] {
    ["board-columns-rank", "board-columns-name", "board-columns-points", "board-columns-accuracy"]
        .map(|id| say(lang, id, &[]))
}

/// To a leaderboard that nobody stands on.
#[must_use]
pub fn board_empty(lang: Lang) -> String {
    say(lang, "board-empty", &[("least", number(MIN_RANKED_ANSWERS))])
}

fn accuracy(right: i64, answers: i64) -> String {
    percent(if answers > 0 { right as f32 / answers as f32 } else { 0.0 })
}

/// A person on a leaderboard, in words.
#[must_use]
pub fn board_row(lang: Lang, row: &Row) -> String {
    let values = [
        ("rank", number(row.rank)),
        ("name", echo(&row.name).into()),
        ("points", number(row.points)),
        ("percent", accuracy(row.right, row.answers).into()),
        ("answers", number(row.answers)),
        ("rating", format!("{:.0}", row.rating).into()),
    ];
    say(lang, "board-row", &values)
}

/// The model on a leaderboard, in words.
#[must_use]
pub fn board_model(lang: Lang, model: &ModelRow) -> String {
    let values = [
        ("name", model.name.clone().into()),
        ("percent", accuracy(model.right, model.answers).into()),
        ("answers", number(model.answers)),
        ("rating", format!("{:.0}", model.rating).into()),
    ];
    say(lang, "board-model", &values)
}

/// To a word after `/leaderboard` that means nothing.
#[must_use]
pub fn board_bad_word(lang: Lang, word: &str) -> String {
    say(lang, "board-bad-word", &[("word", echo(word).into())])
}

/// Over the chart of `/versus`.
#[must_use]
pub fn versus_title(lang: Lang, name: &str) -> String {
    say(lang, "versus-title", &[("name", echo(name).into())])
}

/// Both shares and the number of photos, beside a row of the chart.
#[must_use]
pub fn versus_row(lang: Lang, duel: Duel) -> String {
    let (person, model) = duel.shares();
    let values = [
        ("person", percent(person as f32).into()),
        ("model", percent(model as f32).into()),
        ("photos", number(duel.photos())),
    ];
    say(lang, "versus-row", &values)
}

/// What the chart of `/versus` shows, in words: only what its intervals allow to be said.
#[must_use]
pub fn versus(lang: Lang, duels: &[(Area, Duel)]) -> String {
    let of = |wanted: fn((f64, f64, f64)) -> bool| {
        let areas = duels.iter().filter(|(_, duel)| wanted(duel.difference()));
        list(lang, &areas.map(|(area, _)| short_area(lang, area)).collect::<Vec<_>>())
    };
    let (beat, beaten) = (of(|(low, _, _)| low > 0.0), of(|(_, _, high)| high < 0.0));
    let mut lines = Vec::new();
    if !beat.is_empty() {
        lines.push(say(lang, "versus-beat", &[("areas", beat.into())]));
    }
    if !beaten.is_empty() {
        lines.push(say(lang, "versus-beaten", &[("areas", beaten.into())]));
    }
    if lines.is_empty() {
        lines.push(say(lang, "versus-open", &[]));
    }
    lines.join("\n")
}

/// A code that joins another identity to the asker's.
#[must_use]
pub fn link_code(lang: Lang, code: &str, valid: Duration) -> String {
    let minutes = number(valid.as_secs() / 60);
    say(lang, "link-code", &[("code", code.to_owned().into()), ("minutes", minutes)])
}

/// Why a code joins nothing.
#[must_use]
pub fn link_error(lang: Lang, error: &LinkError) -> String {
    let id = match error {
        LinkError::Unknown => "link-unknown",
        LinkError::Same => "link-same",
    };
    say(lang, id, &[])
}

/// When a person's days begin, as it is or as it was just set.
#[must_use]
pub fn day(lang: Lang, zone: &str, hour: i8, was_set: bool) -> String {
    let id = if was_set { "day-set" } else { "day-now" };
    say(lang, id, &[("zone", zone.to_owned().into()), ("hour", number(hour))])
}

/// That no scores are kept, or kept again.
#[must_use]
pub fn optout(lang: Lang, out: bool) -> String {
    say(lang, if out { "optout-on" } else { "optout-off" }, &[])
}

/// That everything is gone, or that there was nothing.
#[must_use]
pub fn forgotten(lang: Lang, had_any: bool) -> String {
    say(lang, if had_any { "forget-done" } else { "forget-nothing" }, &[])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{bundle, tests::messages};
    use super::*;
    use crate::chat::message::{ChatRef, Platform};
    use crate::domain::quiz::PlayerId;
    use crate::domain::quiz::{ModelVersion, Question, RoundId, State};

    #[test]
    fn both_languages_have_the_same_messages_and_all_are_used() {
        let known = messages(bundle::QUIZ_EN);
        assert_eq!(messages(bundle::QUIZ_JA), known);
        let code = include_str!("quiz.rs");
        let quoted: BTreeSet<&str> = code.split('"').skip(1).step_by(2).collect();
        let unused: Vec<&String> = known.keys().filter(|id| !quoted.contains(id.as_str())).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
        let said = code.split("say(lang, \"").skip(1).filter_map(|rest| rest.split('"').next());
        let missing: Vec<&str> = said.filter(|id| id.contains('-') && !known.contains_key(*id)).collect();
        assert!(missing.is_empty(), "nowhere worded: {missing:?}");
    }

    fn outcome() -> Outcome {
        let question = |number: u8, guess: usize| Question {
            number,
            photo: "p".to_owned(),
            truth: 0,
            guess,
            probability: 0.61,
            credit: Credit { source: "someone".to_owned(), licence: "CC-BY-SA-4.0".to_owned(), url: None },
        };
        let round = Round {
            id: RoundId(1),
            kind: Kind::Quiz,
            chat: ChatRef { platform: Platform::Telegram, id: 1 },
            thread: None,
            alone: false,
            starter: None,
            lang: "en".to_owned(),
            model: ModelVersion { sha256: String::new(), name: "m".to_owned(), version: "1".to_owned() },
            areas: crate::chat::sample::areas(),
            questions: vec![question(1, 0), question(2, 1), question(3, 1)],
            cut_seed: 0,
            code: "K7QF2M".to_owned(),
            seconds: 60,
            state: State::Closed,
            opened_at: None,
            deadline: None,
            bell: None,
            message: None,
        };
        let entry = |id: i64, name: &str, right: u8, scored| Entry {
            player: PlayerId(id),
            name: name.to_owned(),
            answered: 3,
            right,
            points: 100 * u32::from(right),
            rating_change: 8.4 - id as f64,
            scored,
            choices: (0..3).map(|i| Some(u8::from(i >= right))).collect(),
        };
        let entries = vec![entry(1, "Aoi", 3, true), entry(2, "Ben *_<b>", 1, true), entry(3, "Chie", 1, false)];
        Outcome { round, entries, model_right: 1, told: 0 }
    }

    #[test]
    fn what_a_round_says() {
        for lang in Lang::ALL {
            let outcome = outcome();
            let key = [("港".to_owned(), "港区".to_owned())];
            let discord = Round { chat: ChatRef { platform: Platform::Discord, id: 1 }, ..outcome.round.clone() };
            let area = &outcome.round.areas[1];
            let parts = [
                invitation(lang, &outcome.round, &key),
                invitation(lang, &Round { kind: Kind::Daily, ..discord }, &[]),
                answered(lang, 2, area, 1, 3),
                answered(lang, 2, area, 3, 3),
                [Refusal::TooLate, Refusal::NotOpen, Refusal::Left, Refusal::Unknown, Refusal::CalledOff]
                    .map(|r| refusal(lang, r))
                    .join("\n"),
                results(lang, &outcome),
                reveal(lang, &outcome),
                results(lang, &Outcome { entries: Vec::new(), ..outcome.clone() }),
            ];
            insta::assert_snapshot!(format!("round-{}", lang.tag()), parts.join("\n---\n"));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_cure() {
        let labels = crate::chat::sample::areas();
        for lang in Lang::ALL {
            let errors = [
                WishError::Word("brutal\u{7}".repeat(9)),
                WishError::Photos,
                WishError::Seconds,
                WishError::Area("大阪市".to_owned()),
                WishError::AreaCount,
            ];
            let mut said: Vec<String> = errors.iter().map(|error| wish_error(lang, error, &labels)).collect();
            let begin =
                [BeginError::DailyPlayed, BeginError::UnknownCode, BeginError::OtherAreas, BeginError::FewPhotos];
            said.extend(begin.iter().map(|error| begin_error(lang, error)));
            said.extend([LinkError::Unknown, LinkError::Same].iter().map(|error| link_error(lang, error)));
            said.extend([rematch_how(lang, None), rematch_how(lang, Some("K7QF2M")), day_bad(lang), off(lang)]);
            said.extend([board_bad_word(lang, "year"), interrupted(lang)]);
            insta::assert_snapshot!(format!("errors-{}", lang.tag()), said.join("\n"));
        }
    }
}
