//! What a plan comes to before anything is asked or bought.

use std::collections::BTreeMap;
use std::time::Duration;

use super::mapillary::Size;
use super::plan::{AreaPlan, Plan};
use super::settings::Settings;
use crate::domain::Area;
use crate::domain::imagery::{Micros, Source};
use crate::store::{Store, StoreError};

/// Points from which on the share of hits is learnt from earlier runs.
const ENOUGH: u64 = 50;
/// Assumed share of points with imagery: most of a Japanese city's points for Street View, half for Mapillary.
const ASSUMED_HITS: (f64, f64) = (0.8, 0.5);
/// Assumed bytes of a JPEG for each pixel of a street.
const ASSUMED_BYTES_PER_PIXEL: f64 = 0.2;
/// Height of most of Mapillary's pictures, share of their width.
const MAPILLARY_HEIGHT: f64 = 0.75;

/// What earlier runs found in an area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Experience {
    /// Points that the source was asked about.
    pub asked: u64,
    /// Points among them with imagery that no other point had.
    pub hits: u64,
    /// Pictures of the area that are stored, whatever their source.
    pub images: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a plan comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Which source would be asked.
    pub source: Source,
    /// ISO 4217 code of the money.
    pub currency: String,
    /// What one image costs.
    pub price: Micros,
    /// Most that one run may spend.
    pub cap_per_run: Micros,
    /// The areas, in the order of the plan.
    pub areas: Vec<AreaEstimate>,
}

/// What an area comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaEstimate {
    /// Its names.
    pub area: Area,
    /// The sums.
    pub sums: Sums,
    /// Whether the share of hits was learnt from earlier runs; else it is assumed.
    pub learnt: bool,
}

/// Sums of an area, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Towns with a position.
    pub towns: u64,
    /// Towns without one, where nothing is planned.
    pub unplaced: u64,
    /// Planned points.
    pub points: u64,
    /// Points where imagery is expected.
    pub hits: u64,
    /// Expected images.
    pub images: u64,
    /// Their price.
    pub money: Micros,
    /// Their size in bytes.
    pub disk: u64,
    /// Least time that the requests take at the configured rate.
    pub time: Duration,
}

impl Estimate {
    /// What a plan of these settings comes to; `experience` is of their source, by full name of the area.
    #[must_use]
    pub fn of(plan: &Plan, settings: &Settings, experience: &BTreeMap<String, Experience>) -> Self {
        let mut whole = Experience::default();
        experience.values().for_each(|area| whole.add(area));
        let area = |area: &AreaPlan| {
            let own = experience.get(&area.area.area).copied().unwrap_or_default();
            let sums = sums(area, settings, &own, &whole);
            AreaEstimate { area: area.area.clone(), sums, learnt: own.asked >= ENOUGH }
        };
        Self {
            source: settings.source,
            currency: settings.money.currency.clone(),
            price: settings.money.price(settings.source),
            cap_per_run: settings.money.cap_per_run,
            areas: plan.areas.iter().map(area).collect(),
        }
    }

    /// All areas together.
    #[must_use]
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        self.areas.iter().for_each(|area| total.add(&area.sums));
        total
    }

    /// The share of points with imagery that is assumed where nothing was learnt; `None` when no area needs it.
    #[must_use]
    pub fn assumed_share(&self) -> Option<f64> {
        let needed = self.areas.iter().any(|area| !area.learnt) && self.source != Source::Folder;
        needed.then(|| assumed_hits(self.source))
    }

    /// Whether the cap of a run ends it before the plan is done.
    #[must_use]
    pub fn exceeds_cap(&self) -> bool {
        self.total().money > self.cap_per_run
    }
}

fn assumed_hits(source: Source) -> f64 {
    match source {
        Source::StreetView => ASSUMED_HITS.0,
        Source::Mapillary => ASSUMED_HITS.1,
        // Its photos are where they are: no point is asked about.
        Source::Folder => 0.0,
    }
}

/// Looks at each hit: a panorama is looked at in all directions, an image with a direction of its own once.
fn images_per_hit(settings: &Settings) -> u64 {
    match settings.source {
        Source::StreetView => settings.density.headings_per_point.into(),
        Source::Mapillary | Source::Folder => 1,
    }
}

fn sums(area: &AreaPlan, settings: &Settings, own: &Experience, whole: &Experience) -> Sums {
    let points = area.points() as u64;
    let share = own.hit_share().unwrap_or_else(|| assumed_hits(settings.source));
    let hits = (points as f64 * share).round() as u64;
    let images = hits * images_per_hit(settings);
    let bytes = own.bytes_per_image().or(whole.bytes_per_image()).unwrap_or_else(|| assumed_bytes(settings));
    // The two are counted apart, and go on at the same time.
    let requests = points.max(images);
    Sums {
        towns: area.towns.len() as u64,
        unplaced: area.unplaced as u64,
        points,
        hits,
        images,
        money: Micros(settings.money.price(settings.source).0.saturating_mul(images as i64)),
        disk: (images as f64 * bytes).round() as u64,
        time: Duration::from_secs_f64(requests as f64 / settings.pace.requests_per_second),
    }
}

