//! What happens to an event.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use serenity::async_trait;
use serenity::client::{Context, EventHandler};
use serenity::model::application::{CommandInteraction, ComponentInteraction, Interaction};
use serenity::model::channel::Message;
use serenity::model::gateway::Ready;
use serenity::model::guild::{Guild, PartialGuild, UnavailableGuild};
use serenity::model::id::{GuildId, UserId};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::download::Cdn;
use super::incoming::{self, Question};
use super::{deliver, fault, interact, press};
use crate::chat::{Admission, ChatRef, Conversation, Inbox, Lang, MAX_PHOTOS, Reply, Request, text};
use crate::front::meters::Meters;
use crate::front::recent::Recent;

/// Deliveries that are remembered. A resumed session replays seconds, not hours.
const REMEMBERED: usize = 1_024;
/// Messages whose photos are held in memory at once; the others wait their turn.
const AT_ONCE: usize = 8;
/// Said to a command beyond the limits when the exact time was said before. Every limit has passed by then.
const SILENT_WAIT: Duration = Duration::from_secs(60);

/// Answers events.
pub(super) struct Handler {
    me: UserId,
    conversation: Conversation,
    cdn: Cdn,
    meters: Meters,
    /// The languages of the servers that are not English.
    servers: DashMap<GuildId, Lang>,
    recent: Mutex<Recent<u64, REMEMBERED>>,
    slots: Semaphore,
    answers: TaskTracker,
    stop: CancellationToken,
}

impl Handler {
    /// A handler for the bot `me`, which answers nothing new after `stop`.
    pub(super) fn new(
        me: UserId,
        conversation: Conversation,
        cdn: Cdn,
        meters: Meters,
        stop: CancellationToken,
    ) -> Self {
        Self {
            me,
            conversation,
            cdn,
            meters,
            servers: DashMap::new(),
            recent: Mutex::default(),
            slots: Semaphore::new(AT_ONCE),
            answers: TaskTracker::new(),
            stop,
        }
    }

    /// Waits until every answer under way is delivered.
    pub(super) async fn finish(&self) {
        self.answers.close();
        self.answers.wait().await;
    }

    /// Whether an event is to be answered: it is new, and the bot is not stopping.
    fn takes(&self, id: u64) -> bool {
        // A panic elsewhere leaves the ids as they were: worth more than a bot that is dumb from then on.
        !self.stop.is_cancelled() && self.recent.lock().unwrap_or_else(PoisonError::into_inner).is_new(id)
    }

    fn learn(&self, server: GuildId, locale: &str) {
        match Lang::from_tag(locale) {
            Lang::En => drop(self.servers.remove(&server)),
            lang => drop(self.servers.insert(server, lang)),
        }
    }

    async fn answer_message(&self, context: &Context, message: &Message) -> serenity::Result<()> {
        let server = message.guild_id.and_then(|server| self.servers.get(&server).map(|lang| *lang));
        let Some(question) = incoming::from_message(message, self.me, server) else { return Ok(()) };
        match self.conversation.admit(&question.incoming) {
            Admission::Ignore => Ok(()),
            Admission::Refuse(reply) => deliver::to_question(&context.http, message, vec![reply]).await,
            Admission::Accept => {
                let note = Note::of(&self.conversation, &question, message.id.get());
                if !note.take(&question).await {
                    return Ok(());
                }
                let typing = context.http.start_typing(message.channel_id);
                let replies = self.replies(question).await;
                note.telling().await;
                let done = deliver::to_question(&context.http, message, replies).await;
                drop(typing);
                note.told(&done).await;
                done
            }
        }
    }

    async fn answer_command(&self, context: &Context, command: &CommandInteraction) -> serenity::Result<()> {
        let question = incoming::from_command(command);
        // Discord shows an error for a command without an answer: here silence would not be silent.
        let refusal = match self.conversation.admit(&question.incoming) {
            Admission::Accept => None,
            Admission::Refuse(reply) => Some(reply),
            Admission::Ignore => Some(Reply::words(text::slow_down(question.incoming.lang, SILENT_WAIT))),
        };
        if let Some(reply) = refusal {
            return interact::at_once(&context.http, command.into(), reply).await;
        }
        let note = Note::of(&self.conversation, &question, command.id.get());
        if !note.take(&question).await {
            return Ok(());
        }
        let private = !answers_everybody(&question);
        let promised = interact::promise(&context.http, command.into(), private).await;
        if promised.is_err() {
            note.told(&promised).await;
            return promised;
        }
        let replies = self.replies(question).await;
        note.telling().await;
        let done = interact::answer(&context.http, command.into(), replies, private).await;
        note.told(&done).await;
        done
    }

