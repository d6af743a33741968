//! Runs over the drawn world, through the protocols of Street View and Mapillary.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures_util::future::join;
use geojson::FeatureCollection;
use jiff::tz::TimeZone;
use kokodoko::clock::SharedClock;
use kokodoko::collect::client::Client;
use kokodoko::collect::dataset::Dataset;
use kokodoko::collect::folder::Folder;
use kokodoko::collect::mapillary::{self, Mapillary};
use kokodoko::collect::plan::{AreaPlan, Plan, Town};
use kokodoko::collect::run::{Ended, Halt, Order, Run, Summary};
use kokodoko::collect::settings::Density;
use kokodoko::collect::streetview::{self, StreetView};
use kokodoko::collect::trouble::Stop;
use kokodoko::domain::imagery::{Micros, Source};
use kokodoko::domain::spend::{Cap, Caps, Period, Refusal};
use kokodoko::domain::{Border, Split};
use kokodoko::store::{Store, StoredImage};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{patient, stopped_wire};
use crate::fake::flaky::{Flaky, Reply};
use crate::support::JumpingClock;
use crate::wire::{Service, WORLD};

const PRICE: Micros = Micros(7_000);

/// One point in each of the first `towns` towns of every area.
fn plan(towns: usize) -> Arc<Plan> {
    let area = |(index, area): (usize, &kokodoko::domain::Area)| {
        let town =
            |town: &kokodoko::world::Town| Town { name: town.name.clone(), centers: town.center.into_iter().collect() };
        let towns: Vec<Town> = WORLD.towns(index).iter().filter(|town| town.covered).take(towns).map(town).collect();
        AreaPlan::new(area.clone(), BORDERS[index].clone(), &towns, 1)
    };
    Arc::new(Plan { areas: WORLD.areas().iter().enumerate().map(area).collect() })
}

static BORDERS: LazyLock<Vec<Border>> = LazyLock::new(|| {
    let collection: FeatureCollection =
        include_str!("../../../src/world/data/areas.geojson").parse().expect("the borders are GeoJSON");
    let border = |area: &kokodoko::domain::Area| {
        let named = |feature: &&geojson::Feature| {
            feature.property("N03_004").and_then(|name| name.as_str()) == Some(&area.municipality)
        };
        let feature = collection.features.iter().find(named).expect("every area has a border");
        Border::of_geometry(&feature.geometry.as_ref().expect("a geometry").value)
    };
    WORLD.areas().iter().map(border).collect()
});

fn order(towns: usize) -> Order {
    let density = Density {
        points_per_town: 1,
        headings_per_point: 2,
        fov: 90,
        pitch: 0,
        width: 64,
        height: 64,
        search_radius_m: 200,
    };
    let plenty = Micros(1_000_000 * PRICE.0);
    let caps = Caps { run: plenty, day: plenty, month: plenty };
    Order { plan: plan(towns), density, price: PRICE, caps, concurrency: 4 }
}

/// A machine that collects: a database and a folder.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a folder") }
    }

    fn images(&self) -> std::path::PathBuf {
        self.root.path().join("images")
    }

    async fn store(&self) -> Store {
        Store::open(&self.root.path().join("kokodoko.sqlite")).await.expect("the database opens")
    }

    async fn open(&self, order: Order, client: Client, stop: &CancellationToken) -> Run {
        self.open_at(&self.images(), order, client, stop).await
    }

    async fn open_at(&self, folder: &Path, order: Order, client: Client, stop: &CancellationToken) -> Run {
        let clock: SharedClock = JumpingClock::start();
        let dataset = Dataset::new(self.store().await, folder, clock.clone());
        Run::open(order, client, dataset, TimeZone::UTC, clock, stop.clone()).await.expect("the run opens")
    }

    /// Collects from Street View at `base`.
    async fn collect(&self, base: &str, order: Order) -> Result<Summary, Halt> {
        let stop = CancellationToken::new();
        self.open(order, streetview(base, &stop), &stop).await.collect().await
    }

    async fn stored(&self) -> Vec<StoredImage> {
        self.store().await.images_after(None, 100_000).await.expect("the database answers")
    }

    /// What the ledger says was billed, and what is in doubt.
    async fn ledger(&self) -> (u64, u64) {
        let spent = self.store().await.spent(Period::All, None).await.expect("the database answers");
        assert_eq!(spent.billed, Micros(spent.images_billed as i64 * PRICE.0));
        (spent.images_billed, spent.images_in_doubt)
    }
}

