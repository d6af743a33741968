//! How far off a model's guesses are: from the middle of the best area to where a photo was taken; and whether those of
//! another model are nearer.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use super::ask::Answers;
use super::compare::{ByDistance, Measured, Verdict};
use super::photos::TestPhoto;
use super::score::SEED;
use crate::domain::area::{are_cells, label_at};
use crate::domain::metrics::distance::{WITHIN_KM, geoscore};
use crate::domain::metrics::{Distances, Interval, Spot, argmax, bootstrap, distance};
use crate::domain::{Area, Coordinate};

/// Places from which on two models can be told apart by distance: that one of two equal models is nearer in every one of
/// five places happens by chance in more than 5 % of all comparisons, in six places in 3 % (`2 / 2^6`).
pub const LEAST_PLACES: usize = 6;

/// Photos with a model's answers to them, one entry a photo.
pub type Asked<'a> = (&'a Answers, &'a [TestPhoto]);

/// Judges guesses for photos in areas that the model knows, and for those outside. `middles` are those of its areas, in
/// the order of the logits. A photo without a position, or without an answer, counts nothing.
///
/// `None` when no photo is left, or when the middle of an area that was answered is not known.
///
/// # Panics
/// When there is not one entry a photo.
#[must_use]
pub fn far_off(inside: Asked<'_>, outside: Option<Asked<'_>>, middles: &[Option<Coordinate>]) -> Option<Distances> {
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut spots, mut km, mut beyond) = (Vec::new(), Vec::new(), 0);
    for (index, (answers, photos)) in [Some(inside), outside].into_iter().flatten().enumerate() {
        assert_eq!(answers.logits.len(), photos.len(), "one entry a photo");
        for (photo, logits) in photos.iter().zip(&answers.logits) {
            let (Some(at), Some(best)) = (photo.position, logits.as_deref().and_then(argmax)) else { continue };
            let guess = middles.get(best).copied().flatten()?;
            let next = areas.len();
            let area = *areas.entry(&photo.area).or_insert(next);
            spots.push(Spot { area, place: &photo.place });
            km.push(guess.distance_m(at) / 1_000.0);
            beyond += usize::from(index == 1);
        }
    }
    (!km.is_empty()).then(|| distance::distances(&spots, &km, beyond, &mut ChaCha8Rng::seed_from_u64(SEED)))
}

/// A model and where its areas lie.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// What it says of each photo.
    pub answers: &'a Answers,
    /// The middles of its areas, in the order of the logits.
    pub middles: &'a [Option<Coordinate>],
}

/// Why two models cannot be compared by distance.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum DistanceError {
    /// Nobody knows where any photo was taken.
    #[error(
        "{models} have different areas and can only be compared by distance, but none of the {photos} test photos has a \
         position: use photos with positions (columns lat and lng), or judge each model by itself, without --against"
    )]
    NoPositions {
        /// Both models.
        models: String,
        /// All photos.
        photos: usize,
    },
    /// Too few places to tell two models apart.
    #[error(
        "{models} have different areas and can only be compared by distance, but the test photos with a position that \
         both answered come from {places} places ({photos} photos), and {LEAST_PLACES} are needed: use photos of more \
         places, or judge each model by itself, without --against"
    )]
    Few {
        /// Both models.
        models: String,
        /// Photos with a position that both answered.
        photos: usize,
        /// Their places.
        places: usize,
    },
    /// An answer stands for no point on the map.
    #[error(
        "{model} cannot be placed on the map, so that nothing can be compared with it by distance: nobody knows where its \
         area {area} lies: make its index of photos with positions (`kokodoko models index`), or give the area a border \
         (collect.borders_file or collect.regions)"
    )]
    Unplaced {
        /// Name and version of the model.
        model: String,
        /// Full name of the area.
        area: String,
    },
}

impl Placed<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.answers.model.name, self.answers.model.version)
    }

    /// How far the guess for a photo is from where it was taken, kilometres; `None` of a photo that was not answered.
    fn error_km(&self, photo: usize, at: Coordinate) -> Result<Option<f64>, DistanceError> {
        let Some(best) = self.answers.logits[photo].as_deref().and_then(argmax) else { return Ok(None) };
        let Some(guess) = self.middles.get(best).copied().flatten() else {
            return Err(DistanceError::Unplaced { model: self.name(), area: self.answers.labels[best].area.clone() });
        };
        Ok(Some(guess.distance_m(at) / 1_000.0))
    }
}

