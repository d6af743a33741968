//! Geolonia's address API, versions 1 and 2: which municipalities there are, and the towns of one.

pub(super) mod lists;

use std::sync::Arc;

use reqwest::{StatusCode, Url};

use super::plan::Town;
use super::settings;
use super::wire::{Answer, Ask, Fault, Kind, Repeat, Wire, judge_status};
use crate::domain::Area;

/// Most bytes of a list: the longest of a municipality has under 2 MB.
const LIST_BYTES: usize = 32 << 20;
/// Names that are offered for one that there is none of.
const NEAREST: usize = 3;

/// A client of the service.
pub struct Geolonia {
    wire: Arc<Wire>,
    access: settings::Geolonia,
}

/// Why there is no list of towns, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeoloniaError {
    /// The service, or the way to it, is in trouble. It was tried several times.
    #[error("the lists of towns cannot be had, {0}: try again later, or set `geolonia.api_url` to another server")]
    Unavailable(Fault),
    /// It refuses.
    #[error("Geolonia answers with status {status}: is `geolonia.api_url` right for `geolonia.version` = {version}?")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The version that was asked for.
        version: u8,
    },
    /// The list has another shape.
    #[error(
        "Geolonia's list is not one of version {version} ({problem}): set `geolonia.version` to what is served there"
    )]
    Form {
        /// The version that was asked for.
        version: u8,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such municipality.
    #[error("Geolonia knows no {name}; the nearest names: {}", nearest.join(", "))]
    Unknown {
        /// The full name that was asked for.
        name: String,
        /// Full names that it may have meant, the likeliest first.
        nearest: Vec<String>,
    },
}

impl Geolonia {
    /// Asks over `wire`.
    #[must_use]
    pub fn new(wire: Arc<Wire>, access: settings::Geolonia) -> Self {
        Self { wire, access }
    }

    /// The towns of a municipality in the order of the list, one for each name: its parts (小字) are further positions.
    ///
    /// # Errors
    /// See [`GeoloniaError`].
    pub async fn towns(&self, area: &Area) -> Result<Vec<Town>, GeoloniaError> {
        let answer = self.list(&[&area.prefecture, &format!("{}.json", area.municipality)]).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Err(self.unknown(area).await?),
            _ => lists::towns(self.access.version, &self.checked(&answer)?.body).map_err(|problem| self.form(problem)),
        }
    }

    /// That there is no such municipality, with the names that may be meant.
    async fn unknown(&self, area: &Area) -> Result<GeoloniaError, GeoloniaError> {
        let answer = self.list(&[]).await?;
        let all = lists::municipalities(self.access.version, &self.checked(&answer)?.body);
        let all = all.map_err(|problem| self.form(problem))?;
        Ok(GeoloniaError::Unknown { name: area.area.clone(), nearest: nearest(area, all) })
    }

    /// `/api/ja/{prefecture}/{municipality}.json`, or `/api/ja.json` without names.
    async fn list(&self, names: &[&str]) -> Result<Answer, GeoloniaError> {
        let url = address(&self.access.api_url, names);
        let request = self.wire.get(url);
        let ask = Ask { kind: Kind::Question, request, max_bytes: LIST_BYTES, repeat: Repeat::Free };
        let answer = self.wire.ask(ask, |answer| judge_status(answer.status, Repeat::Free));
        answer.await.map_err(GeoloniaError::Unavailable)
    }

    fn checked<'a>(&self, answer: &'a Answer) -> Result<&'a Answer, GeoloniaError> {
        let refused = GeoloniaError::Refused { status: answer.status.as_u16(), version: self.access.version.number() };
        answer.status.is_success().then_some(answer).ok_or(refused)
    }

    fn form(&self, problem: String) -> GeoloniaError {
        GeoloniaError::Form { version: self.access.version.number(), problem }
    }
}

fn address(base: &Url, names: &[&str]) -> Url {
    let mut url = base.clone();
    // Settings take http and https alone, and their URLs have paths.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("api");
        match names {
            [] => path.push("ja.json"),
            names => path.push("ja").extend(names),
        };
    }
    url
}

/// The likeliest names: the same one in other prefectures, then those that begin so (the wards of a city), then by
/// the least changes of letters (Levenshtein's distance).
fn nearest(wanted: &Area, all: Vec<(String, String)>) -> Vec<String> {
    let rank = |(prefecture, municipality): &(String, String)| {
        let full = format!("{prefecture}{municipality}");
        let kind = match () {
            () if *municipality == wanted.municipality => 0,
            () if full.starts_with(&wanted.area) => 1,
            () => 2,
        };
        (kind, strsim::levenshtein(&full, &wanted.area), full)
    };
    let mut ranked: Vec<_> = all.iter().map(rank).collect();
    ranked.sort_unstable();
    ranked.into_iter().take(NEAREST).map(|(_, _, full)| full).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_below_the_base() {
        let base = |base: &str| base.parse::<Url>().unwrap();
        let full = address(&base("https://towns.example/v1/"), &["東京都", "港区.json"]);
        assert_eq!(
            full.as_str(),
            "https://towns.example/v1/api/ja/%E6%9D%B1%E4%BA%AC%E9%83%BD/%E6%B8%AF%E5%8C%BA.json"
        );
        assert_eq!(address(&base("https://towns.example"), &[]).as_str(), "https://towns.example/api/ja.json");
        let hostile = address(&base("https://towns.example"), &["..", "a/../b?c#d.json"]);
        assert!(hostile.query().is_none() && hostile.fragment().is_none(), "{hostile}");
    }

    #[test]
    fn the_likeliest_names_come_first() {
        let all: Vec<(String, String)> = [
            ("東京都", "港区"),
            ("東京都", "北区"),
            ("大阪府", "大阪市港区"),
            ("神奈川県", "横浜市西区"),
            ("神奈川県", "横浜市中区"),
            ("神奈川県", "川崎市幸区"),
            ("北海道", "旭川市"),
        ]
        .map(|(prefecture, municipality)| (prefecture.to_owned(), municipality.to_owned()))
        .to_vec();
        let first = |prefecture, municipality| nearest(&Area::new(prefecture, municipality, "x"), all.clone());
        assert_eq!(first("神奈川県", "港区")[0], "東京都港区");
        assert_eq!(first("神奈川県", "横浜市")[..2], ["神奈川県横浜市中区", "神奈川県横浜市西区"]);
        assert_eq!(first("北海道", "旭河市")[0], "北海道旭川市");
    }
}
