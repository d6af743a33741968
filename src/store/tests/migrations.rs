//! Older databases with data come up to date.

use sqlx::SqliteConnection;

use super::Store;
use super::ranks::{assert_duels, assert_ranks};
use crate::domain::quiz::PlayerId;

/// The migration after which ranks are kept.
const RANKS: i64 = 3;

/// 300 people of a database from before the ranks: every seventh hides, every fifth has answered too little. Three of
/// them played a round of four photos in two areas, of which the second keeps no scores.
async fn fill(db: &mut SqliteConnection) {
    for sql in [
        "INSERT INTO players (id, name, time_zone, created_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
             SELECT i, 'p' || i, 'UTC', 0 FROM n",
        "INSERT INTO standings (chat_id, period, player_id, answers, right_answers, points, hidden)
             SELECT 0, 'all', id, IIF(id % 5, 9, 4), id % 9, id * id % 7919, id % 7 = 0 FROM players",
        "INSERT INTO chats (id, platform, external_id) VALUES (1, 'telegram', 7)",
        "INSERT INTO sets (id, code, areas, photos) VALUES (1, 'A', '[]', '[]')",
        "INSERT INTO players (id, model, name, time_zone, created_at) VALUES (301, 'a', 'm 1', 'UTC', 0)",
        r#"INSERT INTO rounds (id, chat_id, set_id, kind, alone, lang, model_id, model_name, model_version, areas,
               cut_seed, seconds, state, created_at)
           VALUES (1, 1, 1, 'quiz', 0, 'ja', 301, 'm', '1',
               '[{"area":"東京都港区","prefecture":"東京都","municipality":"港区","name_en":"Minato"},
                {"area":"東京都渋谷区","prefecture":"東京都","municipality":"渋谷区","name_en":"Shibuya"}]',
               5, 60, 'closed', 0)"#,
        "INSERT INTO questions (round_id, number, photo, truth, guess, probability, source, licence)
             SELECT 1, id, 'photo-' || id, id % 2, id < 3, 0.7, 'drawn', 'CC0-1.0' FROM players WHERE id < 5",
        "INSERT INTO entries (round_id, player_id, answered, right_answers, points, scored)
             SELECT 1, id, 4, 2, 200, id <> 2 FROM players WHERE id < 4",
        "INSERT INTO answers (round_id, number, player_id, choice, answered_at, is_right, points)
             SELECT 1, number, player_id, 0, 0, truth = 0, 0 FROM questions JOIN entries USING (round_id)",
    ] {
        sqlx::query(sql).execute(&mut *db).await.expect("stored");
    }
}

#[tokio::test]
async fn ranks_and_duels_are_made_from_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scores.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut db = sqlx::ConnectOptions::connect(&options).await.expect("opens");
    sqlx::migrate!().run_to(RANKS - 1, &mut db).await.expect("an older schema");
    fill(&mut db).await;
    sqlx::Connection::close(db).await.expect("closes");

    let store = Store::open(&path).await.expect("comes up to date");
    assert_ranks(&store).await;
    assert_duels(&store).await;
    let duels = async |player| store.duels(PlayerId(player)).await.expect("readable");
    let photos: Vec<u32> = duels(1).await.iter().map(|(_, duel)| duel.photos()).collect();
    assert_eq!(photos, [2, 2], "two photos of each area");
    assert!(duels(2).await.is_empty(), "scores that nobody wanted");
    let board = store.board(None, "all", 0, 300).await.expect("readable");
    let ranked = (1..=300).filter(|i| i % 5 != 0 && i % 7 != 0).count();
    assert_eq!(board.rows.len(), ranked);
    assert!(board.rows.is_sorted_by(|a, b| a.points >= b.points));
    let last = board.rows.last().expect("many are ranked");
    let score = store.score(last.player, None).await.expect("readable");
    assert_eq!(score.rank, Some(last.rank));
}

/// As if each version had been released.
#[tokio::test]
async fn every_older_database_comes_up_to_date_with_its_data() {
    let versions: Vec<i64> = sqlx::migrate!().iter().map(|migration| migration.version).collect();
    let (newest, older) = versions.split_last().expect("there are migrations");
    for version in older {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kokodoko.sqlite");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut db = sqlx::ConnectOptions::connect(&options).await.expect("opens");
        sqlx::migrate!().run_to(*version, &mut db).await.expect("an older schema");
        fill(&mut db).await;
        sqlx::Connection::close(db).await.expect("closes");

        let behind = Store::look_at(&path).await.expect("whole").behind;
        assert_eq!(behind, versions.iter().filter(|known| *known > version).count(), "from {version}");
        let store = Store::open(&path).await.expect("comes up to date");
        let people: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM players").fetch_one(&store.reader).await.expect("readable");
        assert_eq!(people, 301, "from {version} to {newest}");
        assert!(store.duels(PlayerId(2)).await.expect("readable").is_empty());
        assert_eq!(store.actions(9).await.expect("readable"), []);
        store.close().await;
        assert_eq!(Store::look_at(&path).await.expect("whole").behind, 0, "from {version}");
    }
}
