//! What a judgement shows of a model, kept beside it: what it takes for what, which towns it finds, and photos with
//! their heatmaps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ask::{Answers, Model};
use super::compare::Exam;
use super::gallery::{self, Pick, ShowError};
use super::photos::{PlacedTown, TestPhoto};
use super::score::Score;
use crate::domain::metrics::{argmax, wilson};
use crate::domain::{Area, Coordinate};
use crate::infer::Core;
use crate::infer::explain::Seen;
use crate::infer::files::replace;

/// Name of the file beside the manifest.
pub const FILE: &str = "portrait.json";

/// Everything that is shown of a model. Indices of areas are those of [`Score::areas`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portrait {
    /// The model.
    pub model: Model,
    /// Where the photos come from.
    pub photos: Source,
    /// How good it is.
    pub score: Score,
    /// Every town whose position is known or that has photos, area by area.
    pub towns: Vec<TownRecall>,
    /// For each area, the photos most like it.
    pub most_like: Vec<Row>,
    /// The most frequent mistakes first.
    pub mistakes: Vec<MistakeRow>,
    /// Credits that must be shown, one a line.
    pub credits: Vec<String>,
}

/// Where the test photos come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// They are drawn.
    Drawn,
    /// An exported dataset, by the name of its folder.
    Folder(String),
}

/// How well a town is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TownRecall {
    /// Index of its area.
    pub area: usize,
    /// Its name.
    pub town: String,
    /// Where it lies, if that is known.
    pub at: Option<Coordinate>,
    /// Its test photos; 0 of a town that belongs to another split.
    pub photos: usize,
    /// Photos among them that are given to the right area.
    pub right: usize,
}

impl TownRecall {
    /// Share of its photos that are given to the right area, 0 to 1; `None` where there are none.
    #[must_use]
    pub fn recall(&self) -> Option<f32> {
        (self.photos > 0).then(|| self.right as f32 / self.photos as f32)
    }

    /// The 95 % interval of the recall (Wilson).
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        wilson(self.right, self.photos)
    }
}

/// Photos of one area, by the model's view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The area.
    pub area: Area,
    /// The surest first.
    pub photos: Vec<Figure>,
}

/// Photos of one area that are taken for another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MistakeRow {
    /// The true area.
    pub truth: Area,
    /// The answer.
    pub answer: Area,
    /// How many there are.
    pub count: usize,
    /// The most decided of them.
    pub photos: Vec<Figure>,
}

/// A photo with its heatmap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What the model sees.
    pub shown: Seen,
    /// Where it was taken.
    pub truth: Area,
    /// The area whose evidence is shown.
    pub about: Area,
    /// Probability of that area, 0 to 1.
    pub probability: f32,
    /// Town or grid cell.
    pub place: String,
    /// Whom to credit.
    pub credit: Option<String>,
}

impl Figure {
    /// Whether it was taken elsewhere than in the area whose evidence is shown.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.truth.area != self.about.area
    }
}

/// A portrait that cannot be read or kept.
#[derive(Debug, Error)]
#[error("{}: {problem}. `kokodoko evaluate` on that model writes it anew.", path.display())]
pub struct PortraitError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: String,
}

/// A model that was asked about photos.
#[derive(Clone, Copy)]
pub struct Sitting<'a> {
    /// The model, running.
    pub core: &'a Core,
    /// What it said.
    pub answers: &'a Answers,
    /// The photos.
    pub photos: &'a [TestPhoto],
    /// Their truth.
    pub exam: &'a Exam,
}

/// Makes the portrait of a model: has it explain the photos worth looking at.
///
/// # Errors
/// When a photo that could be answered before cannot be shown now.
pub async fn portray(
    sitting: Sitting<'_>,
    score: Score,
    source: Source,
    towns: &[PlacedTown],
) -> Result<Portrait, ShowError> {
    let Sitting { core, answers, exam, .. } = sitting;
    let chosen = gallery::choose(exam, answers);
    let mut most_like = Vec::with_capacity(exam.areas.len());
    for (area, picks) in exam.areas.iter().zip(&chosen.most_like) {
        most_like.push(Row { area: area.clone(), photos: figures(sitting, picks).await? });
    }
    let mut mistakes = Vec::with_capacity(chosen.mistakes.len());
    for mistake in &chosen.mistakes {
        mistakes.push(MistakeRow {
            truth: exam.areas[mistake.truth].clone(),
            answer: exam.areas[mistake.answer].clone(),
            count: mistake.photos,
            photos: figures(sitting, &mistake.picks).await?,
        });
    }
    let credits = core.manifest().provenance.attribution.clone();
    let towns = recalls(exam, answers, towns);
    Ok(Portrait { model: answers.model.clone(), photos: source, score, towns, most_like, mistakes, credits })
}

