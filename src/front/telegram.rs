//! Telegram: updates become [`Incoming`](crate::chat::Incoming), replies become calls of the Bot API.
//!
//! Updates arrive by long polling (`polling`) or by webhook (`webhook`) and go to one desk (`desk`), which puts
//! albums together (`album`), asks the conversation whether they are for the bot, and has each chat answered
//! in its order (`lanes`, `answer`).
//!
//! teloxide's own `Dispatcher` is not used, for three reasons: one handler that panics ends it, one chat with
//! 64 waiting updates holds up all others, and the parts of an album must be collected while the first waits.

mod album;
mod announce;
mod answer;
mod api;
mod desk;
#[cfg(any(test, fuzzing))]
pub mod hostile;
mod incoming;
mod lanes;
mod pace;
mod polling;
mod press;
mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use secrecy::SecretString;
use teloxide::types::{BotCommand, ChatId};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::api::Api;
use self::desk::Desk;
use crate::chat::command::Command;
use crate::chat::{Announcement, Conversation, Lang, Platform, Role, text};
use crate::clock::SharedClock;
use crate::front::meters::Meters;

/// Updates between their arrival and the desk; the desk is quick, so few wait.
const INBOX: usize = 256;

/// How to be a Telegram bot.
pub struct Settings {
    /// The bot's token, from @BotFather.
    pub token: SecretString,
    /// Base of a Bot API server; `None` for Telegram's own.
    pub api_url: Option<String>,
    /// How updates arrive.
    pub mode: Mode,
    /// Largest photo to download, bytes; Telegram itself hands out 20 MiB at most.
    pub max_photo_bytes: usize,
    /// Where failed calls are counted.
    pub meters: Meters,
    /// What Telegram's limits are kept by.
    pub clock: SharedClock,
}

/// How updates arrive.
#[derive(Debug)]
pub enum Mode {
    /// The bot asks Telegram; works from behind any firewall.
    Polling,
    /// Telegram calls the bot.
    Webhook(Webhook),
}

/// Where Telegram calls.
#[derive(Debug)]
pub struct Webhook {
    /// Where to listen; TLS ends in front of it.
    pub listen: SocketAddr,
    /// The public `https` address; its path is the one that is listened on.
    pub public_url: String,
    /// What Telegram repeats in a header with each call: 1 to 256 of `A-Z a-z 0-9 _ -`.
    pub secret: SecretString,
}

/// Runs the bot until `stop`, then finishes what it has begun to answer. The caller sets the deadline for that.
///
/// While Telegram cannot be reached it keeps trying.
///
/// # Errors
/// When Telegram refuses the token or the webhook, when the address is taken, and when a URL is none.
pub async fn run(
    settings: Settings,
    conversation: Conversation,
    announcements: mpsc::Receiver<Announcement>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = match &settings.mode {
        Mode::Polling => None,
        Mode::Webhook(hook) => {
            Some(TcpListener::bind(hook.listen).await.with_context(|| format!("cannot listen on {}", hook.listen))?)
        }
    };
    run_on(listener, settings, conversation, announcements, stop).await
}

/// [`run`] with a socket that listens already, for webhooks; tests choose a free port this way.
///
/// # Errors
/// Like [`run`]; and for a webhook without a socket.
pub async fn run_on(
    listener: Option<TcpListener>,
    settings: Settings,
    conversation: Conversation,
    announcements: mpsc::Receiver<Announcement>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let api = Arc::new(Api::new(&settings)?);
    let Some(me) = api.introduce(&stop).await? else { return Ok(()) };
    api.set_menus(None).await;
    for (admin, role) in conversation.admins(Platform::Telegram) {
        api.set_menus(Some((ChatId(admin), role))).await;
    }
    tracing::info!(bot = me.user.username.as_deref().unwrap_or_default(), "Telegram answers");
    let (sender, inbox) = mpsc::channel(INBOX);
    // A token of its own: a webhook that is refused ends the run although nobody has stopped the program.
    let silence = stop.child_token();
    let herald = tokio::spawn(announce::run(api.clone(), announcements, silence.clone()));
    let desk = tokio::spawn(Desk::new(api.clone(), me, conversation).run(inbox));
    let served = match settings.mode {
        Mode::Polling => {
            polling::serve(&api, sender, &stop).await;
            Ok(())
        }
        Mode::Webhook(hook) => {
            let listener = listener.context("a webhook needs a socket")?;
            webhook::serve(&api, listener, hook, sender, &stop).await
        }
    };
    // The sender is gone, so the desk ends when its last answer is out.
    desk.await.context("the Telegram desk panicked")?;
    silence.cancel();
    herald.await.context("Telegram's announcements panicked")?;
    served
}

/// The menu of commands that Telegram shows to speakers of a language: to everybody, or to an admin in private.
#[must_use]
pub fn menu(lang: Lang, role: Role) -> Vec<BotCommand> {
    Command::menu(role).map(|command| BotCommand::new(command.name(), text::command(lang, command))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enum_help_and_menu_agree() {
        for (lang, role) in
            Lang::ALL.into_iter().flat_map(|lang| [(lang, Role::Member), (lang, Role::Admin), (lang, Role::Owner)])
        {
            let help = text::help(lang, Platform::Telegram, role);
            let from_help: Vec<(&str, &str)> =
                help.lines().filter_map(|line| line.strip_prefix('/')?.split_once(" — ")).collect();
            let menu = menu(lang, role);
            let from_menu: Vec<(&str, &str)> =
                menu.iter().map(|entry| (entry.command.as_str(), entry.description.as_str())).collect();
            assert_eq!(from_help, from_menu);
            assert!(from_menu.iter().all(|(name, _)| Command::parse(name).is_some_and(Command::in_menus)));
            assert_eq!(from_menu.len(), Command::menu(role).count());
            assert_eq!(from_menu.iter().any(|(name, _)| *name == "audit"), role == Role::Owner);
            assert_eq!(from_menu.iter().any(|(name, _)| *name == "train"), role >= Role::Admin);
        }
    }

    #[test]
    fn the_menu_keeps_telegrams_rules() {
        for entry in Lang::ALL.into_iter().flat_map(|lang| menu(lang, Role::Owner)) {
            let name = &entry.command;
            assert!((1..=32).contains(&name.len()), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
            assert!((3..=256).contains(&entry.description.chars().count()), "{}", entry.description);
        }
    }
}
