//! Values for the tests of the conversation.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use image::{Rgb, RgbImage};

use super::message::{ChatKind, ChatRef, Incoming, Platform, Request, Role, UserRef};
use super::similar::{Shown, Similar};
use super::text::Lang;
use crate::collect::estimate::{AreaEstimate, Estimate, Sums};
use crate::collect::plan::{AreaPlan, Plan, Town};
use crate::domain::imagery::{Micros, Source};
use crate::domain::quiz::Credit;
use crate::domain::{Area, Border, Coordinate, Geocell, ModelIdentity, Prediction};
use crate::infer::index::kin::{Kin, Voting};
use crate::infer::index::{Entry, Index, Photo};
use crate::infer::manifest::{Indexed, Manifest, Metrics, Provenance};
use crate::infer::onnx::Outputs;
use crate::infer::preprocess::Preprocess;
use crate::infer::queue::Run;
use crate::infer::{Core, Options};

/// Three areas.
pub(super) fn areas() -> Vec<Area> {
    vec![
        Area::new("東京都", "港区", "Minato, Tokyo"),
        Area::new("東京都", "渋谷区", "Shibuya, Tokyo"),
        Area::new("北海道", "旭川市", "Asahikawa, Hokkaido"),
    ]
}

/// A prediction for the first area, the surer the larger `logit` is.
pub(super) fn prediction(logit: f32) -> Prediction {
    Prediction::from_logits(&[logit, 1.0 - logit / 2.0, -4.0], &areas(), 1.0, 0.6)
}

/// A plan of those areas: discs of towns, two areas beside each other and one far away.
pub(super) fn plan(source: Source) -> (Plan, Estimate) {
    let middles = [(35.655, 139.745), (35.665, 139.700), (43.771, 142.365)];
    let middles = middles.map(|(lat, lng)| Coordinate { lat, lng });
    let plan = areas().into_iter().zip(middles).map(|(area, middle)| {
        let corner = |turn: i32| {
            let angle = f64::from(turn).to_radians();
            let at = middle.offset_m(2_000.0 * angle.cos(), (2_400.0 + f64::from(turn)) * angle.sin());
            [at.lng, at.lat]
        };
        let border = Border::new(vec![(0..360).step_by(30).map(corner).collect()]);
        let town = |index: i32| {
            let (east, north) = (f64::from(index % 5 - 2) * 800.0, f64::from(index / 5 - 2) * 800.0);
            Town { name: format!("{index}丁目"), centers: vec![middle.offset_m(east, north)] }
        };
        let towns: Vec<Town> = (0..25).map(town).chain([Town { name: "地先".to_owned(), centers: vec![] }]).collect();
        AreaPlan::new(area, border, &towns, 4)
    });
    let plan = Plan { areas: plan.collect() };
    let estimate = |area: &AreaPlan| {
        let points = area.points() as u64;
        let (hits, images) =
            if source == Source::StreetView { (points * 4 / 5, points * 16 / 5) } else { (points / 2, points / 2) };
        let sums = Sums {
            towns: area.towns.len() as u64,
            unplaced: area.unplaced as u64,
            points,
            hits,
            images,
            money: Micros(if source == Source::StreetView { 7_000 * images as i64 } else { 0 }),
            disk: 82_000 * images,
            time: Duration::from_secs(points + images),
        };
        AreaEstimate { area: area.area.clone(), sums, learnt: false }
    };
    let areas = plan.areas.iter().map(estimate).collect();
    let price = Micros(if source == Source::StreetView { 7_000 } else { 0 });
    let estimate = Estimate { source, currency: "USD".to_owned(), price, cap_per_run: Micros(20_000_000), areas };
    (plan, estimate)
}

