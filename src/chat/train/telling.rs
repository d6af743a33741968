//! What is said of a job that trains.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Request;
use crate::chat::insight;
use crate::chat::jobs::Telling;
use crate::chat::message::{Picture, Reply};
use crate::chat::picture::judged;
use crate::chat::text::Lang;
use crate::chat::text::report::word;
use crate::chat::text::training::{self as text, News, Standing};
use crate::domain::job::{Job, JobState};
use crate::judge::{Judgement, Portrait};
use crate::train::progress::{self, Trouble};
use crate::train::settings::Mode;

/// What a job does just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Photos are drawn, copied or read.
    #[default]
    Preparing,
    /// Photos are run through the network that is kept.
    Features {
        /// How many.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// The network is fitted.
    Fitting,
    /// The model and the live one are asked about the test photos.
    Judging {
        /// How many answers there are.
        done: usize,
        /// Of how many.
        of: usize,
    },
}

/// How an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which, counted from 1.
    pub epoch: usize,
    /// Mean training loss, nats.
    pub loss: f32,
    /// Macro recall on the validation split, 0 to 1.
    pub macro_recall: f32,
}

/// How far a training is: a job's progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is done just now.
    pub stage: Stage,
    /// How fast photos are gone through, where no network is fitted.
    #[serde(default)]
    pub pace: Option<progress::Pace>,
    /// What the training said last.
    pub last: Option<progress::Progress>,
    /// The epochs that are done.
    pub epochs: Vec<Epoch>,
    /// After which epoch it went on when it was interrupted.
    pub resumed: Option<usize>,
    /// Whether memory ran out, so that steps are done in parts.
    pub parts: bool,
    /// What ended it.
    pub trouble: Option<Trouble>,
}

/// Which model answers after a training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Live {
    /// The new one.
    New,
    /// The old one: the new one is not shown to be better.
    Old,
    /// The old one, although the new one is better: why.
    Refused(String),
}

/// What came of a training: a job's outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The new model's name on the shelf.
    pub name: String,
    /// Both models on the same photos.
    pub judgement: Judgement,
    /// Which model answers now.
    pub live: Live,
    /// The report's file.
    pub report: String,
}

/// Words and pictures for jobs that train.
#[derive(Clone, Debug)]
pub struct Teller {
    /// Folder of the models: the photos worth looking at lie beside them.
    pub models: PathBuf,
}

impl Telling for Teller {
    fn state(&self, lang: Lang, job: &Job, place: usize) -> Reply {
        let (request, progress) = (request(job), progress(job));
        let mode = request.as_ref().map(|request| request.mode);
        let cells = request.as_ref().is_some_and(|request| request.cells.is_some());
        let standing = Standing { state: job.state, place, mode, cells, progress: &progress };
        let words = text::standing(lang, &standing);
        match request.filter(|request| request.mode == Mode::Full) {
            // A message has a picture from its first to its last state, or never.
            Some(request) => Reply::picture(words, learning(lang, &progress.epochs, request.epochs.unwrap_or(1))),
            None => Reply::words(words),
        }
    }

    fn news(&self, lang: Lang, job: &Job) -> Reply {
        let said = job.outcome.as_deref().unwrap_or_default();
        let outcome: Option<Outcome> = serde_json::from_str(said).ok();
        let progress = progress(job);
        match (job.state, outcome) {
            (JobState::Done, Some(outcome)) => {
                let mut album = pictures(lang, &outcome.judgement);
                album.extend(self.photos(lang, &outcome.name));
                if let [_, .., last] = progress.epochs[..] {
                    album.push(learning(lang, &progress.epochs, last.epoch));
                }
                Reply { album, ..Reply::words(text::news(lang, &News::Done(&outcome))) }
            }
            (JobState::Cancelled, _) => {
                Reply::words(text::news(lang, &News::Cancelled(request(job).map(|request| request.mode))))
            }
            _ => Reply::words(text::news(lang, &News::Failed(progress.trouble, said))),
        }
    }
}

impl Teller {
    /// The photos most like each area and those that are mistaken, with heatmaps; none where they were not kept.
    fn photos(&self, lang: Lang, name: &str) -> Vec<Picture> {
        match Portrait::read(&self.models.join(name)) {
            Ok(portrait) => portrait.map(|portrait| insight::overviews(lang, &portrait)).unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "the photos of a judgement are not shown");
                Vec::new()
            }
        }
    }
}

/// What is trained; `None` where another version of the program asked for it.
fn request(job: &Job) -> Option<Request> {
    serde_json::from_str(&job.request).ok()
}

/// What the work said last; the beginning where another version of the program said it.
fn progress(job: &Job) -> Progress {
    job.progress.as_deref().and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default()
}

fn learning(lang: Lang, epochs: &[Epoch], of: usize) -> Picture {
    let bytes = judged::learning(lang, epochs, of);
    Picture { name: "learning.png".to_owned(), bytes, alt: text::learning_alt(lang) }
}

/// The diagrams of the judgement.
fn pictures(lang: Lang, judgement: &Judgement) -> Vec<Picture> {
    let picture = |(name, alt, bytes)| Picture { name: format!("{name}.png"), bytes, alt: word(lang, alt) };
    judged::all(lang, judgement).into_iter().map(picture).collect()
}
