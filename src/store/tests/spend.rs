//! The ledger: whatever happens to the programs that buy, the caps hold and the sums are right.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Bench, Store, at};
use crate::domain::imagery::{Look, Micros, Source};
use crate::domain::spend::{Cap, Caps, Item, Period, PurchaseId, Refusal, RunId, Settlement, Taken};

const PRICE: Micros = Micros(7_000);

fn item(number: usize) -> Item {
    let look = Look { heading: 90, fov: 80, pitch: 0, width: 640, height: 640 };
    Item { source: Source::StreetView, image: format!("pano-{number}"), look: Some(look) }
}

/// Noon, so many days after the first one.
fn noon(day: i64) -> Timestamp {
    "2026-11-28T12:00:00Z".parse::<Timestamp>().expect("a moment") + SignedDuration::from_hours(24 * day)
}

fn date(day: i64) -> Date {
    TimeZone::UTC.to_datetime(noon(day)).date()
}

fn caps(run: i64, day: i64, month: i64) -> Caps {
    let images = |count: i64| Micros(count * PRICE.0);
    Caps { run: images(run), day: images(day), month: images(month) }
}

impl Bench {
    async fn reserve(&self, run: RunId, number: usize, caps: &Caps, now: Timestamp) -> Result<PurchaseId, Refusal> {
        let reserved = self.store.reserve(run, &[(item(number), PRICE)], caps, now, &TimeZone::UTC).await;
        reserved.expect("asked").remove(0)
    }

    async fn end(&self, purchase: PurchaseId, end: Settlement) {
        self.store.settle_purchases(&[(purchase, end)], at(9)).await.expect("settled");
    }

    /// The sums of the ledger are those of its rows.
    pub(super) async fn assert_ledger(&self) {
        let wrong: Vec<(String, String)> = sqlx::query_as(
            "WITH keys AS (
                 SELECT 'all' AS period, * FROM purchases UNION ALL SELECT 'run ' || run_id, * FROM purchases
                 UNION ALL SELECT day, * FROM purchases UNION ALL SELECT substr(day, 1, 7), * FROM purchases),
             sums AS (
                 SELECT period, source, SUM(state = 'billed') AS images_billed,
                        SUM(state IN ('open', 'lost')) AS images_in_doubt,
                        SUM(IIF(state = 'billed', price, 0)) AS billed,
                        SUM(IIF(state IN ('open', 'lost'), price, 0)) AS in_doubt
                 FROM keys GROUP BY period, source)
             SELECT period, source FROM (SELECT * FROM sums EXCEPT SELECT * FROM spend)
             UNION ALL SELECT period, source FROM (SELECT * FROM spend EXCEPT SELECT * FROM sums)",
        )
        .fetch_all(self.store.writer())
        .await
        .expect("readable");
        assert!(wrong.is_empty(), "sums that are not those of their rows: {wrong:?}");
    }
}

#[tokio::test]
async fn a_picture_is_bought_once_and_counts_from_its_reservation() {
    let bench = Bench::open().await;
    let (first, second) = (bench.run("a").await, bench.run("b").await);
    let plenty = caps(9, 9, 9);
    let bought = bench.reserve(first, 1, &plenty, noon(0)).await.expect("free");
    assert_eq!(bench.reserve(second, 1, &plenty, noon(1)).await, Err(Refusal::Taken(Taken::InDoubt)));
    bench.end(bought, Settlement::Billed).await;
    assert_eq!(bench.reserve(second, 1, &plenty, noon(1)).await, Err(Refusal::Taken(Taken::Paid)));
    // What the service does not bill may be asked for again, and a late answer still settles a lost one.
    let free = bench.reserve(first, 2, &plenty, noon(0)).await.expect("free");
    bench.end(free, Settlement::Free).await;
    let again = bench.reserve(second, 2, &plenty, noon(1)).await.expect("free again");
    bench.end(again, Settlement::Lost).await;
    assert_eq!(bench.reserve(first, 2, &plenty, noon(1)).await, Err(Refusal::Taken(Taken::InDoubt)));
    bench.end(again, Settlement::Billed).await;
    bench.end(again, Settlement::Free).await;
    let all = bench.store.spent(Period::All, None).await.expect("readable");
    assert_eq!((all.images_billed, all.images_in_doubt, all.billed), (2, 0, Micros(14_000)), "settled for good");
    bench.assert_ledger().await;
}

