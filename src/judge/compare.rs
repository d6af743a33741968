//! Two models on the same photos, by the names that they give; by distance: [`nearer`](super::distance::nearer).

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::ask::{Answers, Model};
use super::photos::TestPhoto;
use super::score::{Graded, SEED, Score, score, spots};
use crate::domain::Area;
use crate::domain::area::are_cells;
use crate::domain::metrics::{Distances, Interval, argmax, bootstrap};

/// What a comparison says of the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The whole interval of the difference lies above 0.
    Better,
    /// The interval holds 0: these photos do not tell the models apart.
    NotBetter,
    /// The whole interval lies below 0.
    Worse,
}

/// Whether a candidate is better than the live model. Differences are candidate less live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Who wants to be live.
    pub candidate: Model,
    /// Who is.
    pub live: Model,
    /// Photos that both answered.
    pub photos: usize,
    /// Places that they come from.
    pub places: usize,
    /// By [`Measured::deciding`].
    pub decision: Decision,
    /// Whether the lower end of [`Measured::deciding`] lies above 0: what promotion asks for.
    pub better: bool,
    /// What was compared, and by how much they differ.
    #[serde(flatten)]
    pub measured: Measured,
}

/// What models are compared by. Those that have the same areas, or areas that have names, by the names; others by
/// distance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Measured {
    /// How often the right area is named.
    Names(ByNames),
    /// How far off the guesses are.
    Distance(Box<ByDistance>),
}

/// How often two models name the right area. Differences are -1 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByNames {
    /// 95 % interval of the difference in macro recall: paired bootstrap over places.
    pub macro_recall_difference: Interval,
    /// The same in top-1.
    pub top1_difference: Interval,
    /// Photos that only the candidate names rightly.
    pub only_candidate: usize,
    /// Photos that only the live model names rightly.
    pub only_live: usize,
}

/// How far off two models are on the same photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByDistance {
    /// 95 % interval of the difference in the mean GeoScore, -5,000 to 5,000: paired bootstrap over places.
    pub geoscore_difference: Interval,
    /// The same in the shares of guesses within [`WITHIN_KM`](crate::domain::metrics::distance::WITHIN_KM), -1 to 1.
    pub within_difference: [Interval; 5],
    /// How far off the candidate is.
    pub candidate_distances: Distances,
    /// How far off the live model is.
    pub live_distances: Distances,
    /// Photos for which the candidate's guess is nearer.
    pub nearer_candidate: usize,
    /// Photos for which the live model's is.
    pub nearer_live: usize,
}

impl Measured {
    /// The difference that decides: in macro recall, or in the mean GeoScore.
    #[must_use]
    pub fn deciding(&self) -> &Interval {
        match self {
            Self::Names(by) => &by.macro_recall_difference,
            Self::Distance(by) => &by.geoscore_difference,
        }
    }
}

/// A model judged, alone or against another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Which model.
    pub model: Model,
    /// How good it is.
    pub score: Score,
    /// Photos that could not be read.
    pub left_out: usize,
    /// The same model on photos that people gave, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Box<Given>>,
    /// The model that it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// A model on real photos, which people took and gave by consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// How good it is there.
    pub score: Score,
    /// How good the model is that it is compared with by names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Score>,
    /// Photos that could not be read.
    pub left_out: usize,
}

/// The model that another is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Which.
    pub model: Model,
    /// How good it is in naming areas; `None` where the models are compared by distance: its areas are others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Whether the other is better.
    pub verdict: Verdict,
}

/// Photos laid out for one or more models, whatever order and number of areas each has.
#[derive(Clone, Debug)]
pub struct Exam {
    /// Areas of the models, then those that only photos have.
    pub areas: Vec<Area>,
    /// Which photos all models answered, by their index.
    pub kept: Vec<usize>,
    /// Index of the true area of each kept photo.
    pub truths: Vec<usize>,
    /// Place of each kept photo.
    pub places: Vec<String>,
}

impl Exam {
    /// Lays out the photos that all models answered.
    ///
    /// # Panics
    /// When a model has not one entry a photo.
    #[must_use]
    pub fn new(photos: &[TestPhoto], models: &[&Answers]) -> Self {
        assert!(models.iter().all(|model| model.logits.len() == photos.len()), "one entry a photo");
        let kept: Vec<usize> =
            (0..photos.len()).filter(|&i| models.iter().all(|model| model.logits[i].is_some())).collect();
        let mut areas: Vec<Area> = Vec::new();
        for label in models.iter().flat_map(|model| &model.labels) {
            if areas.iter().all(|area| area.area != label.area) {
                areas.push(label.clone());
            }
        }
        let mut truths = Vec::with_capacity(kept.len());
        for &i in &kept {
            let name = &photos[i].area;
            let known = areas.iter().position(|area| area.area == *name);
            truths.push(known.unwrap_or_else(|| {
                // A table names an area as a whole; no model knows its parts.
                areas.push(Area {
                    area: name.clone(),
                    prefecture: String::new(),
                    municipality: name.clone(),
                    name_en: name.clone(),
                    cell: None,
                });
                areas.len() - 1
            }));
        }
        let places = kept.iter().map(|&i| photos[i].place.clone()).collect();
        Self { areas, kept, truths, places }
    }

