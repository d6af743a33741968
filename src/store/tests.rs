//! Rounds played on a real database in a temporary file.

mod images;
mod migrations;
mod plans;
mod ranks;
mod spend;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::quiz::{Credit, Kind, ModelVersion, PlayerId, Question, Refusal, Round};
use crate::domain::score::FIRST_RATING;
use crate::domain::{Area, ChatRef, Platform, UserRef};

const CALL: SignedDuration = SignedDuration::from_secs(10);

/// As programs that are started at the same moment do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_database_is_opened_by_many_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new.sqlite");
    let open = |_| {
        let path = path.clone();
        tokio::spawn(async move { Store::open(&path).await.map(|_| ()) })
    };
    for opened in futures_util::future::join_all((0..8).map(open)).await {
        opened.expect("no panic").expect("opened");
    }
}

struct Bench {
    store: Store,
    folder: tempfile::TempDir,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a moment")
}

fn chat(id: i64) -> ChatRef {
    ChatRef { platform: Platform::Telegram, id }
}

fn user(id: i64) -> UserRef {
    UserRef { platform: Platform::Telegram, id }
}

/// Three photos of the first area each; the model is right on the first alone.
fn new_round(chat_id: i64, starter: PlayerId, set: NewSet) -> NewRound {
    let areas: Vec<Area> = ["港区", "渋谷区"].map(|name| Area::new("東京都", name, name)).into();
    let question = |number: u8| Question {
        number,
        photo: format!("photo-{number}"),
        truth: 0,
        guess: usize::from(number > 1),
        probability: 0.7,
        credit: Credit { source: "drawn".to_owned(), licence: "CC0-1.0".to_owned(), url: None },
    };
    NewRound {
        kind: Kind::Quiz,
        chat: chat(chat_id),
        thread: None,
        alone: false,
        starter,
        lang: "ja".to_owned(),
        model: ModelVersion { sha256: "a".repeat(64), name: "m".to_owned(), version: "1".to_owned() },
        areas,
        questions: (1..=3).map(question).collect(),
        cut_seed: 5,
        seconds: 100,
        set,
        forget_seen: false,
    }
}

fn new_set(code: &str) -> NewSet {
    NewSet::New { code: code.to_owned(), day: None }
}

impl Bench {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("deep/scores.sqlite")).await.expect("opens");
        Self { store, folder }
    }

    async fn reopen(self) -> Self {
        self.store.close().await;
        let store = Store::open(&self.folder.path().join("deep/scores.sqlite")).await.expect("opens again");
        Self { store, folder: self.folder }
    }

    async fn person(&self, id: i64) -> PlayerId {
        self.store.person(&user(id), &format!("p{id}"), "UTC", at(0)).await.expect("known")
    }

    async fn begin(&self, chat_id: i64, set: NewSet, now: i64) -> Round {
        let starter = self.person(1).await;
        let prepared = self.store.prepare(new_round(chat_id, starter, set), at(now)).await.expect("stored");
        self.store.opened(prepared.expect("free").id, Some(9), at(now)).await.expect("opens")
    }

    async fn press(&self, round: &Round, person: i64, number: u8, choice: u8, now: i64) -> Result<Accepted, Refusal> {
        let player = self.person(person).await;
        self.store.answer(round.id, number, choice, player, true, at(now), CALL).await.expect("counted")
    }

    async fn settle(&self, round: &Round, now: i64) -> Outcome {
        assert!(self.store.settle(round.id, at(now), &TimeZone::UTC).await.expect("settled"));
        self.assert_consistent().await;
        self.store.outcome(round.id).await.expect("readable").expect("closed")
    }

    /// The sums are those of what they sum up.
    async fn assert_consistent(&self) {
        let wrong: Vec<(i64,)> = sqlx::query_as(
            "SELECT id FROM rounds AS r WHERE (answers, right_answers, points) IS NOT
                 (SELECT COUNT(*), COALESCE(SUM(is_right), 0), COALESCE(SUM(points), 0) FROM answers
                  WHERE round_id = r.id) AND state = 'closed'",
        )
        .fetch_all(self.store.writer())
        .await
        .expect("readable");
        assert!(wrong.is_empty(), "rounds whose sums are not their answers': {wrong:?}");
        let wrong: Vec<(i64, String)> = sqlx::query_as(
            "SELECT s.player_id, s.period FROM standings AS s JOIN players AS p ON p.id = s.player_id
             WHERE p.model IS NULL AND s.chat_id = 0 AND s.period = 'all'
               AND (s.answers, s.right_answers, s.points) IS NOT
                 (SELECT COALESCE(SUM(e.answered), 0), COALESCE(SUM(e.right_answers), 0), COALESCE(SUM(e.points), 0)
                  FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
                  WHERE e.player_id = s.player_id AND e.scored = 1 AND r.state = 'closed')",
        )
        .fetch_all(self.store.writer())
        .await
        .expect("readable");
        assert!(wrong.is_empty(), "standings that are not the sum of their rounds: {wrong:?}");
        self.assert_ranks().await;
        let problems: Vec<(String,)> =
            sqlx::query_as("PRAGMA integrity_check").fetch_all(self.store.writer()).await.expect("readable");
        assert_eq!(problems, [("ok".to_owned(),)]);
    }
}

