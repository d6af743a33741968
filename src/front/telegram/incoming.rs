//! What a Telegram message asks of the bot.

use teloxide::types::{Me, MediaKind, Message, MessageEntity, MessageEntityKind, MessageKind, User};

use super::api::Address;
use crate::chat::command::Command;
use crate::chat::{Attachment, ChatKind, ChatRef, Incoming, Lang, Platform, Request, Role, UserRef};

/// A message with the addresses of its answers.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) incoming: Incoming,
    /// The message of each attachment; never empty.
    pub(super) addresses: Vec<Address>,
}

impl Heard {
    /// Where the answer at `index` goes: to its own photo where it has one; what is said beyond goes to the first.
    pub(super) fn address(&self, index: usize) -> Address {
        *self.addresses.get(index).unwrap_or(&self.addresses[0])
    }
}

/// Reads a message, or the messages of one album. `None` for what is never answered: service messages, bots,
/// commands to other bots.
pub(super) fn hear(me: &Me, messages: &[Message]) -> Option<Heard> {
    let first = messages.first()?;
    if !messages.iter().all(is_content) {
        return None;
    }
    let (user, name, lang) = sender(first)?;
    let kind = if first.chat.is_private() { ChatKind::Private } else { ChatKind::Group };
    let said = messages.iter().map(|message| said(me, message)).find(|said| *said != Said::Nothing);
    let said = said.unwrap_or(Said::Nothing);
    let mentioned = messages.iter().any(|message| is_mentioned(me, message));
    let (photos, sources) = photos(me, messages, mentioned || said.takes_photos());
    let answers_us = first.reply_to_message().is_some_and(|to| is_me(me, to));
    let (request, called) = match said {
        Said::ToAnother => return None,
        Said::Command(command) => (Request::Command(command), true),
        Said::Unknown { name, to_us } if to_us || kind == ChatKind::Private => (Request::UnknownCommand(name), true),
        // In a group it may be meant for another bot.
        Said::Unknown { .. } => (Request::Words, false),
        Said::Nothing if photos.is_empty() => (Request::Words, false),
        Said::Nothing => (Request::Photos, answers_us),
    };
    let attachments = if wants_photos(&request) { photos } else { Vec::new() };
    let addresses = if attachments.is_empty() { vec![address(first)] } else { sources };
    let chat = ChatRef { platform: Platform::Telegram, id: first.chat.id.0 };
    let addressed = called || mentioned;
    let incoming = Incoming {
        chat,
        kind,
        thread: addresses[0].thread.map(|thread| i64::from(thread.0.0)),
        user,
        name,
        role: Role::Member,
        lang,
        addressed,
        request,
        arguments: arguments(first),
        attachments,
    };
    Some(Heard { incoming, addresses })
}

/// People who have left a chat or come into it, one question each; Telegram reports them in service messages.
pub(super) fn comings_and_goings(message: &Message) -> Vec<Incoming> {
    let (people, request): (&[User], Request) = match &message.kind {
        MessageKind::LeftChatMember(left) => (std::slice::from_ref(&left.left_chat_member), Request::Left),
        MessageKind::NewChatMembers(came) => (&came.new_chat_members, Request::Came),
        _ => return Vec::new(),
    };
    let incoming = |user: &User| {
        Some(Incoming {
            chat: ChatRef { platform: Platform::Telegram, id: message.chat.id.0 },
            kind: ChatKind::Group,
            thread: None,
            user: UserRef { platform: Platform::Telegram, id: i64::try_from(user.id.0).ok()? },
            name: user.full_name(),
            role: Role::Member,
            lang: Lang::from_tag(user.language_code.as_deref().unwrap_or_default()),
            addressed: false,
            request: request.clone(),
            arguments: String::new(),
            attachments: Vec::new(),
        })
    };
    people.iter().filter(|user| !user.is_bot).filter_map(incoming).collect()
}

fn wants_photos(request: &Request) -> bool {
    match request {
        Request::Photos => true,
        Request::Command(command) => command.takes_photos(),
        Request::UnknownCommand(_) | Request::Words | Request::Left | Request::Came => false,
    }
}

