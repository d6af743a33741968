//! The quiz over its database.

use jiff::SignedDuration;

use crate::clock::SystemClock;
use crate::config;
use crate::infer::Core;
use crate::quiz::pool::Pool;
use crate::quiz::{Quiz, Rules};
use crate::store::Store;

/// Draws the pool for rounds in this database.
pub(super) async fn open(settings: &config::Quiz, store: Store, core: Core) -> anyhow::Result<Quiz> {
    let pool = tokio::task::spawn_blocking(Pool::drawn).await?;
    let last_call = SignedDuration::try_from(settings.last_call)?;
    let rules = Rules { last_call, zone: settings.zone.clone() };
    tracing::info!(photos = pool.photos().len(), "quiz ready");
    Ok(Quiz::new(store, pool, core, std::sync::Arc::new(SystemClock), rules).await?)
}
