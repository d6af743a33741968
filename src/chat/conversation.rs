//! Who is answered, and with what.

use std::sync::Arc;

use super::command::Command;
use super::etiquette::{Clock, Etiquette, Limits, Verdict};
use super::message::{ChatKind, Delivered, Incoming, PressReply, Pressed, Reply, Request};
use super::quiz::Table;
use super::{Lang, locate, text};
use crate::infer::Core;

/// The conversation with everybody; clones share it.
#[derive(Clone)]
pub struct Conversation {
    inner: Arc<Inner>,
}

struct Inner {
    core: Core,
    etiquette: Etiquette,
    table: Option<Table>,
}

/// What to do with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Nothing: it is not for the bot, or its sender was told to wait.
    Ignore,
    /// Deliver this and nothing else.
    Refuse(Reply),
    /// Download its photos, then [`Conversation::respond`].
    Accept,
}

impl Conversation {
    /// A conversation about what `core` sees.
    #[must_use]
    pub fn new(core: Core, limits: Limits, clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { core, etiquette: Etiquette::new(limits, clock), table: None }) }
    }

    /// A conversation that plays as well.
    #[must_use]
    pub fn with_quiz(core: Core, limits: Limits, clock: Clock, table: Table) -> Self {
        Self { inner: Arc::new(Inner { core, etiquette: Etiquette::new(limits, clock), table: Some(table) }) }
    }

    /// Decides whether a message is answered, before anything is downloaded: always in private, in groups only
    /// when the bot is addressed, and never beyond the limits. Each call with a message that is for the bot
    /// counts against them.
    #[must_use]
    pub fn admit(&self, incoming: &Incoming) -> Admission {
        if incoming.kind == ChatKind::Group && !incoming.addressed {
            return Admission::Ignore;
        }
        match self.inner.etiquette.check(&incoming.user, &incoming.chat, cost(incoming)) {
            Verdict::Allowed => Admission::Accept,
            Verdict::Silent => Admission::Ignore,
            Verdict::Refused { wait } => Admission::Refuse(Reply::words(text::slow_down(incoming.lang, wait))),
        }
    }

    /// Answers an admitted message. `photos` are its first [`super::MAX_PHOTOS`] attachments, in their order.
    pub async fn respond(&self, incoming: &Incoming, photos: Vec<Delivered>) -> Vec<Reply> {
        let (lang, platform) = (incoming.lang, incoming.chat.platform);
        let core = &self.inner.core;
        let words = match &incoming.request {
            Request::Photos | Request::Command(Command::Where) if !photos.is_empty() => {
                return locate::answer(core, incoming, photos).await;
            }
            Request::Photos | Request::Words => text::photo_wanted(lang),
            Request::Command(Command::Where) => text::photo_missing(lang, platform),
            Request::Command(Command::Help | Command::Start) => text::help(lang, platform),
            Request::Command(Command::Model) => text::model(lang, &core.manifest(), &core.identity()),
            Request::Command(Command::Privacy) => text::privacy(lang, platform),
            Request::UnknownCommand(name) => text::command_unknown(lang, name),
            Request::Left | Request::Came => {
                if let Some(table) = &self.inner.table {
                    table.note(incoming).await;
                }
                return Vec::new();
            }
            Request::Command(command) => {
                let answered = match &self.inner.table {
                    Some(table) => table.command(incoming, *command).await,
                    None => None,
                };
                return answered.unwrap_or_else(|| vec![Reply::words(text::quiz::off(lang))]);
            }
        };
        vec![Reply::words(words)]
    }
}

impl Conversation {
    /// To a button of an older version, or one that somebody made up.
    #[must_use]
    pub fn stale_button(&self, lang: Lang) -> String {
        text::stale_button(lang)
    }

    /// Does what a button says. Quick, except for pictures that have to be drawn.
    pub async fn press(&self, pressed: &Pressed) -> PressReply {
        match &self.inner.table {
            Some(table) => table.press(pressed).await,
            None => PressReply { notice: text::quiz::off(pressed.lang), ..PressReply::default() },
        }
    }
}

