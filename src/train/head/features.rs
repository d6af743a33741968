//! What a frozen network sees in photos, remembered on disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use image::{RgbImage, imageops};
use thiserror::Error;

use crate::infer::cache::{PhotoKey, Rows, Width, file_of, photo_key};
use crate::infer::decode::{Limits, PhotoError, decode_square};
use crate::infer::manifest::{ModelError, ModelFiles};
use crate::infer::onnx::{Backend, Network};
use crate::infer::preprocess::Preprocess;

/// Photos of one run of the network.
const BATCH: usize = 8;

/// How a photo is laid before the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The centre square, as people's photos are.
    Centre,
    /// The same in a mirror.
    Mirrored,
}

impl View {
    fn kind(self) -> &'static str {
        match self {
            Self::Centre => "features-centre",
            Self::Mirrored => "features-mirrored",
        }
    }

    fn tensor(self, input: &Preprocess, square: &RgbImage, out: &mut Vec<f32>) {
        match self {
            Self::Centre => input.normalise(square, out),
            Self::Mirrored => input.normalise(&imageops::flip_horizontal(square), out),
        }
    }
}

/// Features that cannot be had.
#[derive(Debug, Error)]
pub enum FeatureError {
    /// The network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The remembered features.
    #[error("cannot use the remembered features in {}: {source}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A photo.
    #[error("photo {index}: {source}")]
    Photo {
        /// Which, counted from 0.
        index: usize,
        /// What is wrong with it.
        source: PhotoError,
    },
    /// A run of the network.
    #[error("the network failed: {0}")]
    Run(String),
}

/// A frozen network and where its features are remembered.
pub struct Extractor<'a> {
    /// The network.
    pub files: &'a ModelFiles,
    /// What runs it.
    pub backend: &'a Backend,
    /// Folder of the remembered features.
    pub cache: &'a Path,
}

impl Extractor<'_> {
    /// The features of each photo, `[channels]`, rounded to 11 significant bits. Only photos that are not remembered
    /// are decoded and run. `progress` hears how many of those are done, and of how many.
    ///
    /// # Errors
    /// See [`FeatureError`].
    pub fn features(
        &self,
        photos: &[&[u8]],
        view: View,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Vec<f32>>, FeatureError> {
        let mut networks = self.networks()?;
        let grey = vec![0.0; self.files.manifest.input.values()];
        let channels = networks[0].features(1, &grey).map_err(FeatureError::Run)?.len();
        let path = file_of(self.cache, &self.files.manifest, view.kind());
        let fault = |source| FeatureError::Cache { path: path.clone(), source };
        let mut rows = Rows::open(&path, channels, Width::Half).map_err(fault)?;
        let keys: Vec<PhotoKey> = photos.iter().map(|photo| photo_key(photo)).collect();
        let missing: Vec<usize> = (0..photos.len()).filter(|&i| rows.get(&keys[i]).is_none()).collect();
        let input = self.files.manifest.input;
        let mut done = 0;
        let run = |network: &mut Network, batch: &[usize]| run(network, batch, photos, view, &input);
        spread(&mut networks, &missing, run, |batch, features| {
            for (&i, row) in batch.iter().zip(features.chunks_exact(channels)) {
                rows.put(keys[i], row).map_err(fault)?;
            }
            done += batch.len();
            progress(done, missing.len());
            Ok(())
        })?;
        Ok(keys.iter().map(|key| rows.get(key).expect("every photo has been run")).collect())
    }

    /// One network a core where a network runs on one core; two where it has threads of its own, so that one decodes
    /// while the other runs.
    fn networks(&self) -> Result<Vec<Network>, ModelError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let count = if *self.backend == Backend::Tract { cores } else { 2 };
        (0..count).map(|_| Network::load(self.files, self.backend)).collect()
    }
}

fn run(
    network: &mut Network,
    batch: &[usize],
    photos: &[&[u8]],
    view: View,
    input: &Preprocess,
) -> Result<Vec<f32>, FeatureError> {
    let mut tensor = Vec::with_capacity(batch.len() * input.values());
    for &index in batch {
        let square = decode_square(photos[index], &Limits::default(), input.size);
        let square = square.map_err(|source| FeatureError::Photo { index, source })?;
        view.tensor(input, &square, &mut tensor);
    }
    network.features(batch.len(), &tensor).map_err(FeatureError::Run)
}

/// Shares batches among the networks, each on a thread of its own; `keep` gets the results here, in the order in which
/// they come. The first error ends everything.
fn spread(
    networks: &mut [Network],
    missing: &[usize],
    run: impl Fn(&mut Network, &[usize]) -> Result<Vec<f32>, FeatureError> + Sync,
    mut keep: impl FnMut(&[usize], Vec<f32>) -> Result<(), FeatureError>,
) -> Result<(), FeatureError> {
    let batches: Vec<&[usize]> = missing.chunks(BATCH).collect();
    let next = AtomicUsize::new(0);
    // Short, so that features wait in memory for the disk only so long.
    let (sender, receiver) = mpsc::sync_channel(2 * networks.len());
    std::thread::scope(|scope| {
        for network in networks {
            let (sender, run, next, batches) = (sender.clone(), &run, &next, &batches);
            scope.spawn(move || {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if sender.send((*batch, run(network, batch))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // Ending here drops the receiver, which ends the threads.
        receiver.into_iter().try_for_each(|(batch, features)| keep(batch, features?))
    })
}