#[tokio::test]
async fn each_cap_refuses_by_itself() {
    for (caps, cap) in [(caps(2, 9, 9), Cap::Run), (caps(9, 2, 9), Cap::Day), (caps(9, 9, 2), Cap::Month)] {
        let bench = Bench::open().await;
        let run = bench.run("a").await;
        for number in 0..2 {
            bench.reserve(run, number, &caps, noon(0)).await.expect("within the cap");
        }
        let limit = Micros(2 * PRICE.0);
        let refused = Err(Refusal::Cap { cap, limit, spent: limit, price: PRICE });
        assert_eq!(bench.reserve(run, 2, &caps, noon(0)).await, refused);
        // Each begins anew: with another run, on the next day, three days on in December.
        let next = bench.run("b").await;
        let (run, day) = match cap {
            Cap::Run => (next, 0),
            Cap::Day => (run, 1),
            Cap::Month => (run, 3),
        };
        bench.reserve(run, 3, &caps, noon(day)).await.expect("begun anew");
    }
}

#[tokio::test]
async fn what_a_kill_leaves_is_listed_and_set_right_by_the_services_own_count() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    let plenty = caps(99, 99, 99);
    let mut bought = Vec::new();
    for number in 0..6 {
        bought.push(bench.reserve(run, number, &plenty, noon(0)).await.expect("free"));
    }
    bench.end(bought[0], Settlement::Billed).await;
    bench.end(bought[1], Settlement::Lost).await;
    let bench = bench.reopen().await;
    let doubts = bench.store.in_doubt(Source::StreetView).await.expect("listed");
    let listed: Vec<(&str, bool)> = doubts.iter().map(|doubt| (doubt.item.image.as_str(), doubt.lost)).collect();
    assert_eq!(listed[..2], [("pano-1", true), ("pano-2", false)]);
    assert_eq!((doubts.len(), doubts[0].item.look, doubts[0].day), (5, item(1).look, date(0)));

    let reconcile =
        async |period, billed| bench.store.reconcile(Source::StreetView, period, billed, at(9)).await.expect("asked");
    for impossible in [0, 7] {
        let refused = reconcile(Period::All, impossible).await.expect_err("impossible");
        assert_eq!((refused.asked, refused.spent.images_in_doubt), (impossible, 5));
    }
    assert!(reconcile(Period::Day(date(1)), 1).await.is_err(), "nothing was bought on that day");
    let done = reconcile(Period::Month(date(0)), 3).await.expect("possible");
    assert_eq!((done.billed, done.not_billed), (2, 3));
    let all = bench.store.spent(Period::All, Some(Source::StreetView)).await.expect("readable");
    assert_eq!((all.images_billed, all.images_in_doubt), (3, 0));
    // Which of them the service billed nobody knows: none is asked for again.
    for number in 0..6 {
        assert!(bench.reserve(run, number, &plenty, noon(0)).await.is_err(), "{number}");
    }
    // Where it billed none of them, all may be.
    let late = bench.reserve(run, 7, &plenty, noon(3)).await.expect("free");
    bench.end(late, Settlement::Lost).await;
    reconcile(Period::Run(run), 3).await.expect("possible");
    bench.reserve(run, 7, &plenty, noon(3)).await.expect("free again");
    bench.assert_ledger().await;
}

