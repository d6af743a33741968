//! The two Fluent bundles, compiled into the program.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

use super::Lang;

/// The messages in Japanese.
pub(super) const JA: &str = include_str!("ja.ftl");
/// The messages in English.
pub(super) const EN: &str = include_str!("en.ftl");
/// The page's and the API's messages in Japanese.
pub(super) const WEB_JA: &str = include_str!("web.ja.ftl");
/// The page's and the API's messages in English.
pub(super) const WEB_EN: &str = include_str!("web.en.ftl");

/// The quiz's messages in Japanese.
pub(super) const QUIZ_JA: &str = include_str!("quiz.ja.ftl");
/// The quiz's messages in English.
pub(super) const QUIZ_EN: &str = include_str!("quiz.en.ftl");

/// The admins' messages in Japanese.
pub(super) const ADMIN_JA: &str = include_str!("admin.ja.ftl");
/// The admins' messages in English.
pub(super) const ADMIN_EN: &str = include_str!("admin.en.ftl");

/// The messages of the report on a model in Japanese.
pub(super) const REPORT_JA: &str = include_str!("report.ja.ftl");
/// The messages of the report on a model in English.
pub(super) const REPORT_EN: &str = include_str!("report.en.ftl");

/// The messages about models in Japanese.
pub(super) const MODELS_JA: &str = include_str!("models.ja.ftl");
/// The messages about models in English.
pub(super) const MODELS_EN: &str = include_str!("models.en.ftl");

/// Collecting's messages in Japanese.
pub(super) const COLLECT_JA: &str = include_str!("collect.ja.ftl");
/// Collecting's messages in English.
pub(super) const COLLECT_EN: &str = include_str!("collect.en.ftl");

/// What admins are told while imagery is collected, in Japanese.
pub(super) const COLLECTING_JA: &str = include_str!("collecting.ja.ftl");
/// What admins are told while imagery is collected, in English.
pub(super) const COLLECTING_EN: &str = include_str!("collecting.en.ftl");

/// What is said of a run of collecting, in Japanese.
pub(super) const RUNNING_JA: &str = include_str!("running.ja.ftl");
/// What is said of a run of collecting, in English.
pub(super) const RUNNING_EN: &str = include_str!("running.en.ftl");

/// The messages about heatmaps in Japanese.
pub(super) const WHY_JA: &str = include_str!("why.ja.ftl");
/// The messages about heatmaps in English.
pub(super) const WHY_EN: &str = include_str!("why.en.ftl");

/// What is said of photos that look alike, in Japanese.
pub(super) const SIMILAR_JA: &str = include_str!("similar.ja.ftl");
/// What is said of photos that look alike, in English.
pub(super) const SIMILAR_EN: &str = include_str!("similar.en.ftl");

/// The messages about photos that people give, in Japanese.
pub(super) const GIFT_JA: &str = include_str!("gift.ja.ftl");
/// The messages about photos that people give, in English.
pub(super) const GIFT_EN: &str = include_str!("gift.en.ftl");
/// What is said of a guess on the map, in Japanese.
pub(super) const MAP_JA: &str = include_str!("map.ja.ftl");
/// What is said of a guess on the map, in English.
pub(super) const MAP_EN: &str = include_str!("map.en.ftl");

/// What admins are told of trainings, in Japanese.
pub(super) const TRAINING_JA: &str = include_str!("training.ja.ftl");
/// What admins are told of trainings, in English.
pub(super) const TRAINING_EN: &str = include_str!("training.en.ftl");

/// What is said of a model's gallery, confusions and atlas, in Japanese.
pub(super) const INSIGHT_JA: &str = include_str!("insight.ja.ftl");
/// What is said of a model's gallery, confusions and atlas, in English.
pub(super) const INSIGHT_EN: &str = include_str!("insight.en.ftl");

type Bundle = FluentBundle<FluentResource>;

static JA_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    bundle(
        langid!("ja"),
        &[
            JA,
            WEB_JA,
            QUIZ_JA,
            ADMIN_JA,
            REPORT_JA,
            MODELS_JA,
            COLLECT_JA,
            COLLECTING_JA,
            RUNNING_JA,
            WHY_JA,
            INSIGHT_JA,
            SIMILAR_JA,
            GIFT_JA,
            MAP_JA,
            TRAINING_JA,
        ],
    )
});
static EN_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    bundle(
        langid!("en"),
        &[
            EN,
            WEB_EN,
            QUIZ_EN,
            ADMIN_EN,
            REPORT_EN,
            MODELS_EN,
            COLLECT_EN,
            COLLECTING_EN,
            RUNNING_EN,
            WHY_EN,
            INSIGHT_EN,
            SIMILAR_EN,
            GIFT_EN,
            MAP_EN,
            TRAINING_EN,
        ],
    )
});

fn bundle(lang: LanguageIdentifier, sources: &[&str]) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![lang]);
    // Chat clients show the isolation marks around variables as boxes.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned()).expect("a test parses the messages");
        bundle.add_resource(resource).expect("a test finds messages that are there twice");
    }
    bundle
}

/// The message `id` with its variables filled in. A test proves that every message that the program names is
/// there in both languages with the same variables; should one be missing all the same, users see its name.
pub(super) fn say(lang: Lang, id: &str, values: &[(&'static str, FluentValue<'_>)]) -> String {
    let bundle: &Bundle = match lang {
        Lang::Ja => &JA_BUNDLE,
        Lang::En => &EN_BUNDLE,
    };
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        tracing::error!(id, lang = lang.tag(), "a message is missing");
        return id.to_owned();
    };
    let arguments: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
    let mut errors = Vec::new();
    let words = bundle.format_pattern(pattern, Some(&arguments), &mut errors);
    debug_assert!(errors.is_empty(), "message {id} in {}: {errors:?}", lang.tag());
    words.into_owned()
}
