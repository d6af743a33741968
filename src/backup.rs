//! What the bot knows, in one folder, and back: the database and the models. Collected pictures and the configuration are
//! not in it, nor are the photos that people gave as test photos: a copy would outlive their taking them back.
//!
//! ```text
//! FOLDER/backup.json          what is here: each file with its size and SHA-256
//! FOLDER/kokodoko.sqlite      the database as it was at one moment
//! FOLDER/models/NAME/…        the models of `models.folder`
//! ```
//!
//! A backup may be made while a bot runs. It appears whole, by a rename, or not at all; nothing is ever overwritten.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::store::{Store, StoreError};

/// What is in a backup.
const LIST: &str = "backup.json";
/// The database in a backup.
const DATABASE: &str = "kokodoko.sqlite";
/// The models in a backup.
const MODELS: &str = "models";
/// Files are copied in pieces of so many bytes.
const PIECE: usize = 1 << 20;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Version of the program that made it.
    pub program: String,
    /// When, UTC: `2026-11-26T03:00:00Z`.
    pub at: String,
    /// The files, the database first.
    pub files: Vec<Kept>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Path within the backup, with `/`.
    pub path: String,
    /// Size, bytes.
    pub bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

impl Contents {
    /// Size of all files, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The names of the models.
    #[must_use]
    pub fn models(&self) -> Vec<&str> {
        let models = self.files.iter().filter_map(|file| file.path.strip_prefix("models/")?.split('/').next());
        let mut models: Vec<&str> = models.collect();
        models.dedup();
        models
    }
}

/// Nothing was backed up or restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{} is there already: {cure}", path.display())]
    Exists {
        /// What.
        path: PathBuf,
        /// What to do.
        cure: &'static str,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was tried: `read` or `write`.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder is no backup, or one that was changed.
    #[error("{} is no whole backup: {problem}", folder.display())]
    Broken {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The database cannot be copied.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn reading(path: &Path) -> impl FnOnce(io::Error) -> BackupError + '_ {
    move |source| BackupError::File { what: "read", path: path.to_owned(), source }
}

fn writing(path: &Path) -> impl FnOnce(io::Error) -> BackupError + '_ {
    move |source| BackupError::File { what: "write", path: path.to_owned(), source }
}

/// Writes a backup to `out`, which must not be there yet. The models' folder need not exist.
///
/// # Errors
/// See [`BackupError`]; then nothing is at `out`.
pub async fn back_up(store: &Store, models: &Path, out: &Path, now: Timestamp) -> Result<Contents, BackupError> {
    refuse_existing(out, "name a folder that is not there yet")?;
    let unfinished = out.with_added_extension("unfinished");
    // Left by a backup that was killed.
    remove(&unfinished)?;
    let written = write_whole(store, models, &unfinished, now).await;
    let finished = written.and_then(|contents| {
        refuse_existing(out, "name a folder that is not there yet")?;
        fs::rename(&unfinished, out).map_err(writing(out))?;
        sync_folder(out.parent().unwrap_or(Path::new(".")))?;
        Ok(contents)
    });
    if finished.is_err() {
        remove(&unfinished)?;
    }
    finished
}

async fn write_whole(store: &Store, models: &Path, to: &Path, now: Timestamp) -> Result<Contents, BackupError> {
    fs::create_dir_all(to).map_err(writing(to))?;
    let database = to.join(DATABASE);
    store.copy_to(&database).await?;
    let mut files = vec![describe(to, DATABASE)?];
    for path in files_below(models)? {
        let name = format!("{MODELS}/{}", slashes(&path));
        copy_new(&models.join(&path), &to.join(&name))?;
        files.push(describe(to, &name)?);
    }
    let contents = Contents { program: env!("CARGO_PKG_VERSION").to_owned(), at: now.to_string(), files };
    let list = to.join(LIST);
    let json = serde_json::to_vec_pretty(&contents).map_err(|error| writing(&list)(error.into()))?;
    fs::write(&list, json).map_err(writing(&list))?;
    File::open(&database).and_then(|file| file.sync_all()).map_err(writing(&database))?;
    sync_folder(to)?;
    Ok(contents)
}

