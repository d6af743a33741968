//! How long what is stored is kept, and its removal once a day.
//!
//! People's scores are theirs: `/forget` removes them at once, nothing else does. The ledger of purchases, promotions and
//! collected pictures are not removed by age.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::store::{Store, StoreError};

/// Time between two rounds.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Days that things are kept; 0: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// What admins did.
    pub audit: u32,
    /// Jobs that have ended.
    pub jobs: u32,
    /// What sources of imagery said of points, pictures excepted.
    pub sightings: u32,
    /// What trainings that never ended have left.
    pub unfinished: u32,
    /// Reports of trainings.
    pub reports: u32,
    /// What networks said of photos, since the last was added.
    pub cache: u32,
}

/// Where trainings leave what is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The models' folder, with `.unfinished-…`.
    pub models: PathBuf,
    /// The trainings' folder, with `photos-…`, `reports/…` and `cache/…`.
    pub training: PathBuf,
}

/// What a round removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Actions of admins.
    pub actions: u64,
    /// Jobs.
    pub jobs: u64,
    /// Points that sources were asked about.
    pub points: u64,
    /// Folders of unfinished trainings, of reports and of what networks said.
    pub folders: u64,
}

/// Removes what is too old.
pub struct Keeper {
    days: Days,
    folders: Folders,
    store: Store,
    clock: SharedClock,
}

impl Keeper {
    /// Keeps what is in `store` and in these folders for so long.
    #[must_use]
    pub fn new(days: Days, folders: Folders, store: Store, clock: SharedClock) -> Self {
        Self { days, folders, store, clock }
    }

    /// A round now and one a day, until `stop`. A round that fails is logged; the next one tries again.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            let now = self.clock.now();
            match self.remove(now).await {
                Ok(removed) if removed == Removed::default() => {}
                Ok(Removed { actions, jobs, points, folders }) => {
                    tracing::info!(actions, jobs, points, folders, "what was too old is removed");
                }
                Err(error) => tracing::error!(%error, "what is too old could not be removed"),
            }
            tokio::select! {
                () = self.clock.until(now + DAY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One round.
    ///
    /// # Errors
    /// When the database fails. Folders that cannot be removed are logged.
    pub async fn remove(&self, now: Timestamp) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        if let Some(before) = before(now, self.days.audit) {
            removed.actions = self.store.forget_actions(before).await?;
        }
        if let Some(before) = before(now, self.days.jobs) {
            removed.jobs = self.store.forget_jobs(before).await?;
        }
        if let Some(before) = before(now, self.days.sightings) {
            removed.points = self.forget_points(before).await?;
        }
        let Folders { models, training } = &self.folders;
        let kinds = [
            (models.clone(), ".unfinished-", self.days.unfinished),
            (training.clone(), "photos-", self.days.unfinished),
            (training.join("reports"), "", self.days.reports),
            // A training that is reading one loses nothing but time.
            (training.join("cache"), "", self.days.cache),
        ];
        for (folder, beginning, days) in kinds {
            let Some(before) = before(now, days) else { continue };
            let swept = tokio::task::spawn_blocking(move || sweep(&folder, beginning, before)).await;
            removed.folders += swept.inspect_err(|error| tracing::error!(%error, "sweeping panicked")).unwrap_or(0);
        }
        Ok(removed)
    }
}

impl Keeper {
    /// A picture that is being bought needs what was seen: nothing is forgotten while somebody collects.
    async fn forget_points(&self, before: Timestamp) -> Result<u64, StoreError> {
        match self.store.nobody_collects() {
            Ok(_alone) => self.store.forget_points(before).await,
            Err(why) => {
                tracing::info!(%why, "what was seen is not removed today");
                Ok(0)
            }
        }
    }
}

/// The moment so many days before; `None` for 0, which keeps everything.
fn before(now: Timestamp, days: u32) -> Option<Timestamp> {
    (days > 0).then(|| now.checked_sub(DAY * i32::try_from(days).unwrap_or(i32::MAX)).ok()).flatten()
}

/// Removes the folders in `folder` whose names begin so and in which nothing was written since `before`; how many.
fn sweep(folder: &Path, beginning: &str, before: Timestamp) -> u64 {
    // No folder holds nothing.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
    let mut removed = 0;
    for path in wanted.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()) {
        match written(&path).map(|at| at < before) {
            Ok(false) => {}
            Ok(true) => match std::fs::remove_dir_all(&path) {
                Ok(()) => removed += 1,
                Err(error) => tracing::warn!(folder = %path.display(), %error, "an old folder cannot be removed"),
            },
            Err(error) => tracing::warn!(folder = %path.display(), %error, "the age of a folder is unknown"),
        }
    }
    removed
}

/// When something was written in a folder last, two levels deep.
fn written(folder: &Path) -> io::Result<Timestamp> {
    let mut last = folder.metadata()?.modified()?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        last = last.max(entry.metadata()?.modified()?);
        if entry.path().is_dir() {
            for below in std::fs::read_dir(entry.path())? {
                last = last.max(below?.metadata()?.modified()?);
            }
        }
    }
    moment(last)
}

fn moment(time: SystemTime) -> io::Result<Timestamp> {
    Timestamp::try_from(time).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
