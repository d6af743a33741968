//! What is said of photos that look alike.

use super::bundle::say;
use super::format::fitting;
use super::{Lang, percent, short_area};
use crate::chat::message::Platform;
use crate::chat::similar::{Shown, Similar};
use crate::domain::quiz::Credit;
use crate::domain::{Area, Prediction};
use crate::infer::index::kin::{LookAlike, SecondOpinion};

/// Longest name of a place, characters.
const PLACE: usize = 40;
/// Longest credit, characters.
const CREDIT: usize = 90;

/// The title of the picture.
#[must_use]
pub fn title(lang: Lang) -> String {
    say(lang, "similar-title", &[])
}

/// The button that asks for it.
#[must_use]
pub fn button(lang: Lang) -> String {
    say(lang, "similar-button", &[])
}

/// What the photo that was asked about is called.
#[must_use]
pub fn yours(lang: Lang) -> String {
    say(lang, "similar-yours", &[])
}

/// What was answered.
#[must_use]
pub fn answered(lang: Lang, area: &Area, probability: f32) -> String {
    say(lang, "similar-answered", &[("area", short_area(lang, area).into()), ("percent", percent(probability).into())])
}

/// Where a look-alike was taken.
#[must_use]
pub fn place(lang: Lang, alike: &LookAlike) -> String {
    clip(&format!("{} {}", short_area(lang, &alike.area), alike.entry.town), PLACE)
}

/// How far that is from the middle of the area that was answered, where it is known.
#[must_use]
pub fn distance(lang: Lang, prediction: &Prediction, alike: &LookAlike) -> Option<String> {
    let km = alike.distance_m? / 1_000.0;
    let km = if km < 10.0 { format!("{km:.1}") } else { format!("{km:.0}") };
    let values = [("area", short_area(lang, &prediction.best().area).into()), ("km", km.into())];
    Some(say(lang, "similar-distance", &values))
}

/// Whom a photo is owed to.
#[must_use]
pub fn credit(credit: &Credit) -> String {
    let parts: Vec<&str> = [&credit.source, &credit.licence].into_iter().map(String::as_str).collect();
    clip(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "), CREDIT)
}

/// Stands where a photo was.
#[must_use]
pub fn gone(lang: Lang) -> String {
    say(lang, "similar-gone", &[])
}

/// What the picture shows, for those who cannot see it.
#[must_use]
pub fn alt(lang: Lang) -> String {
    say(lang, "similar-alt", &[])
}

/// That most photos that look alike show another area than the one that was answered.
#[must_use]
pub fn doubt(lang: Lang, prediction: &Prediction, second: Option<&SecondOpinion>) -> Option<String> {
    // Who says "I don't know" has doubts enough.
    let second = second.filter(|second| prediction.known && !second.agrees)?;
    Some(say(lang, "similar-doubt", &[("other", short_area(lang, &second.best.area).into())]))
}

/// To `/similar` where the live model has no index.
#[must_use]
pub fn none(lang: Lang) -> String {
    say(lang, "similar-none", &[])
}

/// To `/similar` without a photo.
#[must_use]
pub fn missing(lang: Lang, platform: Platform) -> String {
    say(lang, "similar-missing", &[("platform", platform.name().into())])
}

/// The look-alikes in words that fit under a picture: links are left out where there is no room.
#[must_use]
pub fn list(lang: Lang, prediction: &Prediction, similar: &Similar) -> String {
    let with = |links: bool| {
        let lines = similar.shown.iter().zip(1..).map(|(shown, number)| line(lang, prediction, shown, number, links));
        let words: Vec<String> = std::iter::once(say(lang, "similar-intro", &[]))
            .chain(lines)
            .chain(similar.doubt(lang, prediction))
            .collect();
        words.join("\n")
    };
    fitting([true, false].into_iter().map(with))
}

fn line(lang: Lang, prediction: &Prediction, shown: &Shown, number: usize, links: bool) -> String {
    let Shown { alike, .. } = shown;
    let place = place(lang, alike);
    let owed = &alike.entry.credit;
    let link = owed.url.clone().filter(|_| links);
    let more = distance(lang, prediction, alike).into_iter().chain([credit(owed)]).chain(link);
    let more: Vec<String> = more.filter(|words| !words.is_empty()).collect();
    format!("{number}. {place}\n    {}", more.join(" · "))
}

fn clip(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{SIMILAR_EN, SIMILAR_JA};
    use super::super::format::CAPTION;
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(SIMILAR_JA), messages(SIMILAR_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("similar.rs");
        let unused: Vec<String> =
            messages(SIMILAR_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn what_is_said_of_look_alikes() {
        let prediction = sample::prediction(4.0);
        let similar = sample::similar();
        for lang in Lang::ALL {
            let platforms = Platform::CHATS.map(|platform| missing(lang, platform));
            let best = prediction.best();
            let mut said = vec![title(lang), button(lang), yours(lang), answered(lang, &best.area, best.probability)];
            said.extend([gone(lang), alt(lang), none(lang)]);
            said.extend(platforms);
            said.push(list(lang, &prediction, &similar));
            insta::assert_snapshot!(format!("similar-{}", lang.tag()), said.join("\n"));
        }
    }

    #[test]
    fn a_caption_has_room_for_the_longest_of_everything() {
        let mut similar = sample::similar();
        for shown in &mut similar.shown {
            shown.alike.entry.town = "長".repeat(200);
            let words = || "x".repeat(500);
            shown.alike.entry.credit = Credit { source: words(), licence: words(), url: Some(words()) };
        }
        for lang in Lang::ALL {
            let words = list(lang, &sample::prediction(4.0), &similar);
            assert!(words.encode_utf16().count() <= CAPTION && words.contains('…'), "{words}");
        }
    }

    #[test]
    fn only_an_answer_that_is_given_is_doubted() {
        let similar = sample::similar();
        let doubted = |logit: f32| doubt(Lang::En, &sample::prediction(logit), similar.second.as_ref());
        assert!(doubted(4.0).is_some_and(|words| words.contains("Shibuya")));
        assert_eq!(doubted(0.4), None);
        let agreeing = similar.second.clone().map(|second| SecondOpinion { agrees: true, ..second });
        assert_eq!(doubt(Lang::En, &sample::prediction(4.0), agreeing.as_ref()), None);
    }
}
