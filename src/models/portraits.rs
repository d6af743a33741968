//! Portraits of models, found by their networks.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::{ModelsError, Settings};
use crate::judge::Portrait;
use crate::judge::portrait::{FILE, PortraitError};

/// The portrait of the built-in model, as `kokodoko evaluate --model models/drawn-world` writes it.
const BUILT_IN: &[u8] = include_bytes!("../../models/drawn-world/portrait.json");

/// Portraits beside their models; clones share the last one.
#[derive(Clone)]
pub struct Portraits {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    /// The last portrait, and the time of its file: a new judgement is seen.
    last: Mutex<Option<(Option<SystemTime>, Arc<Portrait>)>>,
}

impl Portraits {
    /// Those of the models of these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { inner: Arc::new(Inner { settings, last: Mutex::new(None) }) }
    }

    /// The portrait of the network with this SHA-256; `None` where it was never judged, or was judged as another
    /// network. Reads files: for a thread for blocking work.
    ///
    /// # Errors
    /// When the folder of all models or the portrait cannot be read.
    pub fn of(&self, sha256: &str) -> Result<Option<Arc<Portrait>>, ModelsError> {
        let home = self.inner.settings.home_of(sha256)?;
        let changed = home.as_deref().and_then(changed);
        let mut last = self.inner.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, portrait)) = &*last
            && *at == changed
            && portrait.model.sha256 == sha256
        {
            return Ok(Some(portrait.clone()));
        }
        let found = match home {
            Some(home) => Portrait::read(&home)?,
            None => Some(built_in()?),
        };
        let found = found.filter(|portrait| portrait.model.sha256 == sha256).map(Arc::new);
        *last = found.clone().map(|portrait| (changed, portrait));
        Ok(found)
    }
}

fn changed(home: &Path) -> Option<SystemTime> {
    std::fs::metadata(home.join(FILE)).and_then(|file| file.modified()).ok()
}

fn built_in() -> Result<Portrait, PortraitError> {
    let error = |error: serde_json::Error| PortraitError { path: FILE.into(), problem: error.to_string() };
    serde_json::from_slice(BUILT_IN).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::manifest::{MANIFEST_FILE, ModelFiles};

    #[test]
    fn the_built_in_portrait_is_of_the_built_in_model() {
        let manifest = ModelFiles::built_in().unwrap().manifest;
        let portraits = Portraits::new(Settings { folder: "nowhere".into(), configured: None });
        let found =
            portraits.of(&manifest.sha256).unwrap().expect("run `kokodoko evaluate --model models/drawn-world`");
        assert_eq!(found.score.confusion, manifest.metrics.confusion, "judged on the same photos");
        assert_eq!(found.most_like.len(), manifest.labels.len());
        assert!(found.most_like.iter().all(|row| row.photos.len() == 7));
        assert!(found.towns.iter().all(|town| town.at.is_some()), "every town of the drawn world lies somewhere");
        assert!(portraits.of("another").unwrap().is_none());
    }

    #[test]
    fn a_portrait_is_found_beside_its_model_and_a_new_one_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let mut portrait = built_in().unwrap();
        let home = folder.path().join("mine");
        std::fs::create_dir(&home).unwrap();
        let mut manifest = ModelFiles::built_in().unwrap().manifest;
        manifest.sha256 = "f".repeat(64);
        std::fs::write(home.join(MANIFEST_FILE), toml::to_string(&manifest).unwrap()).unwrap();
        let portraits = Portraits::new(Settings { folder: folder.path().to_owned(), configured: None });
        assert!(portraits.of(&manifest.sha256).unwrap().is_none(), "it was never judged");
        portrait.write(&home).unwrap();
        assert!(portraits.of(&manifest.sha256).unwrap().is_none(), "it was judged as another network");
        portrait.model.sha256.clone_from(&manifest.sha256);
        portrait.write(&home).unwrap();
        assert_eq!(*portraits.of(&manifest.sha256).unwrap().unwrap(), portrait);
        portrait.mistakes.clear();
        portrait.write(&home).unwrap();
        // Two writes may fall into one tick of the file system's clock.
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options().append(true).open(home.join(FILE)).unwrap().set_modified(later).unwrap();
        assert_eq!(portraits.of(&manifest.sha256).unwrap().unwrap().mistakes.len(), 0);
        let names: Vec<_> = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "nothing half written is left: {names:?}");
    }
}
