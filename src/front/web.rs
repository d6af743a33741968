//! The local page, the HTTP API, `/health` and `/metrics`.
//!
//! No photo is stored but those that people give as test photos: each is answered from memory and dropped. The page loads nothing from elsewhere.

mod api;
mod assets;
mod clients;
mod give;
mod guard;
mod health;
mod language;
mod metrics;
mod model;
mod page;
mod play;
mod problem;
mod samples;
mod upload;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::clients::Clients;
use self::language::Language;
use self::metrics::Meters;
use self::problem::Problem;
pub use self::samples::Sample;
use crate::album::Album;
use crate::chat::Insight;
use crate::chat::gift::Giving;
use crate::chat::quiz::Table;
use crate::collect::extents::Extents;
use crate::infer::Core;
use crate::metrics::Metrics;
use crate::store::Store;

/// What the page needs besides the core.
#[derive(Clone, Default)]
pub struct Options {
    /// Host names by which the page may be reached, besides `localhost` and IP addresses: `bot.example`.
    pub allowed_hosts: Vec<String>,
    /// How many times as long as alone (1 or more) a photo may be expected to take before it is refused; `None`: any.
    pub max_slowdown: Option<f64>,
    /// Photos to try; may be empty.
    pub samples: Vec<Sample>,
    /// Where rounds are played, if the quiz is on.
    pub table: Option<Table>,
    /// What is shown of the live model, if anything.
    pub insight: Option<Insight>,
    /// Where look-alikes are found.
    pub album: Album,
    /// Where areas lie, for maps.
    pub extents: Extents,
    /// What else is measured, the core excepted.
    pub metrics: Metrics,
    /// Where `/metrics` reads what is spent and which jobs there are.
    pub store: Option<Store>,
    /// Opens `/metrics` to other machines than this one.
    pub metrics_token: Option<SecretString>,
    /// Who asks for test photos, if people are asked.
    pub giving: Option<Giving>,
}

/// What the handlers share.
struct Site {
    core: Core,
    allowed_hosts: Vec<String>,
    max_slowdown: Option<f64>,
    samples: Vec<Sample>,
    table: Option<Table>,
    insight: Option<Insight>,
    album: Album,
    giving: Option<Giving>,
    extents: Extents,
    /// The page's own.
    meters: Meters,
    metrics: Metrics,
    store: Option<Store>,
    metrics_token: Option<SecretString>,
    clients: Clients,
    pages: page::Pages,
}

type Shared = State<Arc<Site>>;

/// The whole site.
pub fn router(core: Core, options: Options) -> Router {
    let max_body = upload::max_body(core.limits());
    let gifts = give::routes(core.limits());
    let Options {
        allowed_hosts,
        max_slowdown,
        samples,
        table,
        insight,
        album,
        extents,
        giving,
        metrics,
        store,
        metrics_token,
    } = options;
    let (meters, clients) = (Meters::start(), Clients::default());
    let metrics = metrics.with(core.meters()).with(&meters);
    let pages = page::Pages::default();
    let site = Site {
        core,
        allowed_hosts,
        max_slowdown,
        samples,
        table,
        insight,
        album,
        giving,
        extents,
        meters,
        metrics,
        store,
        metrics_token,
        clients,
        pages,
    };
    let site = Arc::new(site);
    Router::new()
        .route("/", get(page::show))
        .route("/quiz", get(page::show_quiz))
        .route("/model", get(page::show_model))
        .route("/api/v1/model/{about}", get(model::show))
        .merge(play::routes())
        .merge(gifts)
        .route("/assets/{name}", get(assets::serve))
        .route("/samples", get(samples::list))
        .route("/samples/{name}", get(samples::serve))
        .route("/api/v1/locate", post(api::locate).layer(DefaultBodyLimit::max(max_body)))
        .route("/health", get(health::health))
        .route("/metrics", get(health::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(site.clone(), guard::check))
        .layer(from_fn(guard::harden))
        .layer(from_fn_with_state(site.clone(), metrics::count))
        .with_state(site)
}

/// Serves the site until `stop` is cancelled; requests that run then are finished first.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn not_found(Language(lang): Language) -> Response {
    Problem::NotFound.response(lang)
}

async fn method_not_allowed(Language(lang): Language) -> Response {
    Problem::Method.response(lang)
}
