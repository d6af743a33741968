//! Older databases with data come up to date.

use sqlx::SqliteConnection;

use super::Store;
use super::ranks::assert_ranks;

/// The migration after which ranks are kept.
const RANKS: i64 = 3;

/// 300 people of a database from before the ranks: every seventh hides, every fifth has answered too little.
async fn fill(db: &mut SqliteConnection) {
    for sql in [
        "INSERT INTO players (id, name, time_zone, created_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
             SELECT i, 'p' || i, 'UTC', 0 FROM n",
        "INSERT INTO standings (chat_id, period, player_id, answers, right_answers, points, hidden)
             SELECT 0, 'all', id, IIF(id % 5, 9, 4), id % 9, id * id % 7919, id % 7 = 0 FROM players",
    ] {
        sqlx::query(sql).execute(&mut *db).await.expect("stored");
    }
}

#[tokio::test]
async fn ranks_are_made_from_the_standings_that_are_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scores.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut db = sqlx::ConnectOptions::connect(&options).await.expect("opens");
    sqlx::migrate!().run_to(RANKS - 1, &mut db).await.expect("an older schema");
    fill(&mut db).await;
    sqlx::Connection::close(db).await.expect("closes");

    let store = Store::open(&path).await.expect("comes up to date");
    assert_ranks(&store).await;
    let board = store.board(None, "all", 0, 300).await.expect("readable");
    let ranked = (1..=300).filter(|i| i % 5 != 0 && i % 7 != 0).count();
    assert_eq!(board.rows.len(), ranked);
    assert!(board.rows.is_sorted_by(|a, b| a.points >= b.points));
    let last = board.rows.last().expect("many are ranked");
    let score = store.score(last.player, None).await.expect("readable");
    assert_eq!(score.rank, Some(last.rank));
}