/// Whether somebody sent it, rather than the chat itself reporting something.
fn is_content(message: &Message) -> bool {
    let MessageKind::Common(common) = &message.kind else { return false };
    !common.is_automatic_forward && !matches!(common.media_kind, MediaKind::Migration(_))
}

/// People, also those who write in the name of a group or channel; no bots.
fn sender(message: &Message) -> Option<(UserRef, String, Lang)> {
    let from = message.from.as_ref()?;
    let id = if from.id.is_anonymous() || from.id.is_channel() {
        message.sender_chat.as_ref()?.id.0
    } else if from.is_bot {
        return None;
    } else {
        i64::try_from(from.id.0).ok()?
    };
    let lang = Lang::from_tag(from.language_code.as_deref().unwrap_or_default());
    Some((UserRef { platform: Platform::Telegram, id }, from.full_name(), lang))
}

fn is_me(me: &Me, message: &Message) -> bool {
    message.from.as_ref().is_some_and(|from| from.id == me.user.id)
}

fn address(message: &Message) -> Address {
    // Outside forums a thread is only a chain of replies, which Telegram does not accept here.
    let thread = message.thread_id.filter(|_| message.is_topic_message);
    Address { chat: message.chat.id, message: Some(message.id), thread }
}

/// The photos that a message is about: its own, or, when the bot is asked about another message, that one's.
/// The bot's own pictures are not photos of a street.
fn photos(me: &Me, messages: &[Message], asks: bool) -> (Vec<Attachment>, Vec<Address>) {
    let is_own = |message: &Message| message.forward_origin().is_none();
    let own = messages.iter().filter_map(|message| Some((photo(message, is_own(message))?, address(message))));
    let (photos, sources): (Vec<Attachment>, Vec<Address>) = own.unzip();
    if !photos.is_empty() || !asks {
        return (photos, sources);
    }
    let replied_to = messages.iter().find_map(|message| Some((message.reply_to_message()?, message)));
    let found = replied_to.filter(|(to, _)| !is_me(me, to)).and_then(|(to, from)| {
        let same = sender(to).zip(sender(from)).is_some_and(|((theirs, ..), (mine, ..))| theirs == mine);
        Some((photo(to, same && is_own(to))?, address(from)))
    });
    found.into_iter().unzip()
}

/// The largest size of a photo, or a file: what a file is, its bytes decide and not its name.
fn photo(message: &Message, is_own: bool) -> Option<Attachment> {
    let file = match message.photo() {
        Some(sizes) => &sizes.iter().max_by_key(|size| u64::from(size.width) * u64::from(size.height))?.file,
        None => &message.document()?.file,
    };
    // teloxide's stand-in for "not stated".
    let bytes = (file.size != u32::MAX).then_some(u64::from(file.size));
    Some(Attachment { handle: file.id.0.clone(), bytes, is_own })
}

fn words(message: &Message) -> (&str, &[MessageEntity]) {
    let words = message.text().or_else(|| message.caption()).unwrap_or_default();
    (words, message.entities().or_else(|| message.caption_entities()).unwrap_or_default())
}

/// Whether `@botname` or a link to the bot stands in the words.
fn is_mentioned(me: &Me, message: &Message) -> bool {
    let (words, entities) = words(message);
    entities.iter().any(|entity| match &entity.kind {
        MessageEntityKind::Mention => {
            let name = slice_utf16(words, entity.offset, entity.length);
            name.and_then(|name| name.strip_prefix('@').map(|name| is_my_name(me, name))).unwrap_or(false)
        }
        MessageEntityKind::TextMention { user } => user.id == me.user.id,
        _ => false,
    })
}

