//! Photos that people gave as test photos, and their consent.

use jiff::Timestamp;

use super::{Store, StoreError, ms};
use crate::domain::{Coordinate, UserRef};

/// A photo that is given.
#[derive(Clone, Debug, PartialEq)]
pub struct NewGift {
    /// The question that was answered with yes.
    pub offer: i64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Who gives it.
    pub who: UserRef,
    /// Full Japanese name of its area.
    pub area: String,
    /// Where it was taken, rounded.
    pub at: Coordinate,
}

/// What became of a photo that somebody wanted to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiftKept {
    /// It is kept.
    New,
    /// Somebody has given it already, and it stays theirs.
    Known,
    /// They have given as many as are kept of one person.
    Enough,
}

/// A photo that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Gift {
    /// Its number; later ones have larger numbers.
    pub id: i64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Full Japanese name of its area.
    pub area: String,
    /// Where it was taken, rounded.
    pub at: Coordinate,
}

impl Store {
    /// Notes a consent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_gift(&self, gift: &NewGift, now: Timestamp) -> Result<GiftKept, StoreError> {
        let (platform, now) = (gift.who.platform.name(), ms(now));
        let note = sqlx::query!(
            "INSERT INTO gifts (offer, sha256, platform, person, area, lat, lng, given_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
            gift.offer,
            gift.sha256,
            platform,
            gift.who.id,
            gift.area,
            gift.at.lat,
            gift.at.lng,
            now
        );
        let is_new = note.execute(&self.writer).await?.rows_affected() > 0;
        Ok(if is_new { GiftKept::New } else { GiftKept::Known })
    }

    /// How many photos somebody has given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gifts_of(&self, who: &UserRef) -> Result<u64, StoreError> {
        let platform = who.platform.name();
        let count =
            sqlx::query_scalar!("SELECT COUNT(*) FROM gifts WHERE platform = ? AND person = ?", platform, who.id);
        Ok(count.fetch_one(&self.reader).await?.cast_unsigned())
    }

    /// Photos that were given after the one of that number, the oldest first, at most `most`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gifts_after(&self, after: i64, most: u32) -> Result<Vec<Gift>, StoreError> {
        let found =
            sqlx::query!("SELECT id, sha256, area, lat, lng FROM gifts WHERE id > ? ORDER BY id LIMIT ?", after, most);
        let found = found.fetch_all(&self.reader).await?.into_iter();
        let gift = found.map(|row| Gift {
            id: row.id,
            sha256: row.sha256,
            area: row.area,
            at: Coordinate { lat: row.lat, lng: row.lng },
        });
        Ok(gift.collect())
    }

    /// Whether the file of that hash is a gift.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_gift(&self, sha256: &str) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!("SELECT id FROM gifts WHERE sha256 = ?", sha256);
        Ok(found.fetch_optional(&self.reader).await?.is_some())
    }

    /// Takes back what somebody gave when they were asked that question; the hashes of the files that have to go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw_gifts(&self, who: &UserRef, offer: i64) -> Result<Vec<String>, StoreError> {
        let platform = who.platform.name();
        let gone = sqlx::query_scalar!(
            "DELETE FROM gifts WHERE offer = ? AND platform = ? AND person = ? RETURNING sha256",
            offer,
            platform,
            who.id
        );
        Ok(gone.fetch_all(&self.writer).await?)
    }

    /// Takes back everything that somebody gave, on every service that they have linked; the hashes of the files that
    /// have to go.
    ///
    /// # Errors
    /// When the database fails; then nothing is taken back.
    pub async fn forget_gifts(&self, who: &UserRef) -> Result<Vec<String>, StoreError> {
        let platform = who.platform.name();
        let mut tx = self.write().await?;
        let own = sqlx::query_scalar!(
            "DELETE FROM gifts WHERE platform = ? AND person = ? RETURNING sha256",
            platform,
            who.id
        );
        let mut gone = own.fetch_all(&mut *tx).await?;
        let linked = sqlx::query_scalar!(
            "DELETE FROM gifts WHERE id IN (
                 SELECT gifts.id FROM identities AS own
                 JOIN identities AS linked ON linked.player_id = own.player_id
                 JOIN gifts ON gifts.platform = linked.platform AND gifts.person = linked.external_id
                 WHERE own.platform = ? AND own.external_id = ?)
             RETURNING sha256",
            platform,
            who.id
        );
        gone.extend(linked.fetch_all(&mut *tx).await?);
        tx.commit().await?;
        Ok(gone)
    }
}
