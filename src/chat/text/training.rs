//! What admins are told of trainings.

use std::path::PathBuf;
use std::time::Duration;

use fluent_bundle::FluentValue;

use super::bundle::say;
use super::collect::duration;
use super::{Lang, area, format, report};
use crate::chat::train::{Live, Outcome, Progress, Request, Stage, WordError};
use crate::domain::job::JobState;
use crate::domain::metrics::Distances;
use crate::domain::partition::Limits;
use crate::domain::{Area, Split};
use crate::judge::distance::LEAST_PLACES;
use crate::judge::{Measured, Score};
use crate::train::cells::Lost;
use crate::train::device::Processor;
use crate::train::progress::Trouble;
use crate::train::settings::{Labels, Mode, Source};

/// Areas that a message lists before it counts the others.
const AREAS: usize = 12;
/// Longest word that is repeated, characters.
const ECHO: usize = 32;
/// Longest reason that is repeated, characters.
const REASON: usize = 1_500;
/// Longest text that goes with pictures, characters.
const CAPTION: usize = 1_000;

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(lang: Lang) -> String { say(lang, $id, &[]) })*
    };
}

plain! {
    /// There is nothing to train with.
    off = "train-off";
    /// The button that begins.
    begin_button = "train-begin-button";
    /// To the same once more.
    same = "train-same";
    /// To `/train status` before anything was trained.
    nothing = "train-nothing";
    /// To `/train cancel`.
    stopping = "train-stopping";
    /// To `/train cancel` when nothing is trained.
    nothing_to_stop = "train-nothing-to-stop";
    /// Name of an axis.
    recall_axis = "train-recall-axis";
    /// Name of an axis.
    loss_axis = "train-loss-axis";
    /// Name of an axis.
    epoch_axis = "train-epoch-axis";
    /// The curves, for those who cannot see them.
    learning_alt = "train-learning-alt";
}

/// What is wrong with the words after `/train`.
#[must_use]
pub fn word_error(lang: Lang, error: &WordError) -> String {
    let echo = |id, word: &str| {
        let word: String = word.chars().filter(|c| !c.is_control()).take(ECHO).collect();
        say(lang, id, &[("word", word.into())])
    };
    match error {
        WordError::Mode(word) => echo("train-bad-mode", word),
        WordError::Data(word) => echo("train-bad-data", word),
        WordError::Recipe(word) => echo("train-bad-recipe", word),
        WordError::HeadRecipe => say(lang, "train-head-recipe", &[]),
        WordError::Labels(word) => echo("train-bad-labels", word),
        WordError::Number(word) => echo("train-bad-number", word),
        WordError::AreasLimits => say(lang, "train-areas-limits", &[]),
        WordError::Crossed(limits) => say(lang, "train-crossed", &limited(limits)),
        WordError::Option(word) => echo("train-bad-option", word),
    }
}

/// Why a training is not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No folder of photos is configured.
    NoFolder,
    /// Photos, recipe or live model cannot be read, in these words.
    Data(String),
    /// So few areas have photos from there.
    Areas(usize, Source),
    /// These areas have no photo in these splits.
    Lacking(Vec<(String, Split)>),
    /// No cell has as many photos with a position as it needs.
    NoCells(Limits),
    /// There is one cell.
    OneCell(Limits),
    /// No cell has a photo in this split.
    Unjudged(Split),
    /// Photos of so few places lie in the cells to test with.
    Places(usize),
    /// Too few photos for one step.
    Few {
        /// Photos to train on.
        photos: usize,
        /// Photos of a step.
        batch: usize,
    },
}

/// That a training is not begun, and why.
#[must_use]
pub fn not_begun(lang: Lang, reason: &Reason) -> String {
    match reason {
        Reason::NoFolder => say(lang, "train-no-folder", &[]),
        Reason::Data(words) => say(lang, "train-no-data", &[("reason", cut(words).into())]),
        Reason::Areas(count, data) => {
            say(lang, "train-areas", &[("count", count.to_string().into()), ("data", data.name().into())])
        }
        Reason::Lacking(missing) => {
            let one = |(area, split): &(String, Split)| {
                say(lang, "train-missing", &[("area", area.as_str().into()), ("split", split.name().into())])
            };
            let mut all: Vec<String> = missing.iter().take(AREAS).map(one).collect();
            all.extend(more(lang, missing.len()));
            say(lang, "train-lacking", &[("missing", all.join(separator(lang)).into())])
        }
        Reason::NoCells(limits) => say(lang, "train-no-cells", &limited(limits)),
        Reason::OneCell(limits) => say(lang, "train-one-cell", &limited(limits)),
        Reason::Unjudged(split) => say(lang, "train-unjudged", &[("split", split.name().into())]),
        Reason::Places(places) => {
            let values = [("places", places.to_string().into()), ("least", LEAST_PLACES.to_string().into())];
            say(lang, "train-places", &values)
        }
        Reason::Few { photos, batch } => {
            let values = [("photos", photos.to_string().into()), ("batch", batch.to_string().into())];
            say(lang, "train-few", &values)
        }
    }
}

