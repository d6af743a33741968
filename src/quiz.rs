//! Rounds of "beat the model", whatever chat they are played in: photos drawn, the model's guesses sealed, answers
//! counted, bells rung. Words, pictures and messages are the chat's affair.

pub mod chance;
mod draw;
pub mod pool;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use futures_util::future::try_join_all;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::Notify;

use self::chance::{Chance, tidy_code};
use self::pool::{Pool, PoolPhoto};
use crate::clock::SharedClock;
use crate::domain::quiz::{
    Difficulty, Kind, ModelVersion, PlayerId, Question, Refusal, Round, RoundId, choose_areas, usual_seconds,
};
use crate::domain::{Area, ChatRef, Prediction, score};
use crate::infer::manifest::Manifest;
use crate::infer::{Core, LocateError, Located};
use crate::store::{Accepted, NewRound, NewSet, Store, StoreError, StoredSet};

/// Photos of a round of the day.
const DAILY_PHOTOS: u8 = 9;
/// Letters of a code for a rematch: 30 bits, public anyway.
const REMATCH_LETTERS: usize = 6;
/// Rounds whose photos are kept in memory, about 1 MB each; others are cut again when they are needed.
const KEPT: usize = 64;

/// Rules that the configuration sets.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a group waits once all who joined are done.
    pub last_call: SignedDuration,
    /// Where the days, weeks and months of chats begin; people may choose their own for their streaks.
    pub zone: TimeZone,
}

/// What a fresh round should be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// One of [`crate::domain::quiz::PHOTO_COUNTS`].
    pub photos: u8,
    /// Within [`crate::domain::quiz::SECONDS`]; `None`: as usual for so many photos.
    pub seconds: Option<u32>,
    /// How alike the areas are; without effect where `areas` are named.
    pub difficulty: Difficulty,
    /// Labels of the model, 2 to [`crate::domain::quiz::MAX_AREAS`]; empty: chosen by the difficulty.
    pub areas: Vec<usize>,
}

/// Which round to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Photos drawn for this chat.
    Fresh(Wish),
    /// The photos of the day.
    Daily,
    /// The photos behind a code, as typed.
    Rematch(String),
}

/// Where and by whom a round is begun.
#[derive(Clone, Debug)]
pub struct Place {
    /// The chat.
    pub chat: ChatRef,
    /// The topic of a forum.
    pub thread: Option<i64>,
    /// Whether one person plays alone.
    pub alone: bool,
    /// Language of its announcements: `ja` or `en`.
    pub lang: String,
    /// Who begins it.
    pub starter: PlayerId,
}

