//! People: who they are, what they chose, and how they are forgotten.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};

use super::{Store, StoreError, ms};
use crate::domain::quiz::PlayerId;
use crate::domain::{ChatRef, UserRef};

/// Longest name that is kept, characters.
const NAME: usize = 64;

/// What a person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonSettings {
    /// The name that they showed last.
    pub name: String,
    /// IANA time zone of their days.
    pub time_zone: String,
    /// The hour at which their days begin, 0 to 23.
    pub day_starts_hour: i8,
    /// Whether they want no scores kept.
    pub opted_out: bool,
}

impl Store {
    /// The number of a person, made when they are new; their name is brought up to date.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person(&self, who: &UserRef, name: &str, zone: &str, now: Timestamp) -> Result<PlayerId, StoreError> {
        let name: String = name.chars().take(NAME).collect();
        if let Some((id, known)) = self.identity(who).await?
            && known == name
        {
            return Ok(PlayerId(id));
        }
        let (platform, now) = (who.platform.name(), ms(now));
        let mut tx = self.write().await?;
        let found = sqlx::query_scalar!(
            "SELECT player_id FROM identities WHERE platform = ? AND external_id = ?",
            platform,
            who.id
        );
        let id = match found.fetch_optional(&mut *tx).await? {
            Some(id) => {
                sqlx::query!("UPDATE players SET name = ? WHERE id = ?", name, id).execute(&mut *tx).await?;
                id
            }
            None => {
                let new =
                    sqlx::query!("INSERT INTO players (name, time_zone, created_at) VALUES (?, ?, ?)", name, zone, now);
                let id = new.execute(&mut *tx).await?.last_insert_rowid();
                let link = sqlx::query!(
                    "INSERT INTO identities (platform, external_id, player_id) VALUES (?, ?, ?)",
                    platform,
                    who.id,
                    id
                );
                link.execute(&mut *tx).await?;
                id
            }
        };
        tx.commit().await?;
        Ok(PlayerId(id))
    }

    async fn identity(&self, who: &UserRef) -> Result<Option<(i64, String)>, StoreError> {
        let platform = who.platform.name();
        let found = sqlx::query!(
            "SELECT players.id, players.name FROM identities JOIN players ON players.id = identities.player_id
             WHERE platform = ? AND external_id = ?",
            platform,
            who.id
        );
        Ok(found.fetch_optional(&self.reader).await?.map(|row| (row.id, row.name)))
    }

    /// The number of a person who is known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, who: &UserRef) -> Result<Option<PlayerId>, StoreError> {
        Ok(self.identity(who).await?.map(|(id, _)| PlayerId(id)))
    }

    /// What a person chose.
    ///
    /// # Errors
    /// When the database fails, and for a number of nobody.
    pub async fn person_settings(&self, player: PlayerId) -> Result<PersonSettings, StoreError> {
        let row =
            sqlx::query!("SELECT name, time_zone, day_starts_hour, opted_out FROM players WHERE id = ?", player.0);
        let row = row.fetch_one(&self.reader).await?;
        let day_starts_hour = i8::try_from(row.day_starts_hour).unwrap_or(0);
        Ok(PersonSettings { name: row.name, time_zone: row.time_zone, day_starts_hour, opted_out: row.opted_out != 0 })
    }

    /// Sets when a person's days begin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_day(&self, player: PlayerId, zone: &str, hour: i8) -> Result<(), StoreError> {
        let hour = i64::from(hour);
        let set =
            sqlx::query!("UPDATE players SET time_zone = ?, day_starts_hour = ? WHERE id = ?", zone, hour, player.0);
        set.execute(&self.writer).await?;
        Ok(())
    }

    /// Keeps no more scores of a person and hides the old ones, or the other way round.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_opted_out(&self, player: PlayerId, out: bool) -> Result<(), StoreError> {
        let out = i64::from(out);
        let mut tx = self.write().await?;
        sqlx::query!("UPDATE players SET opted_out = ? WHERE id = ?", out, player.0).execute(&mut *tx).await?;
        sqlx::query!("UPDATE standings SET hidden = ? WHERE player_id = ?", out, player.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Notes that a person has left a chat, if both are known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave(&self, chat: &ChatRef, who: &UserRef) -> Result<(), StoreError> {
        let (chat_platform, platform) = (chat.platform.name(), who.platform.name());
        let note = sqlx::query!(
            "INSERT INTO departures (chat_id, player_id)
             SELECT chats.id, identities.player_id FROM chats, identities
             WHERE chats.platform = ? AND chats.external_id = ?
               AND identities.platform = ? AND identities.external_id = ?
             ON CONFLICT DO NOTHING",
            chat_platform,
            chat.id,
            platform,
            who.id
        );
        note.execute(&self.writer).await?;
        Ok(())
    }

    /// Notes that a person is in a chat again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn come(&self, chat: &ChatRef, who: &UserRef) -> Result<(), StoreError> {
        let (chat_platform, platform) = (chat.platform.name(), who.platform.name());
        let note = sqlx::query!(
            "DELETE FROM departures
             WHERE chat_id = (SELECT id FROM chats WHERE platform = ? AND external_id = ?)
               AND player_id = (SELECT player_id FROM identities WHERE platform = ? AND external_id = ?)",
            chat_platform,
            chat.id,
            platform,
            who.id
        );
        note.execute(&self.writer).await?;
        Ok(())
    }

    /// Removes everything about a person, all their identities included, in one transaction; the sums of the rounds
    /// that they played are those of the others then. Whether there was anything.
    ///
    /// # Errors
    /// When the database fails; then nothing is removed.
    pub async fn forget(&self, who: &UserRef) -> Result<bool, StoreError> {
        let platform = who.platform.name();
        let mut tx = self.write().await?;
        let found = sqlx::query_scalar!(
            "SELECT player_id FROM identities WHERE platform = ? AND external_id = ?",
            platform,
            who.id
        );
        let Some(id) = found.fetch_optional(&mut *tx).await? else { return Ok(false) };
        drop_answers(&mut tx, id).await?;
        for removal in [
            sqlx::query!("DELETE FROM identities WHERE player_id = ?", id),
            sqlx::query!("DELETE FROM link_codes WHERE player_id = ?", id),
            sqlx::query!("DELETE FROM departures WHERE player_id = ?", id),
            sqlx::query!("DELETE FROM standings WHERE player_id = ?", id),
            sqlx::query!("DELETE FROM duels WHERE player_id = ?", id),
            sqlx::query!("UPDATE rounds SET starter_id = NULL WHERE starter_id = ?", id),
            sqlx::query!("DELETE FROM players WHERE id = ?", id),
        ] {
            removal.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Removes a person's answers and entries, and takes them out of the sums of their rounds.
async fn drop_answers(tx: &mut Transaction<'_, Sqlite>, player: i64) -> Result<(), StoreError> {
    let rounds = sqlx::query_scalar!("SELECT round_id FROM entries WHERE player_id = ?", player);
    for round in rounds.fetch_all(&mut **tx).await? {
        drop_entry(tx, round, player).await?;
    }
    Ok(())
}

/// Removes a person from one round, and from its sums.
pub(super) async fn drop_entry(tx: &mut Transaction<'_, Sqlite>, round: i64, player: i64) -> Result<(), StoreError> {
    let gone = sqlx::query!("DELETE FROM answers WHERE round_id = ? AND player_id = ?", round, player);
    gone.execute(&mut **tx).await?;
    let gone = sqlx::query!("DELETE FROM entries WHERE round_id = ? AND player_id = ?", round, player);
    gone.execute(&mut **tx).await?;
    sum_up(tx, round).await
}

/// The sums of a round, from its answers.
pub(super) async fn sum_up(tx: &mut Transaction<'_, Sqlite>, round: i64) -> Result<(), StoreError> {
    let sum = sqlx::query!(
        "UPDATE rounds SET (answers, right_answers, points) =
             (SELECT COUNT(*), COALESCE(SUM(is_right), 0), COALESCE(SUM(points), 0) FROM answers
              WHERE round_id = rounds.id)
         WHERE id = ?",
        round
    );
    sum.execute(&mut **tx).await?;
    Ok(())
}
