//! The drawn world's wire stand-ins: Street View Static, Geolonia and Mapillary on loopback.
//!
//! A collector that works here works against the real services after a change of base URL and key. Paths, parameters,
//! statuses and fields are theirs; the pictures are [`render`](super::render)'s.
//!
//! | Service             | Base URL here                  | Base URL there                                     |
//! |---------------------|--------------------------------|----------------------------------------------------|
//! | Street View Static  | `http://HOST`                  | `https://maps.googleapis.com`                      |
//! | Geolonia v1         | `http://HOST/geolonia/v1`      | `https://geolonia.github.io/japanese-addresses`    |
//! | Geolonia v2         | `http://HOST/geolonia/v2`      | `https://japanese-addresses-v2.geoloniamaps.com`   |
//! | Mapillary Graph v4  | `http://HOST/mapillary`        | `https://graph.mapillary.com`                      |
//!
//! `GET /_books` is no service's: it says what was sold to whom, so that a test can compare a collector's ledger with
//! the seller's. Anything else is a 404 that the books count too, so that a wrong path never passes unseen.
//!
//! # What is the same
//!
//! Keys and signatures are checked, locations snap to the nearest panorama within the radius, some panoramas are
//! indoors, some towns have no coverage, some Mapillary images lack a computed position, a few are 360° strips, links
//! to thumbnails expire, boxes and result counts have their limits. The same request gives the same bytes.
//!
//! # What is deliberately different
//!
//! * **Street View.** No geocoder: an address is always `NOT_FOUND`. A value outside its documented range is
//!   `INVALID_REQUEST`, where Google silently bends some of them. `pano` wins over `location`; with `pano` alone and no
//!   `heading` the camera looks north. `fov` under 10 is drawn as 10. Grey tiles count as billed, since they are
//!   answered with 200 and Google does not promise otherwise; 404 and 4xx do not. A picture is billed when it has been
//!   drawn, whether or not the caller still listens. Quota ends in 429. `UNKNOWN_ERROR` never comes: nothing fails yet.
//!   The copyright names the drawn world.
//! * **Geolonia.** v2 lists only the seven areas, whose codes and points are known; v1 lists every municipality, but
//!   only those seven have a list of towns. `machiaza_id` is made up (unique and stable). `rsdt` and `csv_ranges`
//!   are left out.
//! * **Mapillary.** `/images` serves `bbox`, `fields`, `limit` and `is_pano`; other documented filters are refused with
//!   code 100 rather than ignored. Compass angles are the truth. Nothing is taken indoors. 360° images are strips of
//!   four square-angled views, not equirectangular projections. Vector tiles, sequences and detections are missing.

mod books;
mod drawing;
mod geolonia;
mod mapillary;
mod query;
mod streetview;

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::World;
use crate::domain::SigningSecret;
use books::Books;
use drawing::Studio;

pub use books::{Geolonia as GeoloniaBooks, Ledger, Mapillary as MapillaryBooks, StreetView as StreetViewBooks};

/// Tells the time; a test passes its own.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How the stand-ins answer.
#[derive(Clone)]
pub struct Options {
    /// Where callers reach the router, without a slash at the end; Mapillary's thumbnail links begin with it.
    pub base_url: String,
    /// The only API key that Street View takes.
    pub google_key: String,
    /// When set, Street View takes signed requests only.
    pub google_signing_secret: Option<SigningSecret>,
    /// The only access token that Mapillary takes.
    pub mapillary_token: String,
    /// Street View images that are served before it says that the quota is used up.
    pub image_quota: Option<u64>,
    /// Street View metadata requests that are served before `OVER_QUERY_LIMIT`.
    pub metadata_quota: Option<u64>,
    /// Mapillary searches and entities that are served before error 4.
    pub mapillary_quota: Option<u64>,
    /// How long a link to a thumbnail works.
    pub thumb_lifetime: Duration,
    /// The time by which links expire.
    pub clock: Clock,
}

