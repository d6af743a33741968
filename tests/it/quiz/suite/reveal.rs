//! The reveal comes whatever the service does.

use kokodoko::chat::text;

use super::both;
use crate::quiz::game::{CHAT_LANG, Game};
use crate::quiz::service::{Service, Who};

both!(
    a_deleted_picture_takes_nothing_away_from_the_round,
    rate_limits_in_the_middle_of_the_reveal_are_sat_out,
    a_restart_in_the_middle_of_the_reveal_tells_the_rest,
);

async fn a_deleted_picture_takes_nothing_away_from_the_round<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "3")]).await;
    game.counts(played, Who::Ben, 1, 0, 1).await;
    game.service.delete(chat, played.picture);
    let [picture, words] = game.revealed(played, 1).await;
    let outcome = game.outcome(played).await;
    assert_eq!(outcome.entries[0].answered, 1);
    assert!(picture.picture.is_some());
    assert_eq!(picture.text, text::quiz::results(CHAT_LANG, &outcome));
    assert_eq!(words.text, text::quiz::reveal(CHAT_LANG, &outcome));
    assert!(game.service.face(chat, played.picture).is_none());
    game.stop().await;
}

/// Telegram says how long to wait, and the bot waits. With Discord that is the business of serenity, or of the proxy
/// in front: what gets through all the same costs the reveal a pause.
async fn rate_limits_in_the_middle_of_the_reveal_are_sat_out<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "1")]).await;
    game.service.limit_reveal();
    game.venue.clock.pass(31);
    let said = game.unasked_in_time(chat, 3).await;
    assert_eq!(said.len(), 3, "each once");
    assert!(said[1].picture.is_some() && said[2].picture.is_none());
    assert_eq!(said[1].text.lines().next(), Some("今回は回答がありませんでした。"));
    let closed = game.service.face(chat, played.picture).expect("it stands");
    assert_eq!((closed.text, closed.buttons.len()), (text::quiz::closed(CHAT_LANG), 0));
    let game = game.restart().await;
    game.ask(chat, Who::Ben, "privacy", &[]).await;
    assert_eq!(game.service.unasked(chat, 3).await.len(), 3, "nothing is left to be told");
    game.stop().await;
}

async fn a_restart_in_the_middle_of_the_reveal_tells_the_rest<S: Service>() {
    let game = Game::<S>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "1")]).await;
    game.revealed(played, 1).await;
    let game = game.restart().await;
    // As if the program had ended after the picture of the results, before their words.
    sqlx::query("UPDATE rounds SET told = 2, untold = 1 WHERE id = ?")
        .bind(played.id)
        .execute(game.seat.quiz.store().writer())
        .await
        .expect("written");
    let game = game.restart().await;
    let said = game.service.unasked(chat, 4).await;
    assert_eq!(said.len(), 4);
    assert_eq!(said[3].text, said[2].text, "the words, and they alone");
    game.stop().await;
}
