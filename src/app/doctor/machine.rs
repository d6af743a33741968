//! This machine: database, models, what runs them, folders and disks.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::config::Config;
use crate::infer::Core;
use crate::infer::manifest::{MANIFEST_FILE, ModelFiles};
use crate::store::Store;

/// Less room than this and writing will fail soon, bytes.
const TOO_LITTLE: u64 = 500_000_000;
/// Less room than this is worth a word, bytes.
const LITTLE: u64 = 5_000_000_000;

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![database(config).await];
    findings.extend(models(config));
    findings.push(backend(config).await);
    let folder_of = |file: &Path| file.parent().map(Path::to_owned).unwrap_or_default();
    let mut folders = vec![
        ("quiz.database", folder_of(&config.database)),
        ("models.folder", config.models_folder.clone()),
        ("collect.data_folder", config.collect.data_folder.clone()),
        ("train.folder", config.train.folder.clone()),
    ];
    folders.extend(config.gifts.clone().map(|folder| ("gifts.folder", folder)));
    let before = findings.len();
    for (key, folder) in &folders {
        findings.extend(writable(key, folder));
    }
    if findings.len() == before {
        findings.push(Finding::good("folders", "all can be written to"));
    }
    let folders: Vec<PathBuf> = folders.into_iter().map(|(_, folder)| folder).collect();
    findings.push(room(&folders));
    findings
}

async fn database(config: &Config) -> Finding {
    const ABOUT: &str = "database";
    let file = config.database.display();
    if !config.database.exists() {
        return Finding::good(ABOUT, format!("{file} is not there yet; the first start makes it"));
    }
    match Store::look_at(&config.database).await {
        Ok(looked) if looked.behind == 0 => Finding::good(ABOUT, format!("{file} is whole and up to date")),
        Ok(looked) => {
            let found = format!("{file} is whole, and {} migrations behind", looked.behind);
            Finding::note(ABOUT, found, "the next start brings it up to date; make a `kokodoko backup` before")
        }
        Err(error) => {
            let cure = "stop the bot, move the file away and bring back the last backup with `kokodoko restore`";
            Finding::bad(ABOUT, format!("{file}: {error}"), cure)
        }
    }
}

/// Every model that could go live is looked at, so that a broken one is known before it is wanted.
fn models(config: &Config) -> Vec<Finding> {
    const ABOUT: &str = "models";
    let settings = super::super::models_settings(config);
    let mut findings = Vec::new();
    match settings.configured_files() {
        Ok(files) => {
            let (manifest, drawn) = (&files.manifest, files.manifest.provenance.is_drawn_world());
            let of = if drawn { ", which has seen nothing but drawings" } else { "" };
            let found = format!("{} {} is configured{of}", manifest.name, manifest.version);
            findings.push(Finding::good(ABOUT, found));
        }
        Err(error) => findings.push(Finding::bad(ABOUT, error.to_string(), "correct `infer.model`, or leave it empty")),
    }
    for folder in models_below(&config.models_folder) {
        if let Err(error) = ModelFiles::read(&folder) {
            let cure = format!("train it again, bring it back from a backup, or remove {}", folder.display());
            findings.push(Finding::bad(ABOUT, error.to_string(), cure));
        }
    }
    findings
}

/// Folders with a manifest, by name; none where there is no folder.
fn models_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join(MANIFEST_FILE).is_file()).collect();
    found.sort();
    found
}

/// Loads the live model on the configured backend, as `serve` will.
async fn backend(config: &Config) -> Finding {
    const ABOUT: &str = "backend";
    let live = async {
        if Store::look_at(&config.database).await.is_ok_and(|looked| looked.behind == 0) {
            let shelf = super::super::shelf(config, Store::open(&config.database).await?);
            let (_, files) = shelf.live().await?;
            shelf.store().close().await;
            Ok::<_, anyhow::Error>(files)
        } else {
            Ok(super::super::models_settings(config).configured_files()?)
        }
    };
    let started = match live.await {
        Ok(files) => Core::start(&files, &config.infer).map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match started {
        Ok(core) => {
            let model = core.identity();
            Finding::good(ABOUT, format!("{} runs the live model, {} {}", model.backend, model.name, model.version))
        }
        Err(error) => {
            let cure = "see \"On your GPU\" in README.md, or set infer.backend = \"tract\", which needs nothing";
            Finding::bad(ABOUT, format!("{error:#}"), cure)
        }
    }
}

/// `None` when a file can be made there.
fn writable(key: &'static str, folder: &Path) -> Option<Finding> {
    let place = nearest(folder);
    let probe = place.join(format!(".kokodoko-doctor-{}", std::process::id()));
    let tried = File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe));
    tried.err().map(|error| {
        let found = format!("`{key}`: cannot write to {}: {error}", place.display());
        Finding::bad("folders", found, "make the user that runs the bot its owner (chown), or name another folder")
    })
}

/// The folder, or what there is nearest above it: a folder that can be written to, unless somebody put a file there.
fn nearest(folder: &Path) -> PathBuf {
    let found = folder.ancestors().find(|folder| folder.exists());
    found.unwrap_or(Path::new(".")).to_owned()
}

/// The disk with the least room.
fn room(folders: &[PathBuf]) -> Finding {
    const ABOUT: &str = "disk";
    let free = folders.iter().filter_map(|folder| {
        let place = nearest(folder);
        let stat = rustix::fs::statvfs(&place).ok()?;
        Some((stat.f_bavail.saturating_mul(stat.f_frsize), place))
    });
    let Some((free, place)) = free.min() else {
        return Finding::note(ABOUT, "how much room there is cannot be told", "look with `df -h`");
    };
    let found = format!("{:.1} GB are free at {}", free as f64 / 1e9, place.display());
    match free {
        free if free < TOO_LITTLE => Finding::bad(ABOUT, found, "make room, or move the folders to another disk"),
        free if free < LITTLE => Finding::note(ABOUT, found, "collecting and training need more: make room before"),
        _ => Finding::good(ABOUT, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_is_one_that_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(nearest(&folder.path().join("not/yet")), folder.path());
        assert_eq!(nearest(Path::new("")), Path::new("."));
        assert_eq!(nearest(Path::new("nowhere-at-all")), Path::new("."));
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_cannot_be_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(writable("train.folder", folder.path()), None);
        assert!(std::fs::read_dir(folder.path()).expect("readable").next().is_none(), "nothing is left");
        std::fs::write(folder.path().join("file"), "").expect("written");
        assert!(writable("train.folder", &folder.path().join("file/reports")).is_some());
    }
}