/// Compares a candidate with the live model by how far off their guesses are, on the photos that have a position and that
/// both answered: their areas may differ. A photo outside all areas of a model counts as well: it answers as it does.
///
/// The paired bootstrap over places of the difference in the mean GeoScore decides. It is bounded, so that one guess on the
/// wrong side of the globe weighs no more than any other that is far off, as it would not in a mean of kilometres; and it
/// falls with every kilometre, so that it also tells models of one city apart, all of whose guesses lie within 25 km.
///
/// # Errors
/// See [`DistanceError`].
///
/// # Panics
/// When a model has not one entry a photo.
pub fn nearer(candidate: &Placed<'_>, live: &Placed<'_>, photos: &[TestPhoto]) -> Result<Verdict, DistanceError> {
    assert!([candidate, live].iter().all(|model| model.answers.logits.len() == photos.len()), "one entry a photo");
    let models = || format!("{} and {}", candidate.name(), live.name());
    if photos.iter().all(|photo| photo.position.is_none()) {
        return Err(DistanceError::NoPositions { models: models(), photos: photos.len() });
    }
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut spots, mut at, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (i, photo) in photos.iter().enumerate() {
        let Some(taken) = photo.position else { continue };
        let (Some(own), Some(other)) = (candidate.error_km(i, taken)?, live.error_km(i, taken)?) else { continue };
        let next = areas.len();
        let area = *areas.entry(&photo.area).or_insert(next);
        spots.push(Spot { area, place: &photo.place });
        at.push(taken);
        ours.push(own);
        theirs.push(other);
    }
    let places = spots.iter().map(|spot| (spot.area, spot.place)).collect::<BTreeSet<_>>().len();
    if places < LEAST_PLACES {
        return Err(DistanceError::Few { models: models(), photos: spots.len(), places });
    }
    let by = by_distance(&spots, [&ours, &theirs], [candidate, live].map(|model| outside(&model.answers.labels, &at)));
    let measured = Measured::Distance(Box::new(by));
    Ok(Verdict::new([candidate.answers, live.answers], spots.len(), places, measured))
}

/// Photos that lie in none of these cells.
fn outside(labels: &[Area], at: &[Coordinate]) -> usize {
    if are_cells(labels) { at.iter().filter(|at| label_at(labels, **at).is_none()).count() } else { 0 }
}

