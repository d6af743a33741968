//! Whole rounds: to the end, alone, side by side, over a restart.

use kokodoko::chat::text;
use kokodoko::domain::quiz::State;

use super::both;
use crate::quiz::game::{CHAT_LANG, Game, Played};
use crate::quiz::service::{Service, Who};
use crate::support::keep;

both!(
    three_people_play_nine_photos_to_the_end,
    a_restart_in_the_middle_keeps_answers_and_deadline,
    one_round_a_chat_and_several_chats_at_once,
    who_plays_alone_hears_the_bell_with_the_last_answer,
    large_photos_come_once_in_a_group_and_in_private,
    a_picture_that_is_refused_calls_the_round_off,
    another_round_begins_by_a_button,
);

async fn three_people_play_nine_photos_to_the_end<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "9")]).await;
    let grid = game.service.unasked(chat, 1).await.remove(0);
    assert_eq!(grid.message, played.picture);
    let picture = image::load_from_memory(grid.picture.as_ref().expect("a picture")).expect("readable");
    assert_eq!((picture.width(), picture.height()), (1_200, 1_264));
    assert!(grid.text.contains("封印"), "{}", grid.text);

    // Aoi knows everything, Ben the first three photos, Chie nothing.
    for number in 1..=9 {
        let truth = game.truth(played, number).await;
        let wrong = (truth + 1) % 3;
        game.venue.clock.pass(1);
        for (who, choice) in
            [(Who::Aoi, truth), (Who::Ben, if number <= 3 { truth } else { wrong }), (Who::Chie, wrong)]
        {
            game.counts(played, who, number, choice, number).await;
        }
    }
    // All who joined are done: the bell rings after the last call, long before the deadline.
    game.venue.clock.pass(11);
    let revealed = game.service.unasked(chat, 3).await;
    let outcome = game.outcome(played).await;
    let parts: Vec<(&str, u8, bool, bool)> = outcome
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.right, entry.points > 0, entry.scored))
        .collect();
    assert_eq!(parts, [("Aoi", 9, true, true), ("Ben", 3, true, true), ("Chie", 0, false, true)]);
    let closed = game.service.face(chat, played.picture).expect("it stands");
    assert_eq!((closed.text, closed.buttons.len()), (text::quiz::closed(CHAT_LANG), 0));
    assert!(closed.picture.is_some(), "the photos stay in sight");
    assert_eq!(revealed[1].text, text::quiz::results(CHAT_LANG, &outcome));
    assert_eq!(revealed[2].text, text::quiz::reveal(CHAT_LANG, &outcome));
    let model = format!("モデル colours：9問中{}問正解", outcome.model_right);
    assert!(revealed[1].text.contains(&model), "{} has no {model}", revealed[1].text);
    assert!(revealed[2].text.contains("CC0-1.0"), "whom the photos are owed to: {}", revealed[2].text);

    let board = game.ask(chat, Who::Ben, "leaderboard", &[]).await;
    let versus = game.ask(chat, Who::Aoi, "versus", &[]).await;
    for (name, said) in
        [("grid.jpg", &grid), ("reveal.jpg", &revealed[1]), ("leaderboard.png", &board), ("versus.png", &versus)]
    {
        let platform = S::PLATFORM.name();
        keep(&format!("{platform}-{name}"), said.picture.as_ref().expect("a picture"));
    }
    game.stop().await;
}

async fn a_restart_in_the_middle_keeps_answers_and_deadline<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    let right = game.truth(played, 1).await;
    game.counts(played, Who::Ben, 1, right, 1).await;
    let before = game.seat.round(played.id).await;

    let game = game.restart().await;
    assert_eq!(game.seat.round(played.id).await, before, "deadline and all");
    let right = game.truth(played, 2).await;
    game.counts(played, Who::Ben, 2, right, 2).await;
    game.revealed(played, 1).await;
    let outcome = game.outcome(played).await;
    assert_eq!((outcome.entries[0].answered, outcome.entries[0].right), (2, 2));

    let game = game.restart().await;
    game.ask(chat, Who::Ben, "privacy", &[]).await;
    assert_eq!(game.service.unasked(chat, 3).await.len(), 3, "what was told is not told again");
    game.stop().await;
}

