//! Which model is live, and how it came to be.

use jiff::Timestamp;

use super::{Store, StoreError, moment, ms};

/// A model that may be live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its folder among the models; empty for the model that the configuration names.
    pub folder: String,
    /// Short name: `drawn-world`.
    pub name: String,
    /// Version: `1.0.0`.
    pub version: String,
    /// SHA-256 of the network, 64 hexadecimal digits.
    pub sha256: String,
}

/// Why a model went live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// A comparison on photos that neither was trained on said that it is better; its JSON.
    Better(String),
    /// An admin wanted it for this reason.
    Forced(String),
    /// An admin went back to it.
    Rollback,
}

impl Ground {
    fn kind(&self) -> &'static str {
        match self {
            Self::Better(_) => "better",
            Self::Forced(_) => "forced",
            Self::Rollback => "rollback",
        }
    }
}

/// A change of the live model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Its number; later ones are higher.
    pub id: i64,
    /// The model that went live.
    pub candidate: Candidate,
    /// Why.
    pub ground: Ground,
    /// Who wanted it: `telegram:1234`, `discord:1234`, `terminal`.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The change that a rollback goes back to; `None` leads to the configured model.
    pub(crate) previous: Option<i64>,
}

struct PromotionRow {
    id: i64,
    folder: String,
    name: String,
    version: String,
    sha256: String,
    kind: String,
    reason: Option<String>,
    verdict: Option<String>,
    previous: Option<i64>,
    actor: String,
    at: i64,
}

impl PromotionRow {
    fn into_promotion(self) -> Result<Promotion, StoreError> {
        let ground = match self.kind.as_str() {
            "better" => Ground::Better(self.verdict.unwrap_or_default()),
            "forced" => Ground::Forced(self.reason.unwrap_or_default()),
            "rollback" => Ground::Rollback,
            other => return Err(StoreError::Content(format!("the promotion {other:?}"))),
        };
        let Self { id, folder, name, version, sha256, previous, actor, at, .. } = self;
        let candidate = Candidate { folder, name, version, sha256 };
        Ok(Promotion { id, candidate, ground, actor, at: moment(at)?, previous })
    }
}

impl Store {
    /// The change that made the live model live; `None` while that is the configured one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live_model(&self) -> Result<Option<Promotion>, StoreError> {
        let row = sqlx::query_as!(PromotionRow, "SELECT * FROM promotions ORDER BY id DESC LIMIT 1");
        row.fetch_optional(&self.reader).await?.map(PromotionRow::into_promotion).transpose()
    }

    /// The newest changes of the live model, at most `count`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn promotions(&self, count: u32) -> Result<Vec<Promotion>, StoreError> {
        let rows = sqlx::query_as!(PromotionRow, "SELECT * FROM promotions ORDER BY id DESC LIMIT ?", count);
        rows.fetch_all(&self.reader).await?.into_iter().map(PromotionRow::into_promotion).collect()
    }

    /// What a rollback goes back to from `live`; `None` for the configured model.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn model_before(&self, live: &Promotion) -> Result<Option<Promotion>, StoreError> {
        let row = sqlx::query_as!(PromotionRow, "SELECT * FROM promotions WHERE id = ?", live.previous);
        row.fetch_optional(&self.reader).await?.map(PromotionRow::into_promotion).transpose()
    }

    /// Notes that a model goes live. A rollback from it leads to what is live now; after a rollback, to what was live
    /// before the model that it went back to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn promote(
        &self,
        candidate: &Candidate,
        ground: &Ground,
        actor: &str,
        now: Timestamp,
    ) -> Result<Promotion, StoreError> {
        let mut tx = self.write().await?;
        let last = sqlx::query!("SELECT id, previous FROM promotions ORDER BY id DESC LIMIT 1");
        let last = last.fetch_optional(&mut *tx).await?;
        let previous = match (ground, last) {
            (_, None) => None,
            (Ground::Rollback, Some(live)) => {
                let back = sqlx::query_scalar!("SELECT previous FROM promotions WHERE id = ?", live.previous);
                back.fetch_optional(&mut *tx).await?.flatten()
            }
            (_, Some(live)) => Some(live.id),
        };
        let (reason, verdict) = match ground {
            Ground::Better(verdict) => (None, Some(verdict)),
            Ground::Forced(reason) => (Some(reason), None),
            Ground::Rollback => (None, None),
        };
        let (kind, at) = (ground.kind(), ms(now));
        let Candidate { folder, name, version, sha256 } = candidate;
        let row = sqlx::query_as!(
            PromotionRow,
            "INSERT INTO promotions (folder, name, version, sha256, kind, reason, verdict, previous, actor, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
            folder,
            name,
            version,
            sha256,
            kind,
            reason,
            verdict,
            previous,
            actor,
            at
        );
        let promotion = row.fetch_one(&mut *tx).await?.into_promotion()?;
        tx.commit().await?;
        Ok(promotion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(folder: &str) -> Candidate {
        let version = "1.0.0".to_owned();
        Candidate { folder: folder.to_owned(), name: format!("model {folder}"), version, sha256: "0".repeat(64) }
    }

    #[tokio::test]
    async fn rollbacks_walk_back_along_what_was_live() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("models.sqlite")).await.expect("opens");
        let now = "2026-11-26T03:00:00Z".parse().expect("a moment");
        assert_eq!(store.live_model().await.expect("readable"), None);
        for folder in ["a", "b", "c"] {
            let ground = Ground::Better(format!("{{\"{folder}\":1}}"));
            let promoted = store.promote(&candidate(folder), &ground, "terminal", now).await.expect("noted");
            assert_eq!((promoted.ground, promoted.at), (ground, now));
        }
        let mut back = Vec::new();
        for _ in 0..3 {
            let live = store.live_model().await.expect("readable").expect("promoted");
            let before = store.model_before(&live).await.expect("readable");
            let target = before.map_or_else(|| candidate(""), |before| before.candidate);
            back.push(target.folder.clone());
            store.promote(&target, &Ground::Rollback, "telegram:1", now).await.expect("noted");
        }
        assert_eq!(back, ["b", "a", ""]);
        let live = store.live_model().await.expect("readable").expect("promoted");
        assert_eq!((live.candidate.folder.as_str(), live.actor.as_str()), ("", "telegram:1"));
        let promotion = store.promote(&candidate("d"), &Ground::Forced("a test".to_owned()), "terminal", now).await;
        let promotion = promotion.expect("noted");
        assert_eq!(store.model_before(&promotion).await.expect("readable"), Some(live), "back to the configured one");
        let kinds: Vec<&str> =
            store.promotions(5).await.expect("readable").iter().map(|promotion| promotion.ground.kind()).collect();
        assert_eq!(kinds, ["forced", "rollback", "rollback", "rollback", "better"]);
    }
}
