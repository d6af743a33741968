//! How good predictions are: pure functions of logits or probabilities and truth.
//!
//! A row is one photo; `labels` are indices of areas, below the number of columns.

pub mod bootstrap;
pub mod coverage;
pub mod distance;
pub mod ranking;
pub mod reliability;

pub use bootstrap::{Interval, Spot, Spread};
pub use coverage::{Selective, selective};
pub use distance::Distances;
pub use ranking::{Apart, apart, passing};
pub use reliability::{Bin, ece};

use super::prediction::softmax;

/// Index of the largest value; the first of equals. `None` of nothing.
#[must_use]
pub fn argmax(values: &[f32]) -> Option<usize> {
    let better = |best: Option<usize>, i: usize| match best {
        Some(b) if values[b] >= values[i] => Some(b),
        _ => Some(i),
    };
    (0..values.len()).fold(None, better)
}

/// Share (0 to 1) of rows whose truth is among the `k` largest values; 0 of no rows.
#[must_use]
pub fn top_k(rows: &[Vec<f32>], labels: &[usize], k: usize) -> f32 {
    let hit = |(row, &label): (&Vec<f32>, &usize)| {
        let above = row.iter().enumerate().filter(|&(i, v)| *v > row[label] || (*v == row[label] && i < label));
        above.count() < k
    };
    share(rows.iter().zip(labels).filter(|pair| hit(*pair)).count(), rows.len())
}

/// Counts of photos by truth (row) and answer (column), `classes` x `classes`.
#[must_use]
pub fn confusion(rows: &[Vec<f32>], labels: &[usize], classes: usize) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; classes]; classes];
    for (row, &label) in rows.iter().zip(labels) {
        if let Some(answer) = argmax(row) {
            counts[label][answer] += 1;
        }
    }
    counts
}

/// Share of each area's photos that are named rightly, from a confusion matrix; `None` where it has none.
#[must_use]
pub fn recalls(confusion: &[Vec<usize>]) -> Vec<Option<f32>> {
    let recall = |(i, row): (usize, &Vec<usize>)| {
        let all: usize = row.iter().sum();
        (all > 0).then(|| share(row[i], all))
    };
    confusion.iter().enumerate().map(recall).collect()
}

/// Mean of the recalls of the areas that have photos; 0 if none has.
#[must_use]
pub fn macro_recall(confusion: &[Vec<usize>]) -> f32 {
    let known: Vec<f32> = recalls(confusion).into_iter().flatten().collect();
    if known.is_empty() { 0.0 } else { known.iter().sum::<f32>() / known.len() as f32 }
}

/// Mean negative log-likelihood of the truth under `softmax(logits / temperature)`, in nats.
#[must_use]
pub fn nll(logits: &[Vec<f32>], labels: &[usize], temperature: f64) -> f64 {
    let one = |(row, &label): (&Vec<f32>, &usize)| {
        let scaled: Vec<f64> = row.iter().map(|l| f64::from(*l) / temperature).collect();
        let max = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = scaled.iter().map(|s| (s - max).exp()).sum::<f64>().ln() + max;
        log_sum - scaled[label]
    };
    logits.iter().zip(labels).map(one).sum::<f64>() / logits.len().max(1) as f64
}

/// The best probability of a photo and whether its area is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// 0 to 1.
    pub confidence: f32,
    /// Whether the most probable area is the true one.
    pub right: bool,
}

/// Judges each row at a temperature.
#[must_use]
pub fn judge(logits: &[Vec<f32>], labels: &[usize], temperature: f32) -> Vec<Judged> {
    let one = |(row, &label): (&Vec<f32>, &usize)| {
        let confidence = softmax(row, temperature).into_iter().fold(0.0, f32::max);
        Judged { confidence, right: argmax(row) == Some(label) }
    };
    logits.iter().zip(labels).map(one).collect()
}

