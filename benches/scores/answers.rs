//! Answers into one round: each press does what a press in a chat does, and none may be lost.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kokodoko::domain::quiz::{Credit, Kind, ModelVersion, Question, RoundId};
use kokodoko::domain::{Area, ChatRef, Platform, UserRef};
use kokodoko::store::{NewRound, NewSet, Store};
use tokio::task::JoinSet;

use crate::fill::AREAS;
use crate::tally::{millis, quantile};

/// Photos of the round.
const PHOTOS: u8 = 9;
/// Answers a second that must be sustained.
const RATE: u32 = 200;
/// How long they are.
const LASTING: Duration = Duration::from_secs(15);
/// People who answer all photos as fast as they can, and how many do at once.
const EAGER: i64 = 1_000;
const AT_ONCE: usize = 64;
/// How long the round lasts, seconds: longer than this takes.
const SECONDS: u32 = 600;

/// The choice of a person, to be found again in the database.
fn choice(person: i64, number: u8) -> u8 {
    ((person as u64 * 31 + u64::from(number) * 7) % AREAS) as u8
}

fn chat(id: i64) -> ChatRef {
    ChatRef { platform: Platform::Telegram, id }
}

/// Opens a round in a chat of its own.
async fn open(store: &Store, chat_id: i64) -> RoundId {
    let names = ["港区", "渋谷区", "札幌市中央区", "旭川市", "那覇市", "京都市東山区", "富山市"];
    let question = |number: u8| Question {
        number,
        photo: format!("photo-{number}"),
        truth: usize::from(number % 7),
        guess: usize::from(number % 5),
        probability: 0.7,
        credit: Credit { source: "drawn".to_owned(), licence: "CC0-1.0".to_owned(), url: None },
    };
    let user = UserRef { platform: Platform::Telegram, id: 2 };
    let now = Timestamp::now();
    let new = NewRound {
        kind: Kind::Quiz,
        chat: chat(chat_id),
        thread: None,
        alone: false,
        starter: store.find(&user).await.expect("readable").expect("one of the people"),
        lang: "ja".to_owned(),
        model: ModelVersion { sha256: "a".repeat(64), name: "drawn-world".to_owned(), version: "1".to_owned() },
        areas: names.iter().map(|name| Area::new("東京都", name, name)).collect(),
        questions: (1..=PHOTOS).map(question).collect(),
        cut_seed: 5,
        seconds: SECONDS,
        set: NewSet::New { code: format!("ROUND{chat_id}"), day: None },
        forget_seen: false,
    };
    let round = store.prepare(new, now).await.expect("stored").expect("a free chat");
    store.opened(round.id, Some(1), now).await.expect("opens").id
}

/// What `chat/quiz/play.rs` does with a press.
async fn press(store: &Store, round: RoundId, chat_id: i64, person: i64, number: u8) {
    let areas = store.areas(round, &chat(chat_id)).await.expect("readable").expect("the round is here");
    let choice = choice(person, number);
    assert!(usize::from(choice) < areas.len());
    let (user, now) = (UserRef { platform: Platform::Telegram, id: person }, Timestamp::now());
    let player = store.person(&user, &format!("Person {person}"), "Asia/Tokyo", now).await.expect("known");
    // No last call: a quick first player must not end the round.
    let call = SignedDuration::from_secs(i64::from(SECONDS));
    let answered = store.answer(round, number, choice, player, true, now, call).await.expect("counted");
    answered.expect("in time");
}

/// Answers of that many people that are not in the database as they were given.
async fn lost(store: &Store, round: RoundId, people: i64) -> usize {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT i.external_id, a.number, a.choice FROM answers AS a JOIN identities AS i ON i.player_id = a.player_id
         WHERE a.round_id = ?",
    )
    .bind(round.0)
    .fetch_all(store.writer())
    .await
    .expect("readable");
    let kept: std::collections::HashSet<(i64, i64, i64)> = rows.into_iter().collect();
    let given = (1..=people).flat_map(|person| (1..=PHOTOS).map(move |number| (person + 1, number)));
    given.filter(|(person, n)| !kept.contains(&(*person, i64::from(*n), i64::from(choice(*person, *n))))).count()
}

/// Rings the bell, and says how long that took.
async fn bell(store: &Store, round: RoundId) -> Duration {
    let later = Timestamp::now() + SignedDuration::from_secs(i64::from(2 * SECONDS));
    let began = Instant::now();
    assert!(store.settle(round, later, &TimeZone::UTC).await.expect("settled"), "the bell rings");
    began.elapsed()
}

/// 200 answers a second for some seconds, each at its moment whatever became of the others.
pub(crate) async fn sustained(store: &Store) {
    let here = -1;
    let round = open(store, here).await;
    let people = i64::from(RATE) * LASTING.as_secs() as i64 / i64::from(PHOTOS);
    let count = people * i64::from(PHOTOS);
    let mut presses = JoinSet::new();
    let began = tokio::time::Instant::now();
    for index in 0..count {
        let (store, due) = (store.clone(), began + Duration::from_secs(1) * index as u32 / RATE);
        // People take turns: all first photos, then all second ones.
        let (person, number) = (2 + index % people, 1 + (index / people) as u8);
        presses.spawn(async move {
            tokio::time::sleep_until(due).await;
            press(&store, round, here, person, number).await;
            due.elapsed()
        });
    }
    let times = presses.join_all().await;
    let rate = count as f64 / began.elapsed().as_secs_f64();
    let lost = lost(store, round, people).await;
    println!("{count} answers of {people} people into one round at {RATE} a second: {rate:.0} a second achieved,");
    println!(
        "  from the moment they were due: median {}, 99 % {}",
        millis(quantile(&times, 0.5)),
        millis(quantile(&times, 0.99))
    );
    println!("  lost: {lost}; the bell took {}", millis(bell(store, round).await));
    assert_eq!(lost, 0, "answers were lost");
}

/// As many answers as can be, from people who each wait for one to be counted before they give the next.
pub(crate) async fn flat_out(store: &Store) {
    let here = -2;
    let round = open(store, here).await;
    let mut people = JoinSet::new();
    let began = Instant::now();
    for lane in 0..AT_ONCE {
        let store = store.clone();
        people.spawn(async move {
            for person in (0..EAGER).skip(lane).step_by(AT_ONCE) {
                for number in 1..=PHOTOS {
                    press(&store, round, here, person + 2, number).await;
                }
            }
        });
    }
    people.join_all().await;
    let count = EAGER * i64::from(PHOTOS);
    let rate = count as f64 / began.elapsed().as_secs_f64();
    let lost = lost(store, round, EAGER).await;
    println!("{count} answers of {EAGER} people into one round, {AT_ONCE} at once: {rate:.0} a second");
    println!("  lost: {lost}; the bell took {}", millis(bell(store, round).await));
    assert_eq!(lost, 0, "answers were lost");
}
