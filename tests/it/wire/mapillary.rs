//! Mapillary's Graph API and its files.

use std::time::Duration;

use kokodoko::domain::Coordinate;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Answer, START, Service, WORLD};

const TOKEN: &str = "access_token=MLY%7C1%7Cdrawn-world";

/// A box of about 900 m by 900 m in 渋谷区, with images.
fn bbox() -> String {
    let middle = WORLD.panoramas(3)[400].position;
    format!("{},{},{},{}", middle.lng - 0.005, middle.lat - 0.004, middle.lng + 0.005, middle.lat + 0.004)
}

async fn search(service: &Service, rest: &str) -> Vec<Value> {
    let answer = service.get(&format!("/mapillary/images?{TOKEN}&bbox={}{rest}", bbox())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["data"].as_array().expect("data is a list").clone()
}

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn position(geometry: &Value) -> Option<Coordinate> {
    let coordinates = geometry["coordinates"].as_array()?;
    Coordinate::new(coordinates[1].as_f64()?, coordinates[0].as_f64()?)
}

/// What callers branch on.
fn error(answer: &Answer) -> Value {
    let error = &answer.json()["error"];
    assert_eq!(keys(error).first(), Some(&"code"), "{error}");
    json!({ "status": answer.status.as_u16(), "error": error })
}

#[tokio::test]
async fn an_image_tells_the_asked_fields_only() {
    let service = Service::start().await;
    let bare = search(&service, "").await;
    assert!(bare.len() > 50, "{} images", bare.len());
    assert!(bare.iter().all(|image| keys(image) == ["id"]));
    let fields = "captured_at,geometry,is_pano,sequence";
    let told = search(&service, &format!("&fields={fields}")).await;
    assert!(told.iter().all(|image| keys(image) == ["captured_at", "geometry", "id", "is_pano", "sequence"]));
    assert_eq!(service.books().await.mapillary.searches, 2);
}

#[tokio::test]
async fn one_image_tells_the_same_as_the_search() {
    let service = Service::start().await;
    let fields = "&fields=computed_geometry,computed_compass_angle,compass_angle,creator,height,width,thumb_1024_url";
    let found = search(&service, &format!("{fields}&limit=3")).await;
    assert_eq!(found.len(), 3);
    for image in &found {
        let id = image["id"].as_str().expect("ids are strings");
        let alone = service.get(&format!("/mapillary/{id}?{TOKEN}{fields}")).await.json();
        assert_eq!(&alone, image);
    }
    assert_eq!(service.books().await.mapillary.entities, 3);
}

/// The label of a photo is the area around its position: it must be the area that was drawn.
#[tokio::test]
async fn every_position_lies_in_the_box_and_in_an_area() {
    let service = Service::start().await;
    let images = search(&service, "&fields=geometry,computed_geometry,is_pano,captured_at").await;
    let sides: Vec<f64> = bbox().split(',').map(|side| side.parse().expect("a number")).collect();
    let mut without_computed = 0;
    for image in &images {
        let gps = position(&image["geometry"]).expect("every image has a geometry");
        let computed = position(&image["computed_geometry"]);
        without_computed += usize::from(computed.is_none());
        let at = computed.unwrap_or(gps);
        assert!((sides[0]..=sides[2]).contains(&at.lng) && (sides[1]..=sides[3]).contains(&at.lat), "{image}");
        let area = |at| (0..7).find(|&area| WORLD.is_inside(area, at));
        assert!(area(at).is_some() && area(at) == area(gps), "{image}");
    }
    assert!((1..images.len() / 4).contains(&without_computed), "{without_computed} of {}", images.len());
}

#[tokio::test]
async fn the_limit_cuts_and_is_pano_filters() {
    let service = Service::start().await;
    let all = search(&service, "&fields=is_pano").await;
    assert_eq!(search(&service, "&limit=5").await.len(), 5);
    let strips = search(&service, "&fields=is_pano&is_pano=true").await;
    assert!(!strips.is_empty() && strips.len() * 10 < all.len(), "{} of {}", strips.len(), all.len());
    assert!(strips.iter().all(|image| image["is_pano"] == true));
    assert_eq!(strips.len() + search(&service, "&is_pano=false").await.len(), all.len());
}

#[tokio::test]
async fn a_large_box_gives_2000_images() {
    let service = Service::start().await;
    let answer = service.get(&format!("/mapillary/images?{TOKEN}&bbox=139.69,35.64,139.78,35.74")).await;
    assert_eq!(answer.json()["data"].as_array().map(Vec::len), Some(2_000));
}

#[tokio::test]
async fn errors_are_the_graph_apis() {
    let service = Service::start_with(|options| options.mapillary_quota = Some(1)).await;
    let mut answers = Vec::new();
    for path in [
        "images?bbox=1,2,1.01,2.01".to_owned(),
        "images?bbox=1,2,1.01,2.01&access_token=guessed".to_owned(),
        format!("images?{TOKEN}"),
        format!("images?{TOKEN}&bbox=139.7,35.6,139.8,35.7"),
        format!("images?{TOKEN}&bbox=1,2,1.01,2.01&fields=id,colour"),
        format!("images?{TOKEN}&bbox=1,2,1.01,2.01&limit=2001"),
        format!("images?{TOKEN}&bbox=1,2,1.01,2.01&sequence_ids=abc"),
        format!("1573320226205115?{TOKEN}"),
        format!("1573320226205115?{TOKEN}"),
    ] {
        answers.push(error(&service.get(&format!("/mapillary/{path}")).await));
    }
    insta::assert_json_snapshot!(answers);
    let books = service.books().await.mapillary;
    assert_eq!((books.denied, books.invalid, books.entities, books.over_quota), (2, 5, 1, 1));
}

#[tokio::test]
async fn the_token_may_come_in_a_header() {
    let service = Service::start().await;
    let url = format!("{}/mapillary/images?bbox={}&limit=1", service.base, bbox());
    let answer = service.send(service.client.get(url).header("Authorization", "OAuth MLY|1|drawn-world")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_thumbnail_is_the_same_jpeg_until_its_link_expires() {
    let service = Service::start_with(|options| options.thumb_lifetime = Duration::from_secs(3_600)).await;
    let image = search(&service, "&fields=thumb_256_url,width,height&is_pano=false&limit=1").await.remove(0);
    let link = image["thumb_256_url"].as_str().expect("a link").strip_prefix(&service.base).expect("on loopback");
    assert!(link.ends_with(&format!("&oe={:X}", START + 3_600)), "{link}");
    let (first, second) = (service.get(link).await, service.get(link).await);
    let side = |name: &str| image[name].as_u64().expect("a number of pixels") as u32;
    assert_eq!(first.jpeg_size(), (256, (256 * side("height")).div_ceil(side("width"))));
    assert!(first.body == second.body, "other bytes for the same link");

    for forged in [link.replace("256.jpg", "2048.jpg"), link.replace("&oe=", "&oe=1"), link.replace("oh=", "oh=0")] {
        assert_eq!(service.get(&forged).await.status, StatusCode::FORBIDDEN, "{forged}");
    }
    service.wait(Duration::from_secs(3_600));
    let late = service.get(link).await;
    assert_eq!((late.status, late.text().as_str()), (StatusCode::FORBIDDEN, "URL signature expired"));
    let books = service.books().await.mapillary;
    let id = image["id"].as_str().expect("ids are strings");
    assert_eq!((books.thumbs[&format!("{id} width=256")], books.denied), (2, 4));
}

#[tokio::test]
async fn a_360_degree_image_is_a_wide_strip() {
    let service = Service::start().await;
    let strip = search(&service, "&fields=thumb_256_url,camera_type&is_pano=true&limit=1").await.remove(0);
    assert_eq!(strip["camera_type"], "spherical");
    let link = strip["thumb_256_url"].as_str().expect("a link").strip_prefix(&service.base).expect("on loopback");
    assert_eq!(service.get(link).await.jpeg_size(), (256, 128));
}
