//! What a round is worth: points, ratings, streaks, and how sure "you beat the model" is.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Points for a right answer.
pub const RIGHT: u32 = 100;
/// Most points for speed, on top of a right answer.
pub const SPEED: u32 = 50;
/// Points for being right where the model was wrong.
pub const BEAT: u32 = 50;
/// Rating of who has never played.
pub const FIRST_RATING: f64 = 1_500.0;
/// Most that one round moves a rating.
pub const K: f64 = 32.0;
/// Answers that it takes to be ranked.
pub const MIN_RANKED_ANSWERS: i64 = 5;

/// Points of one answer, the one formula:
///
/// `right ? 100 + floor(50 * time left / time allowed) + (model wrong ? 50 : 0) : 0`
///
/// `elapsed` is the time from the opening of the round to the last change of the answer; beyond `allowed` and below
/// zero it counts as the nearest of both.
#[must_use]
pub fn points(right: bool, model_right: bool, elapsed: SignedDuration, allowed: SignedDuration) -> u32 {
    if !right {
        return 0;
    }
    let allowed_ms = allowed.as_millis().max(1);
    let left_ms = (allowed_ms - elapsed.as_millis()).clamp(0, allowed_ms);
    let speed = i128::from(SPEED) * left_ms / allowed_ms;
    RIGHT + u32::try_from(speed).unwrap_or(0) + if model_right { 0 } else { BEAT }
}

/// New ratings after a round, in the order of `players`: `(rating before, right answers)` each, people and the model
/// alike.
///
/// Every pair counts as one game of Elo (Elo 1978, "The Rating of Chessplayers"): who has more right answers wins,
/// equals draw. The changes are averaged over the opponents, so a round moves nobody by more than [`K`], and their
/// sum is zero.
#[must_use]
pub fn ratings(players: &[(f64, u32)]) -> Vec<f64> {
    let others = players.len().saturating_sub(1).max(1) as f64;
    let change = |i: usize| -> f64 {
        let (own, right) = players[i];
        let games = players.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, (other, other_right))| {
            let score = match right.cmp(other_right) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
            score - expected(own, *other)
        });
        K / others * games.sum::<f64>()
    };
    (0..players.len()).map(|i| players[i].0 + change(i)).collect()
}

/// The score that Elo's formula expects of a player against another, 0 to 1.
#[must_use]
pub fn expected(own: f64, other: f64) -> f64 {
    1.0 / (1.0 + 10.0_f64.powf((other - own) / 400.0))
}

/// The day that a moment belongs to for a person whose days begin at `starts_hour` (0 to 23) in `zone`: at 01:30 a
/// person whose day begins at 4 still plays for yesterday.
#[must_use]
pub fn day_of(at: Timestamp, zone: &TimeZone, starts_hour: i8) -> Date {
    let shifted = at.saturating_sub(SignedDuration::from_hours(i64::from(starts_hour))).unwrap_or(at);
    zone.to_datetime(shifted).date()
}

/// Days in a row on which a person played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streak {
    /// Days in a row up to `last`.
    pub days: u32,
    /// The most that `days` ever was.
    pub best: u32,
    /// The last day with a round.
    pub last: Option<Date>,
}

impl Streak {
    /// The streak after a round on `day`. A day before the last one changes nothing: clocks and time zones move back.
    #[must_use]
    pub fn played_on(self, day: Date) -> Self {
        let days = match self.last {
            Some(last) if day <= last => return self,
            Some(last) if last.tomorrow().is_ok_and(|next| next == day) => self.days.saturating_add(1),
            _ => 1,
        };
        Self { days, best: self.best.max(days), last: Some(day) }
    }

    /// The days in a row as seen on `today`: 0 once a day was missed.
    #[must_use]
    pub fn on(self, today: Date) -> u32 {
        let alive = self.last.is_some_and(|last| last >= today || last.tomorrow().is_ok_and(|next| next == today));
        if alive { self.days } else { 0 }
    }
}

