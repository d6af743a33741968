//! Which deliveries were seen lately: after a reconnect Discord may hand out the same message again.

use std::collections::{HashSet, VecDeque};

/// Deliveries that are remembered. A resumed session replays seconds, not hours.
const REMEMBERED: usize = 1_024;

/// The newest ids, bounded.
#[derive(Default)]
pub(super) struct Recent {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    /// Remembers `id`; false when it was remembered already.
    pub(super) fn is_new(&mut self, id: u64) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_the_rest_forgotten() {
        let mut recent = Recent::default();
        for id in 0..=REMEMBERED as u64 {
            assert!(recent.is_new(id));
        }
        assert!(!recent.is_new(1), "the oldest of the remembered");
        assert!(recent.is_new(0), "forgotten");
        assert_eq!((recent.ids.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
    }
}
