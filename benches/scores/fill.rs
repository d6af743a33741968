//! A database as after a year: 100,000 people in 3,000 chats, 1,000,000 answers. Most have played once, a few every
//! day; most chats are small, one is large. The same every time.

mod rows;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kokodoko::domain::score::{MIN_RANKED_ANSWERS, RIGHT, points};
use kokodoko::domain::{ChatRef, Platform};
use kokodoko::store::Store;
use kokodoko::store::scores::keys;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use self::rows::{Answer, Entry, Played, Question, Standing};

/// People.
const PEOPLE: i64 = 100_000;
/// Chats.
const CHATS: usize = 3_000;
/// Areas on the buttons.
pub(crate) const AREAS: u64 = 7;
/// The model's number; people come after it.
const MODEL: i64 = 1;
/// Seconds of a round.
const SECONDS: i64 = 150;
/// The beginning of the year, seconds since 1970: 2026-01-01.
const BEGINNING: i64 = 1_767_225_600;
const YEAR: i64 = 364 * 86_400;

/// What is in the database.
pub(crate) struct Filled {
    /// The largest chat.
    pub(crate) chat: ChatRef,
    /// People on the leaderboard of all.
    pub(crate) ranked: u32,
    /// People on that of the largest chat.
    pub(crate) ranked_in_chat: u32,
    people: usize,
    rounds: usize,
    answers: usize,
    seconds: f64,
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, rounds, answers, ranked, ranked_in_chat, seconds, .. } = self;
        writeln!(f, "{answers} answers of {people} people in {rounds} rounds, filled in {seconds:.1} s;")?;
        write!(f, "{ranked} people ranked, {ranked_in_chat} of them in the largest chat")
    }
}

/// A stream of chance.
struct Dice(ChaCha8Rng);

impl Dice {
    /// A value in `[0, 1)`.
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: u64) -> i64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as i64
    }
}

/// How many rounds the person of that place among the eager plays.
fn rounds_of(place: i64) -> usize {
    1 + (900.0 / (place as f64).powf(0.75)) as usize
}

/// Everything that is stored, drawn before it is.
#[derive(Default)]
struct World {
    rounds: Vec<Played>,
    questions: Vec<Question>,
    entries: Vec<Entry>,
    answers: Vec<Answer>,
    standings: BTreeMap<(i64, String, i64), [i64; 3]>,
}

impl World {
    fn draw(dice: &mut Dice) -> Self {
        let mut world = Self::default();
        let mut chats: Vec<Vec<i64>> = vec![Vec::new(); CHATS];
        for place in 1..=PEOPLE {
            chats[(CHATS as f64 * dice.unit().powi(3)) as usize].push(place);
        }
        for (chat, people) in (1..).zip(&chats) {
            world.play(chat, people, dice);
        }
        world
    }

    /// A chat's year: each of its people is spread evenly over its rounds.
    fn play(&mut self, chat: i64, people: &[i64], dice: &mut Dice) {
        let most = people.iter().map(|place| rounds_of(*place)).max().unwrap_or(0);
        let entries: usize = people.iter().map(|place| rounds_of(*place)).sum();
        let count = most.max(entries.div_ceil(6));
        let mut rounds: Vec<Vec<i64>> = vec![Vec::new(); count];
        for place in people {
            let (own, first) = (rounds_of(*place), dice.below(count as u64) as usize);
            (0..own).for_each(|i| rounds[(first + i * count / own) % count].push(MODEL + place));
        }
        for (index, players) in rounds.iter().enumerate() {
            let opened = BEGINNING + YEAR * index as i64 / count as i64;
            self.round(chat, opened * 1_000, players, dice);
        }
    }

