//! Messages that were taken on: which are being answered, which were, and which are owed a word.
//!
//! | state | meaning |
//! |---|---|
//! | `open` | this process answers it |
//! | `telling` | what is said about it is on the wire |
//! | `owed` | a process ended before it said anything |
//! | `doubtful` | whether what was said arrived is not known |
//! | `told` | it was answered, or nothing can be said |

use jiff::Timestamp;

use super::{Store, StoreError, ms};
use crate::domain::{ChatRef, Platform};

/// A message that was taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOn {
    /// Where it stands.
    pub chat: ChatRef,
    /// Its number there.
    pub message: i64,
    /// The topic of a forum.
    pub thread: Option<i64>,
    /// Tag of the language to answer in.
    pub lang: String,
    /// Whether photos came with it: who sent some hears of it even after a kill.
    pub photos: bool,
}

/// Messages of one chat, or of one topic, that nobody will answer any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    /// Where they stand.
    pub chat: ChatRef,
    /// The topic of a forum.
    pub thread: Option<i64>,
    /// Tag of the language of the first of them.
    pub lang: String,
    /// How many there are, 1 or more.
    pub messages: i64,
}

impl Store {
    /// Takes a message on. False when it was before and may have been answered: then it must not be again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_on(&self, taken: &TakenOn, now: Timestamp) -> Result<bool, StoreError> {
        let (platform, at) = (taken.chat.platform.name(), ms(now));
        let done = sqlx::query!(
            "INSERT INTO inbox (platform, chat, message, thread, lang, photos, state, at)
             VALUES (?, ?, ?, ?, ?, ?, 'open', ?)
             ON CONFLICT DO UPDATE SET state = 'open' WHERE state = 'owed'",
            platform,
            taken.chat.id,
            taken.message,
            taken.thread,
            taken.lang,
            taken.photos,
            at
        );
        Ok(done.execute(&self.writer).await?.rows_affected() > 0)
    }

    /// Forgets a message: it is not for the bot after all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn let_go(&self, chat: &ChatRef, message: i64) -> Result<(), StoreError> {
        let platform = chat.platform.name();
        let gone = sqlx::query!(
            "DELETE FROM inbox WHERE platform = ? AND chat = ? AND message = ?",
            platform,
            chat.id,
            message
        );
        gone.execute(&self.writer).await?;
        Ok(())
    }

    /// What is said about a message goes out now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn telling_message(&self, chat: &ChatRef, message: i64) -> Result<(), StoreError> {
        let platform = chat.platform.name();
        let telling = sqlx::query!(
            "UPDATE inbox SET state = 'telling' WHERE platform = ? AND chat = ? AND message = ? AND state = 'open'",
            platform,
            chat.id,
            message
        );
        telling.execute(&self.writer).await?;
        Ok(())
    }

    /// A message is done with; or, when photos came with it and what was said about them may not have `arrived`, in doubt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told_message(&self, chat: &ChatRef, message: i64, arrived: bool) -> Result<(), StoreError> {
        let platform = chat.platform.name();
        let told = sqlx::query!(
            "UPDATE inbox SET state = CASE WHEN ? OR photos = 0 THEN 'told' ELSE 'doubtful' END
             WHERE platform = ? AND chat = ? AND message = ? AND state IN ('open', 'telling')",
            arrived,
            platform,
            chat.id,
            message
        );
        told.execute(&self.writer).await?;
        Ok(())
    }

    /// Sorts what a process before this one left, and forgets what is older than `since`. Commands without photos are
    /// owed nothing; those that were not answered at all are taken on again if the service hands them out again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_over(&self, since: Timestamp) -> Result<(), StoreError> {
        let since = ms(since);
        let mut tx = self.write().await?;
        sqlx::query!("DELETE FROM inbox WHERE at < ?", since).execute(&mut *tx).await?;
        sqlx::query!("DELETE FROM inbox WHERE state = 'open' AND state <> 'told' AND photos = 0")
            .execute(&mut *tx)
            .await?;
        // The second condition lets SQLite use the index of what is unfinished.
        sqlx::query!("UPDATE inbox SET state = 'told' WHERE state = 'telling' AND state <> 'told' AND photos = 0")
            .execute(&mut *tx)
            .await?;
        sqlx::query!("UPDATE inbox SET state = 'owed' WHERE state = 'open' AND state <> 'told'")
            .execute(&mut *tx)
            .await?;
        sqlx::query!("UPDATE inbox SET state = 'doubtful' WHERE state = 'telling' AND state <> 'told'")
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets what is older than `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_messages(&self, since: Timestamp) -> Result<(), StoreError> {
        let since = ms(since);
        sqlx::query!("DELETE FROM inbox WHERE at < ?", since).execute(&self.writer).await?;
        Ok(())
    }

    /// What is owed on a service. The word about it goes out now: until [`Store::settle_debt`] a kill leaves it in doubt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn collect_debts(&self, platform: Platform) -> Result<Vec<Debt>, StoreError> {
        let name = platform.name();
        let mut tx = self.write().await?;
        let rows = sqlx::query!(
            r#"SELECT chat AS "chat!", thread, min(message) AS "first!: i64", lang AS "lang!", count(*) AS "messages!: i64" FROM inbox
               WHERE state IN ('owed', 'doubtful') AND state <> 'told' AND platform = ? GROUP BY chat, thread"#,
            name
        );
        let rows = rows.fetch_all(&mut *tx).await?;
        sqlx::query!(
            "UPDATE inbox SET state = 'doubtful' WHERE state = 'owed' AND state <> 'told' AND platform = ?",
            name
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        let debts = rows.into_iter().map(|row| Debt {
            chat: ChatRef { platform, id: row.chat },
            thread: row.thread,
            lang: row.lang,
            messages: row.messages,
        });
        Ok(debts.collect())
    }

    /// The chat knows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_debt(&self, debt: &Debt, before: Timestamp) -> Result<(), StoreError> {
        let (platform, before) = (debt.chat.platform.name(), ms(before));
        let settled = sqlx::query!(
            "UPDATE inbox SET state = 'told'
             WHERE state = 'doubtful' AND state <> 'told' AND platform = ? AND chat = ? AND thread IS ? AND at <= ?",
            platform,
            debt.chat.id,
            debt.thread,
            before
        );
        settled.execute(&self.writer).await?;
        Ok(())
    }
}
