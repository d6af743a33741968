//! The pages, rendered once a language for each model that goes live.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::{CONTENT_LANGUAGE, VARY};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use super::language::Language;
use super::problem::Problem;
use super::samples::{Listed, listed};
use super::upload::MAX_PHOTOS;
use super::{Shared, Site};
use crate::chat::Lang;
use crate::chat::text::web::{PageLimits, model as model_words, page as words, play as play_words};
use crate::domain::Area;
use crate::domain::quiz::PHOTO_COUNTS;
use crate::front::json::Model;
use crate::infer::manifest::Manifest;

/// `{{message}}` stands for a message, `{{lang}}` for the language and `{{data}}` for what the script knows.
const TEMPLATE: &str = include_str!("assets/page.html");
/// The quiz's, in the same way.
const QUIZ_TEMPLATE: &str = include_str!("assets/quiz.html");
/// That about the model.
const MODEL_TEMPLATE: &str = include_str!("assets/model.html");

/// The pages of the live model.
#[derive(Default)]
pub(super) struct Pages {
    current: Mutex<Option<(Arc<Manifest>, Arc<Rendered>)>>,
}

/// The pages in both languages.
struct Rendered {
    photo: Page,
    /// `None` where there is no quiz.
    quiz: Option<Page>,
    /// `None` where nothing is shown of the model.
    model: Option<Page>,
}

struct Page {
    ja: String,
    en: String,
}

type Words = BTreeMap<&'static str, String>;

/// What a page's script knows. It holds both languages, so that the reader can switch without losing what is on the
/// screen.
#[derive(Serialize)]
struct Data<'a, T: Serialize> {
    words: BTreeMap<&'static str, &'a Words>,
    #[serde(flatten)]
    more: T,
}

#[derive(Serialize)]
struct PhotoData<'a> {
    areas: Vec<AreaNames<'a>>,
    samples: Vec<Listed>,
    model: Model,
    /// Bytes.
    max_bytes: usize,
    max_photos: usize,
}

#[derive(Serialize)]
struct ModelData<'a> {
    areas: Vec<AreaNames<'a>>,
}

#[derive(Serialize)]
struct QuizData {
    photo_counts: [u8; 4],
}

#[derive(Serialize)]
struct AreaNames<'a> {
    area: &'a str,
    name_en: &'a str,
}

impl<'a> AreaNames<'a> {
    fn of(area: &'a Area) -> Self {
        Self { area: &area.area, name_en: &area.name_en }
    }
}

/// What is shown or hidden.
#[derive(Clone, Copy)]
struct Shown {
    is_drawn: bool,
    has_quiz: bool,
    has_insight: bool,
}

impl Pages {
    fn of(&self, site: &Site) -> Arc<Rendered> {
        let manifest = site.core.manifest();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((of, pages)) if Arc::ptr_eq(of, &manifest) => pages.clone(),
            _ => {
                let pages = Arc::new(Rendered::new(site));
                *current = Some((manifest, pages.clone()));
                pages
            }
        }
    }
}

impl Rendered {
    fn new(site: &Site) -> Self {
        let core = site.core.pinned();
        let manifest = core.manifest();
        let (has_quiz, has_insight) = (site.table.is_some(), site.insight.is_some());
        let shown = Shown { is_drawn: manifest.provenance.is_drawn_world(), has_quiz, has_insight };
        let limits = PageLimits { max_bytes: core.limits().max_bytes, max_photos: MAX_PHOTOS };
        let photo = PhotoData {
            areas: manifest.labels.iter().map(AreaNames::of).collect(),
            samples: listed(&site.samples),
            model: Model::from(&*core.identity()),
            max_bytes: limits.max_bytes,
            max_photos: limits.max_photos,
        };
        let photo = Page::new(TEMPLATE, |lang| words(lang, limits), photo, shown);
        let quiz = || Page::new(QUIZ_TEMPLATE, play_words, QuizData { photo_counts: PHOTO_COUNTS }, shown);
        let about = ModelData { areas: manifest.labels.iter().map(AreaNames::of).collect() };
        let model = || Page::new(MODEL_TEMPLATE, model_words, about, shown);
        Self { photo, quiz: has_quiz.then(quiz), model: has_insight.then(model) }
    }
}

impl Page {
    fn new(template: &str, words: impl Fn(Lang) -> Words, more: impl Serialize, shown: Shown) -> Self {
        let (ja, en) = (words(Lang::Ja), words(Lang::En));
        let words = Lang::ALL.into_iter().zip([&ja, &en]).map(|(lang, words)| (lang.tag(), words)).collect();
        let data = serde_json::to_string(&Data { words, more }).expect("plain data has a JSON form");
        // The block must not end before its time, whatever a model calls its areas.
        let data = data.replace('<', "\\u003c");
        let render = |lang, words| render(template, lang, words, &data, shown);
        Self { ja: render(Lang::Ja, &ja), en: render(Lang::En, &en) }
    }

