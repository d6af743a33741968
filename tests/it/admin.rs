//! Admins in both chats: known by their number, refused to all others, with menus of their own.

mod collect;
mod train;

use std::sync::Arc;

use kokodoko::chat::command::Command;
use kokodoko::chat::{Conversation, Lang, Office, Platform, Post, Role, UserRef, text};
use kokodoko::clock::SystemClock;
use kokodoko::store::Store;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake::discord::event::{command, plain};
use crate::fake::discord::{Fake, Place};
use crate::fake::telegram::{AOI, BEN, FakeTelegram};
use crate::support::{conversation, generous};

const HANA: u64 = 40;
const TARO: u64 = 41;

/// A conversation with Aoi as an admin on Telegram and Hana on Discord, and its database.
async fn with_admins() -> (Conversation, Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
    let admins = [(Platform::Telegram, AOI.id), (Platform::Discord, HANA.cast_signed())];
    let admins = admins.into_iter().map(|(platform, id)| UserRef { platform, id }).collect();
    let office = Office::new(admins, store.clone(), Arc::new(SystemClock));
    (conversation(generous()).with_office(office), store, folder)
}

fn admins_commands() -> Vec<Command> {
    Command::menu(Role::Owner).filter(|command| command.role() >= Role::Admin).collect()
}

#[tokio::test]
async fn on_telegram() {
    let fake = FakeTelegram::start().await;
    // Aoi has never written to the bot: there is no chat whose menu could be set.
    let (conversation, store, _folder) = with_admins().await;
    let stop = CancellationToken::new();
    let news = Post::default().connect(Platform::Telegram);
    let bot = tokio::spawn(kokodoko::front::telegram::run(fake.settings(), conversation, news, stop.clone()));
    let group = fake.group();
    // Moderating the group, bearing an admin's name: neither helps.
    fake.make_administrator(group, BEN);
    for command_of_admins in admins_commands() {
        let name = command_of_admins.name();
        fake.post(
            group,
            BEN,
            json!({"text": format!("/{name}"), "from": {"id": BEN.id, "is_bot": false,
            "first_name": AOI.name(), "username": "aoi", "language_code": "en"}}),
        );
        assert_eq!(fake.take_sent(1).await[0].text, text::admin::refusal(Lang::En, command_of_admins.role()), "{name}");
    }
    assert_eq!(store.actions(9).await.expect("readable"), []);

    let private = fake.private_chat(AOI);
    fake.post(private, AOI, json!({"text": "/start"}));
    assert_eq!(fake.take_sent(1).await[0].text, text::help(Lang::Ja, Platform::Telegram, Role::Owner));
    let named = |lang: Lang, role| {
        Command::menu(role).map(|c| (c.name().to_owned(), text::command(lang, c))).collect::<Vec<_>>()
    };
    assert_eq!(fake.menu(private, "ja"), named(Lang::Ja, Role::Owner));
    assert_eq!(fake.menu(private, "en"), named(Lang::En, Role::Owner));
    assert_eq!(fake.menu(group, "ja"), named(Lang::Ja, Role::Member), "in groups nobody sees admins' commands");
    fake.post(group, AOI, json!({"text": "/audit"}));
    assert_eq!(fake.take_sent(1).await[0].text, text::admin::audit(Lang::Ja, &[]));
    let noted = store.actions(9).await.expect("readable");
    assert_eq!((noted.len(), noted[0].who.id, noted[0].chat.id, &*noted[0].action), (1, AOI.id, group, "/audit"));
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn on_discord() {
    let fake = Fake::start().await;
    fake.add_server(30, "en-US");
    let (conversation, store, _folder) = with_admins().await;
    let stop = CancellationToken::new();
    let news = Post::default().connect(Platform::Discord);
    let bot = tokio::spawn(kokodoko::front::discord::run(fake.settings(), conversation, news, stop.clone()));
    fake.identified(1).await;
    let mut count = 0;
    for command_of_admins in admins_commands() {
        let name = command_of_admins.name();
        let id = fake.id();
        // An administrator of the server, who sees the command, is still no admin of the bot.
        let mut asked = command(id, TARO, "en-US", &plain(name));
        asked["member"]["permissions"] = json!("8");
        fake.dispatch("INTERACTION_CREATE", &asked);
        count += 1;
        let sent = fake.sent(count).await;
        let said = &sent[count - 1];
        assert_eq!((&said.place, said.ephemeral), (&Place::Original(id), true));
        assert_eq!(said.content, text::admin::refusal(Lang::En, command_of_admins.role()), "{name}");
    }
    assert_eq!(store.actions(9).await.expect("readable"), []);
    fake.dispatch("INTERACTION_CREATE", &command(fake.id(), HANA, "ja", &plain("audit")));
    let sent = fake.sent(count + 1).await;
    assert_eq!(sent[count].content, text::admin::audit(Lang::Ja, &[]));
    assert!(sent[count].ephemeral, "for the asker alone");
    assert_eq!(store.actions(9).await.expect("readable")[0].who.id, HANA.cast_signed());
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
    fake.finish();
}
