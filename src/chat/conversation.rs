//! Who is answered, and with what.

use std::sync::Arc;

use super::admin::Office;
use super::command::Command;
use super::etiquette::{Clock, Etiquette, Limits, Verdict};
use super::gift::Giving;
use super::inbox::Inbox;
use super::insight::{self, About, Insight};
use super::message::{ChatKind, Delivered, Incoming, Platform, PressReply, Pressed, Reply, Request, Role, UserRef};
use super::quiz::Table;
use super::why::{Face, Reasons};
use super::{Lang, Press, locate, text};
use crate::album::Album;
use crate::collect::extents::Extents;
use crate::infer::Core;
use crate::retention::Days;

/// The conversation with everybody; clones share it.
#[derive(Clone)]
pub struct Conversation {
    core: Core,
    etiquette: Arc<Etiquette>,
    reasons: Arc<Reasons>,
    table: Option<Table>,
    office: Option<Office>,
    kept: Option<Days>,
    insight: Option<Insight>,
    inbox: Option<Inbox>,
    giving: Option<Giving>,
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
        let reasons = Arc::new(Reasons::new(clock.clone(), Album::default(), Extents::default()));
        let etiquette = Arc::new(Etiquette::new(limits, clock));
        Self {
            core,
            etiquette,
            reasons,
            table: None,
            office: None,
            kept: None,
            insight: None,
            inbox: None,
            giving: None,
        }
    }

    /// A conversation that plays as well.
    #[must_use]
    pub fn with_quiz(core: Core, limits: Limits, clock: Clock, table: Table) -> Self {
        Self { table: Some(table), ..Self::new(core, limits, clock) }
    }

    /// The same conversation with the photos of an album as look-alikes. Nothing that was answered before is remembered.
    #[must_use]
    pub fn with_album(self, album: Album) -> Self {
        Self { reasons: Arc::new(self.reasons.with_album(album)), ..self }
    }

    /// The same conversation with maps from these borders. Nothing that was answered before is remembered.
    #[must_use]
    pub fn with_extents(self, extents: Extents) -> Self {
        Self { reasons: Arc::new(self.reasons.with_extents(extents)), ..self }
    }

    /// The same conversation with admins, who are let into `office`.
    #[must_use]
    pub fn with_office(self, office: Office) -> Self {
        Self { office: Some(office), ..self }
    }

    /// The same conversation, which shows what was kept of the live model's judgement.
    #[must_use]
    pub fn with_insight(self, insight: Insight) -> Self {
        Self { insight: Some(insight), ..self }
    }

    /// The same conversation, which notes what it takes on in `inbox`.
    #[must_use]
    pub fn with_inbox(self, inbox: Inbox) -> Self {
        Self { inbox: Some(inbox), ..self }
    }

    /// Where messages that are taken on are noted.
    #[must_use]
    pub fn inbox(&self) -> Option<&Inbox> {
        self.inbox.as_ref()
    }

    /// The same conversation, which asks whether photos that say where they were taken may be kept.
    #[must_use]
    pub fn with_giving(self, giving: Giving) -> Self {
        Self { giving: Some(giving), ..self }
    }

    /// The same conversation, which says how long things are kept.
    #[must_use]
    pub fn keeping(self, kept: Days) -> Self {
        Self { kept: Some(kept), ..self }
    }

    /// The numbers of admins and owners on a service, for the menus that only they see.
    #[must_use]
    pub fn admins(&self, platform: Platform) -> Vec<(i64, Role)> {
        let mut numbers: Vec<_> = self.office.iter().flat_map(|office| office.admins().on(platform)).collect();
        numbers.sort_unstable();
        numbers
    }

    /// What somebody may do, given what the service says of them: admins are known by their number alone.
    fn role(&self, user: &UserRef, by_service: Role) -> Role {
        let by_us = self.office.as_ref().and_then(|office| office.admins().role(user));
        by_us.unwrap_or(by_service.min(Role::Moderator))
    }

    /// Decides whether a message is answered, before anything is downloaded: always in private, in groups only
    /// when the bot is addressed, and never beyond the limits. Each call with a message that is for the bot
    /// counts against them.
    #[must_use]
    pub fn admit(&self, incoming: &Incoming) -> Admission {
        if incoming.kind == ChatKind::Group && !incoming.addressed {
            return Admission::Ignore;
        }
        match self.etiquette.check(&incoming.user, &incoming.chat, cost(incoming)) {
            Verdict::Allowed => Admission::Accept,
            Verdict::Silent => Admission::Ignore,
            Verdict::Refused { wait } => Admission::Refuse(Reply::words(text::slow_down(incoming.lang, wait))),
        }
    }

    /// Answers an admitted message. `photos` are its first [`super::MAX_PHOTOS`] attachments, in their order.
    pub async fn respond(&self, incoming: &Incoming, photos: Vec<Delivered>) -> Vec<Reply> {
        let (lang, platform) = (incoming.lang, incoming.chat.platform);
        let incoming = &Incoming { role: self.role(&incoming.user, incoming.role), ..incoming.clone() };
        // Before anything else, so that the refusal cannot depend on anything.
        if let Request::Command(command) = incoming.request
            && incoming.role < command.role()
        {
            let (platform, person) = (platform.name(), incoming.user.id);
            tracing::warn!(platform, person, command = command.name(), "not allowed");
            return vec![Reply::words(text::admin::refusal(lang, command.role()))];
        }
        let core = &self.core;
        let words = match &incoming.request {
            Request::Photos | Request::Command(Command::Where) if !photos.is_empty() => {
                return locate::answer(core, &self.reasons, self.giving.as_ref(), incoming, photos, Face::Usual).await;
            }
            Request::Command(Command::Similar) if core.manifest().index.is_none() => text::similar::none(lang),
            Request::Command(Command::Similar) if !photos.is_empty() => {
                return locate::answer(core, &self.reasons, self.giving.as_ref(), incoming, photos, Face::Similar)
                    .await;
            }
            Request::Command(Command::Similar) => text::similar::missing(lang, platform),
            Request::Photos | Request::Words => text::photo_wanted(lang),
            Request::Command(Command::Where) => text::photo_missing(lang, platform),
            Request::Command(Command::Help | Command::Start) => text::help(lang, platform, incoming.role),
            Request::Command(Command::Model) => text::model(lang, &core.manifest(), &core.identity()),
            Request::Command(Command::Privacy) => {
                let kept = self.kept.map(|kept| text::admin::kept(lang, &kept));
                std::iter::once(text::privacy(lang, platform)).chain(kept).collect::<Vec<_>>().join("\n")
            }
            Request::UnknownCommand(name) => text::command_unknown(lang, name),
            Request::Command(Command::Gallery) => {
                return vec![self.show(lang, About::Gallery(incoming.arguments.clone())).await];
            }
            Request::Command(Command::Confusions) => return vec![self.show(lang, About::Confusions).await],
            Request::Command(Command::Atlas) => {
                return vec![self.show(lang, About::Atlas(incoming.arguments.clone())).await];
            }
            Request::Left | Request::Came => {
                if let Some(table) = &self.table {
                    table.note(incoming).await;
                }
                return Vec::new();
            }
            Request::Command(command) if command.role() >= Role::Admin => {
                return match &self.office {
                    Some(office) => office.command(incoming, *command).await,
                    None => Vec::new(),
                };
            }
            Request::Command(Command::Forget) => return self.forget(incoming).await,
            Request::Command(command) => {
                let answered = match &self.table {
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
    /// Shows what was kept of the live model's judgement.
    async fn show(&self, lang: Lang, about: About) -> Reply {
        let manifest = self.core.manifest();
        match &self.insight {
            Some(insight) => insight.show(lang, &manifest, about).await,
            None => insight::none(lang, &manifest),
        }
    }

    /// Removes what is stored of somebody: their gifts first, since those are found by the links of their scores.
    async fn forget(&self, incoming: &Incoming) -> Vec<Reply> {
        let lang = incoming.lang;
        let mut replies = Vec::new();
        if let Some(giving) = &self.giving {
            match giving.forget(&incoming.user).await {
                Ok(0) => {}
                Ok(count) => replies.push(Reply::words(text::gift::withdrawn(lang, count))),
                Err(error) => {
                    tracing::error!(%error, "gifts could not be given back");
                    return vec![Reply::words(text::gift::failed(lang))];
                }
            }
        }
        let answered = match &self.table {
            Some(table) => table.command(incoming, Command::Forget).await.unwrap_or_default(),
            None if replies.is_empty() && self.giving.is_some() => {
                vec![Reply::words(text::quiz::forgotten(lang, false))]
            }
            None if replies.is_empty() => vec![Reply::words(text::quiz::off(lang))],
            None => Vec::new(),
        };
        replies.extend(answered);
        replies
    }

    /// To a button of an older version, or one that somebody made up.
    #[must_use]
    pub fn stale_button(&self, lang: Lang) -> String {
        text::stale_button(lang)
    }

    /// Does what a button says. Quick, except for pictures that have to be drawn.
    pub async fn press(&self, pressed: &Pressed) -> PressReply {
        if self.role(&pressed.user, Role::Member) < pressed.press.role() {
            let (platform, person) = (pressed.user.platform.name(), pressed.user.id);
            tracing::warn!(platform, person, "not allowed to press");
            let notice = text::admin::refusal(pressed.lang, pressed.press.role());
            return PressReply { notice, ..PressReply::default() };
        }
        match pressed.press {
            Press::Why { photo, label, all } => return self.reasons.press(pressed, photo, label, all).await,
            Press::Similar { photo } => return self.reasons.press_similar(pressed, photo).await,
            Press::Map { photo } => return self.reasons.press_map(pressed, photo).await,
            _ => {}
        }
        if let (Press::Give { .. } | Press::TakeBack { .. }, Some(giving)) = (pressed.press, &self.giving) {
            return giving.press(pressed).await;
        }
        if pressed.press.role() >= Role::Admin
            && let Some(office) = &self.office
        {
            return office.press(pressed).await;
        }
        match &self.table {
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
    use crate::chat::admin::Admins;
    use crate::chat::etiquette::system_clock;
    use crate::chat::message::{Attachment, DeliveryError};
    use crate::chat::{ChatRef, sample};
    use crate::clock::SystemClock;
    use crate::infer::decode::PhotoError;
    use crate::infer::{LocateError, Options};
    use crate::store::Store;

    const RED: [u8; 3] = [255, 0, 0];
    const BLUE: [u8; 3] = [0, 0, 255];

    fn conversation(options: &Options) -> Conversation {
        Conversation::new(sample::core(options), Limits::default(), system_clock())
    }

    fn with_photos(lang: Lang, count: usize) -> Incoming {
        let attachments = vec![Attachment { handle: "x".to_owned(), bytes: None, is_own: true }; count];
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
    async fn look_alikes_are_asked_for_by_a_command_where_the_model_has_an_index() {
        let similar = Request::Command(Command::Similar);
        let asked = |count: usize| Incoming { request: similar.clone(), ..with_photos(Lang::En, count) };
        let without = conversation(&Options::default()).respond(&asked(1), vec![Ok(sample::jpeg(RED))]).await;
        assert_eq!(without, [Reply::words(text::similar::none(Lang::En))]);
        let conversation = Conversation::new(sample::core_with_index(), Limits::default(), system_clock());
        let nothing = conversation.respond(&asked(0), Vec::new()).await;
        assert_eq!(nothing, [Reply::words(text::similar::missing(Lang::En, Platform::Telegram))]);
        let both = conversation.respond(&asked(2), vec![Ok(sample::jpeg(RED)), Ok(b"no picture".to_vec())]).await;
        assert!(both[0].text.contains("1. Shibuya 神南一丁目") && both[0].picture.is_some(), "{both:?}");
        assert!(both[1].text.ends_with(&text::photo_error(Lang::En, &PhotoError::NotAPicture)), "{both:?}");
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

    #[tokio::test]
    async fn nobody_but_an_admin_of_the_service_uses_an_admins_command_whatever_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        let who = |platform, id| UserRef { platform, id };
        // Everybody's number is an admin's on another service.
        let admins: Admins = [who(Platform::Telegram, 1), who(Platform::Discord, 2)].into_iter().collect();
        let office = Office::new(admins, store.clone(), Arc::new(SystemClock));
        let open = conversation(&Options::default()).with_office(office);
        let without = conversation(&Options::default());
        let all = |command: Command| {
            let places = Platform::ALL.into_iter().flat_map(|platform| (1..=3).map(move |id| (platform, id)));
            let kinds = places.flat_map(|place| [ChatKind::Private, ChatKind::Group].map(|kind| (place, kind)));
            let roles = [Role::Member, Role::Moderator, Role::Admin, Role::Owner];
            let asked = kinds.flat_map(move |asked| roles.map(|role| (asked, role)));
            asked.map(move |(((platform, id), kind), role)| Incoming {
                chat: ChatRef { platform, id: 7 },
                kind,
                user: who(platform, id),
                role,
                addressed: true,
                ..sample::incoming(Lang::En, Request::Command(command))
            })
        };
        let refusals = [Role::Admin, Role::Owner].map(|role| [Reply::words(text::admin::refusal(Lang::En, role))]);
        let is_refusal = |replies: Vec<Reply>| refusals.iter().any(|refusal| replies == refusal);
        let mut let_in = 0;
        for incoming in Command::ALL.into_iter().filter(|c| c.role() >= Role::Admin).flat_map(all) {
            let is_admin =
                matches!((incoming.user.platform, incoming.user.id), (Platform::Telegram, 1) | (Platform::Discord, 2));
            let_in += i64::from(is_admin);
            assert_eq!(!is_refusal(open.respond(&incoming, Vec::new()).await), is_admin, "{incoming:?}");
            assert!(is_refusal(without.respond(&incoming, Vec::new()).await), "{incoming:?}");
        }
        assert!(let_in > 0);
        let noted = store.actions(1_000).await.expect("readable");
        assert_eq!(noted.len() as i64, let_in, "each action of an admin is noted, and nothing else");
        assert!(
            noted
                .iter()
                .all(|action| action.outcome != "failed" && open.role(&action.who, Role::Member) == Role::Owner)
        );
        let press = Press::Begin { job: crate::domain::job::JobId(1) };
        for incoming in all(Command::Collect) {
            let Incoming { chat, kind, thread, user, name, lang, .. } = incoming.clone();
            let pressed = Pressed { chat, kind, thread, user, name, lang, present: true, press };
            let is_admin = open.role(&incoming.user, Role::Member) >= Role::Admin;
            let refused = |reply: PressReply| reply.notice == text::admin::refusal(Lang::En, Role::Admin);
            assert_eq!(!refused(open.press(&pressed).await), is_admin, "{incoming:?}");
            assert!(refused(without.press(&pressed).await), "{incoming:?}");
        }
        for incoming in Command::ALL.into_iter().filter(|c| c.role() < Role::Admin).flat_map(all) {
            assert!(!is_refusal(open.respond(&incoming, Vec::new()).await), "{incoming:?}");
        }
    }

    #[tokio::test]
    async fn an_admin_sees_what_was_done_and_more_help() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        let admin = UserRef { platform: Platform::Telegram, id: 1 };
        let office = Office::new([admin].into_iter().collect(), store, Arc::new(SystemClock));
        let open = conversation(&Options::default()).with_office(office);
        let ask = |command| sample::incoming(Lang::En, Request::Command(command));
        let first = open.respond(&ask(Command::Audit), Vec::new()).await;
        assert_eq!(first, [Reply::words(text::admin::audit(Lang::En, &[]))]);
        let second = open.respond(&ask(Command::Audit), Vec::new()).await;
        assert!(second[0].text.ends_with("Aoi (telegram 1): /audit → done"), "{second:?}");
        let help = open.respond(&ask(Command::Help), Vec::new()).await;
        assert_eq!(help[0].text, text::help(Lang::En, Platform::Telegram, Role::Owner));
        let other = Incoming { user: UserRef { platform: Platform::Telegram, id: 2 }, ..ask(Command::Help) };
        let help = open.respond(&other, Vec::new()).await;
        assert_eq!(help[0].text, text::help(Lang::En, Platform::Telegram, Role::Member));
        assert_eq!((open.admins(Platform::Telegram), open.admins(Platform::Discord)), (vec![(1, Role::Owner)], vec![]));
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
