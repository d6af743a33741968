//! Whether heatmaps point at what betrays the area: measured on drawn photos, whose renderer knows where it is.
//!
//! Most photos with a fence show other signs of their area as well, and a network that points at one of these is not
//! wrong. So the same street is drawn again without its fence: where the answer is then another, the fence decided it. And
//! streets are drawn whose fence is the only sign of the area, all else coming from tables common to all areas.
//!
//! The pointing game (Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop"): a hit when the strongest
//! spot lies in a box of the right kind, against the middle of the photo, where boxes lie anyway. And the occlusion test
//! (after Petsiuk et al. 2018, "RISE"): greying out that spot must cost the area more than greying out a random one.

use image::{Rgb, RgbImage, imageops};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::photos::{Origin, TestPhoto};
use crate::domain::metrics::bootstrap::{self, Interval};
use crate::domain::metrics::wilson;
use crate::infer::explain::Question;
use crate::infer::{Core, LocateError, Located};
use crate::world::photo::encode_jpeg;
use crate::world::{Cue, CueKind, PhotoSpec, Rendered, Signs, World};

/// Share of the picture that a fence must cover to make a scene of it.
const LEAST_SHARE: f64 = 0.02;
/// Side of what is greyed out, share of the shorter side.
const PATCH: f64 = 0.25;
/// JPEG quality of greyed photos; high, so that only the patch matters.
const QUALITY: u8 = 95;
/// Seed of the random patches and of the intervals.
const SEED: u64 = 11;

/// What the heatmaps of a model are worth on scenes of one kind. Shares are 0 to 1, with 95 % intervals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pointing {
    /// Photos with a fence that were answered rightly.
    pub scenes: usize,
    /// Share of them in which the strongest spot lies in a box of the fence.
    pub hits: Interval,
    /// Share of them in which the middle of the photo does.
    pub centre: Interval,
    /// How much more probability a grey patch on the strongest spot takes from the area than one on a random spot.
    pub occlusion: Interval,
}

/// The same of every kind of scene; `None` where there is none of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// All scenes of the drawn world as it is.
    pub all: Option<Pointing>,
    /// Those of them that are answered with another area when the fence is left out.
    pub decided: Option<Pointing>,
    /// Scenes whose fence is the only sign of the area: the rest may hint at it or at others by chance.
    pub alone: Option<Pointing>,
    /// Those of them that are answered with another area when the fence is left out: the fence and not chance.
    pub alone_decided: Option<Pointing>,
}

/// One scene.
struct Scene {
    hit: bool,
    centre: bool,
    /// Whether the answer is another area without the fence.
    decided: bool,
    /// Probability lost to the patch on the strongest spot, and to the random one.
    lost: [f32; 2],
}

/// Measures it on drawn photos; others are passed over. `told` hears how many photos are done.
///
/// # Errors
/// When the model fails.
pub async fn pointing(core: &Core, photos: &[TestPhoto], mut told: impl FnMut(usize)) -> Result<Report, LocateError> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let (mut all, mut alone) = (Vec::new(), Vec::new());
    for (done, photo) in photos.iter().enumerate() {
        if let Origin::Drawn { world, spec } = &photo.origin {
            for (scenes, others) in [(&mut all, true), (&mut alone, false)] {
                scenes.extend(scene(core, (world, spec), &photo.area, others, &mut rng).await?);
            }
        }
        told(done + 1);
    }
    let mut of = |scenes: Vec<&Scene>| (!scenes.is_empty()).then(|| sum_up(&scenes, &mut rng));
    Ok(Report {
        all: of(all.iter().collect()),
        decided: of(all.iter().filter(|scene| scene.decided).collect()),
        alone: of(alone.iter().collect()),
        alone_decided: of(alone.iter().filter(|scene| scene.decided).collect()),
    })
}

