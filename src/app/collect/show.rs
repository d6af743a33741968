//! How a run is shown in the terminal.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::chat::{Lang, text};
use crate::collect::run::Progress;

/// How often the line of a terminal is drawn anew.
const DRAWN_EVERY: Duration = Duration::from_secs(1);
/// How often a line goes to what is no terminal, such as a log.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Shows progress on standard error until the run ends: one line that is drawn anew, or one line every 10 s where
/// there is no terminal.
pub(super) async fn watch(lang: Lang, mut progress: watch::Receiver<Progress>, currency: String) {
    let is_terminal = stderr().is_terminal();
    let mut ticks = interval(if is_terminal { DRAWN_EVERY } else { TOLD_EVERY });
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first comes at once.
    ticks.tick().await;
    loop {
        let ended = pause(&mut ticks, &mut progress).await;
        let line = text::running::line(lang, &progress.borrow(), &currency);
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
