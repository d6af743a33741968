//! Scrubbing: rows without files, files without rows, damaged pictures.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::dataset::Dataset;
use crate::infer::decode::{Limits, decode};
use crate::infer::manifest::sha256_hex;
use crate::store::{Collecting, ImageId, LockError, Store, StoreError};

/// Where a repair puts files that belong to nothing: they are never deleted.
const ASIDE: &str = "aside";

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A row whose file is gone.
    #[error("{}: the file is missing", path.display())]
    Missing {
        /// The row.
        id: ImageId,
        /// Where the file should be.
        path: PathBuf,
    },
    /// A file that is not what was stored, or no picture.
    #[error("{}: {why}", path.display())]
    Damaged {
        /// Its row.
        id: ImageId,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file without a row.
    #[error("{}: no picture of the dataset has this file", path.display())]
    Orphan {
        /// The file.
        path: PathBuf,
    },
    /// A file that was not finished when the program ended.
    #[error("{}: was never finished", path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows.
    pub pictures: u64,
    /// Files that were read, bytes.
    pub bytes: u64,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
}

/// The check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A run is collecting.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A folder cannot be read, or a file not moved.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading panicked.
    #[error("reading the pictures failed: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Reads every file and compares it with its row, one shard of the folder at a time. Nobody may collect meanwhile.
///
/// # Errors
/// See [`CheckError`].
pub async fn check(dataset: &Dataset) -> Result<Report, CheckError> {
    let _alone = dataset.store().nobody_collects()?;
    let mut report = Report::default();
    let (shards, strays) = shards(dataset)?;
    report.faults.extend(strays);
    for shard in shards {
        let rows = dataset.store().images_of_shard(&shard).await?;
        let here = dataset.clone();
        let found = tokio::task::spawn_blocking(move || check_shard(&here, &shard, rows)).await??;
        report.pictures += found.pictures;
        report.bytes += found.bytes;
        report.faults.extend(found.faults);
    }
    report.faults.sort_by(|a, b| path(a).cmp(path(b)));
    Ok(report)
}

/// Sets right what a check found: rows without files are removed, damaged files and those without rows are moved
/// aside, unfinished ones are deleted. What was paid for a picture stays in the ledger, and is not bought again unless an
/// admin says so; what was free is fetched again by the next run.
///
/// # Errors
/// See [`CheckError`]; what was set right until then stays so.
pub async fn repair(dataset: &Dataset, faults: &[Fault]) -> Result<(), CheckError> {
    let alone = dataset.store().nobody_collects()?;
    for fault in faults {
        repair_one(dataset, fault, &alone).await?;
    }
    Ok(())
}

async fn repair_one(dataset: &Dataset, fault: &Fault, _alone: &Collecting) -> Result<(), CheckError> {
    let store: &Store = dataset.store();
    match fault {
        Fault::Missing { id, .. } => store.drop_image(*id).await?,
        Fault::Damaged { id, path, .. } => {
            // The row first: a file without one is found again, a row must not lead to nothing.
            store.drop_image(*id).await?;
            move_aside(dataset.folder(), path)?;
        }
        Fault::Orphan { path } => move_aside(dataset.folder(), path)?,
        Fault::Unfinished { path } => fs::remove_file(path).map_err(|source| failed(path, source))?,
    }
    Ok(())
}

/// The file or folder of a fault.
fn path(fault: &Fault) -> &Path {
    match fault {
        Fault::Missing { path, .. } | Fault::Damaged { path, .. } => path,
        Fault::Orphan { path } | Fault::Unfinished { path } => path,
    }
}

/// Gives a file a free name in the folder [`ASIDE`].
fn move_aside(folder: &Path, path: &Path) -> Result<(), CheckError> {
    let aside = folder.join(ASIDE);
    fs::create_dir_all(&aside).map_err(|source| failed(&aside, source))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_owned();
    let numbered = (1..).map(|number: u32| aside.join(format!("{number}-{}", name.display())));
    let free = std::iter::once(aside.join(&name)).chain(numbered).find(|free| !free.exists());
    let free = free.unwrap_or_else(|| aside.join(&name));
    fs::rename(path, free).map_err(|source| failed(path, source))
}

/// All 256 shards, and what lies beside them.
fn shards(dataset: &Dataset) -> Result<(Vec<String>, Vec<Fault>), CheckError> {
    let shards: Vec<String> = (0..=u8::MAX).map(|shard| format!("{shard:02x}")).collect();
    let mut strays = Vec::new();
    for entry in list(dataset.folder())? {
        let name = entry.file_name().map(|name| name.display().to_string()).unwrap_or_default();
        if entry == dataset.unfinished() {
            strays.extend(list(&entry)?.into_iter().map(|path| Fault::Unfinished { path }));
        } else if name != ASIDE && !shards.contains(&name) {
            strays.push(Fault::Orphan { path: entry });
        }
    }
    Ok((shards, strays))
}

fn check_shard(dataset: &Dataset, shard: &str, rows: Vec<(ImageId, String, String)>) -> Result<Report, CheckError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in list(&dataset.folder().join(shard))? {
        if entry.is_dir() { files.extend(list(&entry)?) } else { files.push(entry) }
    }
    let wanted: BTreeMap<PathBuf, (ImageId, String)> =
        rows.into_iter().map(|(id, sha256, format)| (dataset.path(&sha256, &format), (id, sha256))).collect();
    let orphans = files.into_iter().filter(|file| !wanted.contains_key(file)).map(|path| Fault::Orphan { path });
    let mut report = Report { pictures: wanted.len() as u64, bytes: 0, faults: orphans.collect() };
    let read: Vec<Result<(u64, Option<Fault>), CheckError>> =
        wanted.into_par_iter().map(|(path, (id, sha256))| check_file(id, path, &sha256)).collect();
    for one in read {
        let (bytes, fault) = one?;
        report.bytes += bytes;
        report.faults.extend(fault);
    }
    Ok(report)
}

