//! `predict`: photos from files, answers on standard output.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::language::language;
use crate::chat::text::{self, Lang};
use crate::chat::{why, wish};
use crate::cli::Predict;
use crate::config::Config;
use crate::front::json::{Answer, Entry, Failure};
use crate::infer::{Core, LocateError, Located};

/// Why a photo has no answer, in the words for users.
struct Fault {
    code: String,
    message: String,
}

/// Answers every photo, also after a bad one, whose error stands in its place; the exit status is then 1.
pub(super) async fn run(config: Config, options: Predict) -> anyhow::Result<ExitCode> {
    let lang = language(options.lang.as_deref())?;
    if options.heatmap.is_some() && options.photos.len() != 1 {
        bail!("--heatmap takes one photo, not {}: run predict once for each", options.photos.len());
    }
    let core = super::core(&config).await?;
    let mut entries = Vec::new();
    let mut faults = 0;
    for path in &options.photos {
        let answered = answer(&core, path, lang).await;
        faults += usize::from(answered.is_err());
        if let (Ok(located), Some(out)) = (&answered, &options.heatmap) {
            write_heatmap(located, options.why_not.as_deref(), lang, out)?;
        }
        if options.json {
            entries.push(entry(answered, usize::from(options.top)));
        } else {
            print_answer(path, answered, usize::from(options.top), lang);
        }
    }
    if options.json {
        print_json(entries)?;
    }
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn answer(core: &Core, path: &Path, lang: Lang) -> Result<Located, Fault> {
    let limit = core.limits().max_bytes;
    let bytes = read(path, limit).map_err(|error| Fault {
        code: "unreadable".to_owned(),
        message: text::file_unreadable(lang, &path.display().to_string(), &error.to_string()),
    })?;
    core.locate(bytes).await.map_err(|error| {
        if let LocateError::Failed(detail) = &error {
            tracing::error!(detail, "inference failed");
        }
        Fault { code: error.code().to_owned(), message: text::locate_error(lang, &error) }
    })
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

fn entry(answered: Result<Located, Fault>, top: usize) -> Entry {
    match answered {
        Ok(located) => Entry::Answer(Answer::from(&located).top(top)),
        Err(fault) => Entry::Failure(Failure::with_code(&fault.code, fault.message)),
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

fn print_answer(path: &Path, answered: Result<Located, Fault>, top: usize, lang: Lang) {
    println!("{}", path.display());
    match answered {
        Ok(located) => {
            println!("{}", text::headline(lang, &located.prediction));
            println!("{}", text::bars(lang, &located.prediction, top));
            if located.manifest.provenance.is_drawn_world() {
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
    let picture = why::heatmap(lang, &located.prediction, &located.explanation, label);
    image::load_from_memory(&picture)
        .expect("we encoded it")
        .save(out)
        .with_context(|| format!("cannot write the heatmap to {} (name it .png or .jpg)", out.display()))
}
