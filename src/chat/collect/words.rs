//! The words after `/collect`, parsed once.

use crate::collect::wish::Wish;

/// Most points in a town that can be asked for.
pub(in crate::chat) const MAX_POINTS: u32 = 1_000;

/// What an admin wants of `/collect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// To collect, once the estimate is confirmed.
    Begin,
    /// To see the plan.
    Plan,
    /// To see how it goes.
    Status,
    /// To end it.
    Stop,
}

/// What is wrong with the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordError {
    /// There is no such source.
    Source(String),
    /// That is no number of points.
    Points,
    /// An option that there is none of.
    Option(String),
}

/// Reads `plan 港区 渋谷区 source=mapillary points=8` or `action=plan areas=港区,渋谷区`, in any order. What is nothing
/// else is the name of an area.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn read(words: &str) -> Result<(Action, Wish), WordError> {
    let (mut action, mut wish) = (Action::Begin, Wish::default());
    let parts =
        words.split(|c: char| c.is_whitespace() || matches!(c, ',' | '、' | '，')).filter(|part| !part.is_empty());
    for part in parts {
        match part.split_once('=').unwrap_or(("", part)) {
            ("" | "action", "begin") => action = Action::Begin,
            ("" | "action", "plan") => action = Action::Plan,
            ("" | "action", "status") => action = Action::Status,
            ("" | "action", "stop") => action = Action::Stop,
            ("source", name) => {
                wish.source = Some(name.parse().map_err(|_| WordError::Source(name.to_owned()))?);
            }
            ("points", count) => {
                let count = count.parse().ok().filter(|count| (1..=MAX_POINTS).contains(count));
                wish.points = Some(count.ok_or(WordError::Points)?);
            }
            ("" | "areas", name) if !name.is_empty() => wish.areas.push(name.to_owned()),
            _ => return Err(WordError::Option(part.to_owned())),
        }
    }
    Ok((action, wish))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::imagery::Source;
    use proptest::prelude::*;

    #[test]
    fn words_and_options_mean_the_same() {
        let areas = vec!["港区".to_owned(), "渋谷区".to_owned()];
        let wish = Wish { areas, source: Some(Source::StreetView), points: Some(8) };
        for words in
            ["plan 港区 渋谷区 source=streetview points=8", "action=plan points=8 source=streetview areas=港区、渋谷区"]
        {
            assert_eq!(read(words), Ok((Action::Plan, wish.clone())), "{words}");
        }
        assert_eq!(read(""), Ok((Action::Begin, Wish::default())));
        assert_eq!(read("status"), Ok((Action::Status, Wish::default())));
        assert_eq!(read("action=stop"), Ok((Action::Stop, Wish::default())));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read("source=google"), Err(WordError::Source("google".to_owned())));
        assert_eq!(read("points=0"), Err(WordError::Points));
        assert_eq!(read("points=1001"), Err(WordError::Points));
        assert_eq!(read("colour=red"), Err(WordError::Option("colour=red".to_owned())));
        assert_eq!(read("areas="), Err(WordError::Option("areas=".to_owned())));
    }

    proptest! {
        #[test]
        fn no_words_panic(words in "[a-z=0-9 港区渋谷,、]{0,40}") {
            if let Ok((_, wish)) = read(&words) {
                prop_assert!(wish.areas.iter().all(|area| !area.is_empty()));
            }
        }
    }
}
