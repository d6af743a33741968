//! The folder of all models, and what the database says of them. Needs no running model.

use std::path::{Component, Path, PathBuf};

use super::ModelsError;
use crate::infer::files::replace;
use crate::infer::manifest::{MANIFEST_FILE, Manifest, ModelError, ModelFiles};
use crate::judge::Verdict;
use crate::store::Store;
use crate::store::promotions::{Candidate, Promotion};

/// Name of the last comparison with a live model, beside the manifest.
const VERDICT_FILE: &str = "verdict.json";

/// Where models are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Folder with a folder for each model.
    pub folder: PathBuf,
    /// The model that is live until another is promoted; `None`: the one inside the program.
    pub configured: Option<PathBuf>,
}

impl Settings {
    /// Reads and checks the model that is live until another is promoted.
    ///
    /// # Errors
    /// When it is broken.
    pub fn configured_files(&self) -> Result<ModelFiles, ModelError> {
        self.configured.as_ref().map_or_else(ModelFiles::built_in, |folder| ModelFiles::read(folder))
    }

    /// See [`Shelf::folder`].
    fn folder_called(&self, name: &str) -> Result<PathBuf, ModelsError> {
        let mut parts = Path::new(name).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(part)), None) if part == name && !name.starts_with('.') => {
                Ok(self.folder.join(name))
            }
            _ => Err(ModelsError::Name(name.to_owned())),
        }
    }

    /// The folder with the network of this SHA-256: the configured one before the others. `None` for the built-in
    /// model, and where there is no such folder any more.
    ///
    /// # Errors
    /// When the folder of all models cannot be read. A broken model is passed over.
    pub fn home_of(&self, sha256: &str) -> Result<Option<PathBuf>, ModelsError> {
        let is_it = |folder: &PathBuf| Manifest::read(folder).is_ok_and(|manifest| manifest.sha256 == sha256);
        if let Some(configured) = self.configured.iter().find(|folder| is_it(folder)) {
            return Ok(Some(configured.clone()));
        }
        Ok(self.names()?.into_iter().map(|name| self.folder.join(name)).find(is_it))
    }

    /// Names of the models below [`Self::folder`], in their order.
    pub(super) fn names(&self) -> Result<Vec<String>, ModelsError> {
        let folder = &self.folder;
        let unreadable = |source| ModelsError::Folder { folder: folder.display().to_string(), source };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            if let Ok(name) = entry.file_name().into_string()
                && entry.path().join(MANIFEST_FILE).is_file()
                && self.folder_called(&name).is_ok()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

/// What a model on the shelf is just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It answers.
    Live,
    /// A rollback leads to it.
    Before,
    /// Neither.
    Other,
}

/// A model on the shelf.
#[derive(Debug)]
pub struct Listed {
    /// Its name: that of its folder; empty for the configured one.
    pub name: String,
    /// Its manifest, or what is wrong with it.
    pub manifest: Result<Manifest, String>,
    /// Whether it is live.
    pub standing: Standing,
}

/// The models and their history; clones share the database.
#[derive(Clone)]
pub struct Shelf {
    settings: Settings,
    store: Store,
}

impl Shelf {
    /// The models of these settings.
    #[must_use]
    pub fn new(settings: Settings, store: Store) -> Self {
        Self { settings, store }
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder of a model, which need not exist.
    ///
    /// # Errors
    /// [`ModelsError::Name`] for anything but one plain name, so that no name leads out of the folder of all models.
    pub fn folder(&self, name: &str) -> Result<PathBuf, ModelsError> {
        self.settings.folder_called(name)
    }

    /// Reads and checks a model; the empty name means the configured one.
    ///
    /// # Errors
    /// When there is none of that name, or it is broken.
    pub fn read(&self, name: &str) -> Result<ModelFiles, ModelsError> {
        if name.is_empty() {
            return Ok(self.settings.configured_files()?);
        }
        Ok(ModelFiles::read(&self.home(name)?)?)
    }

    /// The folder of a model, which is there.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn home(&self, name: &str) -> Result<PathBuf, ModelsError> {
        let folder = self.folder(name)?;
        if folder.join(MANIFEST_FILE).is_file() { Ok(folder) } else { Err(self.unknown(name)) }
    }

