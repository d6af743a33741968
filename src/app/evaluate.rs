//! `evaluate`: how good a model is, and whether it is better than another, on photos that neither was trained on.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};

use super::language::language;
use super::versus::{Asked, verdict};
use crate::chat::report::{Other, Report, html};
use crate::chat::text::report as words;
use crate::chat::{Lang, insight, picture};
use crate::cli::Evaluate;
use crate::config::Config;
use crate::domain::Split;
use crate::infer::Core;
use crate::judge::photos::PlacedTown;
use crate::judge::portrait::{Sitting, Source, portray};
use crate::judge::{
    Against, Answers, Exam, Given, Judgement, Measured, Portrait, Score, TestPhoto, ask, photos, share_names,
};
use crate::train::drawn;
use crate::train::progress::{Event, Meter};
use crate::world::World;

/// Seed of the built-in model's photos.
const SEED: u64 = 1;
/// Photos between two lines of progress in the log.
const PROGRESS: usize = 100;
/// And between two for whoever asked for `--progress`.
const SAID: usize = 10;

/// Judges and writes the report.
pub(super) async fn run(config: Config, options: Evaluate) -> anyhow::Result<ExitCode> {
    let lang = language(options.lang.as_deref())?;
    if options.attended {
        super::attend::end_with_input()?;
    }
    let Test { photos, source, towns } = test_photos(&options)?;
    let core = super::core_of(&config, options.model.as_deref()).await?;
    if options.similar {
        println!("{}", super::index::measure(&core, &photos).await?);
        return Ok(ExitCode::SUCCESS);
    }
    let cache = match &options.cache {
        Some(folder) => folder.clone(),
        None => cache_folder()?,
    };
    // What lies outside a model's cells counts in the distances alone.
    let known = photos::as_known(&photos, &core.manifest().labels);
    if known.inside.is_empty() {
        bail!("none of the {} photos lies in a cell of the model: use photos with positions (lat, lng)", photos.len());
    }
    let all = photos.len();
    let of = if options.against.is_some() { 2 * all } else { all };
    // What is said while a model is asked, after so many answers of another.
    let tell = |before: usize| {
        let mut meter = Meter::default();
        move |done: usize| {
            let pace = meter.pace(before + done, of, Instant::now());
            if options.progress && (done.is_multiple_of(SAID) || done == all) {
                super::train::print(Event::Asking { done: before + done, of, pace });
            }
        }
    };
    let grounds = super::grounds(&config);
    let model = Asked::new(core, &photos, &cache, &grounds, &mut tell(0)).await?;
    let against = match options.against.as_deref() {
        None => None,
        Some(other) => {
            let folder = (other != Path::new("live")).then_some(other);
            let core = super::core_of(&config, folder).await?;
            Some(Asked::new(core, &photos, &cache, &grounds, &mut tell(all)).await?)
        }
    };
    let other = match &against {
        Some(other) => Some((other, verdict(&model, other, &photos)?)),
        None => None,
    };
    // Only a model that gives the same names can be judged by them.
    let rival = other.as_ref().map(|(rival, _)| *rival);
    let rival = rival.filter(|rival| share_names(&model.answers.labels, &rival.answers.labels));
    let own = model.answers.pick(&known.inside);
    let theirs = rival.map(|rival| rival.answers.pick(&known.inside));
    let models: Vec<&Answers> = [Some(&own), theirs.as_ref()].into_iter().flatten().collect();
    let exam = Exam::new(&known.photos, &models);
    let Some(mut score) = exam.score(&own) else {
        bail!("none of the {} photos could be read", known.photos.len());
    };
    score.distances = model.far_off(&photos, &known);
    let other = other.map(|(other, verdict)| {
        let score = theirs.as_ref().and_then(|theirs| exam.score(theirs));
        let score = score.map(|score| Score { distances: other.far_off(&photos, &known), ..score });
        Other { model: other.answers.model.clone(), score, verdict }
    });
    let left_out = known.photos.len() - exam.kept.len();
    let given = on_gifts(&config, &model, rival, &cache).await?;
    let sitting = Sitting { core: &model.core, answers: &own, photos: &known.photos, exam: &exam };
    let towns = photos::towns_as_known(towns, &own.labels);
    let portrait = portray(sitting, score, source, &towns).await?;
    let drawn_world = model.core.manifest().provenance.is_drawn_world();
    let report = Report { lang, portrait, drawn_world, other, left_out, given };
    // A quick look at some photos says less than what is there.
    if options.photos.is_none() {
        keep(&config, options.model.as_deref(), &report.portrait)?;
    }
    let judgement = judgement(&report);
    write(&report, &judgement, &options.out)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&judgement)?);
    } else if options.progress {
        println!("{}", serde_json::to_string(&judgement)?);
    } else {
        print(&report, lang, &options.out);
    }
    Ok(ExitCode::SUCCESS)
}

