//! How far off a model's guesses are: from the middle of the best area to where a photo was taken.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::ask::Answers;
use super::photos::TestPhoto;
use super::score::SEED;
use crate::domain::Coordinate;
use crate::domain::metrics::{Distances, Spot, argmax, distance};

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

#[cfg(test)]
mod tests {
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
}
