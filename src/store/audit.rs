//! What admins did: who, when, where, what, and what came of it.

use jiff::Timestamp;

use super::{Store, StoreError, moment, ms, row};
use crate::domain::{ChatRef, UserRef};

/// Longest name and action that is kept, characters.
const KEPT: usize = 200;

/// An action of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAction {
    /// When.
    pub at: Timestamp,
    /// Who, by the service's own number.
    pub who: UserRef,
    /// The name that they showed.
    pub name: String,
    /// Where.
    pub chat: ChatRef,
    /// The command, with its words.
    pub action: String,
    /// What came of it: `begun` while it is carried out.
    pub outcome: String,
}

impl Store {
    /// Notes an action before it is carried out; its number, for [`Store::end_action`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_action(&self, action: &AdminAction) -> Result<i64, StoreError> {
        let cut = |words: &str| words.chars().take(KEPT).collect::<String>();
        let (at, platform) = (ms(action.at), action.who.platform.name());
        let (name, what) = (cut(&action.name), cut(&action.action));
        let note = sqlx::query!(
            "INSERT INTO audit (at, platform, person, name, chat, action, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
            at,
            platform,
            action.who.id,
            name,
            action.chat.id,
            what,
            action.outcome
        );
        Ok(note.execute(&self.writer).await?.last_insert_rowid())
    }

    /// Notes what came of an action.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_action(&self, id: i64, outcome: &str) -> Result<(), StoreError> {
        sqlx::query!("UPDATE audit SET outcome = ? WHERE id = ?", outcome, id).execute(&self.writer).await?;
        Ok(())
    }

    /// The newest actions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn actions(&self, most: u32) -> Result<Vec<AdminAction>, StoreError> {
        let found = sqlx::query!(
            "SELECT at, platform, person, name, chat, action, outcome FROM audit ORDER BY id DESC LIMIT ?",
            most
        );
        let mut actions = Vec::new();
        for found in found.fetch_all(&self.reader).await? {
            let platform = row::platform(&found.platform)?;
            actions.push(AdminAction {
                at: moment(found.at)?,
                who: UserRef { platform, id: found.person },
                name: found.name,
                chat: ChatRef { platform, id: found.chat },
                action: found.action,
                outcome: found.outcome,
            });
        }
        Ok(actions)
    }
}
