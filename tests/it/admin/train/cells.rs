//! `/train cells`: a model whose areas are cells of the globe, asked for in both chats.

use std::os::unix::fs::PermissionsExt;

use kokodoko::chat::{Lang, text};
use kokodoko::domain::area::are_cells;
use kokodoko::domain::job::JobId;
use kokodoko::domain::partition::Limits;
use serde_json::json;

use super::house::{House, write};
use super::{HANA, OnTelegram, on_discord, promoted, said};
use crate::fake::discord::event::{command, with_options};
use crate::fake::discord::{Fake, Place};
use crate::fake::telegram::{AOI, FakeTelegram, Sent};

const LIMITS: Limits = Limits { most: 12, least: 3, deepest: 13 };

/// What the job was asked for, as it is kept.
fn asked(request: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(request).expect("JSON")["cells"].clone()
}

#[tokio::test]
async fn on_telegram_a_model_of_cells_goes_live_since_its_guesses_are_nearer() {
    let (fake, house) = (FakeTelegram::start().await, House::build());
    let bot = OnTelegram::start(&fake, &house).await;
    let (chat, lang) = (fake.private_chat(AOI), Lang::Ja);
    let few = bot.ask(chat, json!({"text": "/train cells"})).await;
    let one = text::training::Reason::NoCells(Limits::default());
    let coarse = text::training::Reason::OneCell(Limits::default());
    assert!([one, coarse].iter().any(|reason| text::training::not_begun(lang, reason) == few), "{few}");

    fake.post(chat, AOI, json!({"text": "/train cells most=12 least=3"}));
    let offer = fake.take_sent(1).await.remove(0);
    assert!(offer.text.contains("セル：学習用"), "{}", offer.text);
    assert!(offer.text.contains("12枚より多ければ分割し、3枚より少なければ除きます。"), "{}", offer.text);
    assert!(!offer.text.contains("新しいモデルはそれを知らず"), "the comparison sees it: {}", offer.text);
    let data = fake.data(chat, offer.id, &text::training::begin_button(lang));
    let press = fake.press_data(chat, AOI, offer.id, &data);
    fake.answer_to(&press).await;
    let news = fake.find_sent("the news", |sent| {
        sent.iter().find(|sent| sent.text.starts_with("学習が")).map(|sent| sent.text.clone())
    });
    let news = news.await;
    assert!(news.contains("距離で比べると（地域の分け方が違うため）"), "{news}");
    let model = promoted(&bot.inside).await;
    assert!(news.starts_with(&format!("学習が終わりました。これからは {} 1.0.0", model.name)), "{news}");
    assert!(are_cells(&model.labels) && model.name.starts_with("cells-head-"), "{}", model.name);
    assert!(model.provenance.command.contains("--cells --most 12 --least 3 --deepest 13"));
    let report = news.lines().last().and_then(|line| line.split_once('：')).expect("the report's file").1;
    assert!(std::fs::read_to_string(report).expect("it is there").contains("id=\"by-distance\""));
    let board = fake.find_sent("its board", |sent| {
        sent.iter().find(|sent| sent.text.starts_with("最終層の学習（セル）")).map(|sent| sent.id)
    });
    fake.stands(chat, board.await, |shown| shown["text"] == "最終層の学習（セル）が終わりました。").await;
    let photo = fake.photo(house.photo.clone());
    let asked = fake.post(chat, AOI, json!({ "photo": photo }));
    let answer = |sent: &&Sent| sent.id > asked && sent.text.contains('▰');
    let answer = fake.find_sent("an answer", |sent| sent.iter().find(answer).map(|sent| sent.text.clone())).await;
    assert!(answer.contains("付近"), "{answer}");
    bot.stop().await;
}

/// Stands in for the program: notes what it is asked, and finds no photos.
const SCRIPT: &str = r#"#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
echo '{"event":"failed","why":"data","text":"too few photos with positions"}'
exit 1
"#;

#[tokio::test]
async fn on_discord_cells_reach_the_child_and_one_cell_is_refused() {
    let (fake, mut house) = (Fake::start().await, House::build());
    house.program = house.folder.path().join("program");
    write(&house.program, SCRIPT.as_bytes());
    std::fs::set_permissions(&house.program, PermissionsExt::from_mode(0o755)).expect("made executable");
    let (inside, front) = on_discord(&fake, &house).await;
    let option = |name: &str, value: &str| json!({"name": name, "type": 3, "value": value});
    let limit = |name: &str, value: u32| json!({"name": name, "type": 4, "value": value});
    let asks = async |options: &[serde_json::Value]| {
        let id = fake.id();
        fake.dispatch("INTERACTION_CREATE", &command(id, HANA, "en-US", &with_options("train", options)));
        said(&fake, |sent| sent.place == Place::Original(id)).await
    };

    // All collected photos are said to be of one spot.
    inside.collect(&house).await;
    let spot = [option("labels", "cells"), option("data", "collected"), limit("most", 12), limit("least", 3)];
    let refused = asks(&spot).await;
    assert_eq!(refused.content, text::training::not_begun(Lang::En, &text::training::Reason::OneCell(LIMITS)));
    let wrong = asks(&[option("labels", "areas"), limit("most", 12)]).await;
    assert!(wrong.content.starts_with("Only cells have most and least"), "{}", wrong.content);

    let offer = asks(&[option("labels", "cells"), limit("most", 12), limit("least", 3), option("mode", "head")]).await;
    assert!(offer.content.contains("divided above 12 photos, dropped below 3."), "{}", offer.content);
    let (pressed, event) = fake.pressing(HANA, offer.message, &text::training::begin_button(Lang::En));
    fake.dispatch("INTERACTION_CREATE", &event);
    said(&fake, |sent| sent.place == Place::Original(pressed)).await;
    let news = said(&fake, |sent| sent.content.starts_with("Training has halted")).await;
    assert!(news.content.ends_with("The photos are not fit to train on.\ntoo few photos with positions"), "{news:?}");
    let calls = std::fs::read_to_string(house.folder.path().join("calls")).expect("it was called");
    assert!(calls.contains("--cells --most 12 --least 3 --deepest 13"), "{calls}");
    let job = inside.store.job(JobId(1)).await.expect("readable").expect("offered");
    assert_eq!(asked(&job.request), json!({"most": 12, "least": 3, "deepest": 13}));
    inside.stop.cancel();
    front.await.expect("no panic").expect("a clean end");
    inside.close().await;
    fake.finish();
}
