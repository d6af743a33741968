//! Points, sightings and pictures: nothing is asked, seen or kept twice.

use super::{Bench, at};
use crate::domain::imagery::{Look, Sighting, Source};
use crate::domain::spend::{Caps, Item, Period, RunId, Settlement};
use crate::domain::{Coordinate, Split};
use crate::store::{AskedPoint, Kept, NewImage, Place, PointOutcome, Seen, StoredImage};

pub(super) const AREA: &str = "東京都港区";

pub(super) fn place(town: &str) -> Place {
    Place { area: AREA.to_owned(), town: town.to_owned() }
}

pub(super) fn seen(id: &str, town: &str) -> Seen {
    let sighting = Sighting {
        source: Source::StreetView,
        id: id.to_owned(),
        position: Coordinate { lat: 35.6586, lng: 139.7454 },
        captured: Some("2024-05".to_owned()),
        heading: None,
        attribution: "© Google".to_owned(),
        licence: "Google Maps Platform Terms".to_owned(),
        link: Some("https://maps.example/?pano=1".to_owned()),
    };
    Seen { sighting, place: place(town) }
}

fn point(town: &str, number: u32) -> AskedPoint {
    let position = Coordinate { lat: 35.6, lng: 139.7 + f64::from(number) };
    AskedPoint { source: Source::StreetView, place: place(town), number, position }
}

fn image(sha256: &str, id: &str, heading: u16, run: RunId) -> NewImage {
    let look = Look { heading, fov: 80, pitch: -5, width: 640, height: 480 };
    NewImage {
        sha256: sha256.repeat(64),
        format: "jpg".to_owned(),
        item: Item { source: Source::StreetView, image: id.to_owned(), look: Some(look) },
        bytes: 1_000,
        size: (640, 480),
        run,
        purchase: None,
    }
}

impl Bench {
    pub(super) async fn run(&self, plan: &str) -> RunId {
        self.store.open_run(Source::StreetView, plan, at(0)).await.expect("opens")
    }

    async fn note(&self, point: AskedPoint, outcome: PointOutcome, seen: &[Seen]) -> (PointOutcome, usize) {
        let noted = self.store.note_point(&point, outcome, seen.to_vec(), at(1)).await.expect("noted");
        (noted.0, noted.1.len())
    }

    async fn assert_image_sums(&self) {
        let wrong: Vec<(i64, String)> = sqlx::query_as(
            "WITH counted AS (
                 SELECT s.place_id, COALESCE(substr(s.captured, 1, 7), '') AS month, COUNT(*) AS images, SUM(i.bytes) AS bytes
                 FROM images AS i JOIN sightings AS s ON s.source = i.source AND s.id = i.image GROUP BY 1, 2),
             kept AS (SELECT * FROM image_sums WHERE images > 0)
             SELECT place_id, month FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)
             UNION ALL SELECT place_id, month FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted)",
        )
        .fetch_all(self.store.writer())
        .await
        .expect("readable");
        assert!(wrong.is_empty(), "sums that are not those of their rows: {wrong:?}");
    }
}

#[tokio::test]
async fn a_panorama_belongs_to_the_point_that_saw_it_first() {
    let bench = Bench::open().await;
    let (one, two) = (seen("p1", "芝一丁目"), seen("p2", "芝二丁目"));
    assert_eq!(
        bench.note(point("芝一丁目", 0), PointOutcome::Found, &[one.clone(), two.clone()]).await,
        (PointOutcome::Found, 2)
    );
    assert_eq!(
        bench.note(point("芝二丁目", 0), PointOutcome::Found, std::slice::from_ref(&two)).await,
        (PointOutcome::Known, 0),
        "across towns"
    );
    assert_eq!(
        bench.note(point("芝一丁目", 0), PointOutcome::Found, &[one.clone(), two.clone()]).await,
        (PointOutcome::Found, 2),
        "asked again it keeps them"
    );
    bench.note(point("芝一丁目", 7), PointOutcome::Nothing, &[]).await;
    bench.note(point("芝一丁目", 3), PointOutcome::Outside, &[]).await;
    assert!(!bench.store.note_sighting(&one).await.expect("noted"));
    assert!(bench.store.note_sighting(&seen("p3", "")).await.expect("noted"));

    let bench = bench.reopen().await;
    let known = bench.store.known_points(Source::StreetView, &place("芝一丁目")).await.expect("readable");
    let outcomes: Vec<(u32, PointOutcome)> = known.iter().map(|point| (point.number, point.outcome)).collect();
    assert_eq!(outcomes, [(0, PointOutcome::Found), (3, PointOutcome::Outside), (7, PointOutcome::Nothing)]);
    assert_eq!(known[0].seen, [one, two]);
    assert_eq!((known[1].position, known[1].seen.len()), (point("", 3).position, 0));
    for (source, town) in [(Source::Mapillary, "芝一丁目"), (Source::StreetView, "三田一丁目")] {
        assert!(bench.store.known_points(source, &place(town)).await.expect("readable").is_empty());
    }
}

