//! The words after `/train`, parsed once.

use crate::domain::partition::Limits;
use crate::train::settings::{Labels, Mode, Source};

/// Most photos that a cell can be said to hold.
pub(in crate::chat) const MAX_CELL: u32 = 100_000;

/// What an admin wants of `/train`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// To train, once the offer is confirmed.
    Begin,
    /// To see how it goes.
    Status,
    /// To end it.
    Cancel,
}

/// What is to be trained; `None` means the configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// What is fitted.
    pub(super) mode: Option<Mode>,
    /// Name of the recipe.
    pub(super) recipe: Option<String>,
    /// Where the photos come from.
    pub(super) data: Option<Source>,
    /// How cells are made, where labels are cells.
    pub(super) cells: Option<Limits>,
}

/// What is wrong with the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordError {
    /// There is no such mode.
    Mode(String),
    /// Photos do not come from there.
    Data(String),
    /// There is no such recipe.
    Recipe(String),
    /// A new last layer has no recipe.
    HeadRecipe,
    /// Labels are nothing of that kind.
    Labels(String),
    /// No number of photos.
    Number(String),
    /// Only cells hold a number of photos.
    AreasLimits,
    /// All cells would be dropped.
    Crossed(Limits),
    /// An option that there is none of.
    Option(String),
}

/// Reads `full drawn-world collected` or `mode=full recipe=drawn-world data=collected`, in any order; what is nothing
/// else is one of the `recipes`. `cells` or `labels=cells` asks for cells, and so does `most=300` or `least=20`.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn read(words: &str, recipes: &[&str]) -> Result<(Action, Wish), WordError> {
    let (mut action, mut wish) = (Action::Begin, Wish::default());
    let (mut labels, mut most, mut least) = (None, None, None);
    for part in words.split_whitespace() {
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        match (key, value) {
            ("" | "action", "begin") => action = Action::Begin,
            ("" | "action", "status") => action = Action::Status,
            ("" | "action", "cancel") => action = Action::Cancel,
            ("mode", name) => wish.mode = Some(name.parse().map_err(|()| WordError::Mode(name.to_owned()))?),
            ("data", name) => wish.data = Some(name.parse().map_err(|()| WordError::Data(name.to_owned()))?),
            ("labels", name) => labels = Some(name.parse().map_err(|()| WordError::Labels(name.to_owned()))?),
            ("most", count) => most = Some(number(count)?),
            ("least", count) => least = Some(number(count)?),
            ("", "areas") => labels = Some(Labels::Areas),
            ("", "cells") => labels = Some(Labels::Cells),
            ("recipe" | "", name) => match (key, name.parse(), name.parse()) {
                ("", Ok(mode), _) => wish.mode = Some(mode),
                ("", _, Ok(data)) => wish.data = Some(data),
                _ if recipes.contains(&name) => wish.recipe = Some(name.to_owned()),
                _ => return Err(WordError::Recipe(name.to_owned())),
            },
            _ => return Err(WordError::Option(part.to_owned())),
        }
    }
    if wish.mode == Some(Mode::Head) && wish.recipe.is_some() {
        return Err(WordError::HeadRecipe);
    }
    wish.cells = cells(labels, most, least)?;
    Ok((action, wish))
}

fn number(word: &str) -> Result<usize, WordError> {
    let count = word.parse().ok().filter(|count| (1..=MAX_CELL).contains(count));
    count.map(|count| count as usize).ok_or_else(|| WordError::Number(word.to_owned()))
}

/// How cells are made; `None` for areas.
fn cells(labels: Option<Labels>, most: Option<usize>, least: Option<usize>) -> Result<Option<Limits>, WordError> {
    match (labels, most.or(least)) {
        (Some(Labels::Areas), Some(_)) => return Err(WordError::AreasLimits),
        (Some(Labels::Areas) | None, None) => return Ok(None),
        (Some(Labels::Cells), _) | (None, Some(_)) => {}
    }
    let usual = Limits::default();
    // Who divides cells further does not want them dropped for it.
    let most = most.unwrap_or(usual.most);
    let limits = Limits { most, least: least.unwrap_or(usual.least.min(most)), ..usual };
    if limits.least > limits.most { Err(WordError::Crossed(limits)) } else { Ok(Some(limits)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECIPES: [&str; 2] = ["reference", "drawn-world"];

    #[test]
    fn words_and_options_mean_the_same() {
        let (mode, data) = (Some(Mode::Full), Some(Source::Collected));
        let wish = Wish { mode, recipe: Some("reference".to_owned()), data, cells: None };
        for words in
            ["full reference collected", "data=collected recipe=reference mode=full", "collected reference full"]
        {
            assert_eq!(read(words, &RECIPES), Ok((Action::Begin, wish.clone())), "{words}");
        }
        assert_eq!(read(" ", &RECIPES), Ok((Action::Begin, Wish::default())));
        assert_eq!(read("action=status", &RECIPES), Ok((Action::Status, Wish::default())));
        assert_eq!(read("cancel", &RECIPES), Ok((Action::Cancel, Wish::default())));
    }

    #[test]
    fn cells_are_asked_for_by_name_or_by_their_limits() {
        let cells = |words| read(words, &RECIPES).expect("right").1.cells;
        let limits = |most, least| Some(Limits { most, least, ..Limits::default() });
        for words in ["cells", "labels=cells", "head drawn cells"] {
            assert_eq!(cells(words), Some(Limits::default()), "{words}");
        }
        assert_eq!([cells("labels=areas"), cells("areas"), cells("full")], [None; 3]);
        assert_eq!(cells("labels=cells most=100 least=5"), limits(100, 5));
        assert_eq!([cells("least=5"), cells("most=12")], [limits(300, 5), limits(12, 12)]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |words| read(words, &RECIPES).expect_err("wrong");
        assert_eq!(wrong("mode=half"), WordError::Mode("half".to_owned()));
        assert_eq!(wrong("data=paris"), WordError::Data("paris".to_owned()));
        assert_eq!(wrong("/etc/passwd"), WordError::Recipe("/etc/passwd".to_owned()), "no file of the machine");
        assert_eq!(wrong("head reference"), WordError::HeadRecipe);
        assert_eq!(wrong("labels=towns"), WordError::Labels("towns".to_owned()));
        for word in ["most=many", "most=0", "least=100001", "least=-1"] {
            assert!(matches!(wrong(word), WordError::Number(_)), "{word}");
        }
        assert_eq!(wrong("labels=areas most=5"), WordError::AreasLimits);
        assert_eq!(wrong("most=5 least=6"), WordError::Crossed(Limits { most: 5, least: 6, ..Limits::default() }));
        assert_eq!(wrong("colour=red"), WordError::Option("colour=red".to_owned()));
    }

    proptest! {
        #[test]
        fn no_words_panic(words in "(cells |most=|least=|labels=|[a-z0-9= ]{0,8}){0,6}") {
            if let Ok((_, wish)) = read(&words, &RECIPES) {
                prop_assert!(wish.cells.is_none_or(|limits| (1..=limits.most).contains(&limits.least)));
                prop_assert!(wish.recipe.is_none_or(|recipe| RECIPES.contains(&recipe.as_str())));
            }
        }
    }
}
