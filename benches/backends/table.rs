//! Rows and how they are shown.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Which backend.
    pub backend: String,
    /// Which network, with the side of its input; empty when nothing was measured.
    pub model: String,
    /// What goes in: `tensors` (ready, in main memory) or JPEG photos of so many pixels.
    pub input: String,
    /// Photos in a run, at most.
    pub batch: usize,
    /// Photos a second; `None`: not measured.
    pub rate: Option<f64>,
    /// Median of a run, milliseconds, for tensors.
    pub run_ms: Option<f64>,
}

impl Row {
    /// A backend that this machine cannot run.
    pub fn not_measured(backend: &str) -> Self {
        Self {
            backend: backend.to_owned(),
            model: String::new(),
            input: String::new(),
            batch: 0,
            rate: None,
            run_ms: None,
        }
    }
}

/// A table; `of session` is the rate over that of ready tensors with the same backend, network and batch.
pub fn render(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<18}{:<14}{:<16}{:>6}{:>12}{:>10}{:>12}",
        "backend", "network", "input", "batch", "photos/s", "run ms", "of session"
    );
    for row in rows {
        let Some(rate) = row.rate else {
            let _ = writeln!(text, "{:<18}not measured", row.backend);
            continue;
        };
        let same = |other: &&Row| {
            other.input == "tensors"
                && (&other.backend, &other.model, other.batch) == (&row.backend, &row.model, row.batch)
        };
        let session = rows.iter().find(same).and_then(|other| other.rate);
        let share = session.filter(|_| row.input != "tensors").map(|session| format!("{:.2}", rate / session));
        let run = row.run_ms.map(|ms| format!("{ms:.2}"));
        let _ = writeln!(
            text,
            "{:<18}{:<14}{:<16}{:>6}{:>12.1}{:>10}{:>12}",
            row.backend,
            row.model,
            row.input,
            row.batch,
            rate,
            run.unwrap_or_default(),
            share.unwrap_or_default()
        );
    }
    text
}
