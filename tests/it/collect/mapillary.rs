//! The Mapillary client against the stand-in.

use std::collections::HashSet;
use std::time::Duration;

use kokodoko::collect::trouble::NoPicture;
use kokodoko::domain::imagery::Source;
use kokodoko::domain::spend::Settlement;
use serde_json::json;

use super::{mapillary, options, patient};
use crate::fake::flaky::{Flaky, Reply};
use crate::support::JumpingClock;
use crate::wire::{Service, WORLD};

const TOKEN: &str = "MLY|1|drawn-world";

/// A place in 渋谷区 with images around it.
fn place() -> kokodoko::domain::Coordinate {
    let outdoor = WORLD.panoramas(3).iter().skip(400).find(|panorama| !panorama.indoor);
    outdoor.expect("渋谷区 has outdoor panoramas").position
}

#[tokio::test]
async fn images_around_a_place_are_offered_nearest_first_one_of_each_drive() {
    let service = Service::start().await;
    let client = mapillary(&service.base, patient(), JumpingClock::start(), TOKEN);
    let offers = client.near(place(), 150).await.expect("answered");
    assert!(offers.len() > 1, "{} offers", offers.len());
    let drives: HashSet<_> = offers.iter().map(|offer| offer.drive.clone().expect("all are in a drive")).collect();
    assert_eq!(drives.len(), offers.len(), "one image of each drive");
    let metres: Vec<f64> = offers.iter().map(|offer| offer.sighting.position.distance_m(place())).collect();
    assert!(metres.is_sorted() && metres.iter().all(|metres| *metres <= 150.0), "{metres:?}");
    for offer in &offers {
        let sighting = &offer.sighting;
        assert_eq!((sighting.source, sighting.licence.as_str()), (Source::Mapillary, "CC-BY-SA-4.0"));
        assert_eq!(sighting.link, Some(format!("https://www.mapillary.com/app/?pkey={}", sighting.id)));
        assert!(sighting.attribution.starts_with("Mapillary / drawn_") && sighting.heading.is_some(), "{sighting:?}");
        assert_eq!(sighting.captured.as_ref().map(String::len), Some(10), "{sighting:?}");
    }
    client.took(&offers[0]);
    let again = client.near(place(), 150).await.expect("answered");
    assert_eq!(again.last().expect("the same").drive, offers[0].drive, "its drive comes last now");
    let sea = kokodoko::domain::Coordinate { lat: 35.0, lng: 140.5 };
    assert_eq!(client.near(sea, 150).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_picture_comes_from_its_link_and_expired_links_are_asked_for_anew() {
    let service = Service::start_with(|options| options.thumb_lifetime = Duration::from_secs(3_600)).await;
    let client = mapillary(&service.base, patient(), JumpingClock::start(), TOKEN);
    let offer = client.near(place(), 50).await.expect("answered").remove(0);
    let (id, link) = (offer.sighting.id.as_str(), offer.file.as_deref());
    let first = client.picture(id, link).await;
    let picture = first.picture.expect("a picture");
    assert_eq!((first.bill, picture.width), (Settlement::Free, 1_024));
    assert_eq!(service.books().await.mapillary.entities, 0);

    service.wait(Duration::from_secs(3_600));
    let late = client.picture(id, link).await.picture.expect("a picture");
    assert!(late == picture, "other bytes for the same image");
    let unknown = client.picture(id, None).await.picture.expect("a picture");
    assert!(unknown == picture, "other bytes for the same image");
    assert_eq!(client.picture("7", None).await.picture, Err(NoPicture::Gone));
    let books = service.books().await.mapillary;
    assert_eq!((books.denied, books.entities, books.thumbs[&format!("{id} width=1024")]), (1, 3, 3));
}

#[tokio::test]
async fn a_refused_token_and_a_used_up_rate_stop_the_run() {
    let service = Service::start_with(|options| options.mapillary_quota = Some(0)).await;
    let mut told = Vec::new();
    for token in ["MLY|1|guessed", TOKEN] {
        let client = mapillary(&service.base, patient(), JumpingClock::start(), token);
        told.push(client.near(place(), 50).await.expect_err("refused").to_string());
        told.push(client.picture("7", None).await.picture.expect_err("refused").to_string());
    }
    let wrong = r#"{"error":{"message":"Tried accessing nonexisting field (id)","type":"MLYApiException","code":100}}"#;
    let changed = Flaky::start("", [Reply::json(400, wrong)]).await;
    let client = mapillary(&changed.base, options(), JumpingClock::start(), TOKEN);
    told.push(client.near(place(), 50).await.expect_err("refused").to_string());
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn the_token_is_sent_in_a_header_to_the_graph_only() {
    let service = Service::start().await;
    let server = Flaky::start(&service.base, []).await;
    let client = mapillary(&server.base, patient(), JumpingClock::start(), TOKEN);
    let offer = client.near(place(), 50).await.expect("answered").remove(0);
    // The stand-in's link leads past the server in between.
    let link = offer.file.expect("a link").replace(&service.base, &server.base);
    client.picture(&offer.sighting.id, Some(&link)).await.picture.expect("a picture");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].contains(&format!("authorization: OAuth {TOKEN}")), "{}", requests[0]);
    assert!(requests.iter().all(|head| !head.contains("access_token")) && !requests[1].contains(TOKEN), "{requests:?}");
}

#[tokio::test]
async fn full_boxes_and_those_that_are_too_much_are_quartered() {
    let at = place();
    let image =
        |id: usize| json!({ "id": id.to_string(), "geometry": { "type": "Point", "coordinates": [at.lng, at.lat] } });
    let page = |ids: std::ops::Range<usize>| {
        Reply::json(200, &json!({ "data": ids.map(image).collect::<Vec<_>>() }).to_string())
    };
    let less = "Please reduce the amount of data you're asking for, then retry your request";
    let too_much = Reply::json(500, &json!({ "error": { "message": less, "code": 1 } }).to_string());
    let rest = [page(1..3), page(3..4), page(0..0), too_much, page(4..5), page(5..6), page(6..8), page(0..0)];
    let server = Flaky::start("", [page(0..2_000)].into_iter().chain(rest)).await;
    let clock = JumpingClock::start();
    let client = mapillary(&server.base, patient(), clock.clone(), TOKEN);
    let offers = client.near(at, 100).await.expect("answered");
    let ids: Vec<&str> = offers.iter().map(|offer| offer.sighting.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!((server.requests().len(), clock.waits().len()), (9, 0));
}