#[tokio::test]
async fn a_round_gives_its_points_ratings_and_standings_once() {
    let bench = Bench::open().await;
    let round = bench.begin(7, new_set("A"), 0).await;
    for number in 1..=3 {
        bench.press(&round, 1, number, 0, 50).await.expect("counts");
        bench.press(&round, 2, number, u8::from(number == 3), 100).await.expect("counts");
    }
    assert!(!bench.store.settle(round.id, at(100), &TimeZone::UTC).await.expect("looked at"), "not before the bell");
    let outcome = bench.settle(&round, 101).await;
    let parts: Vec<(&str, u8, u32)> =
        outcome.entries.iter().map(|entry| (entry.name.as_str(), entry.right, entry.points)).collect();
    // 100 + 25 for half the time; 50 more twice, where the model was wrong. The second: no time left.
    assert_eq!(parts, [("p1", 3, 475), ("p2", 2, 250)]);
    assert_eq!(outcome.model_right, 1);
    assert!(!bench.store.settle(round.id, at(102), &TimeZone::UTC).await.expect("settled"), "once");
    let board = bench.store.board(None, "all", 0, 10).await.expect("readable");
    assert!(board.rows.is_empty(), "three answers are too few to be ranked");
    let model = board.model.expect("it played");
    let changes: f64 = outcome.entries.iter().map(|entry| entry.rating_change).sum();
    assert!((changes + model.rating - FIRST_RATING).abs() < 1e-9, "nothing is won that nobody lost");
    assert_eq!((model.answers, model.right), (3, 1));
}

#[tokio::test]
async fn answers_count_once_and_may_change_until_the_bell() {
    let bench = Bench::open().await;
    let round = bench.begin(7, new_set("A"), 0).await;
    let first = bench.press(&round, 1, 2, 0, 10).await.expect("counts");
    assert_eq!((first.answered, first.next, first.bell_moved), (1, Some(1), false));
    assert_eq!(bench.press(&round, 1, 2, 0, 20).await, Ok(first), "delivered twice");
    assert_eq!(bench.press(&round, 1, 2, 1, 30).await, Ok(first), "another mind");
    assert_eq!(bench.press(&round, 1, 4, 0, 30).await, Err(Refusal::Unknown));
    assert_eq!(bench.press(&round, 1, 1, 2, 30).await, Err(Refusal::Unknown));
    assert_eq!(bench.press(&round, 1, 1, 0, 101).await, Err(Refusal::TooLate));
    let outcome = bench.settle(&round, 101).await;
    assert_eq!(outcome.entries[0].choices, [None, Some(1), None]);
}