fn limited(limits: &Limits) -> [(&'static str, FluentValue<'static>); 2] {
    [("most", format::count(limits.most as u64).into()), ("least", format::count(limits.least as u64).into())]
}

/// That there are more than a message lists.
fn more(lang: Lang, count: usize) -> Option<String> {
    let more = count.checked_sub(AREAS).filter(|more| *more > 0)?;
    Some(say(lang, "train-more", &[("count", more.to_string().into())]))
}

fn separator(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "、",
        Lang::En => ", ",
    }
}

fn cut(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}

/// What a training would be.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What is asked of the job.
    pub request: Request,
    /// Areas of the photos.
    pub areas: usize,
    /// Areas that the live model knows and the new one would not.
    pub forgotten: Vec<Area>,
    /// Name and version of the live model, whose network may get a new last layer.
    pub model: String,
    /// First weights of a whole network, unless they are random.
    pub from: Option<PathBuf>,
    /// What computes it.
    pub device: Processor,
    /// About how long it takes, where that can be told.
    pub time: Option<Duration>,
    /// Photos that lie in no cell, where areas are cells.
    pub lost: Lost,
}

/// What a training would be, and that it waits for the button.
#[must_use]
pub fn offer(lang: Lang, offer: &Offer) -> String {
    let request = &offer.request;
    let count = |photos: usize| format::count(photos as u64).into();
    let mut lines = Vec::new();
    match request.mode {
        Mode::Head => lines.push(say(lang, "train-offer-head", &[("model", offer.model.as_str().into())])),
        Mode::Full => {
            let values = [
                ("recipe", request.recipe.as_deref().map_or_else(|| "?".to_owned(), file_name).into()),
                ("epochs", request.epochs.unwrap_or(0).to_string().into()),
                ("device", offer.device.name().into()),
            ];
            lines.push(say(lang, "train-offer-full", &values));
            lines.push(match &offer.from {
                Some(path) => say(lang, "train-from", &[("from", file_name(&path.to_string_lossy()).into())]),
                None => say(lang, "train-random", &[]),
            });
        }
    }
    let [train, validation, test] = request.photos.map(count);
    let (data, areas) = (request.data.name().into(), count(offer.areas));
    let values = [("data", data), ("areas", areas), ("train", train), ("validation", validation), ("test", test)];
    lines.push(say(lang, if request.cells.is_some() { "train-photos-cells" } else { "train-photos" }, &values));
    if let Some(limits) = &request.cells {
        let Lost { outside, unplaced } = offer.lost;
        let lost = [("outside", count(outside)), ("unplaced", count(unplaced))];
        lines.push(say(lang, "train-cells", &[limited(limits), lost].concat()));
    }
    if !offer.forgotten.is_empty() {
        let mut names: Vec<String> = offer.forgotten.iter().take(AREAS).map(|of| area(lang, of).to_owned()).collect();
        names.extend(more(lang, offer.forgotten.len()));
        lines.push(say(lang, "train-forgotten", &[("areas", names.join(separator(lang)).into())]));
    }
    lines.push(match offer.time {
        Some(time) => say(lang, "train-time", &[("time", duration(lang, time).into())]),
        None => say(lang, "train-time-unknown", &[]),
    });
    lines.push(String::new());
    lines.push(say(lang, "train-confirm", &[]));
    lines.join("\n")
}

/// The rest of a path concerns nobody in a chat.
fn file_name(path: &str) -> String {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path).to_owned()
}

/// To a confirmed training; `place` counts the jobs that come before it.
#[must_use]
pub fn begun(lang: Lang, place: usize) -> String {
    match place {
        0 => say(lang, "train-begun", &[]),
        place => say(lang, "train-begun-place", &[("place", place.to_string().into())]),
    }
}

/// How a training stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// How the job stands.
    pub state: JobState,
    /// Jobs that come before it.
    pub place: usize,
    /// What is trained, if that is known.
    pub mode: Option<Mode>,
    /// Whether its areas are cells.
    pub cells: bool,
    /// How far it is.
    pub progress: &'a Progress,
}

