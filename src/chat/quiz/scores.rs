//! `/score`, `/leaderboard` and `/versus`.

use super::drawing::Drawing;
use super::{Table, draw, one};
use crate::chat::message::{Button, Buttons, ChatRef, Incoming, PressReply, Pressed, Reply};
use crate::chat::picture::board::{BoardPicture, BoardRow};
use crate::chat::picture::versus::{VersusPicture, VersusRow};
use crate::chat::press::{Period, Press, Scope};
use crate::chat::text::{self, Lang};
use crate::chat::wish;
use crate::domain::quiz::PlayerId;
use crate::domain::score::{self, Duel};
use crate::store::scores::keys as period_keys;
use crate::store::{Board, ModelRow, Row, StoreError};
use jiff::tz::TimeZone;

/// People on a page of a leaderboard.
const PER_PAGE: u32 = 10;

impl Table {
    pub(super) async fn score(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let lang = incoming.lang;
        let Some(player) = self.store().find(&incoming.user).await? else {
            return Ok(one(text::quiz::score_none(lang)));
        };
        let person = self.store().person_settings(player).await?;
        let found = self.store().score(player, None).await?;
        if found.answers == 0 && !person.opted_out {
            return Ok(one(text::quiz::score_none(lang)));
        }
        let zone = TimeZone::get(&person.time_zone).unwrap_or(TimeZone::UTC);
        let today = score::day_of(self.inner.quiz.clock().now(), &zone, person.day_starts_hour);
        let streak = found.streak.on(today);
        Ok(one(text::quiz::score(lang, &person.name, &found, streak, person.opted_out)))
    }

    pub(super) async fn leaderboard(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let lang = incoming.lang;
        let (scope, period) = match wish::board(&incoming.arguments) {
            Ok(asked) => asked,
            Err(word) => return Ok(one(text::quiz::board_bad_word(lang, &word))),
        };
        let me = self.store().find(&incoming.user).await?;
        Ok(vec![self.board(lang, &incoming.chat, me, scope, period, 0).await?])
    }

    /// Another page.
    pub(super) async fn turn(
        &self,
        pressed: &Pressed,
        scope: Scope,
        period: Period,
        page: u16,
    ) -> Result<PressReply, StoreError> {
        let me = self.store().find(&pressed.user).await?;
        let edit = self.board(pressed.lang, &pressed.chat, me, scope, period, page).await?;
        Ok(PressReply { edit: Some(edit), ..PressReply::default() })
    }

    async fn board(
        &self,
        lang: Lang,
        chat: &ChatRef,
        me: Option<PlayerId>,
        scope: Scope,
        period: Period,
        page: u16,
    ) -> Result<Reply, StoreError> {
        let of = if scope == Scope::Chat { Some(chat) } else { None };
        let [all, month, week] = period_keys(self.inner.quiz.clock().now(), &self.inner.quiz.rules().zone);
        let key = match period {
            Period::All => all,
            Period::Month => month,
            Period::Week => week,
        };
        let board = self.store().board(of, &key, u32::from(page), PER_PAGE).await?;
        let (title, time) = text::quiz::board_title(lang, scope, period);
        if board.rows.is_empty() {
            return Ok(Reply::words(format!("{title} · {time}\n{}", text::quiz::board_empty(lang))));
        }
        let mut words: Vec<String> = board.rows.iter().map(|row| text::quiz::board_row(lang, row)).collect();
        words.extend(board.model.as_ref().map(|model| text::quiz::board_model(lang, model)));
        let buttons = pages(lang, scope, period, page, board.more);
        let picture = board_picture(lang, &board, me, title.clone(), time.clone());
        let picture = draw("leaderboard", words.join("\n"), Drawing::Board(picture)).await;
        let text = if picture.is_some() { format!("{title} · {time}") } else { words.join("\n") };
        Ok(Reply { text, picture, buttons, ..Reply::default() })
    }

    pub(super) async fn versus(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let lang = incoming.lang;
        let Some(player) = self.store().find(&incoming.user).await? else {
            return Ok(one(text::quiz::score_none(lang)));
        };
        let duels = self.store().duels(player).await?;
        if duels.is_empty() {
            return Ok(one(text::quiz::score_none(lang)));
        }
        let name = self.store().person_settings(player).await?.name;
        let total = duels.iter().fold(Duel::default(), |sum, (_, duel)| sum.plus(*duel));
        let areas = duels.iter().map(|(area, duel)| (text::short_area(lang, area).to_owned(), *duel));
        let rows = std::iter::once((text::quiz::versus_total(lang), total)).chain(areas);
        let picture = VersusPicture {
            title: text::quiz::versus_title(lang, &name),
            subtitle: text::quiz::versus_subtitle(lang),
            left_label: text::quiz::versus_left(lang),
            right_label: text::quiz::versus_right(lang),
            rows: rows.map(|(area, duel)| versus_row(lang, area, duel)).collect(),
        };
        let picture = draw("versus", text::quiz::versus_alt(lang), Drawing::Versus(picture)).await;
        Ok(vec![Reply { text: text::quiz::versus(lang, &duels), picture, ..Reply::default() }])
    }
}

fn pages(lang: Lang, scope: Scope, period: Period, page: u16, more: bool) -> Buttons {
    let to = |label: String, page: u16| Button { label, press: Press::Leaderboard { scope, period, page } };
    let before = page.checked_sub(1).map(|page| to(text::quiz::board_previous(lang), page));
    let after = page.checked_add(1).filter(|_| more).map(|page| to(text::quiz::board_next(lang), page));
    let row: Vec<Button> = before.into_iter().chain(after).collect();
    if row.is_empty() { Vec::new() } else { vec![row] }
}

fn board_picture(lang: Lang, board: &Board, me: Option<PlayerId>, title: String, subtitle: String) -> BoardPicture {
    let row = |row: &Row| BoardRow {
        rank: row.rank.to_string(),
        name: row.name.clone(),
        points: row.points.to_string(),
        accuracy: text::percent(share(row.right, row.answers)),
        share: share(row.right, row.answers),
        me: Some(row.player) == me,
    };
    let model = |model: &ModelRow| BoardRow {
        rank: text::quiz::board_model_rank(lang),
        name: model.name.clone(),
        points: String::new(),
        accuracy: text::percent(share(model.right, model.answers)),
        share: share(model.right, model.answers),
        me: false,
    };
    let (rows, model) = (board.rows.iter().map(row).collect(), board.model.as_ref().map(model));
    BoardPicture { title, subtitle, columns: text::quiz::board_columns(lang), rows, model }
}

fn share(right: i64, answers: i64) -> f32 {
    if answers > 0 { right as f32 / answers as f32 } else { 0.0 }
}

fn versus_row(lang: Lang, area: String, duel: Duel) -> VersusRow {
    let (low, difference, high) = duel.difference();
    VersusRow { area, detail: text::quiz::versus_row(lang, duel), low, difference, high, photos: duel.photos() }
}
