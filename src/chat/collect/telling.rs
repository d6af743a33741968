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

/// Why a job failed, in each language: whoever is told may speak another than who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In Japanese.
    ja: String,
    /// In English.
    en: String,
}

impl Failure {
    /// What `error` means for the admin.
    #[must_use]
    pub fn of(error: &anyhow::Error, currency: &str) -> Self {
        let [ja, en] = [Lang::Ja, Lang::En].map(|lang| text::running::failure(lang, error, currency));
        Self { ja, en }
    }

    fn said(self, lang: Lang) -> String {
        match lang {
            Lang::Ja => self.ja,
            Lang::En => self.en,
        }
    }
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
        // What ended the work beside its own errors is words already.
        let failure = serde_json::from_str(said).map_or_else(|_| said.to_owned(), |why: Failure| why.said(lang));
        let news = match (job.state, &outcome) {
            (JobState::Failed, _) => News::Failed(&failure),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::run::Halt;
    use crate::collect::trouble::Stop;
    use crate::domain::job::{Client, JobId, JobKind};
    use crate::domain::{ChatRef, Platform, UserRef};

    #[test]
    fn why_a_job_failed_is_told_in_the_reader_s_language() {
        let halt = Halt::Refused(Stop::MapillaryDenied { said: "no".to_owned() });
        let failure = serde_json::to_string(&Failure::of(&halt.into(), "USD")).unwrap();
        let teller = Teller { currency: "USD".to_owned() };
        let user = UserRef { platform: Platform::Telegram, id: 1 };
        let chat = ChatRef { platform: Platform::Telegram, id: 1 };
        let told = |lang, outcome: &str| {
            let job = Job {
                id: JobId(1),
                kind: JobKind::Collect,
                request: String::new(),
                client: Client { user: user.clone(), chat: chat.clone(), thread: None, lang: "ja".to_owned() },
                state: JobState::Failed,
                message: None,
                progress: None,
                outcome: Some(outcome.to_owned()),
                created: jiff::Timestamp::UNIX_EPOCH,
                started: None,
                ended: None,
            };
            teller.news(lang, &job).text
        };
        assert!(told(Lang::Ja, &failure).contains("アクセストークンを拒否しました（no）"));
        assert!(told(Lang::En, &failure).contains("Mapillary refuses the access token (no)"));
        assert!(told(Lang::Ja, "it stopped before its end").ends_with("it stopped before its end"));
    }
}
