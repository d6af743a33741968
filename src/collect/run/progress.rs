//! How far a run is.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Order;
use super::buyer::is_kept;
use crate::collect::client::Client;
use crate::domain::spend::{Spent, Taken};
use crate::store::PointOutcome;

/// How long the rate looks back.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// How often the rate is sampled, and the spending asked for.
const SAMPLE: SignedDuration = SignedDuration::from_secs(1);

/// How far a run is. Its JSON is what jobs store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Area by area, in the order of the plan.
    pub areas: Vec<AreaProgress>,
    /// Photos of a folder that lie in no area, or cannot be read.
    pub unplaced: u64,
    /// Spent by this run, in millionths of the currency: billed or in doubt.
    pub spent_run: i64,
    /// The same on this day, by all runs.
    pub spent_day: i64,
    /// The same in this month, by all runs.
    pub spent_month: i64,
    /// Pictures of this run whose billing is in doubt.
    pub in_doubt: u64,
    /// Bytes that this start has written.
    pub bytes: u64,
    /// Pictures a second, over the last minute.
    pub rate: f64,
    /// Seconds that the rest takes at this rate, if that can be told.
    pub eta_seconds: Option<u64>,
}

/// How far a run is in one area.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaProgress {
    /// Full Japanese name.
    pub area: String,
    /// Name for readers of English.
    pub name_en: String,
    /// Points that are planned.
    pub points: u64,
    /// Points that were asked, in this start or before; of a folder the photos that were looked at.
    pub asked: u64,
    /// Points at which there was something that no other point had seen.
    pub found: u64,
    /// Pictures that are to be had of what was found.
    pub wanted: u64,
    /// Pictures of it in the dataset.
    pub images: u64,
    /// Those that came in this start.
    pub new: u64,
    /// Pictures that are not to be had: no picture came, or nobody knows whether it was paid for.
    pub failed: u64,
}

impl Progress {
    /// Sums over all areas.
    #[must_use]
    pub fn total(&self) -> AreaProgress {
        self.areas.iter().fold(AreaProgress::default(), |mut sum, area| {
            sum.points += area.points;
            sum.asked += area.asked;
            sum.found += area.found;
            sum.wanted += area.wanted;
            sum.images += area.images;
            sum.new += area.new;
            sum.failed += area.failed;
            sum
        })
    }

    /// Pictures that are still to come: those of found points, and those expected of the points that are left.
    fn rest(&self) -> f64 {
        let sum = self.total();
        let each = if sum.asked > 0 { sum.wanted as f64 / sum.asked as f64 } else { 0.0 };
        let open = sum.wanted.saturating_sub(sum.images + sum.failed);
        open as f64 + each * sum.points.saturating_sub(sum.asked) as f64
    }
}

/// Counts, and tells everybody who watches.
pub(super) struct Meter {
    progress: watch::Sender<Progress>,
    samples: std::sync::Mutex<Samples>,
}

struct Samples {
    /// When so many pictures had come.
    of_rate: VecDeque<(Timestamp, u64)>,
    spending: Timestamp,
}

