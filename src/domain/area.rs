//! The answer space: municipalities, other regions with a name, and cells of the globe.

use serde::{Deserialize, Serialize};

use super::{Coordinate, Geocell};

/// A municipality that a model can name; to a model of the world, a cell.
///
/// Two areas are the same when all their fields are; `area` alone is unique within one model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Full Japanese name, prefecture first: `東京都港区`. Unique within a model.
    pub area: String,
    /// Prefecture: `東京都`.
    pub prefecture: String,
    /// Municipality without its prefecture: `港区`.
    pub municipality: String,
    /// Name for readers of English: `Minato, Tokyo`.
    pub name_en: String,
    /// The cell that it is; a municipality is none, and is known by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<Geocell>,
}

impl Area {
    /// Joins the Japanese parts; `name_en` is taken as given.
    ///
    /// ```
    /// use kokodoko::domain::Area;
    /// assert_eq!(Area::new("東京都", "港区", "Minato, Tokyo").area, "東京都港区");
    /// ```
    #[must_use]
    pub fn new(prefecture: &str, municipality: &str, name_en: &str) -> Self {
        Self {
            area: format!("{prefecture}{municipality}"),
            prefecture: prefecture.to_owned(),
            municipality: municipality.to_owned(),
            name_en: name_en.to_owned(),
            cell: None,
        }
    }
}

/// Whether these are the labels of a model of the world: what is true of a photo then follows from its position alone.
#[must_use]
pub fn are_cells(labels: &[Area]) -> bool {
    labels.iter().any(|label| label.cell.is_some())
}

/// Index of the label whose cell holds a position; `None` outside all of them.
#[must_use]
pub fn label_at(labels: &[Area], at: Coordinate) -> Option<usize> {
    labels.iter().position(|label| label.cell.is_some_and(|cell| cell.contains(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_without_cells_are_written_as_they_were_before_there_were_any() {
        let minato = Area::new("東京都", "港区", "Minato, Tokyo");
        let text = toml::to_string(&minato).unwrap();
        assert!(!text.contains("cell"), "{text}");
        assert_eq!(toml::from_str::<Area>(&text).unwrap(), minato);
        let cell = Geocell::of(Coordinate { lat: 35.6586, lng: 139.7454 }, 12);
        let near = Area { cell: Some(cell), ..minato.clone() };
        let text = toml::to_string(&near).unwrap();
        assert!(text.contains(&format!("cell = \"{}\"", cell.token())), "{text}");
        assert_eq!(toml::from_str::<Area>(&text).unwrap(), near);
        let labels = [minato, near];
        assert_eq!(label_at(&labels, cell.middle()), Some(1));
        assert_eq!(label_at(&labels, Coordinate { lat: 43.77, lng: 142.36 }), None);
        assert_eq!([are_cells(&labels), are_cells(&labels[..1])], [true, false]);
    }
}
