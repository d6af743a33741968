//! Shows photos to a model, through the same core that answers people.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::photos::TestPhoto;
use crate::domain::Area;
use crate::infer::cache::{Rows, Width, file_of, photo_key};
use crate::infer::{Core, LocateError, Located};

/// Photos that are read and decoded while others are run.
pub(super) const AHEAD: usize = 16;

/// A model that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Short name: `drawn-world`.
    pub name: String,
    /// Version: `1.0.0`.
    pub version: String,
    /// SHA-256 of the network.
    pub sha256: String,
    /// What ran it: `tract`, `onnxruntime-cpu` or `onnxruntime-cuda`.
    pub backend: String,
}

/// What one model says of photos.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// Which model.
    pub model: Model,
    /// Its areas, in the order of the logits.
    pub labels: Vec<Area>,
    /// Divides the logits before the softmax, greater than 0.
    pub temperature: f32,
    /// Below this probability the answer is "I don't know", 0 to 1.
    pub abstain_below: f32,
    /// Unscaled logits of each photo, `[labels]`; `None` of one that cannot be read.
    pub logits: Vec<Option<Vec<f32>>>,
}

impl Answers {
    /// Those to some of the photos, by their indices.
    ///
    /// # Panics
    /// When there is no such photo.
    #[must_use]
    pub fn pick(&self, photos: &[usize]) -> Self {
        let logits = photos.iter().map(|&photo| self.logits[photo].clone()).collect();
        Self { model: self.model.clone(), labels: self.labels.clone(), logits, ..*self }
    }
}

/// Why a model could not be asked.
#[derive(Debug, Error)]
pub enum AskError {
    /// The answers cannot be remembered.
    #[error("cannot use the remembered answers in {}: {source}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The model fails, which says nothing about the photo.
    #[error("{photo}: {source}")]
    Core {
        /// Which photo.
        photo: String,
        /// What went wrong.
        source: LocateError,
    },
    /// A thread could not be had.
    #[error("a photo could not be drawn or read: {0}")]
    Thread(String),
}

/// Asks a model about each photo. Answers are remembered in `cache`, by model, backend and photo, so that the next
/// comparison asks only about what is new. `progress` hears the number of photos done, in order.
///
/// # Errors
/// See [`AskError`]. A photo that cannot be read is no error: it has no answer.
pub async fn ask(
    core: &Core,
    photos: &[TestPhoto],
    cache: Option<&Path>,
    progress: &mut (dyn FnMut(usize) + Send),
) -> Result<Answers, AskError> {
    // The live model may be exchanged meanwhile; all photos are answered by the one that is asked now.
    let core = &core.pinned();
    let (manifest, identity) = (core.manifest(), core.identity());
    let model = Model {
        name: identity.name.clone(),
        version: identity.version.clone(),
        sha256: manifest.sha256.clone(),
        backend: identity.backend.clone(),
    };
    let path = cache.map(|folder| file_of(folder, &manifest, &format!("logits-{}", model.backend)));
    let memory = Memory::open(path, manifest.labels.len())?;
    let mut answers =
        stream::iter(photos).map(|photo| answer(core, photo.clone(), &memory)).buffered(core.ahead(AHEAD));
    let mut logits = Vec::with_capacity(photos.len());
    while let Some(answer) = answers.next().await {
        logits.push(answer?);
        progress(logits.len());
    }
    drop(answers);
    let (temperature, abstain_below) = (manifest.temperature, manifest.abstain_below);
    Ok(Answers { model, labels: manifest.labels.clone(), temperature, abstain_below, logits })
}

async fn answer(core: &Core, photo: TestPhoto, memory: &Memory) -> Result<Option<Vec<f32>>, AskError> {
    let name = photo.name();
    let Some((key, bytes)) = load(photo, |bytes| (photo_key(&bytes), bytes)).await? else { return Ok(None) };
    if let Some(known) = memory.get(&key) {
        return Ok(Some(known));
    }
    let Some(located) = locate(core, name, bytes).await? else { return Ok(None) };
    memory.put(key, &located.logits)?;
    Ok(Some(located.logits))
}

