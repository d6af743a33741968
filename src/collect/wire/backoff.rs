//! How long to wait before the next try.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;

/// Random values in `[0, 1)`; a test passes its own.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Jitter from the keys that the standard library draws for its hash maps: enough to keep clients from marching in step.
#[must_use]
pub fn system_jitter() -> Jitter {
    let (keys, count) = (RandomState::new(), AtomicU64::new(0));
    Arc::new(move || (keys.hash_one(count.fetch_add(1, Ordering::Relaxed)) >> 11) as f64 / (1_u64 << 53) as f64)
}

/// Pauses that double from try to try, each shortened by chance by up to half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Tries in all, at least 1.
    pub tries: u32,
    /// Longest first pause.
    pub first: SignedDuration,
    /// Longest pause of all.
    pub longest: SignedDuration,
}

impl Default for Backoff {
    /// 5 tries with pauses of 1, 2, 4 and 8 s at most: a service that restarts is waited for.
    fn default() -> Self {
        Self { tries: 5, first: SignedDuration::from_secs(1), longest: SignedDuration::from_secs(30) }
    }
}

impl Backoff {
    /// The pause after `tried` tries, with chance in `[0, 1)`.
    #[must_use]
    pub fn pause(&self, tried: u32, chance: f64) -> SignedDuration {
        let doubled = self.first.saturating_mul(1 << tried.saturating_sub(1).min(20));
        doubled.min(self.longest).mul_f64(1.0 - chance / 2.0)
    }
}

/// `Retry-After` as seconds or as a date (RFC 9110, 10.2.3); a date that has passed is no wait.
pub(super) fn retry_after(header: Option<&HeaderValue>, now: Timestamp) -> Option<SignedDuration> {
    let text = header?.to_str().ok()?.trim();
    // More seconds than a number holds are far too many either way.
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(SignedDuration::from_secs(text.parse::<u32>().unwrap_or(u32::MAX).into()));
    }
    let at = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(at.duration_since(now).max(SignedDuration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let backoff = Backoff::default();
        let seconds = |tried| backoff.pause(tried, 0.0).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 6, 99].map(seconds), [1, 2, 4, 8, 16, 30, 30]);
    }

    proptest! {
        #[test]
        fn pauses_are_at_least_half_of_their_longest(tried in 1_u32..200, chance in 0.0..1.0_f64) {
            let (pause, most) = (Backoff::default().pause(tried, chance), Backoff::default().pause(tried, 0.0));
            prop_assert!(pause <= most && pause >= most / 2, "{pause:?}");
        }
    }

    #[test]
    fn services_ask_in_seconds_or_with_a_date() {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let asked = |text: &str| retry_after(Some(&HeaderValue::from_str(text).unwrap()), now).map(|d| d.as_secs());
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37), "RFC 9110's own example");
        assert_eq!(asked("Sat, 05 Nov 1994 08:49:37 GMT"), Some(0), "long ago");
        assert_eq!(asked("99999999999999999999"), Some(u32::MAX.into()));
        for nonsense in ["soon", "-5", "", "1.5"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
        assert_eq!(retry_after(None, now), None);
    }

    #[test]
    fn jitter_stays_in_its_range_and_varies() {
        let jitter = system_jitter();
        let drawn: Vec<f64> = (0..100).map(|_| jitter()).collect();
        assert!(drawn.iter().all(|value| (0.0..1.0).contains(value)));
        assert!(drawn.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
