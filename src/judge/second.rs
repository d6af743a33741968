//! What the most similar photos are worth as a second opinion.

use futures_util::{StreamExt, stream};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::ask::{AHEAD, AskError, load, locate};
use super::photos::TestPhoto;
use super::score::{SEED, spots};
use crate::domain::metrics::{Spread, argmax, bootstrap};
use crate::domain::prediction::softmax;
use crate::infer::Core;
use crate::infer::index::kin::Voting;

/// Numbers of voters to choose from.
const NEIGHBOURS: [usize; 6] = [1, 5, 10, 20, 50, 100];
/// Sharpnesses to choose from.
const SHARPNESSES: [f64; 6] = [0.0, 5.0, 10.0, 20.0, 40.0, 80.0];
/// Steps of the vote's share in the mixture.
const SHARES: u32 = 20;
/// Share of a uniform vote that is mixed in before a vote is judged: an area without a vote is not impossible.
const DOUBT: f64 = 0.01;

/// A photo whose truth is known, as the model and its index see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The true label.
    pub truth: usize,
    /// Its town.
    pub place: String,
    /// The model's probabilities, by label.
    pub model: Vec<f32>,
    /// Label and cosine of the nearest photos of the index, the nearest first.
    pub nearest: Vec<(usize, f64)>,
}

/// What a second opinion is worth. Shares are 0 to 1; intervals are 95 %, by resampling places.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Worth {
    /// Photos.
    pub photos: usize,
    /// How the nearest photos vote.
    pub voting: Voting,
    /// The model alone.
    pub model: Spread,
    /// The vote alone.
    pub vote: Spread,
    /// Both, mixed.
    pub both: Spread,
    /// How much better both are than the model alone.
    pub gain: Spread,
    /// Share of the photos where model and vote name the same area.
    pub agree: f64,
    /// Share of the model's answers that are right where they do.
    pub right_where_agreed: f64,
    /// And where they do not.
    pub right_where_not: f64,
    /// Share of the vote's answers that are right where they do not.
    pub vote_right_where_not: f64,
}

/// Asks a model with an index about photos; those that cannot be read, or whose area the model does not know, are left
/// out. `progress` hears the number of photos done.
///
/// # Errors
/// When the model fails, which says nothing about a photo.
pub async fn witnesses(
    core: &Core,
    photos: &[TestPhoto],
    progress: &mut (dyn FnMut(usize) + Send),
) -> Result<Vec<Witness>, AskError> {
    let core = &core.pinned();
    let mut asked = stream::iter(photos).map(|photo| witness(core, photo.clone())).buffered(core.ahead(AHEAD));
    let (mut found, mut done) = (Vec::with_capacity(photos.len()), 0);
    while let Some(witness) = asked.next().await {
        found.extend(witness?);
        done += 1;
        progress(done);
    }
    Ok(found)
}

async fn witness(core: &Core, photo: TestPhoto) -> Result<Option<Witness>, AskError> {
    let (name, place) = (photo.name(), photo.place.clone());
    let manifest = core.manifest();
    let Some(truth) = manifest.labels.iter().position(|label| label.area == photo.area) else { return Ok(None) };
    let Some(bytes) = load(photo, |bytes| bytes).await? else { return Ok(None) };
    let Some(located) = locate(core, name, bytes).await? else { return Ok(None) };
    let model = softmax(&located.logits, manifest.temperature);
    let search = move || located.kin().map(|kin| kin.nearest(NEIGHBOURS[NEIGHBOURS.len() - 1]));
    let nearest = tokio::task::spawn_blocking(search).await.map_err(|error| AskError::Thread(error.to_string()))?;
    Ok(Some(Witness { truth, place, model, nearest: nearest.unwrap_or_default() }))
}

/// Chooses how the nearest photos vote, so that their vote alone loses least (log loss), and then its share, so that the
/// mixture does. The first of equals.
#[must_use]
pub fn calibrate(witnesses: &[Witness]) -> Voting {
    let candidates = NEIGHBOURS
        .into_iter()
        .flat_map(|neighbours| SHARPNESSES.map(|sharpness| Voting { neighbours, sharpness, share: 0.0 }));
    let votes = |voting: &Voting| witnesses.iter().map(|witness| witness.vote(voting)).collect::<Vec<_>>();
    let alone = least(candidates, |voting| loss(witnesses, &votes(voting)));
    let votes = votes(&alone);
    let shares = (0..=SHARES).map(|step| Voting { share: f64::from(step) / f64::from(SHARES), ..alone });
    least(shares, |voting| {
        let mixed = witnesses.iter().zip(&votes).map(|(witness, vote)| voting.mix(&witness.model, vote));
        loss(witnesses, &mixed.collect::<Vec<_>>())
    })
}