/// How a training stands: what it does just now, how good it was after the last epoch, how fast it is.
#[must_use]
pub fn standing(lang: Lang, standing: &Standing<'_>) -> String {
    let labels = if standing.cells { Labels::Cells } else { Labels::Areas };
    let mode = ("mode", standing.mode.map_or("unknown", Mode::name).into());
    let what = say(lang, "train-what", &[mode, ("labels", labels.name().into())]);
    let place = ("place", standing.place.to_string().into());
    let head = [("state", standing.state.name().into()), ("what", what.into()), place];
    let mut lines = vec![say(lang, "train-state", &head)];
    if standing.state == JobState::Running {
        lines.push(stage(lang, standing.progress));
    }
    if matches!(standing.state, JobState::Running | JobState::Done | JobState::Failed | JobState::Cancelled) {
        lines.extend(figures(lang, standing));
    }
    lines.join("\n")
}

fn stage(lang: Lang, progress: &Progress) -> String {
    let counts =
        |done: usize, of: usize| [("done", format::count(done as u64).into()), ("of", format::count(of as u64).into())];
    match (progress.stage, &progress.last) {
        (Stage::Features { done, of }, _) => say(lang, "train-features", &counts(done, of)),
        (Stage::Judging { done, of }, _) => say(lang, "train-judging", &counts(done, of)),
        (Stage::Fitting, Some(last)) => {
            let count = |count: usize| count.to_string().into();
            let values = [
                ("epoch", count(last.epoch)),
                ("epochs", count(last.epochs)),
                ("step", count(last.step)),
                ("steps", count(last.steps)),
                ("loss", format!("{:.3}", last.loss).into()),
            ];
            say(lang, "train-epoch", &values)
        }
        (Stage::Preparing | Stage::Fitting, _) => say(lang, "train-preparing", &[]),
    }
}

fn figures(lang: Lang, standing: &Standing<'_>) -> Vec<String> {
    let progress = standing.progress;
    let mut lines = Vec::new();
    if let Some(epoch) = progress.epochs.last() {
        let recall = ("recall", report::share(f64::from(epoch.macro_recall)).into());
        lines.push(say(lang, "train-validation", &[("epoch", epoch.epoch.to_string().into()), recall]));
    }
    let pace = match progress.stage {
        Stage::Preparing => None,
        Stage::Fitting => progress.last.as_ref().map(|last| (last.images_per_second, last.left)),
        Stage::Features { .. } | Stage::Judging { .. } => progress.pace.map(|pace| (pace.images_per_second, pace.left)),
    };
    if let (JobState::Running, Some((rate, left))) = (standing.state, pace) {
        let rate = ("rate", format!("{rate:.1}").into());
        lines.push(say(lang, "train-pace", &[rate, ("time", duration(lang, left).into())]));
    }
    if let Some(epoch) = progress.resumed {
        lines.push(say(lang, "train-resumed", &[("epoch", epoch.to_string().into())]));
    }
    if progress.parts {
        lines.push(say(lang, "train-parts", &[]));
    }
    lines
}

