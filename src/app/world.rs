//! `world …`: photos and services of the drawn world.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use crate::cli;
use crate::config::Config;
use crate::domain::{Coordinate, Split};
use crate::judge::pointing;
use crate::world::tag::with_position;
use crate::world::{World, Written, photo, serve, sheet};

/// Side of a picture on the contact sheet, pixels.
const SHEET_SIDE: u32 = 320;
/// Photos between two lines of progress.
const PROGRESS: usize = 100;

/// Runs a command of the drawn world.
pub(super) fn run(config: Config, command: cli::World) -> anyhow::Result<ExitCode> {
    let world = World::load();
    match command {
        cli::World::Heatmaps(options) => return super::block_on(measure_heatmaps(config, options)),
        cli::World::Outliers(options) => return super::block_on(super::outliers::run(config, options)),
        cli::World::Serve { bind } => return super::block_on(serve_services(world, bind)),
        cli::World::Render(options) => render(&world, &options)?,
        cli::World::Sheet { out, columns, seed } => write_sheet(&world, &out, columns as usize, seed)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn render(world: &World, options: &cli::Render) -> anyhow::Result<()> {
    let written = photo::render_to(world, &options.out, options.count as usize, options.seed, &[options.split])?;
    if options.positions {
        tag_positions(&written).with_context(|| format!("cannot write positions into {}", options.out.display()))?;
    }
    println!("{} photos in {}, the truth in {}", written.photos.len(), options.out.display(), written.truth.display());
    Ok(())
}

/// Writes positions from the table of the truth into the files.
fn tag_positions(written: &Written) -> anyhow::Result<()> {
    let mut table = csv::Reader::from_path(&written.truth)?;
    for (path, row) in written.photos.iter().zip(table.deserialize()) {
        let position: Coordinate = row?;
        std::fs::write(path, with_position(&std::fs::read(path)?, position))?;
    }
    Ok(())
}

/// A row of photos for each area, from towns of every split.
fn write_sheet(world: &World, out: &Path, columns: usize, seed: u64) -> anyhow::Result<()> {
    let picture = sheet::sheet_of_areas(world, seed, &Split::ALL, columns, SHEET_SIDE);
    picture.save(out).with_context(|| format!("cannot write {}", out.display()))?;
    let rows: Vec<&str> = world.areas().iter().map(|area| area.area.as_str()).collect();
    println!("{}: rows from the top: {}", out.display(), rows.join(", "));
    Ok(())
}

/// How often the heatmaps point at the fence; the first photos of the test towns are those of the built-in model's report.
async fn measure_heatmaps(config: Config, options: cli::Heatmaps) -> anyhow::Result<ExitCode> {
    let core = super::core_of(&config, options.model.as_deref()).await?;
    let drawn = super::evaluate::drawn_photos_of(options.split, options.photos as usize);
    let of = drawn.len();
    let told = |done: usize| {
        if done.is_multiple_of(PROGRESS) {
            tracing::info!(done, of, "pointing");
        }
    };
    let found = pointing(&core, &drawn, told).await?;
    anyhow::ensure!(found.all.is_some(), "no photo shows a fence and is answered rightly");
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(ExitCode::SUCCESS)
}

/// Answers as the services do, until a signal to stop.
async fn serve_services(world: World, bind: SocketAddr) -> anyhow::Result<ExitCode> {
    let stop = super::stop_on_signal()?;
    serve::run(bind, Arc::new(world), async move { stop.cancelled().await }).await?;
    Ok(ExitCode::SUCCESS)
}
