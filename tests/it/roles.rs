//! Who may do what: every command, for every role, on every service, in every kind of chat. What is expected is written
//! here by hand, and not taken from the program.

use std::sync::Arc;

use kokodoko::chat::admin::Admins;
use kokodoko::chat::command::Command;
use kokodoko::chat::quiz::Table;
use kokodoko::chat::{ChatKind, ChatRef, Conversation, Incoming, Lang, Office, Platform, Post, Reply, Request, Role};
use kokodoko::chat::{UserRef, text};
use kokodoko::clock::SystemClock;
use kokodoko::store::Store;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake::discord::Fake;
use crate::fake::discord::event::{command, plain};
use crate::fake::telegram::{BEN, FakeTelegram, User};
use crate::support::{self, ManualClock, conversation, generous};

/// The commands of admins and owners; all others are everybody's.
const ADMINS: [&str; 5] = ["models", "promote", "rollback", "collect", "train"];
const OWNERS: [&str; 1] = ["audit"];

/// Numbers of people, the same on every service: a name, or a number on another service, makes nobody an admin.
const MEMBER: i64 = 60;
const MODERATOR: i64 = 61;
const ADMIN: i64 = 62;
const OWNER: i64 = 63;

/// What the answer of a command must be, by the person.
fn refused(name: &str, person: i64) -> Option<String> {
    match person {
        MEMBER | MODERATOR if ADMINS.contains(&name) => Some(text::admin::refusal(Lang::En, Role::Admin)),
        MEMBER | MODERATOR | ADMIN if OWNERS.contains(&name) => Some(text::admin::refusal(Lang::En, Role::Owner)),
        _ => None,
    }
}

fn who(platform: Platform, id: i64) -> UserRef {
    UserRef { platform, id }
}

/// Admins and owners of one service.
fn office(platform: Platform, store: &Store) -> Office {
    let admins = Admins::with_owners(&[who(platform, ADMIN)], &[who(platform, OWNER)]);
    Office::new(admins, store.clone(), Arc::new(SystemClock))
}

async fn store() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    (Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens"), folder)
}

fn asked(platform: Platform, kind: ChatKind, person: i64, role: Role, name: &str) -> Incoming {
    Incoming {
        chat: ChatRef { platform, id: 7 },
        kind,
        thread: None,
        user: who(platform, person),
        // Everybody is called like the owner.
        name: "Owner".to_owned(),
        role,
        lang: Lang::En,
        addressed: true,
        request: Request::Command(Command::parse(name).expect("a command")),
        arguments: String::new(),
        attachments: Vec::new(),
    }
}

#[tokio::test]
async fn every_command_for_every_role_on_every_service_in_every_kind_of_chat() {
    let names = Command::ALL.map(Command::name);
    assert!(ADMINS.iter().chain(&OWNERS).all(|name| names.contains(name)), "the lists above are of this program");
    let people = [(MEMBER, Role::Member), (MODERATOR, Role::Moderator), (ADMIN, Role::Member), (OWNER, Role::Member)];
    let mut cases = 0;
    for home in Platform::ALL {
        let (store, _folder) = store().await;
        let conversation = conversation(generous()).with_office(office(home, &store));
        for platform in Platform::ALL {
            for (name, (person, by_service)) in names.iter().flat_map(|name| people.map(|person| (*name, person))) {
                for kind in [ChatKind::Private, ChatKind::Group] {
                    let incoming = asked(platform, kind, person, by_service, name);
                    let said = conversation.respond(&incoming, Vec::new()).await;
                    // On another service their number is nobody's.
                    let person = if platform == home { person } else { MEMBER };
                    let refusals = [Role::Admin, Role::Owner].map(|role| text::admin::refusal(Lang::En, role));
                    match refused(name, person) {
                        Some(words) => assert_eq!(said, [Reply::words(words)], "{incoming:?}"),
                        None => assert!(said.iter().all(|reply| !refusals.contains(&reply.text)), "{incoming:?}"),
                    }
                    cases += 1;
                }
            }
        }
        let noted = store.actions(10_000).await.expect("readable");
        let allowed = [(ADMIN, ADMINS.len()), (OWNER, ADMINS.len() + OWNERS.len())];
        for (person, commands) in allowed {
            let of_them = noted.iter().filter(|action| action.who == who(home, person)).count();
            assert_eq!(of_them, 2 * commands, "each action in both kinds of chat is noted, once");
        }
        assert_eq!(noted.len(), 2 * allowed.iter().map(|(_, commands)| commands).sum::<usize>(), "and nothing else");
    }
    assert_eq!(cases, 3 * 3 * names.len() * 4 * 2);
}

/// Whether somebody may stop a round that another began, in a group.
fn may_stop(person: i64) -> bool {
    person != MEMBER
}

