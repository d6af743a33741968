//! `predict`: photos from files, answers on standard output.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::language::language;
use crate::album::Album;
use crate::chat::gift::{Giving, Outcome};
use crate::chat::map::Map;
use crate::chat::similar::Similar;
use crate::chat::text::{self, Lang};
use crate::chat::{why, wish};
use crate::cli::Predict;
use crate::collect::extents::{Extent, Extents};
use crate::collect::gifts::Placed;
use crate::config::Config;
use crate::front::json::{Answer, Entry, Failure};
use crate::infer::index::kin::{Kin, SecondOpinion};
use crate::infer::{Core, LocateError, Located};

/// Why a photo has no answer, in the words for users.
struct Fault {
    code: String,
    message: String,
}

/// An answer with what the model's index says of it.
struct Told {
    located: Located,
    second: Option<SecondOpinion>,
    /// Where it was asked for.
    similar: Option<Similar>,
    /// Where the photo's file says that it was taken; the answer does not know.
    placed: Option<Placed>,
    /// Where the model's areas lie.
    extents: Arc<Vec<Extent>>,
}

impl Told {
    fn new(located: Located, placed: Option<Placed>, album: Option<&Album>, extents: &Extents) -> Self {
        let kin = located.kin();
        let second = kin.as_ref().and_then(|kin| kin.second_opinion(&located.prediction));
        let find = |(kin, album): (&Kin, &Album)| Similar::find(kin, &located.prediction, second.clone(), album);
        let similar = kin.as_ref().zip(album).map(find);
        let extents = extents.of(&located.manifest, located.index.as_deref());
        Self { located, second, similar, placed, extents }
    }

    fn map(&self) -> Option<Map<'_>> {
        Map::of(&self.located.prediction, &self.extents)
    }
}

