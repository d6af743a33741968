//! Discord's messages and interactions as questions to the conversation.

use serenity::model::Permissions;
use serenity::model::application::{
    CommandInteraction, CommandType, ComponentInteraction, InteractionContext, ResolvedTarget, ResolvedValue,
};
use serenity::model::channel::{Attachment as File, Message, MessageType};
use serenity::model::guild::Member;
use serenity::model::id::{ChannelId, GuildId, UserId};
use serenity::model::user::User;

use crate::chat::command::{Command, CommandOption, OptionKind};
use crate::chat::message::Pressed;
use crate::chat::press::Press;
use crate::chat::{Attachment, ChatKind, ChatRef, Incoming, Lang, Platform, Request, Role, UserRef};

/// A question with its photos, not yet downloaded.
#[derive(Debug, PartialEq)]
pub(super) struct Question {
    /// The question as the conversation knows it.
    pub(super) incoming: Incoming,
    /// One for each of its attachments, in their order.
    pub(super) photos: Vec<Photo>,
}

/// A file that came with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Photo {
    /// Where it lies, as Discord says.
    pub(super) url: String,
    /// Size that Discord states.
    pub(super) bytes: u64,
    /// Whether Discord takes it for a picture; true when it does not say.
    pub(super) is_picture: bool,
    /// Whether whoever asks attached it themselves.
    pub(super) is_own: bool,
}

impl Photo {
    fn of(file: &File, is_own: bool) -> Self {
        let is_picture = file.content_type.as_deref().is_none_or(|kind| kind.starts_with("image/"));
        Self { url: file.url.clone(), bytes: u64::from(file.size), is_picture, is_own }
    }
}

/// The question in a message; `me` is the bot, `server` the language of the server where it was written.
/// None for messages of bots and of Discord itself.
///
/// Without the privileged intent for message content Discord fills in text and files only of private messages
/// and of those that mention the bot (a reply to the bot mentions it unless its author says otherwise).
pub(super) fn from_message(message: &Message, me: UserId, server: Option<Lang>) -> Option<Question> {
    let by_person = !message.author.bot && message.webhook_id.is_none();
    if !by_person || !matches!(message.kind, MessageType::Regular | MessageType::InlineReply) {
        return None;
    }
    let photos = photos_meant(message);
    let replies_to_me = message.referenced_message.as_ref().is_some_and(|original| original.author.id == me);
    // A "thanks" in reply to the bot needs no answer, although Discord counts it as a mention.
    let addressed = match (replies_to_me, photos.is_empty()) {
        (true, false) => true,
        (true, true) => names(&message.content, me),
        (false, _) => message.mentions.iter().any(|user| user.id == me),
    };
    let incoming = Incoming {
        chat: chat(message.channel_id),
        kind: if message.guild_id.is_none() { ChatKind::Private } else { ChatKind::Group },
        thread: None,
        user: user(message.author.id),
        name: author_name(message),
        role: Role::Member,
        lang: if has_kana(&message.content) { Lang::Ja } else { server.unwrap_or(Lang::En) },
        addressed,
        request: if photos.is_empty() { Request::Words } else { Request::Photos },
        arguments: String::new(),
        attachments: attachments(&photos),
    };
    Some(Question { incoming, photos })
}

/// The question in a slash command or a context menu command.
pub(super) fn from_command(command: &CommandInteraction) -> Question {
    let (request, photos) = match command.data.target() {
        Some(ResolvedTarget::Message(target)) => {
            (Request::Command(Command::Where), pictures_of(target, command.user.id))
        }
        _ => (slash(command), options(command)),
    };
    let (role, arguments) = match request {
        Request::Command(known) => (role(known, command.member.as_deref()), arguments(known, command)),
        _ => (Role::Member, String::new()),
    };
    let incoming = Incoming {
        chat: chat(command.channel_id),
        kind: kind(command.context, command.guild_id),
        thread: None,
        user: user(command.user.id),
        name: name(&command.user, command.member.as_deref()),
        role,
        lang: Lang::from_tag(&command.locale),
        addressed: true,
        request,
        arguments,
        attachments: attachments(&photos),
    };
    Question { incoming, photos }
}

/// The press of a button; None when the button is none of ours.
pub(super) fn from_press(pressed: &ComponentInteraction) -> Option<Pressed> {
    Some(Pressed {
        chat: chat(pressed.channel_id),
        kind: kind(pressed.context, pressed.guild_id),
        thread: None,
        user: user(pressed.user.id),
        name: name(&pressed.user, pressed.member.as_ref()),
        lang: Lang::from_tag(&pressed.locale),
        present: pressed.guild_id.is_none() || pressed.member.is_some(),
        press: Press::parse(&pressed.data.custom_id)?,
    })
}

