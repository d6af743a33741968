//! The bot's inside with a poor live model, and photos that a better one can be trained on.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use kokodoko::app::bureau::{Bureau, Workshop};
use kokodoko::app::training::Program;
use kokodoko::chat::etiquette::system_clock;
use kokodoko::chat::{Conversation, Post};
use kokodoko::clock::SystemClock;
use kokodoko::collect::dataset::{Dataset, Picture};
use kokodoko::config::Config;
use kokodoko::domain::imagery::{Sighting, Source};
use kokodoko::domain::spend::Item;
use kokodoko::domain::{Coordinate, Split};
use kokodoko::infer::manifest::{Manifest, ModelFiles, sha256_hex};
use kokodoko::models::{Registry, Settings, Shelf};
use kokodoko::store::{Place, Seen, Store};
use kokodoko::train::head::fit::Linear;
use kokodoko::train::head::graph;
use kokodoko::world::World;
use kokodoko::world::photo::photos as specs;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::HANA;
use crate::fake::telegram::AOI;
use crate::support::generous;

/// The areas that are learnt, by their place in the drawn world.
const AREAS: [usize; 3] = [1, 4, 6];
/// Photos of each to train on, to validate with and to test with.
const PHOTOS: [(Split, usize); 3] = [(Split::Train, 8), (Split::Validation, 3), (Split::Test, 10)];

/// A photo of the drawn world, small.
struct Drawing {
    split: Split,
    area: usize,
    town: String,
    at: Coordinate,
    jpeg: Vec<u8>,
}

/// The world and its photos, drawn once for all tests.
static DRAWN: LazyLock<(World, Vec<Drawing>)> = LazyLock::new(|| {
    let world = World::load();
    let mut drawings = Vec::new();
    for (split, count) in PHOTOS {
        for spec in specs(&world, 7, &[split], count).filter(|spec| AREAS.contains(&spec.area)) {
            let photo = spec.sized(128, 128).shoot(&world);
            let (town, at) = (photo.panorama.town, photo.panorama.position);
            drawings.push(Drawing { split, area: photo.area, town, at, jpeg: photo.jpeg });
        }
    }
    (world, drawings)
});

/// A network that always gives the same answer: the built-in one with an empty last layer.
static POOR: LazyLock<ModelFiles> = LazyLock::new(|| {
    let built_in = ModelFiles::built_in().expect("a sound program");
    let labels = built_in.manifest.labels.len();
    let mut bias = vec![0.0; labels];
    bias[0] = 5.0;
    let onnx = graph::replace(&built_in.onnx, &Linear { weight: vec![0.0; 512 * labels], bias }).expect("it is ours");
    let manifest = Manifest {
        name: "poor".to_owned(),
        version: "0.1.0".to_owned(),
        sha256: sha256_hex(&onnx),
        temperature: 1.0,
        abstain_below: 0.1,
        index: None,
        street: None,
        ..built_in.manifest
    };
    ModelFiles { manifest, onnx, index: None }
});

/// A folder with everything.
pub struct House {
    pub folder: tempfile::TempDir,
    /// What is run to train.
    pub program: std::path::PathBuf,
    /// A photo that the poor model is wrong about.
    pub photo: Vec<u8>,
    /// Its area.
    pub area: String,
    /// The same in English.
    pub area_en: String,
}

/// What runs between two restarts.
pub struct Inside {
    pub store: Store,
    pub registry: Registry,
    pub conversation: Conversation,
    pub stop: CancellationToken,
    bureau: JoinHandle<()>,
}