#[tokio::test]
async fn the_bell_comes_forward_when_all_are_done_and_back_when_somebody_joins() {
    let bench = Bench::open().await;
    let round = bench.begin(7, new_set("A"), 0).await;
    for number in 1..=3 {
        bench.press(&round, 1, number, 0, 20).await.expect("counts");
    }
    assert_eq!(bench.store.next_bell().await.expect("readable"), Some(at(30)));
    assert!(bench.press(&round, 1, 1, 1, 25).await.is_ok_and(|accepted| !accepted.bell_moved), "the last call goes on");
    assert!(bench.press(&round, 2, 1, 0, 26).await.expect("counts").bell_moved);
    assert_eq!(bench.store.next_bell().await.expect("readable"), Some(at(100)));
    bench.store.leave(&chat(7), &user(2)).await.expect("noted");
    assert_eq!(bench.press(&round, 2, 2, 0, 27).await, Err(Refusal::Left));
    assert!(bench.store.due(at(100)).await.expect("readable").is_empty(), "in the bell's moment answers count");
    assert_eq!(bench.store.due(at(101)).await.expect("readable"), [round.id]);
}

#[tokio::test]
async fn presses_at_the_same_moment_are_all_counted() {
    let bench = Bench::open().await;
    let round = bench.begin(7, new_set("A"), 0).await;
    let mut presses = tokio::task::JoinSet::new();
    for person in 1..=40 {
        let player = bench.person(person).await;
        for number in 1..=3 {
            let (store, round) = (bench.store.clone(), round.id);
            presses.spawn(async move { store.answer(round, number, 0, player, true, at(5), CALL).await });
        }
    }
    for pressed in presses.join_all().await {
        pressed.expect("no locked database").expect("counts");
    }
    let outcome = bench.settle(&round, 101).await;
    assert_eq!(outcome.entries.iter().map(|entry| usize::from(entry.answered)).sum::<usize>(), 120);
}

#[tokio::test]
async fn a_restart_goes_on_and_a_chat_has_one_round() {
    let bench = Bench::open().await;
    let round = bench.begin(7, new_set("A"), 0).await;
    bench.press(&round, 1, 1, 0, 5).await.expect("counts");
    let bench = bench.reopen().await;
    assert_eq!(bench.store.running(&chat(7)).await.expect("readable"), Some(round.clone()));
    let busy = bench.store.prepare(new_round(7, bench.person(2).await, new_set("B")), at(6)).await.expect("stored");
    assert_eq!(busy.map_err(|busy| busy.0), Err(round));
    let unopened = bench.store.prepare(new_round(8, bench.person(2).await, new_set("C")), at(6)).await.expect("stored");
    let unopened = unopened.expect("another chat");
    let called_off = bench.store.cancel_unopened(at(7)).await.expect("called off");
    assert_eq!(called_off.iter().map(|round| round.id).collect::<Vec<_>>(), [unopened.id]);
    assert!(bench.store.running(&chat(8)).await.expect("readable").is_none());
    let secret = bench.store.secret().await.expect("made");
    assert_eq!(bench.reopen().await.store.secret().await.expect("kept"), secret);
}

#[tokio::test]
async fn the_same_photos_count_once_for_a_person() {
    let bench = Bench::open().await;
    let first = bench.begin(7, new_set("A"), 0).await;
    bench.press(&first, 1, 1, 0, 5).await.expect("counts");
    bench.settle(&first, 101).await;
    let set = bench.store.set_by_code("A").await.expect("readable").expect("stored");
    let again = bench.begin(8, NewSet::Stored(set.id), 200).await;
    for person in [1, 2] {
        bench.press(&again, person, 1, 0, 205).await.expect("counts");
    }
    let scored: Vec<(String, bool)> =
        bench.settle(&again, 301).await.entries.into_iter().map(|entry| (entry.name, entry.scored)).collect();
    assert_eq!(scored, [("p1".to_owned(), false), ("p2".to_owned(), true)]);
    // Two chats at the same time: whichever closes first counts.
    let [early, late] =
        [bench.begin(9, NewSet::Stored(set.id), 400).await, bench.begin(10, NewSet::Stored(set.id), 400).await];
    for round in [&early, &late] {
        bench.press(round, 3, 1, 0, 405).await.expect("counts");
    }
    assert!(bench.settle(&late, 501).await.entries[0].scored);
    assert!(!bench.settle(&early, 502).await.entries[0].scored);
    assert!(bench.store.played_set(&chat(8), set.id).await.expect("readable"));
    assert!(!bench.store.played_set(&chat(11), set.id).await.expect("readable"));
}

