//! `demo`: the page, with photos of the drawn world to click on.

use std::process::ExitCode;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::album::Album;
use crate::chat::Post;
use crate::chat::gift::Giving;
use crate::chat::quiz::Table;
use crate::cli::Demo;
use crate::collect::extents::Extents;
use crate::config::Config;
use crate::domain::Split;
use crate::front::web;
use crate::infer::Core;
use crate::store::Store;
use crate::world::{World, photo};

/// Seed of the sample photos.
const SAMPLE_SEED: u64 = 8;

/// Shows the page until a signal to stop.
pub(super) async fn run(config: Config, options: Demo) -> anyhow::Result<ExitCode> {
    let core = super::core(&config).await?;
    let bind = options.bind.unwrap_or(config.web.bind);
    let listener = TcpListener::bind(bind).await.with_context(|| {
        format!("cannot listen on {bind}: another program may use the port; choose one with --bind 127.0.0.1:0")
    })?;
    let url = format!("http://{}/", listener.local_addr()?);
    if options.print_url {
        println!("{url}");
    } else {
        println!("ここどこ? Open {url} in a browser. Ctrl-C stops.");
    }
    let stop = super::stop_on_signal()?;
    let store = store(&config).await;
    let table = table(&config, store.as_ref(), &core).await;
    let giving = giving(&config, store.as_ref(), &core).await;
    let bell = table.clone().map(|table| {
        tokio::spawn({
            let stop = stop.clone();
            async move { table.run(stop).await }
        })
    });
    let extents = Extents::new(super::grounds(&config));
    let guests = web::Options { table: table.clone(), giving, extents, ..web::Options::default() };
    web::serve(listener, router(core, &config, guests).await?, stop).await?;
    if let Some(bell) = bell {
        bell.await.context("the quiz's bell")?;
    }
    if let Some(store) = store {
        store.close().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The database, if anything on the page needs one; a demo shows the rest of the page should it be out of reach.
async fn store(config: &Config) -> Option<Store> {
    if config.quiz.is_none() && config.gifts.is_none() {
        return None;
    }
    let opened = super::store(config).await;
    opened.inspect_err(|error| tracing::warn!("neither quiz nor gifts on the page: {error:#}")).ok()
}

/// The quiz, if it is on.
async fn table(config: &Config, store: Option<&Store>, core: &Core) -> Option<Table> {
    let (settings, store) = (config.quiz.as_ref()?, store?.clone());
    match super::quiz::open(config, settings, store, core.clone()).await {
        Ok(quiz) => Some(Table::new(quiz, Post::default())),
        Err(error) => {
            tracing::warn!("no quiz on the page: {error:#}");
            None
        }
    }
}

/// Who asks for test photos, if people are asked.
async fn giving(config: &Config, store: Option<&Store>, core: &Core) -> Option<Giving> {
    let opened = super::gifts::giving(config, store?.clone(), &core.manifest().labels).await;
    opened.inspect_err(|error| tracing::warn!("nobody is asked for test photos: {error:#}")).ok()?
}

/// The page's routes, for whatever `options` has already.
pub(super) async fn router(core: Core, config: &Config, options: web::Options) -> anyhow::Result<axum::Router> {
    let samples = tokio::task::spawn_blocking(samples).await.context("cannot draw the sample photos")?;
    let (allowed_hosts, max_slowdown) = (config.web.allowed_hosts.clone(), config.web.max_slowdown);
    let insight = Some(super::insight(config));
    let metrics_token = config.web.metrics_token.clone();
    let album = Album::new(&config.collect.data_folder);
    let options = web::Options { allowed_hosts, max_slowdown, samples, insight, album, metrics_token, ..options };
    Ok(web::router(core, options))
}

/// One photo of each area, from towns that the model was not trained on.
fn samples() -> Vec<web::Sample> {
    let world = World::load();
    let specs = photo::photos(&world, SAMPLE_SEED, &[Split::Quiz], 1);
    let sample =
        |spec: photo::PhotoSpec| web::Sample { area: world.areas()[spec.area].clone(), jpeg: spec.shoot(&world).jpeg };
    specs.map(sample).collect()
}
