//! Rows by the thousand.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use kokodoko::domain::Area;

/// Rows of one statement: below SQLite's 32,766 values with nine columns.
const CHUNK: usize = 2_000;

/// A closed round.
pub(crate) struct Played {
    pub(crate) id: i64,
    pub(crate) chat: i64,
    /// Milliseconds since 1970.
    pub(crate) opened: i64,
    pub(crate) seconds: i64,
    pub(crate) model: i64,
    pub(crate) periods: String,
}

/// A photo of a round.
pub(crate) struct Question {
    pub(crate) round: i64,
    pub(crate) number: i64,
    pub(crate) truth: i64,
    pub(crate) guess: i64,
}

/// A person's part in a round.
pub(crate) struct Entry {
    pub(crate) round: i64,
    pub(crate) player: i64,
    pub(crate) answered: i64,
    pub(crate) right: i64,
    pub(crate) points: i64,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) round: i64,
    pub(crate) number: i64,
    pub(crate) player: i64,
    pub(crate) choice: i64,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) right: bool,
    pub(crate) points: i64,
}

/// Answers, right answers and points of a player in a scope and period.
pub(crate) struct Standing<'a> {
    pub(crate) chat: i64,
    pub(crate) period: &'a str,
    pub(crate) player: i64,
    pub(crate) sums: [i64; 3],
}

type Tuple<'a> = Separated<'a, Sqlite, &'static str>;

async fn insert<T>(db: &mut SqliteConnection, into: &str, rows: &[T], tuple: impl Fn(Tuple<'_>, &T)) {
    for chunk in rows.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(format!("INSERT INTO {into} "));
        query.push_values(chunk, &tuple);
        query.build().execute(&mut *db).await.expect("stored");
    }
}

/// The model, people with an identity each, and chats.
pub(crate) async fn people_and_chats(db: &mut SqliteConnection, model: i64, people: i64, chats: i64) {
    let sql = "INSERT INTO players (id, model, name, time_zone, created_at) VALUES (?, ?, 'drawn-world 1', 'UTC', 0)";
    sqlx::query(sql).bind(model).bind("a".repeat(64)).execute(&mut *db).await.expect("stored");
    let numbers: Vec<i64> = (1..=people).map(|number| model + number).collect();
    insert(db, "players (id, name, time_zone, rating, rated_rounds, created_at)", &numbers, |mut row, id| {
        row.push_bind(*id).push_bind(format!("Person {id}")).push_bind("Asia/Tokyo");
        row.push_bind(1_300.0 + (id * 7_919 % 400) as f64).push_bind(1_i64).push_bind(0_i64);
    })
    .await;
    insert(db, "identities (platform, external_id, player_id)", &numbers, |mut row, id| {
        row.push_bind("telegram").push_bind(*id).push_bind(*id);
    })
    .await;
    let numbers: Vec<i64> = (1..=chats).collect();
    insert(db, "chats (id, platform, external_id)", &numbers, |mut row, id| {
        row.push_bind(*id).push_bind("telegram").push_bind(*id);
    })
    .await;
}

/// The areas of the built-in model, as JSON of `rounds`.
fn areas() -> String {
    let names = ["港区", "渋谷区", "札幌市中央区", "旭川市", "那覇市", "京都市東山区", "富山市"];
    let areas: Vec<Area> = names.iter().map(|name| Area::new("東京都", name, name)).collect();
    serde_json::to_string(&areas).expect("plain data")
}

