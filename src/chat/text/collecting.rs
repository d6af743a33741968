//! What admins are told while imagery is collected; what is said of plans is in `collect`.

use std::time::Duration;

use super::bundle::say;
use super::collect::{duration, source};
use super::{Lang, format};
use crate::chat::collect::{MAX_POINTS, WordError};
use crate::collect::estimate::Estimate;
use crate::collect::run::{AreaProgress, Progress};
use crate::collect::settings::{Money, NotReady};
use crate::collect::survey::SurveyError;
use crate::collect::wish::Unfulfilled;
use crate::domain::imagery::{Micros, Source};
use crate::domain::job::JobState;

/// Areas that a message lists before it counts the others.
const AREAS: usize = 12;
/// Longest word that is repeated, characters.
const ECHO: usize = 32;
/// Longest reason that is repeated, characters: a message of Telegram has room for it.
const REASON: usize = 1_500;

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(lang: Lang) -> String { say(lang, $id, &[]) })*
    };
}

plain! {
    /// There is nothing to collect with.
    off = "collect-off";
    /// The button that begins.
    begin_button = "collect-begin-button";
    /// To the same once more.
    same = "collect-same";
    /// To `/collect status` before anything was collected.
    nothing = "collect-nothing";
    /// To `/collect stop`.
    stopping = "collect-stopping";
    /// To `/collect stop` when nothing is collected.
    nothing_to_stop = "collect-nothing-to-stop";
}

/// What is wrong with the words after `/collect`.
#[must_use]
pub fn word_error(lang: Lang, error: &WordError) -> String {
    match error {
        WordError::Source(word) => say(lang, "collect-bad-source", &[("word", echo(word).into())]),
        WordError::Points => say(lang, "collect-bad-points", &[("most", MAX_POINTS.to_string().into())]),
        WordError::Option(word) => say(lang, "collect-bad-option", &[("word", echo(word).into())]),
    }
}

/// Why a wish is not granted.
fn unfulfilled(lang: Lang, why: &Unfulfilled) -> String {
    match why {
        Unfulfilled::Source(reason) => not_ready(lang, reason),
        Unfulfilled::Points(_) => word_error(lang, &WordError::Points),
        Unfulfilled::Area { word, known } => {
            let known: Vec<&str> = known.iter().take(AREAS).map(String::as_str).collect();
            let values = [("word", echo(word).into()), ("areas", known.join(separator(lang)).into())];
            say(lang, "collect-bad-area", &values)
        }
    }
}

fn echo(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(ECHO).collect()
}

fn separator(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "、",
        Lang::En => ", ",
    }
}

/// That a source cannot be used, and what to do about it.
#[must_use]
pub fn not_ready(lang: Lang, reason: &NotReady) -> String {
    match reason {
        NotReady::TermsNotAccepted => say(lang, "collect-terms", &[]),
        NotReady::SecretMissing { key, variable } => {
            let variable = ("variable", (*variable).into());
            say(lang, "collect-secret-missing", &[("key", (*key).into()), variable])
        }
        NotReady::TooLarge { width, height } => {
            let values = [("width", width.to_string().into()), ("height", height.to_string().into())];
            say(lang, "collect-too-large", &values)
        }
        NotReady::FolderMissing => say(lang, "collect-folder-missing", &[]),
    }
}

/// That no plan could be made, and why.
#[must_use]
pub fn no_plan(lang: Lang, why: &SurveyError) -> String {
    match why {
        SurveyError::Wish(why) => unfulfilled(lang, why),
        why => say(lang, "collect-no-plan", &[("reason", cut(&why.to_string()).into())]),
    }
}

fn cut(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}

/// Under a plan that can be begun: what it may cost at most, and that it waits for the button.
#[must_use]
pub fn confirm(lang: Lang, estimate: &Estimate, limits: &Money) -> String {
    let amount = |amount: Micros| format::money(amount, &limits.currency).into();
    let caps = [
        ("run", amount(limits.cap_per_run)),
        ("day", amount(limits.cap_per_day)),
        ("month", amount(limits.cap_per_month)),
    ];
    let caps = (estimate.price > Micros(0)).then(|| say(lang, "collect-caps", &caps));
    let lines: Vec<String> = caps.into_iter().chain([say(lang, "collect-confirm", &[])]).collect();
    lines.join("\n")
}

