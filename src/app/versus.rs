//! Two models that were asked about the same photos: how they compare.

use std::path::Path;

use anyhow::Context;

use super::evaluate::answers;
use crate::collect::borders::Grounds;
use crate::collect::extents::Extents;
use crate::domain::Coordinate;
use crate::domain::metrics::Distances;
use crate::infer::Core;
use crate::judge::{
    Answers, Placed, TestPhoto, Verdict, compare, far_off, nearer,
    photos::{Known, as_known},
    share_names,
};

/// A model, running, with its answers to all photos.
pub(super) struct Asked {
    pub(super) core: Core,
    pub(super) answers: Answers,
    /// The middles of its areas, in the order of the logits.
    middles: Vec<Option<Coordinate>>,
}

impl Asked {
    /// Asks a model; `tell` hears of each photo.
    pub(super) async fn new(
        core: Core,
        photos: &[TestPhoto],
        cache: &Path,
        grounds: &Grounds,
        tell: &mut (dyn FnMut(usize) + Send),
    ) -> anyhow::Result<Self> {
        let answers = answers(&core, photos, cache, tell).await?;
        let extents = Extents::new(grounds.clone()).of(&core.manifest(), core.index().as_deref());
        let middles = extents.iter().map(|extent| extent.middle).collect();
        Ok(Self { core, answers, middles })
    }

    /// How far off its guesses are, for the photos in the areas that it knows and for those outside.
    pub(super) fn far_off(&self, photos: &[TestPhoto], known: &Known) -> Option<Distances> {
        let outside: Vec<TestPhoto> = known.outside.iter().map(|&i| photos[i].clone()).collect();
        let (inside, beyond) = (self.answers.pick(&known.inside), self.answers.pick(&known.outside));
        far_off((&inside, &known.photos), Some((&beyond, &outside)), &self.middles)
    }

    fn placed(&self) -> Placed<'_> {
        Placed { answers: &self.answers, middles: &self.middles }
    }
}

/// Compares two models: by the names that they give where these mean the same to both, else by distance.
pub(super) fn verdict(candidate: &Asked, live: &Asked, photos: &[TestPhoto]) -> anyhow::Result<Verdict> {
    let (ours, theirs) = (&candidate.answers, &live.answers);
    if !share_names(&ours.labels, &theirs.labels) {
        return Ok(nearer(&candidate.placed(), &live.placed(), photos)?);
    }
    let known = as_known(photos, &ours.labels);
    compare(&ours.pick(&known.inside), &theirs.pick(&known.inside), &known.photos).context("no photo could be read")
}