fn streetview(base: &str, stop: &CancellationToken) -> Client {
    let access = streetview::Access { base: base.parse().expect("a URL"), key: "drawn-world".into(), signing: None };
    Client::StreetView(StreetView::new(stopped_wire(base, patient(), JumpingClock::start(), stop.clone()), access))
}

fn mapillary(base: &str, stop: &CancellationToken) -> Client {
    let base: reqwest::Url = format!("{base}/mapillary").parse().expect("a URL");
    let wire = stopped_wire(base.as_str(), patient(), JumpingClock::start(), stop.clone());
    let size = mapillary::Size::Middle;
    Client::Mapillary(Mapillary::new(wire, mapillary::Access { base, token: "MLY|1|drawn-world".into(), size }))
}

/// Every picture in the dataset has its file and the label of the panorama that it shows.
fn check(machine: &Machine, stored: &[StoredImage]) {
    for image in stored {
        let hash = &image.sha256;
        let file = machine.images().join(&hash[..2]).join(&hash[2..4]).join(format!("{hash}.{}", image.format));
        assert_eq!(std::fs::metadata(&file).map(|file| file.len()).ok(), Some(image.bytes), "{}", file.display());
        let at = image.sighting.position;
        let area = (0..7).find(|&area| WORLD.is_inside(area, at)).expect("inside an area");
        assert_eq!(image.place.area, WORLD.areas()[area].area);
        assert_eq!(image.split, Split::of_place(&image.place.area, &image.place.town));
    }
}

#[tokio::test]
async fn seven_areas_through_street_view() {
    let service = Service::start().await;
    let machine = Machine::new();
    let summary = machine.collect(&service.base, order(2)).await.expect("collected");
    let stored = machine.stored().await;
    check(&machine, &stored);
    let total = summary.progress.total();
    assert_eq!((summary.ended, total.points, total.asked), (Ended::Done, 14, 14));
    assert_eq!((total.images, total.new, total.failed), (stored.len() as u64, stored.len() as u64, 0));
    let areas: BTreeSet<&str> = stored.iter().map(|image| image.place.area.as_str()).collect();
    assert_eq!(areas.len(), 7, "{areas:?}");
    for image in &stored {
        let panorama = WORLD.by_id(&image.item.image).expect("a panorama of the drawn world");
        assert!(!panorama.indoor && panorama.position == image.sighting.position);
        assert_eq!((image.size, image.sighting.attribution.as_str()), ((64, 64), "© Drawn World"));
    }
    let books = service.books().await.streetview;
    assert_eq!((books.images_billed, books.metadata, books.grey_tiles), (stored.len() as u64, 14, 0));
    assert!(books.images.values().all(|times| *times == 1));
    assert_eq!(machine.ledger().await, (books.images_billed, 0));
    assert_eq!(summary.progress.spent_run, books.images_billed as i64 * PRICE.0);

    let again = machine.collect(&service.base, order(2)).await.expect("nothing to do");
    assert_eq!((again.ended, again.progress.total().images), (Ended::Done, total.images));
    let after = service.books().await.streetview;
    assert_eq!((after.images_billed, after.metadata), (books.images_billed, 14), "nothing was asked again");
}

