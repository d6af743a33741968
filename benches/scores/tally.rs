//! Times of single calls: criterion averages over many, and a median of averages hides the slow ones.

use std::fmt;
use std::time::{Duration, Instant};

use criterion::Criterion;
use tokio::runtime::Runtime;

/// What a leaderboard or a score may take, by the middle one of many.
const ALLOWED: Duration = Duration::from_millis(2);

/// Times by name.
#[derive(Default)]
pub(crate) struct Tally {
    rows: Vec<(String, Vec<Duration>)>,
}

impl Tally {
    /// Has criterion measure a query, and keeps the time of each call.
    pub(crate) fn measure(&mut self, criterion: &mut Criterion, runtime: &Runtime, name: &str, query: impl AsyncFn()) {
        let mut times = Vec::new();
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let calls = (0..count).map(|_| {
                    let began = Instant::now();
                    runtime.block_on(query());
                    began.elapsed()
                });
                let calls: Vec<Duration> = calls.collect();
                times.extend_from_slice(&calls);
                calls.iter().sum()
            });
        });
        if !times.is_empty() {
            self.rows.push((name.to_owned(), times));
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {:>10} {:>10}", "single calls", "median", "99 %")?;
        for (name, times) in &self.rows {
            let (median, slow) = (quantile(times, 0.5), quantile(times, 0.99));
            let verdict = if median > ALLOWED { "  above 2 ms" } else { "" };
            writeln!(f, "{name:<28} {:>10} {:>10}{verdict}", millis(median), millis(slow))?;
        }
        Ok(())
    }
}

/// The time that this share of the calls stayed within; there must be one.
pub(crate) fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// A time for people.
pub(crate) fn millis(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1_000.0)
}
