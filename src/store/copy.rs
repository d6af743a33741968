//! The database as one file: copied while others write, and looked at without being changed.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::{Store, StoreError};

/// What a look at a database file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Migrations that it lacks; the next start of the program brings it up to date.
    pub behind: usize,
}

impl Store {
    /// Writes all that is committed at one moment to a new file, which is compact and needs no other beside it. Others
    /// go on writing meanwhile.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let name = file.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO ?").bind(name).execute(&self.reader).await?;
        Ok(())
    }

    /// Looks at a database without changing it: whether it is whole and of this program.
    ///
    /// # Errors
    /// [`StoreError::Open`] when it cannot be opened, [`StoreError::Content`] when it is damaged, no database of this
    /// program, or of a newer version.
    pub async fn look_at(file: &Path) -> Result<Looked, StoreError> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(super::BUSY);
        let refused = |error: sqlx::Error| StoreError::Open { path: file.to_owned(), reason: error.to_string() };
        let mut db = options.connect().await.map_err(refused)?;
        let found = look(&mut db).await;
        db.close().await.map_err(refused)?;
        found
    }
}

async fn look(db: &mut SqliteConnection) -> Result<Looked, StoreError> {
    let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(5)").fetch_all(&mut *db).await?;
    if said != ["ok"] {
        return Err(StoreError::Content(format!("damage: {}", said.join("; "))));
    }
    let loose = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *db).await?.len();
    if loose > 0 {
        return Err(StoreError::Content(format!("{loose} rows whose other half is missing")));
    }
    let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
        .fetch_all(&mut *db)
        .await
        .map_err(|_| StoreError::Content("no tables of this program".to_owned()))?;
    let known: Vec<i64> = sqlx::migrate!().iter().map(|migration| migration.version).collect();
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StoreError::Content(format!("migration {newer} of a newer version of the program: upgrade it")));
    }
    Ok(Looked { behind: known.len() - applied.len() })
}
