//! In which directions a panorama is looked at.

use super::chance::Chance;
use super::settings::Density;
use crate::domain::imagery::Look;

/// The looks at a panorama, `density.headings_per_point` of them: evenly around from a start that its id decides, so
/// that all of 0 to 359 degrees come up, and in an order in which more looks only add to fewer.
pub fn looks(density: &Density, id: &str) -> Vec<Look> {
    let start = (Chance::of(&["headings", id]).unit() * 360.0) as u16;
    let Density { fov, pitch, width, height, .. } = *density;
    let heading = |index| (start + turn(index)) % 360;
    (0..density.headings_per_point).map(|index| Look { heading: heading(index), fov, pitch, width, height }).collect()
}

/// Degrees from the start: 0, 180, 90, 270, 45, and so on. Every beginning of the sequence is spread as evenly as its
/// length allows (van der Corput's sequence in base 2).
fn turn(index: u32) -> u16 {
    ((u64::from(index.reverse_bits()) * 360) >> 32) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn density(headings_per_point: u32) -> Density {
        let (fov, pitch, width, height) = (90, -5, 640, 480);
        Density { points_per_town: 1, headings_per_point, fov, pitch, width, height, search_radius_m: 50 }
    }

    fn headings(count: u32, id: &str) -> Vec<u16> {
        looks(&density(count), id).iter().map(|look| look.heading).collect()
    }

    #[test]
    fn four_looks_are_square_to_each_other() {
        assert_eq!([0, 1, 2, 3, 4, 5].map(turn), [0, 180, 90, 270, 45, 225]);
        let look = looks(&density(1), "pano")[0];
        assert_eq!((look.fov, look.pitch, look.width, look.height), (90, -5, 640, 480));
    }

    #[test]
    fn every_heading_comes_up() {
        let mut seen = [false; 360];
        (0..6_000).for_each(|id| seen[usize::from(headings(1, &id.to_string())[0])] = true);
        assert!(seen.iter().all(|seen| *seen), "{seen:?}");
    }

    proptest! {
        #[test]
        fn more_looks_keep_the_fewer_and_leave_no_large_gap(id in "[A-Za-z0-9_-]{1,22}", few in 1..36_u32, more in 0..36_u32) {
            let all = headings((few + more).min(36), &id);
            prop_assert_eq!(&all[..few as usize], &headings(few, &id)[..]);
            let mut sorted = headings(few, &id);
            sorted.sort_unstable();
            let next = sorted.iter().cycle().skip(1);
            let gaps = sorted.iter().zip(next).map(|(from, to)| (to + 359 - from) % 360 + 1);
            // Van der Corput: no gap is wider than twice the even one, up to whole degrees.
            prop_assert!(gaps.max().unwrap() <= (720 / few as u16).min(360) + 1, "{sorted:?}");
            sorted.dedup();
            prop_assert_eq!(sorted.len(), few as usize);
        }
    }
}
