//! "Where on the map?": the most probable areas with their borders, and the guess in the best of them.

use super::message::Picture;
use super::picture::guess::{Backdrop, GuessArea, GuessPicture, guess};
use super::text::{self, Lang, map as words};
use crate::collect::borders;
use crate::collect::extents::Extent;
use crate::domain::{Coordinate, Prediction};

/// Most areas on the map.
const SHOWN: usize = 5;
/// Less probable ones are left out.
const LEAST: f32 = 0.005;

/// A prediction on the map.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    prediction: &'a Prediction,
    /// By label.
    extents: &'a [Extent],
}

impl<'a> Map<'a> {
    /// The map of a prediction; `extents` are those of the model's labels. `None` where it is not known where the best
    /// area lies, and of what is no street.
    #[must_use]
    pub fn of(prediction: &'a Prediction, extents: &'a [Extent]) -> Option<Self> {
        let best = extents.get(prediction.best().label)?;
        let is_there = prediction.is_street && best.middle.is_some() && !best.border.rings().is_empty();
        is_there.then_some(Self { prediction, extents })
    }

    /// The guess: the middle of the best area.
    #[must_use]
    pub fn guess(&self) -> Option<Coordinate> {
        self.extents.get(self.prediction.best().label)?.middle
    }

    /// The picture, PNG. Takes some hundred milliseconds: not on a thread that serves others.
    #[must_use]
    pub fn picture(&self, lang: Lang) -> Vec<u8> {
        let probable = self.prediction.areas.iter().take(SHOWN).enumerate();
        let areas =
            probable.filter(|(rank, found)| *rank == 0 || found.probability >= LEAST).map(|(_, found)| GuessArea {
                name: text::area(lang, &found.area).to_owned(),
                short: text::short_area(lang, &found.area).to_owned(),
                percent: text::percent(found.probability),
                probability: found.probability,
                border: self.extents.get(found.label).map(|extent| extent.border.clone()).unwrap_or_default(),
            });
        let picture = GuessPicture {
            title: words::title(lang, self.prediction),
            subtitle: self.guess().map(|at| words::position(lang, at)).unwrap_or_default(),
            areas: areas.collect(),
            at: self.guess(),
            legend: words::legend(lang),
            notes: vec![words::credit(lang)],
        };
        guess(&picture, Backdrop { land: borders::land(), borders: borders::built_in() })
    }

    /// What is said with it: where the guess lies, and a link to a map that can be moved.
    #[must_use]
    pub fn note(&self, lang: Lang) -> String {
        self.guess().map(|at| words::note(lang, at)).unwrap_or_default()
    }

    /// The picture as a message shows it; `number` is that of the photo.
    #[must_use]
    pub(super) fn shown(&self, lang: Lang, number: usize) -> Picture {
        let alt = words::alt(lang, &self.prediction.best().area);
        Picture { name: format!("map-{number}.png"), bytes: self.picture(lang), alt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;
    use crate::collect::borders::Grounds;
    use crate::collect::extents::Extents;

    #[test]
    fn a_municipality_is_a_region_as_a_cell_is() {
        for manifest in [sample::manifest(), sample::cells_manifest()] {
            let extents = Extents::new(Grounds::default()).of(&manifest, None);
            let prediction = Prediction::from_logits(&[2.0, 1.0, -1.0], &manifest.labels, 1.0, 0.5);
            let map = Map::of(&prediction, &extents).expect("its areas are known");
            let minato = Coordinate { lat: 35.655, lng: 139.745 };
            assert!(map.guess().unwrap().distance_m(minato) < 5_000.0);
            assert!(image::load_from_memory(&map.picture(Lang::Ja)).is_ok());
            assert!(map.note(Lang::En).contains("openstreetmap.org"), "{}", map.note(Lang::En));
        }
        let prediction = sample::prediction(4.0);
        assert!(Map::of(&prediction, &[]).is_none() && Map::of(&prediction, &vec![Extent::default(); 3]).is_none());
    }
}
