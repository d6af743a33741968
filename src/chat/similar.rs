//! "What looks like it?": the photos of other places that the model finds most alike.

use super::message::Picture;
use super::picture::similar::{Tile, similar};
use super::text::{self, Lang};
use crate::album::Album;
use crate::domain::Prediction;
use crate::infer::index::kin::{Kin, LookAlike, SecondOpinion};

/// How many are shown, each from another town.
pub const SHOWN: usize = 3;

/// A look-alike with its picture, ready to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// What it is.
    pub alike: LookAlike,
    /// A square JPEG; `None` where the photo is not there any more.
    pub jpeg: Option<Vec<u8>>,
}

/// Everything that is said of a photo's look-alikes.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    /// The most similar first.
    pub shown: Vec<Shown>,
    /// What they say of the answer.
    pub second: Option<SecondOpinion>,
}

impl Similar {
    /// Looks for them and makes them ready; `second` is what [`Kin::second_opinion`] says. Takes up to some hundred
    /// milliseconds: not on a thread that serves others.
    #[must_use]
    pub fn find(kin: &Kin, prediction: &Prediction, second: Option<SecondOpinion>, album: &Album) -> Self {
        let alikes = kin.look_alikes(prediction, SHOWN).into_iter();
        let shown = alikes.map(|alike| Shown { jpeg: album.show(&alike.entry.photo), alike }).collect();
        Self { shown, second }
    }

    /// The photo that was asked about (a JPEG) with its look-alikes; a JPEG.
    #[must_use]
    pub fn picture(&self, lang: Lang, prediction: &Prediction, photo: Vec<u8>) -> Vec<u8> {
        let best = prediction.best();
        let asked = Tile {
            jpeg: Some(photo),
            title: text::similar::yours(lang),
            lines: vec![text::similar::answered(lang, &best.area, best.probability)],
            missing: String::new(),
        };
        let tile = |shown: &Shown| Tile {
            jpeg: shown.jpeg.clone(),
            title: text::similar::place(lang, &shown.alike),
            lines: [text::similar::distance(lang, prediction, &shown.alike)]
                .into_iter()
                .flatten()
                .chain([text::similar::credit(&shown.alike.entry.credit)])
                .collect(),
            missing: text::similar::gone(lang),
        };
        let tiles: Vec<Tile> = std::iter::once(asked).chain(self.shown.iter().map(tile)).collect();
        similar(&text::similar::title(lang), &tiles)
    }

    /// The same in words, at most 950 UTF-16 units: the caption of the picture.
    #[must_use]
    pub fn words(&self, lang: Lang, prediction: &Prediction) -> String {
        text::similar::list(lang, prediction, self)
    }

    /// What to say of the second opinion, if it is another.
    #[must_use]
    pub fn doubt(&self, lang: Lang, prediction: &Prediction) -> Option<String> {
        text::similar::doubt(lang, prediction, self.second.as_ref())
    }

    /// The picture as a message shows it; `number` is that of the photo.
    #[must_use]
    pub(super) fn shown(&self, lang: Lang, prediction: &Prediction, photo: Vec<u8>, number: usize) -> Picture {
        let bytes = self.picture(lang, prediction, photo);
        Picture { name: format!("similar-{number}.jpg"), bytes, alt: text::similar::alt(lang) }
    }
}
