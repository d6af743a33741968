//! "Why?", "what looks like it?" and "where on the map?": what is behind the buttons under an answer.
//!
//! A button is pressed when the photo is gone; its evidence stays in memory for a few minutes, a small copy of the photo
//! with it. Nothing of it is written down.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::etiquette::Clock;
use super::map::Map;
use super::message::{Button, Buttons, ChatRef, Picture, PressReply, Pressed, Reply};
use super::picture::heat::{HeatWords, heat};
use super::press::{PhotoKey, Press};
use super::similar::Similar;
use super::text::{self, Lang, why::Subject};
use crate::album::Album;
use crate::collect::extents::{Extent, Extents};
use crate::domain::Prediction;
use crate::domain::area::are_cells;
use crate::infer::Located;
use crate::infer::explain::{Explanation, Packed, Question};
use crate::infer::index::kin::{Kin, SecondOpinion};

/// How long an answered photo is remembered.
pub const KEPT: Duration = Duration::from_secs(15 * 60);
/// Most photos that are remembered, 0.2 MB each.
const MOST: usize = 200;
/// Buttons in a row: area names must stay legible.
const ROW: usize = 2;
/// Other areas with a button before more are asked for.
const FEW: usize = 2;
/// Most buttons: the five rows that Discord takes.
const MOST_BUTTONS: usize = 5 * ROW;

/// Answers of the last minutes.
pub(super) struct Reasons {
    clock: Clock,
    album: Album,
    extents: Extents,
    recent: Mutex<Recent>,
}

struct Recent {
    next: u64,
    told: VecDeque<(PhotoKey, Instant, Arc<Told>)>,
}

/// An answer with its evidence.
struct Told {
    chat: ChatRef,
    lang: Lang,
    /// Which photo of how many.
    place: Option<(usize, usize)>,
    prediction: Prediction,
    is_drawn_world: bool,
    /// None where it could not be kept.
    evidence: Option<Packed>,
    /// None where the model has no index.
    kin: Option<Kin>,
    /// What the index says of the answer.
    second: Option<SecondOpinion>,
    /// Where the model's areas lie, by label.
    extents: Arc<Vec<Extent>>,
}

/// What an answer shows first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// What the model is best asked: the heatmap of the best area, or, of a model of cells, the map.
    Usual,
    /// The photos that look like it.
    Similar,
}

/// What a face of an answer shows.
#[derive(Clone, Copy)]
struct View {
    key: PhotoKey,
    shows: Shows,
    /// Whether the less probable areas have buttons too.
    all: bool,
}

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// The heatmap of a label.
    Heat(usize),
    /// Photos that look like it.
    Similar,
    /// The map.
    Map,
}

impl Reasons {
    pub(super) fn new(clock: Clock, album: Album, extents: Extents) -> Self {
        // Keys of another run of the program must not lead to photos of this one.
        let next = RandomState::new().hash_one("first key");
        Self { clock, album, extents, recent: Mutex::new(Recent { next, told: VecDeque::new() }) }
    }

    /// The same with other photos to show, and nothing remembered.
    pub(super) fn with_album(&self, album: Album) -> Self {
        Self::new(self.clock.clone(), album, self.extents.clone())
    }

    /// The same with other borders on maps, and nothing remembered.
    pub(super) fn with_extents(&self, extents: Extents) -> Self {
        Self::new(self.clock.clone(), self.album.clone(), extents)
    }

    /// The answer to a photo of a chat; `place` says which photo of how many it is. It has a picture and buttons, unless
    /// they cannot be drawn.
    pub(super) async fn tell(
        &self,
        chat: ChatRef,
        lang: Lang,
        place: Option<(usize, usize)>,
        located: Located,
        face: Face,
    ) -> Reply {
        let kin = located.kin();
        let Located { prediction, manifest, explanation, index, .. } = located;
        let (asking, asked, extents, of) = (kin.clone(), prediction.clone(), self.extents.clone(), manifest.clone());
        let work = move || {
            let second = asking.and_then(|kin| kin.second_opinion(&asked));
            // From the small copy already: who comes back to this heatmap later sees the same one.
            (explanation.pack(), second, extents.of(&of, index.as_deref()))
        };
        let worked = tokio::task::spawn_blocking(work).await;
        let worked = worked.inspect_err(|error| tracing::error!(%error, "a photo could not be shown")).ok();
        let (evidence, second, extents) = match worked {
            Some((packed, second, extents)) => (Some(packed), second, extents),
            None => (None, None, Arc::default()),
        };
        let shows = match face {
            Face::Usual if are_cells(&manifest.labels) => Shows::Map,
            Face::Usual => Shows::Heat(prediction.best().label),
            Face::Similar => Shows::Similar,
        };
        let is_drawn_world = manifest.provenance.is_drawn_world();
        let told = Arc::new(Told { chat, lang, place, prediction, is_drawn_world, evidence, kin, second, extents });
        let key = self.keep(told.clone());
        let shown = told.draw(shows, &self.album).await;
        told.reply(View { key, shows, all: false }, shown)
    }

