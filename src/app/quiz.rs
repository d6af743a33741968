//! The quiz over its database.

use jiff::SignedDuration;

use crate::clock::SystemClock;
use crate::config;
use crate::infer::Core;
use crate::quiz::pool::Pool;
use crate::quiz::{Quiz, Rules};
use crate::store::Store;

/// Opens the database and draws the pool.
pub(super) async fn open(settings: &config::Quiz, core: Core) -> anyhow::Result<Quiz> {
    let store = Store::open(&settings.database).await?;
    let pool = tokio::task::spawn_blocking(Pool::drawn).await?;
    let last_call = SignedDuration::try_from(settings.last_call)?;
    let rules = Rules { last_call, zone: settings.zone.clone() };
    tracing::info!(database = %settings.database.display(), photos = pool.photos().len(), "quiz ready");
    Ok(Quiz::new(store, pool, core, std::sync::Arc::new(SystemClock), rules).await?)
}
