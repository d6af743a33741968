//! Rounds on the page, through its API.

use kokodoko::chat::Post;
use kokodoko::front::web::{Options, router, serve};
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Seat, Venue};
use crate::support;

/// A page with the quiz, and one browser.
struct Page {
    base: String,
    seat: Seat,
    served: JoinHandle<std::io::Result<()>>,
}

/// A browser that keeps its cookie.
#[derive(Default)]
struct Browser {
    client: Client,
    cookie: Option<String>,
}

impl Page {
    async fn start(venue: &Venue) -> Self {
        let seat = venue.seat(Post::default()).await;
        let options = Options { table: Some(seat.table.clone()), ..Options::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let served = tokio::spawn(serve(listener, router(support::core(), options), seat.stop.clone()));
        Self { base, seat, served }
    }

    async fn stop(self) {
        self.seat.stop.cancel();
        self.served.await.expect("no panic").expect("a clean end");
        self.seat.leave().await;
    }

    async fn send(&self, browser: &mut Browser, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = browser.client.request(method, format!("{}{path}", self.base)).header(ACCEPT_LANGUAGE, "en");
        if let Some(cookie) = &browser.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = request.send().await.expect("the page answers");
        if let Some(set) = response.headers().get(SET_COOKIE) {
            let set = set.to_str().expect("text");
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
            browser.cookie = set.split(';').next().map(str::to_owned);
        }
        response
    }

    async fn ask(&self, browser: &mut Browser, method: Method, path: &str, body: Option<Value>) -> Value {
        let response = self.send(browser, method, path, body).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.expect("JSON")
    }

    async fn say(&self, browser: &mut Browser, command: &str, words: &str) -> Value {
        let path = format!("/api/v1/quiz/commands/{command}");
        self.ask(browser, Method::POST, &path, Some(json!({"words": words, "name": "Aoi"}))).await
    }

    async fn answer(&self, browser: &mut Browser, number: u8, choice: usize) -> Value {
        let path = format!("/api/v1/quiz/rounds/1/answers/{number}");
        self.ask(browser, Method::PUT, &path, Some(json!({"choice": choice}))).await
    }

    async fn look(&self, browser: &mut Browser) -> Value {
        self.ask(browser, Method::GET, "/api/v1/quiz", None).await
    }
}

#[tokio::test]
async fn a_person_plays_alone_against_the_model() {
    let venue = Venue::open();
    let (page, mut browser) = (Page::start(&venue).await, Browser::default());
    assert_eq!(page.look(&mut browser).await, json!({"name": null, "round": null}));
    assert!(browser.cookie.is_none(), "who only looks is not remembered");

    let begun = page.say(&mut browser, "quiz", "photos=3 seconds=60").await;
    assert_eq!(begun["replies"], json!([]));
    let round = &begun["round"];
    assert_eq!((&round["is_open"], &round["seconds_left"]), (&json!(true), &json!(60.0)));
    assert_eq!(round["results"], Value::Null, "nothing of the truth before the bell");
    assert!(!round.to_string().contains("guess"), "{round}");
    for photo in round["photos"].as_array().expect("photos") {
        let response = page.send(&mut browser, Method::GET, photo["url"].as_str().expect("a link"), None).await;
        assert_eq!(
            (response.status(), &response.headers()[CONTENT_TYPE]),
            (StatusCode::OK, &"image/jpeg".parse().expect("a value"))
        );
        let jpeg = response.bytes().await.expect("bytes");
        assert!(image::load_from_memory(&jpeg).is_ok());
    }
    let truths: Vec<usize> = page.seat.round(1).await.questions.iter().map(|question| question.truth).collect();
    page.answer(&mut browser, 1, (truths[0] + 1) % 3).await;
    venue.clock.pass(5);
    // A change of mind, then the others; the last one rings the bell.
    let said = page.answer(&mut browser, 1, truths[0]).await;
    assert_eq!(said["round"]["photos"][0]["choice"], json!(truths[0]));
    assert!(said["notice"].as_str().is_some_and(|notice| notice.contains("1 of 3 answered")), "{said}");
    page.answer(&mut browser, 2, truths[1]).await;
    page.answer(&mut browser, 3, truths[2]).await;
    venue.clock.pass(1);
    let closed = page.look(&mut browser).await;
    let results = &closed["round"]["results"];
    assert_eq!((&results["mine"]["right"], &results["mine"]["scored"]), (&json!(3), &json!(true)));
    assert_eq!(results["truths"].as_array().map(Vec::len), Some(3));
    assert!(results["mine"]["points"].as_u64().is_some_and(|points| points >= 300), "{results}");
    assert_eq!(closed["name"], json!("Aoi"));
    assert!(results["credits"][0].as_str().is_some_and(|credit| credit.starts_with("Photos: ")), "{results}");

    let late = page.answer(&mut browser, 3, 0).await;
    assert_eq!(late["notice"], json!("The bell has rung: this answer comes too late."));
    let score = page.say(&mut browser, "score", "").await;
    assert!(score["replies"][0]["text"].as_str().is_some_and(|text| text.contains("3 of 3 right")), "{score}");
    let versus = page.say(&mut browser, "versus", "").await;
    assert!(versus["replies"][0]["picture"].as_str().is_some_and(|url| url.starts_with("data:image/png;base64,")));
    let again = page.ask(&mut browser, Method::POST, "/api/v1/quiz/buttons/1n:1", None).await;
    assert_eq!((&again["round"]["id"], &again["round"]["is_open"]), (&json!(2), &json!(true)));
    let running = page.say(&mut browser, "daily", "").await;
    assert!(running["replies"][0]["text"].as_str().is_some_and(|text| text.starts_with("A round is running")));
    let forgotten = page.say(&mut browser, "forget", "").await;
    assert!(forgotten["replies"][0]["text"].as_str().is_some_and(|text| !text.is_empty()));
    let score = page.say(&mut browser, "score", "").await;
    assert!(score["replies"][0]["text"].as_str().is_some_and(|text| text.starts_with("You have no scores yet")));
    page.stop().await;
}

#[tokio::test]
async fn a_round_on_the_page_ends_without_its_player_and_survives_a_restart() {
    let venue = Venue::open();
    let (page, mut browser) = (Page::start(&venue).await, Browser::default());
    page.say(&mut browser, "quiz", "1 15s").await;
    page.stop().await;
    let page = Page::start(&venue).await;
    assert_eq!(page.look(&mut browser).await["round"]["seconds_left"], json!(15.0));
    venue.clock.pass(16);
    let closed = page.look(&mut browser).await;
    assert_eq!(closed["round"]["results"]["mine"], Value::Null);
    assert_eq!(closed["round"]["results"]["verdict"], json!("Nobody answered this time."));
    page.stop().await;
}

#[tokio::test]
async fn rounds_of_others_and_nonsense_are_refused() {
    let venue = Venue::open();
    let page = Page::start(&venue).await;
    let (mut one, mut other) = (Browser::default(), Browser::default());
    page.say(&mut one, "quiz", "1").await;
    page.say(&mut other, "quiz", "1").await;
    let photo = page.send(&mut other, Method::GET, "/api/v1/quiz/rounds/1/photos/1", None).await;
    assert_eq!(photo.status(), StatusCode::NOT_FOUND, "the first round is the first browser's");
    let foreign = page.answer(&mut other, 1, 0).await;
    assert_eq!(foreign["notice"], json!("There is no such round or photo any more."));
    let unknown = page.say(&mut one, "quiz", "7").await;
    assert_eq!(unknown["replies"][0]["text"], json!("A round has 1, 3, 5 or 9 photos."));
    let cases = [
        (Method::POST, "/api/v1/quiz/commands/dance", Some(json!({})), 404),
        (Method::POST, "/api/v1/quiz/commands/where", Some(json!({})), 404),
        (Method::POST, "/api/v1/quiz/commands/score", Some(json!({"word": 1})), 400),
        (Method::PUT, "/api/v1/quiz/rounds/1/answers/1", Some(json!({"choice": -1})), 400),
        (Method::PUT, "/api/v1/quiz/rounds/one/answers/1", Some(json!({"choice": 1})), 404),
        (Method::GET, "/api/v1/quiz/rounds/1/photos/0", None, 404),
        (Method::POST, "/api/v1/quiz/buttons/2x", None, 404),
    ];
    for (method, path, body, status) in cases {
        let response = page.send(&mut one, method, path, body).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json", "{path}");
    }
    page.stop().await;
}