    fn show(&self, lang: Lang) -> Response {
        let page = match lang {
            Lang::Ja => self.ja.clone(),
            Lang::En => self.en.clone(),
        };
        ([(CONTENT_LANGUAGE, lang.tag()), (VARY, "accept-language")], Html(page)).into_response()
    }
}

/// `GET /`
pub(super) async fn show(State(site): Shared, Language(lang): Language) -> Response {
    site.pages.of(&site).photo.show(lang)
}

/// `GET /quiz`
pub(super) async fn show_quiz(State(site): Shared, Language(lang): Language) -> Response {
    match &site.pages.of(&site).quiz {
        Some(page) => page.show(lang),
        None => Problem::QuizOff.response(lang),
    }
}

/// `GET /model`
pub(super) async fn show_model(State(site): Shared, Language(lang): Language) -> Response {
    match &site.pages.of(&site).model {
        Some(page) => page.show(lang),
        None => Problem::NotFound.response(lang),
    }
}

fn render(template: &str, lang: Lang, words: &Words, data: &str, shown: Shown) -> String {
    let mut page = String::with_capacity(template.len() + data.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("a test renders the template");
        page.push_str(before);
        match name {
            "lang" => page.push_str(lang.tag()),
            "data" => page.push_str(data),
            // Hidden, not left out: the attribute says so to those who read the page aloud as well.
            "unless-drawn-hidden" => page.push_str(if shown.is_drawn { "" } else { "hidden" }),
            "unless-quiz-hidden" => page.push_str(if shown.has_quiz { "" } else { "hidden" }),
            "unless-insight-hidden" => page.push_str(if shown.has_insight { "" } else { "hidden" }),
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
    const SHARED_SCRIPT: &str = include_str!("assets/words.js");
    const SPECIAL: [&str; 7] = [
        "lang",
        "data",
        "unless-drawn-hidden",
        "unless-quiz-hidden",
        "unless-insight-hidden",
        "current-ja",
        "current-en",
    ];

    /// Template, script and words of each page.
    fn pages() -> [(&'static str, &'static str, Words); 3] {
        let (photo, quiz) = (include_str!("assets/page.js"), include_str!("assets/quiz.js"));
        [
            (TEMPLATE, photo, words(Lang::En, LIMITS)),
            (QUIZ_TEMPLATE, quiz, play_words(Lang::En)),
            (MODEL_TEMPLATE, include_str!("assets/model.js"), model_words(Lang::En)),
        ]
    }

    /// What stands between `before` and `after`, wherever it does.
    fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
    }

    /// The messages of a template.
    fn worded(template: &str) -> Vec<&str> {
        between(template, "{{", "}}").filter(|name| !SPECIAL.contains(name)).collect()
    }

    #[test]
    fn every_message_of_the_templates_is_worded() {
        for (template, _, known) in pages() {
            for name in worded(template) {
                assert!(known.contains_key(name), "{name}");
            }
        }
    }

    #[test]
    fn the_scripts_find_again_what_the_server_worded() {
        for (template, ..) in pages() {
            let switched = between(template, "data-word=\"", "\"").chain(between(template, "data-label=\"", "\""));
            let mut switched: Vec<&str> = switched.collect();
            let mut worded = worded(template);
            switched.sort_unstable();
            worded.sort_unstable();
            assert_eq!(switched, worded);
        }
    }

    #[test]
    fn every_message_is_used_and_every_used_one_is_there() {
        for (template, script, known) in pages() {
            let said: Vec<&str> = between(script, "say('", "'").chain(between(template, "{{", "}}")).collect();
            let unused: Vec<_> = known.keys().filter(|name| !said.contains(name)).collect();
            assert!(unused.is_empty(), "nobody says {unused:?}");
            let missing: Vec<_> = between(script, "say('", "'").filter(|name| !known.contains_key(name)).collect();
            assert!(missing.is_empty(), "nowhere worded: {missing:?}");
        }
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for (template, script, _) in pages() {
            for forbidden in ["style=", "onclick", "onload", "http:", "https:", "//"] {
                assert!(!template.contains(forbidden), "{forbidden}");
            }
            for forbidden in ["innerHTML", "eval(", "http:", "https:"] {
                assert!(!script.contains(forbidden) && !SHARED_SCRIPT.contains(forbidden), "{forbidden}");
            }
        }
    }

    #[test]
    fn words_cannot_break_out() {
        let words = Words::from([("page-title", "<b>\"&".to_owned())]);
        let page =
            render(TEMPLATE, Lang::En, &words, "{}", Shown { is_drawn: false, has_quiz: false, has_insight: false });
        assert!(page.contains("&lt;b&gt;&quot;&amp;") && !page.contains("<b>"));
    }
}