    /// Logs and counts what went wrong. serenity's words for its errors hold neither addresses nor tokens.
    fn report(&self, done: serenity::Result<()>, what: &str) {
        let Err(error) = done else { return };
        fault::count(&self.meters, &error);
        if fault::forbids_speech(&error) {
            tracing::info!(%error, "Discord: may not {what}");
        } else {
            tracing::error!(%error, "Discord: cannot {what}");
        }
    }

    /// Presses are quick and many: they wait for no photo of others.
    async fn answer_press(&self, context: &Context, component: &ComponentInteraction) -> serenity::Result<()> {
        let Some(pressed) = incoming::from_press(component) else {
            let stale = self.conversation.stale_button(Lang::from_tag(&component.locale));
            return interact::at_once(&context.http, component.into(), Reply::words(stale)).await;
        };
        let stage = press::acknowledge(&context.http, component, pressed.press.reaction()).await?;
        let reply = self.conversation.press(&pressed).await;
        press::finish(&context.http, component, stage, reply).await
    }

    async fn replies(&self, question: Question) -> Vec<Reply> {
        let Question { incoming, mut photos } = question;
        // Without photos there is nothing to hold in memory: a round that waits for its picture keeps no place.
        let _slot = if photos.is_empty() {
            None
        } else {
            Some(self.slots.acquire().await.expect("the semaphore is never closed"))
        };
        photos.truncate(MAX_PHOTOS);
        let photos = self.cdn.fetch_all(photos).await;
        for error in photos.iter().filter_map(|photo| photo.as_ref().err()) {
            tracing::info!(%error, "Discord: no photo");
        }
        self.conversation.respond(&incoming, photos).await
    }
}

/// A question's place in the inbox, where there is one.
struct Note {
    inbox: Option<Inbox>,
    chat: ChatRef,
    message: i64,
}

impl Note {
    /// The place of a message or an interaction.
    fn of(conversation: &Conversation, question: &Question, number: u64) -> Self {
        let (inbox, chat) = (conversation.inbox().cloned(), question.incoming.chat.clone());
        Self { inbox, chat, message: number.cast_signed() }
    }

    /// False when it was answered before, or may have been.
    async fn take(&self, question: &Question) -> bool {
        match &self.inbox {
            Some(inbox) => inbox.take(&question.incoming, self.message).await,
            None => true,
        }
    }

    /// The answer goes out now.
    async fn telling(&self) {
        if let Some(inbox) = &self.inbox {
            inbox.telling(&self.chat, self.message).await;
        }
    }

    /// What became of the answer.
    async fn told(&self, done: &serenity::Result<()>) {
        if let Some(inbox) = &self.inbox {
            let fault = done.as_ref().err().map(fault::undelivered);
            inbox.told(&self.chat, self.message, fault.as_ref()).await;
        }
    }
}

/// Where a photo was taken interests all who see it; help, and that a photo is missing, only those who ask.
fn answers_everybody(question: &Question) -> bool {
    let Request::Command(command) = question.incoming.request else { return false };
    command.answers_everybody() && !(command.takes_photos() && question.photos.is_empty())
}

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, _: Context, ready: Ready) {
        tracing::info!(bot = %ready.user.name, servers = ready.guilds.len(), "Discord: connected");
    }

    async fn guild_create(&self, _: Context, server: Guild, _: Option<bool>) {
        self.learn(server.id, &server.preferred_locale);
    }

    async fn guild_update(&self, _: Context, _: Option<Guild>, server: PartialGuild) {
        self.learn(server.id, &server.preferred_locale);
    }

    async fn guild_delete(&self, _: Context, server: UnavailableGuild, _: Option<Guild>) {
        self.servers.remove(&server.id);
    }

    async fn message(&self, context: Context, message: Message) {
        if self.takes(message.id.get()) {
            let answer = async { self.report(self.answer_message(&context, &message).await, "answer a message") };
            self.answers.track_future(answer).await;
        }
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        if !self.takes(interaction.id().get()) {
            return;
        }
        let answer = async {
            match &interaction {
                Interaction::Command(command) => {
                    self.report(self.answer_command(&context, command).await, "answer a command");
                }
                Interaction::Component(pressed) => {
                    self.report(self.answer_press(&context, pressed).await, "answer a press");
                }
                _ => {}
            }
        };
        self.answers.track_future(answer).await;
    }
}
