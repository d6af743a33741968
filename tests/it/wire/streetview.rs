//! Street View Static.

use image::RgbImage;
use kokodoko::domain::{Coordinate, SigningSecret};
use kokodoko::world::Panorama;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Service, WORLD};

const METADATA: &str = "/maps/api/streetview/metadata";
const IMAGE: &str = "/maps/api/streetview";
const SEA: &str = "35.0,140.5";

fn outdoor() -> &'static Panorama {
    WORLD.panoramas(1).iter().find(|panorama| !panorama.indoor).expect("港区 has outdoor panoramas")
}

/// An indoor panorama that is the nearest one at its own position.
fn indoor() -> &'static Panorama {
    let mut all = (0..7).flat_map(|area| WORLD.panoramas(area));
    all.find(|p| p.indoor && WORLD.nearest(p.position, 50.0, false) == Some(p)).expect("3 % are indoors")
}

fn at(position: Coordinate) -> String {
    format!("location={},{}&key=drawn-world", position.lat, position.lng)
}

async fn status(service: &Service, query: &str) -> Value {
    let answer = service.get(&format!("{METADATA}?{query}")).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::OK, "application/json; charset=UTF-8"));
    answer.json()
}

#[tokio::test]
async fn metadata_tells_the_panorama() {
    let service = Service::start().await;
    let panorama = outdoor();
    let (year, month) = panorama.captured;
    let expected = json!({
        "copyright": "© Drawn World",
        "date": format!("{year}-{month:02}"),
        "location": { "lat": panorama.position.lat, "lng": panorama.position.lng },
        "pano_id": panorama.id,
        "status": "OK",
    });
    assert_eq!(status(&service, &format!("pano={}&key=drawn-world", panorama.id)).await, expected);
    assert_eq!(status(&service, &at(panorama.position)).await, expected);
}

#[tokio::test]
async fn every_other_status_has_its_reason() {
    let service = Service::start_with(|options| options.metadata_quota = Some(3)).await;
    let queries = [
        ("the sea", format!("location={SEA}&key=drawn-world")),
        ("no such panorama", "pano=tu510ie_z4ptBZYo2BGEJg&key=drawn-world".to_owned()),
        ("an address", "location=Chagrin+Falls,+OH&key=drawn-world".to_owned()),
        ("a heading in words", format!("location={SEA}&heading=north&key=drawn-world")),
        ("no place", "key=drawn-world".to_owned()),
        ("no key", format!("location={SEA}")),
        ("a wrong key", format!("location={SEA}&key=guessed")),
        ("the fourth good request", format!("location={SEA}&key=drawn-world")),
    ];
    let mut answers = Vec::new();
    for (what, query) in &queries {
        answers.push(json!({ "request": what, "answer": status(&service, query).await }));
    }
    insta::assert_json_snapshot!(answers);
    let books = service.books().await.streetview;
    assert_eq!((books.metadata, books.invalid, books.denied, books.over_quota), (3, 2, 2, 1));
    assert_eq!(books.images_billed, 0, "metadata are free");
}

#[tokio::test]
async fn a_location_snaps_to_the_nearest_panorama_within_the_radius() {
    let service = Service::start().await;
    let lonely = |p: &&Panorama| WORLD.nearest(p.position.offset_m(0.0, 60.0), 59.0, false).is_none();
    let panorama = WORLD.panoramas(6).iter().find(lonely).expect("旭川市 is wide");
    let (near, far) = (at(panorama.position.offset_m(0.0, 0.5)), at(panorama.position.offset_m(0.0, 60.0)));
    assert_eq!(status(&service, &near).await["pano_id"], panorama.id.as_str());
    assert_eq!(status(&service, &far).await["status"], "ZERO_RESULTS", "50 m unless told");
    assert_eq!(status(&service, &format!("{far}&radius=61")).await["pano_id"], panorama.id.as_str());
}

#[tokio::test]
async fn outdoor_leaves_indoor_panoramas_out() {
    let service = Service::start().await;
    let panorama = indoor();
    let here = at(panorama.position);
    assert_eq!(status(&service, &here).await["pano_id"], panorama.id.as_str());
    let outdoors = status(&service, &format!("{here}&source=outdoor&radius=500")).await;
    let found = WORLD.by_id(outdoors["pano_id"].as_str().expect("there is one within 500 m")).expect("it exists");
    assert!(!found.indoor);
}

#[tokio::test]
async fn the_same_view_gives_the_same_bytes_and_is_billed_twice() {
    let service = Service::start().await;
    let id = &outdoor().id;
    let path = format!("{IMAGE}?pano={id}&size=96x64&heading=45&fov=70&pitch=-5&key=drawn-world");
    let (first, second) = (service.get(&path).await, service.get(&path).await);
    assert_eq!(first.jpeg_size(), (96, 64));
    assert!(first.body == second.body, "other bytes for the same view");
    let other = service.get(&path.replace("heading=45", "heading=225")).await;
    assert!(first.body != other.body, "the heading does nothing");
    let books = service.books().await.streetview;
    assert_eq!(books.images_billed, 3);
    assert_eq!(books.images[&format!("{id} heading=45 fov=70 pitch=-5 size=96x64")], 2);
}

