//! The quiz over its database.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::clock::SystemClock;
use crate::collect::dataset::Dataset;
use crate::config::{self, Config, PoolChoice};
use crate::infer::Core;
use crate::quiz::pool::Pool;
use crate::quiz::{Quiz, Rules};
use crate::store::Store;

/// Fills the pool for rounds in this database.
pub(super) async fn open(config: &Config, settings: &config::Quiz, store: Store, core: Core) -> anyhow::Result<Quiz> {
    let pool = match settings.pool {
        PoolChoice::Drawn => None,
        PoolChoice::Collected => collected(config, &store).await?,
    };
    let pool = match pool {
        Some(pool) => pool,
        None => tokio::task::spawn_blocking(Pool::drawn).await?,
    };
    let last_call = SignedDuration::try_from(settings.last_call)?;
    let rules = Rules { last_call, zone: settings.zone.clone() };
    tracing::info!(photos = pool.photos().len(), pool = ?settings.pool, "quiz ready");
    Ok(Quiz::new(store, pool, core, Arc::new(SystemClock), rules).await?)
}

/// The collected photos that may be asked about, if there are any.
async fn collected(config: &Config, store: &Store) -> anyhow::Result<Option<Pool>> {
    let dataset = Dataset::new(store.clone(), &config.collect.data_folder, Arc::new(SystemClock));
    let pool = Pool::collected(&dataset).await?;
    if pool.photos().is_empty() {
        tracing::warn!(
            "quiz.pool = \"collected\", but no picture of the quiz split is collected: the drawn world plays"
        );
        return Ok(None);
    }
    Ok(Some(pool))
}