impl House {
    pub fn build() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (world, drawings) = &*DRAWN;
        let mut table = "file_name,area,town,split,licence,lat,lng\n".to_owned();
        for (i, drawing) in drawings.iter().enumerate() {
            let (split, area) = (drawing.split.name(), &world.areas()[drawing.area].area);
            let name = format!("{split}/{area}/{i}.jpg");
            write(&folder.path().join("photos").join(&name), &drawing.jpeg);
            let Coordinate { lat, lng } = drawing.at;
            table.push_str(&format!("{name},{area},{},{split},MIT,{lat},{lng}\n", drawing.town));
        }
        write(&folder.path().join("photos/metadata.csv"), table.as_bytes());
        write(&folder.path().join("poor/model.onnx"), &POOR.onnx);
        let manifest = toml::to_string(&POOR.manifest).expect("plain data");
        write(&folder.path().join("poor/manifest.toml"), manifest.as_bytes());
        let shown = drawings.iter().find(|drawing| drawing.area == AREAS[1]).expect("drawn");
        let area = &world.areas()[shown.area];
        let (photo, area, area_en) = (shown.jpeg.clone(), area.area.clone(), area.name_en.clone());
        Self { folder, program: env!("CARGO_BIN_EXE_kokodoko").into(), photo, area, area_en }
    }

    /// The configuration, with more lines for `[train]`.
    fn config(&self, train: &str) -> Config {
        let folder = self.folder.path().display();
        let file = format!(
            "[admin]\ntelegram = [{}]\ndiscord = [{HANA}]\n[quiz]\ndatabase = \"{folder}/kokodoko.sqlite\"\n\
             [infer]\nmodel = \"{folder}/poor\"\n[models]\nfolder = \"{folder}/models\"\n[collect]\ndata_folder = \"{folder}/images\"\n[log]\nfilter = \"warn\"\n\
             [train]\ndata = \"folder\"\ndata_folder = \"{folder}/photos\"\nfolder = \"{folder}/training\"\n{train}",
            AOI.id
        );
        write(&self.file(), file.as_bytes());
        Config::load(Some(&self.file()), []).expect("valid")
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("kokodoko.toml")
    }

    pub async fn open(&self, post: Post) -> Inside {
        self.open_with(post, "").await
    }

    pub async fn open_with(&self, post: Post, train: &str) -> Inside {
        let config = self.config(train);
        let store = Store::open(&config.database).await.expect("opens");
        let settings = Settings { folder: config.models_folder.clone(), configured: config.model.clone() };
        let clock = Arc::new(SystemClock);
        let shelf = Shelf::new(settings, store.clone());
        let registry = Registry::open(shelf, clock.clone(), &config.infer).await.expect("it runs");
        let program = Program { executable: self.program.clone(), config: Some(self.file()) };
        let workshop = Workshop { registry: registry.clone(), program };
        let bureau = Bureau::open(&config, &store, post, clock, Some(workshop)).expect("TLS starts");
        let conversation = Conversation::new(registry.core().clone(), generous(), system_clock());
        let conversation = conversation.with_office(bureau.office());
        let stop = CancellationToken::new();
        let bureau = tokio::spawn(bureau.run(stop.clone()));
        Inside { store, registry, conversation, stop, bureau }
    }
}

impl Inside {
    /// Puts the photos among those that were collected, as a run of `/collect` leaves them.
    pub async fn collect(&self, house: &House) {
        let run = self.store.open_run(Source::Folder, "plan", jiff::Timestamp::UNIX_EPOCH).await.expect("opens");
        let dataset = Dataset::new(self.store.clone(), &house.folder.path().join("images"), Arc::new(SystemClock));
        let (world, drawings) = &*DRAWN;
        for (i, drawing) in drawings.iter().enumerate() {
            let sighting = Sighting {
                source: Source::Mapillary,
                id: i.to_string(),
                position: Coordinate { lat: 35.65, lng: 139.75 },
                captured: None,
                heading: None,
                attribution: "Mapillary / someone".to_owned(),
                licence: "CC-BY-SA-4.0".to_owned(),
                link: None,
            };
            let place = Place { area: world.areas()[drawing.area].area.clone(), town: drawing.town.clone() };
            self.store.note_sighting(&Seen { sighting, place }).await.expect("noted");
            let item = Item { source: Source::Mapillary, image: i.to_string(), look: None };
            let (bytes, size) = (drawing.jpeg.clone(), (128, 128));
            dataset.keep(Picture { item, bytes, size, run, purchase: None }).await.expect("kept");
        }
    }

    pub async fn close(self) {
        self.stop.cancel();
        self.bureau.await.expect("no panic");
        self.store.close().await;
    }
}

pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, bytes).expect("written");
}
