//! Commits in groups: what waits while one group is written forms the next, so that a disk that takes few commits a
//! second takes many rows.

use tokio::sync::{mpsc, oneshot};

/// Most entries in a group, and most that wait.
const MOST: usize = 64;

/// Where entries wait for their group.
pub(super) struct Group<T, R> {
    waiting: mpsc::Sender<(T, oneshot::Sender<R>)>,
}

impl<T: Send + 'static, R: Send + 'static> Group<T, R> {
    /// Starts the task that commits; it ends with the last sender. `commit` answers each entry, in their order.
    pub(super) fn start<F, W>(commit: F) -> Self
    where
        F: Fn(Vec<T>) -> W + Send + 'static,
        W: Future<Output = Vec<R>> + Send,
    {
        let (sender, mut waiting) = mpsc::channel::<(T, oneshot::Sender<R>)>(MOST);
        tokio::spawn(async move {
            let mut group = Vec::new();
            while waiting.recv_many(&mut group, MOST).await > 0 {
                let (entries, callers): (Vec<T>, Vec<_>) = group.drain(..).unzip();
                for (caller, answer) in callers.into_iter().zip(commit(entries).await) {
                    // Whoever has gone does not want to know.
                    let _ = caller.send(answer);
                }
            }
        });
        Self { waiting: sender }
    }

    /// Waits for the group that the entry gets into. It is committed also when the caller does not wait to the end.
    /// `None` when committing panicked.
    pub(super) async fn put(&self, entry: T) -> Option<R> {
        let (caller, answer) = oneshot::channel();
        self.waiting.send((entry, caller)).await.ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn entries_are_answered_in_groups_each_with_its_own() {
        let commits = Arc::new(AtomicUsize::new(0));
        let count = commits.clone();
        let group = Arc::new(Group::start(move |entries: Vec<u32>| {
            let count = count.clone();
            async move {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                entries.into_iter().map(|entry| entry * 2).collect()
            }
        }));
        let answers = futures_util::future::join_all((0..200).map(|entry| group.put(entry))).await;
        assert!(answers.into_iter().zip(0..).all(|(answer, entry)| answer == Some(entry * 2)));
        assert!(commits.load(Ordering::Relaxed) < 20, "{commits:?} commits");
    }
}
