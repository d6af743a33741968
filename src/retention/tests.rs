use std::fs::{self, File};
use std::sync::Arc;

use super::*;
use crate::clock::WallClock;
use crate::clock::manual::ManualClock;
use crate::domain::job::{Client, JobKind};
use crate::domain::{ChatRef, Platform, UserRef};
use crate::store::{AdminAction, JobEnd};

const DAYS: Days = Days { audit: 365, jobs: 90, sightings: 30, unfinished: 14, reports: 180, cache: 30 };

fn system(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(at.as_millisecond().unsigned_abs())
}

struct House {
    folder: tempfile::TempDir,
    store: Store,
    clock: Arc<ManualClock>,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        Self { folder, store, clock: ManualClock::start() }
    }

    fn keeper(&self, days: Days) -> Keeper {
        let folders = Folders { models: self.path("models"), training: self.path("training") };
        Keeper::new(days, folders, self.store.clone(), self.clock.clone())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ago(&self, days: i64) -> Timestamp {
        self.clock.now() - SignedDuration::from_hours(24 * days)
    }

    async fn act(&self, days: i64) {
        let who = UserRef { platform: Platform::Telegram, id: 1 };
        let chat = ChatRef { platform: Platform::Telegram, id: 1 };
        let (name, action, outcome) = ("Aki".to_owned(), format!("{days} days ago"), "done".to_owned());
        let action = AdminAction { at: self.ago(days), who, name, chat, action, outcome };
        self.store.begin_action(&action).await.expect("noted");
    }

    async fn actions(&self) -> Vec<String> {
        let actions = self.store.actions(99).await.expect("readable");
        actions.into_iter().map(|action| action.action).collect()
    }

    /// A job that ended so many days ago.
    async fn job(&self, days: i64, told: bool) -> crate::domain::job::JobId {
        let chat = ChatRef { platform: Platform::Telegram, id: 1 };
        let user = UserRef { platform: Platform::Telegram, id: 1 };
        let client = Client { chat, thread: None, user, lang: "en".to_owned() };
        let at = self.ago(days);
        let (id, _) = self.store.add_job(JobKind::Train, &format!("{days} {told}"), &client, at).await.expect("added");
        self.store.start_job(JobKind::Train, at).await.expect("readable").expect("starts");
        self.store.end_job(id, &JobEnd::Done("{}".to_owned()), at).await.expect("ends");
        if told {
            self.store.job_told(id).await.expect("noted");
        }
        id
    }

    /// A folder with a file in a folder in it, all written so many days ago.
    fn folder(&self, name: &str, days: i64) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.join("checkpoints")).expect("made");
        let file = path.join("checkpoints/last");
        fs::write(&file, "x").expect("written");
        for path in [&file, &path.join("checkpoints"), &path] {
            let time = system(self.ago(days));
            File::open(path).and_then(|file| file.set_modified(time)).expect("dated");
        }
        path
    }
}

#[tokio::test]
async fn each_kind_is_kept_for_its_time_and_no_longer() {
    let house = House::new().await;
    for days in [364, 366] {
        house.act(days).await;
    }
    let (kept, gone, untold) = (house.job(89, true).await, house.job(91, true).await, house.job(91, false).await);
    let unfinished = [13, 15].map(|days| house.folder(&format!("models/.unfinished-{days}"), days));
    let photos = [13, 15].map(|days| house.folder(&format!("training/photos-{days}"), days));
    let reports = [179, 181].map(|days| house.folder(&format!("training/reports/m-{days}"), days));
    let model = house.folder("models/mine", 9_999);
    let cache = [29, 31].map(|days| house.folder(&format!("training/cache/{days}"), days));

    let removed = house.keeper(DAYS).remove(house.clock.now()).await.expect("done");
    assert_eq!(removed, Removed { actions: 1, jobs: 1, points: 0, folders: 4 });
    assert_eq!(house.actions().await, ["364 days ago"]);
    let there = async |id| house.store.job(id).await.expect("readable").is_some();
    assert_eq!((there(kept).await, there(gone).await, there(untold).await), (true, false, true));
    for [young, old] in [unfinished, photos, reports, cache] {
        assert!(young.exists() && !old.exists(), "{}", old.display());
    }
    assert!(model.exists(), "models are no leftovers");
    let again = house.keeper(DAYS).remove(house.clock.now()).await.expect("done");
    assert_eq!(again, Removed::default());
}

#[tokio::test]
async fn nought_keeps_everything() {
    let house = House::new().await;
    house.act(9_999).await;
    house.job(9_999, true).await;
    let folder = house.folder("models/.unfinished-1", 9_999);
    let removed = house.keeper(Days::default()).remove(house.clock.now()).await.expect("done");
    assert_eq!(removed, Removed::default());
    assert!(folder.exists() && house.actions().await.len() == 1);
}

#[tokio::test]
async fn a_training_that_still_writes_is_left_alone() {
    let house = House::new().await;
    let folder = house.folder("models/.unfinished-1", 99);
    fs::write(folder.join("checkpoints/last"), "y").expect("written");
    let today = system(house.clock.now());
    File::open(folder.join("checkpoints/last")).and_then(|file| file.set_modified(today)).expect("dated");
    assert_eq!(house.keeper(DAYS).remove(house.clock.now()).await.expect("done").folders, 0);
    assert!(folder.exists());
}

#[tokio::test]
async fn a_round_comes_once_a_day() {
    let house = House::new().await;
    house.act(365).await;
    let stop = CancellationToken::new();
    let keeper = house.keeper(DAYS);
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { keeper.run(stop).await }
    });
    let until = async |count: usize| {
        while house.actions().await.len() != count {
            tokio::task::yield_now().await;
        }
    };
    // To the millisecond as old as may be.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.actions().await.len(), 1);
    house.clock.pass(24 * 60 * 60);
    until(0).await;
    house.act(400).await;
    house.clock.pass(24 * 60 * 60);
    until(0).await;
    stop.cancel();
    running.await.expect("no panic");
}
