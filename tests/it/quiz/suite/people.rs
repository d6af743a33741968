//! What people decide about their own scores.

use kokodoko::chat::{Post, text};
use kokodoko::domain::quiz::PlayerId;
use kokodoko::store::Store;

use super::both;
use crate::quiz::Venue;
use crate::quiz::discord::Discord;
use crate::quiz::game::{CHAT_LANG, Game, Played};
use crate::quiz::service::{Service, Who};
use crate::quiz::telegram::Telegram;

both!(
    who_wants_no_scores_has_none,
    who_is_forgotten_leaves_the_sums_of_the_others,
    who_is_forgotten_in_the_middle_of_a_round_is_not_waited_for,
    days_begin_when_a_person_wants,
    codes_are_for_private_chats,
);

/// Aoi and Ben answer a round of three photos; Ben all of them right.
async fn round_of_two<S: Service>(game: &Game<S>, chat: i64) -> Played {
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    for number in 1..=3 {
        let right = game.truth(played, number).await;
        game.counts(played, Who::Ben, number, right, number).await;
        game.counts(played, Who::Aoi, number, (right + 1) % 3, number).await;
    }
    played
}

async fn who_wants_no_scores_has_none<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let out = game.ask(chat, Who::Ben, "optout", &[]).await;
    assert_eq!(out.text, text::quiz::optout(Who::Ben.lang(), true));
    let played = round_of_two(&game, chat).await;
    game.venue.clock.pass(11);
    let revealed = game.service.unasked(chat, 3).await;
    assert!(revealed[1].text.contains("Ben"), "he played in front of all: {}", revealed[1].text);
    // A stop has the last step of the reveal noted, with which his answers go.
    let game = game.restart().await;
    let names: Vec<String> = game.outcome(played).await.entries.into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["Aoi"]);
    assert_eq!(game.sums(played).await, (3, 0, 0), "those of Aoi alone");
    let board = game.ask(chat, Who::Aoi, "leaderboard", &[]).await;
    assert!(board.text.ends_with(&text::quiz::board_empty(CHAT_LANG)), "{}", board.text);
    let back = game.ask(chat, Who::Ben, "optout", &[("switch", "off")]).await;
    assert_eq!(back.text, text::quiz::optout(Who::Ben.lang(), false));
    assert_eq!(game.ask(chat, Who::Ben, "score", &[]).await.text, text::quiz::score_none(Who::Ben.lang()));
    game.stop().await;
}

async fn who_is_forgotten_leaves_the_sums_of_the_others<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = round_of_two(&game, chat).await;
    game.venue.clock.pass(11);
    game.service.unasked(chat, 3).await;
    assert_eq!(game.sums(played).await.0, 6);
    let gone = game.ask(chat, Who::Ben, "forget", &[]).await;
    assert_eq!(gone.text, text::quiz::forgotten(Who::Ben.lang(), true));
    // Within the call: nothing is left when the answer is there.
    let store = game.seat.quiz.store();
    assert_eq!(store.find(&game.service.user(Who::Ben)).await.expect("readable"), None);
    let entries = game.outcome(played).await.entries;
    assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["Aoi"]);
    assert_eq!(game.sums(played).await, (3, 0, 0));
    let again = game.ask(chat, Who::Ben, "forget", &[]).await;
    assert_eq!(again.text, text::quiz::forgotten(Who::Ben.lang(), false));
    game.stop().await;
}

async fn who_is_forgotten_in_the_middle_of_a_round_is_not_waited_for<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "1")]).await;
    game.counts(played, Who::Ben, 1, 0, 1).await;
    game.ask(chat, Who::Ben, "forget", &[]).await;
    let [picture, _] = game.revealed(played, 1).await;
    assert!(!picture.text.contains("Ben"), "{}", picture.text);
    assert_eq!(game.sums(played).await, (0, 0, 0));
    game.stop().await;
}

async fn days_begin_when_a_person_wants<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.private(Who::Ben);
    let set = game.ask(chat, Who::Ben, "day", &[("zone", "Europe/Paris"), ("hour", "4")]).await;
    assert_eq!(set.text, text::quiz::day(Who::Ben.lang(), "Europe/Paris", 4, true));
    let shown = game.ask(chat, Who::Ben, "day", &[]).await;
    assert_eq!(shown.text, text::quiz::day(Who::Ben.lang(), "Europe/Paris", 4, false));
    let bad = game.ask(chat, Who::Ben, "day", &[("zone", "Paris")]).await;
    assert_eq!(bad.text, text::quiz::day_bad(Who::Ben.lang()));
    game.stop().await;
}