async fn figures(sitting: Sitting<'_>, picks: &[Pick]) -> Result<Vec<Figure>, ShowError> {
    let Sitting { core, photos, exam, .. } = sitting;
    let mut figures = Vec::with_capacity(picks.len());
    for pick in picks {
        figures.push(Figure {
            shown: gallery::show(core, exam, photos, pick).await?,
            truth: exam.areas[pick.truth].clone(),
            about: exam.areas[pick.shown].clone(),
            probability: pick.probability,
            place: photos[pick.photo].place.clone(),
            credit: photos[pick.photo].credit.clone(),
        });
    }
    Ok(figures)
}

/// How well each town is found, with the towns that have no photo; ordered by area and name.
fn recalls(exam: &Exam, answers: &Answers, placed: &[PlacedTown]) -> Vec<TownRecall> {
    let rows = exam.logits(answers);
    let mut counts: BTreeMap<(usize, &str), (usize, usize)> = BTreeMap::new();
    for ((row, &truth), place) in rows.iter().zip(&exam.truths).zip(&exam.places) {
        let (photos, right) = counts.entry((truth, place)).or_default();
        *photos += 1;
        *right += usize::from(argmax(row) == Some(truth));
    }
    let index = |name: &str| exam.areas.iter().position(|area| area.area == name);
    let placed: BTreeMap<(usize, &str), Coordinate> =
        placed.iter().filter_map(|town| Some(((index(&town.area)?, town.town.as_str()), town.at))).collect();
    let names: BTreeSet<(usize, &str)> = counts.keys().chain(placed.keys()).copied().collect();
    let one = |(area, town): (usize, &str)| {
        let (photos, right) = counts.get(&(area, town)).copied().unwrap_or_default();
        TownRecall { area, town: town.to_owned(), at: placed.get(&(area, town)).copied(), photos, right }
    };
    names.into_iter().map(one).collect()
}

impl Portrait {
    /// The portrait beside a model; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, PortraitError> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(json) => match serde_json::from_slice(&json) {
                Ok(portrait) => Ok(Some(portrait)),
                Err(error) => Err(PortraitError { path, problem: error.to_string() }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PortraitError { path, problem: error.to_string() }),
        }
    }

    /// Keeps it beside its model: whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; an older one then stays.
    pub fn write(&self, folder: &Path) -> Result<(), PortraitError> {
        let path = folder.join(FILE);
        let json = serde_json::to_vec(self).expect("plain data has a JSON form");
        replace(&path, &json).map_err(|error| PortraitError { path, problem: error.to_string() })
    }

    /// The photos most like an area, by its full name.
    #[must_use]
    pub fn like(&self, area: &str) -> Option<&Row> {
        self.most_like.iter().find(|row| row.area.area == area)
    }
}

#[cfg(test)]
mod tests {
    use super::super::photos::Origin;
    use super::*;

    fn answers(logits: &[[f32; 2]]) -> Answers {
        Answers {
            model: Model { name: "m".into(), version: "1".into(), sha256: String::new(), backend: "tract".into() },
            labels: ["甲", "乙"].map(|name| Area::new("県", name, name)).to_vec(),
            temperature: 1.0,
            abstain_below: 0.5,
            logits: logits.iter().map(|row| Some(row.to_vec())).collect(),
        }
    }

    #[test]
    fn every_town_is_counted_once_and_those_without_photos_are_there() {
        let photo = |area: &str, place: &str| TestPhoto {
            area: area.to_owned(),
            place: place.to_owned(),
            position: None,
            credit: None,
            origin: Origin::Memory(Vec::new().into()),
        };
        let photos = [photo("県甲", "一"), photo("県甲", "一"), photo("県甲", "二"), photo("県乙", "一")];
        let answers = answers(&[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
        let at = Coordinate { lat: 35.0, lng: 139.0 };
        let placed = |area: &str, town: &str| PlacedTown { area: area.to_owned(), town: town.to_owned(), at };
        let placed = [placed("県甲", "一"), placed("県乙", "三"), placed("他県", "四")];
        let towns = recalls(&Exam::new(&photos, &[&answers]), &answers, &placed);
        let town = |area, town: &str, at, photos, right| TownRecall { area, town: town.to_owned(), at, photos, right };
        let expected = [
            town(0, "一", Some(at), 2, 1),
            town(0, "二", None, 1, 1),
            town(1, "一", None, 1, 1),
            town(1, "三", Some(at), 0, 0),
        ];
        assert_eq!(towns, expected);
        assert_eq!((towns[0].recall(), towns[3].recall()), (Some(0.5), None));
        assert!(towns[0].interval().0 > 0.0 && towns[0].interval().1 < 1.0);
    }

    #[test]
    fn a_folder_without_one_has_none_and_a_broken_one_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Portrait::read(folder.path()).unwrap(), None);
        fs::write(folder.path().join(FILE), "{}").unwrap();
        let error = Portrait::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("kokodoko evaluate") && error.contains(FILE), "{error}");
    }
}
