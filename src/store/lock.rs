//! Who collects: any number of programs at a time, or one that sets right what they left. Who opens: one at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::Store;

/// Held while a program collects, or sets right. The system gives it up when the program ends, however it ends.
#[derive(Debug)]
pub struct Collecting {
    _file: File,
}

/// The lock is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A run is collecting.
    #[error("a run is collecting: stop it first (/collect stop, or end `kokodoko collect`)")]
    Collecting,
    /// Somebody sets the ledger or the dataset right.
    #[error("the ledger or the dataset is being set right: try again when that is done")]
    Repairing,
    /// The file of the lock cannot be used.
    #[error("cannot lock {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Waits until nobody else opens the database: two programs that make the same new one would make the same tables.
/// Lasts as long as the answer lives.
pub(super) async fn opening(database: &Path) -> io::Result<File> {
    let path = database.with_added_extension("opening");
    let wait = move || {
        let file = File::options().create(true).write(true).truncate(false).open(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(wait).await.map_err(io::Error::other)?
}

impl Store {
    /// Says that this program collects, for as long as the answer lives.
    ///
    /// # Errors
    /// While another program sets something right.
    pub fn collects(&self) -> Result<Collecting, LockError> {
        self.lock(File::try_lock_shared, LockError::Repairing)
    }

    /// Makes sure that no program collects on this database, for as long as the answer lives.
    ///
    /// # Errors
    /// While one does.
    pub fn nobody_collects(&self) -> Result<Collecting, LockError> {
        self.lock(File::try_lock, LockError::Collecting)
    }

    fn lock(&self, take: fn(&File) -> Result<(), TryLockError>, taken: LockError) -> Result<Collecting, LockError> {
        let path = self.path.with_added_extension("collecting");
        let failed = |source| LockError::File { path: path.clone(), source };
        let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
        match take(&file) {
            Ok(()) => Ok(Collecting { _file: file }),
            Err(TryLockError::WouldBlock) => Err(taken),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
