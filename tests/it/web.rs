//! The site over real sockets.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use kokodoko::domain::Area;
use kokodoko::front::web::{self, Options, Sample};
use kokodoko::infer::decode::Limits;
use kokodoko::infer::{self, Core};
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HOST, ORIGIN};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{self, BLUE, GREEN, RED, jpeg};

/// A running site; it ends with the test.
struct Site {
    base: String,
    client: Client,
    stop: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
}

impl Site {
    async fn start() -> Self {
        Self::around(support::core()).await
    }

    async fn around(core: Core) -> Self {
        Self::with(core, Options::default()).await
    }

    async fn with(core: Core, options: Options) -> Self {
        let sample = Sample { area: Area::new("東京都", "港区", "Minato, Tokyo"), jpeg: jpeg(RED) };
        let options = Options { allowed_hosts: vec!["bot.example".to_owned()], samples: vec![sample], ..options };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let stop = CancellationToken::new();
        let served = tokio::spawn(web::serve(listener, web::router(core, options), stop.clone()));
        Self { base, client: Client::new(), stop, served }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    fn post(&self, query: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(format!("{}/api/v1/locate{query}", self.base)).body(body)
    }

    /// Sends the parts as a browser's form does.
    fn form(&self, query: &str, parts: &[(&str, &[u8])]) -> RequestBuilder {
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let head = format!(
                "--EDGE\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"p.jpg\"\r\n\
                 Content-Type: image/jpeg\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--EDGE--\r\n");
        self.post(query, body).header(CONTENT_TYPE, "multipart/form-data; boundary=EDGE")
    }
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("the site answers")
}

async fn answer(request: RequestBuilder) -> Value {
    let response = send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.expect("JSON")
}

/// A problem's status, code and sentence, once its form is checked.
async fn problem(request: RequestBuilder) -> (u16, String, String) {
    let response = send(request).await;
    let status = response.status();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff", "errors are hardened as well");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["status"], json!(status.as_u16()));
    assert_eq!(body["type"], json!("about:blank"));
    assert_eq!(body["title"], json!(status.canonical_reason()));
    let text = |key: &str| body[key].as_str().expect("a text").to_owned();
    (status.as_u16(), text("code"), text("detail"))
}

/// Without what no two runs have in common.
fn redacted(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = redacted(item.take())),
        Value::Object(members) => {
            for (name, member) in members {
                *member = match name.as_str() {
                    "probability" | "uptime" | "decode" | "preprocess" | "queue" | "run" if member.is_f64() => {
                        json!("[number]")
                    }
                    _ => redacted(member.take()),
                };
            }
        }
        _ => {}
    }
    value
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = vec![0; (width * height) as usize];
    PngEncoder::new(&mut bytes).write_image(&pixels, width, height, ExtendedColorType::L8).expect("memory takes it");
    bytes
}

/// A PNG whose header claims 60,000 x 60,000 pixels, with a checksum that fits.
fn huge_png() -> Vec<u8> {
    let mut bytes = png(1, 1);
    bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let crc = !bytes[12..29].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

#[tokio::test]
async fn a_raw_photo_gets_one_object() {
    let site = Site::start().await;
    let found = answer(site.post("?top=2", jpeg(RED))).await;
    insta::assert_json_snapshot!(redacted(found.clone()));
    let probability = |place: usize| found["areas"][place]["probability"].as_f64().expect("a number");
    assert!(probability(0) > probability(1) && probability(0) <= 1.0);
    assert!(found["ms"].as_object().expect("an object").values().all(|ms| ms.as_f64().is_some_and(|ms| ms >= 0.0)));
}

#[tokio::test]
async fn several_photos_get_an_array_and_a_bad_one_keeps_its_place() {
    let site = Site::start().await;
    let photos = [jpeg(RED), b"no picture".to_vec(), jpeg(BLUE)];
    let [red, bad, blue] = photos.each_ref().map(|photo| ("photo", photo.as_slice()));
    let found = answer(site.form("?top=1&lang=ja", &[red, ("comment", b"hello"), bad, blue])).await;
    insta::assert_json_snapshot!(redacted(found));
    let one = answer(site.form("", &[blue])).await;
    assert_eq!(one["areas"][0]["municipality"], json!("旭川市"), "one photo of a form is an object");
}

#[tokio::test]
async fn a_heatmap_comes_for_the_best_area_or_a_chosen_one() {
    use base64::Engine;
    let site = Site::start().await;
    let (best, by_name, by_number, none) = tokio::join!(
        answer(site.post("?heatmap=true", jpeg(GREEN))),
        answer(site.post("?heatmap=%E5%8C%97%E6%B5%B7%E9%81%93%E6%97%AD%E5%B7%9D%E5%B8%82", jpeg(GREEN))),
        answer(site.post("?heatmap=0", jpeg(GREEN))),
        answer(site.post("?heatmap=false", jpeg(GREEN))),
    );
    assert_eq!(best["heatmap_area"], json!("東京都渋谷区"));
    assert_eq!(by_name["heatmap_area"], json!("北海道旭川市"));
    assert_eq!(by_number["heatmap_area"], json!("東京都港区"));
    let against = answer(site.post("?why_not=0", jpeg(GREEN))).await;
    assert_eq!((&against["heatmap_area"], &against["heatmap_against"]), (&json!("東京都渋谷区"), &json!("東京都港区")));
    let itself = answer(site.post("?why_not=1&heatmap=true", jpeg(GREEN))).await;
    assert_eq!(itself["heatmap_area"], json!("東京都渋谷区"));
    assert!(itself.get("heatmap_against").is_none() && best.get("heatmap_against").is_none());
    assert!(none.get("heatmap").is_none() && none.get("heatmap_area").is_none());
    let address = best["heatmap"].as_str().expect("a data address");
    let encoded = address.strip_prefix("data:image/jpeg;base64,").expect("a JPEG");
    let picture = base64::engine::general_purpose::STANDARD.decode(encoded).expect("base64");
    let picture = image::load_from_memory(&picture).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (160, 120), "it fits over the photo");
}