/// Judges the second opinion; `None` of no photos.
#[must_use]
pub fn worth(witnesses: &[Witness], voting: Voting) -> Option<Worth> {
    if witnesses.is_empty() {
        return None;
    }
    let votes: Vec<Vec<f32>> = witnesses.iter().map(|witness| witness.vote(&voting)).collect();
    let right = |witness: &Witness, shares: &[f32]| argmax(shares) == Some(witness.truth);
    let pairs = || witnesses.iter().zip(&votes);
    let model: Vec<bool> = witnesses.iter().map(|witness| right(witness, &witness.model)).collect();
    let vote: Vec<bool> = pairs().map(|(witness, vote)| right(witness, vote)).collect();
    let both: Vec<bool> = pairs().map(|(witness, vote)| right(witness, &voting.mix(&witness.model, vote))).collect();
    let agreed: Vec<bool> = pairs().map(|(witness, vote)| argmax(&witness.model) == argmax(vote)).collect();
    let truths: Vec<usize> = witnesses.iter().map(|witness| witness.truth).collect();
    let places: Vec<String> = witnesses.iter().map(|witness| witness.place.clone()).collect();
    let spots = spots(&truths, &places);
    let chance = || ChaCha8Rng::seed_from_u64(SEED);
    let among = |right: &[bool], wanted: bool| {
        let chosen: Vec<bool> =
            right.iter().zip(&agreed).filter(|(_, agreed)| **agreed == wanted).map(|(right, _)| *right).collect();
        share(&chosen)
    };
    Some(Worth {
        photos: witnesses.len(),
        voting,
        model: bootstrap::intervals(&spots, &model, &mut chance()),
        vote: bootstrap::intervals(&spots, &vote, &mut chance()),
        both: bootstrap::intervals(&spots, &both, &mut chance()),
        gain: bootstrap::differences(&spots, &both, &model, &mut chance()),
        agree: share(&agreed),
        right_where_agreed: among(&model, true),
        right_where_not: among(&model, false),
        vote_right_where_not: among(&vote, false),
    })
}

impl Witness {
    fn vote(&self, voting: &Voting) -> Vec<f32> {
        voting.shares(self.nearest.iter().copied(), self.model.len())
    }
}

/// Mean negative logarithm of the share of the truth, nats.
fn loss(witnesses: &[Witness], shares: &[Vec<f32>]) -> f64 {
    let one = |(witness, shares): (&Witness, &Vec<f32>)| {
        let uniform = 1.0 / shares.len() as f64;
        -((1.0 - DOUBT) * f64::from(shares[witness.truth]) + DOUBT * uniform).ln()
    };
    witnesses.iter().zip(shares).map(one).sum::<f64>() / witnesses.len().max(1) as f64
}

fn least(candidates: impl Iterator<Item = Voting>, cost: impl Fn(&Voting) -> f64) -> Voting {
    let costs = candidates.map(|voting| (cost(&voting), voting));
    let best = costs.reduce(|best, next| if next.0 < best.0 { next } else { best });
    best.map_or_else(Voting::default, |(_, voting)| voting)
}

/// Share of what is true; 0 of nothing.
fn share(values: &[bool]) -> f64 {
    values.iter().filter(|value| **value).count() as f64 / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photo of label 0 or 1: what the model says of it, and what its neighbours show.
    fn witness(truth: usize, model: f32, nearest: &[usize]) -> Witness {
        let nearest = nearest.iter().zip(1..).map(|(label, i)| (*label, 1.0 - f64::from(i) * 0.01)).collect();
        Witness { truth, place: format!("{truth}丁目"), model: vec![model, 1.0 - model], nearest }
    }

    #[test]
    fn figures_by_hand() {
        let voting = Voting { neighbours: 3, sharpness: 0.0, share: 0.5 };
        let all = [
            witness(0, 0.9, &[0, 0, 1, 1]),
            witness(0, 0.6, &[1, 1, 1]),
            witness(1, 0.6, &[1, 1, 1]),
            witness(1, 0.1, &[1, 0, 1]),
        ];
        let worth = worth(&all, voting).unwrap();
        assert_eq!((worth.model.top1.value, worth.vote.top1.value, worth.both.top1.value), (0.75, 0.75, 0.75));
        assert_eq!((worth.agree, worth.right_where_agreed), (0.5, 1.0));
        assert_eq!((worth.right_where_not, worth.vote_right_where_not), (0.5, 0.5));
        assert!(super::worth(&[], voting).is_none());
    }

    #[test]
    fn a_vote_that_knows_is_listened_to_and_one_that_does_not_is_not() {
        // Only the nearest knows; the others show the other area.
        let knows: Vec<Witness> = (0..20).map(|i| witness(i % 2, 0.5, &[i % 2, 1 - i % 2, 1 - i % 2])).collect();
        let chosen = calibrate(&knows);
        assert_eq!((chosen.neighbours, chosen.share), (1, 1.0));
        let model_of = |i: usize| if i.is_multiple_of(2) { 0.95 } else { 0.05 };
        let misled: Vec<Witness> = (0..20).map(|i| witness(i % 2, model_of(i), &[i / 2 % 2, 0, 1, 0, 1])).collect();
        assert!(calibrate(&misled).share < 0.2, "{:?}", calibrate(&misled));
    }
}
