//! The index of look-alikes: made of a finished model, and measured as a second opinion.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::domain::Split;
use crate::domain::area::are_cells;
use crate::infer::files::replace;
use crate::infer::index::INDEX_FILE;
use crate::infer::index::kin::Voting;
use crate::infer::manifest::{Indexed, MANIFEST_FILE, Manifest, ModelFiles, sha256_hex};
use crate::infer::{Core, Options};
use crate::judge::photos::Origin;
use crate::judge::second::{calibrate, witnesses, worth};
use crate::judge::{TestPhoto, photos};
use crate::train::cells::Rule;
use crate::train::folder::Folder;
use crate::train::head::features::Extractor;
use crate::train::{drawn, index};
use crate::world::World;

/// Photos between two lines of progress in the log.
const PROGRESS: usize = 500;

/// Which photos are indexed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    /// Folder of the photos that the model was trained on; `None`: they are drawn.
    pub(super) data: Option<&'a Path>,
    /// Seed of the drawn ones.
    pub(super) seed: u64,
    /// Most photos of an area.
    pub(super) per_area: usize,
    /// Drawn photos of an area by which the vote is calibrated.
    pub(super) validation: usize,
}

/// Makes the index of the model in a folder, and chooses on the validation split how its photos vote. At every moment
/// the folder holds a model that works: first one without an index.
pub(super) async fn make(
    options: &Options,
    home: &Path,
    choice: Choice<'_>,
    cache: &Path,
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> anyhow::Result<Indexed> {
    let mut files = ModelFiles::read_without_index(home)?;
    let labels = &files.manifest.labels;
    let (photos, validation) = match choice.data {
        Some(folder) => {
            let folder = match are_cells(labels) {
                true => Folder::in_cells(folder, &Rule::Known(labels))?.0,
                false => Folder::read(folder)?,
            };
            (index::in_folder(&folder, choice.per_area)?, in_folder(&folder, Split::Validation))
        }
        None => {
            let world = Arc::new(World::load());
            tracing::info!(photos_an_area = choice.per_area, "drawing the photos of the index");
            let drawn = index::as_known(index::drawn(&world, choice.seed, choice.per_area), labels);
            let validation = drawn_validation(&world, choice.seed, choice.validation);
            (drawn, photos::as_known(&validation, labels).photos)
        }
    };
    let network = Extractor { files: &files, backend: &options.backend, cache };
    let made = index::build(photos, &network, progress)?;
    let sha256 = sha256_hex(made.bytes());
    let mut indexed = Indexed { sha256, photos: made.len(), voting: Voting::default() };
    let made = Arc::new(made);
    (files.index, files.manifest.index) = (Some(made.clone()), Some(indexed.clone()));
    let asked =
        witnesses(&Core::start(&files, options)?, &validation, &mut said("asking the validation split")).await?;
    indexed.voting = calibrate(&asked);
    let manifest = |index: Option<Indexed>| Manifest { index, ..files.manifest.clone() };
    write_manifest(home, &manifest(None))?;
    let path = home.join(INDEX_FILE);
    replace(&path, made.bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    write_manifest(home, &manifest(Some(indexed.clone())))?;
    Ok(indexed)
}

/// What the second opinion of a model is worth on photos; JSON.
pub(super) async fn measure(core: &Core, photos: &[TestPhoto]) -> anyhow::Result<String> {
    let core = core.pinned();
    let indexed = core.manifest().index.clone();
    let voting = indexed.context("the model has no index: `kokodoko models index` makes one")?.voting;
    let asked = witnesses(&core, photos, &mut said("asking")).await?;
    let worth = worth(&asked, voting).context("no photo could be read")?;
    Ok(serde_json::to_string_pretty(&worth)?)
}

fn said(what: &'static str) -> impl FnMut(usize) + Send {
    move |done| {
        if done.is_multiple_of(PROGRESS) {
            tracing::info!(done, "{what}");
        }
    }
}

/// As a training draws its validation split.
fn drawn_validation(world: &Arc<World>, seed: u64, per_area: usize) -> Vec<TestPhoto> {
    photos::drawn(world, drawn::split_photos(world, seed, Split::Validation, per_area))
}

fn in_folder(folder: &Folder, split: Split) -> Vec<TestPhoto> {
    let photo = |found: &crate::train::folder::Found| TestPhoto {
        area: folder.labels[found.label].area.clone(),
        place: found.place.clone(),
        position: found.position,
        credit: None,
        origin: Origin::File(found.path.clone()),
    };
    folder.photos.iter().filter(|found| found.split == split).map(photo).collect()
}

/// Writes a model's manifest.
pub(super) fn write_manifest(home: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let path = home.join(MANIFEST_FILE);
    let text = toml::to_string(manifest).context("the manifest has no TOML form")?;
    replace(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
