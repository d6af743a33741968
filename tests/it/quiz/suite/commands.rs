//! The commands around a round.

use kokodoko::chat::press::{Period, Scope};
use kokodoko::chat::{UserRef, text};
use kokodoko::domain::quiz::{Kind, RoundId, State};
use kokodoko::quiz::BeginError;

use super::both;
use crate::quiz::game::{CHAT_LANG, Game, photos};
use crate::quiz::service::{Service, Who};

both!(
    a_round_is_stopped_by_its_starter_or_an_administrator_alone,
    the_round_of_the_day_is_the_same_everywhere_and_comes_once,
    another_chat_plays_the_photos_behind_a_code,
    leaderboards_have_pages,
    scores_and_duels_are_those_of_the_database,
    what_cannot_be_begun_says_why,
);

async fn a_round_is_stopped_by_its_starter_or_an_administrator_alone<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let first = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    game.counts(first, Who::Ben, 1, 0, 1).await;
    assert_eq!(game.ask(chat, Who::Ben, "stop", &[]).await.text, text::quiz::not_yours(Who::Ben.lang()));
    game.service.appoint(chat, Who::Chie);
    assert_eq!(game.ask(chat, Who::Chie, "stop", &[]).await.text, text::quiz::stopped(Who::Chie.lang()));
    let face = game.service.face(chat, first.picture).expect("it stands");
    assert_eq!((face.text, face.buttons.len()), (text::quiz::stopped(CHAT_LANG), 0));
    let called_off = text::quiz::refusal(Who::Ben.lang(), kokodoko::domain::quiz::Refusal::CalledOff);
    let again = game.service.answer(chat, Who::Ben, first.picture, first.choice(2, 0));
    assert_eq!(game.service.notice(&again).await, called_off);

    let second = game.begin(chat, Who::Ben, "quiz", &[("photos", "1")]).await;
    assert_eq!(game.ask(chat, Who::Ben, "stop", &[]).await.text, text::quiz::stopped(Who::Ben.lang()));
    let nothing = game.ask(chat, Who::Ben, "stop", &[]).await;
    assert_eq!(nothing.text, text::quiz::nothing_to_stop(Who::Ben.lang()));
    for played in [first, second] {
        assert_eq!(game.seat.round(played.id).await.state, State::Cancelled);
        assert_eq!(game.sums(played).await, (0, 0, 0), "no points");
    }
    game.venue.clock.pass(601);
    game.ask(chat, Who::Ben, "privacy", &[]).await;
    assert_eq!(game.service.unasked(chat, 2).await.len(), 2, "two pictures and no reveal");
    game.stop().await;
}

async fn the_round_of_the_day_is_the_same_everywhere_and_comes_once<S: Service>() {
    let game = Game::<S>::start().await;
    let (one, other) = (game.service.group(0), game.service.group(1));
    let first = game.begin(one, Who::Aoi, "daily", &[]).await;
    let second = game.begin(other, Who::Aoi, "daily", &[]).await;
    let rounds = [game.seat.round(first.id).await, game.seat.round(second.id).await];
    assert_eq!(photos(&rounds[0]), photos(&rounds[1]));
    assert_eq!(rounds.each_ref().map(|round| (round.kind, round.questions.len())), [(Kind::Daily, 9); 2]);
    let pictures = [game.service.unasked(one, 1).await, game.service.unasked(other, 1).await];
    assert_ne!(pictures[0][0].picture, pictures[1][0].picture, "cut anew");
    for played in [first, second] {
        game.counts(played, Who::Ben, 1, 0, 1).await;
    }
    game.revealed(first, 1).await;
    game.service.unasked(other, 3).await;
    let scored = [game.outcome(first).await, game.outcome(second).await].map(|outcome| outcome.entries[0].scored);
    assert_eq!(scored.iter().filter(|scored| **scored).count(), 1, "photos count once for a person");
    let refused = game.ask(one, Who::Ben, "daily", &[]).await;
    assert_eq!(refused.text, text::quiz::begin_error(Who::Ben.lang(), &BeginError::DailyPlayed));
    game.venue.clock.pass(86_400);
    let tomorrow = game.begin(one, Who::Aoi, "daily", &[]).await;
    assert_ne!(photos(&game.seat.round(tomorrow.id).await), photos(&rounds[0]));
    game.stop().await;
}

