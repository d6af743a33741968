//! How well a score tells two kinds of things apart, whatever threshold is set.

use serde::{Deserialize, Serialize};

/// How well a score tells what belongs from what does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    /// Area under the ROC curve, 0 to 1: how probable it is that something that belongs has the higher score of the two;
    /// equal scores count half. 0.5 is chance.
    pub auroc: f64,
    /// Share of what does not belong that passes where 95 % of what belongs passes, 0 to 1; 0 is best.
    pub fpr95: f64,
}

/// How well higher scores tell `inside` from `outside`; `None` when one of them is empty. Scores that are no number count
/// as the lowest.
#[must_use]
pub fn apart(inside: &[f32], outside: &[f32]) -> Option<Apart> {
    if inside.is_empty() || outside.is_empty() {
        return None;
    }
    let mut sorted: Vec<f32> = outside.iter().copied().map(number).collect();
    sorted.sort_by(f32::total_cmp);
    // The Mann-Whitney statistic: for each of the one, how many of the other lie below.
    let wins: f64 = inside
        .iter()
        .copied()
        .map(number)
        .map(|score| {
            let below = sorted.partition_point(|other| *other < score);
            let equal = sorted.partition_point(|other| *other <= score) - below;
            below as f64 + equal as f64 / 2.0
        })
        .sum();
    let bar = passing(inside, 0.95)?;
    let passed = sorted.len() - sorted.partition_point(|other| *other < bar);
    Some(Apart {
        auroc: wins / (inside.len() as f64 * outside.len() as f64),
        fpr95: passed as f64 / outside.len() as f64,
    })
}

/// The highest threshold that at least `share` (0 to 1) of the scores reach; `None` of none.
#[must_use]
pub fn passing(scores: &[f32], share: f64) -> Option<f32> {
    let mut sorted: Vec<f32> = scores.iter().copied().map(number).collect();
    sorted.sort_by(f32::total_cmp);
    let refused = ((1.0 - share) * sorted.len() as f64 + 1e-9).floor() as usize;
    sorted.get(refused.min(sorted.len().saturating_sub(1))).copied()
}

/// No number is as far outside as can be.
fn number(score: f32) -> f32 {
    if score.is_nan() { f32::NEG_INFINITY } else { score }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        let found = apart(&[3.0, 2.0, 1.0], &[0.0, 2.0]).unwrap();
        // Of the six pairs 3 > 0, 3 > 2, 2 > 0, 1 > 0, and 2 = 2 counts half.
        assert!((found.auroc - 4.5 / 6.0).abs() < 1e-12);
        assert_eq!(found.fpr95, 0.5, "all three must pass, and so does the 2");
        assert_eq!(apart(&[], &[1.0]), None);
        assert_eq!(apart(&[f32::NAN], &[0.0]).unwrap().auroc, 0.0);
    }

    #[test]
    fn a_threshold_lets_its_share_pass_and_no_more_than_it_must() {
        let scores: Vec<f32> = (0..100).map(|i| i as f32).collect();
        assert_eq!(passing(&scores, 0.99), Some(1.0));
        assert_eq!(passing(&scores, 0.95), Some(5.0));
        assert_eq!(passing(&scores, 1.0), Some(0.0));
        assert_eq!(passing(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn the_area_under_the_curve_is_that_of_all_pairs(
            inside in prop::collection::vec(-5_i32..5, 1..30), outside in prop::collection::vec(-5_i32..5, 1..30),
        ) {
            let float = |scores: &[i32]| scores.iter().map(|score| *score as f32).collect::<Vec<_>>();
            let pairs = inside.iter().flat_map(|a| outside.iter().map(move |b| match a.cmp(b) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            }));
            let expected = pairs.sum::<f64>() / (inside.len() * outside.len()) as f64;
            let found = apart(&float(&inside), &float(&outside)).unwrap();
            prop_assert!((found.auroc - expected).abs() < 1e-9);
            let back = apart(&float(&outside), &float(&inside)).unwrap();
            prop_assert!((found.auroc + back.auroc - 1.0).abs() < 1e-9);
        }

        #[test]
        fn enough_pass(scores in prop::collection::vec(-9.0..9.0_f32, 1..50), share in 0.0..1.0_f64) {
            let bar = passing(&scores, share).unwrap();
            let passed = scores.iter().filter(|score| **score >= bar).count();
            prop_assert!(passed as f64 >= share * scores.len() as f64 - 1e-6);
        }
    }
}