/// Answers every photo, also after a bad one, whose error stands in its place; the exit status is then 1.
pub(super) async fn run(config: Config, options: Predict) -> anyhow::Result<ExitCode> {
    let lang = language(options.lang.as_deref())?;
    let picture = options.similar.as_ref().and_then(Option::as_ref);
    let pictures =
        [("--heatmap", options.heatmap.as_ref()), ("--similar=OUT", picture), ("--map", options.map.as_ref())];
    for (option, out) in pictures {
        if out.is_some() && options.photos.len() != 1 {
            bail!("{option} takes one photo, not {}: run predict once for each", options.photos.len());
        }
    }
    let core = super::core(&config).await?;
    let extents = Extents::new(super::grounds(&config));
    let album = options.similar.is_some().then(|| Album::new(&config.collect.data_folder));
    if album.is_some() && core.manifest().index.is_none() {
        bail!("--similar: {}", text::similar::none(lang));
    }
    let giving = if options.keep { Some(giving(&config, &core).await?) } else { None };
    let mut entries = Vec::new();
    let mut faults = 0;
    for path in &options.photos {
        let answered = answer(&core, giving.as_ref(), path, lang)
            .await
            .map(|(located, placed)| Told::new(located, placed, album.as_ref(), &extents));
        faults += usize::from(answered.is_err());
        if let (Ok(told), Some(out)) = (&answered, &options.heatmap) {
            write_heatmap(&told.located, options.why_not.as_deref(), lang, out)?;
        }
        if let (Ok(told), Some(out)) = (&answered, &options.map) {
            let unknown = "--map: the photo shows no street, or it is not known where the answered area lies (`collect.borders_file`)";
            write(&told.map().context(unknown)?.picture(lang), out)?;
        }
        if let (Ok(Told { located, similar: Some(similar), .. }), Some(out)) = (&answered, picture) {
            let photo = located.explanation.pack().photo().to_vec();
            write(&similar.picture(lang, &located.prediction, photo), out)?;
        }
        if options.json {
            entries.push(entry(&answered, usize::from(options.top)));
        } else {
            print_answer(path, &answered, usize::from(options.top), lang);
        }
        if let (Some(giving), Ok(Told { located, placed, .. })) = (&giving, answered) {
            // Standard output may be JSON.
            if let Some(outcome) = super::gifts::keep(giving, placed, located).await? {
                eprintln!("{}: {}", path.display(), kept(&outcome));
            }
        }
    }
    if options.json {
        print_json(entries)?;
    }
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An answer, and where the photo's file says that it was taken.
type Answered = Result<(Located, Option<Placed>), Fault>;

/// Who keeps photos that are given here.
async fn giving(config: &Config, core: &Core) -> anyhow::Result<Giving> {
    let giving = super::gifts::giving(config, super::store(config).await?, &core.manifest().labels).await?;
    giving.context("--keep: `gifts.ask` is false, so no photos are kept")
}

async fn answer(core: &Core, giving: Option<&Giving>, path: &Path, lang: Lang) -> Answered {
    let limit = core.limits().max_bytes;
    let bytes = read(path, limit).map_err(|error| Fault {
        code: "unreadable".to_owned(),
        message: text::file_unreadable(lang, &path.display().to_string(), &error.to_string()),
    })?;
    let placed = giving.and_then(|giving| giving.look(&bytes));
    let located = core.locate(bytes).await.map_err(|error| {
        if let LocateError::Failed(detail) = &error {
            tracing::error!(detail, "inference failed");
        }
        Fault { code: error.code().to_owned(), message: text::locate_error(lang, &error) }
    })?;
    Ok((located, placed))
}

/// What became of a photo that was given.
fn kept(outcome: &Outcome) -> String {
    match &outcome.kept[..] {
        [placed, ..] => {
            let area = &placed.area.area;
            format!("kept as a test photo of {area}; `kokodoko data gifts --withdraw` deletes it")
        }
        [] if outcome.known > 0 => "is a test photo already".to_owned(),
        [] => "not kept: there are as many of yours as are kept of one person".to_owned(),
    }
}

/// One byte beyond the limit is enough for the core to refuse the file.
fn read(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit as u64 + 1).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn entry(answered: &Result<Told, Fault>, top: usize) -> Entry {
    match answered {
        Ok(told) => {
            let Told { located, second, similar, placed, .. } = told;
            let answer = Answer::from(located).top(top).with_map(told.map(), None).with_second(second.as_ref());
            let answer = answer.with_file_area(placed.as_ref().map(|placed| &placed.area));
            Entry::Answer(Box::new(match similar {
                // The photos are for those who see; the program's caller has the files.
                Some(similar) => answer.with_similar(&similar.shown, false),
                None => answer,
            }))
        }
        Err(fault) => Entry::Failure(Failure::with_code(&fault.code, fault.message.clone())),
    }
}

/// One photo gives an object, several an array.
fn print_json(mut entries: Vec<Entry>) -> anyhow::Result<()> {
    let text = match entries.len() {
        1 => serde_json::to_string_pretty(&entries.remove(0))?,
        _ => serde_json::to_string_pretty(&entries)?,
    };
    println!("{text}");
    Ok(())
}

/// The areas, and what look-alikes say.
fn print_street(told: &Told, top: usize, lang: Lang) {
    let Told { located, second, similar, .. } = told;
    println!("{}", text::bars(lang, &located.prediction, top));
    if let Some(map) = told.map() {
        println!("{}", map.note(lang));
    }
    let words = match similar {
        Some(similar) => Some(similar.words(lang, &located.prediction)),
        None => text::similar::doubt(lang, &located.prediction, second.as_ref()),
    };
    if let Some(words) = words {
        println!("{words}");
    }
}

fn print_answer(path: &Path, answered: &Result<Told, Fault>, top: usize, lang: Lang) {
    println!("{}", path.display());
    match answered {
        Ok(told) => {
            println!("{}", text::headline(lang, &told.located.prediction));
            if told.located.prediction.is_street {
                print_street(told, top, lang);
            }
            if told.located.manifest.provenance.is_drawn_world() {
                println!("{}", text::drawn_world(lang));
            }
        }
        Err(fault) => println!("{}", fault.message),
    }
    println!();
}

/// The picture that the chats show.
fn write_heatmap(located: &Located, why_not: Option<&str>, lang: Lang, out: &Path) -> anyhow::Result<()> {
    let (labels, best) = (&located.manifest.labels, located.prediction.best());
    let other = why_not.map(|name| {
        let known = || labels.iter().map(|label| text::short_area(lang, label)).collect::<Vec<_>>().join(", ");
        wish::find(name, labels).with_context(|| format!("--why-not {name}: the model knows {}", known()))
    });
    let label = other.transpose()?.unwrap_or(best.label);
    write(&why::heatmap(lang, &located.prediction, &located.explanation, label), out)
}

/// Writes a picture as what its name says.
fn write(picture: &[u8], out: &Path) -> anyhow::Result<()> {
    image::load_from_memory(picture)
        .expect("we encoded it")
        .save(out)
        .with_context(|| format!("cannot write the picture to {} (name it .png or .jpg)", out.display()))
}
