//! `collect`: what a plan comes to, and the collecting itself.

mod show;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::language::language;
use crate::chat::{Lang, plan, text};
use crate::cli::Collect;
use crate::clock::{SharedClock, SystemClock};
use crate::collect::run::Run;
use crate::collect::survey::{Planned, Planner};
use crate::collect::wish::Wish;
use crate::config::Config;
use crate::store::Store;

/// Prints the table of the plan and draws its map, then collects unless that was all that was asked for.
pub(super) async fn run(config: Config, options: Collect) -> anyhow::Result<ExitCode> {
    let lang = language(options.lang.as_deref())?;
    let clock: SharedClock = Arc::new(SystemClock);
    let mut planner = Planner::new(config.collect, clock.clone())?;
    // A plan alone leaves no database behind.
    let store =
        if options.dry_run && !config.database.exists() { None } else { Some(Store::open(&config.database).await?) };
    if let Some(store) = &store {
        planner = planner.learning_from(store.clone());
    }
    let wish = Wish { source: options.source, areas: options.areas, points: options.points };
    let planned = match planner.plan(&wish).await {
        Ok(planned) => planned,
        Err(why) => anyhow::bail!("{}", text::collecting::no_plan(lang, &why)),
    };
    println!("{}", text::collect::plan_table(lang, &planned.estimate));
    if let Some(file) = &options.map {
        draw(lang, planned.clone(), file).await?;
    }
    match store {
        Some(store) if !options.dry_run => collect(lang, planned, store, clock).await,
        Some(store) => {
            store.close().await;
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

async fn draw(lang: Lang, planned: Planned, file: &Path) -> anyhow::Result<()> {
    let reply = plan::reply(lang, planned.plan, &planned.estimate).await;
    let picture = reply.picture.context("the map could not be drawn; the log says why")?;
    std::fs::write(file, picture.bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// Collects until everything is there or a signal comes; pictures that are on their way then are waited for.
async fn collect(lang: Lang, planned: Planned, store: Store, clock: SharedClock) -> anyhow::Result<ExitCode> {
    let Planned { settings, plan, .. } = planned;
    let currency = settings.money.currency.clone();
    let stop = super::stop_on_signal()?;
    let outcome = match Run::begin(&settings, plan, store.clone(), clock, stop.child_token()).await {
        Ok(run) => {
            let shown = tokio::spawn(show::watch(lang, run.progress(), currency.clone()));
            let outcome = run.collect().await;
            // Ends with the run, whose progress it shows.
            shown.await?;
            outcome
        }
        Err(why) => Err(why),
    };
    store.close().await;
    match outcome {
        Ok(summary) => println!("{}", text::running::summary(lang, &summary, &currency)),
        Err(why) => anyhow::bail!("{}", text::running::halt(lang, &why, &currency)),
    }
    Ok(ExitCode::SUCCESS)
}
