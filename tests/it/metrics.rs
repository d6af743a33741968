//! `/metrics`: who may read it, what it holds, and the dashboard that shows it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use kokodoko::clock::SystemClock;
use kokodoko::collect::meters::Meters as Collectors;
use kokodoko::collect::wire::{self, Ask, Backoff, Kind, Repeat, Verdict, Wire, system_jitter};
use kokodoko::domain::Platform;
use kokodoko::front::meters::{Fault, Meters};
use kokodoko::front::web::{self, Options};
use kokodoko::metrics::Metrics;
use kokodoko::store::Store;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{self, RED, jpeg};

const TOKEN: &str = "scrape-me";

/// A site with everything that can be measured; it ends with the test.
struct Site {
    base: String,
    client: Client,
    _folder: tempfile::TempDir,
    _stop: DropGuard,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        let meters = Meters::default();
        let collectors = Collectors::default();
        let metrics = Metrics::default().with(&meters).with(&collectors);
        meters.failed(Platform::Telegram, Fault::Limit);
        ask_in_vain(&collectors).await;
        let options = Options { metrics, store: Some(store), metrics_token: Some(TOKEN.into()), ..Options::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let stop = CancellationToken::new();
        tokio::spawn(web::serve(listener, web::router(support::core(), options), stop.clone()));
        Self { base, client: Client::new(), _folder: folder, _stop: stop.drop_guard() }
    }

    async fn scrape(&self) -> String {
        let request = self.client.get(format!("{}/metrics", self.base));
        request.send().await.expect("answers").text().await.expect("text")
    }
}

/// A question to a source of imagery that cannot be reached, twice.
async fn ask_in_vain(collectors: &Collectors) {
    let nowhere: reqwest::Url = "http://127.0.0.1:1/".parse().expect("an address");
    let backoff = Backoff { first: SignedDuration::ZERO, tries: 2, ..Backoff::default() };
    let options = wire::Options { tally: collectors.of("mapillary"), backoff, ..wire::Options::default() };
    let stop = CancellationToken::new();
    let wire = Wire::new(&nowhere, options, Arc::new(SystemClock), system_jitter(), stop).expect("TLS starts");
    let request = wire.get(nowhere);
    let ask = Ask { kind: Kind::Question, request, max_bytes: 1, repeat: Repeat::Free };
    wire.ask(ask, |_| Verdict::Final).await.expect_err("nobody listens on port 1");
}

/// The families' names, with the endings that a counter and a histogram have in queries.
fn series(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let names = types.flat_map(|(name, kind)| match kind {
        "histogram" => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).to_vec(),
        _ => vec![name.to_owned()],
    });
    names.collect()
}

#[tokio::test]
async fn every_series_of_the_dashboard_exists_and_every_family_is_shown() {
    let site = Site::start().await;
    for query in ["", "?heatmap=true"] {
        let url = format!("{}/api/v1/locate{query}", site.base);
        let answer = site.client.post(url).body(jpeg(RED)).send().await.expect("answers");
        assert_eq!(answer.status(), StatusCode::OK);
    }
    site.client.get(format!("{}/nowhere", site.base)).send().await.expect("answers");
    let text = site.scrape().await;
    let exists = series(&text);

    let dashboard = std::fs::read_to_string("config/grafana/kokodoko.json").expect("the dashboard");
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let queries: Vec<&str> = targets.map(|target| target["expr"].as_str().expect("a query")).collect();
    let shown: BTreeSet<String> = queries
        .iter()
        .flat_map(|query| query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
        .filter(|word| word.starts_with("kokodoko_"))
        .map(str::to_owned)
        .collect();
    let unknown: Vec<&String> = shown.difference(&exists).collect();
    assert!(unknown.is_empty(), "the dashboard asks for {unknown:?}; there is {exists:?}");
    let family = |name: &str| {
        ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    let shown: BTreeSet<String> = shown.iter().map(|name| family(name)).collect();
    let unseen: Vec<String> = exists.iter().map(|name| family(name)).filter(|name| !shown.contains(name)).collect();
    assert!(unseen.is_empty(), "no panel shows {unseen:?}");
}

#[tokio::test]
async fn a_photo_leaves_its_times_its_batch_and_its_outcome() {
    let site = Site::start().await;
    let url = format!("{}/api/v1/locate?heatmap=true", site.base);
    site.client.post(url).body(jpeg(RED)).send().await.expect("answers");
    let text = site.scrape().await;
    for stage in ["decode", "preprocess", "wait", "run", "explain"] {
        let line = format!("kokodoko_stage_seconds_count{{stage=\"{stage}\"}} 1");
        assert!(text.lines().any(|found| found == line), "{stage}: {text}");
    }
    for line in [
        "kokodoko_batch_photos_bucket{le=\"1\"} 1",
        "kokodoko_answers_total{outcome=\"known\"} 1",
        "kokodoko_core_photos 0",
        "kokodoko_queue_photos 0",
        "kokodoko_spent{source=\"streetview\",period=\"month\",state=\"in_doubt\"} 0.0",
        "kokodoko_jobs{kind=\"train\"} 0",
        "kokodoko_platform_errors_total{platform=\"telegram\",fault=\"limit\"} 1",
        "kokodoko_collect_calls_total{service=\"mapillary\",kind=\"question\",outcome=\"network\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

#[tokio::test]
async fn who_comes_through_a_proxy_shows_the_token_or_finds_nothing() {
    let site = Site::start().await;
    let ask = |token: Option<&str>| {
        let request = site.client.get(format!("{}/metrics", site.base)).header("X-Forwarded-For", "203.0.113.7");
        match token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    };
    for token in [None, Some("scrape-m"), Some("")] {
        let refused = ask(token).send().await.expect("answers");
        assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{token:?}");
        assert!(!refused.text().await.expect("text").contains("uptime"));
    }
    assert_eq!(ask(Some(TOKEN)).send().await.expect("answers").status(), StatusCode::OK);
    assert!(site.scrape().await.contains("kokodoko_uptime_seconds"), "this machine needs no token");
}