    /// Another heatmap of an answer, in the place of the one that is shown.
    pub(super) async fn press(&self, pressed: &Pressed, photo: PhotoKey, label: u16, all: bool) -> PressReply {
        let label = usize::from(label);
        let told = self.find(photo, &pressed.chat);
        let known = told.filter(|told| told.prediction.areas.iter().any(|found| found.label == label));
        match known {
            Some(told) => self.edit(&told, View { key: photo, shows: Shows::Heat(label), all }).await,
            None => gone(pressed.lang),
        }
    }

    /// The look-alikes of an answered photo, in the place of what is shown.
    pub(super) async fn press_similar(&self, pressed: &Pressed, photo: PhotoKey) -> PressReply {
        match self.find(photo, &pressed.chat).filter(|told| told.kin.is_some()) {
            Some(told) => self.edit(&told, View { key: photo, shows: Shows::Similar, all: false }).await,
            None => gone(pressed.lang),
        }
    }

    /// The map of an answered photo, in the place of what is shown.
    pub(super) async fn press_map(&self, pressed: &Pressed, photo: PhotoKey) -> PressReply {
        match self.find(photo, &pressed.chat).filter(|told| told.map().is_some()) {
            Some(told) => self.edit(&told, View { key: photo, shows: Shows::Map, all: false }).await,
            None => gone(pressed.lang),
        }
    }

    async fn edit(&self, told: &Arc<Told>, view: View) -> PressReply {
        let shown = told.draw(view.shows, &self.album).await;
        PressReply { edit: Some(told.reply(view, shown)), ..PressReply::default() }
    }

    fn keep(&self, told: Arc<Told>) -> PhotoKey {
        let now = (self.clock)();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.forget(now);
        let key = PhotoKey(recent.next);
        recent.next = recent.next.wrapping_add(1);
        recent.told.push_back((key, now, told));
        key
    }

    /// Only for those who can see the answer: keys may be made up.
    fn find(&self, photo: PhotoKey, chat: &ChatRef) -> Option<Arc<Told>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.forget((self.clock)());
        let found = recent.told.iter().find(|(key, _, told)| *key == photo && told.chat == *chat);
        found.map(|(_, _, told)| told.clone())
    }
}

impl Recent {
    /// Forgets what is old, and the oldest of what is too much.
    fn forget(&mut self, now: Instant) {
        while let Some((_, since, _)) = self.told.front()
            && (self.told.len() >= MOST || now.saturating_duration_since(*since) >= KEPT)
        {
            self.told.pop_front();
        }
    }
}

fn gone(lang: Lang) -> PressReply {
    PressReply { notice: text::why::gone(lang, KEPT), ..PressReply::default() }
}

/// The heatmap that says why the best area was answered, or, of another area's label, why not that one; a JPEG.
///
/// # Panics
/// When the label is not one of the model's.
#[must_use]
pub fn heatmap(lang: Lang, prediction: &Prediction, explanation: &Explanation, label: usize) -> Vec<u8> {
    let question = Question::about(prediction.best().label, label);
    let title = text::why::question(lang, subject(prediction, label));
    heat(explanation, question, &HeatWords { title, legend: text::why::legend(lang) })
}

fn subject(prediction: &Prediction, label: usize) -> Subject<'_> {
    let best = prediction.best();
    let other = prediction.areas.iter().find(|found| found.label == label && label != best.label);
    Subject { best: &best.area, other: other.map(|found| &found.area) }
}

