use super::*;
use crate::domain::{ChatRef, Platform, UserRef};
use crate::store::AdminAction;

fn now() -> Timestamp {
    "2026-11-26T03:00:00Z".parse().expect("a moment")
}

/// A place with a database and two models.
struct Place {
    folder: tempfile::TempDir,
    store: Store,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("data/kokodoko.sqlite")).await.expect("opens");
        for (path, words) in [("a/model.onnx", "network a"), ("a/manifest.toml", "name"), ("b/model.onnx", "network b")]
        {
            let path = folder.path().join("models").join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, words).expect("written");
        }
        fs::create_dir_all(folder.path().join("models/.unfinished-1")).expect("made");
        fs::write(folder.path().join("models/.unfinished-1/model.onnx"), "half").expect("written");
        Self { folder, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn act(&self, action: &str) {
        note(&self.store, action).await;
    }

    async fn back_up(&self, out: &str) -> Result<Contents, BackupError> {
        back_up(&self.store, &self.path("models"), &self.path(out), now()).await
    }

    async fn restore(&self, from: &str, to: &str) -> Result<Contents, BackupError> {
        let to = self.path(to);
        restore(&self.path(from), &to.join("data/kokodoko.sqlite"), &to.join("models")).await
    }
}

async fn note(store: &Store, action: &str) {
    let action = AdminAction {
        at: now(),
        who: UserRef { platform: Platform::Telegram, id: 1 },
        name: "Aki".to_owned(),
        chat: ChatRef { platform: Platform::Telegram, id: 1 },
        action: action.to_owned(),
        outcome: "done".to_owned(),
    };
    store.begin_action(&action).await.expect("noted");
}

#[tokio::test]
async fn what_was_backed_up_comes_back_the_same() {
    let place = Place::new().await;
    place.act("/collect").await;
    let contents = place.back_up("backup").await.expect("backed up");
    assert_eq!(contents.models(), ["a", "b"], "unfinished models are left out");
    assert_eq!(contents, check(&place.path("backup")).await.expect("whole"));
    place.act("/train").await;

    assert_eq!(place.restore("backup", "elsewhere").await.expect("restored"), contents);
    let store = Store::open(&place.path("elsewhere/data/kokodoko.sqlite")).await.expect("opens");
    let actions: Vec<String> = store.actions(9).await.expect("readable").into_iter().map(|a| a.action).collect();
    assert_eq!(actions, ["/collect"], "as it was at the backup");
    assert_eq!(fs::read_to_string(place.path("elsewhere/models/b/model.onnx")).expect("there"), "network b");
    let left = files_below(&place.path("elsewhere/models")).expect("readable");
    assert_eq!(left.len(), 3, "nothing else is left behind: {left:?}");
}

#[tokio::test]
async fn a_backup_while_writes_go_on_holds_one_moment() {
    let place = Place::new().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let writer = tokio::spawn({
        let (store, stop) = (place.store.clone(), stop.clone());
        async move {
            let mut count = 0_u32;
            while !stop.is_cancelled() {
                note(&store, &format!("{count}")).await;
                count += 1;
            }
            count
        }
    });
    let mut seen = Vec::new();
    for number in 0..5 {
        let out = format!("backup-{number}");
        place.back_up(&out).await.expect("backed up while writing");
        check(&place.path(&out)).await.expect("whole");
        let to = format!("restored-{number}");
        place.restore(&out, &to).await.expect("restored");
        let store = Store::open(&place.path(&to).join("data/kokodoko.sqlite")).await.expect("opens");
        let actions = store.actions(u32::MAX).await.expect("readable");
        let numbers: Vec<String> = actions.into_iter().rev().map(|action| action.action).collect();
        let expected: Vec<String> = (0..numbers.len()).map(|number| number.to_string()).collect();
        assert_eq!(numbers, expected, "all that was written before some moment, and nothing after");
        seen.push(numbers.len());
        store.close().await;
    }
    stop.cancel();
    let written = writer.await.expect("no panic") as usize;
    assert!(seen.is_sorted() && seen.last().is_some_and(|last| *last <= written), "{seen:?} of {written}");
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let place = Place::new().await;
    place.back_up("backup").await.expect("backed up");
    let again = place.back_up("backup").await.expect_err("it is there");
    assert!(matches!(again, BackupError::Exists { .. }), "{again}");
    check(&place.path("backup")).await.expect("the first is still whole");

    place.restore("backup", "other").await.expect("restored");
    let again = place.restore("backup", "other").await.expect_err("a database is there");
    assert!(again.to_string().contains("move its database away"), "{again}");

    fs::create_dir_all(place.path("third/models/a")).expect("made");
    fs::write(place.path("third/models/a/model.onnx"), "another").expect("written");
    let refused = place.restore("backup", "third").await.expect_err("a model of that name is there");
    assert!(refused.to_string().contains("another file than the backup's"), "{refused}");
    assert_eq!(fs::read_to_string(place.path("third/models/a/model.onnx")).expect("there"), "another");
    assert!(!place.path("third/data/kokodoko.sqlite").exists() && !place.path("third/models/b").exists());
}

#[tokio::test]
async fn a_backup_that_was_changed_is_not_restored() {
    let place = Place::new().await;
    place.back_up("backup").await.expect("backed up");
    let spoil = |name: &str, words: &str| fs::write(place.path("backup").join(name), words).expect("written");
    let list = fs::read_to_string(place.path("backup/backup.json")).expect("there");

    spoil("models/a/model.onnx", "network A");
    let error = place.restore("backup", "x").await.expect_err("changed").to_string();
    assert!(error.ends_with("models/a/model.onnx was changed: copy the backup again"), "{error}");
    fs::remove_file(place.path("backup/models/a/model.onnx")).expect("removed");
    assert!(place.restore("backup", "x").await.is_err(), "a file is missing");
    spoil("models/a/model.onnx", "network a");
    check(&place.path("backup")).await.expect("whole again");

    for evil in ["../evil", "/etc/evil", "models/../../evil"] {
        spoil("backup.json", &list.replace("models/a/model.onnx", evil));
        let error = place.restore("backup", "x").await.expect_err(evil).to_string();
        assert!(error.contains("no file of a backup"), "{error}");
    }
    spoil("backup.json", "{}");
    assert!(place.restore("backup", "x").await.is_err());
    assert!(!place.path("x").exists(), "nothing was written");
}

#[tokio::test]
async fn what_a_killed_backup_left_is_in_nobodys_way() {
    let place = Place::new().await;
    fs::create_dir_all(place.path("backup.unfinished")).expect("made");
    fs::write(place.path("backup.unfinished/kokodoko.sqlite"), "half").expect("written");
    place.back_up("backup").await.expect("backed up");
    assert!(!place.path("backup.unfinished").exists());
}
