//! The words after `/quiz` and `/leaderboard`, parsed once.

use super::press::{Period, Scope};
use crate::domain::Area;
use crate::domain::quiz::{DEFAULT_PHOTOS, Difficulty, MAX_AREAS, PHOTO_COUNTS, SECONDS};
use crate::quiz::Wish;

/// Least areas to choose from.
pub const MIN_AREAS: usize = 2;

/// What is wrong with the words after `/quiz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WishError {
    /// A word means nothing.
    Word(String),
    /// No round has so many photos.
    Photos,
    /// No round lasts so long.
    Seconds,
    /// The model knows no such area.
    Area(String),
    /// Too few areas or too many.
    AreaCount,
}

/// Reads `9 60s hard 港区 渋谷区` or `photos=9 seconds=60 difficulty=hard areas=港区,渋谷区`, in any order.
///
/// # Errors
/// The first thing that is wrong.
pub fn quiz(words: &str, labels: &[Area]) -> Result<Wish, WishError> {
    let mut wish = Wish { photos: DEFAULT_PHOTOS, seconds: None, difficulty: Difficulty::default(), areas: Vec::new() };
    let parts =
        words.split(|c: char| c.is_whitespace() || matches!(c, ',' | '、' | '，')).filter(|part| !part.is_empty());
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        take(&mut wish, key, value, labels)?;
    }
    wish.areas.sort_unstable();
    wish.areas.dedup();
    let count = wish.areas.len();
    if count > 0 && !(MIN_AREAS..=MAX_AREAS).contains(&count) { Err(WishError::AreaCount) } else { Ok(wish) }
}

fn take(wish: &mut Wish, key: &str, value: &str, labels: &[Area]) -> Result<(), WishError> {
    let seconds = value.strip_suffix(['s', '秒']).and_then(|number| number.parse::<u32>().ok());
    match (key, seconds) {
        ("seconds", _) | ("", Some(_)) => {
            let asked = seconds.or_else(|| value.parse().ok()).filter(|asked| SECONDS.contains(asked));
            wish.seconds = Some(asked.ok_or(WishError::Seconds)?);
        }
        ("photos", _) => wish.photos = photos(value)?,
        ("difficulty", _) => wish.difficulty = value.parse().map_err(|()| WishError::Word(value.to_owned()))?,
        ("areas", _) => wish.areas.push(area(value, labels)?),
        ("", None) if value.parse::<u64>().is_ok() => wish.photos = photos(value)?,
        ("", None) => match value.parse() {
            Ok(difficulty) => wish.difficulty = difficulty,
            // Something that looks like an area gets the list of areas, everything else an example.
            Err(()) if value.is_ascii() && find(value, labels).is_none() => {
                return Err(WishError::Word(value.to_owned()));
            }
            Err(()) => wish.areas.push(area(value, labels)?),
        },
        _ => return Err(WishError::Word(format!("{key}={value}"))),
    }
    Ok(())
}

fn photos(value: &str) -> Result<u8, WishError> {
    value.parse().ok().filter(|count| PHOTO_COUNTS.contains(count)).ok_or(WishError::Photos)
}

fn area(name: &str, labels: &[Area]) -> Result<usize, WishError> {
    find(name, labels).ok_or_else(|| WishError::Area(name.to_owned()))
}

/// The label of an area, by any of its names, also without 区, 市 and the like, and in English without the prefecture.
#[must_use]
pub fn find(name: &str, labels: &[Area]) -> Option<usize> {
    let bare = |name: &str| name.trim_end_matches(['区', '市', '町', '村']).to_owned();
    let fits = |area: &Area| {
        let english = area.name_en.split(',').next().unwrap_or_default();
        area.area == name
            || area.municipality == name
            || bare(&area.municipality) == name
            || english.eq_ignore_ascii_case(name)
    };
    labels.iter().position(fits)
}

/// Reads `global month` or `scope=global period=month`, in any order.
///
/// # Errors
/// The word that means nothing.
pub fn board(words: &str) -> Result<(Scope, Period), String> {
    let (mut scope, mut period) = (Scope::default(), Period::default());
    for part in words.split_whitespace() {
        let value = part.split_once('=').map_or(part, |(_, value)| value);
        let found_scope = Scope::ALL.into_iter().find(|known| known.name() == value);
        let found_period = Period::ALL.into_iter().find(|known| known.name() == value);
        match (found_scope, found_period) {
            (Some(found), _) => scope = found,
            (None, Some(found)) => period = found,
            (None, None) => return Err(value.to_owned()),
        }
    }
    Ok((scope, period))
}

/// The value of the only option: `code=ABC` or `ABC`.
#[must_use]
pub fn value(words: &str) -> &str {
    let words = words.trim();
    words.split_once('=').map_or(words, |(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;
    use proptest::prelude::*;

    fn read(words: &str) -> Result<Wish, WishError> {
        quiz(words, &sample::areas())
    }

    #[test]
    fn words_and_options_mean_the_same() {
        let wish = Wish { photos: 5, seconds: Some(60), difficulty: Difficulty::Hard, areas: vec![0, 1] };
        for words in [
            "5 60s hard 港区 渋谷",
            "photos=5 seconds=60 difficulty=hard areas=港区、渋谷区",
            "Minato,shibuya hard 60秒 5",
        ] {
            assert_eq!(read(words), Ok(wish.clone()), "{words}");
        }
        let usual = Wish { photos: 9, seconds: None, difficulty: Difficulty::Normal, areas: vec![] };
        assert_eq!(read("  "), Ok(usual));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read("4"), Err(WishError::Photos));
        assert_eq!(read("5s"), Err(WishError::Seconds));
        assert_eq!(read("seconds=many"), Err(WishError::Seconds));
        assert_eq!(read("brutal"), Err(WishError::Word("brutal".to_owned())));
        assert_eq!(read("colour=red"), Err(WishError::Word("colour=red".to_owned())));
        assert_eq!(read("大阪市 港区"), Err(WishError::Area("大阪市".to_owned())));
        assert_eq!(read("港区"), Err(WishError::AreaCount));
    }

    #[test]
    fn boards() {
        assert_eq!(board(""), Ok((Scope::Chat, Period::Week)));
        assert_eq!(board("month global"), Ok((Scope::Global, Period::Month)));
        assert_eq!(board("scope=chat period=all"), Ok((Scope::Chat, Period::All)));
        assert_eq!(board("year"), Err("year".to_owned()));
        assert_eq!((value(" code=AB "), value("AB"), value("")), ("AB", "AB", ""));
    }

    proptest! {
        #[test]
        fn no_words_panic_and_wishes_are_within_the_rules(words in "[0-9a-z= 港区渋谷s,、]{0,30}") {
            if let Ok(wish) = read(&words) {
                prop_assert!(PHOTO_COUNTS.contains(&wish.photos));
                prop_assert!(wish.seconds.is_none_or(|seconds| SECONDS.contains(&seconds)));
                prop_assert!(wish.areas.is_empty() || wish.areas.len() >= MIN_AREAS);
            }
        }
    }
}