#[tokio::test]
async fn who_wants_no_scores_has_none_and_who_is_forgotten_is_gone() {
    let bench = Bench::open().await;
    let round = bench.begin(7, new_set("A"), 0).await;
    for person in [1, 2] {
        bench.press(&round, person, 1, 0, 5).await.expect("counts");
    }
    bench.store.set_opted_out(bench.person(2).await, true).await.expect("noted");
    let outcome = bench.settle(&round, 101).await;
    assert_eq!(outcome.entries.len(), 2, "the reveal names them");
    bench.store.told(round.id, 3, true).await.expect("noted");
    let outcome = bench.store.outcome(round.id).await.expect("readable").expect("closed");
    assert_eq!(outcome.entries.len(), 1, "and nothing is kept");
    bench.assert_consistent().await;

    assert!(bench.store.forget(&user(1)).await.expect("forgotten"));
    assert!(!bench.store.forget(&user(1)).await.expect("forgotten"), "there is nothing left");
    bench.assert_consistent().await;
    let round = bench.store.round(round.id).await.expect("readable").expect("the round stays");
    assert_eq!(round.starter, None);
    assert_eq!(bench.store.find(&user(1)).await.expect("readable"), None);
}

#[tokio::test]
async fn a_code_joins_two_identities_once() {
    let bench = Bench::open().await;
    let both = bench.begin(7, new_set("A"), 0).await;
    for person in [1, 2] {
        bench.press(&both, person, 1, 0, 5).await.expect("counts");
    }
    bench.settle(&both, 101).await;
    let second = bench.begin(7, new_set("B"), 200).await;
    bench.press(&second, 2, 1, 0, 205).await.expect("counts");
    bench.settle(&second, 301).await;
    let (one, two) = (bench.person(1).await, bench.person(2).await);
    bench.store.offer_link(one, "CODE", at(900), at(300)).await.expect("kept");
    let taken = async |code: &str, player, now| bench.store.take_link(code, player, at(now)).await.expect("tried");
    assert_eq!(taken("OTHER", two, 310).await, Err(LinkError::Unknown));
    assert_eq!(taken("CODE", one, 310).await, Err(LinkError::Same));
    assert_eq!(taken("CODE", two, 901).await, Err(LinkError::Unknown), "too late");
    assert_eq!(taken("CODE", two, 310).await, Ok(()));
    assert_eq!(taken("CODE", bench.person(3).await, 311).await, Err(LinkError::Unknown), "used up");
    assert_eq!(bench.person(2).await, one);
    bench.assert_consistent().await;
    let score = bench.store.score(one, None).await.expect("readable");
    assert_eq!(score.answers, 2, "the round that both played counts once");
}

#[tokio::test]
async fn photos_that_both_identities_knew_count_once_for_the_joined_person() {
    let bench = Bench::open().await;
    let first = bench.begin(7, new_set("A"), 0).await;
    bench.press(&first, 1, 1, 0, 5).await.expect("counts");
    bench.settle(&first, 101).await;
    let set = bench.store.set_by_code("A").await.expect("readable").expect("stored");
    let second = bench.begin(8, NewSet::Stored(set.id), 200).await;
    for number in [1, 2] {
        bench.press(&second, 2, number, 0, 205).await.expect("counts");
    }
    bench.settle(&second, 301).await;
    let (one, two) = (bench.person(1).await, bench.person(2).await);
    bench.store.offer_link(one, "CODE", at(900), at(310)).await.expect("kept");
    assert_eq!(bench.store.take_link("CODE", two, at(311)).await.expect("tried"), Ok(()));
    bench.assert_consistent().await;
    assert_eq!(bench.store.score(one, None).await.expect("readable").answers, 1, "the first of the two rounds");
    assert_eq!(bench.store.score(one, Some(&chat(8))).await.expect("readable").answers, 0);
    let photos: u32 = bench.store.duels(one).await.expect("readable").iter().map(|(_, duel)| duel.photos()).sum();
    assert_eq!(photos, 1);
    let entries = bench.store.outcome(second.id).await.expect("readable").expect("closed").entries;
    assert_eq!((entries.len(), entries[0].scored), (1, false), "what was played stays in sight");
}