/// Why no round begins.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// One is running in the chat.
    #[error("a round is running")]
    Running(Box<Round>),
    /// The chat has played today's round.
    #[error("the round of the day was played")]
    DailyPlayed,
    /// There are no photos behind the code.
    #[error("no such code")]
    UnknownCode,
    /// The live model does not know the areas of these photos.
    #[error("the live model knows other areas")]
    OtherAreas,
    /// The pool has no photos of the areas.
    #[error("the quiz pool has too few photos")]
    FewPhotos,
    /// The model could not play.
    #[error(transparent)]
    Model(#[from] LocateError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The quiz; clones share it.
#[derive(Clone)]
pub struct Quiz {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    pool: Pool,
    core: Core,
    clock: SharedClock,
    rules: Rules,
    secret: [u8; 32],
    draws: AtomicU64,
    photos: DashMap<RoundId, Photos>,
    bell: Notify,
}

/// The JPEGs of a round, in its order.
pub type Photos = Arc<Vec<Vec<u8>>>;

/// Photos with the areas to choose from, not yet played by the model.
struct Sheet {
    kind: Kind,
    areas: Vec<Area>,
    photos: Vec<PoolPhoto>,
    seconds: u32,
    set: NewSet,
    forget_seen: bool,
}

impl Quiz {
    /// The quiz over a database, a pool and a model.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new(
        store: Store,
        pool: Pool,
        core: Core,
        clock: SharedClock,
        rules: Rules,
    ) -> Result<Self, StoreError> {
        let secret = store.secret().await?;
        let photos = DashMap::new();
        let inner =
            Inner { store, pool, core, clock, rules, secret, draws: AtomicU64::new(0), photos, bell: Notify::new() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The scores.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.inner.clock
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.inner.rules
    }

    /// The live model, with the areas that it knows.
    #[must_use]
    pub fn manifest(&self) -> Arc<Manifest> {
        self.inner.core.manifest()
    }

    /// Today, where the quiz is at home.
    #[must_use]
    pub fn today(&self) -> Date {
        score::day_of(self.inner.clock.now(), &self.inner.rules.zone, 0)
    }

    /// A stream of chance for one purpose, never the same twice.
    #[must_use]
    pub fn chance(&self, purpose: &str) -> Chance {
        let draw = self.inner.draws.fetch_add(1, Ordering::Relaxed);
        let moment = format!("{}/{draw}", self.inner.clock.now().as_nanosecond());
        Chance::new(&self.inner.secret, purpose, &moment)
    }

    /// Draws a round and has the model play it; its guesses are stored before anybody sees a photo. The round is open
    /// once [`Quiz::open`] is told that its picture is out.
    ///
    /// # Errors
    /// See [`BeginError`]; then nothing was stored.
    pub async fn begin(&self, place: Place, begin: &Begin) -> Result<Round, BeginError> {
        let store = &self.inner.store;
        if let Some(running) = store.running(&place.chat).await? {
            return Err(BeginError::Running(Box::new(running)));
        }
        // One model draws, plays and signs the round, whatever goes live meanwhile.
        let core = self.inner.core.pinned();
        let manifest = core.manifest();
        let sheet = match begin {
            Begin::Fresh(wish) => self.fresh(&manifest, &place.chat, wish).await?,
            Begin::Daily => self.daily(&manifest, &place.chat).await?,
            Begin::Rematch(code) => self.rematch(&manifest, code).await?,
        };
        let cut_seed = self.chance("cut").bits() >> 1;
        let keys: Vec<&str> = sheet.photos.iter().map(|photo| photo.key.as_str()).collect();
        let photos = self.cut(&keys, cut_seed).await?;
        let questions = play(&core, &sheet, &photos).await?;
        let new = NewRound {
            kind: sheet.kind,
            chat: place.chat,
            thread: place.thread,
            alone: place.alone,
            starter: place.starter,
            lang: place.lang,
            model: version(&manifest),
            areas: sheet.areas,
            questions,
            cut_seed,
            seconds: sheet.seconds,
            set: sheet.set,
            forget_seen: sheet.forget_seen,
        };
        let prepared = store.prepare(new, self.inner.clock.now()).await?;
        let round = prepared.map_err(|busy| BeginError::Running(Box::new(busy.0)))?;
        self.keep(round.id, photos);
        Ok(round)
    }

    /// Answers count from now on; `message` is the one with the picture.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self, round: RoundId, message: Option<i64>) -> Result<Round, StoreError> {
        let opened = self.inner.store.opened(round, message, self.inner.clock.now()).await;
        self.stir();
        opened
    }

    /// Ends once a bell may ring earlier than was known.
    pub async fn stirred(&self) {
        self.inner.bell.notified().await;
    }

    /// Has whoever waits for the next bell look again.
    pub fn stir(&self) {
        self.inner.bell.notify_one();
    }

    /// Counts an answer, once, however often it arrives; a later one of the same person replaces it.
    ///
    /// # Errors
    /// When the database fails; the inner error says why an answer does not count.
    pub async fn answer(
        &self,
        round: RoundId,
        number: u8,
        choice: u8,
        player: PlayerId,
        present: bool,
    ) -> Result<Result<Accepted, Refusal>, StoreError> {
        let (now, last_call) = (self.inner.clock.now(), self.inner.rules.last_call);
        let answered = self.inner.store.answer(round, number, choice, player, present, now, last_call).await?;
        if answered.is_ok_and(|accepted| accepted.bell_moved) {
            self.stir();
        }
        Ok(answered)
    }

    /// Closes every round whose bell has rung and gives its points.
    ///
    /// # Errors
    /// When the database fails; what was closed before stays closed.
    pub async fn ring(&self) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        for round in self.inner.store.due(now).await? {
            if self.inner.store.settle(round, now, &self.inner.rules.zone).await? {
                tracing::info!(round = round.0, "the bell has rung");
            }
        }
        Ok(())
    }

    /// The photos of a round, exactly as the model saw them; cut again after a restart.
    ///
    /// # Errors
    /// When the pool does not hold one of them any more.
    pub async fn photos(&self, round: &Round) -> Result<Photos, LocateError> {
        if let Some(photos) = self.inner.photos.get(&round.id) {
            return Ok(photos.clone());
        }
        let keys: Vec<&str> = round.questions.iter().map(|question| question.photo.as_str()).collect();
        let photos = self.cut(&keys, round.cut_seed).await?;
        self.keep(round.id, photos.clone());
        Ok(photos)
    }

    fn keep(&self, round: RoundId, photos: Photos) {
        let kept = &self.inner.photos;
        if kept.len() >= KEPT {
            let oldest = kept.iter().map(|entry| *entry.key()).min();
            oldest.map(|oldest| kept.remove(&oldest));
        }
        kept.insert(round, photos);
    }

    async fn fresh(&self, model: &Manifest, chat: &ChatRef, wish: &Wish) -> Result<Sheet, BeginError> {
        let mut chance = self.chance("draw");
        let seen = self.inner.store.seen(chat).await?;
        let labels = match &wish.areas[..] {
            [] => self.choose(model, wish.difficulty, &mut chance),
            wished => wished.to_vec(),
        };
        let count = usize::from(wish.photos);
        let (areas, photos, forget_seen) = self.draw(model, &labels, count, &seen, &mut chance)?;
        let set = NewSet::New { code: chance.code(REMATCH_LETTERS), day: None };
        let seconds = wish.seconds.unwrap_or_else(|| usual_seconds(wish.photos));
        Ok(Sheet { kind: Kind::Quiz, areas, photos, seconds, set, forget_seen })
    }

    /// Areas of the labels, photos of them, and whether those that were seen had to begin anew.
    fn draw(
        &self,
        model: &Manifest,
        labels: &[usize],
        count: usize,
        seen: &HashSet<String>,
        chance: &mut Chance,
    ) -> Result<(Vec<Area>, Vec<PoolPhoto>, bool), BeginError> {
        let areas: Vec<Area> = labels.iter().filter_map(|&label| model.labels.get(label).cloned()).collect();
        let names: Vec<String> = areas.iter().map(|area| area.area.clone()).collect();
        let drawn = draw::draw(&self.inner.pool, &names, count, seen, chance).ok_or(BeginError::FewPhotos)?;
        Ok((areas, drawn.photos.into_iter().cloned().collect(), drawn.anew))
    }

    /// Labels by difficulty, of areas that the pool has photos of.
    fn choose(&self, model: &Manifest, difficulty: Difficulty, chance: &mut Chance) -> Vec<usize> {
        let has_photos = |area: &Area| self.inner.pool.photos().iter().any(|photo| photo.area == area.area);
        let allowed: Vec<usize> = (0..model.labels.len()).filter(|&label| has_photos(&model.labels[label])).collect();
        choose_areas(difficulty, &allowed, &model.metrics.confusion, |n| chance.below(n))
    }

    /// The photos of the day: whoever asks first has them drawn, from the date and the secret alone.
    async fn daily(&self, model: &Manifest, chat: &ChatRef) -> Result<Sheet, BeginError> {
        let day = self.today();
        if let Some(stored) = self.inner.store.set_of_day(day).await? {
            if self.inner.store.played_set(chat, stored.id).await? {
                return Err(BeginError::DailyPlayed);
            }
            return self.stored(model, Kind::Daily, stored);
        }
        let mut chance = Chance::new(&self.inner.secret, "daily", &day.to_string());
        let labels = self.choose(model, Difficulty::Normal, &mut chance);
        let (areas, photos, _) = self.draw(model, &labels, usize::from(DAILY_PHOTOS), &HashSet::new(), &mut chance)?;
        let set = NewSet::New { code: chance.code(REMATCH_LETTERS), day: Some(day) };
        let seconds = usual_seconds(DAILY_PHOTOS);
        Ok(Sheet { kind: Kind::Daily, areas, photos, seconds, set, forget_seen: false })
    }

    async fn rematch(&self, model: &Manifest, code: &str) -> Result<Sheet, BeginError> {
        let stored = self.inner.store.set_by_code(&tidy_code(code)).await?.ok_or(BeginError::UnknownCode)?;
        self.stored(model, Kind::Rematch, stored)
    }

    fn stored(&self, model: &Manifest, kind: Kind, set: StoredSet) -> Result<Sheet, BeginError> {
        let named = |name: &String| model.labels.iter().find(|area| area.area == *name).cloned();
        let areas: Option<Vec<Area>> = set.areas.iter().map(named).collect();
        let areas = areas.ok_or(BeginError::OtherAreas)?;
        let photos: Option<Vec<PoolPhoto>> = set.photos.iter().map(|key| self.inner.pool.photo(key).cloned()).collect();
        let photos = photos.ok_or(BeginError::FewPhotos)?;
        let seconds = usual_seconds(photos.len() as u8);
        Ok(Sheet { kind, areas, photos, seconds, set: NewSet::Stored(set.id), forget_seen: false })
    }

    async fn cut(&self, keys: &[&str], seed: u64) -> Result<Photos, LocateError> {
        let pool = self.inner.pool.clone();
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let cut = move || -> Result<Vec<Vec<u8>>, LocateError> {
            use rayon::prelude::*;
            let one = |(i, key): (usize, &String)| {
                let mut chance = Chance::new(&[0; 32], "photo", &format!("{seed}/{i}"));
                pool.cut(key, || chance.unit()).map_err(LocateError::from)
            };
            keys.par_iter().enumerate().map(one).collect()
        };
        let done = tokio::task::spawn_blocking(cut).await;
        done.map_err(|error| LocateError::Failed(error.to_string()))?.map(Arc::new)
    }
}

