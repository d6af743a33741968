//! Models that take each other's place, on a real shelf and database.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::clock::SystemClock;
use crate::domain::metrics::Interval;
use crate::infer::Options;
use crate::infer::manifest::{MANIFEST_FILE, MODEL_FILE, Manifest, ModelFiles};
use crate::judge::{ByNames, Decision, Measured, Verdict, ask::Model};
use crate::store::Store;
use crate::store::promotions::Ground;

struct Bench {
    folder: tempfile::TempDir,
    store: Store,
}

impl Bench {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        Self { folder, store }
    }

    fn shelf(&self) -> Shelf {
        let settings = Settings { folder: self.folder.path().join("models"), configured: None };
        Shelf::new(settings, self.store.clone())
    }

    async fn registry(&self) -> Registry {
        Registry::open(self.shelf(), Arc::new(SystemClock), &Options::default()).await.expect("it runs")
    }

    /// Puts the built-in network on the shelf under another version.
    fn put(&self, name: &str) -> Manifest {
        let files = built_in();
        let manifest = Manifest { version: name.to_owned(), index: None, street: None, ..files.manifest };
        let folder = self.folder.path().join("models").join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        write(&folder, MODEL_FILE, &files.onnx);
        write(&folder, MANIFEST_FILE, toml::to_string(&manifest).expect("plain data").as_bytes());
        manifest
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).expect("written");
}

fn built_in() -> ModelFiles {
    ModelFiles::built_in().expect("a sound program")
}

fn version(registry: &Registry) -> String {
    registry.core().identity().version.clone()
}

fn forced() -> Wanted {
    Wanted::Forced("to see whether it works".to_owned())
}

/// A comparison of two models with these networks.
pub(crate) fn verdict(candidate: &str, live: &str, better: bool) -> Verdict {
    let model = |sha256: &str| Model {
        name: "m".to_owned(),
        version: "1".to_owned(),
        sha256: sha256.to_owned(),
        backend: "tract".to_owned(),
    };
    let interval = Interval { value: 0.1, low: if better { 0.05 } else { -0.05 }, high: 0.15 };
    Verdict {
        candidate: model(candidate),
        live: model(live),
        photos: 100,
        places: 20,
        decision: if better { Decision::Better } else { Decision::NotBetter },
        better,
        measured: Measured::Names(ByNames {
            macro_recall_difference: interval,
            top1_difference: interval,
            only_candidate: 12,
            only_live: 2,
        }),
    }
}

fn better(candidate: &str, live: &str) -> Wanted {
    Wanted::Better(Box::new(verdict(candidate, live, true)))
}

#[tokio::test]
async fn models_take_each_others_place_here_and_in_other_processes() {
    let bench = Bench::open().await;
    let first = built_in().manifest;
    let (second, _) = (bench.put("2"), bench.put("3"));
    let (registry, other) = (bench.registry().await, bench.registry().await);
    let promoted = registry.promote("2", better(&second.sha256, &first.sha256), "telegram:5").await;
    let promoted = promoted.expect("it is better");
    assert!(matches!(&promoted.ground, Ground::Better(json) if json.contains("macro_recall_difference")));
    assert_eq!((version(&registry), version(&other)), ("2".to_owned(), first.version.clone()));
    other.follow().await.expect("it runs there too");
    assert_eq!(version(&other), "2");

    other.promote("3", forced(), "terminal").await.expect("forced");
    registry.follow().await.expect("it runs");
    assert_eq!(version(&registry), "3");
    let standings: Vec<(String, Standing)> =
        registry.list().await.expect("readable").into_iter().map(|model| (model.name, model.standing)).collect();
    let expected = [("", Standing::Other), ("2", Standing::Before), ("3", Standing::Live)];
    assert_eq!(standings, expected.map(|(name, standing)| (name.to_owned(), standing)));
    assert_eq!(version(&bench.registry().await), "3", "a restart begins with what is live");

    for expected in ["2", &first.version] {
        registry.rollback("discord:7").await.expect("there is one before");
        assert_eq!(version(&registry), expected);
    }
    assert!(matches!(registry.rollback("discord:7").await, Err(ModelsError::Nothing)));
    let last = bench.store.live_model().await.expect("readable").expect("changed");
    assert_eq!((last.actor.as_str(), last.candidate.folder.as_str()), ("discord:7", ""));
}

#[tokio::test]
async fn what_may_not_go_live_changes_nothing() {
    let bench = Bench::open().await;
    let first = built_in().manifest;
    let second = bench.put("2");
    let registry = bench.registry().await;
    let refused = async |name: &str, wanted: Wanted| {
        let error = registry.promote(name, wanted, "terminal").await.expect_err("refused");
        assert_eq!(version(&registry), first.version);
        assert!(bench.store.live_model().await.expect("readable").is_none());
        error
    };
    let (ours, theirs) = (second.sha256.as_str(), first.sha256.as_str());
    let not_better = Wanted::Better(Box::new(verdict(ours, theirs, false)));
    assert!(matches!(refused("2", not_better).await, ModelsError::NotBetter));
    assert!(matches!(refused("2", better(ours, "another")).await, ModelsError::Stale));
    assert!(matches!(refused("2", better("another", theirs)).await, ModelsError::Stale));
    assert!(matches!(refused("2", Wanted::Forced(" ".to_owned())).await, ModelsError::NoReason));
    assert!(matches!(refused("", forced()).await, ModelsError::Live(_)));
    assert!(matches!(refused("4", forced()).await, ModelsError::Unknown { .. }));
    for name in ["..", "../2", "2/", "/etc", ".hidden", "a/b"] {
        assert!(matches!(refused(name, forced()).await, ModelsError::Name(_)), "{name}");
    }
    let shelf = bench.shelf();
    assert!(matches!(shelf.verdict("2"), Err(ModelsError::NoVerdict(name)) if name == "2"));
    let known = verdict(ours, theirs, false);
    shelf.note_verdict("2", &known).expect("written");
    assert_eq!(shelf.verdict("2").expect("readable"), known);

    let folder = shelf.folder("2").expect("a plain name");
    write(&folder, MODEL_FILE, b"half a mod");
    assert!(matches!(refused("2", forced()).await, ModelsError::Model(_)));
    let broken = registry.list().await.expect("readable").pop().expect("listed");
    assert!(broken.manifest.is_err_and(|what| what.contains("SHA-256")));
}

#[tokio::test]
async fn a_model_that_runs_elsewhere_but_not_here_is_complained_of_once() {
    let bench = Bench::open().await;
    bench.put("2");
    let (registry, other) = (bench.registry().await, bench.registry().await);
    other.promote("2", forced(), "terminal").await.expect("forced");
    write(&bench.shelf().folder("2").expect("a plain name"), MODEL_FILE, b"half a mod");
    assert!(matches!(registry.follow().await, Err(ModelsError::Model(_))));
    registry.follow().await.expect("nothing new");
    assert_eq!(version(&registry), built_in().manifest.version);
    Registry::put_back(&bench.shelf(), &SystemClock, &Options::default(), "terminal").await.expect("sound");
    other.follow().await.expect("it runs");
    registry.follow().await.expect("it runs");
    assert_eq!(version(&registry), version(&other));
}