fn is_my_name(me: &Me, name: &str) -> bool {
    me.user.username.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// Telegram counts in UTF-16 code units.
fn slice_utf16(words: &str, offset: usize, length: usize) -> Option<String> {
    let units: Vec<u16> = words.encode_utf16().skip(offset).take(length).collect();
    String::from_utf16(&units).ok()
}

/// The words after a command.
fn arguments(message: &Message) -> String {
    let (words, _) = words(message);
    words.split_once(char::is_whitespace).map(|(_, rest)| rest.trim().to_owned()).unwrap_or_default()
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Command(Command),
    Unknown { name: String, to_us: bool },
    ToAnother,
}

impl Said {
    fn takes_photos(&self) -> bool {
        matches!(self, Self::Command(command) if command.takes_photos())
    }
}

/// The command at the beginning of the words: `/where`, `/where@botname`.
fn said(me: &Me, message: &Message) -> Said {
    let (words, _) = words(message);
    let Some(rest) = words.strip_prefix('/') else { return Said::Nothing };
    let first = rest.split_whitespace().next().unwrap_or_default();
    let (name, to) = first.split_once('@').map_or((first, None), |(name, to)| (name, Some(to)));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || rest.starts_with(' ') {
        return Said::Nothing;
    }
    if to.is_some_and(|to| !is_my_name(me, to)) {
        return Said::ToAnother;
    }
    match Command::parse(&name.to_ascii_lowercase()) {
        Some(command) => Said::Command(command),
        None => Said::Unknown { name: name.to_owned(), to_us: to.is_some() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn me() -> Me {
        let me = json!({"id": 7, "is_bot": true, "first_name": "ここどこ", "username": "KokodokoBot",
            "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
            "has_main_web_app": false});
        serde_json::from_value(me).expect("getMe's answer")
    }

    fn message(more: Value) -> Value {
        let mut message = json!({"message_id": 5, "date": 1_760_000_000,
            "chat": {"id": -100, "type": "supergroup", "title": "街"},
            "from": {"id": 3, "is_bot": false, "first_name": "Aoi", "language_code": "ja"}});
        let fields = message.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        message
    }

    fn photo(id: &str) -> Value {
        let size = |id: String, side: u32| json!({"file_id": id, "file_unique_id": "u", "width": side, "height": side});
        json!([size(format!("{id}-small"), 90), size(id.to_owned(), 1280), size(format!("{id}-medium"), 320)])
    }

    fn heard(more: Value) -> Option<Heard> {
        hear(&me(), &[serde_json::from_value(message(more)).expect("a message")])
    }

    /// Request, whether addressed, and the handles of the photos.
    fn gist(more: Value) -> Option<(Request, bool, Vec<String>)> {
        let Incoming { request, addressed, attachments, .. } = heard(more)?.incoming;
        Some((request, addressed, attachments.into_iter().map(|photo| photo.handle).collect()))
    }

    fn mention() -> Value {
        // The emoji before it takes two UTF-16 units.
        json!({"text": "🏙 @kokodokobot?", "entities": [{"type": "mention", "offset": 3, "length": 12}]})
    }

    fn merged(mut a: Value, b: Value) -> Value {
        a.as_object_mut().expect("an object").extend(b.as_object().expect("an object").clone());
        a
    }

    #[test]
    fn the_largest_size_is_taken_and_overheard() {
        assert_eq!(gist(json!({"photo": photo("a")})), Some((Request::Photos, false, vec!["a".to_owned()])));
    }

    #[test]
    fn commands_in_captions_and_replies() {
        let command = Request::Command(Command::Where);
        let own = gist(json!({"photo": photo("a"), "caption": "/where@KokodokoBot please"}));
        assert_eq!(own, Some((command.clone(), true, vec!["a".to_owned()])));
        let original = message(json!({"message_id": 4, "photo": photo("b")}));
        let reply = gist(json!({"text": "/WHERE", "reply_to_message": original}));
        assert_eq!(reply, Some((command.clone(), true, vec!["b".to_owned()])));
        assert_eq!(gist(json!({"text": "/where"})), Some((command, true, vec![])));
        let model = gist(json!({"photo": photo("a"), "caption": "/model"}));
        assert_eq!(model, Some((Request::Command(Command::Model), true, vec![])), "nothing to download");
    }

    #[test]
    fn commands_to_others_and_unknown_ones() {
        assert_eq!(gist(json!({"text": "/where@OtherBot"})), None);
        assert_eq!(gist(json!({"text": "/teach"})), Some((Request::Words, false, vec![])), "another bot's, perhaps");
        let ours = gist(json!({"text": "/teach@kokodokobot"}));
        assert_eq!(ours, Some((Request::UnknownCommand("teach".to_owned()), true, vec![])));
        let private = json!({"text": "/teach", "chat": {"id": 3, "type": "private", "first_name": "Aoi"}});
        assert_eq!(gist(private), Some((Request::UnknownCommand("teach".to_owned()), true, vec![])));
        for no_command in ["/", "/ where", "/etc/passwd", "//where", "1/where"] {
            assert_eq!(gist(json!({"text": no_command})), Some((Request::Words, false, vec![])), "{no_command}");
        }
    }

    #[test]
    fn mentions_and_replies_address_the_bot() {
        let original = message(json!({"message_id": 4, "document": {"file_id": "d", "file_unique_id": "u"}}));
        let about = gist(merged(mention(), json!({"reply_to_message": original})));
        assert_eq!(about, Some((Request::Photos, true, vec!["d".to_owned()])));
        assert_eq!(gist(mention()), Some((Request::Words, true, vec![])));
        let ours = message(json!({"message_id": 4, "photo": photo("heatmap"),
            "from": {"id": 7, "is_bot": true, "first_name": "ここどこ"}}));
        let answer = gist(json!({"photo": photo("c"), "reply_to_message": ours}));
        assert_eq!(answer, Some((Request::Photos, true, vec!["c".to_owned()])));
        let thanks = gist(json!({"text": "thanks!", "reply_to_message": ours}));
        assert_eq!(thanks, Some((Request::Words, false, vec![])), "needs no answer");
        let again = gist(json!({"text": "/where", "reply_to_message": ours}));
        assert_eq!(again, Some((Request::Command(Command::Where), true, vec![])), "a heatmap is no street");
    }

    #[test]
    fn albums_are_one_question_with_an_address_each() {
        let parts = [
            json!({"message_id": 8, "photo": photo("a")}),
            json!({"message_id": 9, "photo": photo("b"),
            "caption": "/where"}),
        ];
        let parts = parts.map(|part| serde_json::from_value(message(part)).expect("a message"));
        let heard = hear(&me(), &parts).expect("heard");
        assert_eq!((heard.incoming.attachments.len(), heard.incoming.addressed), (2, true));
        let to = |index| heard.address(index).message.expect("an answer").0;
        assert_eq!((to(0), to(1)), (8, 9));
        assert_eq!(to(2), 8, "what is said beyond the photos goes to the first");
    }

    #[test]
    fn who_asks() {
        let bot = json!({"text": "/where", "from": {"id": 9, "is_bot": true, "first_name": "Other"}});
        assert!(heard(bot).is_none());
        let admin = json!({"text": "/where", "from": {"id": 1_087_968_824_u64, "is_bot": true, "first_name": "Group",
            "username": "GroupAnonymousBot"}, "sender_chat": {"id": -100, "type": "supergroup", "title": "街"}});
        assert_eq!(heard(admin).expect("people, though unnamed").incoming.user.id, -100);
        assert_eq!(heard(json!({"text": "x"})).expect("heard").incoming.lang, Lang::Ja);
        assert!(heard(json!({"new_chat_title": "町"})).is_none());
    }

    #[test]
    fn topics_of_forums_are_kept_and_threads_of_replies_are_not() {
        let thread = |is_topic: bool| {
            let more = json!({"text": "x", "message_thread_id": 77, "is_topic_message": is_topic});
            heard(more).expect("heard").addresses[0].thread.map(|thread| thread.0.0)
        };
        assert_eq!((thread(true), thread(false)), (Some(77), None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "/?[@a-z🏙 \n]{0,20}", offset in 0_usize..30, length in 0_usize..30) {
            let entity = json!([{"type": "mention", "offset": offset, "length": length}]);
            let heard = heard(json!({"text": text, "entities": entity}));
            prop_assert!(heard.is_some() || text.contains('@'), "only commands to other bots are passed over");
        }
    }
}
