//! Collecting against the drawn world's stand-ins, and against servers that answer badly.

mod command;
mod faults;
mod mapillary;
mod plan;
mod run;
mod streetview;

use std::sync::Arc;
use std::time::Duration;

use kokodoko::clock::SharedClock;
use kokodoko::collect::mapillary::Mapillary;
use kokodoko::collect::streetview::{Access, StreetView};
use kokodoko::collect::wire::{Jitter, Options, Wire};
use kokodoko::domain::SigningSecret;
use tokio_util::sync::CancellationToken;

use crate::support::JumpingClock;

/// Nothing shortens a pause.
fn no_jitter() -> Jitter {
    Arc::new(|| 0.0)
}

/// Fast, and with timeouts that a stuck server reaches soon.
fn options() -> Options {
    Options { per_second: 1e5, timeout: Duration::from_millis(300), ..Options::default() }
}

fn wire(base: &str, options: Options, clock: SharedClock) -> Arc<Wire> {
    stopped_wire(base, options, clock, CancellationToken::new())
}

fn stopped_wire(base: &str, options: Options, clock: SharedClock, stop: CancellationToken) -> Arc<Wire> {
    let base = base.parse().expect("a URL");
    Wire::new(&base, options, clock, no_jitter(), stop).expect("TLS starts")
}

fn patient() -> Options {
    Options { timeout: Duration::from_secs(60), ..options() }
}

/// A client of Street View at `base`.
fn streetview(base: &str, options: Options, clock: Arc<JumpingClock>) -> StreetView {
    streetview_with(base, options, clock, "drawn-world", None)
}

fn streetview_with(
    base: &str,
    options: Options,
    clock: Arc<JumpingClock>,
    key: &str,
    signing: Option<SigningSecret>,
) -> StreetView {
    let access = Access { base: base.parse().expect("a URL"), key: key.into(), signing };
    StreetView::new(wire(base, options, clock), access)
}

/// A client of Mapillary at `base`, which has the path of the stand-in.
fn mapillary(base: &str, options: Options, clock: Arc<JumpingClock>, token: &str) -> Mapillary {
    let access = kokodoko::collect::mapillary::Access {
        base: format!("{base}/mapillary").parse().expect("a URL"),
        token: token.into(),
        size: kokodoko::collect::mapillary::Size::Middle,
    };
    Mapillary::new(wire(base, options, clock), access)
}