impl Told {
    fn subject(&self, label: usize) -> Subject<'_> {
        subject(&self.prediction, label)
    }

    /// `shown` is the picture with its words; without one, the words of the answer go out all the same.
    fn reply(&self, view: View, shown: Option<(String, Picture)>) -> Reply {
        let (words, picture) = match shown {
            Some((words, picture)) => (words, Some(picture)),
            None => (self.answer(None), None),
        };
        let buttons = if picture.is_some() { self.buttons(view) } else { Buttons::new() };
        Reply { text: text::placed(self.lang, self.place, words), picture, buttons, ..Reply::default() }
    }

    /// What is said under a heatmap, whose note says how to read it.
    fn answer(&self, note: Option<String>) -> String {
        let doubt = text::similar::doubt(self.lang, &self.prediction, self.second.as_ref());
        let notes: Vec<String> = doubt.into_iter().chain(note).collect();
        let notes = (!notes.is_empty()).then(|| notes.join("\n"));
        text::answer(self.lang, &self.prediction, self.is_drawn_world, notes)
    }

    /// A label's heatmap with its words.
    fn heat(&self, label: usize, bytes: Vec<u8>) -> (String, Picture) {
        let number = self.place.map_or(1, |(number, _)| number);
        let (note, alt) =
            (text::why::note(self.lang, self.subject(label)), text::why::alt(self.lang, self.subject(label)));
        (self.answer(Some(note)), Picture { name: format!("heatmap-{number}.jpg"), bytes, alt })
    }

    /// The look-alikes with their words; `None` where there is nothing to look among.
    fn alike(&self, album: &Album) -> Option<(String, Picture)> {
        let photo = self.evidence.as_ref()?.photo().to_vec();
        let similar = Similar::find(self.kin.as_ref()?, &self.prediction, self.second.clone(), album);
        let number = self.place.map_or(1, |(number, _)| number);
        let picture = similar.shown(self.lang, &self.prediction, photo, number);
        Some((similar.words(self.lang, &self.prediction), picture))
    }

    /// Where the answer lies; `None` where that is not known.
    fn map(&self) -> Option<Map<'_>> {
        Map::of(&self.prediction, &self.extents)
    }

    /// The map with its words.
    fn mapped(&self) -> Option<(String, Picture)> {
        let (map, number) = (self.map()?, self.place.map_or(1, |(number, _)| number));
        Some((self.answer(Some(map.note(self.lang))), map.shown(self.lang, number)))
    }

    /// What is to be shown, drawn on a thread for blocking work. `None` when drawing panics, and of what is no street: what
    /// speaks for an area would mislead.
    async fn draw(self: &Arc<Self>, shows: Shows, album: &Album) -> Option<(String, Picture)> {
        if !self.prediction.is_street {
            return None;
        }
        let (told, album) = (self.clone(), album.clone());
        let work = move || match shows {
            Shows::Heat(label) => {
                let evidence = told.evidence.as_ref()?.open();
                Some(told.heat(label, heatmap(told.lang, &told.prediction, &evidence, label)))
            }
            Shows::Similar => told.alike(&album),
            Shows::Map => told.mapped(),
        };
        let drawn = tokio::task::spawn_blocking(work).await;
        drawn.inspect_err(|error| tracing::error!(%error, "the picture could not be drawn")).ok()?
    }

    /// A button for each other question, the most probable areas first.
    fn buttons(&self, view: View) -> Buttons {
        let areas = &self.prediction.areas;
        let shown = match view.shows {
            Shows::Heat(label) => Some(label),
            Shows::Similar | Shows::Map => None,
        };
        let similar = self.kin.is_some() && view.shows != Shows::Similar;
        let map = view.shows != Shows::Map && self.map().is_some();
        let most = MOST_BUTTONS - usize::from(similar) - usize::from(map);
        let few = if view.all { most + 1 } else { FEW + 1 };
        let press = |label: usize, all: bool| Press::Why { photo: view.key, label: label as u16, all };
        let question = |label: usize| text::why::question(self.lang, self.subject(label));
        let asked = areas.iter().take(few).filter(|found| Some(found.label) != shown).take(most);
        let mut buttons: Vec<Button> =
            asked.map(|found| Button { label: question(found.label), press: press(found.label, view.all) }).collect();
        if !view.all && areas.len() > few {
            let label = shown.unwrap_or(self.prediction.best().label);
            buttons.push(Button { label: text::why::more(self.lang), press: press(label, true) });
        }
        if similar {
            buttons.push(Button { label: text::similar::button(self.lang), press: Press::Similar { photo: view.key } });
        }
        if map {
            buttons.push(Button { label: text::map::button(self.lang), press: Press::Map { photo: view.key } });
        }
        buttons.chunks(ROW).map(<[Button]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;
    use crate::chat::{ChatKind, Platform, UserRef};
    use crate::infer::Options;
    use std::sync::atomic::{AtomicU64, Ordering};

    const CHAT: ChatRef = ChatRef { platform: Platform::Telegram, id: 7 };

    /// A clock that is moved by seconds.
    fn reasons() -> (Reasons, Arc<AtomicU64>) {
        let (start, passed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let seconds = passed.clone();
        let clock: Clock = Arc::new(move || start + Duration::from_secs(seconds.load(Ordering::Relaxed)));
        (Reasons::new(clock, Album::default(), Extents::default()), passed)
    }

    async fn told(reasons: &Reasons, lang: Lang) -> Reply {
        let located = sample::core(&Options::default()).locate(sample::jpeg([255, 60, 0])).await.expect("a photo");
        reasons.tell(CHAT, lang, None, located, Face::Usual).await
    }

    fn pressed(chat: ChatRef, press: Press) -> Pressed {
        let user = UserRef { platform: chat.platform, id: 1 };
        let (name, lang) = ("Aoi".to_owned(), Lang::En);
        Pressed { chat, kind: ChatKind::Group, thread: None, user, name, lang, present: true, press }
    }

    async fn press(reasons: &Reasons, chat: ChatRef, press: Press) -> PressReply {
        let Press::Why { photo, label, all } = press else { panic!("{press:?}") };
        reasons.press(&pressed(chat, press), photo, label, all).await
    }

    fn labels(reply: &Reply) -> Vec<&str> {
        reply.buttons.iter().flatten().map(|button| button.label.as_str()).collect()
    }

    #[tokio::test]
    async fn the_other_areas_have_buttons_and_each_leads_to_its_own_map_and_back() {
        let (reasons, _) = reasons();
        let first = told(&reasons, Lang::Ja).await;
        assert_eq!(labels(&first), ["渋谷区ではない理由は？", "旭川市ではない理由は？", "地図ではどこ？"]);
        let second = press(&reasons, CHAT, first.buttons[0][0].press).await.edit.expect("another face");
        assert_eq!(labels(&second), ["なぜ港区？", "旭川市ではない理由は？", "地図ではどこ？"]);
        assert!(second.text.contains("渋谷区ではなく港区だと判断した手がかり"), "{}", second.text);
        assert_ne!(second.picture, first.picture);
        let back = press(&reasons, CHAT, second.buttons[0][0].press).await.edit.expect("another face");
        assert_eq!(back, first);
    }

    #[tokio::test]
    async fn look_alikes_have_a_button_and_lead_back_and_doubt_is_said() {
        let (reasons, _) = reasons();
        let located = || async { sample::core_with_index().locate(sample::jpeg([255, 0, 0])).await.expect("a photo") };
        let first = reasons.tell(CHAT, Lang::En, Some((2, 3)), located().await, Face::Usual).await;
        assert!(first.text.contains("Most photos that look like it show Shibuya"), "{}", first.text);
        let similar = first.buttons.last().and_then(|row| row.first()).expect("a button").press;
        let Press::Similar { photo } = similar else { panic!("{similar:?}") };
        let shown = reasons.press_similar(&pressed(CHAT, similar), photo).await.edit.expect("another face");
        assert_eq!(shown.picture.as_ref().map(|picture| picture.name.as_str()), Some("similar-2.jpg"));
        assert_eq!(labels(&shown), ["Why Minato?", "Why not Shibuya?", "Why not Asahikawa?", "Where on the map?"]);
        let towns = ["神南一丁目", "松濤一丁目", "四条通"];
        assert!(towns.iter().all(|town| shown.text.contains(town)), "{}", shown.text);
        let direct = reasons.tell(CHAT, Lang::En, Some((2, 3)), located().await, Face::Similar).await;
        assert_eq!((&direct.text, &direct.picture), (&shown.text, &shown.picture));
        let back = press(&reasons, CHAT, shown.buttons[0][0].press).await.edit.expect("another face");
        assert_eq!((back.text, back.picture), (first.text, first.picture));
        let elsewhere = pressed(ChatRef { id: 8, ..CHAT }, similar);
        assert!(reasons.press_similar(&elsewhere, photo).await.edit.is_none());
        let Press::Why { photo, .. } = told(&reasons, Lang::En).await.buttons[0][0].press else { panic!("why") };
        assert!(reasons.press_similar(&pressed(CHAT, similar), photo).await.edit.is_none(), "the model has no index");
    }

    #[tokio::test]
    async fn the_map_has_a_button_and_is_the_first_answer_of_a_model_of_cells() {
        let (reasons, _) = reasons();
        let first = told(&reasons, Lang::En).await;
        let map = first.buttons.last().and_then(|row| row.last()).expect("a button").press;
        let Press::Map { photo } = map else { panic!("{map:?}") };
        let shown = reasons.press_map(&pressed(CHAT, map), photo).await.edit.expect("another face");
        assert_eq!(shown.picture.as_ref().map(|picture| picture.name.as_str()), Some("map-1.png"));
        assert!(shown.text.contains("My guess: 35.6"), "{}", shown.text);
        assert_eq!(labels(&shown), ["Why Minato?", "Why not Shibuya?", "Why not Asahikawa?"]);
        assert!(reasons.press_map(&pressed(ChatRef { id: 8, ..CHAT }, map), photo).await.edit.is_none());

        let located = sample::cells_core().locate(sample::jpeg([255, 0, 0])).await.expect("a photo");
        let first = reasons.tell(CHAT, Lang::Ja, None, located, Face::Usual).await;
        assert_eq!(first.picture.as_ref().map(|picture| picture.name.as_str()), Some("map-1.png"));
        assert!(first.text.starts_with("東京都港区付近だと思います"), "{}", first.text);
        let why = first.buttons[0][0].press;
        let heat = press(&reasons, CHAT, why).await.edit.expect("another face");
        assert_eq!(heat.picture.map(|picture| picture.name).as_deref(), Some("heatmap-1.jpg"));
    }

    #[tokio::test]
    async fn photos_are_forgotten_and_shown_in_their_own_chat_only() {
        let (reasons, passed) = reasons();
        let button = told(&reasons, Lang::En).await.buttons[0][0].press;
        let gone = PressReply { notice: text::why::gone(Lang::En, KEPT), ..PressReply::default() };
        assert_eq!(press(&reasons, ChatRef { id: 8, ..CHAT }, button).await, gone);
        let Press::Why { photo, .. } = button else { panic!("{button:?}") };
        assert_eq!(press(&reasons, CHAT, Press::Why { photo, label: 3, all: false }).await, gone, "no such area");
        passed.store(KEPT.as_secs() - 1, Ordering::Relaxed);
        assert!(press(&reasons, CHAT, button).await.edit.is_some());
        passed.store(KEPT.as_secs(), Ordering::Relaxed);
        assert_eq!(press(&reasons, CHAT, button).await, gone);
        assert!(reasons.recent.lock().unwrap().told.is_empty(), "and it takes no memory");
    }

    #[tokio::test]
    async fn the_oldest_make_room() {
        let (reasons, _) = reasons();
        let first = told(&reasons, Lang::En).await.buttons[0][0].press;
        let kept = reasons.find(
            match first {
                Press::Why { photo, .. } => photo,
                _ => unreachable!(),
            },
            &CHAT,
        );
        let kept = kept.expect("just told");
        for _ in 0..MOST {
            reasons.keep(kept.clone());
        }
        assert_eq!(reasons.recent.lock().unwrap().told.len(), MOST);
        assert!(press(&reasons, CHAT, first).await.edit.is_none());
    }

    #[test]
    fn every_area_is_asked_for_in_the_end() {
        let areas: Vec<_> = (0..30).map(|index| crate::domain::Area::new("県", &format!("{index}市"), "")).collect();
        let logits: Vec<f32> = (0..30).map(|index| -(index as f32)).collect();
        let prediction = Prediction::from_logits(&logits, &areas, 1.0, 0.1);
        let told = Told {
            chat: CHAT,
            lang: Lang::Ja,
            place: None,
            prediction,
            is_drawn_world: true,
            evidence: None,
            kin: None,
            second: None,
            extents: Arc::default(),
        };
        let view = |label: Option<usize>, all: bool| View {
            key: PhotoKey(1),
            shows: label.map_or(Shows::Similar, Shows::Heat),
            all,
        };
        let rows = |told: &Told, view: View| told.buttons(view).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(rows(&told, view(Some(0), false)), [2, 1]);
        // Discord takes five rows.
        assert_eq!(rows(&told, view(Some(0), true)), [2; 5]);
        let with_index = Told { kin: sample::kin(), ..told };
        assert_eq!(rows(&with_index, view(Some(0), false)), [2, 2]);
        assert_eq!(rows(&with_index, view(Some(0), true)), [2; 5]);
        assert_eq!(with_index.buttons(view(Some(0), true))[4][1].press, Press::Similar { photo: PhotoKey(1) });
        assert_eq!(rows(&with_index, view(None, false)), [2, 2], "the look-alikes lead back");
        assert_eq!(with_index.buttons(view(None, false))[0][0].label, "なぜ0市？");
    }
}
