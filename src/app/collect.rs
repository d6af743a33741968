//! `collect`: what a plan comes to.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::language::language;
use crate::chat::{Lang, plan, text};
use crate::cli::Collect;
use crate::clock::SystemClock;
use crate::collect::survey::{Planned, Planner};
use crate::collect::wish::Wish;
use crate::config::Config;

/// Prints the table of the plan, and draws its map.
pub(super) async fn run(config: Config, options: Collect) -> anyhow::Result<ExitCode> {
    let lang = language(options.lang.as_deref())?;
    let planner = Planner::new(config.collect, Arc::new(SystemClock))?;
    let wish = Wish { source: options.source, areas: options.areas, points: options.points };
    let planned = planner.plan(&wish).await?;
    println!("{}", text::collect::plan_table(lang, &planned.estimate));
    if let Some(file) = &options.map {
        draw(lang, planned, file).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn draw(lang: Lang, planned: Planned, file: &Path) -> anyhow::Result<()> {
    let reply = plan::reply(lang, planned.plan, &planned.estimate).await;
    let picture = reply.picture.context("the map could not be drawn; the log says why")?;
    std::fs::write(file, picture.bytes).with_context(|| format!("cannot write {}", file.display()))
}
