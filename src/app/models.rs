//! `models`: which there are, which is better, and which is live.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::language::language;
use super::versus::{self, Asked};
use super::{evaluate, index};
use crate::chat::insight::About;
use crate::chat::text::models as words;
use crate::cli::{Models, Show};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::domain::metrics::Interval;
use crate::infer::Core;
use crate::infer::index::kin::Voting;
use crate::infer::manifest::{Indexed, ModelFiles};
use crate::infer::triton::export;
use crate::judge::{Measured, Verdict};
use crate::models::{ModelsError, Registry, Shelf, Wanted};
use crate::store::promotions::Promotion;
use crate::train::drawn;

/// Who acts, in the history of the models.
const ACTOR: &str = "terminal";

/// Carries out one of them. A bot that runs on the same database follows within a second.
pub(super) async fn run(config: Config, command: Models) -> anyhow::Result<ExitCode> {
    let shelf = super::shelf(&config, super::store(&config).await?);
    let store = shelf.store().clone();
    match command {
        Models::List { lang } => println!("{}", words::list(language(lang.as_deref())?, &shelf.list().await?)),
        Models::Compare { name } => print_verdict(&name, &judged(&config, &shelf, &name).await?),
        Models::Promote { name, force } => {
            let wanted = match force {
                Some(reason) => Wanted::Forced(reason),
                None => Wanted::Better(Box::new(known_or_judged(&config, &shelf, &name).await?)),
            };
            print_live(&registry(&config, shelf).await?.promote(&name, wanted, ACTOR).await?);
        }
        Models::Gallery { area, show: options } => {
            show(&config, &shelf, About::Gallery(area.unwrap_or_default()), &options).await?;
        }
        Models::Confusions { show: options } => show(&config, &shelf, About::Confusions, &options).await?,
        Models::Atlas { area, show: options } => {
            show(&config, &shelf, About::Atlas(area.unwrap_or_default()), &options).await?;
        }
        Models::Index { name, data, seed, per_area } => {
            let choice = index::Choice {
                data: data.as_deref(),
                seed,
                per_area: per_area as usize,
                validation: drawn::Amount::FULL.validation,
            };
            let (home, cache) = (shelf.home(&name)?, evaluate::cache_folder()?);
            let indexed = index::make(&config.infer, &home, choice, &cache, &mut said).await?;
            print_indexed(&name, &indexed);
        }
        Models::Export { name, triton } => {
            let files = match name {
                Some(name) => shelf.read(&name)?,
                None => shelf.live().await?.1,
            };
            println!("{}", export(&files, config.infer.max_batch, &triton)?.display());
        }
        Models::Rollback => print_live(&Registry::put_back(&shelf, &SystemClock, &config.infer, ACTOR).await?),
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Writes the pictures that the chats show, and prints their words.
async fn show(config: &Config, shelf: &Shelf, about: About, options: &Show) -> anyhow::Result<()> {
    let lang = language(options.lang.as_deref())?;
    let (_, live) = shelf.live().await?;
    let reply = super::insight(config).show(lang, &live.manifest, about).await;
    let pictures: Vec<_> = reply.picture.into_iter().chain(reply.album).collect();
    if pictures.is_empty() {
        bail!("{}", reply.text);
    }
    println!("{}\n", reply.text);
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make the folder {}", options.out.display()))?;
    for picture in pictures {
        let path = options.out.join(&picture.name);
        std::fs::write(&path, picture.bytes).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

async fn registry(config: &Config, shelf: Shelf) -> Result<Registry, ModelsError> {
    Registry::open(shelf, Arc::new(SystemClock), &config.infer).await
}

/// The comparison that was made with the model that is live now, or a new one.
async fn known_or_judged(config: &Config, shelf: &Shelf, name: &str) -> anyhow::Result<Verdict> {
    let (_, live) = shelf.live().await?;
    match shelf.verdict(name) {
        Ok(verdict) if verdict.live.sha256 == live.manifest.sha256 => Ok(verdict),
        Ok(_) | Err(ModelsError::NoVerdict(_)) => {
            let verdict = judged(config, shelf, name).await?;
            print_verdict(name, &verdict);
            Ok(verdict)
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks both models about the same photos, and keeps what comes of it beside the candidate.
async fn judged(config: &Config, shelf: &Shelf, name: &str) -> anyhow::Result<Verdict> {
    let (photos, cache) = (evaluate::drawn_photos(), evaluate::cache_folder()?);
    let grounds = super::grounds(config);
    let asked = async |files: &ModelFiles| {
        Asked::new(Core::start(files, &config.infer)?, &photos, &cache, &grounds, &mut |_| {}).await
    };
    let (candidate, live) = (asked(&shelf.read(name)?).await?, asked(&shelf.live().await?.1).await?);
    let verdict = versus::verdict(&candidate, &live, &photos)?;
    shelf.note_verdict(name, &verdict)?;
    Ok(verdict)
}

fn print_verdict(name: &str, verdict: &Verdict) {
    let Interval { low, value, high } = verdict.measured.deciding();
    let (figure, scale) = match verdict.measured {
        Measured::Names(_) => ("macro recall", 100.0),
        Measured::Distance(_) => ("by distance, since their areas differ: GeoScore", 1.0),
    };
    let points = |difference: &f64| format!("{:+.1}", difference * scale);
    println!(
        "{name} {} {} against {} {} on {} photos of {} places: {figure} {} points (95 %: {} to {}): {}",
        verdict.candidate.name,
        verdict.candidate.version,
        verdict.live.name,
        verdict.live.version,
        verdict.photos,
        verdict.places,
        points(value),
        points(low),
        points(high),
        if verdict.better { "better" } else { "not shown to be better" },
    );
}

fn said(done: usize, of: usize) {
    if done.is_multiple_of(400) || done == of {
        tracing::info!(done, of, "indexing");
    }
}

fn print_indexed(name: &str, indexed: &Indexed) {
    let Voting { neighbours, share, .. } = indexed.voting;
    println!("{name}: {} photos indexed; the {neighbours} nearest vote, with a share of {share:.2}", indexed.photos);
}

fn print_live(promotion: &Promotion) {
    println!("{} {} is live", promotion.candidate.name, promotion.candidate.version);
}