/// Best that one answer for all photos can do: the share of the most frequent area (top-1) and, as it finds one area of
/// all that there are, its macro recall. Chosen in hindsight, so an honest constant answer does no better. 0 of no
/// photos.
#[must_use]
pub fn majority(labels: &[usize]) -> (f32, f32) {
    let classes = labels.iter().max().map_or(0, |max| max + 1);
    let mut counts = vec![0; classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    let areas = counts.iter().filter(|count| **count > 0).count();
    (share(counts.into_iter().max().unwrap_or(0), labels.len()), share(usize::from(areas > 0), areas))
}

/// The 95 % Wilson score interval of a share (Wilson 1927): honest even for few photos and shares near 0 or 1.
/// `(0, 1)` of none.
#[must_use]
pub fn wilson(hits: usize, all: usize) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (z, n) = (1.959_963_984_540_054_f64, all as f64);
    let p = hits as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

fn share(part: usize, all: usize) -> f32 {
    if all == 0 { 0.0 } else { part as f32 / all as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows() -> Vec<Vec<f32>> {
        vec![vec![2.0, 1.0, 0.0], vec![0.0, 1.0, 2.0], vec![1.0, 2.0, 0.0], vec![0.0, 1.0, 2.0]]
    }

    #[test]
    fn shares_and_recalls_by_hand() {
        let labels = [0, 0, 1, 2];
        assert_eq!(top_k(&rows(), &labels, 1), 0.75);
        assert_eq!(top_k(&rows(), &labels, 2), 0.75);
        assert_eq!(top_k(&rows(), &labels, 3), 1.0);
        let matrix = confusion(&rows(), &labels, 4);
        assert_eq!(recalls(&matrix), [Some(0.5), Some(1.0), Some(1.0), None]);
        assert!((macro_recall(&matrix) - 2.5 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn equals_go_to_the_first_label_everywhere() {
        let even = vec![vec![1.0, 1.0]];
        assert_eq!(argmax(&even[0]), Some(0));
        assert_eq!((top_k(&even, &[0], 1), top_k(&even, &[1], 1)), (1.0, 0.0));
    }

    #[test]
    fn even_logits_cost_the_log_of_their_number() {
        assert!((nll(&[vec![3.0; 7]], &[2], 1.7) - 7.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn always_the_same_answer() {
        assert_eq!(majority(&[2, 0, 2, 4]), (0.5, 1.0 / 3.0));
        assert_eq!(majority(&[]), (0.0, 0.0));
    }

    #[test]
    fn wilson_agrees_with_the_literature() {
        // Newcombe 1998, table I: 81 of 263 -> 0.2553 to 0.3662; 0 of 20 -> 0 to 0.1611.
        let (low, high) = wilson(81, 263);
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        assert!((wilson(0, 20).1 - 0.1611).abs() < 5e-5);
    }

    proptest! {
        #[test]
        fn shares_stay_in_range_and_grow_with_k(
            data in prop::collection::vec((prop::collection::vec(-9.0..9.0_f32, 4), 0_usize..4), 1..40),
        ) {
            let (rows, labels): (Vec<_>, Vec<_>) = data.into_iter().unzip();
            let shares: Vec<f32> = (1..=4).map(|k| top_k(&rows, &labels, k)).collect();
            prop_assert!(shares.windows(2).all(|w| w[0] <= w[1]));
            prop_assert_eq!(shares[3], 1.0);
            let judged = judge(&rows, &labels, 1.3);
            prop_assert!((0.0..=1.0).contains(&ece(&judged, 15)));
            let right = judged.iter().filter(|j| j.right).count();
            prop_assert!((shares[0] - right as f32 / rows.len() as f32).abs() < 1e-6);
            let (low, high) = wilson(right, rows.len());
            prop_assert!(low <= f64::from(shares[0]) + 1e-6 && f64::from(shares[0]) <= high + 1e-6);
        }
    }
}
