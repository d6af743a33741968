//! `serve`: the page and the bots that the configuration enables, until a signal to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::bureau::{Bureau, Workshop};
use super::training::Program;
use crate::album::Album;
use crate::chat::quiz::Table;
use crate::chat::{Conversation, Inbox, Platform, Post, etiquette};
use crate::clock::SystemClock;
use crate::collect::extents::Extents;
use crate::config::{self, Config, Discord, Telegram};
use crate::front::meters::Meters;
use crate::front::{discord, telegram, web};
use crate::metrics::Metrics;
use crate::models::Registry;
use crate::retention::{Folders, Keeper};

/// Runs everything; one front end that fails stops the others and gives the error.
pub(super) async fn run(config: Config, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let store = super::store(&config).await?;
    let registry = Registry::open(super::shelf(&config, store.clone()), Arc::new(SystemClock), &config.infer).await?;
    let core = registry.core().clone();
    super::announce(&core);
    let stop = super::stop_on_signal()?;
    let limits = etiquette::Limits {
        per_user_per_minute: config.etiquette.user_photos_per_minute,
        per_chat_per_minute: config.etiquette.chat_photos_per_minute,
    };
    let mut post = Post::default();
    let telegram_news = post.connect(Platform::Telegram);
    let discord_news = post.connect(Platform::Discord);
    let table = match &config.quiz {
        Some(settings) => {
            Some(Table::new(super::quiz::open(&config, settings, store.clone(), core.clone()).await?, post.clone()))
        }
        None => None,
    };
    let clock = etiquette::system_clock();
    let conversation = match table.clone() {
        Some(table) => Conversation::with_quiz(core.clone(), limits, clock, table),
        None => Conversation::new(core.clone(), limits, clock),
    };
    let workshop = Workshop { registry: registry.clone(), program: Program::this(file)? };
    let inbox = Inbox::open(store.clone(), Arc::new(SystemClock)).await?;
    let apologies = inbox.clone().run(post.clone(), stop.clone());
    let bureau = Bureau::open(&config, &store, post, Arc::new(SystemClock), Some(workshop))?;
    let conversation = conversation.with_album(Album::new(&config.collect.data_folder));
    // Chats and page remember the same borders.
    let extents = Extents::new(super::grounds(&config));
    let conversation = conversation.with_extents(extents.clone());
    let conversation = conversation.with_office(bureau.office()).keeping(config.retention);
    let conversation = conversation.with_insight(super::insight(&config)).with_inbox(inbox);
    let giving = super::gifts::giving(&config, store.clone(), &core.manifest().labels).await?;
    let conversation = match giving.clone() {
        Some(giving) => conversation.with_giving(giving),
        None => conversation,
    };
    let folders = Folders { models: config.models_folder.clone(), training: config.train.folder.clone() };
    let keeper = Keeper::new(config.retention, folders, store.clone(), Arc::new(SystemClock));
    let mut fronts = JoinSet::new();
    fronts.spawn({
        let stop = stop.clone();
        async move {
            tokio::join!(bureau.run(stop.clone()), registry.run(stop.clone()), keeper.run(stop), apologies);
            Ok(())
        }
    });
    if let Some(table) = table.clone() {
        let stop = stop.clone();
        fronts.spawn(async move {
            table.run(stop).await;
            Ok(())
        });
    }

    let bind = config.web.bind;
    let listener = TcpListener::bind(bind).await.with_context(|| format!("cannot listen on {bind} (`web.bind`)"))?;
    tracing::info!(address = %listener.local_addr()?, "page ready");
    let meters = Meters::default();
    let metrics = Metrics::default().with(&meters).with(&config.collect.meters);
    let options = web::Options {
        table: table.clone(),
        store: Some(store.clone()),
        giving,
        extents,
        metrics,
        ..web::Options::default()
    };
    let router = super::demo::router(core.clone(), &config, options).await?;
    let stopping = stop.clone();
    fronts.spawn(async move { web::serve(listener, router, stopping).await.context("the page") });

    let max_photo_bytes = config.infer.limits.max_bytes;
    if let Some(settings) = config.telegram {
        let settings = telegram_settings(settings, max_photo_bytes, meters.clone());
        let (conversation, stop) = (conversation.clone(), stop.clone());
        fronts
            .spawn(async move { telegram::run(settings, conversation, telegram_news, stop).await.context("Telegram") });
    }
    if let Some(settings) = config.discord {
        let settings = discord_settings(settings, max_photo_bytes, meters);
        let stop = stop.clone();
        fronts.spawn(async move { discord::run(settings, conversation, discord_news, stop).await.context("Discord") });
    }
    wait(fronts, &stop, config.stop_deadline).await?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Waits until the signal, then for running answers until the deadline.
async fn wait(
    mut fronts: JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
    deadline: Duration,
) -> anyhow::Result<()> {
    let first = tokio::select! {
        ended = fronts.join_next() => ended,
        () = stop.cancelled() => None,
    };
    stop.cancel();
    let drain = async {
        let mut outcome = first.map_or(Ok(()), flatten);
        while let Some(ended) = fronts.join_next().await {
            outcome = outcome.and(flatten(ended));
        }
        outcome
    };
    match tokio::time::timeout(deadline, drain).await {
        Ok(outcome) => outcome,
        Err(_) => {
            tracing::warn!(deadline_s = deadline.as_secs(), "the deadline passed with answers still running");
            Ok(())
        }
    }
}

fn flatten(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Result<()> {
    ended.context("a front end panicked").and_then(|outcome| outcome)
}

fn telegram_settings(settings: Telegram, max_photo_bytes: usize, meters: Meters) -> telegram::Settings {
    let mode = settings.webhook.map_or(telegram::Mode::Polling, |hook| {
        let config::Webhook { listen, public_url, secret } = hook;
        telegram::Mode::Webhook(telegram::Webhook { listen, public_url, secret })
    });
    let clock = Arc::new(SystemClock);
    telegram::Settings { token: settings.token, api_url: settings.api_url, mode, max_photo_bytes, meters, clock }
}

fn discord_settings(settings: Discord, max_photo_bytes: usize, meters: Meters) -> discord::Settings {
    let Discord { token, api_url, gateway_url, shards } = settings;
    let clock = Arc::new(SystemClock);
    discord::Settings { token, api_url, gateway_url, max_photo_bytes, shards, meters, clock }
}
