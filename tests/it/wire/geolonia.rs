//! Geolonia, versions 1 and 2.

use reqwest::StatusCode;
use serde_json::Value;

use super::{Service, WORLD};

#[tokio::test]
async fn version_1_lists_prefectures_and_towns() {
    let service = Service::start().await;
    let all = service.get("/geolonia/v1/api/ja.json").await;
    assert!(all.content_type.starts_with("application/json"));
    let embedded: Value = serde_json::from_str(include_str!("../../../src/world/data/ja.json")).expect("it is JSON");
    assert_eq!(all.json(), embedded);
    let towns = service.get("/geolonia/v1/api/ja/東京都/港区.json").await.json();
    assert_eq!(towns.as_array().map(Vec::len), Some(117));
    insta::assert_json_snapshot!(towns[0]);
    let koto = service.get("/geolonia/v1/api/ja/東京都/江東区.json").await.json();
    let unplaced =
        koto.as_array().expect("a list").iter().filter(|town| town["lat"].is_null() && town["lng"].is_null());
    assert_eq!(unplaced.count(), 3);
}

#[tokio::test]
async fn version_2_wraps_splits_and_turns_the_point() {
    let service = Service::start().await;
    let minato = service.get("/geolonia/v2/api/ja/東京都/港区.json").await.json();
    assert_eq!(minato["data"].as_array().map(Vec::len), Some(117));
    let asahikawa = service.get("/geolonia/v2/api/ja/北海道/旭川市.json").await.json();
    let find =
        |list: &Value, test: fn(&Value) -> bool| list["data"].as_array()?.iter().find(|town| test(town)).cloned();
    let samples = [
        find(&minato, |town| town["chome"] == "一丁目"),
        find(&minato, |town| town["chome"].is_null()),
        find(&asahikawa, |town| !town["koaza"].is_null()),
        find(&asahikawa, |town| town["point"].is_null()),
    ];
    insta::assert_json_snapshot!(samples);
}

#[tokio::test]
async fn every_area_has_its_towns_in_both_versions() {
    let service = Service::start().await;
    let listed = service.get("/geolonia/v2/api/ja.json").await.json();
    for area in WORLD.areas() {
        let mut prefectures = listed["data"].as_array().expect("a list").iter();
        let prefecture = prefectures.find(|entry| entry["pref"] == area.prefecture.as_str()).expect("it is listed");
        let mut cities = prefecture["cities"].as_array().expect("a list").iter();
        assert!(cities.any(|city| city["city"] == area.municipality.as_str()), "{}", area.area);
        for version in ["v1", "v2"] {
            let path = format!("/geolonia/{version}/api/ja/{}/{}.json", area.prefecture, area.municipality);
            assert_eq!(service.get(&path).await.status, StatusCode::OK, "{path}");
        }
    }
    assert_eq!(service.books().await.geolonia.lists, 15);
}

#[tokio::test]
async fn lists_that_do_not_exist_are_404() {
    let service = Service::start().await;
    for path in ["v1/api/ja/東京都/目黒区.json", "v2/api/ja/東京都/港区", "v2/api/ja/神奈川県/港区.json"]
    {
        assert_eq!(service.get(&format!("/geolonia/{path}")).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(service.books().await.geolonia.not_found, 3);
}