/// Photos that will be looked at, or 1 for words alone: those want an answer too.
fn cost(incoming: &Incoming) -> usize {
    let photos = incoming.attachments.len().min(super::MAX_PHOTOS);
    let looked_at = match &incoming.request {
        Request::Photos => photos,
        Request::Command(command) if command.takes_photos() => photos,
        _ => 0,
    };
    looked_at.max(1)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::chat::etiquette::system_clock;
    use crate::chat::message::{Attachment, DeliveryError};
    use crate::chat::sample;
    use crate::infer::decode::PhotoError;
    use crate::infer::{LocateError, Options};

    const RED: [u8; 3] = [255, 0, 0];
    const BLUE: [u8; 3] = [0, 0, 255];

    fn conversation(options: &Options) -> Conversation {
        Conversation::new(sample::core(options), Limits::default(), system_clock())
    }

    fn with_photos(lang: Lang, count: usize) -> Incoming {
        let attachments = vec![Attachment { handle: "x".to_owned(), bytes: None }; count];
        Incoming { attachments, ..sample::incoming(lang, Request::Photos) }
    }

    #[tokio::test]
    async fn a_photo_gets_its_area_bars_notice_and_heatmap() {
        let photos = vec![Ok(sample::jpeg(RED))];
        let replies = conversation(&Options::default()).respond(&with_photos(Lang::Ja, 1), photos).await;
        let [Reply { text: words, picture: Some(picture), .. }] = &replies[..] else { panic!("{replies:?}") };
        assert!(words.starts_with("東京都港区だと思います（>99%）。"), "{words}");
        assert!(words.ends_with(&text::drawn_world(Lang::Ja)), "{words}");
        assert_eq!((picture.name.as_str(), &picture.bytes[..2]), ("heatmap-1.jpg", &[0xff, 0xd8][..]));
    }

    #[tokio::test]
    async fn grey_is_not_known() {
        let photos = vec![Ok(sample::jpeg([90; 3]))];
        let replies = conversation(&Options::default()).respond(&with_photos(Lang::En, 1), photos).await;
        assert!(replies[0].text.starts_with("I don't know where this is."), "{replies:?}");
    }

    #[tokio::test]
    async fn an_album_is_answered_in_its_order_with_each_failure_in_its_place() {
        let missing = Err(DeliveryError::Download("reset".to_owned()));
        let photos = vec![Ok(sample::jpeg(RED)), missing, Ok(b"no picture".to_vec()), Ok(sample::jpeg(BLUE))];
        let replies = conversation(&Options::default()).respond(&with_photos(Lang::En, 4), photos).await;
        let firsts: Vec<Vec<&str>> = replies.iter().map(|reply| reply.text.lines().take(2).collect()).collect();
        insta::assert_debug_snapshot!(firsts);
    }

    #[tokio::test]
    async fn more_than_ten_photos_are_said_to_be_too_many() {
        let photos = (0..10).map(|_| Ok(sample::jpeg(RED))).collect();
        let replies = conversation(&Options::default()).respond(&with_photos(Lang::En, 12), photos).await;
        assert_eq!(replies.len(), 11);
        assert_eq!(replies[10], Reply::words(text::photos_too_many(Lang::En, 10, 2)));
    }

    #[tokio::test]
    async fn a_busy_core_says_when_to_come_back() {
        let options = Options { max_in_flight: 1, ..Options::default() };
        let photos = (0..2).map(|_| Ok(sample::jpeg(RED))).collect();
        let replies = conversation(&options).respond(&with_photos(Lang::En, 2), photos).await;
        assert!(replies[0].picture.is_some(), "the first has the only place");
        assert!(replies[1].text.ends_with(&text::busy(Lang::En, Duration::from_secs(1))), "{replies:?}");
    }

    #[tokio::test]
    async fn bad_photos_have_their_own_sentences() {
        let huge = PhotoError::TooManyBytes { bytes: 30 << 20, limit: 20 << 20 };
        for lang in Lang::ALL {
            for (photo, error) in [
                (Ok(Vec::new()), PhotoError::Empty),
                (Ok(b"hello".to_vec()), PhotoError::NotAPicture),
                (Ok(sample::jpeg(RED)[..300].to_vec()), PhotoError::Truncated),
                (Err(huge.clone().into()), huge.clone()),
            ] {
                let replies = conversation(&Options::default()).respond(&with_photos(lang, 1), vec![photo]).await;
                assert_eq!(replies, [Reply::words(text::photo_error(lang, &error))]);
            }
        }
    }

    #[tokio::test]
    async fn inner_faults_are_not_shown() {
        let runner = sample::Colours { failures: ["tensor of doom".to_owned()].into() };
        let core = Core::with_runner(sample::manifest(), runner, &Options::default()).expect("a thread starts");
        let conversation = Conversation::new(core, Limits::default(), system_clock());
        let replies = conversation.respond(&with_photos(Lang::En, 1), vec![Ok(sample::jpeg(RED))]).await;
        assert_eq!(replies, [Reply::words(text::locate_error(Lang::En, &LocateError::Failed(String::new())))]);
    }

    #[tokio::test]
    async fn every_request_without_photos_has_its_words() {
        let conversation = conversation(&Options::default());
        for lang in Lang::ALL {
            let all = Command::ALL.map(Request::Command).into_iter();
            let mut said = Vec::new();
            for request in all.chain([Request::Photos, Request::Words, Request::UnknownCommand("quiz".to_owned())]) {
                let replies = conversation.respond(&sample::incoming(lang, request.clone()), Vec::new()).await;
                said.push(format!("{request:?}: {}", replies[0].text.lines().next().unwrap_or_default()));
            }
            insta::assert_snapshot!(format!("requests-{}", lang.tag()), said.join("\n"));
        }
    }

    #[test]
    fn groups_are_left_in_peace_and_limits_are_said_once() {
        let now = Instant::now();
        let limits = Limits { per_user_per_minute: 2, per_chat_per_minute: 30 };
        let runtime = Conversation::new(sample::core(&Options::default()), limits, Arc::new(move || now));
        let overheard = Incoming { kind: ChatKind::Group, ..with_photos(Lang::En, 2) };
        for _ in 0..5 {
            assert_eq!(runtime.admit(&overheard), Admission::Ignore, "and costs nothing");
        }
        let asked = Incoming { addressed: true, ..overheard };
        assert_eq!(runtime.admit(&asked), Admission::Accept);
        let refusal = Reply::words(text::slow_down(Lang::En, Duration::from_secs(60)));
        assert_eq!(runtime.admit(&asked), Admission::Refuse(refusal));
        assert_eq!(runtime.admit(&asked), Admission::Ignore);
    }
}
