//! Messages that change: words, captions, pictures.

use image::{DynamicImage, ImageFormat, RgbImage};
use kokodoko::chat::message::{Announcement, Canvas, Notice, Picture, Reply, Undelivered};
use kokodoko::chat::{ChatRef, Platform};
use kokodoko::front::telegram::{Mode, run};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::settings;
use crate::fake::telegram::{Failure, FakeTelegram};
use crate::support::{conversation, generous};

fn picture() -> Picture {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(40, 30)).write_to(&mut bytes, ImageFormat::Png).expect("memory takes it");
    Picture { name: "curve.png".to_owned(), bytes: bytes.into_inner(), alt: "a curve".to_owned() }
}

/// Announces, and waits for what became of it.
async fn announce(to: &mpsc::Sender<Announcement>, chat: i64, what: Notice) -> Result<i64, Undelivered> {
    let (done, told) = oneshot::channel();
    let to_chat = ChatRef { platform: Platform::Telegram, id: chat };
    to.send(Announcement { to: to_chat, thread: None, what, done }).await.expect("the bot runs");
    told.await.expect("an outcome")
}

fn edit(message: i64, text: &str, picture: Canvas) -> Notice {
    Notice::Edit { message, text: text.to_owned(), buttons: Vec::new(), picture }
}

#[tokio::test]
async fn words_captions_and_pictures_are_edited_in_their_place() {
    let fake = FakeTelegram::start().await;
    let chat = fake.group();
    let (news, inbox) = mpsc::channel(4);
    let stop = CancellationToken::new();
    let bot = tokio::spawn(run(settings(&fake, Mode::Polling), conversation(generous()), inbox, stop.clone()));

    let words = announce(&news, chat, Notice::Send(Reply::words("10 %".to_owned()))).await.expect("sent");
    assert_eq!(announce(&news, chat, edit(words, "20 %", Canvas::None)).await, Ok(words));
    assert_eq!(announce(&news, chat, edit(words, "20 %", Canvas::None)).await, Ok(words), "nothing new is no fault");
    assert_eq!(fake.shown(chat, words)["text"], "20 %");

    let with_picture = Reply::picture("30 %".to_owned(), picture());
    let curve = announce(&news, chat, Notice::Send(with_picture)).await.expect("sent");
    assert_eq!(announce(&news, chat, edit(curve, "40 %", Canvas::Kept)).await, Ok(curve));
    fake.fail_next("editMessageMedia", Failure::TooManyRequests { retry_after: 1 });
    assert_eq!(announce(&news, chat, edit(curve, &"5".repeat(2_000), Canvas::New(picture()))).await, Ok(curve));
    let edits = fake.edits(3).await;
    let gist: Vec<(i64, usize, bool)> =
        edits.iter().map(|edit| (edit.message, edit.text.len(), edit.photo.is_some())).collect();
    assert_eq!(gist, [(words, 4, false), (curve, 4, false), (curve, 1_024, true)]);

    fake.delete(chat, words);
    let gone = announce(&news, chat, edit(words, "60 %", Canvas::None)).await;
    assert!(matches!(gone, Err(Undelivered::Refused(_))), "{gone:?}");
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
}
