//! Plans of the drawn world's areas, with towns from either version of Geolonia.

use kokodoko::chat::Lang;
use kokodoko::clock::WallClock;
use kokodoko::collect::area::{Municipality, Region};
use kokodoko::collect::settings::{GeoloniaVersion, Settings};
use kokodoko::collect::survey::{Planned, Planner, SurveyError};
use kokodoko::collect::wish::Wish;
use kokodoko::config::Config;
use kokodoko::domain::Coordinate;
use kokodoko::domain::imagery::{Sighting, Source};
use kokodoko::store::{AskedPoint, Place, PointOutcome, Seen, Store};

use crate::fake::flaky::{Flaky, Reply};
use crate::support::JumpingClock;
use crate::wire::{Service, WORLD};

/// The configured settings, with Geolonia's base URL.
fn settings(base: &str, version: GeoloniaVersion) -> Settings {
    let variables = [
        ("KOKODOKO_GEOLONIA__API_URL".to_owned(), base.to_owned()),
        ("KOKODOKO_GEOLONIA__VERSION".to_owned(), version.number().to_string()),
    ];
    Config::load(None, variables).expect("a valid configuration").collect
}

async fn plan(settings: &Settings, wish: &Wish) -> Result<Planned, SurveyError> {
    Planner::new(settings.clone(), JumpingClock::start()).expect("TLS starts").plan(wish).await
}

async fn drawn(version: GeoloniaVersion) -> (Service, Settings) {
    let service = Service::start().await;
    let settings = settings(&format!("{}/geolonia/v{}", service.base, version.number()), version);
    (service, settings)
}

fn areas(names: &[&str]) -> Wish {
    Wish { areas: names.iter().map(|name| (*name).to_owned()).collect(), ..Wish::default() }
}

#[tokio::test]
async fn both_versions_of_geolonia_lead_to_the_same_plan_of_all_seven_areas() {
    let mut plans = Vec::new();
    for version in [GeoloniaVersion::V1, GeoloniaVersion::V2] {
        let (service, settings) = drawn(version).await;
        plans.push(plan(&settings, &Wish::default()).await.expect("a plan"));
        let books = service.books().await;
        assert_eq!((books.geolonia.lists, books.unknown_requests), (7, 0), "one list an area, nothing of the sources");
    }
    let [first, second] = &plans[..] else { panic!("two plans") };
    assert_eq!(first.plan, second.plan);
    let names: Vec<&str> = first.plan.areas.iter().map(|area| &*area.area.area).collect();
    let world: Vec<&str> = WORLD.areas().iter().map(|area| &*area.area).collect();
    assert_eq!(names, world, "the default areas are those of the drawn world");
    for area in &first.plan.areas {
        let with_points = area.towns.iter().filter(|town| !town.points.is_empty()).count();
        assert!(with_points * 10 >= area.towns.len() * 9, "{with_points} of {} towns", area.towns.len());
        assert!(area.towns.iter().flat_map(|town| &town.points).all(|at| area.border.contains(*at)));
    }
    let total = first.estimate.total();
    assert_eq!((total.points, total.unplaced), (first.plan.points() as u64, 5));
}

#[tokio::test]
async fn a_plan_is_shown_in_words_and_a_picture() {
    let (_service, settings) = drawn(GeoloniaVersion::V2).await;
    let planned = plan(&settings, &areas(&["港区", "旭川市"])).await.expect("a plan");
    for lang in Lang::ALL {
        let reply = kokodoko::chat::plan::reply(lang, planned.plan.clone(), &planned.estimate).await;
        insta::assert_snapshot!(format!("plan-{}", lang.tag()), reply.text);
        let picture = reply.picture.expect("a picture");
        assert!(image::load_from_memory(&picture.bytes).is_ok(), "{picture:?}");
    }
}

/// An image at a point.
fn seen(asked: &AskedPoint, index: usize) -> Seen {
    let sighting = Sighting {
        source: asked.source,
        id: index.to_string(),
        position: asked.position,
        captured: None,
        heading: None,
        attribution: String::new(),
        licence: "CC-BY-SA-4.0".to_owned(),
        link: None,
    };
    Seen { sighting, place: asked.place.clone() }
}