/// `None` where no fence is seen, or the answer is wrong. `others` as in [`Signs`].
async fn scene(
    core: &Core,
    (world, spec): (&World, &PhotoSpec),
    area: &str,
    others: bool,
    rng: &mut ChaCha8Rng,
) -> Result<Option<Scene>, LocateError> {
    let Rendered { image, cues } = spec.render_with(world, Signs { fence: true, others });
    let boxes: Vec<Cue> = cues.into_iter().filter(|cue| cue.kind == CueKind::Fence).collect();
    let pixels = f64::from(image.width()) * f64::from(image.height());
    let covered: f64 = boxes.iter().map(|cue| f64::from(cue.width) * f64::from(cue.height)).sum();
    if covered < LEAST_SHARE * pixels {
        return Ok(None);
    }
    let located = core.locate(encode_jpeg(&image, spec.quality)).await?;
    let best = located.prediction.best();
    if best.area.area != area {
        return Ok(None);
    }
    let bare = spec.render_with(world, Signs { fence: false, others }).image;
    let decided = core.locate(encode_jpeg(&bare, spec.quality)).await?.prediction.best().label != best.label;
    let peak = located.explanation.peak(Question::Why(best.label));
    let middle = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    let within = |(x, y): (f32, f32)| boxes.iter().any(|cue| contains(cue, x, y));
    let spot = (rng.random_range(0.0..image.width() as f32), rng.random_range(0.0..image.height() as f32));
    let mut lost = [0.0; 2];
    for (lost, at) in lost.iter_mut().zip([peak, spot]) {
        let without = core.locate(encode_jpeg(&greyed(&image, at), QUALITY)).await?;
        *lost = best.probability - probability(&without, best.label);
    }
    Ok(Some(Scene { hit: within(peak), centre: within(middle), decided, lost }))
}

fn contains(cue: &Cue, x: f32, y: f32) -> bool {
    let inside = |value: f32, from: u32, length: u32| value >= from as f32 && value < (from + length) as f32;
    inside(x, cue.x, cue.width) && inside(y, cue.y, cue.height)
}

fn probability(located: &Located, label: usize) -> f32 {
    located.prediction.areas.iter().find(|found| found.label == label).map_or(0.0, |found| found.probability)
}

/// The photo with a grey square around a spot, moved inwards at the edges.
fn greyed(image: &RgbImage, (x, y): (f32, f32)) -> RgbImage {
    let (width, height) = image.dimensions();
    let side = ((f64::from(width.min(height)) * PATCH) as u32).max(1);
    let corner = |at: f32, length: u32| (at as i64 - i64::from(side / 2)).clamp(0, i64::from(length - side));
    let mut greyed = image.clone();
    let patch = RgbImage::from_pixel(side, side, Rgb([128; 3]));
    imageops::replace(&mut greyed, &patch, corner(x, width), corner(y, height));
    greyed
}

fn sum_up(scenes: &[&Scene], rng: &mut ChaCha8Rng) -> Pointing {
    let share = |of: fn(&Scene) -> bool| {
        let count = scenes.iter().filter(|scene| of(scene)).count();
        let (low, high) = wilson(count, scenes.len());
        Interval { low, value: count as f64 / scenes.len() as f64, high }
    };
    let differences: Vec<f64> = scenes.iter().map(|scene| f64::from(scene.lost[0] - scene.lost[1])).collect();
    Pointing {
        scenes: scenes.len(),
        hits: share(|scene| scene.hit),
        centre: share(|scene| scene.centre),
        occlusion: bootstrap::mean(&differences, rng),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_stays_inside_and_covers_its_share() {
        let white = RgbImage::from_pixel(64, 48, Rgb([255; 3]));
        for at in [(0.0, 0.0), (63.9, 47.9), (32.0, 24.0)] {
            let grey = greyed(&white, at).pixels().filter(|pixel| pixel.0 == [128; 3]).count();
            assert_eq!(grey, 12 * 12, "{at:?}");
        }
        assert_eq!(greyed(&white, (32.0, 24.0)).get_pixel(32, 24).0, [128; 3]);
    }

    #[test]
    fn boxes_contain_their_pixels() {
        let cue = Cue { kind: CueKind::Fence, x: 10, y: 20, width: 5, height: 2 };
        assert!(contains(&cue, 10.0, 20.0) && contains(&cue, 14.9, 21.9));
        assert!(!contains(&cue, 15.0, 20.0) && !contains(&cue, 10.0, 19.9));
    }

    #[test]
    fn figures_are_shares_and_a_mean_difference() {
        let scene = |hit: bool| Scene { hit, centre: false, decided: true, lost: [0.5, 0.1] };
        let scenes: Vec<Scene> = (0..100).map(|i| scene(i < 80)).collect();
        let found = sum_up(&scenes.iter().collect::<Vec<_>>(), &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!((found.scenes, found.hits.value, found.centre.value), (100, 0.8, 0.0));
        assert!((found.occlusion.value - 0.4).abs() < 1e-6 && found.hits.low < 0.8 && found.hits.high > 0.8);
    }
}
