//! `/link`, `/day`, `/optout` and `/forget`: what people decide about their own scores.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Table, one};
use crate::chat::message::{ChatKind, Incoming, Reply};
use crate::chat::{text, wish};
use crate::quiz::chance::tidy_code;
use crate::store::StoreError;

/// How long a code joins identities.
const CODE_VALID: Duration = Duration::from_secs(600);
/// Letters of a code: 50 bits, for ten minutes.
const CODE_LETTERS: usize = 10;

impl Table {
    pub(super) async fn link(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let (lang, now) = (incoming.lang, self.inner.quiz.clock().now());
        let typed = wish::value(&incoming.arguments);
        if !typed.is_empty() {
            let player = self.player(&incoming.user, &incoming.name).await?;
            let taken = self.store().take_link(&tidy_code(typed), player, now).await?;
            return Ok(one(taken.map_or_else(|e| text::quiz::link_error(lang, &e), |()| text::quiz::link_done(lang))));
        }
        if incoming.kind == ChatKind::Group {
            return Ok(one(text::quiz::link_private(lang)));
        }
        let player = self.player(&incoming.user, &incoming.name).await?;
        let code = self.inner.quiz.chance("link").code(CODE_LETTERS);
        let expires = now.saturating_add(CODE_VALID).unwrap_or(now);
        self.store().offer_link(player, &code, expires, now).await?;
        Ok(one(text::quiz::link_code(lang, &code, CODE_VALID)))
    }

    pub(super) async fn day(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let lang = incoming.lang;
        let player = self.player(&incoming.user, &incoming.name).await?;
        let person = self.store().person_settings(player).await?;
        let (mut zone, mut hour) = (person.time_zone, person.day_starts_hour);
        if incoming.arguments.trim().is_empty() {
            return Ok(one(text::quiz::day(lang, &zone, hour, false)));
        }
        for word in incoming.arguments.split_whitespace() {
            let value = wish::value(word);
            let known = TimeZone::get(value).ok().and_then(|found| found.iana_name().map(str::to_owned));
            match (value.parse::<i8>(), known) {
                (Ok(asked), _) if (0..=23).contains(&asked) => hour = asked,
                (_, Some(found)) => zone = found,
                _ => return Ok(one(text::quiz::day_bad(lang))),
            }
        }
        self.store().set_day(player, &zone, hour).await?;
        Ok(one(text::quiz::day(lang, &zone, hour, true)))
    }

    pub(super) async fn opt_out(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let out = !wish::value(&incoming.arguments).eq_ignore_ascii_case("off");
        let player = self.player(&incoming.user, &incoming.name).await?;
        self.store().set_opted_out(player, out).await?;
        Ok(one(text::quiz::optout(incoming.lang, out)))
    }

    pub(super) async fn forget(&self, incoming: &Incoming) -> Result<Vec<Reply>, StoreError> {
        let had_any = self.store().forget(&incoming.user).await?;
        // Somebody the round waited for may be gone.
        self.inner.quiz.stir();
        Ok(one(text::quiz::forgotten(incoming.lang, had_any)))
    }
}