/// A drawn-world model.
pub(super) fn manifest() -> Manifest {
    Manifest {
        name: "drawn-world".to_owned(),
        version: "1.0.0".to_owned(),
        arch: "resnet18".to_owned(),
        output_stride: 32,
        sha256: "0".repeat(64),
        temperature: 1.0,
        abstain_below: 0.6,
        provenance: Provenance {
            data: "drawn-world".to_owned(),
            command: "kokodoko train".to_owned(),
            licence: "MIT OR Apache-2.0".to_owned(),
            attribution: vec!["Town names: Geolonia, CC BY 4.0".to_owned()],
        },
        input: Preprocess { size: 16, mean: [0.0; 3], std: [1.0; 3] },
        metrics: Metrics {
            photos: 1_400,
            top1: 0.834,
            top3: 0.971,
            macro_recall: 0.829,
            ece: 0.021,
            coverage: 0.92,
            selective_accuracy: 0.873,
            thumbnail_top1: 0.48,
            confusion: Vec::new(),
        },
        index: None,
        street: None,
        labels: areas(),
    }
}

/// A model of three cells, around the middles of [`areas`].
pub(super) fn cells_manifest() -> Manifest {
    let middles = [(35.655, 139.745), (35.665, 139.700), (43.771, 142.365)];
    let cell = |(area, (lat, lng)): (Area, (f64, f64))| Area {
        cell: Some(Geocell::of(Coordinate { lat, lng }, 12)),
        ..Area::new(&area.prefecture, &format!("{}付近", area.municipality), &format!("near {}", area.name_en))
    };
    Manifest { labels: areas().into_iter().zip(middles).map(cell).collect(), sha256: "1".repeat(64), ..manifest() }
}

/// [`core`] with [`cells_manifest`].
pub(super) fn cells_core() -> Core {
    let runner = Colours { failures: VecDeque::new() };
    Core::with_runner(cells_manifest(), runner, &Options::default()).expect("a thread starts")
}

/// Which model answers.
pub(super) fn identity() -> ModelIdentity {
    ModelIdentity { name: "drawn-world".to_owned(), version: "1.0.0".to_owned(), backend: "tract".to_owned() }
}

/// Answers with the mean of red, green and blue as the logits, ten times; fails where it is told to.
pub(super) struct Colours {
    /// Words to fail with, one a run, until there are none left.
    pub(super) failures: VecDeque<String>,
}

impl Run for Colours {
    fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
        if let Some(words) = self.failures.pop_front() {
            return Err(words);
        }
        let plane = input.len() / batch / 3;
        let mean = |plane: &[f32]| 10.0 * plane.iter().sum::<f32>() / plane.len() as f32;
        let logits: Vec<f32> = input.chunks(plane).map(mean).collect();
        Ok(Outputs { cams: logits.clone(), features: logits.clone(), logits, grid: (1, 1) })
    }
}

/// A core that answers red with 港区, green with 渋谷区 and blue with 旭川市, and does not know grey.
pub(super) fn core(options: &Options) -> Core {
    Core::with_runner(manifest(), Colours { failures: VecDeque::new() }, options).expect("a thread starts")
}

/// An index of four photos by their colours. Two of 渋谷区 and one of 旭川市 are redder than the one of 港区, which the
/// model takes for red.
fn index() -> Arc<Index> {
    let entry = |label: usize, town: &str, east: f64, photo: Photo| {
        let [minato, asahikawa] = [(35.655, 139.745), (43.771, 142.365)].map(|(lat, lng)| Coordinate { lat, lng });
        let position = Some(if label == 2 { asahikawa } else { minato.offset_m(east, 0.0) });
        let credit = Credit { source: "Mapillary / Aoi".to_owned(), licence: "CC-BY-SA-4.0".to_owned(), url: None };
        Entry { label, town: town.to_owned(), position, credit, photo }
    };
    let kept = |digit: &str| Photo::Kept {
        sha256: digit.repeat(64),
        format: "jpg".to_owned(),
        link: Some(format!("https://www.mapillary.com/app/?pKey={digit}")),
    };
    let panorama = crate::world::World::load().panoramas(3)[0].id.clone();
    let photos = [
        (
            entry(1, "神南一丁目", 4_000.0, Photo::Drawn { panorama, heading: 0.0, fov: 80.0, pitch: 0.0 }),
            vec![1.0, 0.1, 0.0],
        ),
        (entry(1, "松濤一丁目", 5_000.0, kept("a")), vec![1.0, 0.2, 0.0]),
        (entry(2, "四条通", 0.0, kept("b")), vec![1.0, 0.0, 0.3]),
        (entry(0, "芝公園四丁目", 0.0, kept("c")), vec![1.0, 0.5, 0.5]),
    ];
    Arc::new(Index::of_photos(&photos.map(|(entry, row)| (entry, row)), &"0".repeat(64)).expect("sound features"))
}