#[tokio::test]
async fn sizes_end_at_640() {
    let service = Service::start().await;
    let answer = service.get(&format!("{IMAGE}?size=2000x16&pano={}&key=drawn-world", outdoor().id)).await;
    assert_eq!(answer.jpeg_size(), (640, 16));
}

#[tokio::test]
async fn missing_imagery_is_a_grey_tile_or_a_404() {
    let service = Service::start().await;
    let path = format!("{IMAGE}?size=320x200&location={SEA}&key=drawn-world");
    let tile = service.get(&path).await.jpeg();
    assert_eq!(tile.dimensions(), (320, 200));
    let grey = tile.pixels().filter(|p| p.0[0].abs_diff(p.0[2]) < 12).count();
    assert!(grey * 100 > tile.pixels().len() * 97, "only {grey} pixels are grey");
    assert_eq!(service.get(&format!("{path}&return_error_code=false")).await.status, StatusCode::OK);
    let refused = service.get(&format!("{path}&return_error_code=true")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let books = service.books().await.streetview;
    assert_eq!((books.images_billed, books.grey_tiles, books.images_not_found), (2, 2, 1));
    assert!(books.images.is_empty(), "{:?}", books.images);
}

#[tokio::test]
async fn images_are_refused_with_the_documented_codes() {
    let service = Service::start_with(|options| options.image_quota = Some(1)).await;
    let id = &outdoor().id;
    let mut answers = Vec::new();
    for query in [
        format!("pano={id}&size=9x9&key=guessed"),
        format!("pano={id}&size=9x9"),
        format!("pano={id}&key=drawn-world"),
        format!("pano={id}&size=9x9&fov=500&key=drawn-world"),
        format!("pano={id}&size=9x9&key=drawn-world"),
        format!("pano={id}&size=9x9&key=drawn-world"),
    ] {
        let answer = service.get(&format!("{IMAGE}?{query}")).await;
        let body = if answer.status.is_success() { "a picture".to_owned() } else { answer.text() };
        answers.push(format!("{} {body}", answer.status.as_u16()));
    }
    insta::assert_json_snapshot!(answers);
    let books = service.books().await.streetview;
    assert_eq!((books.denied, books.invalid, books.images_billed, books.over_quota), (2, 2, 1, 1));
}

/// The signatures come from Python's hmac module, the secret from Google's documentation.
#[tokio::test]
async fn signatures_are_checked_when_a_secret_is_set() {
    let secret = SigningSecret::parse("vNIXE0xscrmjlyV-12Nj_BvUPaw=").expect("Google's own");
    let service = Service::start_with(|options| options.google_signing_secret = Some(secret)).await;
    let query = "location=35.6586,139.7454&key=drawn-world";
    let signed = status(&service, &format!("{query}&signature=95FhoFIjiIuAFuxk0sZQVxenTs4=")).await;
    assert_ne!(signed["status"], "REQUEST_DENIED");
    for wrong in
        ["", "&signature=", "&signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "&signature=95FhoFIjiIuAFuxk0sZQVxenTs4=&fov=20"]
    {
        assert_eq!(status(&service, &format!("{query}{wrong}")).await["status"], "REQUEST_DENIED", "{wrong}");
    }
    let image = service.get(&format!("{IMAGE}?size=9x9&{query}&signature=95FhoFIjiIuAFuxk0sZQVxenTs4=")).await;
    assert_eq!(image.status, StatusCode::FORBIDDEN, "signed for another path");
}

#[tokio::test]
async fn without_a_heading_the_camera_looks_at_the_location() {
    let service = Service::start().await;
    let alone = |p: &&Panorama| !p.indoor && WORLD.nearest(p.position.offset_m(9.0, 0.0), 50.0, false) == Some(*p);
    let panorama = WORLD.panoramas(6).iter().find(alone).expect("旭川市 is wide");
    let east = format!("{IMAGE}?size=64x64&{}", at(panorama.position.offset_m(9.0, 0.0)));
    let look = |rest: &'static str| {
        let (service, path) = (&service, format!("{east}{rest}"));
        async move { service.get(&path).await.jpeg() }
    };
    let (free, to_east, to_west) = (look("").await, look("&heading=90").await, look("&heading=270").await);
    let (right, wrong) = (difference(&free, &to_east), difference(&free, &to_west));
    assert!(right * 4.0 < wrong, "{right} from east, {wrong} from west");
}

/// Mean difference of two pictures' channels.
fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    let sum: u64 = a.iter().zip(b.iter()).map(|(x, y)| u64::from(x.abs_diff(*y))).sum();
    sum as f64 / a.len() as f64
}