    /// A model's logits of the kept photos, in the order of [`Self::areas`]; minus infinity for areas that the model
    /// does not know, so that it can neither answer them nor be right there.
    #[must_use]
    pub fn logits(&self, model: &Answers) -> Vec<Vec<f32>> {
        let columns: Vec<Option<usize>> =
            self.areas.iter().map(|area| model.labels.iter().position(|label| label.area == area.area)).collect();
        let row = |&i: &usize| {
            let own = model.logits[i].as_deref().unwrap_or_default();
            columns.iter().map(|column| column.map_or(f32::NEG_INFINITY, |column| own[column])).collect()
        };
        self.kept.iter().map(row).collect()
    }

    /// Judges one model; `None` when no photo was answered.
    #[must_use]
    pub fn score(&self, model: &Answers) -> Option<Score> {
        let logits = self.logits(model);
        let graded = Graded {
            logits: &logits,
            truths: &self.truths,
            places: &self.places,
            temperature: model.temperature,
            abstain_below: model.abstain_below,
        };
        (!self.kept.is_empty()).then(|| score(&graded, &self.areas))
    }

    /// Which photos the model names rightly.
    fn right(&self, model: &Answers) -> Vec<bool> {
        self.logits(model).iter().zip(&self.truths).map(|(row, truth)| argmax(row) == Some(*truth)).collect()
    }
}

/// Whether two models can be compared by the names that they give: municipalities mean the same to all, cells only to
/// models that divide the globe in the same way.
#[must_use]
pub fn share_names(ours: &[Area], theirs: &[Area]) -> bool {
    ours == theirs || !(are_cells(ours) || are_cells(theirs))
}

/// Compares a candidate with the live model on the photos that both answered: the paired bootstrap over places of the
/// difference in macro recall decides. A photo of an area that a model does not know counts as wrong for it.
///
/// `None` when there is no such photo.
///
/// ```no_run
/// # async fn judge(candidate: kokodoko::infer::Core, live: kokodoko::infer::Core) -> Option<()> {
/// use std::sync::Arc;
/// use kokodoko::domain::Split;
/// use kokodoko::judge::{ask, compare, photos};
/// use kokodoko::train::drawn;
/// use kokodoko::world::World;
///
/// let world = Arc::new(World::load());
/// let photos = photos::drawn(&world, drawn::split_photos(&world, 1, Split::Test, 150));
/// let candidate = ask(&candidate, &photos, None, &mut |_| {}).await.ok()?;
/// let live = ask(&live, &photos, None, &mut |_| {}).await.ok()?;
/// let verdict = compare(&candidate, &live, &photos)?;
/// println!("better: {}, by at least {}", verdict.better, verdict.measured.deciding().low);
/// # Some(()) }
/// ```
///
/// # Panics
/// When a model has not one entry a photo.
#[must_use]
pub fn compare(candidate: &Answers, live: &Answers, photos: &[TestPhoto]) -> Option<Verdict> {
    let exam = Exam::new(photos, &[candidate, live]);
    let (ours, theirs) = (exam.right(candidate), exam.right(live));
    if ours.is_empty() {
        return None;
    }
    let spots = spots(&exam.truths, &exam.places);
    let spread = bootstrap::differences(&spots, &ours, &theirs, &mut ChaCha8Rng::seed_from_u64(SEED));
    let only = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && !**b).count();
    let places: BTreeSet<_> = spots.iter().map(|spot| (spot.area, spot.place)).collect();
    let measured = Measured::Names(ByNames {
        macro_recall_difference: spread.macro_recall,
        top1_difference: spread.top1,
        only_candidate: only(&ours, &theirs),
        only_live: only(&theirs, &ours),
    });
    Some(Verdict::new([candidate, live], ours.len(), places.len(), measured))
}

impl Verdict {
    /// Of a candidate and the live model, on so many photos of so many places.
    pub(super) fn new([candidate, live]: [&Answers; 2], photos: usize, places: usize, measured: Measured) -> Self {
        let decision = decide(measured.deciding());
        let better = decision == Decision::Better;
        let (candidate, live) = (candidate.model.clone(), live.model.clone());
        Self { candidate, live, photos, places, decision, better, measured }
    }
}

fn decide(difference: &Interval) -> Decision {
    match (difference.low > 0.0, difference.high < 0.0) {
        (true, _) => Decision::Better,
        (_, true) => Decision::Worse,
        _ => Decision::NotBetter,
    }
}

#[cfg(test)]
mod tests {
    use super::super::photos::Origin;
    use super::*;

