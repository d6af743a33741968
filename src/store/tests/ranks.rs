//! Places and pages are those of the plain order, whatever the points are; duels are those of the answers.

use proptest::prelude::*;

use super::{Bench, Store, chat};
use crate::domain::ChatRef;
use crate::domain::quiz::PlayerId;
use crate::domain::score::MIN_RANKED_ANSWERS;

/// Small pages, so that few people fill several.
const PER_PAGE: u32 = 3;

impl Bench {
    /// The bands of points hold the ranked people of the standings, and the duels their answers, no more and no fewer.
    pub(super) async fn assert_ranks(&self) {
        assert_ranks(&self.store).await;
        assert_duels(&self.store).await;
    }

    /// Leaderboard and score of a chat, or of all, agree with the standings in their plain order.
    pub(super) async fn assert_places(&self, of: Option<&ChatRef>) {
        let scope = self.store.scope(of).await.expect("readable");
        let plain: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT player_id, answers FROM standings WHERE chat_id = ? AND period = 'all' AND hidden = 0
             ORDER BY answers >= ? DESC, points DESC, right_answers DESC, player_id",
        )
        .bind(scope)
        .bind(MIN_RANKED_ANSWERS)
        .fetch_all(self.store.writer())
        .await
        .expect("readable");
        let (ranked, others): (Vec<_>, Vec<_>) = plain.into_iter().partition(|row| row.1 >= MIN_RANKED_ANSWERS);
        let mut listed = Vec::new();
        for page in 0.. {
            let board = self.store.board(of, "all", page, PER_PAGE).await.expect("readable");
            listed.extend(board.rows.iter().map(|row| (row.rank, row.player.0)));
            if !board.more {
                break;
            }
        }
        let places: Vec<(u32, i64)> = (1..).zip(ranked.iter().map(|row| row.0)).collect();
        assert_eq!(listed, places, "the pages are the plain order");
        for (rank, player) in places {
            let score = self.store.score(PlayerId(player), of).await.expect("readable");
            assert_eq!(score.rank, Some(rank));
        }
        for (player, _) in others {
            assert_eq!(self.store.score(PlayerId(player), of).await.expect("readable").rank, None);
        }
    }
}

/// See [`Bench::assert_ranks`].
pub(super) async fn assert_ranks(store: &Store) {
    let count = "SELECT chat_id, period, 32 AS width, points / 32 AS band, COUNT(*) AS people FROM standings
                     WHERE hidden = 0 AND answers >= 5 GROUP BY chat_id, period, points / 32
                 UNION ALL
                 SELECT chat_id, period, 1024, points / 1024, COUNT(*) FROM standings
                     WHERE hidden = 0 AND answers >= 5 GROUP BY chat_id, period, points / 1024";
    let kept = "SELECT chat_id, period, width, band, people FROM ranks";
    for (one, other) in [(count, kept), (kept, count)] {
        let sql = format!("SELECT * FROM ({one}) EXCEPT SELECT * FROM ({other})");
        let odd: Vec<(i64, String, i64, i64, i64)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(store.writer()).await.expect("readable");
        assert!(odd.is_empty(), "bands that differ from the standings: {odd:?}");
    }
}

/// The duels that are kept are those of the scored answers, no more and no fewer.
pub(super) async fn assert_duels(store: &Store) {
    let count = "SELECT e.player_id, json_extract(r.areas, '$[' || q.truth || ']'),
                        SUM(a.is_right AND q.guess = q.truth), SUM(a.is_right AND q.guess <> q.truth),
                        SUM(NOT a.is_right AND q.guess = q.truth), SUM(NOT a.is_right AND q.guess <> q.truth)
                 FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
                      JOIN answers AS a ON a.round_id = e.round_id AND a.player_id = e.player_id
                      JOIN questions AS q ON q.round_id = a.round_id AND q.number = a.number
                 WHERE e.scored = 1 AND r.state = 'closed' GROUP BY 1, 2";
    let kept = "SELECT player_id, area, both, person, model, neither FROM duels";
    for (one, other) in [(count, kept), (kept, count)] {
        let sql = format!("SELECT * FROM ({one}) EXCEPT SELECT * FROM ({other})");
        let odd: Vec<(i64, String, i64, i64, i64, i64)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(store.writer()).await.expect("readable");
        assert!(odd.is_empty(), "duels that differ from the answers: {odd:?}");
    }
}

/// A person's points, answers and whether they hide. Points gather at the edges of bands, and in ties.
fn standing() -> impl Strategy<Value = (i64, i64, bool)> {
    let points = prop_oneof![0_i64..3, 30_i64..34, 1_022_i64..1_027, 0_i64..4_000, 0_i64..200_000];
    (points, 4_i64..8, prop::bool::weighted(0.1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn places_are_those_of_the_plain_order(
        people in prop::collection::vec((standing(), standing()), 0..40), gone in 0_usize..10,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let bench = Bench::open().await;
            let db = bench.store.writer();
            sqlx::query("INSERT INTO chats (id, platform, external_id) VALUES (1, 'telegram', 7)")
                .execute(db).await.expect("stored");
            let before = people.iter().map(|(before, _)| before);
            let moved = people.iter().map(|(_, after)| after);
            for (index, (points, answers, hidden)) in before.chain(moved).enumerate() {
                let player = bench.person((index % people.len()) as i64).await;
                for scope in [0, 1] {
                    sqlx::query("INSERT INTO standings VALUES (?, 'all', ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                                 answers = excluded.answers, points = excluded.points, hidden = excluded.hidden")
                        .bind(scope).bind(player.0).bind(answers).bind(points % 2).bind(points).bind(hidden)
                        .execute(db).await.expect("stored");
                }
            }
            sqlx::query("DELETE FROM standings WHERE player_id % 10 = ? AND chat_id = 1")
                .bind(gone as i64).execute(db).await.expect("removed");
            bench.assert_ranks().await;
            bench.assert_places(None).await;
            bench.assert_places(Some(&chat(7))).await;
            let beyond = bench.store.board(None, "all", 9_999, PER_PAGE).await.expect("readable");
            assert!(beyond.rows.is_empty() && !beyond.more, "there is nothing after the last page");
        });
    }
}