/// Closed rounds with a set each.
pub(crate) async fn rounds(db: &mut SqliteConnection, rounds: &[Played]) {
    insert(db, "sets (id, code, areas, photos)", rounds, |mut row, round| {
        row.push_bind(round.id).push_bind(format!("S{}", round.id)).push_bind("[]").push_bind("[]");
    })
    .await;
    let areas = areas();
    let into = "rounds (id, chat_id, set_id, kind, alone, starter_id, lang, model_id, model_name, model_version, areas,
        cut_seed, seconds, state, created_at, opened_at, deadline_at, bell_at, closed_at, periods, told)";
    // Twenty-one columns: fewer rows a statement.
    for rounds in rounds.chunks(CHUNK / 2) {
        insert(db, into, rounds, |mut row, round| {
            let bell = round.opened + 1_000 * round.seconds;
            row.push_bind(round.id).push_bind(round.chat).push_bind(round.id).push_bind("quiz").push_bind(0_i64);
            row.push_bind(None::<i64>).push_bind("ja").push_bind(round.model).push_bind("drawn-world").push_bind("1");
            row.push_bind(areas.clone()).push_bind(round.id).push_bind(round.seconds).push_bind("closed");
            row.push_bind(round.opened).push_bind(round.opened).push_bind(bell).push_bind(bell).push_bind(bell);
            row.push_bind(round.periods.clone()).push_bind(3_i64);
        })
        .await;
    }
}

/// Photos of rounds.
pub(crate) async fn questions(db: &mut SqliteConnection, questions: &[Question]) {
    let into = "questions (round_id, number, photo, truth, guess, probability, source, licence)";
    insert(db, into, questions, |mut row, question| {
        row.push_bind(question.round).push_bind(question.number);
        row.push_bind(format!("photo-{}-{}", question.round, question.number));
        row.push_bind(question.truth).push_bind(question.guess).push_bind(0.7);
        row.push_bind("drawn").push_bind("CC0-1.0");
    })
    .await;
}

/// Who played what.
pub(crate) async fn entries(db: &mut SqliteConnection, entries: &[Entry]) {
    let into = "entries (round_id, player_id, answered, right_answers, points, rating_change, scored)";
    insert(db, into, entries, |mut row, entry| {
        row.push_bind(entry.round).push_bind(entry.player).push_bind(entry.answered).push_bind(entry.right);
        row.push_bind(entry.points).push_bind(0.0).push_bind(1_i64);
    })
    .await;
}

/// Answers, and the sums of their rounds.
pub(crate) async fn answers(db: &mut SqliteConnection, answers: &[Answer]) {
    let into = "answers (round_id, number, player_id, choice, answered_at, is_right, points)";
    insert(db, into, answers, |mut row, answer| {
        row.push_bind(answer.round).push_bind(answer.number).push_bind(answer.player).push_bind(answer.choice);
        row.push_bind(answer.at).push_bind(i64::from(answer.right)).push_bind(answer.points);
    })
    .await;
    let sums = "UPDATE rounds SET (answers, right_answers, points) =
        (SELECT COUNT(*), COALESCE(SUM(is_right), 0), COALESCE(SUM(points), 0) FROM answers WHERE round_id = rounds.id)";
    sqlx::query(sums).execute(db).await.expect("summed up");
}

/// Sums by scope and period; the model's are hidden.
pub(crate) async fn standings(db: &mut SqliteConnection, standings: &[Standing<'_>], model: i64) {
    let into = "standings (chat_id, period, player_id, answers, right_answers, points, hidden)";
    insert(db, into, standings, |mut row, standing| {
        let [answers, right, points] = standing.sums;
        row.push_bind(standing.chat).push_bind(standing.period.to_owned()).push_bind(standing.player);
        row.push_bind(answers).push_bind(right).push_bind(points).push_bind(i64::from(standing.player == model));
    })
    .await;
}

/// People against the model, from their answers as the bell counts them.
pub(crate) async fn duels(db: &mut SqliteConnection) {
    let sql = "INSERT INTO duels (player_id, area, both, person, model, neither)
        SELECT e.player_id, json_extract(r.areas, '$[' || q.truth || ']'),
               SUM(a.is_right AND q.guess = q.truth), SUM(a.is_right AND q.guess <> q.truth),
               SUM(NOT a.is_right AND q.guess = q.truth), SUM(NOT a.is_right AND q.guess <> q.truth)
        FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
             JOIN answers AS a ON a.round_id = e.round_id AND a.player_id = e.player_id
             JOIN questions AS q ON q.round_id = a.round_id AND q.number = a.number
        WHERE e.scored = 1 GROUP BY 1, 2";
    sqlx::query(sql).execute(db).await.expect("counted");
}