impl Meter {
    pub(super) fn new(order: &Order, client: &Client, now: Timestamp) -> Self {
        let has_points = !matches!(client, Client::Folder(_));
        let areas = order.plan.areas.iter().map(|area| AreaProgress {
            area: area.area.area.clone(),
            name_en: area.area.name_en.clone(),
            points: if has_points { area.points() as u64 } else { 0 },
            ..AreaProgress::default()
        });
        let progress = watch::Sender::new(Progress { areas: areas.collect(), ..Progress::default() });
        let samples = Samples { of_rate: VecDeque::from([(now, 0)]), spending: Timestamp::MIN };
        Self { progress, samples: samples.into() }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// A point was asked, now or before.
    pub(super) fn asked(&self, area: usize, outcome: PointOutcome) {
        self.of(area, |area| {
            area.asked += 1;
            area.found += u64::from(outcome == PointOutcome::Found);
        });
    }

    /// So many pictures are to be had.
    pub(super) fn wanted(&self, area: usize, pictures: usize) {
        self.of(area, |area| area.wanted += pictures as u64);
    }

    /// A picture need not be fetched.
    pub(super) fn taken(&self, area: usize, taken: Taken) {
        self.of(area, |area| *if is_kept(taken) { &mut area.images } else { &mut area.failed } += 1);
    }

    /// No picture came.
    pub(super) fn failed(&self, area: usize) {
        self.of(area, |area| area.failed += 1);
    }

    /// A photo has no place.
    pub(super) fn unplaced(&self) {
        self.progress.send_modify(|progress| progress.unplaced += 1);
    }

    /// A picture came.
    pub(super) fn kept(&self, area: usize, is_new: bool, bytes: u64, now: Timestamp) {
        self.progress.send_modify(|progress| {
            let counts = &mut progress.areas[area];
            counts.images += 1;
            counts.new += u64::from(is_new);
            progress.bytes += bytes;
            progress.rate = self.rate(progress.total().new, now);
            let eta = progress.rest() / progress.rate;
            progress.eta_seconds = Some(eta).filter(|eta| eta.is_finite()).map(|eta| eta.ceil() as u64);
        });
    }

    /// Whether the spending should be looked at.
    pub(super) fn wants_spending(&self, now: Timestamp, at_once: bool) -> bool {
        let mut samples = self.lock();
        let due = at_once || now.duration_since(samples.spending) >= SAMPLE;
        if due {
            samples.spending = now;
        }
        due
    }

    /// What the run, the day and the month have spent.
    pub(super) fn spent(&self, [run, day, month]: [Spent; 3]) {
        self.progress.send_modify(|progress| {
            progress.spent_run = run.counted().0;
            progress.spent_day = day.counted().0;
            progress.spent_month = month.counted().0;
            progress.in_doubt = run.images_in_doubt;
        });
    }

    fn of(&self, area: usize, count: impl FnOnce(&mut AreaProgress)) {
        self.progress.send_modify(|progress| count(&mut progress.areas[area]));
    }

    /// Pictures a second since the oldest sample within the window.
    fn rate(&self, pictures: u64, now: Timestamp) -> f64 {
        let mut samples = self.lock();
        let samples = &mut samples.of_rate;
        if samples.back().is_none_or(|(at, _)| now.duration_since(*at) >= SAMPLE) {
            samples.push_back((now, pictures));
        }
        while samples.len() > 2 && samples.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            samples.pop_front();
        }
        let Some((since, before)) = samples.front() else { return 0.0 };
        let seconds = now.duration_since(*since).as_secs_f64().max(1.0);
        pictures.saturating_sub(*before) as f64 / seconds
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::folder::Folder;
    use crate::collect::plan::{AreaPlan, Plan, Town};
    use crate::collect::settings::Density;
    use crate::domain::imagery::Micros;
    use crate::domain::spend::Caps;
    use crate::domain::{Area, Border, Coordinate};

    fn start() -> Timestamp {
        "2026-11-26T00:00:00Z".parse().unwrap()
    }

    fn meter() -> Meter {
        let ring = vec![[139.0, 35.0], [139.1, 35.0], [139.1, 35.1], [139.0, 35.1]];
        let town = Town { name: "西".to_owned(), centers: vec![Coordinate { lat: 35.05, lng: 139.05 }] };
        let plan = |name| {
            AreaPlan::new(
                Area::new("東京都", name, name),
                Border::new(vec![ring.clone()]),
                std::slice::from_ref(&town),
                10,
            )
        };
        let density = Density {
            points_per_town: 10,
            headings_per_point: 4,
            fov: 90,
            pitch: 0,
            width: 64,
            height: 64,
            search_radius_m: 50,
        };
        let plan = std::sync::Arc::new(Plan { areas: vec![plan("港区"), plan("渋谷区")] });
        let order = Order {
            plan,
            density,
            price: Micros(7_000),
            caps: Caps { run: Micros(0), day: Micros(0), month: Micros(0) },
            concurrency: 1,
        };
        let meter = Meter::new(&order, &Client::Folder(Folder::new("", [])), start());
        meter.progress.send_modify(|progress| progress.areas.iter_mut().for_each(|area| area.points = 10));
        meter
    }

    #[test]
    fn the_rest_is_what_was_found_and_what_may_still_be_found() {
        let meter = meter();
        for outcome in [PointOutcome::Found, PointOutcome::Nothing, PointOutcome::Known, PointOutcome::Outside] {
            meter.asked(0, outcome);
        }
        meter.wanted(0, 4);
        meter.taken(0, Taken::Kept);
        meter.taken(0, Taken::InDoubt);
        meter.kept(0, true, 1_000, start() + SignedDuration::from_secs(2));
        let progress = meter.watch().borrow().clone();
        let expected = AreaProgress {
            points: 20,
            asked: 4,
            found: 1,
            wanted: 4,
            images: 2,
            new: 1,
            failed: 1,
            ..AreaProgress::default()
        };
        assert_eq!(progress.total(), expected);
        // One of four open, and one picture a point of the 16 that are left.
        assert_eq!((progress.rest(), progress.rate, progress.eta_seconds), (17.0, 0.5, Some(34)));
        let json = serde_json::to_string(&progress).unwrap();
        assert_eq!(serde_json::from_str::<Progress>(&json).unwrap(), progress);
    }

    #[test]
    fn the_rate_forgets_what_was_a_minute_ago() {
        let meter = meter();
        let rate = |second: i64| {
            meter.kept(1, true, 1, start() + SignedDuration::from_secs(second));
            meter.watch().borrow().rate
        };
        let fast: Vec<f64> = (1..=30).map(rate).collect();
        assert!(fast.iter().all(|rate| (rate - 1.0).abs() < 0.01), "{fast:?}");
        let slow: Vec<f64> = (1..=20).map(|tenth| rate(30 + tenth * 10)).collect();
        assert!((slow[19] - 0.1).abs() < 0.02, "{slow:?}");
    }

    #[test]
    fn spending_is_looked_at_once_a_second() {
        let meter = meter();
        let at = |ms: i64| start() + SignedDuration::from_millis(ms);
        let looked = [(0, false), (400, false), (400, true), (1_300, false), (1_400, false)];
        let looked = looked.map(|(ms, at_once)| meter.wants_spending(at(ms), at_once));
        assert_eq!(looked, [true, false, true, false, true]);
    }
}