fn more_areas(lang: Lang, areas: usize) -> Option<String> {
    let more = areas.checked_sub(AREAS).filter(|more| *more > 0)?;
    Some(say(lang, "collect-more-areas", &[("count", more.to_string().into())]))
}

/// To a confirmed plan; `place` counts the jobs that come before it.
#[must_use]
pub fn begun(lang: Lang, place: usize) -> String {
    match place {
        0 => say(lang, "collect-begun", &[]),
        place => say(lang, "collect-begun-place", &[("place", place.to_string().into())]),
    }
}

/// How a job stands that collects.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// How it stands.
    pub state: JobState,
    /// Jobs that come before it.
    pub place: usize,
    /// Where it collects from, if that is known.
    pub source: Option<Source>,
    /// How far it has come, once it says so.
    pub progress: Option<&'a Progress>,
    /// What money is counted in.
    pub currency: &'a str,
}

/// How collecting stands: a line an area, images, money, rate.
#[must_use]
pub fn standing(lang: Lang, standing: &Standing<'_>) -> String {
    let total = standing.progress.map(Progress::total).unwrap_or_default();
    let share = if total.points == 0 { 0.0 } else { total.asked as f32 / total.points as f32 };
    let head = [
        ("state", standing.state.name().into()),
        ("source", standing.source.map_or_else(|| "?".to_owned(), |from| source(lang, from)).into()),
        ("place", standing.place.to_string().into()),
        ("percent", format::percent(share).into()),
    ];
    let mut lines = vec![say(lang, "collect-state", &head)];
    if let Some(progress) = standing.progress {
        lines.extend(areas(lang, progress));
        lines.extend(sums(lang, standing, progress, &total));
    }
    lines.join("\n")
}

fn areas(lang: Lang, progress: &Progress) -> Vec<String> {
    let line = |area: &AreaProgress| {
        let name = match lang {
            Lang::Ja => area.area.as_str(),
            Lang::En => area.name_en.as_str(),
        };
        let images = ("images", area.images.to_string().into());
        if area.points == 0 {
            return say(lang, "collect-area-folder", &[("area", name.into()), images]);
        }
        let (asked, points) = (area.asked.to_string().into(), area.points.to_string().into());
        say(lang, "collect-area", &[("area", name.into()), ("asked", asked), ("points", points), images])
    };
    let lines = progress.areas.iter().take(AREAS).map(line);
    lines.chain(more_areas(lang, progress.areas.len())).collect()
}

fn sums(lang: Lang, standing: &Standing<'_>, progress: &Progress, total: &AreaProgress) -> Vec<String> {
    let values = [
        ("new", total.new.to_string().into()),
        ("size", format::storage(progress.bytes).into()),
        ("failed", total.failed.to_string().into()),
    ];
    let mut lines = vec![say(lang, "collect-images", &values)];
    if progress.spent_month > 0 {
        let spent = |amount: i64| format::money(Micros(amount), standing.currency).into();
        let (run, day, month) = (spent(progress.spent_run), spent(progress.spent_day), spent(progress.spent_month));
        lines.push(say(lang, "collect-spent", &[("run", run), ("day", day), ("month", month)]));
    }
    if progress.in_doubt > 0 && standing.state.is_over() {
        lines.push(say(lang, "collect-doubt", &[("count", progress.in_doubt.to_string().into())]));
    }
    if standing.state == JobState::Running && progress.rate > 0.0 {
        let rate = ("rate", format!("{:.1}", progress.rate).into());
        lines.push(match progress.eta_seconds {
            Some(left) => {
                let left = duration(lang, Duration::from_secs(left)).into();
                say(lang, "collect-rate-left", &[rate, ("time", left)])
            }
            None => say(lang, "collect-rate", &[rate]),
        });
    }
    lines
}

/// How collecting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// Everything that the plan can give is there.
    Done,
    /// Some points could not be asked.
    Incomplete,
    /// It cannot go on, for this reason.
    Failed(&'a str),
    /// An admin stopped it.
    Cancelled,
}

