//! Photos worth looking at: what an area looks like to the model, and what it mistakes for what.

use thiserror::Error;

use super::ask::Answers;
use super::compare::Exam;
use super::photos::TestPhoto;
use crate::domain::metrics::argmax;
use crate::domain::prediction::softmax;
use crate::infer::explain::Seen;
use crate::infer::{Core, LocateError};

/// Photos of a row.
pub const ROW: usize = 7;
/// Most pairs of areas that are shown.
const PAIRS: usize = 10;
/// Side of a shown photo, pixels.
const SIDE: u32 = 288;

/// A photo with what the model thinks of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// Its index among the photos.
    pub photo: usize,
    /// Index of its true area in [`Exam::areas`].
    pub truth: usize,
    /// Index of the area whose evidence is shown.
    pub shown: usize,
    /// Probability of that area, 0 to 1.
    pub probability: f32,
}

/// Photos of one area that the model takes for another.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The true area.
    pub truth: usize,
    /// What the model answers.
    pub answer: usize,
    /// How many photos.
    pub photos: usize,
    /// The most decided of them.
    pub picks: Vec<Pick>,
}

/// What is worth looking at.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    /// For each area of the exam, the photos that the model finds most like it, wherever they come from.
    pub most_like: Vec<Vec<Pick>>,
    /// The most frequent mistakes first.
    pub mistakes: Vec<Mistake>,
}

/// Chooses the photos.
#[must_use]
pub fn choose(exam: &Exam, model: &Answers) -> Gallery {
    let rows = exam.logits(model);
    let shares: Vec<Vec<f32>> = rows.iter().map(|row| softmax(row, model.temperature)).collect();
    let pick = |i: usize, shown: usize| Pick {
        photo: exam.kept[i],
        truth: exam.truths[i],
        shown,
        probability: shares[i][shown],
    };
    let surest = |mut picks: Vec<Pick>| {
        picks.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        picks.truncate(ROW);
        picks
    };
    let knows = |area: usize| model.labels.iter().any(|label| label.area == exam.areas[area].area);
    let most_like = |area: usize| {
        let all = if knows(area) { rows.len() } else { 0 };
        surest((0..all).map(|i| pick(i, area)).collect())
    };
    let mut mistakes = Vec::new();
    for (truth, answer) in pairs(exam.areas.len()) {
        let mistaken = |&i: &usize| exam.truths[i] == truth && argmax(&rows[i]) == Some(answer);
        let picks: Vec<Pick> = (0..rows.len()).filter(mistaken).map(|i| pick(i, answer)).collect();
        if !picks.is_empty() {
            mistakes.push(Mistake { truth, answer, photos: picks.len(), picks: surest(picks) });
        }
    }
    mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.photos));
    mistakes.truncate(PAIRS);
    Gallery { most_like: (0..exam.areas.len()).map(most_like).collect(), mistakes }
}

fn pairs(areas: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..areas).flat_map(move |a| (0..areas).map(move |b| (a, b))).filter(|(a, b)| a != b)
}

/// A photo that could be answered before and cannot be shown now.
#[derive(Debug, Error)]
#[error("{photo} cannot be shown: {detail}")]
pub struct ShowError {
    /// Which photo.
    pub photo: String,
    /// Why not.
    pub detail: String,
}

/// Has the model explain a pick.
///
/// # Errors
/// See [`ShowError`].
///
/// # Panics
/// When the pick shows an area that the model does not know.
pub async fn show(core: &Core, exam: &Exam, photos: &[TestPhoto], pick: &Pick) -> Result<Seen, ShowError> {
    let photo = photos[pick.photo].clone();
    let refuse = |detail: String| ShowError { photo: photos[pick.photo].name(), detail };
    let loaded = tokio::task::spawn_blocking(move || photo.load()).await;
    let bytes = loaded.map_err(|error| refuse(error.to_string()))?.map_err(|error| refuse(error.to_string()))?;
    let located = core.locate(bytes).await.map_err(|error: LocateError| refuse(error.to_string()))?;
    let name = &exam.areas[pick.shown].area;
    let label = core.manifest().labels.iter().position(|label| label.area == *name);
    let label = label.expect("picks show areas that the model knows");
    let drawn = tokio::task::spawn_blocking(move || located.explanation.seen(label, SIDE));
    drawn.await.map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::ask::Model;
    use super::super::photos::Origin;
    use super::*;
    use crate::domain::Area;

    #[test]
    fn the_surest_come_first_and_mistakes_by_their_number() {
        let areas: Vec<Area> = ["甲", "乙", "丙"].map(|name| Area::new("県", name, name)).to_vec();
        // True area and logits.
        let truth = [(0, [3.0, 0.0, 0.0]), (0, [1.0, 0.0, 0.0]), (0, [0.0, 2.0, 0.0]), (0, [0.0, 4.0, 0.0])];
        let truth = [&truth[..], &[(1, [0.0, 0.0, 1.0]), (2, [0.0, 0.0, 5.0])]].concat();
        let photo = |&(area, _): &(usize, [f32; 3])| TestPhoto {
            area: areas[area].area.clone(),
            place: "一丁目".into(),
            position: None,
            credit: None,
            origin: Origin::Memory(Vec::new().into()),
        };
        let photos: Vec<TestPhoto> = truth.iter().map(photo).collect();
        let answers = Answers {
            model: Model { name: "m".into(), version: "1".into(), sha256: String::new(), backend: "tract".into() },
            labels: areas,
            temperature: 1.0,
            abstain_below: 0.5,
            logits: truth.iter().map(|(_, row)| Some(row.to_vec())).collect(),
        };
        let gallery = choose(&Exam::new(&photos, &[&answers]), &answers);
        let numbers = |picks: &[Pick]| picks.iter().map(|pick| pick.photo).collect::<Vec<_>>();
        assert_eq!(numbers(&gallery.most_like[1])[..2], [3, 2], "also photos from elsewhere");
        let first = &gallery.mistakes[0];
        assert_eq!((first.truth, first.answer, first.photos, numbers(&first.picks)), (0, 1, 2, vec![3, 2]));
        assert_eq!((gallery.mistakes[1].truth, gallery.mistakes[1].answer, gallery.mistakes.len()), (1, 2, 2));
        assert!(first.picks[0].probability > 0.9);
    }
}