impl Options {
    /// No signatures, no quota, links of a day, and the keys that [`Options::announcement`] prints.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            google_key: "drawn-world".to_owned(),
            google_signing_secret: None,
            mapillary_token: "MLY|1|drawn-world".to_owned(),
            image_quota: None,
            metadata_quota: None,
            mapillary_quota: None,
            thumb_lifetime: Duration::from_secs(24 * 60 * 60),
            clock: Arc::new(SystemTime::now),
        }
    }

    /// What to tell the person who started it: base URLs and keys. The keys open nothing but this server.
    #[must_use]
    pub fn announcement(&self) -> String {
        let Self { base_url, google_key, mapillary_token, .. } = self;
        format!(
            "Street View  {base_url}  key={google_key}\n\
             Geolonia v1  {base_url}/geolonia/v1\n\
             Geolonia v2  {base_url}/geolonia/v2\n\
             Mapillary    {base_url}/mapillary  access_token={mapillary_token}\n\
             Books        {base_url}/_books"
        )
    }

    fn unix_now(&self) -> u64 {
        (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// Why `kokodoko world serve` did not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The stand-ins hand out pictures for a key that is printed on the screen: they stay on this machine.
    #[error("{0} is not a loopback address; the drawn world answers on 127.0.0.1 or [::1] only")]
    NotLoopback(SocketAddr),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Where it wanted to listen.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Accepting connections failed for good.
    #[error("stopped serving: {0}")]
    Serve(#[source] std::io::Error),
}

/// Listens on a loopback address until `stop` resolves; prints the base URLs first.
///
/// # Errors
/// When the address is not a loopback one or cannot be listened on.
pub async fn run(
    bind: SocketAddr,
    world: Arc<World>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if !bind.ip().is_loopback() {
        return Err(ServeError::NotLoopback(bind));
    }
    let bind_failed = |source| ServeError::Bind { address: bind, source };
    let listener = TcpListener::bind(bind).await.map_err(bind_failed)?;
    let address = listener.local_addr().map_err(bind_failed)?;
    let options = Options::new(format!("http://{address}"));
    println!("{}", options.announcement());
    let served = axum::serve(listener, router(world, options)).with_graceful_shutdown(stop);
    served.await.map_err(ServeError::Serve)
}

/// All stand-ins over one world, with empty books.
pub fn router(world: Arc<World>, options: Options) -> Router {
    let services = Services {
        studio: Studio::new(world.clone()),
        catalogue: mapillary::Catalogue::new(&world),
        addresses: geolonia::Addresses::load(),
        books: Arc::default(),
        world,
        options,
    };
    Router::new()
        .merge(streetview::routes())
        .merge(geolonia::routes())
        .merge(mapillary::routes())
        .route("/_books", get(show_books))
        .fallback(unknown_request)
        .with_state(Arc::new(services))
}

/// What the handlers share.
struct Services {
    world: Arc<World>,
    options: Options,
    books: Arc<Books>,
    studio: Studio,
    catalogue: mapillary::Catalogue,
    addresses: geolonia::Addresses,
}

type Shared = State<Arc<Services>>;

async fn show_books(State(services): Shared) -> Json<Ledger> {
    Json(services.books.read())
}

async fn unknown_request(State(services): Shared) -> (StatusCode, &'static str) {
    services.books.write(|ledger| ledger.unknown_requests += 1);
    (StatusCode::NOT_FOUND, "no stand-in answers this path\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_loopback_is_served() {
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let refused = run(everywhere, Arc::new(World::load()), async {}).await;
        assert!(matches!(refused, Err(ServeError::NotLoopback(address)) if address == everywhere));
    }

    #[test]
    fn the_announcement_names_every_base_url() {
        insta::assert_snapshot!(Options::new("http://127.0.0.1:8600").announcement());
    }
}