/// Reads what a backup holds and compares every file with it, the database with itself as well.
///
/// # Errors
/// [`BackupError::Broken`] when anything is missing or different; the words say what.
pub async fn check(folder: &Path) -> Result<Contents, BackupError> {
    let broken = |problem: String| BackupError::Broken { folder: folder.to_owned(), problem };
    let list = folder.join(LIST);
    let json = fs::read(&list).map_err(|error| broken(format!("{LIST}: {error}")))?;
    let contents: Contents = serde_json::from_slice(&json).map_err(|error| broken(format!("{LIST}: {error}")))?;
    if contents.files.first().is_none_or(|first| first.path != DATABASE) {
        return Err(broken(format!("{LIST} names no {DATABASE}")));
    }
    for kept in &contents.files {
        let plain = Path::new(&kept.path).components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || !(kept.path == DATABASE || kept.path.starts_with("models/")) {
            return Err(broken(format!("{LIST} names {:?}, which is no file of a backup", kept.path)));
        }
        let found = describe(folder, &kept.path).map_err(|error| broken(error.to_string()))?;
        if found != *kept {
            return Err(broken(format!("{} was changed: copy the backup again", kept.path)));
        }
    }
    Store::look_at(&folder.join(DATABASE)).await.map_err(|error| broken(error.to_string()))?;
    Ok(contents)
}

/// Brings back what a backup holds, after [`check`]. Models that are there already must be the same, byte for byte; a
/// database must not be there. The database comes last: when it is there, all is.
///
/// # Errors
/// See [`BackupError`]. Nothing that was there is changed; called again, it goes on.
pub async fn restore(from: &Path, database: &Path, models: &Path) -> Result<Contents, BackupError> {
    let contents = check(from).await?;
    for end in ["", "-wal", "-journal"] {
        let mut path = database.as_os_str().to_owned();
        path.push(end);
        refuse_existing(Path::new(&path), "stop the bot and move its database away, with the files beside it")?;
    }
    let (models_kept, wanted): (Vec<&Kept>, Vec<&Kept>) =
        contents.files.iter().partition(|kept| kept.path.starts_with("models/"));
    for kept in &models_kept {
        let to = models.join(kept.path.trim_start_matches("models/"));
        if to.exists() && hash(&to)? != kept.sha256 {
            return Err(BackupError::Exists { path: to, cure: "it is another file than the backup's; move it away" });
        }
    }
    for kept in models_kept {
        let to = models.join(kept.path.trim_start_matches("models/"));
        if !to.exists() {
            copy_whole(&from.join(&kept.path), &to)?;
        }
    }
    for kept in wanted {
        copy_whole(&from.join(&kept.path), database)?;
    }
    Ok(contents)
}

fn refuse_existing(path: &Path, cure: &'static str) -> Result<(), BackupError> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(reading(path)(error)),
        Ok(_) => Err(BackupError::Exists { path: path.to_owned(), cure }),
    }
}

fn remove(folder: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(writing(folder)(error)),
        _ => Ok(()),
    }
}

/// Files in the folders of a folder, two levels deep, sorted; hidden ones, which are unfinished, left out.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    for model in names(folder)?.into_iter().filter(|name| folder.join(name).is_dir()) {
        let below = folder.join(&model);
        found.extend(names(&below)?.into_iter().filter(|name| below.join(name).is_file()).map(|name| model.join(name)));
    }
    Ok(found)
}

fn names(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(reading(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(reading(folder))?.file_name();
        if !name.to_string_lossy().starts_with('.') {
            names.push(PathBuf::from(name));
        }
    }
    names.sort();
    Ok(names)
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn describe(folder: &Path, name: &str) -> Result<Kept, BackupError> {
    let path = folder.join(name);
    let bytes = path.metadata().map_err(reading(&path))?.len();
    Ok(Kept { path: name.to_owned(), bytes, sha256: hash(&path)? })
}

fn hash(path: &Path) -> Result<String, BackupError> {
    let mut file = File::open(path).map_err(reading(path))?;
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece).map_err(reading(path))? {
            0 => break,
            count => hasher.update(&piece[..count]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Copies to a file that is not there yet, with its folders, onto the disk.
fn copy_new(from: &Path, to: &Path) -> Result<(), BackupError> {
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(writing(folder))?;
    }
    let mut source = File::open(from).map_err(reading(from))?;
    let mut target = File::create_new(to).map_err(writing(to))?;
    io::copy(&mut source, &mut target)
        .and_then(|_| target.flush())
        .and_then(|()| target.sync_all())
        .map_err(writing(to))
}

/// [`copy_new`], so that the file appears whole.
fn copy_whole(from: &Path, to: &Path) -> Result<(), BackupError> {
    let unfinished = to.with_added_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(writing(&unfinished)(error)),
        _ => {}
    }
    copy_new(from, &unfinished)?;
    // A link, unlike a rename, never takes the place of another file.
    let linked = fs::hard_link(&unfinished, to);
    fs::remove_file(&unfinished).map_err(writing(&unfinished))?;
    linked.map_err(writing(to))?;
    sync_folder(to.parent().unwrap_or(Path::new(".")))
}

fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(writing(folder))
}

#[cfg(test)]
mod tests;
