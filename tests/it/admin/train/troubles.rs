//! Trainings that are stopped, interrupted, refused or fail.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use kokodoko::chat::{Lang, text};
use kokodoko::clock::{SystemClock, WallClock};
use kokodoko::domain::Split;
use kokodoko::domain::job::JobId;
use kokodoko::infer::manifest::Manifest;
use serde_json::json;
use tokio::process::Command;

use super::OnTelegram;
use super::house::{House, write};
use crate::fake::telegram::{AOI, FakeTelegram, Sent};
use crate::support::keep;

/// A network that is fitted in seconds.
const RECIPE: &str = r#"
arch = "resnet18"
batch = 4
optimiser = "adam"
learning_rate = 1e-3
warm_up = 0.1
schedule = "cosine"
weight_decay = 0.0
label_smoothing = 0.0
ema = 0.0
mixed_precision = false
balanced = true

[[stages]]
epochs = EPOCHS
side = 32
"#;

impl House {
    /// Writes a recipe of so many epochs; the line that configures it.
    fn recipe(&self, epochs: usize) -> String {
        let path = self.folder.path().join("tiny.toml");
        write(&path, RECIPE.replace("EPOCHS", &epochs.to_string()).as_bytes());
        format!("recipe = {:?}\n", path.display().to_string())
    }

    /// Leaves so many photos of each area in a split.
    fn leave_out(&self, split: Split, count: usize) {
        let areas = std::fs::read_dir(self.folder.path().join("photos").join(split.name())).expect("a split").flatten();
        for area in areas {
            for photo in std::fs::read_dir(area.path()).expect("an area").flatten().skip(count) {
                std::fs::remove_file(photo.path()).expect("removed");
            }
        }
    }

    /// The same training without a bot and without an interruption.
    async fn train(&self) -> Manifest {
        let out = self.folder.path().join("whole");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kokodoko"));
        command.current_dir(self.folder.path()).args(["train", "--data", "photos", "--recipe", "tiny.toml", "--out"]);
        let status = command.arg(&out).stdout(Stdio::null()).status().await.expect("it starts");
        assert!(status.success());
        toml::from_str(&std::fs::read_to_string(out.join("manifest.toml")).expect("written")).expect("a manifest")
    }

    /// Waits until the unfinished training has left the checkpoint of an epoch.
    async fn has_done(&self, epoch: usize) -> PathBuf {
        loop {
            let unfinished = std::fs::read_dir(self.folder.path().join("models")).into_iter().flatten().flatten();
            let checkpoint = |path: PathBuf| path.join(format!("checkpoints/epoch-{epoch:04}"));
            let mut all = unfinished.map(|entry| checkpoint(entry.path()));
            if let Some(found) = all.find(|path| path.is_dir()) {
                return found;
            }
            // Another process writes it: there is nothing else to wait for.
            let soon = SystemClock.now() + jiff::SignedDuration::from_millis(5);
            SystemClock.until(soon).await;
        }
    }
}

/// A restart after the first epoch and a stop after the second: the model is that of a training that ran through.
#[tokio::test]
async fn a_training_goes_on_after_a_restart_and_after_a_stop_to_the_same_model() {
    let (fake, house) = (FakeTelegram::start().await, House::build());
    let recipe = house.recipe(3);
    house.leave_out(Split::Train, 3);
    house.leave_out(Split::Test, 2);
    let whole = house.train().await;
    let (chat, lang) = (fake.private_chat(AOI), Lang::Ja);
    let bot = OnTelegram::start_with(&fake, &house, &recipe).await;
    bot.begin(chat, "/train full").await;
    house.has_done(1).await;
    bot.stop().await;

    let bot = OnTelegram::start_with(&fake, &house, &recipe).await;
    house.has_done(2).await;
    fake.post(chat, AOI, json!({"text": "/train cancel"}));
    let stopped = text::training::stopping(lang);
    let found = |sent: &[Sent]| {
        let cancelled = sent.iter().any(|sent| sent.text.starts_with("学習を中止しました。"));
        (cancelled && sent.iter().any(|sent| sent.text == stopped)).then_some(())
    };
    fake.find_sent("that it is stopped", found).await;
    let shown = fake.find_sent("its board", |sent| sent.iter().find(|sent| sent.photo.is_some()).cloned()).await;
    fake.stands(chat, shown.id, |shown| caption(shown).starts_with("ネットワーク全体の学習を中止しました。")).await;
    let left = std::fs::read_dir(house.folder.path().join("models")).expect("there").count();
    assert_eq!(left, 1, "nothing but what is unfinished");

    bot.begin(chat, "/train full").await;
    let finished =
        |sent: &[Sent]| sent.iter().find(|sent| sent.text.starts_with("学習が終わりました。")).map(|sent| sent.id);
    let news = fake.find_sent("the news", finished).await;
    // Five diagrams of the judgement, then the curves.
    keep("train-curves.png", &fake.picture(chat, news + 5).expect("curves"));
    let again =
        fake.find_sent("its board", |sent| sent.iter().rfind(|sent| sent.id < news && sent.photo.is_some()).cloned());
    let shown = fake.shown(chat, again.await.id);
    assert!(caption(&shown).contains("の続きから再開しました。"), "{shown}");
    let trained = only_model(&house);
    assert_eq!((trained.sha256, trained.metrics), (whole.sha256, whole.metrics), "the same as without an interruption");
    bot.stop().await;
}

fn caption(message: &serde_json::Value) -> &str {
    message["caption"].as_str().unwrap_or_default()
}