/// Reads or draws a photo, and does `more` with its bytes, on a thread for blocking work; `None` where it cannot be read.
pub(super) async fn load<T: Send + 'static>(
    photo: TestPhoto,
    more: impl FnOnce(Vec<u8>) -> T + Send + 'static,
) -> Result<Option<T>, AskError> {
    let name = photo.name();
    let loaded = tokio::task::spawn_blocking(move || photo.load().map(more)).await;
    let loaded = loaded.map_err(|error| AskError::Thread(error.to_string()))?;
    Ok(loaded.inspect_err(|error| tracing::warn!(photo = name, %error, "the photo is left out")).ok())
}

/// Shows a photo to a model; `None` where it is no photo.
pub(super) async fn locate(core: &Core, name: String, bytes: Vec<u8>) -> Result<Option<Located>, AskError> {
    match core.locate(bytes).await {
        Ok(located) => Ok(Some(located)),
        Err(LocateError::Photo(error)) => {
            tracing::warn!(photo = name, %error, "the photo is left out");
            Ok(None)
        }
        Err(source) => Err(AskError::Core { photo: name, source }),
    }
}

/// Answers of earlier times, if there is a place for them.
struct Memory(Option<(PathBuf, Mutex<Rows>)>);

impl Memory {
    fn open(path: Option<PathBuf>, labels: usize) -> Result<Self, AskError> {
        let Some(path) = path else { return Ok(Self(None)) };
        let rows = Rows::open(&path, labels, Width::Single);
        let rows = rows.map_err(|source| AskError::Cache { path: path.clone(), source })?;
        Ok(Self(Some((path, Mutex::new(rows)))))
    }

    fn get(&self, key: &[u8; 32]) -> Option<Vec<f32>> {
        let (_, rows) = self.0.as_ref()?;
        rows.lock().unwrap_or_else(PoisonError::into_inner).get(key)
    }

    fn put(&self, key: [u8; 32], row: &[f32]) -> Result<(), AskError> {
        let Some((path, rows)) = &self.0 else { return Ok(()) };
        let written = rows.lock().unwrap_or_else(PoisonError::into_inner).put(key, row);
        written.map_err(|source| AskError::Cache { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::photos::Origin;
    use super::*;
    use crate::infer::Options;
    use crate::infer::manifest::ModelFiles;
    use crate::infer::onnx::Outputs;
    use crate::infer::queue::Run;

    /// Answers each photo with its own brightness; counts the photos.
    struct Counting(Arc<AtomicUsize>);

    impl Run for Counting {
        fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
            self.0.fetch_add(batch, Ordering::Relaxed);
            let photos = input.chunks(input.len() / batch);
            let logits: Vec<f32> = photos.flat_map(|photo| (0..7).map(|label| photo[0] + label as f32)).collect();
            Ok(Outputs { cams: logits.clone(), logits, grid: (1, 1), ..Outputs::default() })
        }
    }

    fn photo(bytes: Vec<u8>) -> TestPhoto {
        let (area, place) = ("東京都港区".to_owned(), "赤坂一丁目".to_owned());
        TestPhoto { area, place, position: None, credit: None, origin: Origin::Memory(bytes.into()) }
    }

    fn grey(value: u8) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([value; 3]));
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[tokio::test]
    async fn answers_keep_their_order_and_are_remembered() {
        let runs = Arc::new(AtomicUsize::new(0));
        let manifest = ModelFiles::built_in().unwrap().manifest;
        let options = Options { max_in_flight: 2, ..Options::default() };
        let core = Core::with_runner(manifest, Counting(runs.clone()), &options).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let mut photos: Vec<TestPhoto> = (0..5).map(|i| photo(grey(i * 40))).collect();
        photos.insert(2, photo(b"no picture".to_vec()));
        let mut done = 0;
        let first = ask(&core, &photos, Some(cache.path()), &mut |count| done = count).await.unwrap();
        assert_eq!((done, runs.load(Ordering::Relaxed)), (6, 5));
        assert_eq!(first.logits[2], None, "what cannot be read has no answer");
        let brightness: Vec<f32> = first.logits.iter().flatten().map(|row| row[0]).collect();
        assert!(brightness.windows(2).all(|pair| pair[0] < pair[1]), "{brightness:?}");
        assert!((first.logits[5].as_ref().unwrap()[6] - brightness[4] - 6.0).abs() < 1e-5);

        photos.push(photo(grey(250)));
        let second = ask(&core, &photos, Some(cache.path()), &mut |_| {}).await.unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 6, "only the new photo was run");
        assert_eq!(second.logits[..6], first.logits);
    }
}
