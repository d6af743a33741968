//! How a run is shown in the terminal.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::collect::run::{AreaProgress, Ended, Progress, Summary};
use crate::domain::imagery::Micros;

/// How often the line of a terminal is drawn anew.
const DRAWN_EVERY: Duration = Duration::from_secs(1);
/// How often a line goes to what is no terminal, such as a log.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Shows progress on standard error until the run ends: one line that is drawn anew, or one line every 10 s where
/// there is no terminal.
pub(super) async fn watch(mut progress: watch::Receiver<Progress>, currency: String) {
    let is_terminal = stderr().is_terminal();
    let mut ticks = interval(if is_terminal { DRAWN_EVERY } else { TOLD_EVERY });
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first comes at once.
    ticks.tick().await;
    loop {
        let ended = pause(&mut ticks, &mut progress).await;
        let line = line(&progress.borrow(), &currency);
        // A terminal that is gone is no reason to stop collecting.
        let _ = if is_terminal { write!(stderr(), "\r\x1b[K{line}") } else { writeln!(stderr(), "{line}") };
        if ended {
            let _ = if is_terminal { writeln!(stderr()) } else { Ok(()) };
            return;
        }
    }
}

/// Waits until it is time for the next line, or the run ends: then true.
async fn pause(ticks: &mut Interval, progress: &mut watch::Receiver<Progress>) -> bool {
    loop {
        tokio::select! {
            _ = ticks.tick() => return false,
            changed = progress.changed() => if changed.is_err() { return true },
        }
    }
}

/// Everything that changes, in one line.
fn line(progress: &Progress, currency: &str) -> String {
    let AreaProgress { points, asked, images, wanted, failed, .. } = progress.total();
    let mut line = if points > 0 { format!("{asked} of {points} points") } else { format!("{asked} photos seen") };
    let _ = write!(line, ", {images} of {wanted} pictures");
    if failed > 0 {
        let _ = write!(line, " ({failed} not to be had)");
    }
    let _ = write!(line, ", {:.1} a second, {} {currency}", progress.rate, Micros(progress.spent_run));
    if progress.in_doubt > 0 {
        let _ = write!(line, " ({} pictures in doubt)", progress.in_doubt);
    }
    if let Some(seconds) = progress.eta_seconds {
        let _ = write!(line, ", {} left", lasting(seconds));
    }
    line
}

/// `45 s`, `12 min`, `3 h 20 min`.
fn lasting(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// What came of the run, area by area.
pub(super) fn summary(summary: &Summary, currency: &str) -> String {
    let mut text = String::new();
    for area in &summary.progress.areas {
        let AreaProgress { area, asked, found, images, new, failed, .. } = area;
        let _ = writeln!(
            text,
            "{area}: {asked} asked, {found} found, {images} pictures ({new} new, {failed} not to be had)"
        );
    }
    let spent = Micros(summary.progress.spent_run);
    let _ = writeln!(text, "run {}: {spent} {currency} spent", summary.run.0);
    if summary.progress.unplaced > 0 {
        let _ = writeln!(text, "{} photos lie in no area of the plan or cannot be read", summary.progress.unplaced);
    }
    text.push_str(match summary.ended {
        Ended::Done => "Everything that the plan can give is there.",
        Ended::Incomplete => "A service was in trouble now and then: start again for the rest.",
        Ended::Stopped => "Stopped; the next start goes on here.",
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::spend::RunId;

    fn progress() -> Progress {
        let area = |area: &str, asked| AreaProgress {
            area: area.to_owned(),
            points: 40,
            asked,
            found: asked / 2,
            wanted: 60,
            images: 41,
            new: 31,
            failed: 2,
            ..AreaProgress::default()
        };
        Progress {
            areas: vec![area("東京都港区", 30), area("北海道旭川市", 0)],
            spent_run: 434_000,
            in_doubt: 3,
            rate: 9.94,
            eta_seconds: Some(4_000),
            ..Progress::default()
        }
    }

    #[test]
    fn a_line_says_all_and_a_summary_each_area() {
        let told = Summary { run: RunId(7), ended: Ended::Stopped, progress: progress() };
        insta::assert_snapshot!(format!("{}\n\n{}", line(&progress(), "USD"), summary(&told, "USD")));
        insta::assert_snapshot!(line(&Progress::default(), "USD"), @"0 photos seen, 0 of 0 pictures, 0.0 a second, 0.00 USD");
    }

    #[test]
    fn times_are_said_roughly() {
        assert_eq!([0, 99, 100, 5_999, 12_000].map(lasting), ["0 s", "99 s", "2 min", "100 min", "3 h 20 min"]);
    }
}