#[tokio::test]
async fn seven_areas_through_mapillary() {
    let service = Service::start().await;
    let machine = Machine::new();
    let stop = CancellationToken::new();
    let free = || Order { price: Micros(0), ..order(2) };
    let client = || mapillary(&service.base, &stop);
    let summary = machine.open(free(), client(), &stop).await.collect().await.expect("collected");
    let stored = machine.stored().await;
    check(&machine, &stored);
    assert_eq!((summary.ended, summary.progress.total().asked), (Ended::Done, 14));
    let areas: BTreeSet<&str> = stored.iter().map(|image| image.place.area.as_str()).collect();
    assert_eq!(areas.len(), 7, "{areas:?}");
    for image in &stored {
        let sighting = &image.sighting;
        assert_eq!(
            (sighting.source, sighting.licence.as_str(), image.size.0),
            (Source::Mapillary, "CC-BY-SA-4.0", 1_024)
        );
        assert!(sighting.heading.is_some() && sighting.attribution.starts_with("Mapillary / "), "{sighting:?}");
        assert_eq!(sighting.link, Some(format!("https://www.mapillary.com/app/?pkey={}", sighting.id)));
    }
    let books = service.books().await.mapillary;
    assert_eq!((books.thumbs.len(), books.searches), (stored.len(), 14));
    assert!(books.thumbs.values().all(|times| *times == 1) && books.entities == 0, "{books:?}");
    machine.open(free(), client(), &stop).await.collect().await.expect("nothing to do");
    assert_eq!(service.books().await.mapillary, books, "nothing was asked again");
}

#[tokio::test]
async fn a_stopped_run_goes_on_where_it_was_and_buys_nothing_twice() {
    let service = Service::start().await;
    let machine = Machine::new();
    let mut starts = 0;
    loop {
        let stop = CancellationToken::new();
        let run = machine.open(order(3), streetview(&service.base, &stop), &stop).await;
        let mut progress = run.progress();
        let watch = async {
            // Stops after four new pictures.
            if progress.wait_for(|progress| progress.total().new >= 4).await.is_ok() {
                stop.cancel();
            }
        };
        let (summary, ()) = join(run.collect(), watch).await;
        starts += 1;
        assert!(starts < 30, "it never ends");
        if summary.expect("no halt").ended == Ended::Done {
            break;
        }
    }
    assert!(starts > 3, "{starts} starts");
    let books = service.books().await.streetview;
    assert!(books.images.values().all(|times| *times == 1));
    assert_eq!(books.images_billed, machine.stored().await.len() as u64);
    assert_eq!(machine.ledger().await, (books.images_billed, 0), "whoever is asked to stop leaves nothing in doubt");
}

/// As `kill -9` does it: nothing is finished, and nobody settles.
#[test]
fn a_killed_run_goes_on_and_buys_nothing_twice() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("starts");
    let world = runtime();
    let service = world.block_on(Service::start());
    let machine = Machine::new();
    for _ in 0..4 {
        let killed = runtime();
        killed.block_on(async {
            let stop = CancellationToken::new();
            let run = machine.open(order(3), streetview(&service.base, &stop), &stop).await;
            let mut progress = run.progress();
            let before = progress.borrow().total().images;
            let collecting = tokio::spawn(run.collect());
            let far = progress.wait_for(|progress| progress.total().images >= before + 3).await.is_ok();
            assert!(far || collecting.is_finished());
        });
        killed.shutdown_timeout(Duration::ZERO);
    }
    let summary = world.block_on(machine.collect(&service.base, order(3))).expect("collected");
    let (books, stored) = world.block_on(async { (service.books().await.streetview, machine.stored().await) });
    check(&machine, &stored);
    assert!(books.images.values().all(|times| *times == 1), "{books:?}");
    let (billed, in_doubt) = world.block_on(machine.ledger());
    assert!(billed <= books.images_billed && books.images_billed <= billed + in_doubt, "{billed} {in_doubt} {books:?}");
    assert!(in_doubt <= 4 * 16, "at most those that were on the wire or being written: {in_doubt}");
    let total = summary.progress.total();
    assert_eq!((total.images, total.failed), (stored.len() as u64, total.wanted - stored.len() as u64));
}

#[tokio::test]
async fn caps_hold_for_all_who_collect_at_the_same_time() {
    let service = Service::start().await;
    let machine = Machine::new();
    // Two plans, so that the two want different pictures: the second looks up.
    let capped = |pitch| {
        let mut order = order(3);
        order.density.pitch = pitch;
        order.caps.day = Micros(17 * PRICE.0 + 1);
        order
    };
    let both = join(machine.collect(&service.base, capped(0)), machine.collect(&service.base, capped(20))).await;
    for halted in [both.0, both.1] {
        assert!(matches!(halted, Err(Halt::Cap(Refusal::Cap { cap: Cap::Day, .. }))), "{halted:?}");
    }
    assert_eq!(service.books().await.streetview.images_billed, 17);
    assert_eq!(machine.ledger().await, (17, 0));
    let halted = machine.collect(&service.base, capped(0)).await.expect_err("no money");
    insta::assert_snapshot!(halted);
    assert_eq!(service.books().await.streetview.images_billed, 17, "also after a restart");
}

