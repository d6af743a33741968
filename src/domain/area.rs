//! The answer space: municipalities.

use serde::{Deserialize, Serialize};

/// A municipality that a model can name.
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
        }
    }
}
