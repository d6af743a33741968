//! The words after `/train`, parsed once.

use crate::train::settings::{Mode, Source};

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
    /// An option that there is none of.
    Option(String),
}

/// Reads `full drawn-world collected` or `mode=full recipe=drawn-world data=collected`, in any order; what is nothing
/// else is one of the `recipes`.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn read(words: &str, recipes: &[&str]) -> Result<(Action, Wish), WordError> {
    let (mut action, mut wish) = (Action::Begin, Wish::default());
    for part in words.split_whitespace() {
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        match (key, value) {
            ("" | "action", "begin") => action = Action::Begin,
            ("" | "action", "status") => action = Action::Status,
            ("" | "action", "cancel") => action = Action::Cancel,
            ("mode", name) => wish.mode = Some(name.parse().map_err(|()| WordError::Mode(name.to_owned()))?),
            ("data", name) => wish.data = Some(name.parse().map_err(|()| WordError::Data(name.to_owned()))?),
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
    Ok((action, wish))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECIPES: [&str; 2] = ["reference", "drawn-world"];

    #[test]
    fn words_and_options_mean_the_same() {
        let (mode, data) = (Some(Mode::Full), Some(Source::Collected));
        let wish = Wish { mode, recipe: Some("reference".to_owned()), data };
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
    fn what_is_wrong_is_named() {
        let wrong = |words| read(words, &RECIPES).expect_err("wrong");
        assert_eq!(wrong("mode=half"), WordError::Mode("half".to_owned()));
        assert_eq!(wrong("data=paris"), WordError::Data("paris".to_owned()));
        assert_eq!(wrong("/etc/passwd"), WordError::Recipe("/etc/passwd".to_owned()), "no file of the machine");
        assert_eq!(wrong("head reference"), WordError::HeadRecipe);
        assert_eq!(wrong("colour=red"), WordError::Option("colour=red".to_owned()));
    }

    proptest! {
        #[test]
        fn no_words_panic(words in "[a-z= ]{0,40}") {
            if let Ok((_, wish)) = read(&words, &RECIPES) {
                prop_assert!(wish.recipe.is_none_or(|recipe| RECIPES.contains(&recipe.as_str())));
            }
        }
    }
}
