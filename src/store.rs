//! The database: the only SQL of the program.
//!
//! SQLite in WAL mode. One connection writes, so that transactions queue in the program rather than fail with
//! "database is locked"; others read. Every query is checked against the migrations when the program is compiled,
//! by the cache in `.sqlx` (`.ci/sqlx` renews it).

mod audit;
mod copy;
mod gifts;
mod images;
mod inbox;
mod jobs;
mod links;
mod lock;
mod people;
pub mod promotions;
mod purge;
mod rounds;
mod row;
pub mod scores;
mod settle;
mod sightings;
mod spend;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

pub use self::audit::AdminAction;
pub use self::copy::Looked;
pub use self::gifts::{Gift, GiftKept, NewGift};
pub use self::images::{ImageId, ImageSum, Kept, NewImage, StoredImage};
pub use self::inbox::{Debt, TakenOn};
pub use self::jobs::{Confirmed, JobEnd};
pub use self::links::LinkError;
pub use self::lock::{Collecting, LockError};
pub use self::people::PersonSettings;
pub use self::rounds::{Accepted, Busy, NewRound, NewSet, StoredSet};
pub use self::scores::{Board, ModelRow, Row, Score};
pub use self::settle::{Entry, Outcome};
pub use self::sightings::{AreaPoints, AskedPoint, KnownPoint, Place, PointOutcome, Seen};
pub use self::spend::{Doubt, Implausible, Reconciled};

/// Connections that read.
const READERS: u32 = 4;
/// How long a transaction waits for another program that writes, such as a backup.
const BUSY: Duration = Duration::from_secs(10);

/// What went wrong in the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made, or is no database of this program.
    #[error("cannot open the database {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// A query failed.
    #[error("the database failed: {0}")]
    Query(#[from] sqlx::Error),
    /// What is stored makes no sense to this version of the program.
    #[error("the database holds {0}")]
    Content(String),
}

/// The scores and the dataset; clones share the connections.
#[derive(Clone)]
pub struct Store {
    path: Arc<Path>,
    writer: SqlitePool,
    reader: SqlitePool,
}

impl Store {
    /// Opens the database, makes it and its folder when missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let refused = |reason: String| StoreError::Open { path: path.to_owned(), reason };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| refused(error.to_string()))?;
        }
        let opening = lock::opening(path).await.map_err(|error| refused(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL nothing can be damaged; a power cut may cost the last answers.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .optimize_on_close(true, None);
        let connect = |count: u32| SqlitePoolOptions::new().max_connections(count).connect_with(options.clone());
        let writer = connect(1).await.map_err(|error| refused(error.to_string()))?;
        sqlx::migrate!().run(&writer).await.map_err(|error| refused(error.to_string()))?;
        let reader = connect(READERS).await.map_err(|error| refused(error.to_string()))?;
        drop(opening);
        Ok(Self { path: path.into(), writer, reader })
    }

    /// Writes everything to the file and closes it.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// The connection for writing, for benchmarks that fill a database.
    #[doc(hidden)]
    #[must_use]
    pub fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// The secret of this database, made when it is first asked for: it seeds what nobody may foresee.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn secret(&self) -> Result<[u8; 32], StoreError> {
        let mut tx = self.write().await?;
        sqlx::query!("INSERT INTO settings (name, value) VALUES ('secret', randomblob(32)) ON CONFLICT DO NOTHING")
            .execute(&mut *tx)
            .await?;
        let value = sqlx::query_scalar!("SELECT value FROM settings WHERE name = 'secret'").fetch_one(&mut *tx).await?;
        tx.commit().await?;
        value.try_into().map_err(|_| StoreError::Content("a secret of another length".to_owned()))
    }

    /// The connection for writing, set so that what is committed on it is on the disk: not even a power cut may forget
    /// that money was spent. [`relax`] sets it back; after an error it stays as it is, which is slow and safe.
    async fn durable(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let mut db = self.writer.acquire().await?;
        sqlx::query("PRAGMA synchronous = FULL").execute(&mut *db).await?;
        Ok(db)
    }

    /// A transaction that writes from its beginning, so that it never has to give way half-done.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Ends what [`Store::durable`] began.
async fn relax(db: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("PRAGMA synchronous = NORMAL").execute(db).await?;
    Ok(())
}

/// Milliseconds since 1970, as times are stored.
fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The moment of so many milliseconds since 1970.
fn moment(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|_| StoreError::Content(format!("the impossible time {ms}")))
}
