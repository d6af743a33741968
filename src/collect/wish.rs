//! What one run is to do otherwise than the configuration says.

use super::area::Municipality;
use super::settings::{NotReady, Settings};
use crate::domain::imagery::Source;

/// What one run is to do otherwise; what is empty stays as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Another source.
    pub source: Option<Source>,
    /// These areas only: Japanese or English names of configured ones, or full names of other municipalities.
    pub areas: Vec<String>,
    /// Another number of points in each town.
    pub points: Option<u32>,
}

/// Why a wish is not granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfulfilled {
    /// The source may not be used.
    #[error(transparent)]
    Source(#[from] NotReady),
    /// A name that is not configured, and no full name of a municipality.
    #[error("there is no area `{word}`: configured are {}; write others in full, such as 東京都港区", known.join(", "))]
    Area {
        /// The name.
        word: String,
        /// What is configured.
        known: Vec<String>,
    },
    /// Too many points.
    #[error("{0} points in a town: choose 1 to 1000")]
    Points(u32),
}

impl Settings {
    /// The settings of a run that is to do something otherwise. No secret is asked for yet: see [`Settings::ready`].
    ///
    /// # Errors
    /// See [`Unfulfilled`].
    pub fn with(mut self, wish: &Wish) -> Result<Self, Unfulfilled> {
        self.source = wish.source.unwrap_or(self.source);
        self.allowed(self.source)?;
        if let Some(points) = wish.points {
            if !(1..=1_000).contains(&points) {
                return Err(Unfulfilled::Points(points));
            }
            self.density.points_per_town = points;
        }
        if !wish.areas.is_empty() {
            self.choose(&wish.areas)?;
        }
        Ok(self)
    }

    fn choose(&mut self, words: &[String]) -> Result<(), Unfulfilled> {
        let mut others: Vec<Municipality> = Vec::new();
        for word in words {
            let is_configured = self.municipalities.iter().any(|municipality| municipality.is_called(word))
                || self.regions.iter().any(|region| region.is_called(word));
            if !is_configured {
                others.push(Municipality::parse(word, None).ok_or_else(|| self.unknown(word))?);
            }
        }
        self.municipalities.retain(|municipality| words.iter().any(|word| municipality.is_called(word)));
        self.regions.retain(|region| words.iter().any(|word| region.is_called(word)));
        for other in others {
            if !self.municipalities.contains(&other) {
                self.municipalities.push(other);
            }
        }
        Ok(())
    }

    fn unknown(&self, word: &str) -> Unfulfilled {
        let municipalities = self.municipalities.iter().map(|municipality| municipality.area().area.clone());
        let known = municipalities.chain(self.regions.iter().map(|region| region.name.clone()));
        Unfulfilled::Area { word: word.to_owned(), known: known.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::area::Region;
    use crate::collect::settings::tests::settings;

    fn names(settings: &Settings) -> Vec<&str> {
        let municipalities = settings.municipalities.iter().map(|municipality| &*municipality.area().area);
        municipalities.chain(settings.regions.iter().map(|region| &*region.name)).collect()
    }

    fn areas(words: &[&str]) -> Wish {
        Wish { areas: words.iter().map(|word| (*word).to_owned()).collect(), ..Wish::default() }
    }

    #[test]
    fn areas_are_chosen_by_any_of_their_names() {
        let mut configured = settings(&["東京都港区", "東京都渋谷区", "北海道旭川市"]);
        let (name, name_en) = ("パリ".to_owned(), "Paris".to_owned());
        configured.regions.push(Region { name, name_en, file: "paris.geojson".into() });
        let chosen = |words: &[&str]| configured.clone().with(&areas(words));
        let minato_paris = chosen(&["paris", "minato", "港区", "Minato, Tokyo"]).unwrap();
        assert_eq!(names(&minato_paris), ["東京都港区", "パリ"]);
        let naha = chosen(&["沖縄県那覇市", "沖縄県那覇市", "旭川市"]).unwrap();
        assert_eq!(names(&naha), ["北海道旭川市", "沖縄県那覇市"]);
        assert_eq!(names(&chosen(&[]).unwrap()).len(), 4, "all unless some are named");
        insta::assert_snapshot!(chosen(&["那覇市"]).unwrap_err());
    }

    #[test]
    fn source_and_points_are_checked() {
        let configured = settings(&["東京都港区"]);
        let with = |wish: Wish| configured.clone().with(&wish);
        let street_view = with(Wish { source: Some(Source::StreetView), ..Wish::default() });
        assert!(matches!(street_view, Err(Unfulfilled::Source(NotReady::TermsNotAccepted))));
        let denser = with(Wish { points: Some(9), source: Some(Source::Folder), ..Wish::default() }).unwrap();
        assert_eq!((denser.density.points_per_town, denser.source), (9, Source::Folder));
        assert!(matches!(with(Wish { points: Some(0), ..Wish::default() }), Err(Unfulfilled::Points(0))));
    }
}
