//! Which deliveries were seen lately: after a reconnect a service may hand out the same one again.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// The newest ids, at most `REMEMBERED` of them.
pub(super) struct Recent<Id, const REMEMBERED: usize> {
    ids: HashSet<Id>,
    order: VecDeque<Id>,
}

impl<Id, const REMEMBERED: usize> Default for Recent<Id, REMEMBERED> {
    fn default() -> Self {
        Self { ids: HashSet::new(), order: VecDeque::new() }
    }
}

impl<Id: Clone + Eq + Hash, const REMEMBERED: usize> Recent<Id, REMEMBERED> {
    /// Remembers `id`; false when it was remembered already.
    pub(super) fn is_new(&mut self, id: Id) -> bool {
        if !self.ids.insert(id.clone()) {
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

    const REMEMBERED: usize = 1_024;

    #[test]
    fn repeated_deliveries_are_known_and_memory_is_bounded() {
        let mut recent = Recent::<u64, REMEMBERED>::default();
        assert!(recent.is_new(0));
        assert!(!recent.is_new(0));
        for id in 1..=REMEMBERED as u64 {
            assert!(recent.is_new(id));
        }
        assert_eq!((recent.ids.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!recent.is_new(1), "the oldest of the remembered");
        assert!(recent.is_new(0), "forgotten");
        assert_eq!((recent.ids.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
    }
}
