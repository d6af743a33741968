//! The drawn world's stand-ins over real HTTP on loopback.

mod geolonia;
mod mapillary;
mod spec;
mod streetview;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use kokodoko::world::World;
use kokodoko::world::serve::{Ledger, Options, router};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;

pub static WORLD: LazyLock<Arc<World>> = LazyLock::new(|| Arc::new(World::load()));

/// Seconds since 1970 at which every test starts.
pub const START: u64 = 1_750_000_000;

/// Stand-ins on a port of their own, with a clock that the test turns.
pub struct Service {
    pub base: String,
    now: Arc<AtomicU64>,
    client: Client,
}

/// An answer, read to its end.
pub struct Answer {
    status: StatusCode,
    content_type: String,
    pub body: Vec<u8>,
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let base = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let now = Arc::new(AtomicU64::new(START));
        let mut options = Options::new(&base);
        let clock = now.clone();
        options.clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)));
        change(&mut options);
        tokio::spawn(async move { axum::serve(listener, router(WORLD.clone(), options)).await });
        let client = Client::builder().no_proxy().build().expect("a client without options is valid");
        Self { base, now, client }
    }

    pub fn wait(&self, time: Duration) {
        self.now.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the stand-in answers");
        let content_type =
            response.headers().get("content-type").map(|value| value.to_str().expect("plain text").to_owned());
        Answer {
            status: response.status(),
            content_type: content_type.unwrap_or_default(),
            body: response.bytes().await.expect("the stand-in finishes its answer").to_vec(),
        }
    }

    pub async fn books(&self) -> Ledger {
        serde_json::from_slice(&self.get("/_books").await.body).expect("the books are a ledger")
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Width and height of the JPEG that this must be.
    fn jpeg_size(&self) -> (u32, u32) {
        let image = self.jpeg();
        (image.width(), image.height())
    }

    fn jpeg(&self) -> image::RgbImage {
        assert_eq!((self.status, self.content_type.as_str()), (StatusCode::OK, "image/jpeg"), "{}", self.text());
        image::load_from_memory_with_format(&self.body, image::ImageFormat::Jpeg).expect("a whole JPEG").to_rgb8()
    }
}

#[tokio::test]
async fn unknown_paths_are_refused_and_counted() {
    let service = Service::start().await;
    for path in ["/", "/maps/api/staticmap?size=1x1", "/geolonia/v1/ja.json", "/images"] {
        assert_eq!(service.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(service.books().await.unknown_requests, 4);
}
