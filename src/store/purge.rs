//! What is old enough to be forgotten.

use jiff::Timestamp;

use super::{Store, StoreError, ms};

impl Store {
    /// Forgets what admins did before `before`; how many actions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_actions(&self, before: Timestamp) -> Result<u64, StoreError> {
        let before = ms(before);
        let gone = sqlx::query!("DELETE FROM audit WHERE at < ?", before).execute(&self.writer).await?;
        Ok(gone.rows_affected())
    }

    /// Forgets jobs that ended before `before` and of whose end their chat knows; how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_jobs(&self, before: Timestamp) -> Result<u64, StoreError> {
        let before = ms(before);
        let gone = sqlx::query!("DELETE FROM jobs WHERE ended_at IS NOT NULL AND told = 1 AND ended_at < ?", before);
        Ok(gone.execute(&self.writer).await?.rows_affected())
    }

    /// Forgets points that were asked about before `before`, with what was seen there and not kept as a picture; how many
    /// points. A run whose plan holds them asks again.
    ///
    /// # Errors
    /// When the database fails; then nothing is forgotten.
    pub async fn forget_points(&self, before: Timestamp) -> Result<u64, StoreError> {
        let before = ms(before);
        let mut tx = self.write().await?;
        let seen = sqlx::query!(
            "DELETE FROM sightings WHERE (source, id) IN (
                 SELECT s.source, s.id FROM points AS p INDEXED BY points_asked
                 JOIN sightings AS s INDEXED BY sightings_of_point
                     ON s.source = p.source AND s.of_place_id = p.place_id AND s.number = p.number
                 WHERE p.asked_at < ?
                     AND NOT EXISTS (SELECT 1 FROM images AS i WHERE i.source = s.source AND i.image = s.id))",
            before
        );
        seen.execute(&mut *tx).await?;
        let gone = sqlx::query!("DELETE FROM points WHERE asked_at < ?", before).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}
