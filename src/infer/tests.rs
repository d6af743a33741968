//! The core while its model is exchanged.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::manifest::{Manifest, ModelFiles};
use super::onnx::Outputs;
use super::{Core, ModelError, Options, Run};

/// Always the same area; says when it begins, and waits for leave to go on.
struct Certain {
    label: usize,
    begun: Sender<()>,
    leave: Receiver<()>,
}

impl Run for Certain {
    fn run(&mut self, batch: usize, _: &[f32]) -> Result<Outputs, String> {
        self.begun.send(()).map_err(|error| error.to_string())?;
        self.leave.recv().map_err(|error| error.to_string())?;
        let row = (0..LABELS).map(|label| if label == self.label { 9.0 } else { 0.0 });
        let logits: Vec<f32> = (0..batch).flat_map(|_| row.clone()).collect();
        Ok(Outputs { cams: logits.clone(), logits, grid: (1, 1), ..Outputs::default() })
    }
}

const LABELS: usize = 7;

fn manifest(version: &str) -> Manifest {
    let built_in = ModelFiles::built_in().expect("a sound program").manifest;
    assert_eq!(built_in.labels.len(), LABELS);
    Manifest { version: version.to_owned(), ..built_in }
}

/// A model for `label`, with the ends that watch it and let it go on.
fn certain(label: usize) -> (Certain, Receiver<()>, Sender<()>) {
    let ((begun, entered), (open, leave)) = (channel(), channel());
    (Certain { label, begun, leave }, entered, open)
}

fn photo() -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
    image::RgbImage::new(32, 24).write_with_encoder(encoder).expect("memory takes it");
    bytes
}

fn ask(core: &Core) -> tokio::task::JoinHandle<(usize, String)> {
    let core = core.clone();
    tokio::spawn(async move {
        let located = core.locate(photo()).await.expect("answered");
        assert_eq!(located.model.version, located.manifest.version);
        (located.prediction.best().label, located.model.version.clone())
    })
}

/// Waits on a thread of its own, so that the photo can get on.
async fn entered(entered: Receiver<()>) -> Receiver<()> {
    let wait = tokio::task::spawn_blocking(move || {
        entered.recv().expect("a run begins");
        entered
    });
    wait.await.expect("no panic")
}

#[tokio::test]
async fn a_photo_is_answered_to_its_end_by_the_model_that_began() {
    let (old, old_entered, old_open) = certain(1);
    let core = Core::with_runner(manifest("1"), old, &Options::default()).expect("a thread starts");
    let first = ask(&core);
    let old_entered = entered(old_entered).await;
    let pinned = core.pinned();

    let (new, _new_entered, new_open) = certain(2);
    core.switch_to_runner(manifest("2"), new).expect("a thread starts");
    new_open.send(()).expect("it lives");
    assert_eq!(ask(&core).await.expect("no panic"), (2, "2".to_owned()), "the new model does not wait for the old one");
    assert_eq!((core.identity().version.as_str(), pinned.identity().version.as_str()), ("2", "1"));

    old_open.send(()).expect("it lives");
    assert_eq!(first.await.expect("no panic"), (1, "1".to_owned()));
    let kept = ask(&pinned);
    let _old_entered = entered(old_entered).await;
    old_open.send(()).expect("it lives");
    assert_eq!(kept.await.expect("no panic"), (1, "1".to_owned()), "a pinned handle keeps to its model");
}

#[tokio::test]
async fn going_back_takes_no_loading_and_a_model_that_does_not_run_changes_nothing() {
    let (old, _old_entered, old_open) = certain(1);
    let core = Core::with_runner(manifest("1"), old, &Options::default()).expect("a thread starts");
    let (new, _new_entered, _new_open) = certain(2);
    core.switch_to_runner(manifest("2"), new).expect("a thread starts");

    // Without a network nothing can be loaded: only the warm model can be meant.
    let without_network = |version: &str| ModelFiles { manifest: manifest(version), onnx: Vec::new(), index: None };
    let refused = core.switch(without_network("3")).await;
    assert!(matches!(refused, Err(ModelError::Backend { .. })), "{refused:?}");
    assert_eq!(core.identity().version, "2");
    core.switch(without_network("1")).await.expect("it is warm");
    old_open.send(()).expect("it lives");
    assert_eq!(ask(&core).await.expect("no panic"), (1, "1".to_owned()));
    core.switch(without_network("2")).await.expect("and so is the other one now");
    assert_eq!(core.identity().version, "2");
}