/// The model's guesses: its best area among those on the buttons, from exactly the pixels that people see.
async fn play(core: &Core, sheet: &Sheet, photos: &Photos) -> Result<Vec<Question>, LocateError> {
    let located = try_join_all(photos.iter().map(|photo| core.locate(photo.clone()))).await?;
    let question = |(i, (photo, located)): (usize, (&PoolPhoto, &Located))| {
        let (guess, probability) = best_among(&located.prediction, &sheet.areas);
        let truth = sheet.areas.iter().position(|area| area.area == photo.area).unwrap_or(0);
        let (key, credit) = (photo.key.clone(), photo.credit.clone());
        Question { number: i as u8 + 1, photo: key, truth, guess, probability, credit }
    };
    Ok(sheet.photos.iter().zip(&located).enumerate().map(question).collect())
}

fn version(manifest: &Manifest) -> ModelVersion {
    let Manifest { sha256, name, version, .. } = manifest;
    ModelVersion { sha256: sha256.clone(), name: name.clone(), version: version.clone() }
}

/// The most probable of `areas`, as an index among them, with its probability given that it is one of them.
fn best_among(prediction: &Prediction, areas: &[Area]) -> (usize, f32) {
    let probability =
        |area: &Area| prediction.areas.iter().find(|found| found.area == *area).map_or(0.0, |f| f.probability);
    let all: Vec<f32> = areas.iter().map(probability).collect();
    let sum: f32 = all.iter().sum();
    let best = (0..all.len()).fold(0, |best, i| if all[i] > all[best] { i } else { best });
    (best, if sum > 0.0 { all[best] / sum } else { 1.0 / areas.len() as f32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_chooses_among_the_areas_on_the_buttons() {
        let areas: Vec<Area> = ["港区", "渋谷区", "新宿区"].map(|name| Area::new("東京都", name, name)).into();
        let prediction = Prediction::from_logits(&[3.0, 1.0, 2.0], &areas, 1.0, 0.5);
        let (guess, probability) = best_among(&prediction, &areas[1..]);
        assert_eq!(guess, 1);
        assert!((probability - 1.0 / (1.0 + (-1.0_f32).exp())).abs() < 1e-5, "{probability}");
        assert_eq!(best_among(&prediction, &areas).0, 0);
    }
}
