//! The page, rendered once a language when the site starts.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::{CONTENT_LANGUAGE, VARY};
use axum::response::{Html, IntoResponse};
use serde::Serialize;

use super::Shared;
use super::language::Language;
use super::samples::{Listed, Sample, listed};
use super::upload::MAX_PHOTOS;
use crate::chat::Lang;
use crate::chat::text::web::{PageLimits, page as words};
use crate::front::json::Model;
use crate::infer::Core;

/// `{{message}}` stands for a message, `{{lang}}` for the language and `{{data}}` for [`Data`].
const TEMPLATE: &str = include_str!("assets/page.html");

/// The page in both languages.
pub(super) struct Pages {
    ja: String,
    en: String,
}

type Words = BTreeMap<&'static str, String>;

/// What the page's script knows. It holds both languages, so that the reader can switch without losing the
/// answer on the screen.
#[derive(Serialize)]
struct Data<'a> {
    words: BTreeMap<&'static str, &'a Words>,
    areas: Vec<AreaNames<'a>>,
    samples: Vec<Listed>,
    model: Model,
    /// Bytes.
    max_bytes: usize,
    max_photos: usize,
}

#[derive(Serialize)]
struct AreaNames<'a> {
    area: &'a str,
    name_en: &'a str,
}

impl Pages {
    pub(super) fn new(core: &Core, samples: &[Sample]) -> Self {
        let limits = PageLimits { max_bytes: core.limits().max_bytes, max_photos: MAX_PHOTOS };
        let (ja, en) = (words(Lang::Ja, limits), words(Lang::En, limits));
        let manifest = core.manifest();
        let names = |area: &'_ crate::domain::Area| (area.area.clone(), area.name_en.clone());
        let names: Vec<(String, String)> = manifest.labels.iter().map(names).collect();
        let data = Data {
            words: Lang::ALL.into_iter().zip([&ja, &en]).map(|(lang, words)| (lang.tag(), words)).collect(),
            areas: names.iter().map(|(area, name_en)| AreaNames { area, name_en }).collect(),
            samples: listed(samples),
            model: Model::from(core.identity()),
            max_bytes: limits.max_bytes,
            max_photos: limits.max_photos,
        };
        let data = serde_json::to_string(&data).expect("plain data has a JSON form");
        // The block must not end before its time, whatever a model calls its areas.
        let data = data.replace('<', "\\u003c");
        let is_drawn = manifest.provenance.is_drawn_world();
        Self { ja: render(Lang::Ja, &ja, &data, is_drawn), en: render(Lang::En, &en, &data, is_drawn) }
    }
}

/// `GET /`
pub(super) async fn show(State(site): Shared, Language(lang): Language) -> impl IntoResponse {
    let page = match lang {
        Lang::Ja => site.pages.ja.clone(),
        Lang::En => site.pages.en.clone(),
    };
    ([(CONTENT_LANGUAGE, lang.tag()), (VARY, "accept-language")], Html(page))
}

fn render(lang: Lang, words: &Words, data: &str, is_drawn: bool) -> String {
    let mut page = String::with_capacity(TEMPLATE.len() + data.len());
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("a test renders the template");
        page.push_str(before);
        match name {
            "lang" => page.push_str(lang.tag()),
            "data" => page.push_str(data),
            // Hidden, not left out: the attribute says so to those who read the page aloud as well.
            "unless-drawn-hidden" => page.push_str(if is_drawn { "" } else { "hidden" }),
            "current-ja" | "current-en" => page.push_str(if name.ends_with(lang.tag()) { "true" } else { "false" }),
            name => page.push_str(&escape(words.get(name).map_or(name, String::as_str))),
        }
        rest = after;
    }
    page.push_str(rest);
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PageLimits = PageLimits { max_bytes: 20 << 20, max_photos: 10 };
    const SCRIPT: &str = include_str!("assets/page.js");

    /// What stands between `before` and `after`, wherever it does.
    fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
    }

    #[test]
    fn every_message_of_the_template_is_worded() {
        let known = words(Lang::En, LIMITS);
        let special = ["lang", "data", "unless-drawn-hidden", "current-ja", "current-en"];
        for name in between(TEMPLATE, "{{", "}}").filter(|name| !special.contains(name)) {
            assert!(known.contains_key(name), "{name}");
        }
    }

    #[test]
    fn the_script_finds_again_what_the_server_worded() {
        let switched = between(TEMPLATE, "data-word=\"", "\"").chain(between(TEMPLATE, "data-label=\"", "\""));
        let mut switched: Vec<&str> = switched.collect();
        let special = ["lang", "data", "unless-drawn-hidden", "current-ja", "current-en"];
        let mut worded: Vec<&str> = between(TEMPLATE, "{{", "}}").filter(|name| !special.contains(name)).collect();
        switched.sort_unstable();
        worded.sort_unstable();
        assert_eq!(switched, worded);
    }

    #[test]
    fn every_message_is_used_and_every_used_one_is_there() {
        let known = words(Lang::Ja, LIMITS);
        let said: Vec<&str> = between(SCRIPT, "say('", "'").chain(between(TEMPLATE, "{{", "}}")).collect();
        let unused: Vec<_> = known.keys().filter(|name| !said.contains(name)).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
        let missing: Vec<_> = between(SCRIPT, "say('", "'").filter(|name| !known.contains_key(name)).collect();
        assert!(missing.is_empty(), "nowhere worded: {missing:?}");
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for forbidden in ["style=", "onclick", "onload", "http:", "https:", "//"] {
            assert!(!TEMPLATE.contains(forbidden), "{forbidden}");
        }
        for forbidden in ["innerHTML", "eval(", "http:", "https:"] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn words_cannot_break_out() {
        let page = render(Lang::En, &Words::from([("page-title", "<b>\"&".to_owned())]), "{}", false);
        assert!(page.contains("&lt;b&gt;&quot;&amp;") && !page.contains("<b>"));
    }
}
