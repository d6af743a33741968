//! Which photos a round asks about.

use std::collections::HashSet;

use super::chance::Chance;
use super::pool::{Pool, PoolPhoto};

/// Photos drawn for a round.
#[derive(Debug)]
pub struct Draw<'p> {
    /// The photos, in the order of the round.
    pub photos: Vec<&'p PoolPhoto>,
    /// Whether the chat had seen the pool of these areas up, so that it begins anew.
    pub anew: bool,
}

/// Draws `count` different photos: for each an area, all equally likely, and then one of its photos that the chat
/// has not seen. `None` when an area has too few.
///
/// The areas are drawn one by one rather than dealt out, so that counting them gives nothing away.
#[must_use]
pub fn draw<'p>(
    pool: &'p Pool,
    areas: &[String],
    count: usize,
    seen: &HashSet<String>,
    chance: &mut Chance,
) -> Option<Draw<'p>> {
    let wanted: Vec<&String> = (0..count).map(|_| &areas[chance.below(areas.len())]).collect();
    let fresh = pick(pool, &wanted, seen, chance);
    let anew = fresh.is_none();
    let photos = fresh.or_else(|| pick(pool, &wanted, &HashSet::new(), chance))?;
    Some(Draw { photos, anew })
}

fn pick<'p>(
    pool: &'p Pool,
    wanted: &[&String],
    seen: &HashSet<String>,
    chance: &mut Chance,
) -> Option<Vec<&'p PoolPhoto>> {
    let mut chosen: Vec<&PoolPhoto> = Vec::new();
    for area in wanted {
        let left = |photo: &&PoolPhoto| {
            photo.area == **area && !seen.contains(&photo.key) && !chosen.iter().any(|other| other.key == photo.key)
        };
        let candidates: Vec<&PoolPhoto> = pool.photos().iter().filter(left).collect();
        if candidates.is_empty() {
            return None;
        }
        chosen.push(candidates[chance.below(candidates.len())]);
    }
    Some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas(pool: &Pool) -> Vec<String> {
        let mut areas: Vec<String> = pool.photos().iter().map(|photo| photo.area.clone()).collect();
        areas.dedup();
        areas.sort();
        areas.dedup();
        areas
    }

    #[test]
    fn nothing_is_repeated_until_the_pool_is_used_up() {
        let pool = Pool::drawn();
        let one = vec![areas(&pool)[0].clone()];
        let all = pool.photos().iter().filter(|photo| photo.area == one[0]).count();
        let mut chance = Chance::new(&[1; 32], "test", "");
        let mut seen = HashSet::new();
        for round in 0..all / 9 {
            let drawn = draw(&pool, &one, 9, &seen, &mut chance).expect("enough photos");
            assert!(!drawn.anew, "round {round}");
            assert!(drawn.photos.iter().all(|photo| seen.insert(photo.key.clone())), "repeated in round {round}");
        }
        let last = draw(&pool, &one, 9, &seen, &mut chance).expect("begins anew");
        assert!(last.anew);
    }

    #[test]
    fn an_area_without_photos_cannot_be_asked_about() {
        let pool = Pool::drawn();
        let nowhere = vec!["東京都八丈町".to_owned()];
        assert!(draw(&pool, &nowhere, 1, &HashSet::new(), &mut Chance::new(&[1; 32], "test", "")).is_none());
    }
}
