//! "Shall I keep it?": photos whose file says where they were taken, kept as test photos by their senders' consent.
//!
//! The question waits in memory for a few minutes, the photos with it; without a yes nothing of it is written down. What
//! the file says is read for the question alone, and after the answer: no guess ever sees it.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::etiquette::Clock;
use super::message::{Button, ChatRef, Incoming, PressReply, Pressed, Reply, UserRef};
use super::press::{OfferKey, Press};
use super::quiz::TOKEN_LETTERS;
use super::text::{self, Lang};
use crate::collect::gifts::{GiftError, Gifts, Parcel, Placed};
use crate::domain::Area;
use crate::quiz::chance::Chance;
use crate::store::GiftKept;

/// How long a question waits for its answer.
pub const KEPT: Duration = Duration::from_secs(15 * 60);
/// Most photos that wait, 0.2 MB each.
const MOST: usize = 200;

/// Asks and keeps; clones share the questions.
#[derive(Clone)]
pub struct Giving {
    inner: Arc<Inner>,
}

struct Inner {
    gifts: Gifts,
    clock: Clock,
    waiting: Mutex<VecDeque<Waiting>>,
}

/// A question without an answer.
struct Waiting {
    key: OfferKey,
    since: Instant,
    offer: Arc<Offer>,
    /// Whether a yes is being carried out.
    taken: bool,
}

/// The photos of one message, and whom they are from.
struct Offer {
    chat: ChatRef,
    user: UserRef,
    parcels: Vec<Parcel>,
}

/// What a press finds.
enum Found {
    Offer(Arc<Offer>),
    /// It is another person's.
    NotTheirs,
    /// Their yes is being carried out.
    Taken,
    Gone,
}

/// What became of the photos of a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Where the photos that are kept now were taken.
    pub kept: Vec<Placed>,
    /// Photos that were given before.
    pub known: usize,
    /// Photos beyond what is kept of one person.
    pub too_many: usize,
}

