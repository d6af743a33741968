//! How fast the scores are: leaderboards, places and duels over 1,000,000 answers of 100,000 people, and answers
//! pouring into one round. `cargo bench --bench scores`; criterion keeps its own figures, the tables at the end are of
//! single calls.

mod answers;
mod fill;
mod tally;

use std::path::Path;

use criterion::Criterion;
use kokodoko::domain::ChatRef;
use kokodoko::domain::quiz::PlayerId;
use kokodoko::store::Store;
use tokio::runtime::Runtime;

use self::fill::Filled;
use self::tally::Tally;

/// People on a page, as in the chat.
const PER_PAGE: u32 = 10;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scores.sqlite");
    let filled = runtime.block_on(fill_and_close(&path));
    println!("{filled}");
    let store = runtime.block_on(Store::open(&path)).expect("opens again");
    let mut criterion = Criterion::default().configure_from_args();
    let mut tally = Tally::default();
    boards(&mut criterion, &runtime, &mut tally, &store, &filled);
    people(&mut criterion, &runtime, &mut tally, &store, &filled);
    criterion.final_summary();
    println!("{tally}");
    runtime.block_on(answers::sustained(&store));
    runtime.block_on(answers::flat_out(&store));
    runtime.block_on(store.close());
}

/// Closing lets SQLite note its statistics, as when the bot stops.
async fn fill_and_close(path: &Path) -> Filled {
    let store = Store::open(path).await.expect("opens");
    let filled = fill::fill(&store).await;
    store.close().await;
    filled
}

/// First, middle and last page, of all and of the largest chat.
fn boards(criterion: &mut Criterion, runtime: &Runtime, tally: &mut Tally, store: &Store, filled: &Filled) {
    let scopes: [(&str, Option<&ChatRef>, u32); 2] =
        [("all", None, filled.ranked), ("chat", Some(&filled.chat), filled.ranked_in_chat)];
    for (scope, chat, ranked) in scopes {
        let last = ranked.saturating_sub(1) / PER_PAGE;
        for (name, page) in [("first", 0), ("middle", last / 2), ("last", last)] {
            let query = async || {
                let board = store.board(chat, "all", page, PER_PAGE).await.expect("readable");
                assert!(!board.rows.is_empty() && board.more == (page < last) && board.model.is_some());
            };
            tally.measure(criterion, runtime, &format!("leaderboard/{scope}/{name} page"), query);
        }
    }
}

/// A person's score and their duel with the model, by how high they stand.
fn people(criterion: &mut Criterion, runtime: &Runtime, tally: &mut Tally, store: &Store, filled: &Filled) {
    let at = |rank: u32| -> PlayerId {
        let board = runtime.block_on(store.board(None, "all", rank - 1, 1)).expect("readable");
        board.rows[0].player
    };
    let ranks = [("first", 1), ("middle", filled.ranked / 2), ("last", filled.ranked)];
    for (name, rank) in ranks {
        let player = at(rank);
        let query = async || {
            let score = store.score(player, None).await.expect("readable");
            assert_eq!(score.rank, Some(rank));
        };
        tally.measure(criterion, runtime, &format!("score/{name}"), query);
    }
    for (name, rank) in ranks {
        let player = at(rank);
        let query = async || {
            let duels = store.duels(player).await.expect("readable");
            assert!(!duels.is_empty());
        };
        tally.measure(criterion, runtime, &format!("versus/{name}"), query);
    }
}