#[tokio::test]
async fn the_answer_has_a_position_and_a_map_when_it_is_asked_for() {
    use base64::Engine;
    let site = Site::around(support::cells_core()).await;
    let found = answer(site.post("?map=true&lang=ja", jpeg(RED))).await;
    let cell = kokodoko::domain::Geocell::parse(found["areas"][0]["cell"].as_str().expect("a token")).expect("a cell");
    let degrees = |name: &str| found["guess"][name].as_f64().expect("degrees");
    let guess = kokodoko::domain::Coordinate::new(degrees("lat"), degrees("lng")).expect("a position");
    assert!(cell.contains(guess) && cell.middle().distance_m(guess) < 20.0, "{guess:?}");
    let encoded = found["map"].as_str().and_then(|at| at.strip_prefix("data:image/png;base64,")).expect("a PNG");
    let picture = base64::engine::general_purpose::STANDARD.decode(encoded).expect("base64");
    assert!(image::load_from_memory(&picture).is_ok_and(|picture| picture.width() == 1_200));
    let plain = answer(Site::start().await.post("", jpeg(RED))).await;
    assert!(plain.get("map").is_none() && plain["areas"][0].get("cell").is_none());
    assert!((35.6..35.7).contains(&plain["guess"]["lat"].as_f64().expect("degrees")), "{}", plain["guess"]);
    assert_eq!(site.post("?map=perhaps", jpeg(RED)).send().await.expect("an answer").status(), 400);
    let page = site.get("/?lang=en").send().await.expect("a page").text().await.expect("words");
    assert!(page.contains("On the map") && page.contains("Where on the map?"));
}

#[tokio::test]
async fn look_alikes_come_when_they_are_asked_for() {
    let site = Site::around(support::core_with_index()).await;
    let (with, without) = tokio::join!(answer(site.post("?similar=true", jpeg(RED))), answer(site.post("", jpeg(RED))));
    assert!(without.get("similar").is_none());
    assert_eq!(
        (&with["second_opinion"], &with["second_opinion"]["agrees"]),
        (&without["second_opinion"], &json!(false))
    );
    assert_eq!(with["second_opinion"]["area"], "東京都渋谷区");
    let similar = with["similar"].as_array().expect("a list");
    let towns: Vec<&str> = similar.iter().filter_map(|found| found["town"].as_str()).collect();
    assert_eq!(towns, ["神南一丁目", "松濤一丁目", "四条通"]);
    assert!(
        similar.iter().all(|found| found["photo"].as_str().is_some_and(|at| at.starts_with("data:image/jpeg;base64,")))
    );
    assert_eq!(similar[0]["licence"], "CC0-1.0");
    assert!(
        similar[2]["distance_km"].as_f64().is_some_and(|km| (880.0..950.0).contains(&km)),
        "{}",
        similar[2]["distance_km"]
    );
    assert_eq!(site.post("?similar=maybe", jpeg(RED)).send().await.expect("an answer").status(), 400);
    let none = answer(Site::start().await.post("?similar=true", jpeg(RED))).await;
    assert!(none.get("similar").is_none() && none.get("second_opinion").is_none(), "that model has no index");
}

