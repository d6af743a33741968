//! Where the areas of a model lie, for maps and guesses.

use std::sync::{Arc, Mutex, PoisonError};

use super::borders::{Grounds, known};
use crate::domain::{Area, Border, Coordinate};
use crate::infer::index::Index;
use crate::infer::manifest::Manifest;

/// Where an area lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extent {
    /// Its border; empty where it is not known.
    pub border: Border,
    /// The best guess for a photo of it: the middle of the photos in the model's index, else that of the cell, else the
    /// border's. `None` where nothing is known.
    pub middle: Option<Coordinate>,
}

/// Where the areas of models lie; those of the last model are remembered, since borders are large. Clones share it.
#[derive(Clone, Default)]
pub struct Extents {
    grounds: Grounds,
    last: Arc<Mutex<Option<Known>>>,
}

/// SHA-256 of a network, and where its areas lie.
type Known = (String, Arc<Vec<Extent>>);

impl Extents {
    /// With borders from these grounds.
    #[must_use]
    pub fn new(grounds: Grounds) -> Self {
        Self { grounds, ..Self::default() }
    }

    /// Those of a model's areas, in the order of its labels. Borders that cannot be read are not known; the log says why.
    /// Reads files: not on a thread that serves others.
    #[must_use]
    pub fn of(&self, manifest: &Manifest, index: Option<&Index>) -> Arc<Vec<Extent>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &&Known| known.0 == manifest.sha256 && known.1.len() == manifest.labels.len();
        if let Some((_, extents)) = last.as_ref().filter(is_same) {
            return extents.clone();
        }
        let extents = Arc::new(extents(&self.grounds, &manifest.labels, index));
        *last = Some((manifest.sha256.clone(), extents.clone()));
        extents
    }
}

fn extents(grounds: &Grounds, labels: &[Area], index: Option<&Index>) -> Vec<Extent> {
    let borders = known(grounds, &labels.iter().collect::<Vec<_>>()).unwrap_or_else(|error| {
        tracing::error!(%error, "the map has no borders");
        vec![Border::default(); labels.len()]
    });
    let extent = |(label, border): (usize, Border)| {
        let of_photos = index.and_then(|index| index.middle(label));
        let middle = of_photos.or_else(|| labels[label].cell.map(|cell| cell.middle())).or_else(|| border.middle());
        Extent { border, middle }
    };
    borders.into_iter().enumerate().map(extent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Geocell;
    use crate::infer::manifest::ModelFiles;

    #[test]
    fn a_municipality_lies_in_its_border_a_cell_where_it_is_and_a_stranger_nowhere() {
        let tower = Coordinate { lat: 35.6586, lng: 139.7454 };
        let cell = Geocell::of(tower, 12);
        let labels = [
            Area::new("東京都", "港区", "Minato, Tokyo"),
            Area { cell: Some(cell), ..Area::new("東京都", "港区付近", "near Minato, Tokyo") },
            Area::new("", "どこか", "somewhere"),
        ];
        let found = extents(&Grounds::default(), &labels, None);
        let minato = found[0].middle.expect("its border is built in");
        assert!(found[0].border.contains(minato) && minato.distance_m(tower) < 3_000.0, "{minato:?}");
        assert_eq!((found[1].middle, found[1].border.contains(cell.middle())), (Some(cell.middle()), true));
        assert_eq!(found[2], Extent::default());
    }

    #[test]
    fn what_is_indexed_says_better_where_photos_are() {
        let files = ModelFiles::built_in().unwrap();
        let index = files.index.expect("it has one");
        let extents = Extents::new(Grounds::default());
        let found = extents.of(&files.manifest, Some(&index));
        assert_eq!(found[3].middle, index.middle(3));
        assert!(Arc::ptr_eq(&found, &extents.of(&files.manifest, None)), "remembered");
    }
}
