//! Servers that answer badly.

use kokodoko::collect::picture::BadPicture;
use kokodoko::collect::trouble::{NoPicture, Stop, Trouble};
use kokodoko::collect::wire::{Ask, FaultKind, Kind, Options, Repeat, Verdict, Wire};
use kokodoko::domain::Coordinate;
use kokodoko::domain::imagery::Look;
use kokodoko::domain::spend::Settlement;
use kokodoko::infer::decode::PhotoError;
use tokio_util::sync::CancellationToken;

use super::{no_jitter, options, patient, streetview, wire};
use crate::fake::flaky::{Flaky, Reply};
use crate::support::{JumpingClock, Logs};
use crate::wire::{Service, WORLD};

const LOOK: Look = Look { heading: 45, fov: 90, pitch: 0, width: 96, height: 64 };
const SEA: Coordinate = Coordinate { lat: 35.0, lng: 140.5 };
const NO_IMAGERY: &str = r#"{"status":"ZERO_RESULTS"}"#;

fn panorama() -> &'static str {
    let outdoor = WORLD.panoramas(1).iter().find(|panorama| !panorama.indoor);
    &outdoor.expect("港区 has outdoor panoramas").id
}

#[tokio::test]
async fn a_service_that_recovers_is_waited_for() {
    let clock = JumpingClock::start();
    let unknown = Reply::json(200, r#"{"status":"UNKNOWN_ERROR"}"#);
    let script = [Reply::status(500), unknown, Reply::status(504), Reply::json(200, NO_IMAGERY)];
    let server = Flaky::start("", script).await;
    assert_eq!(streetview(&server.base, options(), clock.clone()).near(SEA, 50).await, Ok(None));
    assert_eq!(clock.waits(), [1.0, 2.0, 4.0]);
}

#[tokio::test]
async fn a_broken_way_is_tried_again_when_asking_is_free() {
    let clock = JumpingClock::start();
    let html = Reply::Whole(200, "Content-Type: text/html\r\n", b"<html>a captive portal</html>".to_vec());
    let script =
        [Reply::Silence, Reply::Whole(200, "Content-Length: 9\r\n", vec![]), html, Reply::json(200, NO_IMAGERY)];
    let server = Flaky::start("", script).await;
    assert_eq!(streetview(&server.base, options(), clock.clone()).near(SEA, 50).await, Ok(None));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn tries_end() {
    let clock = JumpingClock::start();
    let server = Flaky::start("", (0..9).map(|_| Reply::status(503))).await;
    let trouble = streetview(&server.base, options(), clock.clone()).near(SEA, 50).await.expect_err("it is down");
    insta::assert_snapshot!(trouble, @"Street View does not answer: status 503");
    assert_eq!((server.requests().len(), clock.waits()), (5, vec![1.0, 2.0, 4.0, 8.0]));
}

#[tokio::test]
async fn a_service_says_how_long_to_wait() {
    let clock = JumpingClock::start();
    let later = Reply::Whole(429, "Retry-After: 77\r\n", Vec::new());
    let date = Reply::Whole(503, "Retry-After: Tue, 24 Nov 2026 03:03:00 GMT\r\n", Vec::new());
    let server = Flaky::start("", [later, date, Reply::json(200, NO_IMAGERY)]).await;
    assert_eq!(streetview(&server.base, options(), clock.clone()).near(SEA, 50).await, Ok(None));
    assert_eq!(clock.waits(), [77.0, 103.0]);
}

#[tokio::test]
async fn nobody_waits_for_tomorrow() {
    let clock = JumpingClock::start();
    let server = Flaky::start("", [Reply::Whole(429, "Retry-After: 86400\r\n", b"Daily quota".to_vec())]).await;
    let stopped = streetview(&server.base, options(), clock.clone()).near(SEA, 50).await;
    assert_eq!(stopped, Err(Stop::StreetViewQuota { said: "Daily quota".to_owned() }.into()));
    assert_eq!(clock.waits(), [0.0; 0]);
}

/// The service may have sold what never arrived: asking again could buy it twice.
#[tokio::test]
async fn a_picture_that_was_lost_on_its_way_is_in_doubt_and_not_asked_for_again() {
    let service = Service::start().await;
    for reply in [Reply::Truncated, Reply::Lost, Reply::Stuck] {
        let server = Flaky::start(&service.base, [reply.clone()]).await;
        let clock = JumpingClock::start();
        // Drawing takes its time; only the stuck answer may run into the timeout.
        let options = if matches!(reply, Reply::Stuck) { options() } else { patient() };
        let fetched = streetview(&server.base, options, clock).picture(panorama(), LOOK).await;
        assert_eq!(fetched.bill, Settlement::Lost, "{reply:?}");
        assert!(matches!(fetched.picture, Err(NoPicture::Trouble(Trouble::Later { .. }))), "{reply:?}: {fetched:?}");
        assert_eq!(server.requests().len(), 1, "{reply:?}");
    }
    let silent = Flaky::start("", [Reply::Silence]).await;
    let fetched = streetview(&silent.base, options(), JumpingClock::start()).picture(panorama(), LOOK).await;
    assert_eq!((fetched.bill, silent.requests().len()), (Settlement::Lost, 1));
}

#[tokio::test]
async fn what_the_service_refuses_or_fails_at_is_free_and_asked_for_again() {
    let service = Service::start().await;
    let server = Flaky::start(&service.base, [Reply::status(500), Reply::status(503)]).await;
    let fetched = streetview(&server.base, patient(), JumpingClock::start()).picture(panorama(), LOOK).await;
    assert_eq!((fetched.bill, fetched.picture.is_ok()), (Settlement::Billed, true));
    assert_eq!(service.books().await.streetview.images_billed, 1);

    let down = Flaky::start("", (0..9).map(|_| Reply::status(503))).await;
    let fetched = streetview(&down.base, options(), JumpingClock::start()).picture(panorama(), LOOK).await;
    assert_eq!((fetched.bill, down.requests().len()), (Settlement::Free, 5));

    let gateway = Flaky::start("", [Reply::status(504)]).await;
    let fetched = streetview(&gateway.base, options(), JumpingClock::start()).picture(panorama(), LOOK).await;
    assert_eq!((fetched.bill, gateway.requests().len()), (Settlement::Lost, 1), "who knows what is behind a gateway");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_sold_nothing() {
    let gone = Flaky::start("", []).await.base.replace("127.0.0.1", "127.0.0.2");
    let clock = JumpingClock::start();
    let fetched = streetview(&gone, options(), clock.clone()).picture(panorama(), LOOK).await;
    assert_eq!(fetched.bill, Settlement::Free);
    insta::assert_snapshot!(
        fetched.picture.expect_err("nobody listens"),
        @"Street View does not answer: the server cannot be reached"
    );
    assert_eq!(clock.waits().len(), 4, "tried again");
}

#[tokio::test]
async fn a_delivered_answer_that_is_no_picture_is_billed() {
    let jpeg = "Content-Type: image/jpeg\r\n";
    let page = Reply::Whole(200, "Content-Type: text/html; charset=utf-8\r\n", b"<html></html>".to_vec());
    let garbage = Reply::Whole(200, jpeg, b"no picture at all".to_vec());
    let small = Reply::Whole(200, jpeg, crate::support::jpeg([90, 120, 150]));
    let mut outcomes = Vec::new();
    for reply in [page, garbage, small, Reply::Whole(200, jpeg, Vec::new())] {
        let server = Flaky::start("", [reply]).await;
        let fetched = streetview(&server.base, options(), JumpingClock::start()).picture(panorama(), LOOK).await;
        assert_eq!(fetched.bill, Settlement::Billed);
        outcomes.push(fetched.picture.expect_err("no picture"));
    }
    let bad = |photo| NoPicture::Bad(BadPicture::Photo(photo));
    assert_eq!(outcomes[0], NoPicture::Bad(BadPicture::MediaType { media_type: "text/html".to_owned() }));
    assert_eq!(outcomes[1], bad(PhotoError::NotAPicture));
    assert!(matches!(outcomes[2], NoPicture::Trouble(_)), "160x120 for 96x64: {:?}", outcomes[2]);
    assert_eq!(outcomes[3], bad(PhotoError::Empty));
}

#[tokio::test]
async fn bodies_end_at_their_limit_announced_or_not() {
    let body = vec![b' '; 2_000];
    let server = Flaky::start("", [Reply::Whole(200, "", body.clone()), Reply::Whole(200, "", body)]).await;
    let wire = wire(&server.base, options(), JumpingClock::start());
    for (max_bytes, expected) in [(1_999, Err(FaultKind::TooLarge { limit: 1_999 })), (2_000, Ok(2_000))] {
        let request = wire.get(server.base.parse().expect("a URL"));
        let answer =
            wire.ask(Ask { kind: Kind::Question, request, max_bytes, repeat: Repeat::Free }, |_| Verdict::Final).await;
        assert_eq!(answer.map(|answer| answer.body.len()).map_err(|fault| fault.kind), expected);
    }
    assert_eq!(server.requests().len(), 2, "what is too large once is too large twice");
}

/// Services count them apart.
#[tokio::test]
async fn pictures_do_not_wait_for_questions() {
    let clock = JumpingClock::start();
    let server = Flaky::start("", (0..4).map(|_| Reply::json(200, NO_IMAGERY))).await;
    let wire = wire(&server.base, Options { per_second: 0.1, ..options() }, clock.clone());
    for (kind, waits) in
        [(Kind::Question, vec![]), (Kind::Picture, vec![]), (Kind::Picture, vec![10.0]), (Kind::Question, vec![10.0])]
    {
        let request = wire.get(server.base.parse().expect("a URL"));
        let ask = Ask { kind, request, max_bytes: 99, repeat: Repeat::Free };
        wire.ask(ask, |_| Verdict::Final).await.expect("answered");
        assert_eq!(clock.waits(), waits, "{kind:?}");
    }
}

#[tokio::test]
async fn no_more_requests_at_once_than_allowed() {
    let server = Flaky::gated("", (0..12).map(|_| Reply::json(200, NO_IMAGERY))).await;
    let limited = Options { concurrent: 3, ..patient() };
    let service = streetview(&server.base, limited, JumpingClock::start());
    let all = futures_util::future::join_all((0..12).map(|_| service.near(SEA, 50)));
    let watch = async {
        for _ in 0..4 {
            while server.inside() < 3 {
                tokio::task::yield_now().await;
            }
            server.let_go(3);
            while server.inside() == 3 {
                tokio::task::yield_now().await;
            }
        }
    };
    let (answers, ()) = tokio::join!(all, watch);
    assert!(answers.into_iter().all(|answer| answer == Ok(None)));
    assert_eq!(server.most_inside(), 3);
}

#[tokio::test]
async fn a_stopped_run_sends_nothing() {
    let server = Flaky::start("", []).await;
    let (base, stop) = (server.base.parse().expect("a URL"), CancellationToken::new());
    let wire = Wire::new(&base, options(), JumpingClock::start(), no_jitter(), stop.clone()).expect("TLS starts");
    stop.cancel();
    let ask = Ask { kind: Kind::Question, request: wire.get(base), max_bytes: 9, repeat: Repeat::Free };
    let fault = wire.ask(ask, |_| Verdict::Final).await.expect_err("stopped");
    assert_eq!((fault.kind, fault.delivered, server.requests().len()), (FaultKind::Stopped, false, 0));
}

#[tokio::test]
async fn keys_are_in_no_log_and_no_error() {
    const KEY: &str = "AIzaSyTheKeyThatNobodySees";
    let (logs, _guard) = Logs::capture();
    let echo = format!(r#"{{"status":"REQUEST_DENIED","error_message":"The key {KEY} is not allowed"}}"#);
    let refusal = Reply::Whole(403, "", format!("no, {KEY}").into_bytes());
    let server =
        Flaky::start("", [Reply::json(200, &echo), refusal, Reply::Silence, Reply::Whole(200, "bad\r\n", vec![])])
            .await;
    let service = super::streetview_with(&server.base, options(), JumpingClock::start(), KEY, None);
    let mut words = format!("{:?}", service.near(SEA, 50).await);
    for _ in 0..3 {
        words += &format!("{:?}", service.picture(panorama(), LOOK).await);
    }
    assert!(server.requests().iter().all(|head| head.contains(KEY)), "the requests had the key");
    assert!(words.contains("The key … is not allowed") && !words.contains(KEY), "{words}");
    assert!(!logs.text().contains(KEY), "{}", logs.text());
}