impl Giving {
    /// Asks about what `gifts` can keep.
    #[must_use]
    pub fn new(gifts: Gifts, clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { gifts, clock, waiting: Mutex::new(VecDeque::new()) }) }
    }

    /// Where a photo's file says that it was taken, if that is an area that is asked about.
    #[must_use]
    pub fn look(&self, file: &[u8]) -> Option<Placed> {
        self.inner.gifts.look(file)
    }

    /// The question to the sender of these photos; `None` without any.
    pub(super) fn ask(&self, incoming: &Incoming, parcels: Vec<Parcel>) -> Option<Reply> {
        if parcels.is_empty() {
            return None;
        }
        let lang = incoming.lang;
        let text = text::gift::ask(lang, &areas(parcels.iter().map(|parcel| &parcel.placed)));
        let offer = Offer { chat: incoming.chat.clone(), user: incoming.user.clone(), parcels };
        let key = self.wait(offer);
        let button = |label: String, keep: bool| Button { label, press: Press::Give { offer: key, keep } };
        let buttons = vec![vec![button(text::gift::yes(lang), true), button(text::gift::no(lang), false)]];
        Some(Reply { text, buttons, ..Reply::default() })
    }

    /// The answer to a question, or a gift that is taken back.
    pub(super) async fn press(&self, pressed: &Pressed) -> PressReply {
        let answered = match pressed.press {
            Press::Give { offer, keep: true } => self.yes(pressed, offer).await,
            Press::Give { offer, keep: false } => Ok(self.no(pressed, offer)),
            Press::TakeBack { offer } => self.take_back(pressed, offer).await,
            _ => return PressReply::default(),
        };
        answered.unwrap_or_else(|error| {
            tracing::error!(%error, "a gift could not be kept or given back");
            notice(text::gift::failed(pressed.lang))
        })
    }

    /// Keeps photos of somebody who has just said yes.
    ///
    /// # Errors
    /// See [`GiftError`]; the photos before the one that failed are kept.
    pub async fn keep(&self, who: &UserRef, offer: OfferKey, parcels: &[Parcel]) -> Result<Outcome, GiftError> {
        let mut outcome = Outcome::default();
        for parcel in parcels {
            match self.inner.gifts.keep(who, offer.number(), parcel).await? {
                GiftKept::New => outcome.kept.push(parcel.placed.clone()),
                GiftKept::Known => outcome.known += 1,
                GiftKept::Enough => outcome.too_many += 1,
            }
        }
        Ok(outcome)
    }

    /// Gives back what was given in answer to one question; how many photos.
    ///
    /// # Errors
    /// See [`GiftError`].
    pub async fn withdraw(&self, who: &UserRef, offer: OfferKey) -> Result<usize, GiftError> {
        self.inner.gifts.withdraw(who, offer.number()).await
    }

    /// Gives back everything that somebody gave, and forgets what they were asked; how many photos.
    ///
    /// # Errors
    /// See [`GiftError`].
    pub async fn forget(&self, who: &UserRef) -> Result<usize, GiftError> {
        self.waiting(|waiting| waiting.retain(|question| question.offer.user != *who));
        self.inner.gifts.forget(who).await
    }

    /// A key for a question that is answered at once.
    #[must_use]
    pub fn new_key(&self) -> OfferKey {
        // Random: keys of another run of the program must not lead to photos of this one.
        OfferKey(RandomState::new().hash_one("offer") >> 1)
    }

    /// A token that nobody can guess, for a person of the page who gives their first photo: 130 bits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token(&self) -> Result<String, GiftError> {
        let secret = self.inner.gifts.store().secret().await?;
        // The key differs each time; the secret makes it unforeseeable.
        let moment = format!("{:x}/{:?}", self.new_key().0, (self.inner.clock)());
        Ok(Chance::new(&secret, "giver", &moment).code(TOKEN_LETTERS))
    }

    async fn yes(&self, pressed: &Pressed, key: OfferKey) -> Result<PressReply, GiftError> {
        let lang = pressed.lang;
        let offer = match self.find(pressed, key, true) {
            Found::Offer(offer) => offer,
            other => return Ok(answer_without(lang, &other)),
        };
        let kept = self.keep(&offer.user, key, &offer.parcels).await;
        match kept {
            Ok(outcome) => {
                self.drop(key);
                Ok(edit(thanks(lang, key, &outcome)))
            }
            Err(error) => {
                // They may try again.
                self.waiting(|waiting| waiting.iter_mut().filter(|w| w.key == key).for_each(|w| w.taken = false));
                Err(error)
            }
        }
    }

    fn no(&self, pressed: &Pressed, key: OfferKey) -> PressReply {
        match self.find(pressed, key, false) {
            Found::Offer(_) => {
                self.drop(key);
                edit(Reply::words(text::gift::refused(pressed.lang)))
            }
            other => answer_without(pressed.lang, &other),
        }
    }

    async fn take_back(&self, pressed: &Pressed, key: OfferKey) -> Result<PressReply, GiftError> {
        let lang = pressed.lang;
        match self.withdraw(&pressed.user, key).await? {
            0 => Ok(notice(text::gift::nothing_back(lang))),
            count => Ok(edit(Reply::words(text::gift::withdrawn(lang, count)))),
        }
    }

    fn wait(&self, offer: Offer) -> OfferKey {
        let (key, since) = (self.new_key(), (self.inner.clock)());
        self.waiting(|waiting| {
            forget_old(waiting, since);
            waiting.push_back(Waiting { key, since, offer: Arc::new(offer), taken: false });
            let mut photos: usize = waiting.iter().map(|question| question.offer.parcels.len()).sum();
            while photos > MOST
                && let Some(oldest) = waiting.pop_front()
            {
                photos -= oldest.offer.parcels.len();
            }
        });
        key
    }

    /// The question of that key, in the chat where it was asked; `taking` it lets no second press have it.
    fn find(&self, pressed: &Pressed, key: OfferKey, taking: bool) -> Found {
        let now = (self.inner.clock)();
        self.waiting(|waiting| {
            forget_old(waiting, now);
            let found = waiting.iter_mut().find(|question| question.key == key && question.offer.chat == pressed.chat);
            match found {
                None => Found::Gone,
                Some(question) if question.offer.user != pressed.user => Found::NotTheirs,
                Some(question) if question.taken => Found::Taken,
                Some(question) => {
                    question.taken = taking;
                    Found::Offer(question.offer.clone())
                }
            }
        })
    }

    fn drop(&self, key: OfferKey) {
        self.waiting(|waiting| waiting.retain(|question| question.key != key));
    }

    fn waiting<T>(&self, work: impl FnOnce(&mut VecDeque<Waiting>) -> T) -> T {
        work(&mut self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn forget_old(waiting: &mut VecDeque<Waiting>, now: Instant) {
    waiting.retain(|question| question.taken || now.saturating_duration_since(question.since) < KEPT);
}

fn notice(notice: String) -> PressReply {
    PressReply { notice, ..PressReply::default() }
}

fn edit(face: Reply) -> PressReply {
    PressReply { edit: Some(face), ..PressReply::default() }
}

fn answer_without(lang: Lang, found: &Found) -> PressReply {
    match found {
        Found::NotTheirs => notice(text::gift::not_theirs(lang)),
        // The first press says what comes of it.
        Found::Taken | Found::Offer(_) => PressReply::default(),
        Found::Gone => notice(text::gift::gone(lang, KEPT)),
    }
}

/// What is said to a yes, with a button that takes it back.
fn thanks(lang: Lang, key: OfferKey, outcome: &Outcome) -> Reply {
    let text = text::gift::thanks(lang, outcome);
    let back = Button { label: text::gift::take_back(lang), press: Press::TakeBack { offer: key } };
    let buttons = if outcome.kept.is_empty() { Vec::new() } else { vec![vec![back]] };
    Reply { text, buttons, ..Reply::default() }
}

/// Each area with its number of photos, in the order in which they come.
pub(super) fn areas<'a>(placed: impl Iterator<Item = &'a Placed>) -> Vec<(&'a Area, usize)> {
    let mut counted: Vec<(&Area, usize)> = Vec::new();
    for Placed { area, .. } in placed {
        match counted.iter_mut().find(|(known, _)| *known == area) {
            Some((_, count)) => *count += 1,
            None => counted.push((area, 1)),
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::chat::etiquette::Limits;
    use crate::chat::message::{Attachment, ChatKind, Platform, Request, Role};
    use crate::chat::{Conversation, sample};
    use crate::clock::SystemClock;
    use crate::collect::borders::Grounds;
    use crate::collect::gifts::known_areas;
    use crate::domain::Coordinate;
    use crate::infer::Options;
    use crate::store::Store;
    use crate::world::tag::with_position;

    const TOWER: Coordinate = Coordinate { lat: 35.658_58, lng: 139.745_43 };
    const RED: [u8; 3] = [255, 0, 0];

    struct Bench {
        conversation: Conversation,
        giving: Giving,
        folder: tempfile::TempDir,
        passed: Arc<AtomicU64>,
    }

    /// A conversation over a folder; the clock is moved by seconds.
    async fn open(folder: tempfile::TempDir) -> Bench {
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        let known = known_areas(&Grounds::default(), &sample::areas()).expect("built in");
        let gifts = Gifts::new(store, &folder.path().join("gifts"), known, Arc::new(SystemClock));
        let (start, passed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let seconds = passed.clone();
        let clock: Clock = Arc::new(move || start + Duration::from_secs(seconds.load(Ordering::Relaxed)));
        let giving = Giving::new(gifts, clock.clone());
        let core = sample::core(&Options::default());
        let conversation = Conversation::new(core, Limits::default(), clock).with_giving(giving.clone());
        Bench { conversation, giving, folder, passed }
    }

    async fn bench() -> Bench {
        open(tempfile::tempdir().expect("a folder")).await
    }

    impl Bench {
        /// Sends photos whose files say where they were taken.
        async fn send(&self, lang: Lang, photos: Vec<Vec<u8>>, is_own: bool) -> Vec<Reply> {
            let attachment = Attachment { handle: "x".to_owned(), bytes: None, is_own };
            let attachments = vec![attachment; photos.len()];
            let incoming = Incoming { attachments, ..sample::incoming(lang, Request::Photos) };
            self.conversation.respond(&incoming, photos.into_iter().map(Ok).collect()).await
        }

        async fn ask(&self) -> Reply {
            self.send(Lang::En, vec![tagged(RED)], true).await.pop().expect("a question")
        }

        async fn press(&self, user: i64, press: Press) -> PressReply {
            let incoming = sample::incoming(Lang::En, Request::Words);
            let user = UserRef { id: user, ..incoming.user.clone() };
            let (chat, name) = (incoming.chat, "Aoi".to_owned());
            let kind = ChatKind::Group;
            let pressed = Pressed { chat, kind, thread: None, user, name, lang: Lang::En, present: true, press };
            self.conversation.press(&pressed).await
        }

        async fn kept(&self) -> usize {
            let all = self.giving.inner.gifts.all().await.expect("readable");
            assert!(all.iter().all(|given| given.path.is_file()));
            all.len()
        }

        fn files(&self) -> usize {
            walk(&self.folder.path().join("gifts"))
        }
    }

    fn walk(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("readable").path());
        entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
    }

    fn tagged(colour: [u8; 3]) -> Vec<u8> {
        with_position(&sample::jpeg(colour), TOWER)
    }

    fn asker() -> i64 {
        sample::incoming(Lang::En, Request::Words).user.id
    }

    fn buttons(reply: &Reply) -> Vec<Press> {
        reply.buttons.iter().flatten().map(|button| button.press).collect()
    }

    #[tokio::test]
    async fn a_yes_keeps_the_photo_without_what_its_file_said_and_it_can_be_taken_back() {
        let bench = bench().await;
        let asked = bench.ask().await;
        assert!(asked.text.contains("Minato, Tokyo") && asked.picture.is_none(), "{asked:?}");
        assert_eq!(bench.files(), 0, "nothing is written without a yes");
        let [yes, _] = buttons(&asked)[..] else { panic!("{asked:?}") };
        let thanks = bench.press(asker(), yes).await.edit.expect("another face");
        assert!(thanks.text.contains("near 35.659, 139.745"), "{}", thanks.text);
        assert_eq!((bench.kept().await, bench.files()), (1, 1));
        let given = bench.giving.inner.gifts.all().await.unwrap().remove(0);
        let file = std::fs::read(&given.path).unwrap();
        assert!(!file.windows(4).any(|part| part == b"Exif"), "the file is made anew");
        assert_eq!((given.area.as_str(), given.at), ("東京都港区", Coordinate { lat: 35.659, lng: 139.745 }));
        let [back] = buttons(&thanks)[..] else { panic!("{thanks:?}") };
        let other = bench.press(asker() + 1, back).await;
        assert_eq!(other.notice, text::gift::nothing_back(Lang::En));
        let gone = bench.press(asker(), back).await.edit.expect("another face");
        assert_eq!((gone.text, bench.kept().await, bench.files()), (text::gift::withdrawn(Lang::En, 1), 0, 0));
    }

    #[tokio::test]
    async fn a_no_and_no_answer_keep_nothing() {
        let bench = bench().await;
        let [_, no] = buttons(&bench.ask().await)[..] else { panic!() };
        let refused = bench.press(asker(), no).await.edit.expect("another face");
        assert_eq!((refused.text.as_str(), refused.buttons.len()), (text::gift::refused(Lang::En).as_str(), 0));
        let [yes, no] = buttons(&bench.ask().await)[..] else { panic!() };
        bench.passed.store(KEPT.as_secs(), Ordering::Relaxed);
        for press in [yes, no] {
            assert_eq!(bench.press(asker(), press).await.notice, text::gift::gone(Lang::En, KEPT));
        }
        assert!(bench.giving.inner.waiting.lock().unwrap().is_empty(), "and it takes no memory");
        assert_eq!((bench.kept().await, bench.files()), (0, 0));
    }

    #[tokio::test]
    async fn nobody_else_decides_and_two_presses_are_one() {
        let bench = bench().await;
        let [yes, no] = buttons(&bench.ask().await)[..] else { panic!() };
        for press in [yes, no] {
            assert_eq!(bench.press(asker() + 1, press).await.notice, text::gift::not_theirs(Lang::En));
        }
        let (first, second) = tokio::join!(bench.press(asker(), yes), bench.press(asker(), yes));
        let faces = [&first, &second].iter().filter(|reply| reply.edit.is_some()).count();
        assert_eq!((faces, bench.kept().await), (1, 1), "{first:?} {second:?}");
    }

    #[tokio::test]
    async fn photos_of_others_and_of_unknown_places_are_not_asked_about() {
        let bench = bench().await;
        let paris = with_position(&sample::jpeg(RED), Coordinate { lat: 48.858, lng: 2.294 });
        for (photos, is_own) in [(vec![tagged(RED)], false), (vec![sample::jpeg(RED)], true), (vec![paris], true)] {
            let replies = bench.send(Lang::En, photos, is_own).await;
            assert_eq!(replies.len(), 1, "{replies:?}");
        }
        assert!(bench.giving.inner.waiting.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_album_is_one_question_and_what_is_known_is_said_kindly() {
        let bench = bench().await;
        let photos = vec![tagged(RED), sample::jpeg([0, 0, 255]), tagged([200, 0, 0])];
        let mut replies = bench.send(Lang::Ja, photos, true).await;
        assert_eq!(replies.len(), 4);
        let asked = replies.pop().unwrap();
        assert!(asked.text.contains("港区（2枚）"), "{}", asked.text);
        bench.press(asker(), buttons(&asked)[0]).await;
        assert_eq!(bench.kept().await, 2);
        let again = bench.press(asker(), buttons(&bench.ask().await)[0]).await.edit.expect("another face");
        let known = Outcome { known: 1, ..Outcome::default() };
        assert_eq!((again.text, again.buttons.len()), (text::gift::thanks(Lang::En, &known), 0));
    }

    #[tokio::test]
    async fn what_the_file_says_never_reaches_the_answer() {
        let core = sample::core(&Options::default());
        for colour in [RED, [0, 0, 255], [90; 3]] {
            let plain = core.locate(sample::jpeg(colour)).await.unwrap();
            let tagged = core.locate(tagged(colour)).await.unwrap();
            assert_eq!((plain.prediction, plain.logits), (tagged.prediction, tagged.logits));
        }
    }

    #[tokio::test]
    async fn after_a_restart_questions_are_gone_and_gifts_can_be_taken_back() {
        let bench = bench().await;
        let [yes, _] = buttons(&bench.ask().await)[..] else { panic!() };
        let kept = bench.ask().await;
        let thanks = bench.press(asker(), buttons(&kept)[0]).await.edit.expect("another face");
        let bench = open(bench.folder).await;
        assert_eq!(bench.press(asker(), yes).await.notice, text::gift::gone(Lang::En, KEPT));
        assert!(bench.press(asker(), buttons(&thanks)[0]).await.edit.is_some());
        assert_eq!(bench.files(), 0);
    }

    #[tokio::test]
    async fn forget_deletes_gifts_and_questions_without_a_quiz_too() {
        let bench = bench().await;
        let asked = bench.ask().await;
        bench.press(asker(), buttons(&asked)[0]).await;
        let waiting = bench.send(Lang::En, vec![tagged([180, 0, 0])], true).await.pop().unwrap();
        let forget = sample::incoming(Lang::En, Request::Command(crate::chat::command::Command::Forget));
        assert_eq!((forget.user.platform, forget.role), (Platform::Telegram, Role::Member));
        let replies = bench.conversation.respond(&forget, Vec::new()).await;
        assert_eq!(replies, [Reply::words(text::gift::withdrawn(Lang::En, 1))]);
        assert_eq!((bench.kept().await, bench.files()), (0, 0));
        let late = bench.press(asker(), buttons(&waiting)[0]).await;
        assert_eq!(late.notice, text::gift::gone(Lang::En, KEPT));
        let again = bench.conversation.respond(&forget, Vec::new()).await;
        assert_eq!(again, [Reply::words(text::quiz::forgotten(Lang::En, false))]);
    }

    #[tokio::test]
    async fn the_oldest_questions_make_room() {
        let bench = bench().await;
        let [yes, _] = buttons(&bench.ask().await)[..] else { panic!() };
        let incoming = sample::incoming(Lang::En, Request::Photos);
        let parcel = bench.giving.inner.waiting.lock().unwrap()[0].offer.parcels[0].clone();
        for _ in 0..MOST / 10 {
            bench.giving.ask(&incoming, vec![parcel.clone(); 10]);
        }
        let photos = |waiting: &VecDeque<Waiting>| waiting.iter().map(|w| w.offer.parcels.len()).sum::<usize>();
        assert_eq!(photos(&bench.giving.inner.waiting.lock().unwrap()), MOST);
        assert_eq!(bench.press(asker(), yes).await.notice, text::gift::gone(Lang::En, KEPT));
    }
}