/// From errors of the candidate and of the live model in kilometres, one a spot.
fn by_distance(spots: &[Spot<'_>], [ours, theirs]: [&[f64]; 2], outside: [usize; 2]) -> ByDistance {
    let dice = || ChaCha8Rng::seed_from_u64(SEED);
    let difference = |score: &dyn Fn(f64) -> f64| -> Interval {
        let of = |errors: &[f64]| errors.iter().map(|km| score(*km)).collect::<Vec<f64>>();
        bootstrap::paired_mean(spots, &of(ours), &of(theirs), &mut dice())
    };
    let nearer = |a: &[f64], b: &[f64]| a.iter().zip(b).filter(|(a, b)| a < b).count();
    ByDistance {
        geoscore_difference: difference(&geoscore),
        within_difference: WITHIN_KM.map(|most| difference(&|km| f64::from(km <= most))),
        candidate_distances: distance::distances(spots, ours, outside[0], &mut dice()),
        live_distances: distance::distances(spots, theirs, outside[1], &mut dice()),
        nearer_candidate: nearer(ours, theirs),
        nearer_live: nearer(theirs, ours),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ask::Model;
    use super::super::photos::Origin;
    use super::*;
    use crate::domain::Area;

    const MINATO: Coordinate = Coordinate { lat: 35.655, lng: 139.745 };
    const ASAHIKAWA: Coordinate = Coordinate { lat: 43.771, lng: 142.365 };

    fn photo(position: Option<Coordinate>) -> TestPhoto {
        TestPhoto {
            area: "東京都港区".to_owned(),
            place: "芝一丁目".to_owned(),
            position,
            credit: None,
            origin: Origin::Memory(Vec::new().into()),
        }
    }

    fn answers(best: &[Option<usize>]) -> Answers {
        let row = |best: usize| (0..2).map(|label| f32::from(u8::from(label == best))).collect();
        Answers {
            model: Model { name: "m".into(), version: "1".into(), sha256: String::new(), backend: "tract".into() },
            labels: ["甲", "乙"].map(|name| Area::new("県", name, name)).to_vec(),
            temperature: 1.0,
            abstain_below: 0.5,
            logits: best.iter().map(|best| best.map(row)).collect(),
        }
    }

    #[test]
    fn guesses_are_the_middles_of_the_best_areas() {
        let photos =
            [photo(Some(MINATO)), photo(Some(MINATO.offset_m(3_000.0, 0.0))), photo(None), photo(Some(MINATO))];
        let said = answers(&[Some(0), Some(0), Some(1), None]);
        let far = [photo(Some(MINATO))];
        let middles = [Some(MINATO), Some(ASAHIKAWA)];
        let found = far_off((&said, &photos), Some((&answers(&[Some(1)]), &far)), &middles).unwrap();
        assert_eq!((found.photos, found.outside), (3, 1));
        let shares = found.within.map(|share| (share.value * 3.0).round());
        assert_eq!(shares, [1.0, 2.0, 2.0, 2.0, 3.0], "930 km to Asahikawa");
        assert!((found.median_km.value - 3.0).abs() < 0.01, "{found:?}");
        assert_eq!(far_off((&said, &photos), None, &[None, Some(ASAHIKAWA)]), None, "no guess without a middle");
        assert!(far_off((&said, &photos), None, &[Some(MINATO), None]).is_some(), "never answered");
    }

    /// So many photos around Minato, two of each place.
    fn around(count: usize) -> Vec<TestPhoto> {
        let at = |i: usize| MINATO.offset_m(500.0 * i as f64, 0.0);
        (0..count).map(|i| TestPhoto { place: format!("{}丁目", i / 2), ..photo(Some(at(i))) }).collect()
    }

    fn by(verdict: &Verdict) -> &ByDistance {
        match &verdict.measured {
            Measured::Distance(by) => by,
            Measured::Names(_) => panic!("it was by distance"),
        }
    }

    #[test]
    fn the_nearer_model_is_better_whatever_its_areas_are_called() {
        let photos = around(24);
        let (near, far) = (answers(&[Some(0); 24]), answers(&[Some(1); 24]));
        let middles = [Some(MINATO), Some(ASAHIKAWA)];
        let placed = |answers| Placed { answers, middles: &middles };
        let verdict = nearer(&placed(&near), &placed(&far), &photos).unwrap();
        assert_eq!((verdict.better, verdict.photos, verdict.places), (true, 24, 12));
        let found = by(&verdict);
        assert_eq!((found.nearer_candidate, found.nearer_live), (24, 0));
        let apart = found.candidate_distances.geoscore.value - found.live_distances.geoscore.value;
        assert!((found.geoscore_difference.value - apart).abs() < 1e-9, "what the table shows: {found:?}");
        assert_eq!(found.within_difference.map(|share| share.value), [3.0 / 24.0, 1.0, 1.0, 1.0, 0.0]);
        let back = nearer(&placed(&far), &placed(&near), &photos).unwrap();
        assert_eq!((back.better, back.decision), (false, crate::judge::Decision::Worse));
        let read: Verdict = serde_json::from_str(&serde_json::to_string(&verdict).unwrap()).unwrap();
        assert!(matches!(read.measured, Measured::Distance(_)));
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let said = answers(&[Some(0); 24]);
        let refused = |photos: &[TestPhoto], middles: &[Option<Coordinate>]| {
            let placed = Placed { answers: &said, middles: &[Some(MINATO)] };
            nearer(&placed, &Placed { middles, ..placed }, photos).unwrap_err()
        };
        let nowhere = vec![photo(None); 24];
        assert!(matches!(refused(&nowhere, &[Some(MINATO)]), DistanceError::NoPositions { photos: 24, .. }));
        assert!(matches!(refused(&around(24), &[None]), DistanceError::Unplaced { area, .. } if area == "県甲"));
        let one_town = vec![photo(Some(MINATO)); 24];
        let error = refused(&one_town, &[Some(MINATO)]);
        assert!(matches!(error, DistanceError::Few { photos: 24, places: 1, .. }), "{error}");
        assert!(error.to_string().contains("m 1 and m 1 have different areas") && error.to_string().contains("6 are"));
    }

    #[test]
    fn only_what_both_answered_counts_and_photos_outside_all_cells_count_too() {
        let photos = around(24);
        let (mut ours, theirs) = (answers(&[Some(0); 24]), answers(&[Some(0); 24]));
        ours.logits[5] = None;
        ours.labels[0].cell = Some(crate::domain::Geocell::of(MINATO, 12));
        let inside = photos.iter().filter(|photo| label_at(&ours.labels, photo.position.unwrap()).is_some()).count();
        let placed = |answers| Placed { answers, middles: &[Some(MINATO)] };
        let verdict = nearer(&placed(&ours), &placed(&theirs), &photos).unwrap();
        assert_eq!((verdict.photos, by(&verdict).live_distances.outside), (23, 0));
        let outside = by(&verdict).candidate_distances.outside;
        assert!((23 - inside..=24 - inside).contains(&outside) && outside > 0, "{outside} of {inside}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn a_model_is_not_nearer_than_itself_and_exchanging_two_mirrors_the_interval(
            says in prop::collection::vec((0_usize..2, 0_usize..2), 12..30),
        ) {
            let photos = around(says.len());
            let [ours, theirs] = [
                says.iter().map(|says| Some(says.0)).collect::<Vec<_>>(),
                says.iter().map(|says| Some(says.1)).collect(),
            ].map(|best| answers(&best));
            let middles = [Some(MINATO), Some(MINATO.offset_m(20_000.0, 9_000.0))];
            let placed = |answers| Placed { answers, middles: &middles };
            let [there, back, none] = [(&ours, &theirs), (&theirs, &ours), (&ours, &ours)]
                .map(|(a, b)| nearer(&placed(a), &placed(b), &photos).unwrap());
            let (there, back, none) = (by(&there), by(&back), by(&none));
            let pairs = |by: &ByDistance| [&[by.geoscore_difference][..], &by.within_difference].concat();
            for (a, b) in pairs(there).into_iter().zip(pairs(back)) {
                prop_assert!((a.low + b.high).abs() < 1e-9 && (a.value + b.value).abs() < 1e-9);
            }
            prop_assert_eq!((there.nearer_candidate, there.nearer_live), (back.nearer_live, back.nearer_candidate));
            for Interval { low, value, high } in pairs(none) {
                prop_assert_eq!((low, value, high), (0.0, 0.0, 0.0));
            }
        }
    }
}
