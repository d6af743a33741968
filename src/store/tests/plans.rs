//! How the queries that run are carried out: every statement of the program, as `.sqlx` lists them, finds its rows by an
//! index, in an empty database and with the statistics of a large one.

use std::path::Path;

use sqlx::SqlitePool;

use super::Bench;

/// Steps that look at all rows of something, with a part of their query and why that is fine.
const SCANS: [(&str, &str, &str); 14] = [
    ("", "SCAN CONSTANT ROW", "no table"),
    ("", "USING INDEX rounds_untold", "the index holds only rounds whose results are still being told"),
    ("", "USING COVERING INDEX rounds_untold", "as above"),
    ("FROM rounds INDEXED BY rounds_running", "USING INDEX rounds_running", "it holds only rounds that run"),
    ("DELETE FROM link_codes WHERE player_id = ? OR", "SCAN link_codes", "codes live ten minutes"),
    ("WITH wide", "SCAN (subquery", "bands of points: one for each 1024 points, and 32 of one of these"),
    ("WITH wide", "SCAN wide", "one row"),
    ("WITH wide", "SCAN narrow", "one row"),
    ("WITH wide", "SCAN n", "32 bands"),
    ("UPDATE duels", "SCAN n", "the areas of one round"),
    (
        "INDEXED BY jobs_untold",
        "USING COVERING INDEX jobs_untold",
        "it holds only jobs whose chat is still told of them",
    ),
    ("FROM audit ORDER BY id DESC", "SCAN audit", "from its end, and no more than are asked for"),
    ("FROM promotions ORDER BY id DESC LIMIT", "SCAN promotions", "as above"),
    ("FROM image_sums", "SCAN", "all towns and months are wanted"),
];
/// The page of people that the bands lead to, which is called `r` as rounds are elsewhere.
const PAGE: (&str, &str) = ("WITH wide", "SCAN r");

/// Sizes of a database with 1,000,000 answers of 100,000 people and 1,000,000 pictures of 5,000 towns, as `ANALYZE` would note them: rows, then how many
/// share each further column of the index.
const STATISTICS: [(&str, &str, &str); 14] = [
    ("answers", "answers", "1000000 30 8 1"),
    ("entries", "entries", "126000 4 1"),
    ("entries", "entries_of_player", "126000 2 1"),
    ("standings", "standings", "600000 60 12 1"),
    ("standings", "standings_of_player", "600000 6"),
    ("standings", "standings_ranked", "500000 50 10 1 1 1 1 1"),
    ("questions", "questions", "240000 8 1"),
    ("rounds", "rounds_of_chat", "30000 10 1"),
    ("images", "sqlite_autoindex_images_1", "1000000 1"),
    ("images", "sqlite_autoindex_images_2", "1000000 500000 4 1"),
    ("sightings", "sightings", "250000 125000 1"),
    ("sightings", "sightings_of_point", "250000 125000 50 1"),
    ("points", "points", "300000 150000 60 1"),
    ("purchases", "purchases_once", "1000000 500000 4 1"),
];

/// Every statement of the program.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("readable");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        value["query"].as_str().expect("a query").to_owned()
    };
    let mut found: Vec<String> = std::fs::read_dir(folder).expect("the cache of .ci/sqlx").map(read).collect();
    found.sort();
    assert!(found.len() > 50, "only {} statements found", found.len());
    found
}

/// The steps by which SQLite carries a statement out.
async fn plan(db: &SqlitePool, statement: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(db).await.expect("planned");
    steps.into_iter().map(|step| step.3).collect()
}

/// Whether a step may look at all rows of what it reads.
fn is_excused(statement: &str, step: &str) -> bool {
    let excused = |(query, scan, _): &(&str, &str, &str)| statement.contains(query) && step.contains(scan);
    SCANS.iter().any(excused) || (statement.contains(PAGE.0) && step == PAGE.1)
}

async fn assert_no_scans(db: &SqlitePool) {
    let mut wrong = Vec::new();
    for statement in statements() {
        let scans = plan(db, &statement).await.into_iter().filter(|step| step.starts_with("SCAN"));
        wrong.extend(scans.filter(|step| !is_excused(&statement, step)).map(|step| format!("{step}: {statement}")));
    }
    assert!(wrong.is_empty(), "statements that look at every row of a table:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let bench = Bench::open().await;
    assert_no_scans(bench.store.writer()).await;
    let db = bench.store.writer();
    sqlx::query("ANALYZE").execute(db).await.expect("makes the table of statistics");
    for (table, index, sizes) in STATISTICS {
        let note = sqlx::query("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)");
        note.bind(table).bind(index).bind(sizes).execute(db).await.expect("noted");
    }
    sqlx::query("ANALYZE sqlite_schema").execute(db).await.expect("reads the statistics");
    assert_no_scans(db).await;
}

#[tokio::test]
async fn a_leaderboard_walks_its_index_alone() {
    let bench = Bench::open().await;
    let statements = statements();
    let boards: Vec<&String> = statements.iter().filter(|statement| statement.contains("standings_ranked")).collect();
    assert_eq!(boards.len(), 2, "a page, and a person's place");
    for statement in boards {
        let steps = plan(bench.store.writer(), statement).await;
        let of_index: Vec<&String> = steps.iter().filter(|step| step.contains("standings_ranked")).collect();
        assert!(!of_index.is_empty(), "{steps:?}");
        let covered = |step: &&String| step.starts_with("SEARCH") && step.contains("COVERING INDEX standings_ranked");
        assert!(of_index.iter().all(covered), "{of_index:?}");
    }
}

#[tokio::test]
async fn whoever_is_removed_is_looked_for_by_an_index() {
    let bench = Bench::open().await;
    let wrong: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, f.\"from\" FROM pragma_table_list AS t JOIN pragma_foreign_key_list(t.name) AS f
         WHERE t.type = 'table' AND f.\"table\" IN ('players', 'entries') AND f.seq = 0 AND NOT EXISTS
             (SELECT 1 FROM pragma_index_list(t.name) AS i JOIN pragma_index_info(i.name) AS c
              WHERE c.seqno = 0 AND c.name = f.\"from\")",
    )
    .fetch_all(bench.store.writer())
    .await
    .expect("readable");
    assert!(wrong.is_empty(), "columns that refer to people without an index: {wrong:?}");
}