/// Those that were reserved before it are fetched.
#[tokio::test]
async fn a_cap_is_reached_to_its_last_picture() {
    let service = Service::start().await;
    let machine = Machine::new();
    let mut order = order(3);
    order.caps.run = Micros(11 * PRICE.0);
    let halted = machine.collect(&service.base, order).await.expect_err("no money");
    assert!(matches!(halted, Halt::Cap(Refusal::Cap { cap: Cap::Run, .. })), "{halted:?}");
    assert_eq!((machine.ledger().await, machine.stored().await.len()), ((11, 0), 11));
}

/// What is free is fetched again by itself; what was paid for only when an admin says so, and it counts once more.
#[tokio::test]
async fn what_is_gone_from_the_disk_may_be_fetched_again() {
    let service = Service::start().await;
    let machine = Machine::new();
    let lose = async || {
        let stored = machine.stored().await;
        for image in &stored {
            machine.store().await.drop_image(image.id).await.expect("the database answers");
        }
        stored.len() as u64
    };
    machine.collect(&service.base, order(1)).await.expect("collected");
    let bought = lose().await;
    let stop = CancellationToken::new();
    let free = || Order { price: Micros(0), ..order(1) };
    for _ in 0..2 {
        machine.open(free(), mapillary(&service.base, &stop), &stop).await.collect().await.expect("collected");
        assert!(lose().await > 0);
    }

    let price = Micros(bought as i64 * PRICE.0);
    assert_eq!(machine.store().await.gone().await.expect("the database answers"), (bought, price));
    let total = machine.collect(&service.base, order(1)).await.expect("nothing to do").progress.total();
    assert_eq!((total.new, total.failed), (0, bought));
    assert_eq!(machine.store().await.buy_gone_again().await.expect("the database answers"), bought);
    let total = machine.collect(&service.base, order(1)).await.expect("collected").progress.total();
    assert_eq!((total.new, total.failed), (bought, 0));
    let spent = machine.store().await.spent(Period::All, Some(Source::StreetView)).await.expect("the database answers");
    assert_eq!((spent.images_billed, spent.images_in_doubt), (2 * bought, 0));
    assert_eq!(service.books().await.streetview.images_billed, 2 * bought);
    assert_eq!(machine.store().await.gone().await.expect("the database answers"), (0, Micros(0)));
}

#[tokio::test]
async fn two_runs_of_one_plan_share_the_work() {
    let service = Service::start().await;
    let machine = Machine::new();
    let both = join(machine.collect(&service.base, order(2)), machine.collect(&service.base, order(2))).await;
    both.0.expect("collected");
    both.1.expect("collected");
    machine.collect(&service.base, order(2)).await.expect("collected");
    let books = service.books().await.streetview;
    assert!(books.images.values().all(|times| *times == 1), "{books:?}");
    assert_eq!(machine.stored().await.len() as u64, books.images_billed);
}

#[tokio::test]
async fn a_used_up_quota_halts_the_run_and_the_rest_comes_later() {
    let service = Service::start_with(|options| options.image_quota = Some(5)).await;
    let machine = Machine::new();
    // One at a time: the stand-in counts what it has drawn, not what it is drawing.
    let one_by_one = Order { concurrency: 1, ..order(2) };
    let halted = machine.collect(&service.base, one_by_one).await.expect_err("the quota is small");
    assert!(matches!(halted, Halt::Refused(Stop::StreetViewQuota { .. })), "{halted:?}");
    assert_eq!((machine.ledger().await, machine.stored().await.len()), ((5, 0), 5));
}

