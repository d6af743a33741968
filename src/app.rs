//! The composition root: it sees every layer, and nothing imports it.

mod attend;
mod backup;
pub mod bureau;
mod check;
mod collect;
mod collecting;
mod data;
mod demo;
pub mod doctor;
mod evaluate;
mod gifts;
mod head;
mod health;
mod index;
mod language;
mod logging;
mod models;
mod outliers;
mod play;
mod predict;
mod quiz;
mod serve;
mod train;
pub mod training;
mod versus;
mod world;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::chat::Insight;
use crate::cli::{Cli, Command};
use crate::collect::borders::Grounds;
use crate::config::Config;
use crate::infer::Core;
use crate::infer::manifest::ModelFiles;
use crate::infer::onnx::Choice;
use crate::models::{Portraits, Settings, Shelf};
use crate::store::Store;

/// Runs the program to its exit status: 0 when all went well.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kokodoko: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let backend = cli.command.as_ref().and_then(Command::backend);
    let backend = backend.map(|name| ("KOKODOKO_INFER__BACKEND".to_owned(), name.to_owned()));
    let mut config = Config::load(cli.config.as_deref(), std::env::vars().chain(backend))?;
    logging::start(&config.log)?;
    if let Some(auto) = &config.auto {
        let Choice { backend, reason } = auto.choose();
        tracing::info!(%backend, reason, "backend chosen");
        config.infer.backend = backend;
    }
    let file = cli.config;
    match cli.command.unwrap_or(Command::Demo(crate::cli::Demo::default())) {
        Command::Demo(options) => block_on(demo::run(config, options)),
        Command::Serve(_) => block_on(serve::run(config, file)),
        Command::Predict(options) => block_on(predict::run(config, options)),
        Command::Quiz(options) => block_on(play::run(config, options)),
        Command::Scores(options) => block_on(play::scores(config, options)),
        Command::Evaluate(options) => block_on(evaluate::run(config, options)),
        Command::Collect(options) => block_on(collect::run(config, options)),
        Command::Train(options) => train::run(&config, &options),
        Command::Models(command) => block_on(models::run(config, command)),
        Command::Data(command) => block_on(data::run(config, command)),
        Command::World(command) => world::run(config, command),
        Command::Backup { out } => block_on(backup::save(config, &out)),
        Command::Restore { from } => block_on(backup::bring_back(config, &from)),
        Command::Doctor => block_on(doctor::run(config)),
        Command::Health => block_on(health::run(config)),
        Command::CheckConfig => block_on(check::run(config)),
        Command::ExportReference { out, steps, weights } => train::export_reference(&out, steps, weights.as_deref()),
    }
}

/// Runs asynchronous work on all cores.
fn block_on(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(work)
}

/// The live model, loaded and running. Without a database none was ever promoted: one is not made for that.
async fn core(config: &Config) -> anyhow::Result<Core> {
    let files = if config.database.exists() {
        let shelf = shelf(config, store(config).await?);
        let (_, files) = shelf.live().await?;
        shelf.store().close().await;
        files
    } else {
        models_settings(config).configured_files()?
    };
    let core = Core::start(&files, &config.infer)?;
    announce(&core);
    Ok(core)
}

/// The model in a folder, running, or the live one.
async fn core_of(config: &Config, folder: Option<&Path>) -> anyhow::Result<Core> {
    match folder {
        Some(folder) => Ok(Core::start(&ModelFiles::read(folder)?, &config.infer)?),
        None => core(config).await,
    }
}

fn models_settings(config: &Config) -> Settings {
    Settings { folder: config.models_folder.clone(), configured: config.model.clone() }
}

/// What is shown of the live model.
fn insight(config: &Config) -> Insight {
    Insight::new(Portraits::new(models_settings(config)), grounds(config))
}

/// Where borders are from.
fn grounds(config: &Config) -> Grounds {
    Grounds { file: config.collect.borders_file.clone(), regions: config.collect.regions.clone() }
}

/// The models of this configuration.
fn shelf(config: &Config, store: Store) -> Shelf {
    Shelf::new(models_settings(config), store)
}

fn announce(core: &Core) {
    let (model, drawn) = (core.identity(), core.manifest().provenance.is_drawn_world());
    tracing::info!(model = model.name, version = model.version, backend = model.backend, drawn, "model ready");
}

/// The configured database, up to date.
async fn store(config: &Config) -> anyhow::Result<Store> {
    let store = Store::open(&config.database).await?;
    tracing::info!(file = %config.database.display(), "database ready");
    Ok(store)
}

/// A token that is cancelled at the first interrupt or termination signal; the second ends the program.
fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    tokio::spawn(async move {
        for second in [false, true] {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            if second {
                tracing::warn!("second signal: stopping at once");
                std::process::exit(130);
            }
            tracing::info!("stopping: running answers are finished first");
            stopper.cancel();
        }
    });
    Ok(stop)
}
