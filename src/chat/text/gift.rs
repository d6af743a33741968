//! What is said of photos that people may give as test photos.

use std::time::Duration;

use super::bundle::say;
use super::{Lang, area, short_area};
use crate::chat::gift::{Outcome, areas as counted};
use crate::collect::gifts::MOST_OF_ONE;
use crate::domain::Area;

/// The question, with each area and its number of photos.
#[must_use]
pub fn ask(lang: Lang, areas: &[(&Area, usize)]) -> String {
    let count: usize = areas.iter().map(|(_, count)| count).sum();
    say(lang, "gift-ask", &[("count", count.into()), ("areas", listed(lang, areas).into())])
}

/// The areas with their numbers where there are several photos.
fn listed(lang: Lang, areas: &[(&Area, usize)]) -> String {
    let name = |&(of, count): &(&Area, usize)| match areas {
        [(_, 1)] => area(lang, of).to_owned(),
        _ => {
            let values = [("area", short_area(lang, of).into()), ("count", count.to_string().into())];
            say(lang, "gift-area", &values)
        }
    };
    areas.iter().map(name).collect::<Vec<_>>().join(&say(lang, "gift-separator", &[]))
}

/// "Yes".
#[must_use]
pub fn yes(lang: Lang) -> String {
    say(lang, "gift-yes", &[])
}

/// "No".
#[must_use]
pub fn no(lang: Lang) -> String {
    say(lang, "gift-no", &[])
}

/// To a yes: what is kept, and what was given before.
#[must_use]
pub fn thanks(lang: Lang, outcome: &Outcome) -> String {
    let mut said = Vec::new();
    if !outcome.kept.is_empty() {
        let areas = match &outcome.kept[..] {
            [only] => {
                let degrees = |value: f64| format!("{value:.3}").into();
                let name = area(lang, &only.area).into();
                let (lat, lng) = (degrees(only.at.lat), degrees(only.at.lng));
                say(lang, "gift-where", &[("area", name), ("lat", lat), ("lng", lng)])
            }
            several => listed(lang, &counted(several.iter())),
        };
        let count = outcome.kept.len().into();
        said.push(say(lang, "gift-kept", &[("count", count), ("areas", areas.into())]));
    }
    if outcome.known > 0 {
        said.push(say(lang, "gift-known", &[("count", outcome.known.into())]));
    }
    if outcome.too_many > 0 {
        said.push(say(lang, "gift-enough", &[("most", MOST_OF_ONE.to_string().into())]));
    }
    said.join("\n\n")
}

/// To a no.
#[must_use]
pub fn refused(lang: Lang) -> String {
    say(lang, "gift-refused", &[])
}

/// The button that takes a gift back.
#[must_use]
pub fn take_back(lang: Lang) -> String {
    say(lang, "gift-take-back", &[])
}

/// To a gift that was taken back, of so many photos.
#[must_use]
pub fn withdrawn(lang: Lang, count: usize) -> String {
    say(lang, "gift-withdrawn", &[("count", count.into())])
}

/// To whoever takes back what is not theirs, or is gone.
#[must_use]
pub fn nothing_back(lang: Lang) -> String {
    say(lang, "gift-nothing-back", &[])
}

/// To whoever answers another's question.
#[must_use]
pub fn not_theirs(lang: Lang) -> String {
    say(lang, "gift-not-theirs", &[])
}

/// To an answer that comes too late.
#[must_use]
pub fn gone(lang: Lang, kept: Duration) -> String {
    say(lang, "gift-gone", &[("minutes", (kept.as_secs() / 60).to_string().into())])
}

/// Where people are not asked for photos.
#[must_use]
pub fn off(lang: Lang) -> String {
    say(lang, "gift-off", &[])
}

/// To a photo whose file names no place, or one that is not asked about.
#[must_use]
pub fn no_position(lang: Lang) -> String {
    say(lang, "gift-no-position", &[])
}

/// When the disk or the database failed.
#[must_use]
pub fn failed(lang: Lang) -> String {
    say(lang, "gift-failed", &[])
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{GIFT_EN, GIFT_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;
    use crate::collect::gifts::Placed;
    use crate::domain::Coordinate;

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(GIFT_JA), messages(GIFT_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("gift.rs");
        let unused: Vec<String> =
            messages(GIFT_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn what_is_said_of_gifts() {
        let areas = sample::areas();
        let at = Coordinate { lat: 35.659, lng: 139.7 };
        let placed = |index: usize| Placed { area: areas[index].clone(), at };
        for lang in Lang::ALL {
            let one = Outcome { kept: vec![placed(0)], ..Outcome::default() };
            let some = Outcome { kept: vec![placed(0), placed(0), placed(1)], known: 2, too_many: 1 };
            let known = Outcome { known: 1, ..Outcome::default() };
            let said = [
                ask(lang, &[(&areas[0], 1)]),
                ask(lang, &[(&areas[0], 2), (&areas[1], 1)]),
                format!("[{}] [{}]", yes(lang), no(lang)),
                thanks(lang, &one),
                thanks(lang, &some),
                thanks(lang, &known),
                refused(lang),
                take_back(lang),
                withdrawn(lang, 1),
                withdrawn(lang, 3),
                nothing_back(lang),
                not_theirs(lang),
                gone(lang, Duration::from_secs(900)),
                failed(lang),
                off(lang),
                no_position(lang),
            ];
            assert!(not_theirs(lang).chars().count() <= 190 && gone(lang, crate::chat::gift::KEPT).len() <= 190);
            insta::assert_snapshot!(format!("gift-{}", lang.tag()), said.join("\n---\n"));
        }
    }
}