/// The manifest of the one finished model on the shelf.
fn only_model(house: &House) -> Manifest {
    let all = std::fs::read_dir(house.folder.path().join("models")).expect("a folder").flatten();
    let read = |path: &Path| std::fs::read_to_string(path.join("manifest.toml")).ok();
    let found: Vec<String> = all.filter_map(|entry| read(&entry.path())).collect();
    assert_eq!(found.len(), 1);
    toml::from_str(&found[0]).expect("a manifest")
}

#[tokio::test]
async fn what_cannot_be_trained_is_said_and_the_old_model_stays() {
    let (fake, house) = (FakeTelegram::start().await, House::build());
    let (chat, lang) = (fake.private_chat(AOI), Lang::Ja);
    let recipe = house.recipe(1);
    let hot = house.folder.path().join("hot.toml");
    write(&hot, RECIPE.replace("EPOCHS", "1").replace("1e-3", "1e30").as_bytes());
    let bot = OnTelegram::start_with(&fake, &house, &recipe.replace("tiny", "hot")).await;
    let refused = bot.ask(chat, json!({"text": "/train collected"})).await;
    assert_eq!(refused, text::training::not_begun(lang, &text::training::Reason::Areas(0, collected())));

    // The loss is no number: said by the child.
    bot.begin(chat, "/train full").await;
    let diverged = "学習が止まりました。答えるのは元のモデルのままです。損失が数値でなくなりました。";
    let words = fake.find_sent("the news", that(diverged)).await;
    assert!(words.contains("the loss became NaN in epoch 1"), "{words}");
    // As was advised: it is another training then, which does not go on from what the first has left.
    write(&hot, RECIPE.replace("EPOCHS", "1").as_bytes());
    let asked = fake.post(chat, AOI, json!({"text": "/train full"}));
    fake.find_sent("an offer", |sent| sent.iter().find(|sent| sent.id > asked).map(|sent| sent.id)).await;
    let request = async |id| bot.inside.store.job(JobId(id)).await.expect("readable").expect("offered").request;
    assert_ne!(request(1).await, request(2).await);
    bot.stop().await;

    // An area without a place to test with: seen before it is begun.
    std::fs::remove_dir_all(house.folder.path().join("photos/test").join(&house.area)).expect("it was there");
    let bot = OnTelegram::start_with(&fake, &house, &recipe).await;
    fake.post(chat, AOI, json!({"text": "/train"}));
    let lacking = format!("{}（テスト用）", house.area);
    let words = fake.find_sent("the refusal", that("場所が足りない地域があります。")).await;
    assert!(words.ends_with(&lacking), "{words}");
    let live = bot.inside.registry.core().identity();
    assert_eq!((live.name.as_str(), bot.inside.store.live_model().await.expect("readable")), ("poor", None));
    bot.stop().await;
}

/// The words of the message that begins so.
fn that(start: &str) -> impl Fn(&[Sent]) -> Option<String> {
    move |sent| sent.iter().find(|sent| sent.text.starts_with(start)).map(|sent| sent.text.clone())
}

/// Stands in for the program: out of memory, then a full disk, then gone without a word of ours.
const SCRIPT: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >> calls
case $(wc -l < calls) in
    1) kill -KILL $$ ;;
    2) echo '{"event":"failed","why":"disk","text":"cannot write the checkpoint"}'; exit 1 ;;
    *) echo 'all is lost' >&2; exit 3 ;;
esac
"#;

#[tokio::test]
async fn a_child_without_memory_is_given_smaller_parts_and_every_end_is_told() {
    use std::os::unix::fs::PermissionsExt;

    let (fake, mut house) = (FakeTelegram::start().await, House::build());
    house.program = house.folder.path().join("program");
    write(&house.program, SCRIPT.as_bytes());
    std::fs::set_permissions(&house.program, PermissionsExt::from_mode(0o755)).expect("made executable");
    let chat = fake.private_chat(AOI);
    let bot = OnTelegram::start_with(&fake, &house, &house.recipe(1)).await;
    bot.begin(chat, "/train full").await;
    let disk = "学習が止まりました。答えるのは元のモデルのままです。ファイルを書き込めませんでした。";
    let words = fake.find_sent("the news", that(disk)).await;
    assert!(words.ends_with("\ncannot write the checkpoint"), "{words}");
    let board = fake.find_sent("its board", |sent| Some(sent.iter().find(|sent| sent.photo.is_some())?.id)).await;
    fake.stands(chat, board, |shown| caption(shown).contains("メモリーが足りなくなったので")).await;
    bot.begin(chat, "/train head").await;
    let lost = "学習が止まりました。答えるのは元のモデルのままです。it ended with status 3.";
    assert!(fake.find_sent("the news", that(lost)).await.ends_with("all is lost"));
    let calls = std::fs::read_to_string(house.folder.path().join("calls")).expect("it was called");
    let parts: Vec<bool> = ["--parts 1", "--parts 2", "--mode head"]
        .iter()
        .zip(calls.lines())
        .map(|(words, call)| call.contains(words) && call.contains("train --attended"))
        .collect();
    assert_eq!(parts, [true; 3], "{calls}");
    bot.stop().await;
}

#[tokio::test]
async fn a_training_ends_with_whoever_started_it() {
    let house = House::build();
    house.recipe(1_000);
    let mut command = Command::new(env!("CARGO_BIN_EXE_kokodoko"));
    command.current_dir(house.folder.path()).args(["train", "--attended", "--data", "photos", "--recipe", "tiny.toml"]);
    command.args(["--out", "out"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdin.take());
    let status = child.wait().await.expect("it ends");
    assert_eq!(status.code(), Some(1));
}

fn collected() -> kokodoko::train::settings::Source {
    kokodoko::train::settings::Source::Collected
}
