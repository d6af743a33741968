//! Every press is defined: an answer counts exactly once.

use kokodoko::chat::text;
use kokodoko::domain::quiz::Refusal;

use super::both;
use crate::quiz::game::{Game, Played};
use crate::quiz::service::{Service, Who};

both!(
    two_people_press_at_the_same_moment,
    minds_change_until_the_bell_and_not_after,
    a_press_that_is_delivered_twice_counts_once,
    who_has_left_is_told_so_and_who_comes_back_plays_on,
    buttons_of_elsewhere_and_of_other_times_mean_nothing,
);

/// Who answered how many photos, the best first.
async fn parts<S: Service>(game: &Game<S>, played: Played) -> Vec<(String, u8, u8)> {
    let entries = game.outcome(played).await.entries;
    entries.into_iter().map(|entry| (entry.name, entry.answered, entry.right)).collect()
}

async fn two_people_press_at_the_same_moment<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    for number in 1..=3 {
        let choice = played.choice(number, game.truth(played, number).await);
        for who in Who::ALL {
            game.service.look(chat, who, played.picture, choice).await.expect("buttons");
        }
        // Nobody waits for anybody.
        let pressed = Who::ALL.map(|who| (who, game.service.answer(chat, who, played.picture, choice)));
        for (who, ticket) in pressed {
            let area = game.seat.round(played.id).await.areas[choice.choice].clone();
            let said = text::quiz::answered(who.lang(), number, &area, number, 3);
            assert_eq!(game.service.notice(&ticket).await, said);
        }
    }
    game.venue.clock.pass(11);
    game.service.unasked(chat, 3).await;
    let all = ["Aoi", "Ben", "Chie"].map(|name| (name.to_owned(), 3, 3));
    assert_eq!(parts(&game, played).await, all);
    assert_eq!(game.sums(played).await.0, 9);
    game.stop().await;
}

async fn minds_change_until_the_bell_and_not_after<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3"), ("seconds", "60")]).await;
    let right = game.truth(played, 2).await;
    let wrong = (right + 1) % 3;
    for choice in [wrong, right, wrong] {
        game.venue.clock.pass(10);
        game.counts(played, Who::Ben, 2, choice, 1).await;
    }
    // The moment of the bell itself is in time.
    game.service.look(chat, Who::Ben, played.picture, played.choice(2, right)).await.expect("buttons");
    game.venue.clock.pass(30);
    game.counts(played, Who::Ben, 2, right, 1).await;
    game.service.look(chat, Who::Ben, played.picture, played.choice(1, right)).await.expect("buttons");
    game.venue.clock.pass(1);
    game.service.unasked(chat, 3).await;
    // Ben's screen still shows his buttons.
    let late = game.service.answer(chat, Who::Ben, played.picture, played.choice(1, right));
    assert_eq!(game.service.notice(&late).await, text::quiz::refusal(Who::Ben.lang(), Refusal::TooLate));
    assert_eq!(parts(&game, played).await, [("Ben".to_owned(), 1, 1)]);
    game.stop().await;
}

async fn a_press_that_is_delivered_twice_counts_once<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    let (first, second) = (played.choice(1, 0), played.choice(1, 1));
    game.service.look(chat, Who::Ben, played.picture, first).await.expect("buttons");
    let ticket = game.service.answer(chat, Who::Ben, played.picture, first);
    game.service.deliver_again(&ticket);
    game.service.notice(&ticket).await;
    // He changes his mind; the old press arrives once more and must not change it back.
    game.service.look(chat, Who::Ben, played.picture, second).await.expect("buttons");
    let changed = game.service.answer(chat, Who::Ben, played.picture, second);
    game.service.notice(&changed).await;
    game.service.deliver_again(&ticket);
    game.counts(played, Who::Chie, 1, 0, 1).await;
    game.revealed(played, 1).await;
    let outcome = game.outcome(played).await;
    let ben = outcome.entries.iter().find(|entry| entry.name == "Ben").expect("he played");
    assert_eq!(ben.choices, [Some(1), None, None]);
    assert_eq!(game.sums(played).await.0, 2, "his and Chie's");
    game.stop().await;
}

async fn who_has_left_is_told_so_and_who_comes_back_plays_on<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    let right = game.truth(played, 1).await;
    game.counts(played, Who::Ben, 1, right, 1).await;
    game.service.leave(chat, Who::Ben).await;
    let left = text::quiz::refusal(Who::Ben.lang(), Refusal::Left);
    assert_eq!(game.answer(played, Who::Ben, 2, 0).await, left);
    game.counts(played, Who::Chie, 1, 0, 1).await;
    game.service.come_back(chat, Who::Ben).await;
    game.counts(played, Who::Ben, 2, 0, 2).await;
    game.service.leave(chat, Who::Ben).await;
    game.revealed(played, 1).await;
    let outcome = game.outcome(played).await;
    let ben = outcome.entries.iter().find(|entry| entry.name == "Ben").expect("he played");
    assert_eq!((ben.answered, ben.scored), (2, true), "what he answered while he was there counts");
    game.stop().await;
}

async fn buttons_of_elsewhere_and_of_other_times_mean_nothing<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    let unknown = text::quiz::refusal(Who::Ben.lang(), Refusal::Unknown);
    let stale = text::stale_button(Who::Ben.lang());
    for (payload, words) in [
        ("1a:7:1:0", &unknown),
        ("1a:1:4:0", &unknown),
        ("1a:1:1:3", &unknown),
        ("1o:7:1", &unknown),
        ("0x", &stale),
        ("1a:1:1:0:9", &stale),
    ] {
        let ticket = game.service.make_up(chat, Who::Ben, played.picture, payload);
        assert_eq!(game.service.notice(&ticket).await, *words, "{payload}");
    }
    game.revealed(played, 1).await;
    assert_eq!(game.outcome(played).await.entries, []);
    game.stop().await;
}
