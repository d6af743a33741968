//! Which areas a round is about.

use super::{Difficulty, FEW_AREAS, MAX_AREAS};

/// Chooses labels for a round among `allowed`, by how often the model mixes them up.
///
/// `confusion[truth][guess]` counts photos of the model's test split; without it (another shape than
/// `labels x labels`), or with too few labels to choose from, every round is a normal one. `random(n)` draws a number
/// below `n`, for `n` of 1 or more.
///
/// - [`Difficulty::Normal`]: all, or [`MAX_AREAS`] drawn at random.
/// - [`Difficulty::Easy`]: [`FEW_AREAS`] of them, grown from a random one by whichever is mixed up least with those
///   already chosen.
/// - [`Difficulty::Hard`]: pairs, each drawn with the weight of its mix-ups.
///
/// The result is in ascending order.
#[must_use]
pub fn choose_areas(
    difficulty: Difficulty,
    allowed: &[usize],
    confusion: &[Vec<usize>],
    mut random: impl FnMut(usize) -> usize,
) -> Vec<usize> {
    let known = allowed.iter().all(|&label| confusion.get(label).is_some_and(|row| row.len() == confusion.len()));
    let mut chosen = match difficulty {
        Difficulty::Easy if known && allowed.len() > FEW_AREAS => easy(allowed, confusion, &mut random),
        Difficulty::Hard if known && allowed.len() > FEW_AREAS => hard(allowed, confusion, &mut random),
        _ => sample(allowed, MAX_AREAS, &mut random),
    };
    chosen.sort_unstable();
    chosen
}

/// Photos of either area that were named as the other, per mille of both areas' photos.
fn mixed_up(confusion: &[Vec<usize>], a: usize, b: usize) -> usize {
    let photos: usize = confusion[a].iter().sum::<usize>() + confusion[b].iter().sum::<usize>();
    1_000 * (confusion[a][b] + confusion[b][a]) / photos.max(1)
}

fn sample(allowed: &[usize], count: usize, random: &mut impl FnMut(usize) -> usize) -> Vec<usize> {
    let mut rest = allowed.to_vec();
    while rest.len() > count {
        rest.swap_remove(random(rest.len()));
    }
    rest
}

fn easy(allowed: &[usize], confusion: &[Vec<usize>], random: &mut impl FnMut(usize) -> usize) -> Vec<usize> {
    let mut rest = allowed.to_vec();
    let mut chosen = vec![rest.swap_remove(random(rest.len()))];
    while chosen.len() < FEW_AREAS {
        let cost = |label: usize| chosen.iter().map(|&other| mixed_up(confusion, label, other)).sum::<usize>();
        let least = rest.iter().map(|&label| cost(label)).min().unwrap_or(0);
        let candidates: Vec<usize> = (0..rest.len()).filter(|&i| cost(rest[i]) == least).collect();
        let at = candidates[random(candidates.len())];
        chosen.push(rest.swap_remove(at));
    }
    chosen
}

fn hard(allowed: &[usize], confusion: &[Vec<usize>], random: &mut impl FnMut(usize) -> usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < FEW_AREAS {
        let free: Vec<usize> = allowed.iter().copied().filter(|label| !chosen.contains(label)).collect();
        let pairs = free.iter().enumerate().flat_map(|(i, &a)| free[i + 1..].iter().map(move |&b| (a, b)));
        // Squared, so that the worst pairs come up most; one more, so that no pair is impossible.
        let weighed = pairs.map(|(a, b)| ((a, b), mixed_up(confusion, a, b).pow(2) + 1));
        let weighed: Vec<((usize, usize), usize)> = weighed.collect();
        let mut at = random(weighed.iter().map(|(_, weight)| weight).sum());
        let pair = weighed.iter().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        let Some(((a, b), _)) = pair else { break };
        chosen.extend([*a, *b]);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 0 and 1 are mixed up, as are 2 and 3; the rest never.
    fn confusion() -> Vec<Vec<usize>> {
        let mut matrix = vec![vec![0; 6]; 6];
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] = 100;
        }
        for (a, b) in [(0, 1), (2, 3)] {
            (matrix[a][b], matrix[b][a]) = (50, 50);
        }
        matrix
    }

    #[test]
    fn hard_rounds_take_the_pairs_that_are_mixed_up() {
        let all: Vec<usize> = (0..6).collect();
        assert_eq!(choose_areas(Difficulty::Hard, &all, &confusion(), |n| n / 4), [0, 1, 2, 3]);
    }

    #[test]
    fn easy_rounds_leave_one_of_each_such_pair_out() {
        let all: Vec<usize> = (0..6).collect();
        for start in 0..6 {
            let mut first = Some(start);
            let chosen = choose_areas(Difficulty::Easy, &all, &confusion(), |n| first.take().unwrap_or(0).min(n - 1));
            assert_eq!(chosen.len(), FEW_AREAS);
            assert!(!(chosen.contains(&0) && chosen.contains(&1)), "{chosen:?}");
            assert!(!(chosen.contains(&2) && chosen.contains(&3)), "{chosen:?}");
        }
    }

    #[test]
    fn without_a_confusion_matrix_every_round_is_normal() {
        for difficulty in Difficulty::ALL {
            assert_eq!(choose_areas(*difficulty, &[0, 1, 2, 3, 4], &[], |_| 0), [0, 1, 2, 3, 4]);
        }
    }

    proptest! {
        #[test]
        fn areas_are_allowed_and_different(
            labels in 2_usize..12, counts in prop::collection::vec(0_usize..20, 144), draws in any::<u64>(),
            difficulty in prop::sample::select(Difficulty::ALL),
        ) {
            let matrix: Vec<Vec<usize>> = counts.chunks(12).take(labels).map(|row| row[..labels].to_vec()).collect();
            let allowed: Vec<usize> = (0..labels).collect();
            let mut state = draws;
            let random = |n: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as usize % n
            };
            let chosen = choose_areas(difficulty, &allowed, &matrix, random);
            prop_assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(chosen.iter().all(|label| allowed.contains(label)));
            prop_assert!((2..=MAX_AREAS).contains(&chosen.len()));
        }
    }
}
