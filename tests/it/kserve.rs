//! The core in front of a network that runs elsewhere.

use std::time::Duration;

use kokodoko::infer::kserve::{Server, served_name};
use kokodoko::infer::manifest::ModelFiles;
use kokodoko::infer::onnx::Backend;
use kokodoko::infer::{Core, LocateError, Options};

use crate::fake::kserve::{FakeKserve, Fault};
use crate::support::{self, BLUE, GREEN, RED, jpeg, manifest};

/// Shorter than anybody would configure, for the test of silence.
const TIMEOUT: Duration = Duration::from_secs(2);

fn options(url: &str, token: Option<&str>) -> Options {
    let server = Server { url: url.to_owned(), timeout: TIMEOUT, token: token.map(Into::into) };
    Options { backend: Backend::Kserve(server), ..Options::default() }
}

/// A core whose network the server has; the bytes of the network are not here.
fn connect(url: &str, token: Option<&str>) -> Result<Core, String> {
    let files = ModelFiles { manifest: manifest(), onnx: Vec::new(), index: None };
    Core::start(&files, &options(url, token)).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_the_same_network_here() {
    let server = FakeKserve::start(None).await;
    let (there, here) = (connect(&server.url, None).expect("connects"), support::core());
    assert_eq!(there.identity().backend, "kserve");
    for photo in [RED, GREEN, BLUE, [90; 3]].map(jpeg) {
        let [there, here] = [&there, &here].map(|core| core.locate(photo.clone()));
        let (there, here) = (there.await.expect("an answer"), here.await.expect("an answer"));
        assert_eq!((there.prediction, there.logits), (here.prediction, here.logits));
    }
    server.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_that_come_together_go_together() {
    let server = FakeKserve::start(None).await;
    let core = connect(&server.url, None).expect("connects");
    let photos = (0..20).map(|_| {
        let core = core.clone();
        tokio::spawn(async move { core.locate(jpeg(RED)).await })
    });
    for answer in futures_util::future::join_all(photos).await {
        assert!(answer.expect("no panic").is_ok());
    }
    // One rehearsal, and then as many as wait.
    let batches = server.batches();
    assert_eq!(batches.iter().sum::<usize>(), 21, "{batches:?}");
    assert!(batches.len() < 21 && batches.iter().all(|batch| *batch <= 8), "{batches:?}");
    server.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_asked_again() {
    let server = FakeKserve::start(None).await;
    let core = connect(&server.url, None).expect("connects");
    for faults in [
        vec![Fault::Status(503, "loading"), Fault::Status(502, "")],
        vec![Fault::Status(429, "busy")],
        vec![Fault::Json],
    ] {
        server.fail(faults.clone());
        assert!(core.locate(jpeg(RED)).await.is_ok(), "{faults:?}");
    }
    server.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_is_our_fault_and_the_next_photo_is_answered() {
    let server = FakeKserve::start(None).await;
    let core = connect(&server.url, None).expect("connects");
    for (faults, words) in [
        (vec![Fault::Status(503, "loading"); 3], "503"),
        (vec![Fault::Status(500, "out of\nmemory")], "500 Internal Server Error out ofmemory"),
        (vec![Fault::Garbage], "no answer of the protocol"),
        (vec![Fault::Truncated], "ends within a tensor"),
        (vec![Fault::OtherBatch], "which is not its shape"),
        (vec![Fault::Silence], "timed out"),
    ] {
        server.fail(faults.clone());
        let Err(LocateError::Failed(detail)) = core.locate(jpeg(RED)).await else { panic!("{faults:?} was answered") };
        assert!(detail.contains(words), "{faults:?}: {detail}");
        assert!(!detail.contains(&server.url), "{detail}");
        assert!(core.locate(jpeg(RED)).await.is_ok(), "after {faults:?}");
    }
    server.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_serve_it_says_what_to_do() {
    let server = FakeKserve::start(Some("let-me-in")).await;
    assert!(connect(&server.url, Some("let-me-in")).is_ok());
    let mut said = vec![
        connect(&server.url, None).err().expect("without the token"),
        connect(&server.url, Some("canary")).err().expect("with another token"),
        connect("http://127.0.0.1:9", Some("canary")).err().expect("nobody listens"),
    ];
    let mut other = manifest();
    other.sha256 = "1".repeat(64);
    let files = ModelFiles { manifest: other.clone(), onnx: Vec::new(), index: None };
    let unknown = Core::start(&files, &options(&server.url, Some("let-me-in")));
    said.push(unknown.err().expect("another network").to_string());
    assert!(said[3].contains(&served_name(&other)));
    let mut larger = manifest();
    larger.input.size *= 2;
    let files = ModelFiles { manifest: larger, onnx: Vec::new(), index: None };
    let unfit = Core::start(&files, &options(&server.url, Some("let-me-in")));
    said.push(unfit.err().expect("another input").to_string());
    server.set_unready();
    said.push(connect(&server.url, Some("let-me-in")).err().expect("not ready"));
    assert!(said.iter().all(|said| !said.contains("canary") && !said.contains("let-me-in")), "{said:?}");
    insta::assert_snapshot!(said.join("\n\n"));
    server.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_goes_live_when_the_server_has_it() {
    let server = FakeKserve::start(None).await;
    let core = connect(&server.url, None).expect("connects");
    let mut other = manifest();
    other.sha256 = "1".repeat(64);
    let refused = core.switch(ModelFiles { manifest: other, onnx: Vec::new(), index: None }).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("models export")));
    assert!(core.locate(jpeg(RED)).await.is_ok(), "the old one is still live");
    let mut same = manifest();
    same.version = "2.0.0".to_owned();
    core.switch(ModelFiles { manifest: same, onnx: Vec::new(), index: None })
        .await
        .expect("the server has its network");
    assert_eq!(core.identity().version, "2.0.0");
    assert!(core.locate(jpeg(RED)).await.is_ok());
    server.finish();
}