#[tokio::test]
async fn what_costs_nothing_is_fetched_again_after_a_kill() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    let item = Item { source: Source::Mapillary, image: "1".to_owned(), look: None };
    let ask = async || {
        let wanted = [(item.clone(), Micros(0))];
        bench.store.reserve(run, &wanted, &Caps::default(), noon(0), &TimeZone::UTC).await.expect("asked").remove(0)
    };
    let first = ask().await.expect("free");
    let second = ask().await.expect("free again");
    assert_ne!(first, second);
    bench.end(second, Settlement::Billed).await;
    assert_eq!(ask().await, Err(Refusal::Taken(Taken::Paid)));
    bench.assert_ledger().await;
}

#[tokio::test]
async fn the_ledger_is_not_rewritten() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    let bought = bench.reserve(run, 1, &caps(9, 9, 9), noon(0)).await.expect("free");
    bench.end(bought, Settlement::Billed).await;
    for change in [
        "DELETE FROM purchases",
        "UPDATE purchases SET price = 0",
        "UPDATE purchases SET day = '2026-01-01'",
        "UPDATE purchases SET state = 'free'",
        "INSERT INTO purchases SELECT 99, run_id, source, image, look, price, day, 'open', 0, NULL FROM purchases",
    ] {
        assert!(sqlx::query(change).execute(bench.store.writer()).await.is_err(), "{change}");
    }
    let settings: (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(bench.store.writer()).await.expect("known");
    assert_eq!(settings, (1,), "answers of the quiz are not slowed down");
}

#[tokio::test]
async fn an_open_run_is_gone_on_with() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    assert_eq!(bench.run("a").await, run);
    assert_ne!(bench.run("b").await, run);
    bench.store.end_run(run, at(1)).await.expect("ends");
    assert_ne!(bench.run("a").await, run);
}

#[tokio::test]
async fn whoever_sets_right_is_alone() {
    let bench = Bench::open().await;
    let other = Store::open(&bench.folder.path().join("deep/scores.sqlite")).await.expect("opens");
    let (one, two) = (bench.store.collects().expect("free"), other.collects().expect("any number collect"));
    drop(one);
    let refused = bench.store.nobody_collects().expect_err("the other one does").to_string();
    assert!(refused.starts_with("a run is collecting"), "{refused}");
    drop(two);
    let alone = bench.store.nobody_collects().expect("free");
    assert!(other.collects().is_err());
    assert!(other.nobody_collects().is_err());
    drop(alone);
    other.collects().expect("free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_programs_race_for_one_cap_and_for_the_same_pictures() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    let other = Store::open(&bench.folder.path().join("deep/scores.sqlite")).await.expect("opens");
    let caps = caps(100, 17, 100);
    let mut tasks = tokio::task::JoinSet::new();
    for store in [bench.store.clone(), other] {
        for number in 0..15 {
            let store = store.clone();
            // Each picture is wanted by both; together they want 30 for 17.
            let wanted: Vec<(Item, Micros)> = [number, number + 15].map(|number| (item(number), PRICE)).into();
            tasks.spawn(
                async move { store.reserve(run, &wanted, &caps, noon(0), &TimeZone::UTC).await.expect("asked") },
            );
        }
    }
    let answers: Vec<Result<PurchaseId, Refusal>> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 17);
    let spent = bench.store.spent(Period::Day(date(0)), None).await.expect("readable");
    assert_eq!(spent.counted(), caps.day);
    bench.assert_ledger().await;
}

/// What the ledger should hold, kept in the plainest way.
#[derive(Clone, Debug)]
struct Line {
    number: usize,
    run: usize,
    day: i64,
    state: Option<Settlement>,
    written_off: bool,
}

impl Line {
    fn counts(&self) -> bool {
        matches!(self.state, None | Some(Settlement::Billed | Settlement::Lost)) && !self.written_off
    }

    fn in_doubt(&self) -> bool {
        matches!(self.state, None | Some(Settlement::Lost)) && !self.written_off
    }

    fn month(&self) -> bool {
        date(self.day).month() == 11
    }
}

