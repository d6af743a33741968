//! Answers, and large photos.

use super::{Table, buttons};
use crate::chat::message::{Picture, Platform, PressReply, Pressed, Reply};
use crate::chat::text::{self, Lang};
use crate::domain::quiz::{Refusal, Round, RoundId, judge};
use crate::store::StoreError;

impl Table {
    /// Counts an answer.
    pub(super) async fn answer(
        &self,
        pressed: &Pressed,
        id: RoundId,
        number: u8,
        choice: u8,
    ) -> Result<PressReply, StoreError> {
        let lang = pressed.lang;
        let areas = self.store().areas(id, &pressed.chat).await?.unwrap_or_default();
        let Some(area) = areas.get(usize::from(choice)) else {
            return Ok(notice(text::quiz::refusal(lang, Refusal::Unknown)));
        };
        let player = self.player(&pressed.user, &pressed.name).await?;
        let accepted = match self.inner.quiz.answer(id, number, choice, player, pressed.present).await? {
            Ok(accepted) => accepted,
            Err(refusal) => return Ok(notice(text::quiz::refusal(lang, refusal))),
        };
        let said = text::quiz::answered(lang, number, area, accepted.answered, accepted.of);
        let sheet = match pressed.chat.platform {
            // Discord goes on to the next photo without an answer; else the answered one stays in sight.
            Platform::Discord => match self.store().round(id).await? {
                Some(round) => self.sheet(lang, &round, accepted.next.unwrap_or(number), Some(&said)).await,
                None => None,
            },
            Platform::Telegram | Platform::Web => None,
        };
        Ok(PressReply { notice: said, sheet, ..PressReply::default() })
    }

    /// Shows one person one photo, large, with its areas.
    pub(super) async fn open(&self, pressed: &Pressed, id: RoundId, number: u8) -> Result<PressReply, StoreError> {
        let lang = pressed.lang;
        let round = self.round_here(pressed, id).await?;
        let round = round.filter(|round| (1..=round.questions.len()).contains(&usize::from(number)));
        let Some(round) = round else { return Ok(notice(text::quiz::refusal(lang, Refusal::Unknown))) };
        let now = self.inner.quiz.clock().now();
        if let Err(refusal) = judge(round.state, round.bell, now, !pressed.present) {
            return Ok(notice(text::quiz::refusal(lang, refusal)));
        }
        let sheet = self.sheet(lang, &round, number, None).await;
        let notice = text::quiz::sheet(lang, number, round.questions.len());
        Ok(PressReply { notice, sheet, ..PressReply::default() })
    }

    /// Shows everybody the photos one by one, once a round.
    pub(super) async fn album(&self, pressed: &Pressed, id: RoundId) -> Result<PressReply, StoreError> {
        let lang = pressed.lang;
        let Some(round) = self.round_here(pressed, id).await? else {
            return Ok(notice(text::quiz::refusal(lang, Refusal::Unknown)));
        };
        if let Err(refusal) = judge(round.state, round.bell, self.inner.quiz.clock().now(), !pressed.present) {
            return Ok(notice(text::quiz::refusal(lang, refusal)));
        }
        let shown = &self.inner.shown_large;
        if shown.len() > 1_024 {
            shown.clear();
        }
        if shown.insert(id, ()).is_some() {
            return Ok(PressReply::default());
        }
        let Some(photos) = self.photos(&round).await else { return Ok(notice(text::quiz::failed(lang))) };
        let round_lang = Lang::from_tag(&round.lang);
        let picture = |(bytes, number): (&Vec<u8>, u8)| Picture {
            name: format!("photo-{number}.jpg"),
            bytes: bytes.clone(),
            alt: text::quiz::photo(round_lang, number),
        };
        let album: Vec<Picture> = photos.iter().zip(1..).map(picture).collect();
        let reply = Reply { text: text::quiz::title(round_lang, &round), album, ..Reply::default() };
        Ok(PressReply { messages: vec![reply], ..PressReply::default() })
    }

    /// The round of a button, if it is played in the chat where the button was pressed.
    async fn round_here(&self, pressed: &Pressed, id: RoundId) -> Result<Option<Round>, StoreError> {
        Ok(self.store().round(id).await?.filter(|round| round.chat == pressed.chat))
    }

    pub(super) async fn photos(&self, round: &Round) -> Option<crate::quiz::Photos> {
        self.inner.quiz.photos(round).await.inspect_err(|error| tracing::error!(%error, "no photos")).ok()
    }

    async fn sheet(&self, lang: Lang, round: &Round, number: u8, said: Option<&str>) -> Option<Reply> {
        let bytes = self.photos(round).await?.get(usize::from(number) - 1)?.clone();
        let question = text::quiz::sheet(lang, number, round.questions.len());
        let text = said.map_or_else(|| question.clone(), |said| format!("{said}\n{question}"));
        let picture = Picture { name: format!("photo-{number}.jpg"), bytes, alt: text::quiz::photo(lang, number) };
        Some(Reply { buttons: buttons::of_sheet(lang, round, number), ..Reply::picture(text, picture) })
    }
}

fn notice(notice: String) -> PressReply {
    PressReply { notice, ..PressReply::default() }
}