/// [`manifest`] with the index.
fn indexed() -> Manifest {
    let voting = Voting { neighbours: 3, ..Voting::default() };
    Manifest { index: Some(Indexed { sha256: String::new(), photos: 4, voting }), ..manifest() }
}

/// What the index says of red.
pub(super) fn kin() -> Option<Kin> {
    Some(Kin::new(index(), vec![1.0, 0.0, 0.0], Arc::new(indexed())))
}

/// The look-alikes of red, all without pictures.
pub(super) fn similar() -> Similar {
    let (kin, prediction) = (kin().expect("there is one"), prediction(4.0));
    let shown = kin.look_alikes(&prediction, 3).into_iter().map(|alike| Shown { alike, jpeg: None }).collect();
    Similar { shown, second: kin.second_opinion(&prediction) }
}

/// [`core`] with the index.
pub(super) fn core_with_index() -> Core {
    let runner = Colours { failures: VecDeque::new() };
    Core::with_index(indexed(), Some(index()), runner, &Options::default()).expect("a thread starts")
}

/// A JPEG of one colour.
pub(super) fn jpeg(colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
    RgbImage::from_pixel(32, 24, Rgb(colour)).write_with_encoder(encoder).expect("memory takes it");
    bytes
}

/// A message in a private chat.
pub(super) fn incoming(lang: Lang, request: Request) -> Incoming {
    Incoming {
        chat: ChatRef { platform: Platform::Telegram, id: 1 },
        kind: ChatKind::Private,
        thread: None,
        user: UserRef { platform: Platform::Telegram, id: 1 },
        name: "Aoi".to_owned(),
        role: Role::Member,
        lang,
        addressed: false,
        request,
        arguments: String::new(),
        attachments: Vec::new(),
    }
}

/// Which model.
fn judged_model(version: &str) -> crate::judge::Model {
    crate::judge::Model {
        name: "drawn-world".to_owned(),
        version: version.to_owned(),
        sha256: "0123456789abcdef".repeat(4),
        backend: "tract".to_owned(),
    }
}

/// A model that is right on three photos of four, and surer when it is.
pub(super) fn score() -> crate::judge::Score {
    let answer = |i: usize| if i % 4 == 3 { (i + 1) % 3 } else { i % 3 };
    let sure = |i: usize| if i % 4 == 3 { 0.8 } else { 1.0 + (i % 10) as f32 * 0.3 };
    let row = |i: usize| (0..3).map(|label| if label == answer(i) { sure(i) } else { 0.0 }).collect();
    let logits: Vec<Vec<f32>> = (0..120).map(row).collect();
    let truths: Vec<usize> = (0..120).map(|i| i % 3).collect();
    let places: Vec<String> = (0..120).map(|i| format!("{}丁目", i / 12)).collect();
    let (temperature, abstain_below) = (0.6, 0.7);
    let graded = crate::judge::Graded { logits: &logits, truths: &truths, places: &places, temperature, abstain_below };
    crate::judge::score(&graded, &areas())
}

/// Guesses of which half are within two kilometres.
pub(super) fn distances() -> crate::domain::metrics::Distances {
    let interval = |low, value, high| crate::domain::metrics::Interval { low, value, high };
    crate::domain::metrics::Distances {
        photos: 1_050,
        outside: 4,
        within: [0.25, 0.855, 0.858, 0.86, 1.0].map(|share| interval(share - 0.02, share, share)),
        median_km: interval(1.8, 2.041, 12.3),
        geoscore: interval(4_310.2, 4_402.5, 4_490.0),
    }
}

/// Four epochs of a training that gets on.
pub(super) fn epochs() -> Vec<crate::chat::train::Epoch> {
    let epoch = |epoch: usize| crate::chat::train::Epoch {
        epoch,
        loss: 1.9 / epoch as f32,
        macro_recall: 0.8 - 0.6 / epoch as f32,
    };
    (1..=4).map(epoch).collect()
}