/// Whether the plain ledger lets a picture be bought.
fn may_buy(lines: &[Line], number: usize, run: usize, day: i64, caps: [usize; 3]) -> bool {
    let wanted = Line { number, run, day, state: None, written_off: false };
    let taken = lines.iter().any(|line| line.number == number && line.state != Some(Settlement::Free));
    let used = |same: &dyn Fn(&Line) -> bool| lines.iter().filter(|line| line.counts() && same(line)).count();
    let full = [
        used(&|line| line.run == run) >= caps[0],
        used(&|line| line.day == day) >= caps[1],
        used(&|line| line.month() == wanted.month()) >= caps[2],
    ];
    !taken && !full.contains(&true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_is_bought_settled_and_killed_the_caps_hold(
        steps in prop::collection::vec((0_u8..8, 0_usize..12, 0_usize..2, 0_i64..5), 1..60),
        (run_cap, day_cap, month_cap) in (1_usize..6, 1_usize..5, 1_usize..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut bench = Bench::open().await;
            let runs = [bench.run("a").await, bench.run("b").await];
            let limits = caps(run_cap as i64, day_cap as i64, month_cap as i64);
            let mut lines: Vec<Line> = Vec::new();
            // Reservations in the hands of a living program.
            let mut held: Vec<(PurchaseId, usize)> = Vec::new();
            for (action, number, run, day) in steps {
                match action {
                    0..=3 => {
                        let expected = may_buy(&lines, number, run, day, [run_cap, day_cap, month_cap]);
                        let answer = bench.reserve(runs[run], number, &limits, noon(day)).await;
                        assert_eq!(answer.is_ok(), expected, "{answer:?}");
                        if let Ok(purchase) = answer {
                            held.push((purchase, lines.len()));
                            lines.push(Line { number, run, day, state: None, written_off: false });
                        }
                    }
                    4 | 5 if !held.is_empty() => {
                        let (purchase, line) = held.swap_remove(number % held.len());
                        let end = [Settlement::Billed, Settlement::Free, Settlement::Lost][number % 3];
                        bench.end(purchase, end).await;
                        lines[line].state = Some(end);
                    }
                    6 => {
                        held.clear();
                        bench = bench.reopen().await;
                    }
                    7 => {
                        // Whoever sets right is alone.
                        held.clear();
                        let doubts: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].in_doubt()).collect();
                        let billed = lines.iter().filter(|line| line.state == Some(Settlement::Billed)).count();
                        let more = number.min(doubts.len());
                        let asked = (billed + more) as u64;
                        let done = bench.store.reconcile(Source::StreetView, Period::All, asked, at(9)).await;
                        done.expect("asked").expect("possible");
                        for (index, line) in doubts.into_iter().enumerate() {
                            match index < more {
                                true => lines[line].state = Some(Settlement::Billed),
                                false if more == 0 => lines[line].state = Some(Settlement::Free),
                                false => lines[line].written_off = true,
                            }
                        }
                    }
                    _ => {}
                }
                bench.assert_ledger().await;
                for day in 0..5 {
                    for period in [Period::Day(date(day)), Period::Month(date(day))] {
                        let spent = bench.store.spent(period, None).await.expect("readable").counted();
                        let limit = if matches!(period, Period::Day(_)) { limits.day } else { limits.month };
                        assert!(spent <= limit, "{period}: {spent} of {limit}");
                    }
                }
                for run in runs {
                    let spent = bench.store.spent(Period::Run(run), None).await.expect("readable").counted();
                    assert!(spent <= limits.run, "{spent} of {}", limits.run);
                }
            }
            let counted = lines.iter().filter(|line| line.counts()).count() as i64;
            let all = bench.store.spent(Period::All, Some(Source::StreetView)).await.expect("readable");
            assert_eq!(all.counted(), Micros(counted * PRICE.0));
            let listed = bench.store.in_doubt(Source::StreetView).await.expect("readable").len();
            assert_eq!(listed, lines.iter().filter(|line| line.in_doubt()).count());
        });
    }
}