/// That collecting has ended.
#[must_use]
pub fn news(lang: Lang, news: News<'_>, progress: Option<&Progress>) -> String {
    let total = progress.map(Progress::total).unwrap_or_default();
    let counts = [("new", total.new.to_string().into()), ("images", total.images.to_string().into())];
    match news {
        News::Done => say(lang, "collect-news-done", &counts),
        News::Incomplete => say(lang, "collect-news-incomplete", &counts),
        News::Failed(reason) => say(lang, "collect-news-failed", &[("reason", cut(reason).into())]),
        News::Cancelled => say(lang, "collect-news-cancelled", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{COLLECTING_EN, COLLECTING_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;
    use crate::domain::Area;

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(COLLECTING_JA), messages(COLLECTING_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("collecting.rs");
        let unused: Vec<String> =
            messages(COLLECTING_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    fn money_limits() -> Money {
        Money {
            currency: "USD".to_owned(),
            price_per_image: Micros(7_000),
            cap_per_run: Micros(5_000_000),
            cap_per_day: Micros(10_000_000),
            cap_per_month: Micros(50_000_000),
        }
    }

    fn progress() -> Progress {
        let area = |area: Area| AreaProgress {
            area: area.area,
            name_en: area.name_en,
            points: 936,
            asked: 120,
            found: 90,
            wanted: 180,
            images: 175,
            new: 150,
            failed: 1,
        };
        Progress {
            areas: sample::areas().into_iter().map(area).collect(),
            unplaced: 0,
            spent_run: 1_050_000,
            spent_day: 1_225_000,
            spent_month: 9_999_999,
            in_doubt: 2,
            bytes: 43_210_000,
            rate: 3.25,
            eta_seconds: Some(7_260),
        }
    }

    #[test]
    fn what_is_said_of_words_and_offers() {
        for lang in Lang::ALL {
            let known = sample::areas().into_iter().map(|area| area.area).collect();
            let refused = [
                NotReady::TermsNotAccepted,
                NotReady::SecretMissing { key: "mapillary.token", variable: "KOKODOKO_MAPILLARY__TOKEN" },
                NotReady::TooLarge { width: 1_024, height: 768 },
                NotReady::FolderMissing,
            ];
            let errors =
                [WordError::Source("google".to_owned()), WordError::Points, WordError::Option("a=b".to_owned())];
            let mut said: Vec<String> = errors.iter().map(|error| word_error(lang, error)).collect();
            said.push(unfulfilled(lang, &Unfulfilled::Area { word: "大阪市\n".repeat(20), known }));
            said.push(unfulfilled(lang, &Unfulfilled::Points(0)));
            said.extend(refused.map(|why| unfulfilled(lang, &Unfulfilled::Source(why))));
            for source in [Source::Mapillary, Source::StreetView] {
                said.push(confirm(lang, &sample::plan(source).1, &money_limits()));
            }
            said.extend([off, begin_button, same].map(|words| words(lang)));
            said.extend([begun(lang, 0), begun(lang, 2), no_plan(lang, &SurveyError::Nothing)]);
            insta::assert_snapshot!(format!("collecting-wishes-{}", lang.tag()), said.join("\n---\n"));
        }
    }

    #[test]
    fn what_is_said_of_progress_and_news() {
        for lang in Lang::ALL {
            let progress = progress();
            let state = |state, progress| {
                standing(
                    lang,
                    &Standing { state, place: 1, source: Some(Source::StreetView), progress, currency: "USD" },
                )
            };
            let slow = Progress { spent_month: 0, eta_seconds: None, ..progress.clone() };
            let mut said = vec![
                state(JobState::Queued, None),
                state(JobState::Running, Some(&progress)),
                state(JobState::Running, Some(&slow)),
                state(JobState::Done, Some(&progress)),
                state(JobState::Failed, None),
                state(JobState::Cancelled, None),
            ];
            let endings = [News::Done, News::Incomplete, News::Failed("The key is refused."), News::Cancelled];
            said.extend(endings.map(|how| news(lang, how, Some(&progress))));
            said.extend([nothing, stopping, nothing_to_stop].map(|words| words(lang)));
            insta::assert_snapshot!(format!("collecting-progress-{}", lang.tag()), said.join("\n---\n"));
        }
    }
}
