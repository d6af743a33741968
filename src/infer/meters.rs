//! What the core measures of itself.

use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::{LocateError, Located};
use crate::domain::Timings;
use crate::metrics::Measured;

/// Photos in a run, upper bounds of the buckets.
const BATCHES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStage {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithOutcome {
    outcome: &'static str,
}

/// The core's families; clones share them.
#[derive(Clone, Debug)]
pub struct Meters {
    inside: Gauge,
    waiting: Gauge,
    batches: Histogram,
    stages: Family<OfStage, Histogram, fn() -> Histogram>,
    answers: Family<WithOutcome, Counter>,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            inside: Gauge::default(),
            waiting: Gauge::default(),
            batches: Histogram::new(BATCHES),
            stages: Family::new_with_constructor(seconds),
            answers: Family::default(),
        }
    }
}

/// From half a millisecond to half a minute.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 17))
}

impl Meters {
    /// A run of so many photos.
    pub(super) fn ran(&self, photos: usize) {
        self.batches.observe(photos as f64);
    }

    /// How many photos are in the core, and how many of them wait for the network.
    pub(super) fn set_load(&self, inside: usize, waiting: usize) {
        self.inside.set(inside as i64);
        self.waiting.set(waiting as i64);
    }

    /// A photo came to its end.
    pub(super) fn answered(&self, answer: &Result<Located, LocateError>) {
        let outcome = match answer {
            Ok(located) => {
                self.took(&located.timings);
                if located.prediction.known { "known" } else { "unknown" }
            }
            Err(error) => error.code(),
        };
        self.answers.get_or_create(&WithOutcome { outcome }).inc();
    }

    fn took(&self, timings: &Timings) {
        let Timings { decode, preprocess, queue, run, .. } = *timings;
        for (stage, took) in [("decode", decode), ("preprocess", preprocess), ("wait", queue), ("run", run)] {
            self.stage(stage, took);
        }
    }

    fn stage(&self, stage: &'static str, took: Duration) {
        self.stages.get_or_create(&OfStage { stage }).observe(took.as_secs_f64());
    }

    /// Waits until an explanation is drawn, and measures how long that takes.
    pub async fn explain<F: Future>(&self, drawing: F) -> F::Output {
        let begin = Instant::now();
        let drawn = drawing.await;
        self.stage("explain", begin.elapsed());
        drawn
    }
}

impl Measured for Meters {
    fn enter(&self, registry: &mut Registry) {
        registry.register("core_photos", "Photos in the core, from admission to the answer", self.inside.clone());
        registry.register("queue_photos", "Photos that wait for the network", self.waiting.clone());
        registry.register("batch_photos", "Photos in one run of the network", self.batches.clone());
        registry.register("stage_seconds", "Time that a photo spends in each stage", self.stages.clone());
        registry.register("answers", "Photos that came to an end, by outcome", self.answers.clone());
    }
}