/// Judges both models on the photos that people gave; `None` when there are none that can be read.
async fn on_gifts(
    config: &Config,
    model: &Asked,
    against: Option<&Asked>,
    cache: &Path,
) -> anyhow::Result<Option<Given>> {
    let photos = photos::as_known(&super::gifts::test_photos(config).await?, &model.answers.labels).photos;
    let ours = answers(&model.core, &photos, cache, &mut |_| {}).await?;
    let theirs = match against {
        Some(other) => Some(answers(&other.core, &photos, cache, &mut |_| {}).await?),
        None => None,
    };
    let models: Vec<&Answers> = [Some(&ours), theirs.as_ref()].into_iter().flatten().collect();
    let exam = Exam::new(&photos, &models);
    let Some(score) = exam.score(&ours) else { return Ok(None) };
    let against = theirs.as_ref().and_then(|theirs| exam.score(theirs));
    Ok(Some(Given { score, against, left_out: photos.len() - exam.kept.len() }))
}

/// What a model is judged by.
struct Test {
    photos: Vec<TestPhoto>,
    source: Source,
    towns: Vec<PlacedTown>,
}

fn test_photos(options: &Evaluate) -> anyhow::Result<Test> {
    let mut test = if options.data == Path::new("drawn") {
        Test { photos: drawn_photos(), source: Source::Drawn, towns: photos::drawn_towns(&World::load()) }
    } else {
        // A report may be shown to others, whom the rest of the path does not concern.
        let name = options.data.file_name().unwrap_or(options.data.as_os_str());
        let source = Source::Folder(name.to_string_lossy().into_owned());
        Test {
            photos: photos::folder(&options.data, Split::Test)?,
            source,
            towns: photos::folder_towns(&options.data)?,
        }
    };
    if let Some(most) = options.photos {
        test.photos.truncate(most as usize);
    }
    Ok(test)
}

/// Leaves the portrait beside the model, for `/gallery`, `/confusions` and `/atlas`; that of the built-in model is built
/// in as well.
fn keep(config: &Config, model: Option<&Path>, portrait: &Portrait) -> anyhow::Result<()> {
    let home = match model {
        Some(folder) => Some(folder.to_owned()),
        None => super::models_settings(config).home_of(&portrait.model.sha256)?,
    };
    match home {
        Some(home) => {
            // A model that may only be read is judged all the same.
            if let Err(error) = portrait.write(&home) {
                tracing::warn!(%error, "/gallery, /confusions and /atlas will not show this judgement");
            }
        }
        None => tracing::info!("the built-in model keeps the judgement that it was built with"),
    }
    Ok(())
}

/// The test photos of the built-in model's report.
pub(super) fn drawn_photos() -> Vec<TestPhoto> {
    drawn_of(&Arc::new(World::load()), Split::Test, drawn::Amount::FULL.test)
}

/// So many photos of a split, the areas in turn; those of fewer are the first of those of more.
pub(super) fn drawn_photos_of(split: Split, count: usize) -> Vec<TestPhoto> {
    let world = Arc::new(World::load());
    let mut photos = drawn_of(&world, split, count.div_ceil(world.areas().len()));
    photos.truncate(count);
    photos
}

fn drawn_of(world: &Arc<World>, split: Split, per_area: usize) -> Vec<TestPhoto> {
    photos::drawn(world, drawn::split_photos(world, SEED, split, per_area))
}

/// Where answers are remembered when nothing else is said (XDG Base Directory Specification).
pub(super) fn cache_folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set: name a folder with --cache")?.join("kokodoko"))
}

