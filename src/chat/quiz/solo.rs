//! Rounds of the page and of the terminal: nobody is written to there, so whoever plays asks how the round stands.

use jiff::{SignedDuration, Timestamp};

use super::Table;
use crate::chat::message::{ChatRef, UserRef};
use crate::domain::quiz::{PlayerId, Round, RoundId};
use crate::quiz::Photos;
use crate::store::{Outcome, StoreError};

/// How a person's round stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The round that runs, or the last one that was played.
    pub round: Round,
    /// The person's answers by photo: indices into the round's areas.
    pub choices: Vec<Option<u8>>,
    /// The person, if they are known.
    pub player: Option<PlayerId>,
    /// Seconds until the bell, 0 once it has rung.
    pub seconds_left: f64,
    /// The results, once the bell has rung.
    pub outcome: Option<Outcome>,
}

impl Table {
    /// The round that runs in `chat`, else the last one that was played there, as `user` sees it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&self, chat: &ChatRef, user: &UserRef) -> Result<Option<Standing>, StoreError> {
        // The bell may be due this very moment: whoever asks sees the results, not a round that takes no answers.
        self.inner.quiz.ring().await?;
        let round = match self.store().running(chat).await? {
            Some(running) => Some(running),
            None => self.store().last_closed(chat).await?,
        };
        let Some(round) = round else { return Ok(None) };
        let player = self.store().find(user).await?;
        let choices = match player {
            Some(player) => self.store().choices(&round, player).await?,
            None => vec![None; round.questions.len()],
        };
        let outcome = self.store().outcome(round.id).await?;
        let seconds_left = round.bell.map_or(0.0, |bell| seconds_between(self.inner.quiz.clock().now(), bell));
        Ok(Some(Standing { round, choices, player, seconds_left, outcome }))
    }

    /// The photos of a round of `chat`, as the model saw them; `None` for a round of another chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn photos_of(&self, chat: &ChatRef, round: RoundId) -> Result<Option<Photos>, StoreError> {
        let Some(round) = self.store().round(round).await?.filter(|round| round.chat == *chat) else {
            return Ok(None);
        };
        Ok(self.photos(&round).await)
    }

    /// The name that a person goes by, if they are known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn name_of(&self, user: &UserRef) -> Result<Option<String>, StoreError> {
        match self.store().find(user).await? {
            Some(player) => Ok(Some(self.store().person_settings(player).await?.name)),
            None => Ok(None),
        }
    }

    /// Ends with this millisecond: an answer in the bell's own still counts.
    pub async fn next_moment(&self) {
        let clock = self.inner.quiz.clock();
        if let Ok(next) = clock.now().saturating_add(SignedDuration::from_millis(1)) {
            clock.until(next).await;
        }
    }

    /// A token that nobody can guess, for a person of the page: 130 bits.
    #[must_use]
    pub fn token(&self) -> String {
        self.inner.quiz.chance("page player").code(TOKEN_LETTERS)
    }
}

/// Letters of a token, 5 bits each.
pub const TOKEN_LETTERS: usize = 26;

fn seconds_between(now: Timestamp, bell: Timestamp) -> f64 {
    bell.duration_since(now).as_secs_f64().max(0.0)
}