    fn round(&mut self, chat: i64, opened: i64, players: &[i64], dice: &mut Dice) {
        let id = self.rounds.len() as i64 + 1;
        let photos = match dice.unit() {
            unit if unit < 0.8 => 9,
            unit if unit < 0.9 => 5,
            _ => 3,
        };
        let question = |number| {
            let truth = dice.below(AREAS);
            let guess = if dice.unit() < 0.7 { truth } else { dice.below(AREAS) };
            Question { round: id, number, truth, guess }
        };
        let questions: Vec<Question> = (1..=photos).map(question).collect();
        let bell = Timestamp::from_millisecond(opened + SECONDS * 1_000).expect("a moment of that year");
        let periods = keys(bell, &TimeZone::UTC);
        let mut players = players.to_vec();
        players.sort_unstable();
        for player in players {
            let entry = self.answer(player, &questions, opened, dice);
            let sums = [entry.answered, entry.right, entry.points];
            self.stand(chat, &periods, player, sums);
            self.entries.push(entry);
        }
        let right = questions.iter().filter(|question| question.guess == question.truth).count() as i64;
        self.stand(chat, &periods, MODEL, [photos, right, right * i64::from(RIGHT)]);
        self.rounds.push(Played { id, chat, opened, seconds: SECONDS, model: MODEL, periods: periods.join(" ") });
        self.questions.extend(questions);
    }

    /// All answers of a person in a round.
    fn answer(&mut self, player: i64, questions: &[Question], opened: i64, dice: &mut Dice) -> Entry {
        let skill = 0.3 + 0.6 * ((player * 7_919 % 1_000) as f64 / 1_000.0);
        let mut entry = Entry { round: questions[0].round, player, answered: 0, right: 0, points: 0 };
        for question in questions {
            let choice = if dice.unit() < skill { question.truth } else { dice.below(AREAS) };
            let (right, took) = (choice == question.truth, dice.below(SECONDS as u64 * 1_000));
            let (elapsed, allowed) = (SignedDuration::from_millis(took), SignedDuration::from_secs(SECONDS));
            let points = i64::from(points(right, question.guess == question.truth, elapsed, allowed));
            let (round, number) = (question.round, question.number);
            self.answers.push(Answer { round, number, player, choice, at: opened + took, right, points });
            entry.answered += 1;
            entry.right += i64::from(right);
            entry.points += points;
        }
        entry
    }

    fn stand(&mut self, chat: i64, periods: &[String], player: i64, sums: [i64; 3]) {
        for (scope, period) in [0, chat].iter().flat_map(|scope| periods.iter().map(move |period| (scope, period))) {
            let kept = self.standings.entry((*scope, period.clone(), player)).or_default();
            kept.iter_mut().zip(sums).for_each(|(kept, sum)| *kept += sum);
        }
    }

    /// Ranked people of a scope, over all time.
    fn ranked(&self, scope: i64) -> u32 {
        let of_scope = |key: &(i64, String, i64)| key.0 == scope && key.1 == "all" && key.2 != MODEL;
        let enough = self.standings.iter().filter(|(key, sums)| of_scope(key) && sums[0] >= MIN_RANKED_ANSWERS);
        enough.count() as u32
    }
}

/// Fills an empty database.
pub(crate) async fn fill(store: &Store) -> Filled {
    let began = Instant::now();
    let world = World::draw(&mut Dice(ChaCha8Rng::seed_from_u64(1)));
    let standings: Vec<Standing> = world
        .standings
        .iter()
        .map(|((chat, period, player), sums)| Standing { chat: *chat, period, player: *player, sums: *sums })
        .collect();
    let mut tx = store.writer().begin().await.expect("begins");
    rows::people_and_chats(&mut tx, MODEL, PEOPLE, CHATS as i64).await;
    rows::rounds(&mut tx, &world.rounds).await;
    rows::questions(&mut tx, &world.questions).await;
    rows::entries(&mut tx, &world.entries).await;
    rows::answers(&mut tx, &world.answers).await;
    rows::standings(&mut tx, &standings, MODEL).await;
    rows::duels(&mut tx).await;
    tx.commit().await.expect("stored");
    let people: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM (SELECT DISTINCT player_id FROM entries)")
        .fetch_one(store.writer())
        .await
        .expect("readable");
    assert!(people == PEOPLE && world.answers.len() >= 1_000_000, "{people} people, {} answers", world.answers.len());
    Filled {
        chat: ChatRef { platform: Platform::Telegram, id: 1 },
        ranked: world.ranked(0),
        ranked_in_chat: world.ranked(1),
        people: PEOPLE as usize,
        rounds: world.rounds.len(),
        answers: world.answers.len(),
        seconds: began.elapsed().as_secs_f64(),
    }
}
