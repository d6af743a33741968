//! Counters, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use dashmap::DashMap;

use super::Shared;
use super::problem::Code;
use crate::domain::ModelIdentity;

/// Since the start. Every label comes from a fixed set, so that the maps stay small.
pub(super) struct Metrics {
    started: Instant,
    /// By route and status.
    requests: DashMap<(String, u16), u64>,
    /// By outcome: known, unknown, or the code of the error.
    photos: DashMap<&'static str, u64>,
    /// By code.
    problems: DashMap<&'static str, u64>,
    in_flight: AtomicU64,
}

impl Metrics {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            requests: DashMap::new(),
            photos: DashMap::new(),
            problems: DashMap::new(),
            in_flight: AtomicU64::new(0),
        }
    }

    /// How long the site has been up.
    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// A photo came to its outcome.
    pub(super) fn photo(&self, outcome: &'static str) {
        *self.photos.entry(outcome).or_default() += 1;
    }

    /// Everything, in the text format 0.0.4, in a fixed order.
    pub(super) fn render(&self, model: &ModelIdentity) -> String {
        let mut out = String::new();
        family(&mut out, "kokodoko_uptime_seconds", "gauge", "Time since the start.");
        line(&mut out, "kokodoko_uptime_seconds", &[], &format!("{:.3}", self.uptime().as_secs_f64()));
        family(&mut out, "kokodoko_model_info", "gauge", "The model that answers; always 1.");
        let labels = [("name", &*model.name), ("version", &*model.version), ("backend", &*model.backend)];
        line(&mut out, "kokodoko_model_info", &labels, "1");
        family(&mut out, "kokodoko_http_requests_in_flight", "gauge", "Requests being answered, this one included.");
        line(&mut out, "kokodoko_http_requests_in_flight", &[], &self.in_flight.load(Ordering::Relaxed).to_string());
        family(&mut out, "kokodoko_http_requests_total", "counter", "Requests answered, by route and status.");
        for ((route, status), count) in sorted(&self.requests) {
            let labels = [("route", &*route), ("status", &*status.to_string())];
            line(&mut out, "kokodoko_http_requests_total", &labels, &count.to_string());
        }
        let by_name = [
            ("kokodoko_photos_total", "outcome", "Photos sent to the API, by outcome.", &self.photos),
            ("kokodoko_problems_total", "code", "Requests answered with a problem, by code.", &self.problems),
        ];
        for (name, label, help, counts) in by_name {
            family(&mut out, name, "counter", help);
            for (value, count) in sorted(counts) {
                line(&mut out, name, &[(label, value)], &count.to_string());
            }
        }
        out
    }
}

/// Counts every request.
pub(super) async fn count(State(site): Shared, request: Request, next: Next) -> Response {
    let metrics = &site.metrics;
    // Unmatched paths share one name: they are the callers' to choose.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let running = Running::begin(&metrics.in_flight);
    let response = next.run(request).await;
    drop(running);
    *metrics.requests.entry((route, response.status().as_u16())).or_default() += 1;
    if let Some(Code(code)) = response.extensions().get() {
        *metrics.problems.entry(code).or_default() += 1;
    }
    response
}

/// Counts down when dropped: also when the client hangs up.
struct Running<'a>(&'a AtomicU64);

impl<'a> Running<'a> {
    fn begin(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn sorted<K: Clone + Ord + std::hash::Hash>(counts: &DashMap<K, u64>) -> BTreeMap<K, u64> {
    counts.iter().map(|entry| (entry.key().clone(), *entry.value())).collect()
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(out, "{name}{labels} {value}");
}

/// A label's value, with what would end it escaped.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out() {
        let mut out = String::new();
        line(&mut out, "m", &[("name", "a\"b\\c\nd")], "1");
        assert_eq!(out, "m{name=\"a\\\"b\\\\c\\nd\"} 1\n");
    }

    #[test]
    fn a_request_that_is_dropped_no_longer_runs() {
        let count = AtomicU64::new(0);
        let running = Running::begin(&count);
        assert_eq!(count.load(Ordering::Relaxed), 1);
        drop(running);
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }
}
