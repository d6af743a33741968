//! What the page and the API say, in both languages.

use std::collections::BTreeMap;

use fluent_bundle::FluentValue;

use super::{Lang, format, say};

/// Messages of the page, each with the variables that the page's script fills in later: they stay in the
/// words as `{name}`.
const PAGE: [(&str, &[&str]); 62] = [
    ("page-title", &[]),
    ("page-reading", &[]),
    ("page-lead", &[]),
    ("page-promise", &[]),
    ("page-choose", &[]),
    ("page-camera", &[]),
    ("page-drop", &[]),
    ("page-drop-now", &[]),
    ("page-drop-area", &[]),
    ("page-formats", &[]),
    ("page-samples", &[]),
    ("page-sample", &["number"]),
    ("page-mine", &[]),
    ("page-mine-photo", &["number"]),
    ("page-too-many", &[]),
    ("page-language", &[]),
    ("page-script-needed", &[]),
    ("page-skip", &[]),
    ("page-to-quiz", &[]),
    ("page-to-model", &[]),
    ("page-answer", &[]),
    ("page-thinking", &[]),
    ("page-unknown-why", &[]),
    ("page-gift", &["area"]),
    ("page-candidates", &[]),
    ("page-candidates-hint", &[]),
    ("page-row", &["area", "percent"]),
    ("page-evidence-of", &["area"]),
    ("page-evidence-against", &["area", "other"]),
    ("page-question", &[]),
    ("page-ask-why", &["area"]),
    ("page-ask-why-not", &["area"]),
    ("why-not-alt", &["area", "other"]),
    ("page-strength", &[]),
    ("page-photo-alt", &[]),
    ("page-truth-right", &["area"]),
    ("page-truth", &["area"]),
    ("page-another", &[]),
    ("page-again", &[]),
    ("page-timing", &["decode", "preprocess", "queue", "run"]),
    ("page-failed", &[]),
    ("page-offline", &[]),
    ("answer-known", &["area", "percent"]),
    ("answer-unknown", &["area", "percent"]),
    ("answer-no-street", &[]),
    ("gift-yes", &[]),
    ("gift-no", &[]),
    ("gift-take-back", &[]),
    ("answer-heatmap", &[]),
    ("answer-heatmap-alt", &["area"]),
    ("map-heading", &[]),
    ("map-button", &[]),
    ("map-position", &["position"]),
    ("map-alt", &["area"]),
    ("similar-title", &[]),
    ("similar-intro", &[]),
    ("similar-button", &[]),
    ("similar-distance", &["area", "km"]),
    ("similar-gone", &[]),
    ("similar-doubt", &["other"]),
    ("drawn-world", &[]),
    ("error-too-many-bytes", &["size"]),
];

/// The same of the quiz page.
const PLAY: [(&str, &[&str]); 48] = [
    ("play-title", &[]),
    ("play-reading", &[]),
    ("play-to-page", &[]),
    ("play-lead", &[]),
    ("play-promise", &[]),
    ("play-photos", &[]),
    ("play-difficulty", &[]),
    ("play-easy", &[]),
    ("play-normal", &[]),
    ("play-hard", &[]),
    ("play-name", &[]),
    ("play-begin", &[]),
    ("play-daily", &[]),
    ("play-code", &[]),
    ("play-rematch", &[]),
    ("play-progress", &["done", "all"]),
    ("play-seconds-left", &["seconds"]),
    ("play-question", &["number", "all"]),
    ("play-photo-alt", &["number"]),
    ("play-number", &["number"]),
    ("play-how", &[]),
    ("play-stop", &[]),
    ("play-you", &[]),
    ("play-model", &[]),
    ("play-right", &["right", "all"]),
    ("play-no-answer", &[]),
    ("play-unscored", &[]),
    ("play-points", &["points", "change"]),
    ("play-your-answer", &["area"]),
    ("play-your-none", &[]),
    ("play-model-answer", &["area", "percent"]),
    ("play-again", &[]),
    ("play-other", &[]),
    ("play-share", &["code"]),
    ("play-scores", &[]),
    ("play-score", &[]),
    ("play-versus", &[]),
    ("play-week", &[]),
    ("play-month", &[]),
    ("play-ever", &[]),
    ("play-link", &[]),
    ("play-forget", &[]),
    ("play-forget-sure", &[]),
    ("play-privacy", &[]),
    ("page-language", &[]),
    ("page-script-needed", &[]),
    ("page-offline", &[]),
    ("drawn-world", &[]),
];

/// The same of the page about the model.
const MODEL: [(&str, &[&str]); 12] = [
    ("model-page-title", &[]),
    ("model-page-reading", &[]),
    ("model-page-gallery", &[]),
    ("model-page-confusions", &[]),
    ("model-page-atlas", &[]),
    ("model-page-all", &[]),
    ("model-page-area", &[]),
    ("model-page-wait", &[]),
    ("play-to-page", &[]),
    ("page-language", &[]),
    ("page-script-needed", &[]),
    ("page-offline", &[]),
];

/// What the page promises about sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimits {
    /// Largest photo, bytes.
    pub max_bytes: usize,
    /// Most photos at a time.
    pub max_photos: usize,
}

/// Every sentence of the page by its name. The page's script fills in what it knows later, the area for
/// example: such places read `{area}`.
#[must_use]
pub fn page(lang: Lang, limits: PageLimits) -> BTreeMap<&'static str, String> {
    let megabytes = format::megabytes_floor(limits.max_bytes);
    let worded = PAGE.into_iter().map(|(id, variables)| {
        let limit = if id == "page-too-many" { limits.max_photos.to_string() } else { megabytes.clone() };
        let kept = variables.iter().map(|name| (*name, FluentValue::from(format!("{{{name}}}"))));
        let values: Vec<_> = kept.chain([("limit", limit.into())]).collect();
        (id, say(lang, id, &values))
    });
    worded.collect()
}

