//! One person on several services.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{Sqlite, Transaction};

use super::people::drop_entry;
use super::{Store, StoreError, ms};
use crate::domain::quiz::PlayerId;

/// Why a code joins nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no such code (any more).
    #[error("no such code")]
    Unknown,
    /// Both are the same person already.
    #[error("the same person")]
    Same,
}

fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}

impl Store {
    /// Keeps a code (its hash) by which another identity can join this person until `expires`; older codes of the
    /// person, and everybody's expired ones, are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer_link(
        &self,
        player: PlayerId,
        code: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (code, expires, now) = (hash(code), ms(expires), ms(now));
        let mut tx = self.write().await?;
        let old = sqlx::query!("DELETE FROM link_codes WHERE player_id = ? OR expires_at < ?", player.0, now);
        old.execute(&mut *tx).await?;
        let new = sqlx::query!(
            "INSERT INTO link_codes (code_sha256, player_id, expires_at) VALUES (?, ?, ?)",
            code,
            player.0,
            expires
        );
        new.execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Joins a person to the one who offered the code, which is used up.
    ///
    /// Where both played the same round, the joining person's answers are dropped; where both played the same photos in
    /// different rounds, only the first to close counts. Points add up; the rating is the mean weighted by rated rounds,
    /// the streak the better one.
    ///
    /// # Errors
    /// When the database fails; the inner error says why the code joins nothing.
    pub async fn take_link(
        &self,
        code: &str,
        player: PlayerId,
        now: Timestamp,
    ) -> Result<Result<(), LinkError>, StoreError> {
        let (code, now) = (hash(code), ms(now));
        let mut tx = self.write().await?;
        let offered = sqlx::query_scalar!(
            "SELECT player_id FROM link_codes WHERE code_sha256 = ? AND expires_at >= ?",
            code,
            now
        );
        let Some(into) = offered.fetch_optional(&mut *tx).await? else { return Ok(Err(LinkError::Unknown)) };
        if into == player.0 {
            return Ok(Err(LinkError::Same));
        }
        merge(&mut tx, player.0, into).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}

async fn merge(tx: &mut Transaction<'_, Sqlite>, from: i64, into: i64) -> Result<(), StoreError> {
    let both = sqlx::query_scalar!(
        "SELECT round_id FROM entries WHERE player_id = ? AND round_id IN
             (SELECT round_id FROM entries WHERE player_id = ?)",
        from,
        into
    );
    for round in both.fetch_all(&mut **tx).await? {
        unscore(tx, round, from).await?;
        drop_entry(tx, round, from).await?;
    }
    for row in known_twice(tx, from, into).await? {
        unscore(tx, row.0, row.1).await?;
    }
    // Answers hang on entries: these are copied, the answers moved, the old entries removed.
    for step in [
        sqlx::query!(
            "INSERT INTO entries (round_id, player_id, answered, right_answers, points, rating_change, scored)
             SELECT round_id, ?, answered, right_answers, points, rating_change, scored FROM entries
             WHERE player_id = ?",
            into,
            from
        ),
        sqlx::query!(
            "UPDATE answers SET player_id = ? WHERE player_id = ? AND round_id IN
                 (SELECT round_id FROM entries WHERE player_id = ?)",
            into,
            from,
            from
        ),
        sqlx::query!("DELETE FROM entries WHERE player_id = ?", from),
        sqlx::query!(
            "INSERT INTO standings (chat_id, period, player_id, answers, right_answers, points, hidden)
             SELECT s.chat_id, s.period, p.id, s.answers, s.right_answers, s.points, p.opted_out
             FROM standings AS s, players AS p WHERE s.player_id = ? AND p.id = ?
             ON CONFLICT DO UPDATE SET answers = answers + excluded.answers,
                 right_answers = right_answers + excluded.right_answers, points = points + excluded.points",
            from,
            into
        ),
        sqlx::query!("DELETE FROM standings WHERE player_id = ?", from),
        sqlx::query!(
            "INSERT INTO duels (player_id, area, both, person, model, neither)
             SELECT ?, area, both, person, model, neither FROM duels WHERE player_id = ?
             ON CONFLICT DO UPDATE SET both = both + excluded.both, person = person + excluded.person,
                 model = model + excluded.model, neither = neither + excluded.neither",
            into,
            from
        ),
        sqlx::query!("DELETE FROM duels WHERE player_id = ?", from),
        sqlx::query!(
            "UPDATE players AS p SET
                 rating = CASE WHEN p.rated_rounds + f.rated_rounds = 0 THEN p.rating ELSE
                     (p.rating * p.rated_rounds + f.rating * f.rated_rounds) / (p.rated_rounds + f.rated_rounds) END,
                 rated_rounds = p.rated_rounds + f.rated_rounds,
                 opted_out = MAX(p.opted_out, f.opted_out),
                 streak_best = MAX(p.streak_best, f.streak_best),
                 streak_days = CASE WHEN f.streak_days > p.streak_days THEN f.streak_days ELSE p.streak_days END,
                 streak_last = CASE WHEN f.streak_days > p.streak_days THEN f.streak_last ELSE p.streak_last END
             FROM players AS f WHERE f.id = ? AND p.id = ?",
            from,
            into
        ),
        sqlx::query!(
            "UPDATE standings SET hidden = (SELECT opted_out FROM players WHERE id = player_id) WHERE player_id = ?",
            into
        ),
        sqlx::query!("UPDATE identities SET player_id = ? WHERE player_id = ?", into, from),
        sqlx::query!("UPDATE rounds SET starter_id = ? WHERE starter_id = ?", into, from),
        sqlx::query!("DELETE FROM link_codes WHERE player_id IN (?, ?)", from, into),
        sqlx::query!("DELETE FROM departures WHERE player_id = ?", from),
        sqlx::query!("DELETE FROM players WHERE id = ?", from),
    ] {
        step.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Scored rounds with photos that the other of two people knew from a round that closed before, with whose they are.
async fn known_twice(tx: &mut Transaction<'_, Sqlite>, one: i64, other: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    let pairs = sqlx::query!(
        "SELECT e.round_id AS \"mine!\", o.round_id AS \"theirs!\",
                (r.closed_at, r.id) > (q.closed_at, q.id) AS \"mine_is_later!: bool\"
         FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
              JOIN rounds AS q ON q.set_id = r.set_id AND q.id <> r.id
              JOIN entries AS o ON o.round_id = q.id AND o.player_id = ?
         WHERE e.player_id = ? AND e.scored = 1 AND o.scored = 1",
        other,
        one
    );
    let pairs = pairs.fetch_all(&mut **tx).await?.into_iter();
    Ok(pairs.map(|pair| if pair.mine_is_later { (pair.mine, one) } else { (pair.theirs, other) }).collect())
}

/// Takes one round of a person out of their duels with the model.
async fn uncount_duels(tx: &mut Transaction<'_, Sqlite>, round: i64, player: i64) -> Result<(), StoreError> {
    let photos = sqlx::query!(
        "UPDATE duels AS d SET both = d.both - n.both, person = d.person - n.person, model = d.model - n.model,
             neither = d.neither - n.neither
         FROM (SELECT json_extract(r.areas, '$[' || q.truth || ']') AS area,
                      SUM(a.is_right AND q.guess = q.truth) AS both, SUM(a.is_right AND q.guess <> q.truth) AS person,
                      SUM(NOT a.is_right AND q.guess = q.truth) AS model,
                      SUM(NOT a.is_right AND q.guess <> q.truth) AS neither
               FROM answers AS a JOIN rounds AS r ON r.id = a.round_id
                    JOIN questions AS q ON q.round_id = a.round_id AND q.number = a.number
               WHERE a.round_id = ? AND a.player_id = ? GROUP BY 1) AS n
         WHERE d.player_id = ? AND d.area = n.area",
        round,
        player,
        player
    );
    photos.execute(&mut **tx).await?;
    let none = sqlx::query!("DELETE FROM duels WHERE player_id = ? AND both + person + model + neither = 0", player);
    none.execute(&mut **tx).await?;
    Ok(())
}

/// Takes one round of a person out of their standings and duels; what they answered in it stays.
async fn unscore(tx: &mut Transaction<'_, Sqlite>, round: i64, player: i64) -> Result<(), StoreError> {
    let entry = sqlx::query!(
        "SELECT e.answered, COALESCE(e.right_answers, 0) AS \"right!: i64\", COALESCE(e.points, 0) AS \"points!: i64\",
                r.chat_id, r.periods AS \"periods!: String\"
         FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
         WHERE e.round_id = ? AND e.player_id = ? AND e.scored = 1 AND r.periods IS NOT NULL",
        round,
        player
    );
    let Some(entry) = entry.fetch_optional(&mut **tx).await? else { return Ok(()) };
    for period in entry.periods.split(' ') {
        let take = sqlx::query!(
            "UPDATE standings SET answers = answers - ?, right_answers = right_answers - ?, points = points - ?
             WHERE player_id = ? AND period = ? AND chat_id IN (0, ?)",
            entry.answered,
            entry.right,
            entry.points,
            player,
            period,
            entry.chat_id
        );
        take.execute(&mut **tx).await?;
    }
    uncount_duels(tx, round, player).await?;
    let note = sqlx::query!("UPDATE entries SET scored = 0 WHERE round_id = ? AND player_id = ?", round, player);
    note.execute(&mut **tx).await?;
    Ok(())
}