/// How a training ended.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// With a model.
    Done(&'a Outcome),
    /// Without one, for this reason, in these words.
    Failed(Option<Trouble>, &'a str),
    /// An admin stopped it, a training of this kind.
    Cancelled(Option<Mode>),
}

/// That a training has ended, and what came of it. At most 1,000 characters with pictures.
#[must_use]
pub fn news(lang: Lang, news: &News<'_>) -> String {
    match news {
        News::Done(outcome) => done(lang, outcome),
        News::Failed(trouble, words) => {
            let known = trouble.and_then(|trouble| {
                let id = match trouble {
                    Trouble::Diverged => "train-diverged",
                    Trouble::Disk => "train-disk",
                    Trouble::Memory => "train-memory",
                    Trouble::Data => "train-data",
                    Trouble::Other => return None,
                };
                Some(format!("{}\n", say(lang, id, &[])))
            });
            let reason = format!("{}{}", known.unwrap_or_default(), cut(words));
            say(lang, "train-news-failed", &[("reason", reason.into())])
        }
        News::Cancelled(mode) => {
            say(lang, "train-news-cancelled", &[("mode", mode.unwrap_or(Mode::Head).name().into())])
        }
    }
}

fn done(lang: Lang, outcome: &Outcome) -> String {
    let Outcome { name, judgement, live, report: path } = outcome;
    let named = ("name", name.as_str().into());
    let mut lines = vec![match live {
        Live::New => say(lang, "train-news-new", &[("model", report::name(&judgement.model).into())]),
        Live::Old => say(lang, "train-news-old", &[named]),
        Live::Refused(reason) => say(lang, "train-news-refused", &[named, ("reason", reason.as_str().into())]),
    }];
    let other = judgement.against.as_ref();
    lines.push(String::new());
    lines.extend(other.map(|other| report::decision(lang, &other.verdict)));
    lines.push(report::photos(lang, judgement.score.photos, judgement.score.places));
    let theirs = other.and_then(|other| other.score.as_ref());
    let named = |score: &Score| report::named_table(lang, score);
    lines.extend(figures_of(lang, named(&judgement.score), &theirs.map(named).unwrap_or_default()));
    let [ours, theirs] = match other.map(|other| &other.verdict.measured) {
        Some(Measured::Distance(by)) => [Some(&by.candidate_distances), Some(&by.live_distances)],
        _ => [Some(&judgement.score), theirs].map(|score| score?.distances.as_ref()),
    };
    let far_off = |distances: Option<&Distances>| distances.map(|far| report::short_far_off(lang, far));
    lines.extend(figures_of(lang, far_off(ours).unwrap_or_default(), &far_off(theirs).unwrap_or_default()));
    lines.push(say(lang, "train-report", &[("path", path.as_str().into())]));
    lines.join("\n").chars().take(CAPTION).collect()
}

/// Figures that have an interval, beside those of the model before, where it has them.
fn figures_of(lang: Lang, ours: Vec<report::Line>, theirs: &[report::Line]) -> Vec<String> {
    let figure = |(i, line): (usize, report::Line)| {
        let interval = ("interval", line.interval?.into());
        let (figure, value) = (("figure", line.figure.into()), ("value", line.value.into()));
        Some(match theirs.get(i) {
            Some(theirs) => {
                let other = ("other", theirs.value.as_str().into());
                say(lang, "train-figure-both", &[figure, value, interval, other])
            }
            None => say(lang, "train-figure", &[figure, value, interval]),
        })
    };
    ours.into_iter().enumerate().filter_map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{TRAINING_EN, TRAINING_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;
    use crate::chat::train::Base;
    use crate::judge::{Against, Judgement};
    use crate::train::progress::Pace;

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(TRAINING_JA), messages(TRAINING_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("training.rs");
        let unused: Vec<String> =
            messages(TRAINING_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    fn request(mode: Mode) -> Request {
        Request {
            mode,
            data: Source::Collected,
            photos: [18_502, 2_640, 2_643],
            recipe: (mode == Mode::Full).then(|| "recipes/mine.toml".to_owned()),
            epochs: (mode == Mode::Full).then_some(40),
            state: None,
            base: (mode == Mode::Head).then(|| Base { folder: String::new(), sha256: "0".repeat(64) }),
            cells: None,
        }
    }

    #[test]
    fn what_is_said_of_words_and_offers() {
        for lang in Lang::ALL {
            let word = |word: &str| word.to_owned();
            let errors = [
                WordError::Mode(word("half")),
                WordError::Data(word("paris")),
                WordError::Recipe(word("mine\n")),
                WordError::HeadRecipe,
                WordError::Option(word("a=b")),
                WordError::Labels(word("towns")),
                WordError::Number(word("many")),
                WordError::AreasLimits,
                WordError::Crossed(Limits { most: 5, least: 20, deepest: 13 }),
            ];
            let lacking = (0..14).map(|i| (format!("{i}区"), [Split::Train, Split::Validation, Split::Test][i % 3]));
            let reasons = [
                Reason::NoFolder,
                Reason::Data(word("cannot read photos")),
                Reason::Areas(0, Source::Collected),
                Reason::Areas(1, Source::Folder),
                Reason::Lacking(lacking.collect()),
                Reason::Few { photos: 12, batch: 30 },
                Reason::NoCells(Limits::default()),
                Reason::OneCell(Limits::default()),
                Reason::Unjudged(Split::Validation),
                Reason::Unjudged(Split::Test),
                Reason::Places(4),
            ];
            let head = Offer {
                request: request(Mode::Head),
                areas: 7,
                forgotten: Vec::new(),
                model: word("drawn-world 1.0.0"),
                from: None,
                device: Processor::Cpu,
                time: Some(Duration::from_secs(700)),
                lost: Lost::default(),
            };
            let cells = Offer {
                request: Request { cells: Some(Limits::default()), ..request(Mode::Head) },
                areas: 1_204,
                lost: Lost { unplaced: 3, outside: 1_021 },
                ..head.clone()
            };
            let full = Offer { request: request(Mode::Full), time: Some(Duration::from_secs(90_000)), ..head.clone() };
            let cuda = Offer {
                forgotten: sample::areas(),
                from: Some("/secret/resnet50.pth".into()),
                device: Processor::Cuda,
                time: None,
                ..full.clone()
            };
            let mut said: Vec<String> = errors.iter().map(|error| word_error(lang, error)).collect();
            said.extend(reasons.iter().map(|reason| not_begun(lang, reason)));
            said.extend([head, full, cuda, cells].iter().map(|what| offer(lang, what)));
            said.extend([off, begin_button, same].map(|words| words(lang)));
            said.extend([begun(lang, 0), begun(lang, 2)]);
            insta::assert_snapshot!(format!("training-offers-{}", lang.tag()), said.join("\n---\n"));
        }
    }

    #[test]
    fn what_is_said_of_progress() {
        let last = crate::train::progress::Progress {
            epoch: 5,
            epochs: 40,
            step: 120,
            steps: 578,
            side: 224,
            loss: 0.4321,
            learning_rate: 1e-5,
            images_per_second: 9.41,
            data_wait: 0.0,
            elapsed: Duration::from_secs(9_000),
            left: Duration::from_secs(70_000),
            validation: None,
        };
        let at = |stage| Progress { stage, last: Some(last.clone()), epochs: sample::epochs(), ..Progress::default() };
        let fitting = Progress { resumed: Some(3), parts: true, ..at(Stage::Fitting) };
        let pace = Some(Pace { images_per_second: 230.0, left: Duration::from_secs(60) });
        let features = Progress { epochs: Vec::new(), pace, ..at(Stage::Features { done: 1_200, of: 15_000 }) };
        for lang in Lang::ALL {
            let state = |state, mode, progress: &Progress| {
                standing(lang, &Standing { state, place: 1, mode: Some(mode), cells: false, progress })
            };
            let of_cells = |state, mode| {
                let progress = &Progress::default();
                standing(lang, &Standing { state, place: 1, mode: Some(mode), cells: true, progress })
            };
            let mut said = vec![
                state(JobState::Queued, Mode::Full, &Progress::default()),
                state(JobState::Running, Mode::Full, &Progress::default()),
                state(JobState::Running, Mode::Full, &fitting),
                state(JobState::Running, Mode::Head, &features),
                state(JobState::Running, Mode::Full, &at(Stage::Judging { done: 30, of: 2_100 })),
                state(JobState::Done, Mode::Full, &fitting),
                state(JobState::Failed, Mode::Head, &features),
                state(JobState::Cancelled, Mode::Head, &features),
            ];
            said.extend([of_cells(JobState::Running, Mode::Head), of_cells(JobState::Done, Mode::Full)]);
            said.extend([nothing, stopping, nothing_to_stop].map(|words| words(lang)));
            insta::assert_snapshot!(format!("training-progress-{}", lang.tag()), said.join("\n---\n"));
        }
    }

    #[test]
    fn what_is_said_at_the_end() {
        let against =
            Against { model: sample::verdict().live, score: Some(sample::score()), verdict: sample::verdict() };
        let model = sample::verdict().candidate;
        let judgement =
            Judgement { model, score: sample::score(), left_out: 0, given: None, against: Some(against.clone()) };
        let outcome = |live| Outcome {
            name: "full-20261126-7".to_owned(),
            judgement: judgement.clone(),
            live,
            report: "data/training/reports/full-20261126-7/report.html".to_owned(),
        };
        let ends = [Live::New, Live::Old, Live::Refused("it does not run".to_owned())].map(outcome);
        let distant = Against { score: None, verdict: sample::by_distance(), ..against };
        let distant =
            Outcome { judgement: Judgement { against: Some(distant), ..judgement.clone() }, ..ends[1].clone() };
        let alone = Outcome { judgement: Judgement { against: None, ..judgement.clone() }, ..ends[0].clone() };
        for lang in Lang::ALL {
            let mut all: Vec<News<'_>> = ends.iter().chain([&distant, &alone]).map(News::Done).collect();
            let troubles = [Trouble::Diverged, Trouble::Disk, Trouble::Memory, Trouble::Data, Trouble::Other].map(Some);
            all.extend(troubles.into_iter().chain([None]).map(|trouble| News::Failed(trouble, "In its own words.")));
            all.extend(Mode::ALL.map(|mode| News::Cancelled(Some(mode))));
            let said: Vec<String> = all.iter().map(|end| news(lang, end)).collect();
            assert!(said.iter().all(|words| words.chars().count() < CAPTION), "it goes with pictures");
            insta::assert_snapshot!(format!("training-news-{}", lang.tag()), said.join("\n---\n"));
        }
    }
}