async fn codes_are_for_private_chats<S: Service>() {
    let game = Game::<S>::start().await;
    let refused = game.ask(game.service.group(0), Who::Ben, "link", &[]).await;
    assert_eq!(refused.text, text::quiz::link_private(Who::Ben.lang()));
    let offered = game.ask(game.service.private(Who::Ben), Who::Ben, "link", &[]).await;
    let own = game.ask(game.service.private(Who::Ben), Who::Ben, "link", &[("code", &code(&offered.text))]).await;
    assert_eq!(own.text, text::quiz::link_error(Who::Ben.lang(), &kokodoko::store::LinkError::Same));
    game.stop().await;
}

/// The code in the words that offer it.
fn code(words: &str) -> String {
    let is_code = |word: &&str| word.len() == 10 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let found = words.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code);
    found.unwrap_or_else(|| panic!("no code in {words:?}")).to_owned()
}

async fn number<S: Service>(store: &Store, service: &S, who: Who) -> Option<PlayerId> {
    store.find(&service.user(who)).await.expect("readable")
}

/// Ben plays a round in each service, and joins his identity of `B` to that of `A`.
async fn a_code_joins<A: Service, B: Service>() {
    let (a, b, venue) = (A::open().await, B::open().await, Venue::open());
    let mut post = Post::default();
    let (news_a, news_b) = (post.connect(A::PLATFORM), post.connect(B::PLATFORM));
    let seat = venue.seat(post).await;
    let fronts = [a.connect(&seat, news_a).await, b.connect(&seat, news_b).await];
    play(&a, &venue, &seat).await;
    play(&b, &venue, &seat).await;
    let store = seat.quiz.store();
    assert_ne!(number(store, &a, Who::Ben).await, number(store, &b, Who::Ben).await);

    let offered = a.reply(a.ask(a.private(Who::Ben), Who::Ben, "link", &[])).await;
    let code = code(&offered.text);
    let take = async |who| b.reply(b.ask(b.private(who), who, "link", &[("code", &code)])).await.text;
    assert_eq!(take(Who::Ben).await, text::quiz::link_done(Who::Ben.lang()));
    let used_up = text::quiz::link_error(Who::Chie.lang(), &kokodoko::store::LinkError::Unknown);
    assert_eq!(take(Who::Chie).await, used_up);
    let ben = number(store, &a, Who::Ben).await;
    assert!(ben.is_some() && ben == number(store, &b, Who::Ben).await);
    let score = store.score(ben.expect("known"), None).await.expect("readable");
    assert_eq!((score.answers, score.right), (6, 6), "of both rounds");
    let told = text::quiz::score(Who::Ben.lang(), "Ben", &score, 1, false);
    assert_eq!(a.reply(a.ask(a.private(Who::Ben), Who::Ben, "score", &[])).await.text, told);
    assert_eq!(b.reply(b.ask(b.private(Who::Ben), Who::Ben, "score", &[])).await.text, told);

    seat.stop.cancel();
    for front in fronts {
        front.await.expect("no panic").expect("a clean end");
    }
    seat.leave().await;
    a.finish();
    b.finish();
}

/// Ben plays alone and knows everything.
async fn play<S: Service>(service: &S, venue: &Venue, seat: &crate::quiz::Seat) {
    let chat = service.private(Who::Ben);
    service.ask(chat, Who::Ben, "quiz", &[("photos", "3")]);
    let chat_ref = kokodoko::chat::ChatRef { platform: S::PLATFORM, id: chat };
    let round = crate::quiz::opened(seat.quiz.store(), &chat_ref).await;
    let played = Played { chat, id: round.id.0, picture: round.message.expect("it has a picture") };
    for question in &round.questions {
        let choice = played.choice(question.number, question.truth);
        service.look(chat, Who::Ben, played.picture, choice).await.expect("buttons");
        service.notice(&service.answer(chat, Who::Ben, played.picture, choice)).await;
    }
    venue.clock.pass(1);
    service.unasked(chat, 3).await;
}

#[tokio::test]
async fn a_code_of_telegram_joins_an_identity_of_discord() {
    a_code_joins::<Telegram, Discord>().await;
}

#[tokio::test]
async fn a_code_of_discord_joins_an_identity_of_telegram() {
    a_code_joins::<Discord, Telegram>().await;
}
