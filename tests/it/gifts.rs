//! Photos that say where they were taken, given as test photos by consent: on both chats and on the page.

use std::path::Path;
use std::sync::Arc;

use kokodoko::chat::etiquette::system_clock;
use kokodoko::chat::gift::{Giving, KEPT, Outcome};
use kokodoko::chat::{Conversation, Lang, Platform, text};
use kokodoko::clock::SystemClock;
use kokodoko::collect::borders::Grounds;
use kokodoko::collect::gifts::{Gifts, Placed, known_areas};
use kokodoko::domain::{Coordinate, UserRef};
use kokodoko::front::web::{self, Options};
use kokodoko::front::{discord, telegram};
use kokodoko::store::Store;
use kokodoko::world::tag::with_position;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fake::discord::event::{command, message, person, where_with};
use crate::fake::discord::{Fake, Sent};
use crate::fake::telegram::{AOI, BEN, FakeTelegram};
use crate::support::{self, BLUE, RED, conversation, generous, jpeg, manifest};

const TOWER: Coordinate = Coordinate { lat: 35.658_58, lng: 139.745_43 };

/// A photo whose file says that it was taken in 東京都港区.
fn tagged(colour: [u8; 3]) -> Vec<u8> {
    with_position(&jpeg(colour), TOWER)
}

async fn gifts(folder: &Path) -> Gifts {
    let store = Store::open(&folder.join("kokodoko.sqlite")).await.expect("opens");
    let known = known_areas(&Grounds::default(), &manifest().labels).expect("built in");
    Gifts::new(store, &folder.join("gifts"), known, Arc::new(SystemClock))
}

async fn asking(folder: &Path) -> (Conversation, Gifts) {
    let gifts = gifts(folder).await;
    (conversation(generous()).with_giving(Giving::new(gifts.clone(), system_clock())), gifts)
}

fn thanks(lang: Lang) -> String {
    let at = Coordinate { lat: 35.659, lng: 139.745 };
    let kept = vec![Placed { area: manifest().labels[0].clone(), at }];
    text::gift::thanks(lang, &Outcome { kept, ..Outcome::default() })
}

async fn count(gifts: &Gifts) -> usize {
    let all = gifts.all().await.expect("readable");
    assert!(all.iter().all(|given| given.path.is_file() && given.area == "東京都港区"));
    all.len()
}

/// A bot that runs until it is stopped.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    fn telegram(fake: &FakeTelegram, conversation: Conversation) -> Self {
        let (stop, nothing) = (CancellationToken::new(), mpsc::channel(1).1);
        let task = tokio::spawn(telegram::run(fake.settings(), conversation, nothing, stop.clone()));
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("no panic").expect("a clean end");
    }
}

#[tokio::test]
async fn a_file_on_telegram_is_kept_by_its_senders_word_alone_and_forgotten_at_theirs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (conversation, gifts) = asking(folder.path()).await;
    let fake = FakeTelegram::start().await;
    let bot = Running::telegram(&fake, conversation);
    let chat = fake.private_chat(BEN);
    let document = || json!({ "document": fake.document(tagged(RED), "street.jpg", "image/jpeg") });
    fake.post(chat, BEN, document());
    let sent = fake.take_sent(2).await;
    assert_eq!(
        sent[0].text,
        support::expected_answer(Lang::En, jpeg(RED)).await,
        "the guess is as without the position"
    );
    assert_eq!(sent[1].text, text::gift::ask(Lang::En, &[(&manifest().labels[0], 1)]));
    let question = sent[1].id;
    let (yes, no) = (fake.data(chat, question, "Yes, keep"), fake.data(chat, question, "No"));
    let press = fake.press_data(chat, AOI, question, &yes);
    assert_eq!(fake.answer_to(&press).await, text::gift::not_theirs(Lang::Ja));
    assert_eq!(count(&gifts).await, 0);
    let press = fake.press_data(chat, BEN, question, &yes);
    fake.deliver_again(&press, chat, BEN, question, &yes);
    fake.stands(chat, question, |stands| stands["text"] == json!(thanks(Lang::En))).await;
    assert_eq!(count(&gifts).await, 1);
    let late = fake.press_data(chat, BEN, question, &no);
    assert_eq!(fake.answer_to(&late).await, text::gift::gone(Lang::En, KEPT));

    // A question does not outlive the program; what was given does, and goes with `/forget`.
    fake.post(chat, BEN, json!({ "document": fake.document(tagged(BLUE), "b.jpg", "image/jpeg") }));
    let waiting = fake.take_sent(2).await.remove(1).id;
    let yes = fake.data(chat, waiting, "Yes, keep");
    bot.stop().await;
    let (conversation, gifts) = asking(folder.path()).await;
    let bot = Running::telegram(&fake, conversation);
    let press = fake.press_data(chat, BEN, waiting, &yes);
    assert_eq!(fake.answer_to(&press).await, text::gift::gone(Lang::En, KEPT));
    assert_eq!(count(&gifts).await, 1);
    fake.post(chat, BEN, json!({ "text": "/forget" }));
    assert_eq!(fake.take_sent(1).await[0].text, text::gift::withdrawn(Lang::En, 1));
    assert_eq!(count(&gifts).await, 0);
    bot.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_about_another_persons_photo_on_telegram() {
    let folder = tempfile::tempdir().expect("a folder");
    let (conversation, _) = asking(folder.path()).await;
    let fake = FakeTelegram::start().await;
    let bot = Running::telegram(&fake, conversation);
    let chat = fake.group();
    let document = json!({ "document": fake.document(tagged(RED), "street.jpg", "image/jpeg") });
    let photo = fake.post(chat, AOI, document);
    fake.post(chat, BEN, json!({ "text": "/where", "reply_to_message": fake.message(chat, photo) }));
    let answer = fake.take_sent(1).await.remove(0);
    assert_eq!(answer.text, support::expected_answer(Lang::En, jpeg(RED)).await);
    fake.post(chat, AOI, json!({ "text": "/where", "reply_to_message": fake.message(chat, photo) }));
    let own = fake.take_sent(2).await.remove(1);
    assert_eq!(own.text, text::gift::ask(Lang::Ja, &[(&manifest().labels[0], 1)]));
    bot.stop().await;
}

