//! What is said of heatmaps.

use std::time::Duration;

use super::bundle::say;
use super::{Lang, area, short_area};
use crate::domain::Area;

/// What a heatmap is about: the area that was answered, and the one that it is set against, if any.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What was answered.
    pub best: &'a Area,
    /// What it might have been.
    pub other: Option<&'a Area>,
}

/// The question as a button and as the title of the picture.
#[must_use]
pub fn question(lang: Lang, subject: Subject<'_>) -> String {
    let (id, asked) = match subject.other {
        None => ("why-button", subject.best),
        Some(other) => ("why-not-button", other),
    };
    say(lang, id, &[("area", short_area(lang, asked).into())])
}

/// The button that shows a question for each area.
#[must_use]
pub fn more(lang: Lang) -> String {
    say(lang, "why-more", &[])
}

/// How to read the heatmap.
#[must_use]
pub fn note(lang: Lang, subject: Subject<'_>) -> String {
    let best = ("area", short_area(lang, subject.best).into());
    match subject.other {
        None => say(lang, "why-note", &[best]),
        Some(other) => say(lang, "why-not-note", &[best, ("other", short_area(lang, other).into())]),
    }
}

/// What the heatmap shows, for those who cannot see it.
#[must_use]
pub fn alt(lang: Lang, subject: Subject<'_>) -> String {
    match subject.other {
        None => super::heatmap_alt(lang, subject.best),
        Some(other) => {
            let values = [("area", area(lang, subject.best).into()), ("other", area(lang, other).into())];
            say(lang, "why-not-alt", &values)
        }
    }
}

/// The ends of the colours in the legend, from the weak one.
#[must_use]
pub fn legend(lang: Lang) -> [String; 2] {
    ["why-legend-weak", "why-legend-strong"].map(|id| say(lang, id, &[]))
}

/// To a button whose photo has been forgotten.
#[must_use]
pub fn gone(lang: Lang, kept: Duration) -> String {
    say(lang, "why-gone", &[("minutes", (kept.as_secs() / 60).to_string().into())])
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{WHY_EN, WHY_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(WHY_JA), messages(WHY_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("why.rs");
        let unused: Vec<String> =
            messages(WHY_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn what_is_said_of_heatmaps() {
        let areas = sample::areas();
        for lang in Lang::ALL {
            let mut said = vec![more(lang), legend(lang).join(" – "), gone(lang, Duration::from_secs(900))];
            for other in [None, Some(&areas[1])] {
                let subject = Subject { best: &areas[0], other };
                said.extend([question(lang, subject), note(lang, subject), alt(lang, subject)]);
            }
            insta::assert_snapshot!(format!("why-{}", lang.tag()), said.join("\n"));
        }
    }
}