/// Every sentence of the quiz page by its name, as [`page`].
#[must_use]
pub fn play(lang: Lang) -> BTreeMap<&'static str, String> {
    worded(lang, &PLAY)
}

/// Every sentence of the page about the model by its name, as [`page`].
#[must_use]
pub fn model(lang: Lang) -> BTreeMap<&'static str, String> {
    worded(lang, &MODEL)
}

fn worded(lang: Lang, messages: &[(&'static str, &[&'static str])]) -> BTreeMap<&'static str, String> {
    let worded = messages.iter().map(|(id, variables)| {
        let kept: Vec<_> = variables.iter().map(|name| (*name, FluentValue::from(format!("{{{name}}}")))).collect();
        (*id, say(lang, id, &kept))
    });
    worded.collect()
}

/// The name of somebody who gave none.
#[must_use]
pub fn guest(lang: Lang) -> String {
    say(lang, "play-guest", &[])
}

/// To a JSON body that cannot be read.
#[must_use]
pub fn bad_body(lang: Lang) -> String {
    say(lang, "problem-bad-body", &[])
}

/// To a request without a photo.
#[must_use]
pub fn missing_photo(lang: Lang) -> String {
    say(lang, "problem-missing-photo", &[])
}

/// To a multipart body that cannot be read.
#[must_use]
pub fn bad_multipart(lang: Lang) -> String {
    say(lang, "problem-bad-multipart", &[])
}

/// To more photos than one request may carry.
#[must_use]
pub fn too_many_photos(lang: Lang, limit: usize) -> String {
    say(lang, "problem-too-many-photos", &[("limit", limit.to_string().into())])
}

/// To a client with too many requests that run.
#[must_use]
pub fn too_many_requests(lang: Lang) -> String {
    say(lang, "problem-too-many-requests", &[])
}

/// To a body that is too large as a whole; `limit` in bytes.
#[must_use]
pub fn body_too_large(lang: Lang, limit: usize) -> String {
    say(lang, "problem-body-too-large", &[("limit", format::megabytes_floor(limit).into())])
}

/// To a body that ended too early.
#[must_use]
pub fn upload_broken(lang: Lang) -> String {
    say(lang, "problem-upload-broken", &[])
}

/// To a body that took too long.
#[must_use]
pub fn upload_slow(lang: Lang) -> String {
    say(lang, "problem-upload-slow", &[])
}

/// To parameters that there are none of, or values that they cannot have.
#[must_use]
pub fn bad_query(lang: Lang) -> String {
    say(lang, "problem-bad-query", &[])
}

/// To a heatmap for an area that the model does not know. At most 32 characters of `area` are repeated.
#[must_use]
pub fn unknown_area(lang: Lang, area: &str) -> String {
    say(lang, "problem-unknown-area", &[("area", echo(area).into())])
}

/// To an address that there is none of.
#[must_use]
pub fn not_found(lang: Lang) -> String {
    say(lang, "problem-not-found", &[])
}

/// To a method that an address does not take.
#[must_use]
pub fn method(lang: Lang) -> String {
    say(lang, "problem-method", &[])
}

/// To a request for a host that we are not. At most 32 characters of `host` are repeated.
#[must_use]
pub fn host(lang: Lang, host: &str) -> String {
    say(lang, "problem-host", &[("host", echo(host).into())])
}

/// To a request that another site's page made.
#[must_use]
pub fn origin(lang: Lang) -> String {
    say(lang, "problem-origin", &[])
}

fn echo(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(super::ECHO).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::bundle::{WEB_EN, WEB_JA};
    use super::super::tests::messages;
    use super::*;

    const LIMITS: PageLimits = PageLimits { max_bytes: 20 << 20, max_photos: 10 };

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(WEB_JA), messages(WEB_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("web.rs");
        let quoted: BTreeSet<&str> = code.split('"').skip(1).step_by(2).collect();
        let known = messages(WEB_EN);
        let unused: Vec<&String> = known.keys().filter(|id| !quoted.contains(id.as_str())).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn the_page_leaves_places_for_what_its_script_knows() {
        let pages = Lang::ALL.map(|lang| [(lang, page(lang, LIMITS), &PAGE[..]), (lang, play(lang), &PLAY[..])]);
        for (lang, words, ids) in pages.into_iter().flatten() {
            for (id, variables) in ids {
                let places: BTreeSet<&str> =
                    words[*id].split('{').skip(1).map(|rest| rest.split('}').next().expect("a place ends")).collect();
                assert_eq!(places, variables.iter().copied().collect(), "{id} in {}", lang.tag());
            }
        }
    }

    #[test]
    fn what_the_page_and_the_api_say() {
        for lang in Lang::ALL {
            let page = page(lang, LIMITS).into_iter().chain(play(lang)).map(|(id, words)| format!("{id}: {words}"));
            let problems = [
                missing_photo(lang),
                bad_multipart(lang),
                too_many_photos(lang, 10),
                too_many_requests(lang),
                body_too_large(lang, 40 << 20),
                upload_broken(lang),
                upload_slow(lang),
                bad_query(lang),
                unknown_area(lang, "東京都世田谷区\u{7}"),
                not_found(lang),
                method(lang),
                host(lang, &"rebound.example.".repeat(20)),
                origin(lang),
                bad_body(lang),
                guest(lang),
            ];
            let all: Vec<String> = page.chain(problems).collect();
            insta::assert_snapshot!(format!("web_{}", lang.tag()), all.join("\n"));
        }
    }
}