/// Asks a model, with progress in the log; `tell` hears of each photo.
pub(super) async fn answers(
    core: &Core,
    photos: &[TestPhoto],
    cache: &Path,
    tell: &mut (dyn FnMut(usize) + Send),
) -> anyhow::Result<Answers> {
    let (name, all) = (core.identity().name.clone(), photos.len());
    let mut progress = |done: usize| {
        if done.is_multiple_of(PROGRESS) || done == all {
            tracing::info!(model = name, done, of = all, "asking");
        }
        tell(done);
    };
    Ok(ask(core, photos, Some(cache), &mut progress).await?)
}

/// What `report.json` says.
fn judgement(report: &Report) -> Judgement {
    let against = |other: &Other| Against {
        model: other.model.clone(),
        score: other.score.clone(),
        verdict: other.verdict.clone(),
    };
    Judgement {
        model: report.portrait.model.clone(),
        score: report.portrait.score.clone(),
        left_out: report.left_out,
        given: report.given.clone().map(Box::new),
        against: report.other.as_ref().map(against),
    }
}

/// `report.html`, `report.json` and the pictures for chats.
fn write(report: &Report, judgement: &Judgement, out: &Path) -> anyhow::Result<()> {
    let mut files = vec![
        ("report.html".to_owned(), html(report).into_bytes()),
        ("report.json".to_owned(), serde_json::to_vec_pretty(judgement)?),
    ];
    let pictures = picture::judged::all(report.lang, judgement).into_iter();
    files.extend(pictures.map(|(name, _, png)| (format!("{name}.png"), png)));
    files.extend(insight::overviews(report.lang, &report.portrait).into_iter().map(|p| (p.name, p.bytes)));
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    for (name, bytes) in files {
        let path = out.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn print(report: &Report, lang: Lang, out: &Path) {
    println!("{}", words::title(lang, &report.portrait.model));
    println!("{}\n", words::photos(lang, report.portrait.score.photos, report.portrait.score.places));
    if report.left_out > 0 {
        println!("{}\n", words::left_out(lang, report.left_out));
    }
    print_lines(&words::table(lang, &report.portrait.score));
    if let Some(distances) = &report.portrait.score.distances {
        println!("\n{}", words::distances_note(lang, distances));
    }
    println!();
    for area in &report.portrait.score.areas {
        let interval = words::interval(lang, area.interval.0, area.interval.1);
        let name = crate::chat::text::area(lang, &area.area);
        println!("{:>8}  {name}  ({interval})", words::share(f64::from(area.recall)));
    }
    if let Some(Given { score, .. }) = &report.given {
        println!("\n{}\n{}\n", words::word(lang, words::Word::Given), words::given(lang, score.photos, score.places));
        print_lines(&words::short_table(lang, score));
    }
    if let Some(Other { verdict, .. }) = &report.other {
        println!("\n{}\n{}", words::decision(lang, verdict), words::only(lang, verdict));
        if let Measured::Distance(by) = &verdict.measured {
            println!("\n{}\n", words::by_distance_note(lang, verdict));
            for (model, distances) in
                [(&verdict.candidate, &by.candidate_distances), (&verdict.live, &by.live_distances)]
            {
                println!("{}", words::name(model));
                print_lines(&words::far_off(lang, distances));
            }
        }
    }
    println!("\n{}", out.join("report.html").display());
}

fn print_lines(lines: &[words::Line]) {
    for line in lines {
        let interval = line.interval.as_ref().map(|interval| format!("  ({interval})")).unwrap_or_default();
        println!("{:>8}  {}{interval}", line.value, line.figure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::collect::gifts::{Gifts, Parcel, Placed};
    use crate::domain::{Coordinate, Platform, UserRef};
    use crate::infer::manifest::{Manifest, ModelFiles};
    use crate::world::photo::photos as specs;

    /// An exported dataset: a small photo of each area, in a place of the test split, and a broken one.
    fn export(folder: &Path) {
        let world = World::load();
        let mut table = "file_name,area,town,split,attribution\n".to_owned();
        for (i, spec) in specs(&world, 3, &[Split::Test], 1).enumerate() {
            let photo = spec.sized(96, 96).shoot(&world);
            std::fs::write(folder.join(format!("{i}.jpg")), photo.jpeg).unwrap();
            let area = &world.areas()[photo.area].area;
            table.push_str(&format!("{i}.jpg,{area},{},test,drawn by kokodoko\n", photo.panorama.town));
        }
        std::fs::write(folder.join("broken.jpg"), "no picture").unwrap();
        table.push_str("broken.jpg,東京都港区,赤坂一丁目,test,\n");
        std::fs::write(folder.join("metadata.csv"), table).unwrap();
    }

    fn options(folder: &Path) -> Evaluate {
        Evaluate {
            model: None,
            against: None,
            data: folder.to_owned(),
            out: folder.join("report"),
            json: false,
            progress: false,
            attended: false,
            photos: None,
            similar: false,
            cache: Some(folder.join("cache")),
            lang: Some("en".to_owned()),
        }
    }

    #[tokio::test]
    async fn the_judgement_is_kept_beside_the_model() {
        let folder = tempfile::tempdir().unwrap();
        export(folder.path());
        let model = folder.path().join("model");
        std::fs::create_dir(&model).unwrap();
        for name in ["model.onnx", "index.bin", "street.bin", "manifest.toml"] {
            std::fs::copy(
                Path::new(env!("CARGO_MANIFEST_DIR")).join("models/drawn-world").join(name),
                model.join(name),
            )
            .unwrap();
        }
        let config = || Config::load(None, std::iter::empty()).unwrap();
        let some = Evaluate { model: Some(model.clone()), photos: Some(2), ..options(folder.path()) };
        run(config(), some).await.unwrap();
        assert_eq!(Portrait::read(&model).unwrap(), None, "a quick look at some photos is not kept");
        run(config(), Evaluate { model: Some(model.clone()), ..options(folder.path()) }).await.unwrap();
        let kept = Portrait::read(&model).unwrap().expect("it was judged");
        assert_eq!((kept.score.photos, kept.most_like.len()), (7, 7));
        assert_eq!(kept.towns.iter().map(|town| town.photos).sum::<usize>(), 7);
        assert_eq!(kept.most_like[0].photos[0].credit.as_deref(), Some("drawn by kokodoko"));
    }

    /// Two people's drawings of two areas, given as test photos, and one whose file is gone.
    async fn give(config: &Config, world: &World) {
        let store = crate::app::store(config).await.unwrap();
        let folder = config.gifts.as_ref().unwrap();
        let gifts = Gifts::new(store.clone(), folder, Vec::new(), Arc::new(SystemClock));
        for (id, spec) in (0..).zip(specs(world, 9, &[Split::Test], 1).take(3)) {
            let photo = spec.sized(96, 96).shoot(world);
            let at = Coordinate { lat: 35.0 + id as f64, lng: 139.0 };
            let parcel =
                Parcel { placed: Placed { area: world.areas()[photo.area].clone(), at }, jpeg: photo.jpeg.into() };
            gifts.keep(&UserRef { platform: Platform::Telegram, id }, id, &parcel).await.unwrap();
        }
        std::fs::remove_file(&gifts.all().await.unwrap()[2].path).unwrap();
        store.close().await;
    }

    #[tokio::test]
    async fn photos_that_people_gave_are_judged_apart() {
        let folder = tempfile::tempdir().unwrap();
        export(folder.path());
        let home = folder.path().join("home");
        let variables =
            [("KOKODOKO_GIFTS__FOLDER", home.join("gifts")), ("KOKODOKO_QUIZ__DATABASE", home.join("kokodoko.sqlite"))];
        let variables = variables.map(|(name, path)| (name.to_owned(), path.display().to_string()));
        let config = || Config::load(None, variables.clone()).unwrap();
        std::fs::create_dir(&home).unwrap();
        give(&config(), &World::load()).await;
        let options = Evaluate { against: Some("live".into()), ..options(folder.path()) };
        assert_eq!(run(config(), options).await.unwrap(), ExitCode::SUCCESS);
        let out = folder.path().join("report");
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
        let given = &json["given"];
        assert_eq!((&given["score"]["photos"], &given["left_out"]), (&2.into(), &1.into()));
        assert_eq!(given["score"], given["against"], "the live model is the built-in one as well");
        assert_eq!((&json["score"]["photos"], &json["left_out"]), (&7.into(), &1.into()), "they do not mix");
        let page = std::fs::read_to_string(out.join("report.html")).unwrap();
        assert!(page.contains(&words::word(Lang::En, words::Word::Given)));
    }

    #[tokio::test]
    async fn cells_are_judged_by_positions_and_errors_are_in_kilometres() {
        let folder = tempfile::tempdir().unwrap();
        let world = World::load();
        let files = ModelFiles::built_in().unwrap();
        let mut manifest = Manifest { index: None, street: None, ..files.manifest };
        let mut table = "file_name,lat,lng,town,split\n".to_owned();
        for (i, spec) in specs(&world, 3, &[Split::Test], 1).enumerate() {
            let photo = spec.sized(96, 96).shoot(&world);
            std::fs::write(folder.path().join(format!("{i}.jpg")), photo.jpeg).unwrap();
            let (at, town) = (photo.panorama.position, photo.panorama.town);
            table.push_str(&format!("{i}.jpg,{},{},{town},test\n", at.lat, at.lng));
            // The first photo lies in no cell.
            manifest.labels[photo.area].cell = (i > 0).then(|| crate::domain::Geocell::of(at, 12));
        }
        std::fs::write(folder.path().join("metadata.csv"), &table).unwrap();
        let model = folder.path().join("model");
        std::fs::create_dir(&model).unwrap();
        std::fs::write(model.join("model.onnx"), &files.onnx).unwrap();
        std::fs::write(model.join("manifest.toml"), toml::to_string(&manifest).unwrap()).unwrap();
        let config = || Config::load(None, std::iter::empty()).unwrap();
        run(config(), Evaluate { model: Some(model.clone()), ..options(folder.path()) }).await.unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join("report").join(name)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
        let (score, distances) = (&json["score"], &json["score"]["distances"]);
        assert_eq!([&score["photos"], &distances["photos"], &distances["outside"]], [6, 7, 1]);
        assert!(
            distances["within"][4]["value"].as_f64().is_some_and(|share| share == 1.0),
            "all of Japan: {distances}"
        );
        assert!(
            read("report.html").contains("GeoScore") && read("report.html").contains("1 of them outside all cells")
        );
        let against =
            || Evaluate { model: Some(model.clone()), against: Some("live".into()), ..options(folder.path()) };
        run(config(), against()).await.unwrap();
        let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
        let (against_it, verdict) = (&json["against"], &json["against"]["verdict"]);
        assert_eq!(
            ([&verdict["photos"], &verdict["places"]], &against_it["score"]),
            ([7, 7].map(Into::into).each_ref(), &serde_json::Value::Null)
        );
        assert!(verdict["geoscore_difference"]["low"].is_f64() && verdict["macro_recall_difference"].is_null());
        assert_eq!(verdict["candidate_distances"]["outside"], 1);
        assert_ne!(verdict["geoscore_difference"]["value"], 0.0, "cells lie elsewhere than the photos of an index");
        let page = read("report.html");
        assert!(page.contains("Compared by distance") && page.contains("id=\"by-distance\""));
        std::fs::write(folder.path().join("metadata.csv"), table.lines().take(6).collect::<Vec<_>>().join("\n"))
            .unwrap();
        let error = run(config(), against()).await.unwrap_err().to_string();
        assert!(error.contains("come from 5 places"), "{error}");
    }

    #[tokio::test]
    async fn a_model_is_not_better_than_itself() {
        let folder = tempfile::tempdir().unwrap();
        export(folder.path());
        let out = folder.path().join("report");
        let options = Evaluate { against: Some("live".into()), ..options(folder.path()) };
        let config = Config::load(None, std::iter::empty()).unwrap();
        assert_eq!(run(config, options).await.unwrap(), ExitCode::SUCCESS);
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
        let verdict = &json["against"]["verdict"];
        assert_eq!((&verdict["decision"], &verdict["photos"]), (&"not-better".into(), &7.into()));
        assert_eq!((&json["left_out"], &json["score"]["photos"]), (&1.into(), &7.into()));
        assert_eq!(verdict["macro_recall_difference"]["high"], 0.0);
        let page = std::fs::read_to_string(out.join("report.html")).unwrap();
        assert!(page.contains("is not shown to be better than") && page.contains("drawn by kokodoko"));
        assert!(page.matches("data:image/jpeg;base64,/9j/").count() >= 2 * 7 * 7, "seven photos of each area, twice");
        assert!(image::open(out.join("gallery.jpg")).is_ok());
        for picture in ["curve.png", "confusion.png", "recall.png", "reliability.png", "difference.png"] {
            assert!(image::open(out.join(picture)).is_ok(), "{picture}");
        }
    }
}