#[tokio::test]
async fn an_attachment_on_discord_is_kept_and_taken_back_with_buttons() {
    const HANA: u64 = 40;
    let folder = tempfile::tempdir().expect("a folder");
    let (conversation, gifts) = asking(folder.path()).await;
    let fake = Fake::start().await;
    fake.add_server(30, "ja");
    let (stop, (_post, nothing)) = (CancellationToken::new(), mpsc::channel(1));
    let bot = tokio::spawn(discord::run(fake.settings(), conversation, nothing, stop.clone()));
    fake.identified(1).await;
    let ask = |file: &Value| {
        let event = command(fake.id(), HANA, "ja", &where_with(file));
        fake.dispatch("INTERACTION_CREATE", &event);
    };
    ask(&fake.upload("a.jpg", "image/jpeg", &tagged(RED)));
    let question = fake.sent(2).await[1].message;
    let press = |user: u64, label: &str| {
        let (_, event) = fake.pressing(user, question, label);
        fake.dispatch("INTERACTION_CREATE", &event);
    };
    press(HANA + 1, "保存してよい");
    fake.find_sent("a whisper", |sent| sent.iter().find(|s| s.content == text::gift::not_theirs(Lang::En)).map(|_| ()))
        .await;
    assert_eq!(count(&gifts).await, 0);
    press(HANA, "保存してよい");
    fake.stands(question, |shown| shown.content.contains("I keep it as a test photo")).await;
    assert_eq!(count(&gifts).await, 1);
    press(HANA, "Take it back");
    fake.stands(question, |shown| shown.content == text::gift::withdrawn(Lang::En, 1)).await;
    assert_eq!(count(&gifts).await, 0);

    // A message of one's own, and a no.
    let files = json!([fake.upload("b.jpg", "image/jpeg", &tagged(BLUE))]);
    let mut mine = message(fake.id(), 20, &person(HANA));
    mine["guild_id"] = Value::Null;
    mine["attachments"] = files;
    fake.dispatch("MESSAGE_CREATE", &mine);
    let asked =
        |sent: &[Sent]| sent.iter().find(|sent| sent.content.starts_with("Your photo")).map(|sent| sent.message);
    let question = fake.find_sent("a question", asked).await;
    let (_, event) = fake.pressing(HANA, question, "No");
    fake.dispatch("INTERACTION_CREATE", &event);
    fake.stands(question, |shown| shown.content == text::gift::refused(Lang::En)).await;
    assert_eq!(count(&gifts).await, 0);
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
    fake.finish();
}

#[tokio::test]
async fn the_page_keeps_a_photo_that_is_sent_again_and_deletes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let gifts = gifts(folder.path()).await;
    let giving = Giving::new(gifts.clone(), system_clock());
    let options = Options { giving: Some(giving), ..Options::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}/api/v1", listener.local_addr().expect("bound"));
    let stop = CancellationToken::new();
    let served = tokio::spawn(web::serve(listener, web::router(support::core(), options), stop.clone()));
    let client = reqwest::Client::new();
    let locate = |photo: Vec<u8>| client.post(format!("{base}/locate?top=1")).body(photo).send();
    let told: Value = locate(tagged(RED)).await.expect("answers").json().await.expect("JSON");
    assert_eq!((&told["file_area"], &told["street"]), (&json!("東京都港区"), &json!(true)));
    let plain: Value = locate(jpeg(RED)).await.expect("answers").json().await.expect("JSON");
    assert_eq!((&plain["file_area"], &plain["areas"]), (&Value::Null, &told["areas"]));
    assert_eq!(count(&gifts).await, 0, "to ask is not to keep");

    let give = |photo: Vec<u8>| client.post(format!("{base}/gifts")).header(ACCEPT_LANGUAGE, "en").body(photo).send();
    let refused = give(jpeg(RED)).await.expect("answers");
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let kept = give(tagged(RED)).await.expect("answers");
    let cookie = kept.headers()[SET_COOKIE].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    let kept: Value = kept.json().await.expect("JSON");
    assert_eq!(kept["text"], json!(thanks(Lang::En)));
    assert_eq!(count(&gifts).await, 1);
    let again = give(tagged(RED)).await.expect("answers");
    assert!(again.headers().get(SET_COOKIE).is_none(), "nothing is remembered of who gave nothing new");
    let again: Value = again.json().await.expect("JSON");
    assert_eq!(again["gift"], Value::Null);

    let address = format!("{base}/gifts/{}", kept["gift"].as_str().expect("a key"));
    let others = client.delete(&address).send().await.expect("answers");
    assert_eq!((others.status(), count(&gifts).await), (StatusCode::NOT_FOUND, 1));
    let gone = client.delete(&address).header(COOKIE, &cookie).send().await.expect("answers");
    assert_eq!((gone.status(), count(&gifts).await), (StatusCode::OK, 0));
    assert_eq!(gifts.forget(&UserRef { platform: Platform::Web, id: 1 }).await.expect("works"), 0);
    stop.cancel();
    served.await.expect("no panic").expect("a clean end");
}
