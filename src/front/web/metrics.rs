//! What the page counts, and what it reads when somebody asks for `/metrics`.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::problem::Code;
use super::{Shared, Site};
use crate::domain::ModelIdentity;
use crate::domain::imagery::Source;
use crate::domain::job::JobKind;
use crate::domain::spend::Period;
use crate::metrics::{Measured, Metrics};
use crate::store::{Store, StoreError};

/// A millionth of the currency's unit, in which the ledger keeps money.
const MICROS: f64 = 1e6;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithOutcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithCode {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    name: String,
    version: String,
    backend: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Money {
    source: &'static str,
    period: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

/// The page's families. Every label comes from a fixed set, so that they stay small.
pub(super) struct Meters {
    started: Instant,
    uptime: Gauge<f64, AtomicU64>,
    model: Family<Model, Gauge>,
    in_flight: Gauge,
    requests: Family<Answered, Counter>,
    photos: Family<WithOutcome, Counter>,
    problems: Family<WithCode, Counter>,
    spent: Family<Money, Gauge<f64, AtomicU64>>,
    jobs: Family<OfKind, Gauge>,
}

impl Meters {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            uptime: Gauge::default(),
            model: Family::default(),
            in_flight: Gauge::default(),
            requests: Family::default(),
            photos: Family::default(),
            problems: Family::default(),
            spent: Family::default(),
            jobs: Family::default(),
        }
    }

    /// How long the site has been up.
    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// A photo came to its outcome.
    pub(super) fn photo(&self, outcome: &'static str) {
        self.photos.get_or_create(&WithOutcome { outcome }).inc();
    }

    fn show_model(&self, model: &ModelIdentity) {
        let ModelIdentity { name, version, backend } = model.clone();
        self.model.clear();
        self.model.get_or_create(&Model { name, version, backend }).set(1);
    }

    /// Reads what the ledger and the queue of jobs hold at `now`: they are shared with other programs.
    async fn read(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let today = TimeZone::UTC.to_datetime(now).date();
        for (period, of) in [("day", Period::Day(today)), ("month", Period::Month(today)), ("all", Period::All)] {
            for source in Source::ALL {
                let spent = store.spent(of, Some(source)).await?;
                for (state, micros) in [("billed", spent.billed), ("in_doubt", spent.in_doubt)] {
                    let money = Money { source: source.name(), period, state };
                    self.spent.get_or_create(&money).set(micros.0 as f64 / MICROS);
                }
            }
        }
        for kind in JobKind::ALL {
            let open = store.open_jobs(kind).await?.len();
            self.jobs.get_or_create(&OfKind { kind: kind.name() }).set(open as i64);
        }
        Ok(())
    }
}

impl Measured for Meters {
    fn enter(&self, registry: &mut Registry) {
        registry.register("uptime_seconds", "Time since the start", self.uptime.clone());
        registry.register("model_info", "The model that answers; always 1", self.model.clone());
        let running = self.in_flight.clone();
        registry.register("http_requests_in_flight", "Requests being answered, this one included", running);
        registry.register("http_requests", "Requests answered, by route and status", self.requests.clone());
        registry.register("photos", "Photos sent to the API, by outcome", self.photos.clone());
        registry.register("problems", "Requests answered with a problem, by code", self.problems.clone());
        let help = "Spent on imagery, by source, in the configured currency: days and months are UTC";
        registry.register("spent", help, self.spent.clone());
        registry.register("jobs", "Jobs that wait or run, by kind", self.jobs.clone());
    }
}

/// Everything that is measured, as of now.
pub(super) async fn render(site: &Site, metrics: &Metrics) -> String {
    let meters = &site.meters;
    meters.uptime.set(meters.uptime().as_millis() as f64 / 1_000.0);
    meters.show_model(&site.core.identity());
    site.core.measure_load();
    if let Some(store) = &site.store
        && let Err(error) = meters.read(store, Timestamp::now()).await
    {
        tracing::warn!(%error, "/metrics shows no spending and no jobs");
    }
    metrics.render()
}

/// Counts every request.
pub(super) async fn count(State(site): Shared, request: Request, next: Next) -> Response {
    let meters = &site.meters;
    // Unmatched paths share one name: they are the callers' to choose.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let running = Running::begin(&meters.in_flight);
    let response = next.run(request).await;
    drop(running);
    meters.requests.get_or_create(&Answered { route, status: response.status().as_u16() }).inc();
    if let Some(Code(code)) = response.extensions().get() {
        meters.problems.get_or_create(&WithCode { code }).inc();
    }
    response
}

/// Counts down when dropped: also when the client hangs up.
struct Running<'a>(&'a Gauge);

impl<'a> Running<'a> {
    fn begin(count: &'a Gauge) -> Self {
        count.inc();
        Self(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out() {
        let meters = Meters::start();
        meters.show_model(&ModelIdentity { name: "a\"b\\c\nd".into(), version: "1".into(), backend: "tract".into() });
        let text = Metrics::default().with(&meters).render();
        let line = "kokodoko_model_info{name=\"a\\\"b\\\\c\\nd\",version=\"1\",backend=\"tract\"} 1";
        assert!(text.lines().any(|found| found == line), "{text}");
    }

    #[test]
    fn a_request_that_is_dropped_no_longer_runs() {
        let count = Gauge::default();
        let running = Running::begin(&count);
        assert_eq!(count.get(), 1);
        drop(running);
        assert_eq!(count.get(), 0);
    }
}
