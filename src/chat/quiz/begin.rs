//! `/quiz`, `/daily`, `/rematch`, "another round" and `/stop`.

use super::drawing::Drawing;
use super::{Table, buttons, draw, one};
use crate::chat::message::{Canvas, ChatKind, Incoming, Notice, Platform, PressReply, Pressed, Reply, Role};
use crate::chat::text::{self, Lang};
use crate::chat::wish;
use crate::domain::quiz::{Round, RoundId, State};
use crate::quiz::{Begin, BeginError, Place, Wish};
use crate::store::StoreError;

impl Table {
    pub(super) async fn quiz(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let labels = &self.inner.quiz.manifest().labels;
        match wish::quiz(&incoming.arguments, labels) {
            Ok(wish) => self.begin(incoming, Begin::Fresh(wish)).await,
            Err(error) => Ok(one(text::quiz::wish_error(incoming.lang, &error, labels))),
        }
    }

    pub(super) async fn daily(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        self.begin(incoming, Begin::Daily).await
    }

    pub(super) async fn rematch(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let code = wish::value(&incoming.arguments);
        if code.is_empty() {
            let last = self.store().last_closed(&incoming.chat).await?;
            return Ok(one(text::quiz::rematch_how(incoming.lang, last.as_ref().map(|round| round.code.as_str()))));
        }
        self.begin(incoming, Begin::Rematch(code.to_owned())).await
    }

    async fn begin(&self, incoming: &Incoming, begin: Begin) -> Result<Vec<Reply>, StoreError> {
        let place = Place {
            chat: incoming.chat.clone(),
            thread: incoming.thread,
            alone: incoming.kind == ChatKind::Private,
            lang: incoming.lang.tag().to_owned(),
            starter: self.player(&incoming.user, &incoming.name).await?,
        };
        Ok(self.deal(incoming.lang, place, &begin).await?.map_or_else(Vec::new, one))
    }

    /// The same again, for a button under a reveal.
    pub(super) async fn again(&self, pressed: &Pressed, round: RoundId) -> Result<PressReply, StoreError> {
        let Some(last) = self.store().round(round).await?.filter(|last| last.chat == pressed.chat) else {
            let notice = text::stale_button(pressed.lang);
            return Ok(PressReply { notice, ..PressReply::default() });
        };
        let manifest = self.inner.quiz.manifest();
        let label = |name: &str| manifest.labels.iter().position(|label| label.area == name);
        let wish = Wish {
            photos: last.questions.len() as u8,
            seconds: Some(last.seconds),
            difficulty: crate::domain::quiz::Difficulty::Normal,
            areas: last.areas.iter().filter_map(|area| label(&area.area)).collect(),
        };
        let place = Place {
            chat: last.chat,
            thread: last.thread,
            alone: last.alone,
            lang: last.lang.clone(),
            starter: self.player(&pressed.user, &pressed.name).await?,
        };
        let lang = Lang::from_tag(&last.lang);
        let notice = self.deal(lang, place, &Begin::Fresh(wish)).await?.unwrap_or_default();
        Ok(PressReply { notice, ..PressReply::default() })
    }

    /// Draws a round, sends its picture and opens it. What to say when that fails.
    async fn deal(&self, lang: Lang, place: Place, begin: &Begin) -> Result<Option<String>, StoreError> {
        let round = match self.inner.quiz.begin(place, begin).await {
            Ok(round) => round,
            Err(BeginError::Store(error)) => return Err(error),
            Err(error) => return Ok(Some(text::quiz::begin_error(lang, &error))),
        };
        if round.chat.platform == Platform::Web {
            // The page and the terminal show the photos themselves.
            self.inner.quiz.open(round.id, None).await?;
            return Ok(None);
        }
        let sent = match self.invitation(lang, &round).await {
            Some(reply) => self.inner.post.send(&round.chat, round.thread, Notice::Show(reply)).await.ok(),
            None => None,
        };
        let Some(message) = sent else {
            self.store().cancel(round.id, self.inner.quiz.clock().now()).await?;
            return Ok(Some(text::quiz::undelivered(lang)));
        };
        if let Err(error) = self.inner.quiz.open(round.id, Some(message)).await {
            // Somebody may have stopped it while its picture was on its way.
            let now = self.store().round(round.id).await?;
            if now.is_none_or(|now| now.state != State::Cancelled) {
                return Err(error);
            }
            self.show_stopped(&Round { message: Some(message), ..round }).await;
        }
        Ok(None)
    }

    /// Takes the buttons of a stopped round away.
    async fn show_stopped(&self, round: &Round) {
        let Some(message) = round.message else { return };
        let text = text::quiz::stopped(Lang::from_tag(&round.lang));
        let edit = Notice::Edit { message, text, buttons: Vec::new(), picture: Canvas::Kept };
        if let Err(error) = self.inner.post.send(&round.chat, round.thread, edit).await {
            tracing::info!(%error, "the stopped round keeps its buttons");
        }
    }

    async fn invitation(&self, lang: Lang, round: &Round) -> Option<Reply> {
        let photos =
            self.inner.quiz.photos(round).await.inspect_err(|error| tracing::error!(%error, "no photos")).ok()?;
        let title = text::quiz::title(lang, round);
        let alt = text::quiz::grid_alt(lang, photos.len());
        let picture = draw("round", alt, Drawing::Grid { photos, title }).await?;
        let (buttons, key) = buttons::of_round(lang, round);
        let mut words = text::quiz::invitation(lang, round, &key);
        if self.inner.quiz.manifest().provenance.is_drawn_world() {
            words = format!("{words}\n{}", text::drawn_world(lang));
        }
        Some(Reply { buttons, ..Reply::picture(words, picture) })
    }

    pub(super) async fn stop(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let lang = incoming.lang;
        let Some(round) = self.store().running(&incoming.chat).await? else {
            return Ok(one(text::quiz::nothing_to_stop(lang)));
        };
        let asker = self.store().find(&incoming.user).await?;
        let may = incoming.role >= Role::Moderator || (asker.is_some() && asker == round.starter);
        if !may {
            return Ok(one(text::quiz::not_yours(lang)));
        }
        if !self.store().cancel(round.id, self.inner.quiz.clock().now()).await? {
            // The bell was quicker.
            return Ok(one(text::quiz::nothing_to_stop(lang)));
        }
        self.show_stopped(&round).await;
        Ok(one(text::quiz::stopped(lang)))
    }
}