#[tokio::test]
async fn who_may_stop_a_round_that_another_began() {
    for platform in [Platform::Telegram, Platform::Discord] {
        for (person, by_service) in
            [(MEMBER, Role::Member), (MODERATOR, Role::Moderator), (ADMIN, Role::Member), (OWNER, Role::Member)]
        {
            let folder = tempfile::tempdir().expect("a folder");
            let quiz = support::quiz(&folder.path().join("kokodoko.sqlite"), ManualClock::start()).await;
            let store = quiz.store().clone();
            let mut post = Post::default();
            // Someone delivers what is announced.
            let mut news = post.connect(platform);
            let delivers = tokio::spawn(async move {
                let mut number = 0;
                while let Some(announcement) = news.recv().await {
                    number += 1;
                    announcement.done.send(Ok(number)).ok();
                }
            });
            let talk = Conversation::with_quiz(
                support::core(),
                generous(),
                kokodoko::chat::etiquette::system_clock(),
                Table::new(quiz, post),
            );
            let talk = talk.with_office(office(platform, &store));
            let ask = |person, role, name| asked(platform, ChatKind::Group, person, role, name);
            let quiz = Incoming { arguments: "1".to_owned(), ..ask(99, Role::Member, "quiz") };
            talk.respond(&quiz, Vec::new()).await;
            let said = talk.respond(&ask(person, by_service, "stop"), Vec::new()).await;
            let expected =
                if may_stop(person) { text::quiz::stopped(Lang::En) } else { text::quiz::not_yours(Lang::En) };
            assert_eq!(said, [Reply::words(expected)], "{platform:?} {person}");
            let said = talk.respond(&ask(99, Role::Member, "stop"), Vec::new()).await;
            let expected =
                if may_stop(person) { text::quiz::nothing_to_stop(Lang::En) } else { text::quiz::stopped(Lang::En) };
            assert_eq!(said, [Reply::words(expected)], "who began it may, as long as it runs");
            delivers.abort();
        }
    }
}

#[tokio::test]
async fn on_the_wire_of_telegram() {
    let fake = FakeTelegram::start().await;
    let (store, _folder) = store().await;
    let conversation = conversation(generous()).with_office(office(Platform::Telegram, &store));
    let stop = CancellationToken::new();
    let news = Post::default().connect(Platform::Telegram);
    let bot = tokio::spawn(kokodoko::front::telegram::run(fake.settings(), conversation, news, stop.clone()));
    let group = fake.group();
    for person in [MEMBER, MODERATOR, ADMIN, OWNER] {
        let user = User { id: person, ..BEN };
        if person == MODERATOR {
            fake.make_administrator(group, user);
        }
        for chat in [group, fake.private_chat(user)] {
            for name in Command::ALL.map(Command::name) {
                fake.post(chat, user, json!({"text": format!("/{name}")}));
                let said = fake.take_sent(1).await.remove(0).text;
                let expected = refused(name, person);
                let refusals = [Role::Admin, Role::Owner].map(|role| text::admin::refusal(Lang::En, role));
                assert_eq!(refusals.contains(&said), expected.is_some(), "/{name} of {person} in {chat}: {said}");
                assert!(expected.is_none_or(|expected| said == expected), "/{name} of {person}: {said}");
            }
        }
    }
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn on_the_wire_of_discord() {
    let fake = Fake::start().await;
    fake.add_server(30, "en-US");
    let (store, _folder) = store().await;
    let conversation = conversation(generous()).with_office(office(Platform::Discord, &store));
    let stop = CancellationToken::new();
    let news = Post::default().connect(Platform::Discord);
    let bot = tokio::spawn(kokodoko::front::discord::run(fake.settings(), conversation, news, stop.clone()));
    fake.identified(1).await;
    let mut count = 0;
    for person in [MEMBER, MODERATOR, ADMIN, OWNER] {
        for private in [false, true] {
            for name in Command::menu(Role::Owner).map(Command::name) {
                let mut asked = command(fake.id(), person.cast_unsigned(), "en-US", &plain(name));
                // Administrators of the server see every command.
                asked["member"]["permissions"] = json!(if person == MODERATOR { "8" } else { "0" });
                if private {
                    let fields = asked.as_object_mut().expect("an object");
                    let member = fields.remove("member").expect("a member");
                    fields.insert("user".to_owned(), member["user"].clone());
                    for field in ["guild_id", "guild_locale"] {
                        fields.remove(field);
                    }
                    fields.insert("context".to_owned(), json!(1));
                }
                fake.dispatch("INTERACTION_CREATE", &asked);
                count += 1;
                let said = fake.sent(count).await.remove(count - 1).content;
                let expected = refused(name, person);
                let refusals = [Role::Admin, Role::Owner].map(|role| text::admin::refusal(Lang::En, role));
                assert_eq!(refusals.contains(&said), expected.is_some(), "/{name} of {person}: {said}");
                assert!(expected.is_none_or(|expected| said == expected), "/{name} of {person}: {said}");
            }
        }
    }
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
    fake.finish();
}

#[tokio::test]
async fn only_an_owner_overrules_a_comparison() {
    let (store, _folder) = store().await;
    let shelf = kokodoko::models::Settings { folder: _folder.path().join("models"), configured: None };
    let shelf = kokodoko::models::Shelf::new(shelf, store.clone());
    let clock = Arc::new(SystemClock);
    let options = kokodoko::infer::Options::default();
    let registry = kokodoko::models::Registry::open(shelf, clock, &options).await.expect("opens");
    let office = office(Platform::Telegram, &store).with_models(registry);
    let conversation = conversation(generous()).with_office(office);
    let force = |person| Incoming {
        arguments: "mine force because".to_owned(),
        ..asked(Platform::Telegram, ChatKind::Private, person, Role::Member, "promote")
    };
    let refusal = text::admin::refusal(Lang::En, Role::Owner);
    assert_eq!(conversation.respond(&force(ADMIN), Vec::new()).await, [Reply::words(refusal.clone())]);
    let said = conversation.respond(&force(OWNER), Vec::new()).await;
    assert!(said[0].text != refusal && !said[0].text.is_empty(), "there is no model of that name: {said:?}");
}