fn assumed_bytes(settings: &Settings) -> f64 {
    let pixels = match settings.source {
        Source::StreetView => f64::from(settings.density.width) * f64::from(settings.density.height),
        Source::Mapillary | Source::Folder => {
            f64::from(Size::for_width(settings.density.width).width()).powi(2) * MAPILLARY_HEIGHT
        }
    };
    pixels * ASSUMED_BYTES_PER_PIXEL
}

/// What a database knows of a source, by full name of the area.
///
/// # Errors
/// When the database fails.
pub async fn experience(store: &Store, source: Source) -> Result<BTreeMap<String, Experience>, StoreError> {
    let mut known: BTreeMap<String, Experience> = BTreeMap::new();
    for points in store.points_by_area(source).await? {
        let area = known.entry(points.area).or_default();
        (area.asked, area.hits) = (points.asked, points.found);
    }
    for sum in store.image_sums().await? {
        let area = known.entry(sum.place.area).or_default();
        area.images += sum.images;
        area.bytes += sum.bytes;
    }
    Ok(known)
}

impl Experience {
    fn add(&mut self, other: &Self) {
        self.asked += other.asked;
        self.hits += other.hits;
        self.images += other.images;
        self.bytes += other.bytes;
    }

    fn hit_share(&self) -> Option<f64> {
        (self.asked >= ENOUGH).then(|| self.hits as f64 / self.asked as f64)
    }

    fn bytes_per_image(&self) -> Option<f64> {
        (self.images >= ENOUGH).then(|| self.bytes as f64 / self.images as f64)
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.towns += other.towns;
        self.unplaced += other.unplaced;
        self.points += other.points;
        self.hits += other.hits;
        self.images += other.images;
        self.money = Micros(self.money.0.saturating_add(other.money.0));
        self.disk += other.disk;
        self.time += other.time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::plan::Town;
    use crate::collect::settings::tests::settings;
    use crate::domain::{Border, Coordinate};

    fn plan() -> Plan {
        let center = Coordinate { lat: 35.66, lng: 139.74 };
        let ring = vec![[139.0, 35.0], [140.0, 35.0], [140.0, 36.0], [139.0, 36.0]];
        let towns = (0..25).map(|index| Town {
            name: format!("{index}丁目"),
            centers: vec![center.offset_m(f64::from(index) * 400.0, 0.0)],
        });
        let towns: Vec<Town> = towns.chain([Town { name: "地先".to_owned(), centers: Vec::new() }]).collect();
        let area = |name| AreaPlan::new(Area::new("東京都", name, name), Border::new(vec![ring.clone()]), &towns, 4);
        Plan { areas: vec![area("港区"), area("渋谷区")] }
    }

    #[test]
    fn money_is_hits_times_looks_times_price() {
        let mut settings = settings(&[]);
        settings.source = Source::StreetView;
        let estimate = Estimate::of(&plan(), &settings, &BTreeMap::new());
        let expected = Sums {
            towns: 25,
            unplaced: 1,
            points: 100,
            hits: 80,
            images: 320,
            money: Micros(2_240_000),
            disk: 320 * 81_920,
            time: Duration::from_secs(32),
        };
        assert_eq!(estimate.areas[0].sums, expected);
        assert_eq!((estimate.total().money, estimate.assumed_share()), (Micros(4_480_000), Some(0.8)));
        assert!(!estimate.exceeds_cap());
        settings.money.cap_per_run = Micros(4_479_999);
        assert!(Estimate::of(&plan(), &settings, &BTreeMap::new()).exceeds_cap());
    }

    #[test]
    fn what_was_found_counts_more_than_what_is_assumed() {
        let settings = settings(&[]);
        let found = Experience { asked: 200, hits: 50, images: 50, bytes: 50 * 90_000 };
        let little = Experience { asked: 10, hits: 10, images: 10, bytes: 1 };
        let experience = [("東京都港区".to_owned(), found), ("東京都渋谷区".to_owned(), little)].into();
        let estimate = Estimate::of(&plan(), &settings, &experience);
        let [minato, shibuya] = [0, 1].map(|index: usize| estimate.areas[index].sums);
        assert_eq!((minato.hits, minato.images, minato.disk, minato.money), (25, 25, 25 * 90_000, Micros(0)));
        assert_eq!(shibuya.hits, 50, "ten points are too few to learn from");
        assert_eq!((estimate.areas[0].learnt, estimate.areas[1].learnt), (true, false));
        // The size of pictures is learnt from all areas together.
        assert_eq!(shibuya.disk, (50.0 * f64::from(50 * 90_000 + 1) / 60.0).round() as u64);
    }
}
