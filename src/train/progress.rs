//! What a training, and the judgement after it, say while they run.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What a training says while it runs; as JSON, one object a line, whoever started it reads the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// How far it is.
    Progress(Progress),
    /// Something worth a sentence.
    Note {
        /// What kind: `start`, `resume`, `memory`, `wait` or `cells`.
        about: String,
        /// The sentence, English.
        text: String,
    },
    /// Photos have been run through the network that is kept.
    Features {
        /// How many.
        done: usize,
        /// Of how many.
        of: usize,
        /// How fast it goes.
        pace: Option<Pace>,
    },
    /// Test photos have been answered, in a judgement.
    Asking {
        /// How many, of all models.
        done: usize,
        /// Of how many.
        of: usize,
        /// How fast it goes.
        pace: Option<Pace>,
    },
    /// It ends without a model.
    Failed {
        /// What kind of trouble.
        why: Trouble,
        /// The sentence, English.
        text: String,
    },
}

/// What a training can fail of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trouble {
    /// The loss is no number any more.
    Diverged,
    /// A file could not be written.
    Disk,
    /// Not even a few photos fit into memory.
    Memory,
    /// An area has too few places, or a photo is damaged.
    Data,
    /// Something else.
    Other,
}

/// How far the training is; one after every few steps and one, with `validation`, after every epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Which epoch, counted from 1.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Steps done in this epoch.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Side of the input, pixels.
    pub side: u32,
    /// Mean training loss of the epoch so far, nats.
    pub loss: f32,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Photos a second in this epoch.
    pub images_per_second: f32,
    /// Share of the epoch's time spent waiting for data, 0 to 1.
    pub data_wait: f32,
    /// Since the beginning of the training, earlier runs included.
    pub elapsed: Duration,
    /// Until the end, should it go on as it did in this epoch.
    pub left: Duration,
    /// Figures on the validation split, after an epoch.
    pub validation: Option<Validation>,
}

/// How fast a network goes through photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Photos a second, so far.
    pub images_per_second: f32,
    /// Until the last, should it go on so.
    pub left: Duration,
}

/// Takes the time of a network that goes through photos.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    /// When it was asked first, and how many photos were done then: what was remembered is done at once.
    first: Option<(Instant, usize)>,
}

impl Meter {
    /// The pace, when so many are done of so many. `None` while nothing shows it.
    pub fn pace(&mut self, done: usize, of: usize, now: Instant) -> Option<Pace> {
        let (begin, before) = *self.first.get_or_insert((now, done));
        let (seconds, new) = (now.saturating_duration_since(begin).as_secs_f32(), done.checked_sub(before)? as f32);
        let images_per_second = new / seconds;
        let left = Duration::try_from_secs_f32(of.saturating_sub(done) as f32 / images_per_second).ok()?;
        (images_per_second.is_finite() && new > 0.0).then_some(Pace { images_per_second, left })
    }
}

/// Figures on the validation split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Share of photos named rightly.
    pub top1: f32,
    /// Mean of the areas' recalls.
    pub macro_recall: f32,
    /// Mean negative log-likelihood, nats.
    pub loss: f64,
}

impl Progress {
    /// Nothing done yet in an epoch, counted from 0.
    pub(super) fn new(epoch: usize, epochs: usize, steps: usize, side: u32) -> Self {
        Self {
            epoch: epoch + 1,
            epochs,
            step: 0,
            steps,
            side,
            loss: 0.0,
            learning_rate: 0.0,
            images_per_second: 0.0,
            data_wait: 0.0,
            elapsed: Duration::ZERO,
            left: Duration::ZERO,
            validation: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_counts_from_the_first_call() {
        let (begin, seconds) = (Instant::now(), Duration::from_secs);
        let mut meter = Meter::default();
        // A thousand were remembered.
        assert_eq!(meter.pace(1_000, 5_000, begin + seconds(7)), None);
        assert_eq!(meter.pace(1_000, 5_000, begin + seconds(8)), None);
        let pace = meter.pace(1_400, 5_000, begin + seconds(17));
        assert_eq!(pace, Some(Pace { images_per_second: 40.0, left: seconds(90) }));
        assert_eq!(meter.pace(5_000, 5_000, begin + seconds(107)).map(|pace| pace.left), Some(Duration::ZERO));
    }
}