/// A candidate that is better.
pub(super) fn verdict() -> crate::judge::Verdict {
    let interval = |low, value, high| crate::domain::metrics::Interval { low, value, high };
    crate::judge::Verdict {
        candidate: judged_model("1.1.0"),
        live: judged_model("1.0.0"),
        photos: 1_050,
        places: 98,
        decision: crate::judge::Decision::Better,
        better: true,
        measured: crate::judge::Measured::Names(crate::judge::ByNames {
            macro_recall_difference: interval(0.008, 0.021, 0.034),
            top1_difference: interval(0.007, 0.02, 0.033),
            only_candidate: 61,
            only_live: 39,
        }),
    }
}

/// One of cells that is not shown to be better than one of municipalities.
pub(super) fn by_distance() -> crate::judge::Verdict {
    let interval = |low, value, high| crate::domain::metrics::Interval { low, value, high };
    let share = |share: f64| interval(share - 0.03, share, share + 0.03);
    crate::judge::Verdict {
        decision: crate::judge::Decision::NotBetter,
        better: false,
        measured: crate::judge::Measured::Distance(Box::new(crate::judge::ByDistance {
            geoscore_difference: interval(-12.34, 40.0, 95.5),
            within_difference: [0.12, -0.01, 0.02, 0.0, 0.0].map(share),
            candidate_distances: distances(),
            live_distances: crate::domain::metrics::Distances { outside: 0, ..distances() },
            nearer_candidate: 612,
            nearer_live: 438,
        })),
        ..verdict()
    }
}

/// A photo of an area that is shown for another, or for its own.
fn figure(truth: usize, about: usize, probability: f32, place: &str) -> crate::judge::portrait::Figure {
    let photo = image::load_from_memory(&jpeg([90, 120, 150])).expect("just encoded").to_rgb8();
    let cams = [9.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].to_vec();
    let shown = crate::infer::explain::Explanation::new(photo, cams, (2, 2), 3).seen(0, 32);
    let (truth, about) = (areas()[truth].clone(), areas()[about].clone());
    crate::judge::portrait::Figure { shown, truth, about, probability, place: place.to_owned(), credit: None }
}

/// A portrait of the model of [`score`]: one photo is shown for 港区 that is from elsewhere.
pub(super) fn portrait() -> crate::judge::Portrait {
    use crate::judge::portrait::{MistakeRow, Portrait, Row, Source, TownRecall};
    let (areas, (plan, _)) = (areas(), plan(crate::domain::imagery::Source::Mapillary));
    let row = |area: usize| Row {
        area: areas[area].clone(),
        photos: vec![figure(area, area, 0.999, "赤坂一丁目"), figure(1, area, 0.87, "神南一丁目")],
    };
    let town = |area: usize, index: usize, at: Coordinate| TownRecall {
        area,
        town: format!("{index}丁目"),
        at: Some(at),
        photos: if index.is_multiple_of(3) { 8 } else { 0 },
        right: if index.is_multiple_of(3) { 8 - (index + area) % 5 } else { 0 },
    };
    let towns = plan.areas.iter().enumerate().flat_map(|(area, plan)| {
        let centres = plan.towns.iter().flat_map(|town| town.discs.iter().map(|disc| disc.center));
        centres.enumerate().map(move |(index, at)| town(area, index, at)).collect::<Vec<_>>()
    });
    let mistake = |truth: usize, answer: usize, count: usize| MistakeRow {
        truth: areas[truth].clone(),
        answer: areas[answer].clone(),
        count,
        photos: vec![figure(truth, answer, 0.91, "神宮前四丁目")],
    };
    let mut most_like = vec![row(0), row(1), row(2)];
    most_like[2].photos.truncate(1);
    Portrait {
        model: judged_model("1.1.0"),
        photos: Source::Drawn,
        score: score(),
        towns: towns.collect(),
        most_like,
        mistakes: vec![mistake(1, 0, 12), mistake(0, 2, 1)],
        credits: vec!["Geolonia, CC BY 4.0".to_owned()],
    }
}