fn kind(context: Option<InteractionContext>, server: Option<GuildId>) -> ChatKind {
    let private = match context {
        Some(context) => context == InteractionContext::BotDm,
        None => server.is_none(),
    };
    if private { ChatKind::Private } else { ChatKind::Group }
}

/// The name that a person shows in a server, or else everywhere.
fn name(user: &User, member: Option<&Member>) -> String {
    member.map_or(user.display_name(), Member::display_name).to_owned()
}

fn author_name(message: &Message) -> String {
    let nick = message.member.as_ref().and_then(|member| member.nick.as_deref());
    nick.unwrap_or_else(|| message.author.display_name()).to_owned()
}

/// What a person may do in the channel, where the command depends on it.
fn role(command: Command, member: Option<&Member>) -> Role {
    let moderating = Permissions::MANAGE_MESSAGES | Permissions::ADMINISTRATOR;
    let may = member.and_then(|member| member.permissions).is_some_and(|may| may.intersects(moderating));
    if command.asks_role() && may { Role::Moderator } else { Role::Member }
}

/// The options as the words of the grammar, `name=value` each; those of any words last, since they may have spaces.
fn arguments(command: Command, given: &CommandInteraction) -> String {
    let values = given.data.options();
    let mut options: Vec<&CommandOption> = command.options().iter().collect();
    options.sort_by_key(|option| option.kind == OptionKind::Text);
    let word = |option: &CommandOption| {
        let value = values.iter().find(|value| value.name == option.name)?;
        match value.value {
            ResolvedValue::Integer(number) => Some(format!("{}={number}", option.name)),
            ResolvedValue::String(words) => Some(format!("{}={words}", option.name)),
            _ => None,
        }
    };
    options.into_iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

fn slash(command: &CommandInteraction) -> Request {
    let known = Command::parse(&command.data.name).filter(|_| command.data.kind == CommandType::ChatInput);
    known.map_or_else(|| Request::UnknownCommand(command.data.name.clone()), Request::Command)
}

/// What was attached to a slash command, pictures or not: who picks a file by hand hears what is wrong with it.
fn options(command: &CommandInteraction) -> Vec<Photo> {
    let files = command.data.options().into_iter().filter_map(|option| match option.value {
        ResolvedValue::Attachment(file) => Some(Photo::of(file, true)),
        _ => None,
    });
    files.collect()
}

/// The pictures of a message, or else of the message that it replies to.
fn photos_meant(message: &Message) -> Vec<Photo> {
    let own = pictures_of(message, message.author.id);
    match &message.referenced_message {
        Some(original) if own.is_empty() => pictures_of(original, message.author.id),
        _ => own,
    }
}

/// The pictures attached to a message or to one that it forwards, for somebody who asks about them.
fn pictures_of(message: &Message, asker: UserId) -> Vec<Photo> {
    let is_own = message.author.id == asker;
    let attached = message.attachments.iter().map(|file| Photo::of(file, is_own));
    let forwarded = message.message_snapshots.iter().flat_map(|snapshot| &snapshot.attachments);
    attached.chain(forwarded.map(|file| Photo::of(file, false))).filter(|photo| photo.is_picture).collect()
}

fn attachments(photos: &[Photo]) -> Vec<Attachment> {
    let attachment = |photo: &Photo| {
        let Photo { url, bytes, is_own, .. } = photo.clone();
        Attachment { handle: url, bytes: Some(bytes), is_own }
    };
    photos.iter().map(attachment).collect()
}

fn names(content: &str, user: UserId) -> bool {
    content.contains(&format!("<@{user}>")) || content.contains(&format!("<@!{user}>"))
}

/// Messages carry no language, and servers of Japanese speakers are often set to English, Discord's default.
fn has_kana(content: &str) -> bool {
    content.chars().any(|c| matches!(c, '\u{3041}'..='\u{30fa}' | '\u{ff66}'..='\u{ff9d}'))
}

fn chat(channel: ChannelId) -> ChatRef {
    ChatRef { platform: Platform::Discord, id: channel.get().cast_signed() }
}

fn user(user: UserId) -> UserRef {
    UserRef { platform: Platform::Discord, id: user.get().cast_signed() }
}

#[cfg(test)]
mod tests;
