//! What is said of a guess on the map.

use super::bundle::say;
use super::{Lang, area, percent};
use crate::domain::{Area, Coordinate, Prediction};

/// The title of the picture.
#[must_use]
pub fn title(lang: Lang, prediction: &Prediction) -> String {
    let best = prediction.best();
    let id = if prediction.known { "map-title" } else { "map-title-unknown" };
    say(lang, id, &[("area", area(lang, &best.area).into()), ("percent", percent(best.probability).into())])
}

/// Where the guess lies, under the title.
#[must_use]
pub fn position(lang: Lang, at: Coordinate) -> String {
    say(lang, "map-position", &[("position", degrees(at).into())])
}

/// The same in a message, with a link.
#[must_use]
pub fn note(lang: Lang, at: Coordinate) -> String {
    let Coordinate { lat, lng } = at;
    let link = format!("https://www.openstreetmap.org/?mlat={lat:.4}&mlon={lng:.4}#map=12/{lat:.4}/{lng:.4}");
    say(lang, "map-note", &[("position", degrees(at).into()), ("link", link.into())])
}

/// What the colours mean, and the mark.
#[must_use]
pub fn legend(lang: Lang) -> [String; 2] {
    ["map-legend", "map-mark"].map(|id| say(lang, id, &[]))
}

/// Whose borders the map shows.
#[must_use]
pub fn credit(lang: Lang) -> String {
    say(lang, "map-credit", &[])
}

/// The button that asks for it.
#[must_use]
pub fn button(lang: Lang) -> String {
    say(lang, "map-button", &[])
}

/// What the picture shows, for those who cannot see it.
#[must_use]
pub fn alt(lang: Lang, best: &Area) -> String {
    say(lang, "map-alt", &[("area", area(lang, best).into())])
}

/// To a hundred metres; as maps read it.
fn degrees(Coordinate { lat, lng }: Coordinate) -> String {
    format!("{lat:.3}, {lng:.3}")
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{MAP_EN, MAP_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;

    #[test]
    fn both_languages_have_the_same_messages_and_all_are_used() {
        assert_eq!(messages(MAP_JA), messages(MAP_EN));
        // The page says the heading.
        let code = include_str!("map.rs");
        let unused: Vec<String> = messages(MAP_EN)
            .into_keys()
            .filter(|id| !code.contains(&format!("\"{id}\"")) && id != "map-heading")
            .collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn what_is_said_of_a_guess() {
        let at = Coordinate { lat: 35.65861, lng: 139.74542 };
        for lang in Lang::ALL {
            let best = &sample::areas()[0];
            let mut said = vec![title(lang, &sample::prediction(4.0)), title(lang, &sample::prediction(0.4))];
            said.extend([position(lang, at), note(lang, at), credit(lang), button(lang), alt(lang, best)]);
            said.extend(legend(lang));
            insta::assert_snapshot!(format!("map-{}", lang.tag()), said.join("\n"));
        }
    }
}