    /// The last comparison of a model with a live one.
    ///
    /// # Errors
    /// [`ModelsError::NoVerdict`] when there is none.
    pub fn verdict(&self, name: &str) -> Result<Verdict, ModelsError> {
        let path = self.home(name)?.join(VERDICT_FILE);
        let broken = |problem: String| ModelsError::Verdict { file: path.display().to_string(), problem };
        match std::fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| broken(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ModelsError::NoVerdict(name.to_owned())),
            Err(error) => Err(broken(error.to_string())),
        }
    }

    /// Keeps a comparison beside the model that it is about.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_verdict(&self, name: &str, verdict: &Verdict) -> Result<(), ModelsError> {
        let path = self.home(name)?.join(VERDICT_FILE);
        let broken = |problem: String| ModelsError::Verdict { file: path.display().to_string(), problem };
        let json = serde_json::to_vec_pretty(verdict).map_err(|error| broken(error.to_string()))?;
        replace(&path, &json).map_err(|error| broken(error.to_string()))
    }

    fn unknown(&self, name: &str) -> ModelsError {
        ModelsError::Unknown { name: name.to_owned(), folder: self.settings.folder.display().to_string() }
    }

    /// The change that made the live model live, and the model.
    ///
    /// # Errors
    /// When the model is broken or the database fails.
    pub async fn live(&self) -> Result<(Option<Promotion>, ModelFiles), ModelsError> {
        let live = self.store.live_model().await?;
        let files = self.files_of(live.as_ref())?;
        Ok((live, files))
    }

    /// The model that a change made live; the configured one of no change.
    pub(super) fn files_of(&self, live: Option<&Promotion>) -> Result<ModelFiles, ModelsError> {
        self.read(live.map_or("", |live| &live.candidate.folder))
    }

    /// The name of the model that a rollback leads to.
    ///
    /// # Errors
    /// [`ModelsError::Nothing`] when the configured model has been live all along.
    pub async fn before(&self) -> Result<String, ModelsError> {
        let live = self.store.live_model().await?.ok_or(ModelsError::Nothing)?;
        self.before_change(&live).await?.ok_or(ModelsError::Nothing)
    }

    async fn before_change(&self, live: &Promotion) -> Result<Option<String>, ModelsError> {
        let before = self.store.model_before(live).await?;
        let name = before.map_or_else(String::new, |before| before.candidate.folder);
        // At the end of the way back: the configured model is live, and nothing was before it.
        Ok((!name.is_empty() || !live.candidate.folder.is_empty()).then_some(name))
    }

    /// Every model: the configured one, then the others by name.
    ///
    /// # Errors
    /// When the folder cannot be read (none at all holds no models) or the database fails. A broken model is listed as
    /// such.
    pub async fn list(&self) -> Result<Vec<Listed>, ModelsError> {
        let promotion = self.store.live_model().await?;
        let before = match &promotion {
            Some(promotion) => self.before_change(promotion).await?,
            None => None,
        };
        let live = promotion.map_or_else(String::new, |promotion| promotion.candidate.folder);
        let listed = |name: String| {
            let standing = match () {
                () if name == live => Standing::Live,
                () if Some(&name) == before.as_ref() => Standing::Before,
                () => Standing::Other,
            };
            let manifest = self.read(&name).map(|files| files.manifest).map_err(|error| error.to_string());
            Listed { name, manifest, standing }
        };
        Ok(std::iter::once(String::new()).chain(self.settings.names()?).map(listed).collect())
    }
}

/// A model as the database notes it.
pub(super) fn candidate(name: &str, manifest: &Manifest) -> Candidate {
    Candidate {
        folder: name.to_owned(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        sha256: manifest.sha256.clone(),
    }
}