#[tokio::test]
async fn a_refused_key_halts_the_run_before_anything_is_bought() {
    let service = Service::start_with(|options| options.google_key = "another".to_owned()).await;
    let machine = Machine::new();
    let halted = machine.collect(&service.base, order(2)).await.expect_err("the key is wrong");
    assert!(matches!(halted, Halt::Refused(Stop::StreetViewDenied { .. })), "{halted:?}");
    assert_eq!(machine.ledger().await, (0, 0));
}

/// What was sold and lost on the way counts as spent, and is not bought again.
#[tokio::test]
async fn lost_answers_stay_in_doubt() {
    let service = Service::start().await;
    let machine = Machine::new();
    // The first requests are metadata.
    let script = (0..8).map(|_| Reply::Pass).chain([Reply::Lost, Reply::Truncated, Reply::status(500), Reply::Lost]);
    let server = Flaky::start(&service.base, script).await;
    let mut one_by_one = order(1);
    one_by_one.concurrency = 1;
    let first = machine.collect(&server.base, one_by_one.clone()).await.expect("collected");
    let again = machine.collect(&server.base, one_by_one).await.expect("collected");
    assert_eq!(again.ended, Ended::Done, "{first:?}");
    let books = service.books().await.streetview;
    assert!(books.images.values().all(|times| *times == 1), "{books:?}");
    let (billed, in_doubt) = machine.ledger().await;
    assert!(in_doubt <= 3 && billed + in_doubt >= books.images_billed && billed <= books.images_billed, "{books:?}");
    assert_eq!(again.progress.in_doubt, in_doubt);
}

#[tokio::test]
async fn a_service_that_is_down_ends_the_run() {
    let server = Flaky::start("", (0..500).map(|_| Reply::status(503))).await;
    let machine = Machine::new();
    let halted = machine.collect(&server.base, order(4)).await.expect_err("it is down");
    insta::assert_snapshot!(halted);
    assert_eq!(machine.ledger().await, (0, 0));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_halts_the_run_and_the_ledger_is_true() {
    let service = Service::start().await;
    let machine = Machine::new();
    let occupied = machine.root.path().join("occupied");
    std::fs::write(&occupied, b"a file").expect("a file");
    let stop = CancellationToken::new();
    let run = machine.open_at(&occupied, order(2), streetview(&service.base, &stop), &stop).await;
    let halted = run.collect().await.expect_err("there is no folder");
    assert!(matches!(halted, Halt::Keep(_)), "{halted:?}");
    let billed = service.books().await.streetview.images_billed;
    assert!((1..=16).contains(&billed), "{billed}");
    assert_eq!(machine.ledger().await, (billed, 0));
}

#[tokio::test]
async fn photos_in_folders_named_after_areas_are_labelled_by_them() {
    let machine = Machine::new();
    let photos = machine.root.path().join("photos");
    let colours: HashMap<&str, [u8; 3]> = HashMap::from([
        ("東京都港区/赤坂一丁目/a.jpg", [200, 60, 40]),
        ("東京都港区/b.jpg", [50, 190, 60]),
        ("nowhere/c.jpg", [40, 70, 210]),
    ]);
    for (path, colour) in &colours {
        let path = photos.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, crate::support::jpeg(*colour)).expect("a file");
    }
    std::fs::write(photos.join("東京都港区/d.jpg"), b"no photo").expect("a file");
    let stop = CancellationToken::new();
    let areas: Vec<String> = WORLD.areas().iter().map(|area| area.area.clone()).collect();
    let collect = async || {
        let client = Client::Folder(Folder::new(&photos, areas.clone()));
        let free = Order { price: Micros(0), ..order(2) };
        machine.open(free, client, &stop).await.collect().await.expect("collected")
    };
    let summary = collect().await;
    assert_eq!((summary.ended, summary.progress.unplaced), (Ended::Done, 1));
    let stored = machine.stored().await;
    let mut towns: Vec<&str> = stored.iter().map(|image| image.place.town.as_str()).collect();
    towns.sort_unstable();
    assert_eq!(towns, ["", "赤坂一丁目"]);
    assert!(
        stored.iter().all(|image| image.place.area == "東京都港区" && image.sighting.licence == "LicenseRef-own-photo")
    );
    let again = collect().await.progress.total();
    assert_eq!((again.images, again.new, again.failed), (2, 0, 1));
}