#[tokio::test]
async fn a_picture_is_kept_once_with_all_that_is_known_of_it() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    let one = seen("p1", "芝一丁目");
    bench.note(point("芝一丁目", 0), PointOutcome::Found, std::slice::from_ref(&one)).await;
    let (first, again) = (image("a", "p1", 10, run), image("b", "p1", 10, run));
    let (same, other) = (image("a", "p1", 20, run), image("c", "p1", 20, run));
    let kept = bench.store.keep_images(&[first.clone(), again, same, other], at(5)).await.expect("kept");
    let [Kept::New(id), Kept::Known, Kept::Same, Kept::New(last)] = kept[..] else { panic!("{kept:?}") };
    assert!(id < last);
    bench.assert_image_sums().await;

    let page = bench.store.images_after(None, 1).await.expect("readable");
    let expected = StoredImage {
        id,
        sha256: first.sha256.clone(),
        format: "jpg".to_owned(),
        bytes: 1_000,
        size: (640, 480),
        item: first.item,
        sighting: one.sighting,
        place: one.place,
        split: Split::of_place(AREA, "芝一丁目"),
        collected_at: at(5),
        run,
    };
    assert_eq!((page[0].heading(), page), (Some(10.0), vec![expected]));
    assert_eq!(bench.store.images_after(Some(id), 9).await.expect("readable")[0].id, last);
    assert!(bench.store.images_after(Some(last), 9).await.expect("readable").is_empty());
    let shard = bench.store.images_of_shard("aa").await.expect("readable");
    assert_eq!(shard, [(id, "a".repeat(64), "jpg".to_owned())]);

    bench.store.drop_image(id).await.expect("dropped");
    bench.assert_image_sums().await;
    let sums = bench.store.image_sums().await.expect("readable");
    assert_eq!((sums.len(), sums[0].images, sums[0].bytes, sums[0].month.as_str()), (1, 1, 1_000, "2024-05"));
}

#[tokio::test]
async fn a_picture_settles_its_purchase_and_needs_its_sighting() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    bench.store.note_sighting(&seen("p1", "芝一丁目")).await.expect("noted");
    let price = crate::domain::imagery::Micros(7_000);
    let caps = Caps { run: price, day: price, month: price };
    let mut bought = image("a", "p1", 10, run);
    let wanted = [(bought.item.clone(), price)];
    let reserve = async || {
        let reserved = bench.store.reserve(run, &wanted, &caps, at(1), &jiff::tz::TimeZone::UTC).await;
        reserved.expect("asked").remove(0)
    };
    bought.purchase = Some(reserve().await.expect("free"));
    let unseen = image("b", "p9", 10, run);
    assert!(bench.store.keep_images(&[bought.clone(), unseen], at(2)).await.is_err());
    let spent = async || bench.store.spent(Period::All, None).await.expect("readable");
    assert_eq!((spent().await.images_billed, spent().await.images_in_doubt), (0, 1), "all or nothing");
    bench.store.keep_images(std::slice::from_ref(&bought), at(2)).await.expect("kept");
    assert_eq!((spent().await.images_billed, spent().await.images_in_doubt), (1, 0));
    bench.store.settle_purchases(&[(bought.purchase.expect("set"), Settlement::Free)], at(3)).await.expect("ignored");
    assert_eq!(spent().await.images_billed, 1);
    assert_eq!(reserve().await, Err(crate::domain::spend::Refusal::Taken(crate::domain::spend::Taken::Kept)));
    bench.assert_ledger().await;
}

#[tokio::test]
async fn a_place_keeps_its_split_when_the_rule_changes() {
    let bench = Bench::open().await;
    bench.store.note_sighting(&seen("p1", "芝一丁目")).await.expect("noted");
    let ruled = Split::of_place(AREA, "芝一丁目");
    let moved = Split::ALL.into_iter().find(|split| *split != ruled).expect("there are four");
    // As an older rule would have stored it.
    let change = sqlx::query("UPDATE places SET split = ?").bind(moved.name());
    change.execute(bench.store.writer()).await.expect("changed");
    bench.store.note_sighting(&seen("p2", "芝一丁目")).await.expect("noted");
    let run = bench.run("a").await;
    bench.store.keep_images(&[image("a", "p2", 1, run)], at(2)).await.expect("kept");
    assert_eq!(bench.store.images_after(None, 9).await.expect("readable")[0].split, moved);
}

#[tokio::test]
async fn what_was_seen_long_ago_is_forgotten_unless_a_picture_was_kept_of_it() {
    let bench = Bench::open().await;
    let run = bench.run("a").await;
    let (kept, unkept, young) = (seen("p1", "芝一丁目"), seen("p2", "芝一丁目"), seen("p3", "芝二丁目"));
    bench.note(point("芝一丁目", 0), PointOutcome::Found, &[kept.clone(), unkept.clone()]).await;
    bench.store.keep_images(&[image("a", "p1", 10, run)], at(5)).await.expect("kept");
    let later = point("芝二丁目", 0);
    bench.store.note_point(&later, PointOutcome::Found, vec![young.clone()], at(100)).await.expect("noted");

    assert_eq!(bench.store.forget_points(at(1)).await.expect("done"), 0, "none is older than that");
    assert_eq!(bench.store.forget_points(at(50)).await.expect("done"), 1);
    let known = async |town| bench.store.known_points(Source::StreetView, &place(town)).await.expect("readable");
    assert!(known("芝一丁目").await.is_empty());
    assert_eq!(known("芝二丁目").await[0].seen, [young]);
    let page = bench.store.images_after(None, 9).await.expect("readable");
    assert_eq!(page.len(), 1, "the picture still knows where it was taken");
    bench.assert_image_sums().await;

    let again = bench.note(point("芝一丁目", 0), PointOutcome::Found, &[kept, unkept]).await;
    assert_eq!(again, (PointOutcome::Found, 2), "asked again, it is all found again");
}
