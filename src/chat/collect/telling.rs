//! What is said of a job that collects.

use serde::{Deserialize, Serialize};

use super::Request;
use crate::chat::jobs::Telling;
use crate::chat::message::Reply;
use crate::chat::text::collecting::{News, Standing};
use crate::chat::text::{self, Lang};
use crate::collect::run::Progress;
use crate::domain::job::{Job, JobState};

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether everything that the plan can give is there; else a service was in trouble now and then.
    pub complete: bool,
    /// How far it came.
    pub progress: Progress,
}

/// Words for jobs that collect.
#[derive(Clone, Debug)]
pub struct Teller {
    /// What money is counted in.
    pub currency: String,
}

impl Telling for Teller {
    fn state(&self, lang: Lang, job: &Job, place: usize) -> Reply {
        let request: Option<Request> = serde_json::from_str(&job.request).ok();
        let progress = progress(job);
        Reply::words(text::collecting::standing(
            lang,
            &Standing {
                state: job.state,
                place,
                source: request.and_then(|request| request.source()),
                progress: progress.as_ref(),
                currency: &self.currency,
            },
        ))
    }

    fn news(&self, lang: Lang, job: &Job) -> Reply {
        let said = job.outcome.as_deref().unwrap_or_default();
        let outcome: Option<Outcome> = serde_json::from_str(said).ok();
        let news = match (job.state, &outcome) {
            (JobState::Failed, _) => News::Failed(said),
            (JobState::Cancelled, _) => News::Cancelled,
            (_, Some(outcome)) if !outcome.complete => News::Incomplete,
            _ => News::Done,
        };
        let progress = outcome.map(|outcome| outcome.progress).or_else(|| progress(job));
        Reply::words(text::collecting::news(lang, news, progress.as_ref()))
    }
}

/// What the work said last; nothing that another version of the program said.
fn progress(job: &Job) -> Option<Progress> {
    serde_json::from_str(job.progress.as_deref()?).ok()
}