    fn photos(count: usize) -> Vec<TestPhoto> {
        let photo = |i: usize| TestPhoto {
            area: ["県甲", "県乙"][i % 2].to_owned(),
            place: format!("{}丁目", i / 4),
            position: None,
            credit: None,
            origin: Origin::Memory(Vec::new().into()),
        };
        (0..count).map(photo).collect()
    }

    /// A model with these areas that names the area that `says` gives for each photo.
    fn model(areas: &[&str], count: usize, says: impl Fn(usize) -> usize) -> Answers {
        let row = |i: usize| (0..areas.len()).map(|label| if label == says(i) { 2.0 } else { 0.0 }).collect();
        Answers {
            model: Model { name: "m".into(), version: "1".into(), sha256: String::new(), backend: "tract".into() },
            labels: areas.iter().map(|name| Area::new("県", name, name)).collect(),
            temperature: 1.0,
            abstain_below: 0.5,
            logits: (0..count).map(|i| Some(row(i))).collect(),
        }
    }

    fn by_names(verdict: &Verdict) -> &ByNames {
        match &verdict.measured {
            Measured::Names(by) => by,
            Measured::Distance(_) => panic!("they have the same areas"),
        }
    }

    #[test]
    fn better_worse_and_neither() {
        let photos = photos(80);
        let perfect = model(&["甲", "乙"], 80, |i| i % 2);
        let half = model(&["甲", "乙"], 80, |i| i / 2 % 2);
        let verdict = compare(&perfect, &half, &photos).unwrap();
        assert_eq!((verdict.decision, verdict.better), (Decision::Better, true));
        assert_eq!((verdict.measured.deciding().value, verdict.photos, verdict.places), (0.5, 80, 40));
        assert_eq!((by_names(&verdict).only_candidate, by_names(&verdict).only_live), (40, 0));
        let back = compare(&half, &perfect, &photos).unwrap();
        assert_eq!((back.decision, back.better), (Decision::Worse, false));
        assert_eq!(compare(&half, &half, &photos).unwrap().decision, Decision::NotBetter);
    }

    #[test]
    fn areas_are_matched_by_name_and_unknown_ones_are_wrong() {
        let photos = photos(8);
        let straight = model(&["甲", "乙"], 8, |i| i % 2);
        let turned = model(&["乙", "丙", "甲"], 8, |i| if i % 2 == 0 { 2 } else { 0 });
        let verdict = compare(&turned, &straight, &photos).unwrap();
        let by = by_names(&verdict);
        assert_eq!((by.only_candidate, by.only_live), (0, 0), "both are always right");
        let blind = model(&["甲"], 8, |_| 0);
        let exam = Exam::new(&photos, &[&blind]);
        let score = exam.score(&blind).unwrap();
        assert_eq!((score.top1.value, score.areas.len()), (0.5, 2));
        assert_eq!(score.confusion, [[4, 0], [4, 0]]);
    }

    #[test]
    fn only_photos_that_both_answered_count() {
        let photos = photos(8);
        let (mut a, b) = (model(&["甲", "乙"], 8, |i| i % 2), model(&["甲", "乙"], 8, |i| i % 2));
        a.logits[3] = None;
        assert_eq!(compare(&a, &b, &photos).unwrap().photos, 7);
        a.logits.fill(None);
        assert_eq!(compare(&a, &b, &photos), None);
        assert_eq!(Exam::new(&photos, &[&a]).score(&a), None);
    }

    #[test]
    fn comparisons_of_before_there_were_distances_are_read() {
        let model = r#"{"name":"m","version":"1","sha256":"","backend":"tract"}"#;
        let interval = r#"{"low":0.5,"value":0.75,"high":1.0}"#;
        let old = format!(
            r#"{{"candidate":{model},"live":{model},"photos":9,"places":3,"decision":"better","better":true,
                "macro_recall_difference":{interval},"top1_difference":{interval},"only_candidate":5,"only_live":1}}"#
        );
        let verdict: Verdict = serde_json::from_str(&old).unwrap();
        assert_eq!((verdict.measured.deciding().low, by_names(&verdict).only_live), (0.5, 1));
        let again = serde_json::to_value(&verdict).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(&old).unwrap(), "and written as before");
    }

    #[test]
    fn cells_are_names_only_to_models_that_have_the_same() {
        let [a, b] = [["甲"], ["乙"]].map(|names| model(&names, 0, |_| 0).labels);
        let at = crate::domain::Coordinate { lat: 35.6586, lng: 139.7454 };
        let cells = [Area { cell: Some(crate::domain::Geocell::of(at, 12)), ..a[0].clone() }];
        let pairs = [(&a[..], &b[..]), (&cells[..], &cells[..]), (&cells[..], &a[..]), (&b[..], &cells[..])];
        assert_eq!(pairs.map(|(ours, theirs)| share_names(ours, theirs)), [true, true, false, false]);
    }
}