/// Reads a file: its size, and what is wrong with it.
fn check_file(id: ImageId, path: PathBuf, sha256: &str) -> Result<(u64, Option<Fault>), CheckError> {
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, Some(Fault::Missing { id, path }))),
        Err(source) => return Err(failed(&path, source)),
    };
    let why = if sha256_hex(&bytes) != sha256 {
        Some("the file is not the one that was stored".to_owned())
    } else {
        decode(&bytes, &Limits::default()).err().map(|error| error.to_string())
    };
    Ok((bytes.len() as u64, why.map(|why| Fault::Damaged { id, path, why })))
}

/// Entries of a folder by name; none when there is no such folder.
fn list(folder: &Path) -> Result<Vec<PathBuf>, CheckError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        Ok(entries)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|source| failed(folder, source)),
    }
}

fn failed(path: &Path, source: io::Error) -> CheckError {
    CheckError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::dataset::tests::{Bench, jpeg};
    use crate::domain::Split;

    async fn faults(bench: &Bench) -> Vec<String> {
        let report = check(&bench.dataset).await.expect("checked");
        let tell = |fault: &Fault| {
            let name = path(fault).strip_prefix(bench.dataset.folder()).expect("inside").display().to_string();
            let kind = match fault {
                Fault::Missing { .. } => "missing",
                Fault::Damaged { .. } => "damaged",
                Fault::Orphan { .. } => "orphan",
                Fault::Unfinished { .. } => "unfinished",
            };
            format!("{kind} {name}")
        };
        report.faults.iter().map(tell).collect()
    }

    #[tokio::test]
    async fn each_kind_of_damage_is_found_and_set_right() {
        let bench = Bench::open().await;
        assert_eq!(check(&bench.dataset).await.expect("checked"), Report::default(), "nothing is there yet");
        let mut images = Vec::new();
        for number in 0..6 {
            images.push(bench.keep(number, "芝一丁目").await);
        }
        let file = |i: usize| bench.dataset.path(&images[i].sha256, &images[i].format);
        let name = |path: &Path| path.strip_prefix(bench.dataset.folder()).expect("inside").display().to_string();
        let report = check(&bench.dataset).await.expect("checked");
        assert_eq!((report.pictures, report.faults.len()), (6, 0));
        assert_eq!(report.bytes, images.iter().map(|image| image.bytes).sum::<u64>());

        fs::remove_file(file(0)).expect("removed");
        let mut flipped = jpeg(1);
        flipped[300] ^= 1;
        fs::write(file(1), flipped).expect("flipped");
        fs::write(file(2), &jpeg(2)[..100]).expect("cut");
        let orphan = bench.dataset.path(&sha256_hex(&jpeg(77)), "jpg");
        fs::create_dir_all(orphan.parent().expect("a shard")).expect("made");
        fs::write(&orphan, jpeg(77)).expect("written");
        fs::write(bench.dataset.folder().join("notes.txt"), b"?").expect("written");
        fs::write(bench.dataset.unfinished().join("1-2"), b"half").expect("written");

        let mut expected = vec![
            format!("missing {}", name(&file(0))),
            format!("damaged {}", name(&file(1))),
            format!("damaged {}", name(&file(2))),
            format!("orphan {}", name(&orphan)),
            "orphan notes.txt".to_owned(),
            "unfinished unfinished/1-2".to_owned(),
        ];
        expected.sort_by(|a, b| a.split_once(' ').map(|a| a.1).cmp(&b.split_once(' ').map(|b| b.1)));
        assert_eq!(faults(&bench).await, expected);

        let report = check(&bench.dataset).await.expect("checked");
        repair(&bench.dataset, &report.faults).await.expect("repaired");
        assert_eq!(faults(&bench).await, Vec::<String>::new());
        assert_eq!(bench.dataset.photos(&Split::ALL).await.expect("readable").len(), 3);
        let aside = fs::read_dir(bench.dataset.folder().join(ASIDE)).expect("made").count();
        assert_eq!(aside, 4, "nothing but the unfinished file is deleted");
        // What was set right can be collected again.
        bench.keep(1, "芝一丁目").await;
    }

    #[tokio::test]
    async fn a_picture_that_was_stored_broken_is_damaged() {
        let bench = Bench::open().await;
        let mut picture = bench.picture(1, "芝一丁目").await;
        picture.bytes.truncate(200);
        bench.dataset.keep(picture).await.expect("its first bytes are those of a JPEG");
        assert!(faults(&bench).await[0].starts_with("damaged "));
    }

    #[tokio::test]
    async fn files_of_one_name_lie_aside_together() {
        let bench = Bench::open().await;
        for _ in 0..3 {
            let stray = bench.dataset.folder().join("notes.txt");
            fs::create_dir_all(bench.dataset.folder()).expect("made");
            fs::write(&stray, b"?").expect("written");
            repair(&bench.dataset, &[Fault::Orphan { path: stray }]).await.expect("moved");
        }
        assert_eq!(fs::read_dir(bench.dataset.folder().join(ASIDE)).expect("made").count(), 3);
    }

    #[tokio::test]
    async fn nothing_is_checked_while_somebody_collects() {
        let bench = Bench::open().await;
        let collecting = bench.dataset.store().collects().expect("free");
        assert!(matches!(check(&bench.dataset).await, Err(CheckError::Lock(LockError::Collecting))));
        drop(collecting);
        check(&bench.dataset).await.expect("free");
    }
}
