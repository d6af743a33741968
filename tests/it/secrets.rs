//! No secret leaves the program: neither in what it says and logs when all goes well (`support::guard_secrets` looks at
//! every line that the tests of this binary log), nor in what the program prints when everything goes wrong.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::fake::flaky::{Flaky, Reply};
use crate::wire::Service;

/// Every secret that there is, each with this word in it.
const CANARY: &str = "CANARY";
const SECRETS: [(&str, &str); 7] = [
    ("KOKODOKO_TELEGRAM__TOKEN", "4242:CANARY-telegram"),
    ("KOKODOKO_TELEGRAM__WEBHOOK_SECRET", "CANARY-webhook"),
    ("KOKODOKO_DISCORD__TOKEN", "CANARY.discord"),
    ("KOKODOKO_MAPILLARY__TOKEN", "MLY|1|CANARY"),
    ("KOKODOKO_STREETVIEW__KEY", "CANARY-key"),
    ("KOKODOKO_STREETVIEW__SIGNING_SECRET", "CANARYAAAAAAAAAAAAAAAAAAAAA="),
    ("KOKODOKO_WEB__METRICS_TOKEN", "CANARY-metrics"),
];

/// A run of the program with all secrets, which logs as much as it can.
async fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kokodoko"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(SECRETS)
        .env("KOKODOKO_WEB__BIND", "127.0.0.1:0")
        .env("KOKODOKO_LOG__FILTER", "trace")
        .env("RUST_BACKTRACE", "full")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// That nothing of it was printed, in plain letters or as a URL has them.
fn assert_silent(what: &str, said: &str) {
    let line = said.lines().find(|line| line.contains(CANARY));
    assert!(line.is_none(), "{what} prints a secret: {line:?}");
}

/// An answer that repeats the secret that the service was asked with, as some do.
fn echo(status: u16, secret: &str) -> Reply {
    let error = format!("{{\"message\":\"bad token {secret}\",\"type\":\"OAuthException\",\"code\":190}}");
    Reply::json(status, &format!("{{\"error\":{error}}}"))
}

/// A service that does nothing else.
async fn echoing(status: u16, secret: &str) -> Flaky {
    Flaky::start("", (0..50).map(|_| echo(status, secret))).await
}

#[tokio::test]
async fn not_when_telegram_hangs_up_talks_nonsense_and_refuses_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let refusal = Reply::json(401, "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}");
    let telegram = Flaky::start("", [Reply::Whole(200, "", b"<html>CAN</html>".to_vec()), refusal]).await;
    let variables = [("KOKODOKO_TELEGRAM__ENABLED", "true"), ("KOKODOKO_TELEGRAM__API_URL", &telegram.base)];
    let (well, said) = run(folder.path(), &["serve"], &variables).await;
    assert!(!well && said.contains("@BotFather"), "{said}");
    assert!(said.contains("Telegram cannot be reached") && said.contains("TRACE"), "everything is captured: {said}");
    assert!(telegram.requests().iter().all(|head| head.contains(CANARY)), "Telegram's token is in the address");
    assert_silent("serve", &said);
}

#[tokio::test]
async fn not_when_discord_talks_nonsense_and_refuses_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let discord = echoing(401, "CANARY.discord").await;
    let variables = [("KOKODOKO_DISCORD__ENABLED", "true"), ("KOKODOKO_DISCORD__API_URL", &discord.base)];
    let (well, said) = run(folder.path(), &["serve"], &variables).await;
    assert!(!well && said.contains("developer portal"), "{said}");
    assert_silent("serve", &said);
}

#[tokio::test]
async fn not_when_the_configuration_is_checked_and_looked_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let telegram = echoing(401, "4242:CANARY-telegram").await;
    let discord = echoing(401, "CANARY.discord").await;
    let mapillary = echoing(400, "MLY|1|CANARY").await;
    let streetview = echoing(403, "CANARY-key").await;
    let variables = [
        ("KOKODOKO_TELEGRAM__ENABLED", "true"),
        ("KOKODOKO_TELEGRAM__MODE", "webhook"),
        ("KOKODOKO_TELEGRAM__WEBHOOK_URL", "https://bot.example/telegram"),
        ("KOKODOKO_TELEGRAM__API_URL", &*telegram.base),
        ("KOKODOKO_DISCORD__ENABLED", "true"),
        ("KOKODOKO_DISCORD__API_URL", &discord.base),
        ("KOKODOKO_MAPILLARY__API_URL", &mapillary.base),
        ("KOKODOKO_STREETVIEW__API_URL", &streetview.base),
        ("KOKODOKO_STREETVIEW__ACCEPT_GOOGLE_TERMS", "true"),
    ];
    let (well, said) = run(folder.path(), &["check-config"], &variables).await;
    assert!(well && said.contains("token set"), "{said}");
    assert_silent("check-config", &said);
    let (well, said) = run(folder.path(), &["doctor"], &variables).await;
    assert!(!well && said.contains("refuses the token"), "{said}");
    assert_silent("doctor", &said);
}

#[tokio::test]
async fn not_when_a_source_of_imagery_refuses_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let (lists, mapillary) = (Service::start().await, echoing(400, "MLY|1|CANARY").await);
    let streetview = echoing(403, "CANARY-key").await;
    let geolonia = format!("{}/geolonia/v2", lists.base);
    let variables = [
        ("KOKODOKO_GEOLONIA__API_URL", &*geolonia),
        ("KOKODOKO_MAPILLARY__API_URL", &mapillary.base),
        ("KOKODOKO_STREETVIEW__API_URL", &streetview.base),
        ("KOKODOKO_STREETVIEW__ACCEPT_GOOGLE_TERMS", "true"),
    ];
    for source in ["mapillary", "streetview"] {
        let arguments = ["collect", "--source", source, "--areas", "港区", "--points", "1", "--lang", "en"];
        let (well, said) = run(folder.path(), &arguments, &variables).await;
        assert!(!well && said.contains("kokodoko: "), "{source}: {said}");
        assert_silent(source, &said);
    }
    for service in [mapillary, streetview] {
        assert!(service.requests().iter().any(|head| head.contains(CANARY)), "the key was on the wire");
    }
}

#[tokio::test]
async fn not_when_a_secret_stands_in_the_wrong_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in [
        "[telegram]\nenabled = true\ntoken = \"1:CANARY\"\n",
        "[telegram]\nenabled = true\ntoken = 1:CANARY\n",
        "[telegram]\nenabled = true\ntoken = \"1:CANARY\n",
        "[telegram]\nenabled = true\ntoken_file = \"1:CANARY\"\n",
        "[discord]\nenabled = true\ntoken_file = \"CANARY.discord\"\n",
        "[streetview]\nkey=CANARY\n",
        "[streetview]\nsigning_secret = CANARY\n",
        "telegram.token = 1:CANARY\n",
    ] {
        std::fs::write(folder.path().join("kokodoko.toml"), file).expect("written");
        // Without the secrets, so that the file is where they are looked for.
        let nothing = SECRETS.map(|(name, _)| (name, ""));
        let (well, said) = run(folder.path(), &["check-config"], &nothing).await;
        assert!(!well && said.contains("kokodoko: "), "{file}: {said}");
        assert_silent(file, &said);
    }
}
