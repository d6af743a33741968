//! `doctor` against the fakes: what it says when all is well, and what it says to do when nothing is.

use std::path::Path;
use std::sync::Arc;

use kokodoko::app::doctor::{Finding, Mark, examine};
use kokodoko::clock::{SharedClock, SystemClock};
use kokodoko::config::Config;
use kokodoko::store::Store;

use crate::fake::discord;
use crate::fake::telegram::{self, FakeTelegram};
use crate::support::ManualClock;

/// A configuration whose files are below `folder`.
fn config(folder: &Path, more: &[(&str, &str)]) -> Config {
    let path = |name: &str| folder.join(name).display().to_string();
    let files = [
        ("KOKODOKO_QUIZ__DATABASE", path("data/kokodoko.sqlite")),
        ("KOKODOKO_MODELS__FOLDER", path("models")),
        ("KOKODOKO_COLLECT__DATA_FOLDER", path("images")),
        ("KOKODOKO_TRAIN__FOLDER", path("training")),
    ];
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let variables = files.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(more);
    Config::load(None, variables).expect("valid")
}

/// What is printed, without what differs from machine to machine.
fn told(findings: &[Finding], folder: &Path) -> String {
    let steady = findings.iter().filter(|finding| !["disk", "clock"].contains(&finding.about));
    let lines: Vec<String> = steady.map(Finding::to_string).collect();
    lines.join("\n").replace(&folder.display().to_string(), "DIR")
}

fn of<'a>(findings: &'a [Finding], about: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.about == about).expect("it was looked at")
}

#[tokio::test]
async fn all_is_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let (telegram, discord) = (FakeTelegram::start().await, discord::Fake::start().await);
    let config = config(
        folder.path(),
        &[
            ("KOKODOKO_TELEGRAM__ENABLED", "true"),
            ("KOKODOKO_TELEGRAM__TOKEN", telegram::TOKEN),
            ("KOKODOKO_TELEGRAM__API_URL", &telegram.url()),
            ("KOKODOKO_DISCORD__ENABLED", "true"),
            ("KOKODOKO_DISCORD__TOKEN", discord::TOKEN),
            ("KOKODOKO_DISCORD__API_URL", &discord.api()),
            ("KOKODOKO_ADMIN__TELEGRAM", "[11]"),
        ],
    );
    Store::open(&config.database).await.expect("opens").close().await;
    let clock: SharedClock = Arc::new(SystemClock);
    let findings = examine(&config, &clock).await;
    assert!(findings.iter().all(|finding| finding.mark != Mark::Bad || finding.about == "disk"), "{findings:?}");
    assert_eq!(of(&findings, "clock").mark, Mark::Good);
    insta::assert_snapshot!(told(&findings, folder.path()));
    discord.finish();
}

#[tokio::test]
async fn nothing_is_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let (telegram, discord) = (FakeTelegram::start().await, discord::Fake::start().await);
    let write = |name: &str, words: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, words).expect("written");
    };
    write("data/kokodoko.sqlite", "no database");
    write("models/mine/manifest.toml", "name = \"mine\"");
    write("file", "");
    let config = config(
        folder.path(),
        &[
            ("KOKODOKO_TELEGRAM__ENABLED", "true"),
            ("KOKODOKO_TELEGRAM__TOKEN", "4242:canary-telegram"),
            ("KOKODOKO_TELEGRAM__API_URL", &telegram.url()),
            ("KOKODOKO_DISCORD__ENABLED", "true"),
            ("KOKODOKO_DISCORD__TOKEN", "canary-discord"),
            ("KOKODOKO_DISCORD__API_URL", &discord.api()),
            ("KOKODOKO_TRAIN__FOLDER", &folder.path().join("file/reports").display().to_string()),
        ],
    );
    // It stands still in the past.
    let clock: SharedClock = ManualClock::start();
    let findings = examine(&config, &clock).await;
    let skewed = of(&findings, "clock");
    assert!(skewed.mark == Mark::Bad && skewed.found.ends_with("behind the services'"), "{skewed}");
    let told = told(&findings, folder.path());
    assert!(!told.contains("canary"), "{told}");
    insta::assert_snapshot!(told);
    discord.forgive();
}

#[tokio::test]
async fn who_cannot_be_reached_is_named_without_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(
        folder.path(),
        &[
            ("KOKODOKO_TELEGRAM__ENABLED", "true"),
            ("KOKODOKO_TELEGRAM__TOKEN", "4242:canary-telegram"),
            // Nobody listens on the discard port.
            ("KOKODOKO_TELEGRAM__API_URL", "http://127.0.0.1:9"),
            ("KOKODOKO_MAPILLARY__TOKEN", "canary-mapillary"),
            ("KOKODOKO_MAPILLARY__API_URL", "http://127.0.0.1:9"),
        ],
    );
    let clock: SharedClock = crate::support::JumpingClock::start();
    let findings = examine(&config, &clock).await;
    for about in ["telegram", "mapillary"] {
        assert_eq!(of(&findings, about).mark, Mark::Bad);
    }
    assert!(!findings.iter().any(|finding| finding.about == "clock"), "nobody told the time");
    let told = told(&findings, folder.path());
    assert!(told.contains("cannot be reached") && !told.contains("canary"), "{told}");
}
