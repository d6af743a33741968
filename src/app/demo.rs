//! `demo`: the page, with photos of the drawn world to click on.

use std::process::ExitCode;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::album::Album;
use crate::chat::Post;
use crate::chat::quiz::Table;
use crate::cli::Demo;
use crate::config::Config;
use crate::domain::Split;
use crate::front::web;
use crate::infer::Core;
use crate::metrics::Metrics;
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
    let table = table(&config, &core).await;
    let bell = table.clone().map(|table| {
        tokio::spawn({
            let stop = stop.clone();
            async move { table.run(stop).await }
        })
    });
    web::serve(listener, router(core, &config, table.clone(), Metrics::default(), None).await?, stop).await?;
    if let (Some(table), Some(bell)) = (table, bell) {
        bell.await.context("the quiz's bell")?;
        table.close().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The quiz, if it is on; a demo shows the rest of the page without it, should its database be out of reach.
async fn table(config: &Config, core: &Core) -> Option<Table> {
    let settings = config.quiz.as_ref()?;
    let opened = async { super::quiz::open(config, settings, super::store(config).await?, core.clone()).await };
    match opened.await {
        Ok(quiz) => Some(Table::new(quiz, Post::default())),
        Err(error) => {
            tracing::warn!("no quiz on the page: {error:#}");
            None
        }
    }
}

/// The page's routes.
pub(super) async fn router(
    core: Core,
    config: &Config,
    table: Option<Table>,
    metrics: Metrics,
    store: Option<Store>,
) -> anyhow::Result<axum::Router> {
    let samples = tokio::task::spawn_blocking(samples).await.context("cannot draw the sample photos")?;
    let (allowed_hosts, insight) = (config.web.allowed_hosts.clone(), Some(super::insight(config)));
    let metrics_token = config.web.metrics_token.clone();
    let album = Album::new(&config.collect.data_folder);
    Ok(web::router(core, web::Options { allowed_hosts, samples, table, insight, album, metrics, store, metrics_token }))
}

/// One photo of each area, from towns that the model was not trained on.
fn samples() -> Vec<web::Sample> {
    let world = World::load();
    let specs = photo::photos(&world, SAMPLE_SEED, &[Split::Quiz], 1);
    let sample =
        |spec: photo::PhotoSpec| web::Sample { area: world.areas()[spec.area].clone(), jpeg: spec.shoot(&world).jpeg };
    specs.map(sample).collect()
}
