//! Messages that change: words, captions, pictures.

use std::pin::Pin;
use std::sync::Arc;

use image::{DynamicImage, ImageFormat, RgbImage};
use kokodoko::chat::jobs::{Clerk, Telling};
use kokodoko::chat::message::{Announcement, Canvas, Notice, Picture, Reply, Undelivered};
use kokodoko::chat::{ChatRef, Lang, Platform, Post};
use kokodoko::domain::UserRef;
use kokodoko::domain::job::{Client, Job, JobKind};
use kokodoko::front::telegram::{Mode, run};
use kokodoko::jobs::{Jobs, Progress, Work, WorkError, Worked};
use kokodoko::store::Store;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::settings;
use crate::fake::telegram::{Failure, FakeTelegram};
use crate::support::{ManualClock, conversation, generous};

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

/// Work that comes as far as a test says; at 100 it is done.
struct Puppet(watch::Receiver<u32>);

impl Work for Puppet {
    fn run<'a>(
        &'a self,
        _: &'a Job,
        progress: &'a Progress,
        stop: &'a CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Worked> + Send + 'a>> {
        Box::pin(async move {
            let mut percent = self.0.clone();
            loop {
                let now = *percent.borrow_and_update();
                progress.say(now.to_string());
                if now == 100 {
                    return Ok("{}".to_owned());
                }
                tokio::select! {
                    _ = percent.changed() => {}
                    () = stop.cancelled() => return Err(WorkError::Stopped),
                }
            }
        })
    }
}

/// Says what there is to say in figures.
struct Figures;

impl Telling for Figures {
    fn state(&self, _: Lang, job: &Job, _: usize) -> Reply {
        Reply::words(format!("{} {}", job.state.name(), job.progress.as_deref().unwrap_or("-")))
    }

    fn news(&self, _: Lang, job: &Job) -> Reply {
        Reply::words(format!("news: {}", job.state.name()))
    }
}

#[tokio::test]
async fn a_burst_of_progress_in_one_chat_arrives_as_one_edit() {
    let (fake, folder, stop) =
        (FakeTelegram::start().await, tempfile::tempdir().expect("a folder"), CancellationToken::new());
    let (mut post, clock, (percent, puppet)) = (Post::default(), ManualClock::start(), watch::channel(0));
    let news = post.connect(Platform::Telegram);
    let bot = tokio::spawn(run(settings(&fake, Mode::Polling), conversation(generous()), news, stop.clone()));
    let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
    let works: Vec<(JobKind, Arc<dyn Work>)> = vec![(JobKind::Collect, Arc::new(Puppet(puppet)))];
    let jobs = Jobs::new(store, clock.clone(), works);
    let clerk = Clerk::new(jobs.clone(), post, clock.clone(), Arc::new(Figures));
    let chat = fake.group();
    let inside = tokio::spawn({
        let (jobs, stop) = (jobs.clone(), stop.clone());
        async move { tokio::join!(jobs.run(stop.clone()), clerk.run(stop)) }
    });

    let on_telegram = |id| ChatRef { platform: Platform::Telegram, id };
    let user = UserRef { platform: Platform::Telegram, id: 11 };
    let client = Client { user, chat: on_telegram(chat), thread: None, lang: "en".to_owned() };
    let (job, _) = jobs.ask(JobKind::Collect, "1", &client).await.expect("queued");
    let message = fake.take_sent(1).await.remove(0);
    let reaches = async |said: &str| {
        while jobs.look(job).await.expect("readable").expect("there").progress.as_deref() != Some(said) {
            tokio::task::yield_now().await;
        }
    };
    for now in 1..=99 {
        percent.send_replace(now);
        reaches(&now.to_string()).await;
    }
    clock.pass(3);
    let edits = fake.edits(1).await;
    assert_eq!(
        edits.iter().map(|edit| edit.text.as_str()).collect::<Vec<_>>(),
        ["running 99"],
        "after {}",
        message.text
    );

    percent.send_replace(100);
    while !jobs.look(job).await.expect("readable").expect("there").state.is_over() {
        tokio::task::yield_now().await;
    }
    clock.pass(3);
    assert_eq!(fake.take_sent(1).await[0].text, "news: done");
    let edits: Vec<String> = fake.edits(2).await.into_iter().map(|edit| edit.text).collect();
    assert_eq!(edits, ["running 99", "done 100"]);
    stop.cancel();
    inside.await.expect("no panic");
    bot.await.expect("no panic").expect("a clean end");
}