async fn another_chat_plays_the_photos_behind_a_code<S: Service>() {
    let game = Game::<S>::start().await;
    let (one, other) = (game.service.group(0), game.service.group(1));
    let first = game.begin(one, Who::Aoi, "quiz", &[("photos", "5")]).await;
    let [_, words] = game.revealed(first, 1).await;
    let played = game.seat.round(first.id).await;
    let invitation = format!("/rematch {}", played.code);
    assert!(words.text.contains(&invitation), "{} has no {invitation}", words.text);
    let again = game.begin(other, Who::Ben, "rematch", &[("code", &played.code.to_lowercase())]).await;
    let rematch = game.seat.round(again.id).await;
    assert_eq!((rematch.kind, photos(&rematch), &rematch.code), (Kind::Rematch, photos(&played), &played.code));
    assert_ne!(rematch.cut_seed, played.cut_seed);
    let unknown = game.ask(one, Who::Ben, "rematch", &[("code", "ZZZZZZ")]).await;
    assert_eq!(unknown.text, text::quiz::begin_error(Who::Ben.lang(), &BeginError::UnknownCode));
    let how = game.ask(one, Who::Ben, "rematch", &[]).await;
    assert_eq!(how.text, text::quiz::rematch_how(Who::Ben.lang(), Some(&played.code)));
    game.stop().await;
}

async fn leaderboards_have_pages<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "5")]).await;
    let (quiz, store) = (&game.seat.quiz, game.seat.quiz.store());
    for id in 500..512 {
        let user = UserRef { platform: S::PLATFORM, id };
        let player = store.person(&user, &format!("P{id}"), "UTC", quiz.clock().now()).await.expect("stored");
        for number in 1..=5 {
            let answer = quiz.answer(RoundId(played.id), number, 0, player, true).await;
            answer.expect("stored").expect("counts");
        }
    }
    // Four answers are one too few to be ranked.
    for number in 1..=4 {
        game.counts(played, Who::Ben, number, 0, number).await;
    }
    game.revealed(played, 1).await;
    let first = game.ask(chat, Who::Aoi, "leaderboard", &[("scope", "chat"), ("period", "week")]).await;
    let lang = Who::Aoi.lang();
    let title = |lang| {
        let (title, time) = text::quiz::board_title(lang, Scope::Chat, Period::Week);
        format!("{title} · {time}")
    };
    assert_eq!(first.text, title(lang));
    let shown = game.service.face(chat, first.message).expect("it stands");
    assert_eq!(shown.buttons, [text::quiz::board_next(lang)]);
    assert!(first.picture.is_some() && shown.picture == first.picture);

    // Whoever turns the page reads it in their language.
    game.service.press(chat, Who::Ben, first.message, &text::quiz::board_next(lang));
    let back = text::quiz::board_previous(Who::Ben.lang());
    game.service.stands(chat, first.message, |face| face.buttons == [back.clone()]).await;
    let turned = game.service.face(chat, first.message).expect("it stands");
    assert_eq!(turned.text, title(Who::Ben.lang()));
    assert!(turned.picture.is_some() && turned.picture != first.picture, "another page");
    game.service.press(chat, Who::Aoi, first.message, &back);
    game.service.stands(chat, first.message, |face| face.buttons == [text::quiz::board_next(lang)]).await;
    assert_eq!(game.service.face(chat, first.message).and_then(|face| face.picture), first.picture);

    let empty = game.ask(game.service.group(1), Who::Ben, "leaderboard", &[]).await;
    assert!(empty.text.ends_with(&text::quiz::board_empty(Who::Ben.lang())), "{}", empty.text);
    game.stop().await;
}

async fn scores_and_duels_are_those_of_the_database<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    for command in ["score", "versus"] {
        let none = game.ask(chat, Who::Ben, command, &[]).await;
        assert_eq!(none.text, text::quiz::score_none(Who::Ben.lang()), "{command}");
    }
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "5")]).await;
    for number in 1..=5 {
        let right = game.truth(played, number).await;
        game.counts(played, Who::Ben, number, if number < 5 { right } else { (right + 1) % 3 }, number).await;
    }
    game.venue.clock.pass(11);
    game.service.unasked(chat, 3).await;
    let store = game.seat.quiz.store();
    let ben = store.find(&game.service.user(Who::Ben)).await.expect("readable").expect("he played");
    let score = store.score(ben, None).await.expect("readable");
    assert_eq!((score.answers, score.right, score.rank, score.streak.days), (5, 4, Some(1), 1));
    let said = game.ask(chat, Who::Ben, "score", &[]).await;
    assert_eq!(said.text, text::quiz::score(Who::Ben.lang(), "Ben", &score, 1, false));
    let duels = store.duels(ben).await.expect("readable");
    let versus = game.ask(chat, Who::Ben, "versus", &[]).await;
    assert_eq!(versus.text, text::quiz::versus(Who::Ben.lang(), &duels));
    assert!(versus.picture.is_some());
    game.stop().await;
}

async fn what_cannot_be_begun_says_why<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let wish = kokodoko::chat::wish::WishError::Area("大阪市".to_owned());
    let refused = game.ask(chat, Who::Aoi, "quiz", &[("areas", "大阪市")]).await;
    assert_eq!(refused.text, text::quiz::wish_error(CHAT_LANG, &wish, &crate::support::manifest().labels));
    assert!(game.seat.quiz.store().running(&game.chat(chat)).await.expect("readable").is_none());
    game.stop().await;
}