#[tokio::test]
async fn every_bad_photo_hears_why_in_its_language() {
    let site = Site::start().await;
    let whole = jpeg(RED);
    let cases: [(&str, Vec<u8>); 8] = [
        ("empty", Vec::new()),
        ("words", b"no picture at all".to_vec()),
        ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        ("video", b"\0\0\0\x18ftypisom\0\0\0\0isomiso2".to_vec()),
        ("truncated jpeg", whole[..whole.len() / 2].to_vec()),
        ("truncated png", png(40, 40)[..60].to_vec()),
        ("huge", huge_png()),
        ("too large", vec![0xff; (20 << 20) + 1]),
    ];
    let mut lines = Vec::new();
    for (name, bytes) in cases {
        for lang in ["ja-JP,ja;q=0.9", "en-GB"] {
            let (status, code, detail) = problem(site.post("", bytes.clone()).header(ACCEPT_LANGUAGE, lang)).await;
            lines.push(format!("{name}: {status} {code}: {detail}"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn every_bad_request_hears_why_in_its_language() {
    let site = Site::start().await;
    let photo = jpeg(RED);
    let many = vec![("photo", photo.as_slice()); 11];
    let cut = || site.post("", "--EDGE\r\nContent-Disp").header(CONTENT_TYPE, "multipart/form-data; boundary=EDGE");
    let mut lines = Vec::new();
    for lang in ["ja", "en"] {
        let cases = [
            ("no such parameter", site.post("?tops=1", photo.clone())),
            ("top of nothing", site.post("?top=0", photo.clone())),
            ("top of words", site.post("?top=all", photo.clone())),
            ("unknown area", site.post("?heatmap=Atlantis", photo.clone())),
            ("another unknown area", site.post("?why_not=Atlantis", photo.clone())),
            ("form without a photo", site.form("", &[("file", &photo)])),
            ("form without a boundary", site.post("", photo.clone()).header(CONTENT_TYPE, "multipart/form-data")),
            ("form that is cut off", cut()),
            ("eleven photos", site.form("", &many)),
            ("nothing there", site.get("/api/v2/locate")),
            ("no such sample", site.get("/samples/1.jpg")),
            ("no such asset", site.get("/assets/..%2f..%2fCargo.toml")),
            ("wrong method", site.get("/api/v1/locate")),
            ("foreign host", site.get("/").header(HOST, "rebound.example:8080")),
            ("foreign page", site.post("", photo.clone()).header(ORIGIN, "http://evil.example")),
        ];
        for (name, request) in cases {
            let (status, code, detail) = problem(request.header(ACCEPT_LANGUAGE, lang)).await;
            lines.push(format!("{name}: {status} {code}: {detail}"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_full_core_says_when_to_come_back() {
    let options = infer::Options { max_in_flight: 1, decoders: 1, ..infer::Options::default() };
    let (core, mut gate) = support::gated_core(&options);
    let site = Site::around(core).await;
    let waiting = tokio::spawn(site.post("", jpeg(RED)).send());
    gate.entered().await;
    let response = send(site.post("?lang=en", jpeg(BLUE))).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let wait: u64 = response.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&wait));
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["code"], json!("busy"));
    gate.open();
    let first = waiting.await.expect("no panic").expect("an answer");
    assert_eq!(first.status(), StatusCode::OK, "who came first is answered");
}

#[tokio::test]
async fn who_would_wait_too_long_is_refused_and_who_was_let_in_is_not() {
    let (core, mut gate) = support::gated_core(&infer::Options::default());
    let site = Site::with(core.clone(), Options { max_slowdown: Some(1.0), ..Options::default() }).await;
    gate.open();
    answer(site.post("", jpeg(RED))).await;
    gate.entered().await;

    let two = site.form("", &[("photo", &jpeg(RED)), ("photo", &jpeg(GREEN))]);
    let two = tokio::spawn(two.send());
    gate.entered().await;
    let chat = tokio::spawn(async move { core.locate(jpeg(BLUE)).await });
    for refused in [site.post("", jpeg(BLUE)), site.form("", &[("photo", &jpeg(RED)), ("photo", &jpeg(GREEN))])] {
        let response = send(refused).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(response.json::<Value>().await.expect("JSON")["code"], json!("busy"));
    }
    (0..3).for_each(|_| gate.open());
    let both: Value = two.await.expect("no panic").expect("an answer").json().await.expect("JSON");
    assert!(both.as_array().is_some_and(|both| both.len() == 2 && both.iter().all(|one| one["known"] == json!(true))));
    assert!(chat.await.expect("no panic").is_ok(), "chats wait");
}

#[tokio::test]
async fn a_smaller_limit_holds_for_forms_as_well() {
    let limits = Limits { max_bytes: 1_000, ..Limits::default() };
    let site = Site::around(support::core_with(&infer::Options { limits, ..infer::Options::default() })).await;
    let large = vec![0_u8; 1_001];
    let (status, code, _) = problem(site.form("", &[("photo", &large)])).await;
    assert_eq!((status, code.as_str()), (413, "too-many-bytes"));
    let small = jpeg(RED);
    assert!(small.len() > 1_000, "the test photo is beyond the limit too");
    let parts = vec![("photo", large.as_slice()); 60];
    let (status, code, _) = problem(site.form("", &parts)).await;
    assert_eq!((status, code.as_str()), (413, "body-too-large"), "the whole body is bounded");
}

#[tokio::test]
async fn the_page_is_served_in_both_languages_and_loads_nothing_from_elsewhere() {
    let site = Site::start().await;
    for (request, lang, words) in [
        (site.get("/").header(ACCEPT_LANGUAGE, "ja"), "ja", "写真を選ぶ"),
        (site.get("/").header(ACCEPT_LANGUAGE, "fr"), "en", "Choose a photo"),
        (site.get("/?lang=ja").header(ACCEPT_LANGUAGE, "en"), "ja", "本物の街並みは一度も見たことがありません"),
    ] {
        let response = send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-language"], lang);
        let policy = response.headers()["content-security-policy"].to_str().expect("text").to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        let page = response.text().await.expect("text");
        assert!(page.contains(&format!("<html lang=\"{lang}\">")) && page.contains(words));
        assert!(!page.contains("{{"), "every message is filled in");
    }
}

#[tokio::test]
async fn the_pages_data_holds_both_languages_and_the_models_areas() {
    let site = Site::start().await;
    let page = send(site.get("/")).await.text().await.expect("text");
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("a block");
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data["areas"][2], json!({ "area": "北海道旭川市", "name_en": "Asahikawa, Hokkaido" }));
    assert_eq!(data["samples"], json!([{ "url": "/samples/0.jpg", "area": "東京都港区" }]));
    let keys = |lang: &str| data["words"][lang].as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys("ja"), keys("en"));
    assert_eq!(data["words"]["en"]["answer-known"], json!("I think this is {area} ({percent})."));
}

#[tokio::test]
async fn assets_and_samples_have_their_types() {
    let site = Site::start().await;
    for (path, kind) in [
        ("/assets/page.css", "text/css; charset=utf-8"),
        ("/assets/page.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
        ("/samples/0.jpg", "image/jpeg"),
    ] {
        let response = send(site.get(path)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], kind);
    }
    let sample = send(site.get("/samples/0.jpg")).await.bytes().await.expect("bytes");
    assert_eq!(sample, jpeg(RED));
    assert_eq!(answer(site.get("/samples")).await, json!([{ "url": "/samples/0.jpg", "area": "東京都港区" }]));
}

#[tokio::test]
async fn own_names_are_answered_and_browsers_of_the_own_page_too() {
    let site = Site::start().await;
    let port = site.base.rsplit(':').next().expect("a port").to_owned();
    for host in [format!("localhost:{port}"), format!("[::1]:{port}"), "bot.example".to_owned()] {
        assert_eq!(send(site.get("/health").header(HOST, &host)).await.status(), StatusCode::OK, "{host}");
    }
    answer(site.post("", jpeg(RED)).header(ORIGIN, &site.base)).await;
}

#[tokio::test]
async fn health_says_which_model_answers() {
    let site = Site::start().await;
    let health = answer(site.get("/health")).await;
    insta::assert_json_snapshot!(redacted(health));
}

#[tokio::test]
async fn metrics_count_photos_requests_and_problems() {
    let site = Site::start().await;
    answer(site.post("", jpeg(RED))).await;
    answer(site.post("", jpeg([90; 3]))).await;
    problem(site.post("", "words")).await;
    problem(site.get("/nowhere")).await;
    let response = send(site.get("/metrics")).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.expect("text");
    // How long anything took is another test's business, and the order within a family is nobody's.
    let timed = ["kokodoko_uptime_seconds ", "kokodoko_stage_seconds_", "kokodoko_batch_photos_"];
    let mut text: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !timed.iter().any(|name| line.starts_with(name)))
        .collect();
    text.sort_unstable();
    insta::assert_snapshot!(text.join("\n"));
}

#[tokio::test]
async fn stopping_ends_the_site() {
    let site = Site::start().await;
    answer(site.get("/health")).await;
    site.stop.cancel();
    site.served.await.expect("no panic").expect("no failure");
    assert!(site.client.get(&site.base).send().await.is_err(), "nobody listens any more");
}