#[tokio::test]
async fn boards_scores_and_duels_agree() {
    let bench = Bench::open().await;
    for (index, code) in ["A", "B"].into_iter().enumerate() {
        let round = bench.begin(7, new_set(code), 200 * index as i64).await;
        for person in 1..=4 {
            for number in 1..=3 {
                let choice = u8::from(i64::from(number) >= person);
                bench.press(&round, person, number, choice, 200 * index as i64 + 5).await.expect("counts");
            }
        }
        bench.settle(&round, 200 * index as i64 + 101).await;
    }
    let first = bench.store.board(Some(&chat(7)), "all", 0, 3).await.expect("readable");
    let names: Vec<(u32, &str)> = first.rows.iter().map(|row| (row.rank, row.name.as_str())).collect();
    assert_eq!((names, first.more), (vec![(1, "p4"), (2, "p3"), (3, "p2")], true));
    let second = bench.store.board(Some(&chat(7)), "all", 1, 3).await.expect("readable");
    assert_eq!((second.rows.len(), second.rows[0].rank, second.more), (1, 4, false));
    for row in first.rows.iter().chain(&second.rows) {
        let score = bench.store.score(row.player, None).await.expect("readable");
        assert_eq!((score.rank, score.points), (Some(row.rank), row.points));
    }
    let duels = bench.store.duels(first.rows[0].player).await.expect("readable");
    let duel = duels[0].1;
    assert_eq!((duels.len(), duel.both, duel.person, duel.model, duel.neither), (1, 2, 4, 0, 0));
    let [_, month, week] = scores::keys(at(0), &TimeZone::UTC);
    for period in [month, week] {
        assert_eq!(bench.store.board(None, &period, 0, 9).await.expect("readable").rows.len(), 4, "{period}");
    }
}

#[tokio::test]
async fn no_photo_is_seen_twice_until_the_chat_begins_anew() {
    let bench = Bench::open().await;
    let round = bench.begin(7, new_set("A"), 0).await;
    assert_eq!(bench.store.seen(&chat(7)).await.expect("readable").len(), 3);
    assert!(bench.store.seen(&chat(8)).await.expect("readable").is_empty());
    bench.store.cancel(round.id, at(1)).await.expect("stopped");
    assert_eq!(bench.store.seen(&chat(7)).await.expect("readable").len(), 3, "also of a stopped round");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn whatever_people_do_the_sums_are_right(steps in prop::collection::vec((0_u8..8, 1_i64..5, 1_u8..4, 0_u8..2), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let bench = Bench::open().await;
            let (mut now, mut sets) = (0, 0);
            for (action, person, number, choice) in steps {
                now += 7;
                let running = bench.store.running(&chat(7)).await.expect("readable");
                match (action, running) {
                    (0..=2, Some(round)) => drop(bench.press(&round, person, number, choice, now).await),
                    (6, Some(round)) => {
                        for number in 1..=3 {
                            let _ = bench.press(&round, person, number, choice, now).await;
                        }
                    }
                    (7, _) => {
                        let player = bench.person(person).await;
                        bench.store.set_opted_out(player, choice == 1).await.expect("noted");
                    }
                    (3, Some(round)) => {
                        now += 200;
                        drop(bench.settle(&round, now).await);
                    }
                    (4, _) => drop(bench.store.forget(&user(person)).await.expect("forgotten")),
                    (5, _) => {
                        let (one, two) = (bench.person(person).await, bench.person(1 + person % 4).await);
                        bench.store.offer_link(one, &format!("C{now}"), at(now + 9), at(now)).await.expect("kept");
                        let _ = bench.store.take_link(&format!("C{now}"), two, at(now)).await.expect("tried");
                    }
                    (_, Some(_)) => {}
                    (_, None) => {
                        sets += 1;
                        bench.begin(7, new_set(&format!("S{sets}")), now).await;
                    }
                }
                bench.assert_consistent().await;
            }
            bench.assert_places(None).await;
            bench.assert_places(Some(&chat(7))).await;
        });
    }
}