#[tokio::test]
async fn the_share_of_hits_is_learnt_from_what_was_asked() {
    let (_service, settings) = drawn(GeoloniaVersion::V2).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&folder.path().join("k.sqlite")).await.expect("a database");
    let clock = JumpingClock::start();
    let planner = Planner::new(settings, clock.clone()).expect("TLS starts").learning_from(store.clone());
    let wish = areas(&["港区"]);
    let assumed = planner.plan(&wish).await.expect("a plan");
    let minato = &assumed.plan.areas[0];
    let points = minato.towns.iter().flat_map(|town| town.points.iter().map(|at| (town.name.clone(), *at)));
    for (index, (town, position)) in points.take(60).enumerate() {
        let place = Place { area: minato.area.area.clone(), town };
        let number = index as u32 % assumed.settings.density.points_per_town;
        let asked = AskedPoint { source: Source::Mapillary, place, number, position };
        let found = index % 4 == 0;
        let outcome = if found { PointOutcome::Found } else { PointOutcome::Nothing };
        let seen = found.then(|| seen(&asked, index)).into_iter().collect();
        store.note_point(&asked, outcome, seen, clock.now()).await.expect("noted");
    }
    let learnt = planner.plan(&wish).await.expect("a plan");
    assert_eq!((assumed.estimate.total().hits, learnt.estimate.total().hits), (232, 116));
    assert_eq!((assumed.estimate.assumed_share(), learnt.estimate.assumed_share()), (Some(0.5), None));
    assert_eq!(learnt.plan, assumed.plan);
    store.close().await;
}

#[tokio::test]
async fn a_name_that_there_is_none_of_is_answered_with_the_nearest() {
    for version in [GeoloniaVersion::V1, GeoloniaVersion::V2] {
        let (_service, settings) = drawn(version).await;
        let error = plan(&settings, &areas(&["神奈川県港区"])).await.expect_err("no such place").to_string();
        assert!(error.contains("knows no 神奈川県港区; the nearest names: 東京都港区, "), "{error}");
    }
}

#[tokio::test]
async fn a_municipality_without_a_border_says_where_to_get_one() {
    let towns = Reply::json(200, r#"[{"town":"泉崎一丁目","koaza":"","lat":26.21,"lng":127.68}]"#);
    let service = Flaky::start("", [towns]).await;
    let settings = settings(&service.base, GeoloniaVersion::V1);
    let error = plan(&settings, &areas(&["沖縄県那覇市"])).await.expect_err("no border").to_string();
    assert!(error.contains("沖縄県那覇市") && error.contains("`collect.borders_file`"), "{error}");
}

#[tokio::test]
async fn a_region_anywhere_is_planned_by_squares() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("paris.geojson");
    let polygon =
        r#"{"type":"Polygon","coordinates":[[[2.30,48.85],[2.36,48.85],[2.36,48.89],[2.30,48.89],[2.30,48.85]]]}"#;
    std::fs::write(&file, polygon).expect("the file is written");
    let (service, mut settings) = drawn(GeoloniaVersion::V2).await;
    settings.municipalities = Vec::<Municipality>::new();
    settings.regions = vec![Region { name: "パリ".to_owned(), name_en: "Paris".to_owned(), file }];
    let planned = plan(&settings, &Wish::default()).await.expect("a plan");
    let [paris] = &planned.plan.areas[..] else { panic!("one area") };
    assert!((20..45).contains(&paris.towns.len()), "{} squares for 20 km²", paris.towns.len());
    let louvre = Coordinate { lat: 48.8606, lng: 2.3376 };
    assert!(paris.town_at(louvre).is_some_and(|square| square.name.starts_with("N48.8")));
    assert_eq!(service.books().await.geolonia.lists, 0);
}

#[tokio::test]
async fn trouble_with_the_lists_says_what_to_do() {
    let mut said = Vec::new();
    for (version, reply) in [
        (GeoloniaVersion::V2, Reply::json(200, "[]")),
        (GeoloniaVersion::V1, Reply::json(200, "<html>")),
        (GeoloniaVersion::V1, Reply::status(403)),
        (GeoloniaVersion::V1, Reply::status(500)),
        (GeoloniaVersion::V2, Reply::status(404)),
        (GeoloniaVersion::V1, Reply::Whole(200, "", vec![b'['; 33 << 20])),
    ] {
        let service = Flaky::start("", vec![reply; 8]).await;
        let settings = settings(&service.base, version);
        said.push(plan(&settings, &areas(&["港区"])).await.expect_err("no list").to_string());
    }
    insta::assert_snapshot!(said.join("\n"));
}