async fn one_round_a_chat_and_several_chats_at_once<S: Service>() {
    let game = Game::<S>::start().await;
    let (one, other) = (game.service.group(0), game.service.group(1));
    let first = game.begin(one, Who::Aoi, "quiz", &[("photos", "3"), ("seconds", "60")]).await;
    let second = game.begin(other, Who::Aoi, "quiz", &[("photos", "1"), ("seconds", "120")]).await;
    let refused = game.ask(one, Who::Ben, "quiz", &[]).await;
    let running = kokodoko::quiz::BeginError::Running(Box::new(game.seat.round(first.id).await));
    assert_eq!(refused.text, text::quiz::begin_error(Who::Ben.lang(), &running));

    game.counts(first, Who::Ben, 1, 0, 1).await;
    game.counts(second, Who::Chie, 1, 0, 1).await;
    // A button of one chat is none of another.
    let borrowed = game.service.make_up(one, Who::Ben, first.picture, &second.choice(1, 1).payload());
    let unknown = text::quiz::refusal(Who::Ben.lang(), kokodoko::domain::quiz::Refusal::Unknown);
    assert_eq!(game.service.notice(&borrowed).await, unknown);

    // The other chat's last call: who joined there is done.
    game.venue.clock.pass(11);
    game.service.unasked(other, 3).await;
    assert_eq!(game.seat.round(first.id).await.state, State::Open, "goes on");
    game.revealed(first, 1).await;
    let answered = async |played: Played| -> Vec<(String, u8)> {
        let entries = game.outcome(played).await.entries;
        entries.into_iter().map(|entry| (entry.name, entry.answered)).collect()
    };
    assert_eq!(answered(first).await, [("Ben".to_owned(), 1)]);
    assert_eq!(answered(second).await, [("Chie".to_owned(), 1)]);
    game.stop().await;
}

async fn who_plays_alone_hears_the_bell_with_the_last_answer<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.private(Who::Ben);
    let played = game.begin(chat, Who::Ben, "quiz", &[("photos", "3")]).await;
    for number in 1..=3 {
        let right = game.truth(played, number).await;
        game.counts(played, Who::Ben, number, right, number).await;
    }
    // An answer in the bell's own millisecond still counts.
    game.venue.clock.pass(1);
    let revealed = game.service.unasked(chat, 3).await;
    let outcome = game.outcome(played).await;
    assert_eq!(revealed[2].text, text::quiz::reveal(Who::Ben.lang(), &outcome));
    assert_eq!((outcome.entries.len(), outcome.entries[0].right), (1, 3));
    game.stop().await;
}

async fn large_photos_come_once_in_a_group_and_in_private<S: Service>() {
    let game = Game::<S>::start().await;
    for (chat, presser) in [(game.service.group(0), Who::Ben), (game.service.private(Who::Aoi), Who::Aoi)] {
        let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "5")]).await;
        let label = text::quiz::album_button(CHAT_LANG);
        game.service.press(chat, presser, played.picture, &label);
        let shown = game.service.pictures(chat, 6).await;
        let photos = game.seat.quiz.photos(&game.seat.round(played.id).await).await.expect("cut");
        assert!(shown[1..].iter().zip(photos.iter()).all(|(shown, photo)| shown == photo), "the pixels of the round");
        let again = game.service.press(chat, presser, played.picture, &label);
        game.service.heard(&again).await;
    }
    let (group, private) = (game.service.group(0), game.service.private(Who::Aoi));
    // A stop has all that was pressed done.
    let game = game.restart().await;
    for chat in [group, private] {
        assert_eq!(game.service.pictures(chat, 6).await.len(), 6, "once is enough");
    }
    game.stop().await;
}

async fn a_picture_that_is_refused_calls_the_round_off<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    game.service.refuse_picture();
    let refused = game.ask(chat, Who::Ben, "quiz", &[("photos", "1")]).await;
    assert_eq!(refused.text, text::quiz::undelivered(Who::Ben.lang()));
    assert_eq!(game.seat.round(1).await.state, State::Cancelled);
    assert!(game.service.unasked(chat, 0).await.is_empty(), "no words without the photos that they are about");
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "1")]).await;
    assert_eq!(played.id, 2, "the chat is free");
    game.stop().await;
}

async fn another_round_begins_by_a_button<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let options = [("photos", "3"), ("seconds", "45"), ("areas", "港区 渋谷区")];
    let played = game.begin(chat, Who::Aoi, "quiz", &options).await;
    let [_, words] = game.revealed(played, 1).await;
    game.service.press(chat, Who::Ben, words.message, &text::quiz::again_button(CHAT_LANG));
    let again = game.running(chat).await;
    let (first, second) = (game.seat.round(played.id).await, game.seat.round(again.id).await);
    assert_eq!((second.areas, second.seconds, second.questions.len()), (first.areas.clone(), 45, 3));
    let starter = game.seat.quiz.store().find(&game.service.user(Who::Ben)).await.expect("readable");
    assert!(starter.is_some() && second.starter == starter, "who pressed may stop it");
    let repeated = second.questions.iter().any(|question| first.questions.iter().any(|q| q.photo == question.photo));
    assert!(!repeated, "no photo comes twice to a chat");
    assert_eq!(game.service.unasked(chat, 4).await[3].message, again.picture);
    game.stop().await;
}
