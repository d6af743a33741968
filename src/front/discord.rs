//! Discord: slash commands, the menu of messages, mentions and private messages with photos.
//!
//! Events come in over the gateway and become a [`incoming::Question`]; the conversation decides and answers;
//! [`deliver`] and [`interact`] send what it says, [`announce`] what it says unasked. The bot asks for no privileged intent: Discord shows it the content of
//! private messages, of messages that mention it and of those that a command points at, and nothing else.
//!
//! An interaction must be acknowledged within three seconds and its token lives for fifteen minutes: the
//! [`handler`] promises an answer first and downloads, looks and delivers afterwards.
//!
//! serenity's spans hold whole requests, interaction tokens included: logs must not show its targets below
//! `warn`.

mod announce;
mod commands;
mod deliver;
mod download;
mod fault;
mod handler;
#[cfg(any(test, fuzzing))]
pub mod hostile;
mod incoming;
mod interact;
mod markdown;
mod piece;
mod press;
mod relay;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret, SecretString};
use serenity::Client;
use serenity::http::{Http, HttpBuilder};
use serenity::model::gateway::GatewayIntents;
use serenity::model::id::UserId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::download::Cdn;
use self::handler::Handler;
use self::relay::Relay;
use crate::chat::Conversation;
use crate::chat::message::Announcement;
use crate::clock::SharedClock;
use crate::front::line;
use crate::front::meters::Meters;

/// What the bot hears of: servers (for their language) and messages. None of these is privileged.
const INTENTS: GatewayIntents =
    GatewayIntents::GUILDS.union(GatewayIntents::GUILD_MESSAGES).union(GatewayIntents::DIRECT_MESSAGES);
/// First pause while Discord cannot be reached at the start; each further one is twice as long, up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause while Discord cannot be reached at the start.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How to reach Discord.
pub struct Settings {
    /// The bot's token.
    pub token: SecretString,
    /// A proxy that the REST API is reached through: `http://127.0.0.1:1234`. It has to keep Discord's rate limits:
    /// serenity's limiter knows Discord's own address only, and is off then. A 429 that gets through is sat out
    /// ([`relay`]).
    pub api_url: Option<String>,
    /// Where the gateway is, instead of where the API says: `ws://127.0.0.1:1234`.
    pub gateway_url: Option<String>,
    /// Largest photo that is downloaded, bytes.
    pub max_photo_bytes: usize,
    /// Connections to the gateway, which share the servers; 0: as many as Discord recommends.
    pub shards: u32,
    /// Where failed calls are counted.
    pub meters: Meters,
    /// What a 429 is sat out by behind a proxy.
    pub clock: SharedClock,
}

/// Serves Discord until `stop`, then takes nothing new, delivers the answers under way and returns.
///
/// Lost connections are taken up again, for ever. Announcements that were not begun by `stop` are handed back as
/// [`crate::chat::message::Undelivered::Later`].
///
/// # Errors
/// When Discord refuses the token or the registration of the commands, or an address in `settings` is none.
pub async fn run(
    settings: Settings,
    conversation: Conversation,
    announcements: mpsc::Receiver<Announcement>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let relay = match &settings.api_url {
        Some(url) => Some(Relay::start(url, settings.clock.clone(), settings.meters.clone()).await?),
        None => None,
    };
    let http = http(&settings, relay.as_ref())?;
    let meters = &settings.meters;
    let Some(me) = introduce(&http, meters, &stop).await? else {
        line::hand_all_back(announcements).await;
        return Ok(());
    };
    let cdn = Cdn::new(settings.api_url.as_deref(), settings.max_photo_bytes)?;
    let handler = Arc::new(Handler::new(me, conversation, cdn, meters.clone(), stop.clone()));
    let mut client = connect(http, &settings, handler.clone()).await?;
    let shards = client.shard_manager.clone();
    let quiet = stop.child_token();
    let announcing = tokio::spawn(announce::run(client.http.clone(), announcements, meters.clone(), quiet.clone()));
    let ended = tokio::select! {
        ended = start(&mut client, settings.shards) => ended.context("Discord ended the connection for good"),
        () = stop.cancelled() => {
            shards.shutdown_all().await;
            Ok(())
        }
    };
    // First, since an answer under way may wait for its announcement.
    quiet.cancel();
    announcing.await.context("the announcements panicked")?;
    ended?;
    handler.finish().await;
    tracing::info!("Discord: stopped");
    Ok(())
}

fn http(settings: &Settings, relay: Option<&Relay>) -> anyhow::Result<Http> {
    let builder = HttpBuilder::new(settings.token.expose_secret());
    let Some(relay) = relay else { return Ok(builder.build()) };
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(builder.client(client).proxy(relay.url()).ratelimiter_disabled(true).build())
}

/// Finds out who the bot is and registers its commands; waits while Discord cannot be reached. None when
/// stopped meanwhile.
async fn introduce(http: &Http, meters: &Meters, stop: &CancellationToken) -> anyhow::Result<Option<UserId>> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = tokio::select! {
            registered = register(http) => match registered {
                Ok(me) => return Ok(Some(me)),
                Err(error) => error,
            },
            () = stop.cancelled() => return Ok(None),
        };
        if fault::is_unauthorised(&error) {
            bail!("Discord does not know the bot's token; copy it anew from the Bot page of the developer portal");
        }
        if !fault::may_pass(&error) {
            bail!("Discord refuses to register the bot's commands: {error}");
        }
        fault::count(meters, &error);
        tracing::warn!(%error, ?pause, "Discord cannot be reached");
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = LONGEST_PAUSE.min(pause * 2),
            () = stop.cancelled() => return Ok(None),
        }
    }
}

async fn register(http: &Http) -> serenity::Result<UserId> {
    let application = http.get_current_application_info().await?;
    http.set_application_id(application.id);
    let me = http.get_current_user().await?;
    let registered = http.create_global_commands(&commands::all()).await?;
    tracing::info!(bot = %me.name, commands = registered.len(), "Discord: commands registered");
    Ok(me.id)
}

/// Serves until the connections end.
async fn start(client: &mut Client, shards: u32) -> serenity::Result<()> {
    let http = client.http.clone();
    let shards = match shards {
        0 => fault::patiently(|| http.get_bot_gateway()).await?.shards,
        shards => shards,
    };
    tracing::info!(shards, "Discord: connecting");
    client.start_shards(shards).await
}

async fn connect(http: Http, settings: &Settings, handler: Arc<Handler>) -> anyhow::Result<Client> {
    let builder = serenity::client::ClientBuilder::new_with_http(http, INTENTS).event_handler_arc(handler);
    let client = builder.await.context("the Discord client cannot start")?;
    if let Some(url) = &settings.gateway_url {
        url.clone_into(&mut *client.ws_url.lock().await);
    }
    Ok(client)
}
