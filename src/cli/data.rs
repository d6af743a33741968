//! Options of `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use crate::domain::imagery::Source;

/// What was collected, and what it cost.
#[derive(Debug, Subcommand)]
pub enum Data {
    /// Compare every picture with its row; the exit status is 1 when something is wrong and stays so
    Check {
        /// Set right what is wrong: drop rows without files, move damaged and stray files aside
        #[arg(long)]
        repair: bool,
        /// Let the next run buy again what was paid for and is gone, within the caps
        #[arg(long, requires = "repair")]
        buy_again: bool,
    },
    /// Count the pictures by area, split and month
    Stats(Stats),
    /// Write folders of split and area with a table, for other tools
    Export {
        /// A new folder; on the same disk pictures are linked, not copied
        #[arg(long)]
        out: PathBuf,
    },
    /// Say what was spent and what is in doubt
    Spend {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Count the photos that people gave as test photos, by area; no model is trained on them
    Gifts {
        /// Delete those that were given on this machine, by `predict --keep`
        #[arg(long)]
        withdraw: bool,
    },
    /// Settle what is in doubt by the number of images that the service says it billed
    Reconcile(Reconcile),
}

/// Options of `data stats`.
#[derive(Args, Debug)]
pub struct Stats {
    /// Print JSON, with every town
    #[arg(long)]
    pub json: bool,
    /// Count by town too
    #[arg(long)]
    pub towns: bool,
    /// Write a picture with some photos of each area, JPEG
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
}

/// Options of `data reconcile`.
#[derive(Args, Debug)]
pub struct Reconcile {
    /// Images that the service billed in the period, from its console
    #[arg(long, value_name = "IMAGES")]
    pub billed: u64,
    /// Which service
    #[arg(long, default_value = "streetview")]
    pub source: Source,
    /// The period: a month (2026-11) [default: since the beginning]
    #[arg(long, value_parser = month, conflicts_with_all = ["day", "run"])]
    pub month: Option<Date>,
    /// The period: a day (2026-11-26)
    #[arg(long, value_parser = day, conflicts_with = "run")]
    pub day: Option<Date>,
    /// The period: a run, by its number
    #[arg(long)]
    pub run: Option<i64>,
}

fn month(text: &str) -> Result<Date, String> {
    format!("{text}-01").parse().map_err(|_| format!("`{text}` is no month: write it like 2026-11"))
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("`{text}` is no day: write it like 2026-11-26"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_days_are_read() {
        assert_eq!(month("2026-11"), Ok(jiff::civil::date(2026, 11, 1)));
        assert_eq!(day("2026-11-26"), Ok(jiff::civil::date(2026, 11, 26)));
        for wrong in ["2026", "2026-13", "November"] {
            assert!(month(wrong).is_err() && day(wrong).is_err(), "{wrong}");
        }
    }
}