/// How a person and the model did on the same photos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duel {
    /// Both right.
    pub both: u32,
    /// Only the person right.
    pub person: u32,
    /// Only the model right.
    pub model: u32,
    /// Both wrong.
    pub neither: u32,
}

impl Duel {
    /// Photos in all.
    #[must_use]
    pub fn photos(self) -> u32 {
        self.both + self.person + self.model + self.neither
    }

    /// Share of right answers, person's and model's, 0 to 1; 0 of none.
    #[must_use]
    pub fn shares(self) -> (f64, f64) {
        let all = f64::from(self.photos().max(1));
        (f64::from(self.both + self.person) / all, f64::from(self.both + self.model) / all)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            both: self.both + other.both,
            person: self.person + other.person,
            model: self.model + other.model,
            neither: self.neither + other.neither,
        }
    }

    /// The person's share minus the model's, with its 95 % interval: `(low, difference, high)`, each -1 to 1.
    ///
    /// Newcombe's score interval for the difference of paired proportions (Newcombe 1998, "Improved confidence
    /// intervals for the difference between binomial proportions based on paired data", method 10), which builds on
    /// Wilson's interval and stays honest for few photos. `(-1, 0, 1)` of none.
    #[must_use]
    pub fn difference(self) -> (f64, f64, f64) {
        let all = self.photos();
        if all == 0 {
            return (-1.0, 0.0, 1.0);
        }
        let (first, second) = (self.both + self.person, self.both + self.model);
        let ((p1, p2), phi) = (self.shares(), self.phi());
        let (l1, u1) = super::metrics::wilson(first as usize, all as usize);
        let (l2, u2) = super::metrics::wilson(second as usize, all as usize);
        let below = (p1 - l1).powi(2) - 2.0 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2).powi(2);
        let above = (u1 - p1).powi(2) - 2.0 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2).powi(2);
        let difference = p1 - p2;
        (difference - below.max(0.0).sqrt(), difference, difference + above.max(0.0).sqrt())
    }

    /// Correlation of both columns with Newcombe's continuity correction; 0 where a margin is empty.
    fn phi(self) -> f64 {
        let [e, f, g, h] = [self.both, self.person, self.model, self.neither].map(f64::from);
        let margins = (e + f) * (g + h) * (e + g) * (f + h);
        if margins <= 0.0 {
            return 0.0;
        }
        let (cross, all) = (e * h - f * g, e + f + g + h);
        let corrected = if cross > 0.0 { (cross - all / 2.0).max(0.0) } else { cross };
        corrected / margins.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    #[test]
    fn points_by_hand() {
        assert_eq!(points(true, true, seconds(0), seconds(100)), 150);
        assert_eq!(points(true, true, seconds(50), seconds(100)), 125);
        assert_eq!(points(true, false, seconds(100), seconds(100)), 150);
        assert_eq!(points(true, true, seconds(500), seconds(100)), 100);
        assert_eq!(points(true, true, seconds(-5), seconds(100)), 150);
        assert_eq!(points(false, false, seconds(0), seconds(100)), 0);
    }

    #[test]
    fn equals_who_draw_keep_their_ratings_and_a_win_is_worth_half_of_k() {
        assert_eq!(ratings(&[(1_500.0, 4), (1_500.0, 4)]), [1_500.0, 1_500.0]);
        assert_eq!(ratings(&[(1_500.0, 5), (1_500.0, 4)]), [1_516.0, 1_484.0]);
        assert_eq!(ratings(&[(1_500.0, 5)]), [1_500.0]);
        assert!((expected(1_900.0, 1_500.0) - 10.0 / 11.0).abs() < 1e-12);
    }

    #[test]
    fn a_day_begins_when_its_person_says() {
        let tokyo = TimeZone::get("Asia/Tokyo").expect("bundled");
        let night: Timestamp = "2026-11-24T16:30:00Z".parse().expect("a moment"); // 01:30 on the 25th in Tokyo
        assert_eq!(day_of(night, &tokyo, 0).to_string(), "2026-11-25");
        assert_eq!(day_of(night, &tokyo, 4).to_string(), "2026-11-24");
        assert_eq!(day_of(night, &TimeZone::UTC, 0).to_string(), "2026-11-24");
    }

    #[test]
    fn streaks_grow_by_days_in_a_row_and_end_with_a_missed_one() {
        let day = |day: i8| jiff::civil::date(2026, 11, day);
        let streak = Streak::default().played_on(day(1)).played_on(day(2)).played_on(day(2)).played_on(day(3));
        assert_eq!((streak.days, streak.best, streak.on(day(4)), streak.on(day(5))), (3, 3, 3, 0));
        let again = streak.played_on(day(6)).played_on(day(5));
        assert_eq!((again.days, again.best, again.last), (1, 3, Some(day(6))));
    }

    #[test]
    fn differences_agree_with_the_literature() {
        // Newcombe 1998, table II: (e, f, g, h) = (36, 12, 2, 0) -> 0.0569 to 0.3404, of 0.20.
        let (low, difference, high) = Duel { both: 36, person: 12, model: 2, neither: 0 }.difference();
        assert!((difference - 0.2).abs() < 1e-12);
        assert!((low - 0.0569).abs() < 5e-4 && (high - 0.3404).abs() < 5e-4, "{low} {high}");
        assert_eq!(Duel::default().difference(), (-1.0, 0.0, 1.0));
    }

    proptest! {
        #[test]
        fn points_reward_what_they_should(
            elapsed in 0_i64..700, more in 0_i64..100, allowed in 15_i64..600, model_right: bool,
        ) {
            let of = |right, model, elapsed| points(right, model, seconds(elapsed), seconds(allowed));
            prop_assert_eq!(of(false, model_right, elapsed), 0);
            let right = of(true, model_right, elapsed);
            prop_assert!((RIGHT..=RIGHT + SPEED + BEAT).contains(&right));
            prop_assert!(of(true, model_right, elapsed + more) <= right, "slower is never worth more");
            prop_assert_eq!(of(true, false, elapsed), of(true, true, elapsed) + BEAT);
        }

        #[test]
        fn ratings_keep_their_sum_and_their_bounds(
            players in prop::collection::vec((800.0..2_400.0_f64, 0_u32..10), 2..12),
        ) {
            let after = ratings(&players);
            let sum = |of: &mut dyn Iterator<Item = f64>| of.sum::<f64>();
            let before = sum(&mut players.iter().map(|(rating, _)| *rating));
            prop_assert!((sum(&mut after.iter().copied()) - before).abs() < 1e-6);
            prop_assert!(after.iter().zip(&players).all(|(now, (was, _))| (now - was).abs() <= K));
            let most = players.iter().map(|(_, right)| *right).max().unwrap_or(0);
            let least = players.iter().map(|(_, right)| *right).min().unwrap_or(0);
            for (now, (was, right)) in after.iter().zip(&players) {
                let alone_first = players.iter().filter(|(_, other)| *other == most).count() == 1;
                let alone_last = players.iter().filter(|(_, other)| *other == least).count() == 1;
                prop_assert!(!(alone_first && *right == most && most > least) || now > was);
                prop_assert!(!(alone_last && *right == least && most > least) || now < was);
            }
        }

        #[test]
        fn a_difference_lies_in_its_interval(both in 0_u32..60, person in 0_u32..60, model in 0_u32..60, neither in 0_u32..60) {
            let duel = Duel { both, person, model, neither };
            let (low, difference, high) = duel.difference();
            prop_assert!(-1.0 - 1e-9 <= low && low <= difference && difference <= high && high <= 1.0 + 1e-9);
            let (m_low, m_difference, m_high) = Duel { person: model, model: person, ..duel }.difference();
            prop_assert!((low + m_high).abs() < 1e-9 && (difference + m_difference).abs() < 1e-9 && (high + m_low).abs() < 1e-9);
        }
    }
}
