//! The results, step by step. Each step is noted once the service has it, so that a restart or a rate limit in the
//! middle neither repeats nor loses one.

use tokio_util::sync::CancellationToken;

use super::drawing::Drawing;
use super::{Table, draw};
use crate::chat::message::{Button, Canvas, Notice, Platform, Reply, Undelivered};
use crate::chat::picture::reveal::{RevealPicture, RevealTile};
use crate::chat::press::Press;
use crate::chat::text::{self, Lang};
use crate::domain::quiz::{Question, RoundId};
use crate::store::{Outcome, StoreError};

/// Steps of a reveal: the buttons go, the picture comes, the words come.
const STEPS: u8 = 3;

impl Table {
    /// Tells what is still untold of a round; whether all is told.
    pub(super) async fn tell(&self, round: RoundId, stop: &CancellationToken) -> Result<bool, StoreError> {
        let Some(outcome) = self.store().outcome(round).await? else { return Ok(true) };
        if outcome.round.chat.platform == Platform::Web {
            // The page asks for the results itself.
            self.store().told(round, STEPS, true).await?;
            return Ok(true);
        }
        for step in outcome.told..STEPS {
            if stop.is_cancelled() {
                return Ok(false);
            }
            let told = match self.step(&outcome, step).await {
                Some(notice) => self.inner.post.send(&outcome.round.chat, outcome.round.thread, notice).await,
                None => Ok(0),
            };
            match told {
                Ok(_) => {}
                // A message or chat that is gone: the rest may still arrive.
                Err(Undelivered::Refused(reason)) => tracing::info!(round = round.0, step, reason, "not told"),
                Err(Undelivered::Later(reason)) => {
                    tracing::warn!(round = round.0, step, reason, "told later");
                    return Ok(false);
                }
            }
            self.store().told(round, step + 1, step + 1 == STEPS).await?;
        }
        Ok(true)
    }

    async fn step(&self, outcome: &Outcome, step: u8) -> Option<Notice> {
        let lang = Lang::from_tag(&outcome.round.lang);
        match step {
            0 => outcome.round.message.map(|message| Notice::Edit {
                message,
                text: text::quiz::closed(lang),
                buttons: Vec::new(),
                picture: Canvas::Kept,
            }),
            1 => self.picture(lang, outcome).await,
            _ => {
                let press = Press::Again { round: outcome.round.id };
                let buttons = vec![vec![Button { label: text::quiz::again_button(lang), press }]];
                Some(Notice::Send(Reply { buttons, ..Reply::words(text::quiz::reveal(lang, outcome)) }))
            }
        }
    }

    async fn picture(&self, lang: Lang, outcome: &Outcome) -> Option<Notice> {
        let photos = self.inner.quiz.photos(&outcome.round).await;
        let photos = photos.inspect_err(|error| tracing::error!(%error, "no photos for the reveal")).ok()?;
        let tiles = outcome.round.questions.iter().zip(photos.iter());
        let tiles = tiles.map(|(question, jpeg)| tile(lang, outcome, question, jpeg.clone())).collect();
        let (people_line, model_line) = text::quiz::result_lines(lang, outcome);
        let title = text::quiz::reveal_title(lang);
        let drawing = Drawing::Reveal(RevealPicture { title, tiles, people_line, model_line });
        let picture = draw("reveal", text::quiz::reveal_alt(lang), drawing).await?;
        Some(Notice::Send(Reply::picture(text::quiz::results(lang, outcome), picture)))
    }
}

fn tile(lang: Lang, outcome: &Outcome, question: &Question, jpeg: Vec<u8>) -> RevealTile {
    let areas = &outcome.round.areas;
    let index = usize::from(question.number) - 1;
    let choices = outcome.entries.iter().filter_map(|entry| entry.choices.get(index).copied().flatten());
    let choices: Vec<u8> = choices.collect();
    RevealTile {
        jpeg,
        truth: text::short_area(lang, &areas[question.truth]).to_owned(),
        model: text::quiz::guess(lang, &areas[question.guess], question.probability),
        model_right: question.model_is_right(),
        people_right: choices.iter().filter(|choice| usize::from(**choice) == question.truth).count() as u32,
        people: choices.len() as u32,
        people_label: text::quiz::people(lang),
    }
}
