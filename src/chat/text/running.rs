//! What is said of a run of collecting: in the terminal while it runs, and why it halted.

use std::time::Duration;

use super::bundle::say;
use super::collect::duration;
use super::collecting::{no_plan, not_ready};
use super::{Lang, format};
use crate::collect::client::ClientError;
use crate::collect::dataset::KeepError;
use crate::collect::run::{AreaProgress, Ended, FAILURES, Halt, Progress, Summary};
use crate::collect::survey::SurveyError;
use crate::collect::trouble::{Stop, Trouble};
use crate::domain::imagery::Micros;
use crate::domain::spend::Refusal;
use crate::store::LockError;

/// Everything that changes while a run runs, in one line.
#[must_use]
pub fn line(lang: Lang, progress: &Progress, currency: &str) -> String {
    let AreaProgress { points, asked, images, wanted, failed, .. } = progress.total();
    let number = |number: u64| format::count(number).into();
    let asked = ("asked", number(asked));
    let mut parts = vec![match points {
        0 => say(lang, "run-photos", &[asked]),
        points => say(lang, "run-points", &[asked, ("points", number(points))]),
    }];
    let (images, wanted) = (("images", number(images)), ("wanted", number(wanted)));
    parts.push(match failed {
        0 => say(lang, "run-images", &[images, wanted]),
        failed => say(lang, "run-images-failed", &[images, wanted, ("failed", number(failed))]),
    });
    parts.push(say(lang, "run-rate", &[("rate", format!("{:.1}", progress.rate).into())]));
    if progress.spent_run > 0 {
        parts.push(format::money(Micros(progress.spent_run), currency));
    }
    if progress.in_doubt > 0 {
        parts.push(say(lang, "run-doubt", &[("count", number(progress.in_doubt))]));
    }
    if let Some(seconds) = progress.eta_seconds {
        let time = duration(lang, Duration::from_secs(seconds));
        parts.push(say(lang, "run-left", &[("time", time.into())]));
    }
    parts.join(match lang {
        Lang::Ja => "、",
        Lang::En => ", ",
    })
}

/// What came of a run, area by area.
#[must_use]
pub fn summary(lang: Lang, summary: &Summary, currency: &str) -> String {
    let Summary { run, ended, progress } = summary;
    let area = |counts: &AreaProgress| {
        let AreaProgress { area, name_en, asked, found, images, new, failed, .. } = counts;
        let name = match lang {
            Lang::Ja => area,
            Lang::En => name_en,
        };
        let number = |number: &u64| format::count(*number).into();
        let values = [
            ("area", name.as_str().into()),
            ("asked", number(asked)),
            ("found", number(found)),
            ("images", number(images)),
            ("new", number(new)),
            ("failed", number(failed)),
        ];
        say(lang, "run-area", &values)
    };
    let mut lines: Vec<String> = progress.areas.iter().map(area).collect();
    let money = format::money(Micros(progress.spent_run), currency);
    lines.push(say(lang, "run-spent", &[("run", run.0.to_string().into()), ("money", money.into())]));
    if progress.unplaced > 0 {
        lines.push(say(lang, "run-unplaced", &[("count", format::count(progress.unplaced).into())]));
    }
    lines.push(match ended {
        Ended::Done => say(lang, "run-done", &[]),
        Ended::Incomplete => say(lang, "run-incomplete", &[]),
        Ended::Stopped => say(lang, "run-stopped", &[]),
    });
    lines.join("\n")
}

/// Why nothing, or nothing more, is collected, and what the admin does about it.
#[must_use]
pub fn failure(lang: Lang, error: &anyhow::Error, currency: &str) -> String {
    if let Some(why) = error.downcast_ref::<Halt>() {
        halt(lang, why, currency)
    } else if let Some(why) = error.downcast_ref::<SurveyError>() {
        no_plan(lang, why)
    } else {
        format!("{error:#}")
    }
}

/// Why a run halted. What is a fault of the machine or the program comes in its own words.
#[must_use]
pub fn halt(lang: Lang, why: &Halt, currency: &str) -> String {
    match why {
        Halt::Refused(why) => refused(lang, why),
        Halt::Cap(Refusal::Cap { cap, limit, spent, .. }) => {
            let amount = |amount: Micros| format::money(amount, currency).into();
            let values = [("cap", cap.to_string().into()), ("limit", amount(*limit)), ("spent", amount(*spent))];
            say(lang, "halt-cap", &values)
        }
        Halt::Unreachable(Trouble::Stop(why)) => refused(lang, why),
        Halt::Unreachable(Trouble::Later { service, why }) => {
            let (service, why) = (("service", (*service).into()), ("why", why.as_str().into()));
            say(lang, "halt-unreachable", &[service, why, ("times", FAILURES.to_string().into())])
        }
        Halt::Keep(KeepError::DiskFull { path }) => {
            say(lang, "halt-disk-full", &[("path", path.display().to_string().into())])
        }
        Halt::Keep(KeepError::Write { path, source }) => {
            let path = path.display().to_string();
            say(lang, "halt-write", &[("path", path.into()), ("why", source.to_string().into())])
        }
        Halt::Locked(LockError::Repairing) => say(lang, "halt-repairing", &[]),
        Halt::Client(ClientError::NotReady(reason)) => not_ready(lang, reason),
        Halt::Cap(_)
        | Halt::Keep(_)
        | Halt::Store(_)
        | Halt::Locked(_)
        | Halt::Client(_)
        | Halt::Folder(_)
        | Halt::Panicked(_) => why.to_string(),
    }
}

fn refused(lang: Lang, why: &Stop) -> String {
    let (id, said) = match why {
        Stop::StreetViewDenied { said } => ("halt-streetview-denied", said),
        Stop::StreetViewQuota { said } => ("halt-streetview-quota", said),
        Stop::MapillaryDenied { said } => ("halt-mapillary-denied", said),
        Stop::MapillaryQuota { said } => ("halt-mapillary-quota", said),
        Stop::Misunderstood { service, said } => {
            let values = [("service", (*service).into()), ("said", said.as_str().into())];
            return say(lang, "halt-misunderstood", &values);
        }
    };
    say(lang, id, &[("said", said.as_str().into())])
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{RUNNING_EN, RUNNING_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::collect::settings::NotReady;
    use crate::domain::spend::{Cap, RunId};

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(RUNNING_JA), messages(RUNNING_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("running.rs");
        let unused: Vec<String> =
            messages(RUNNING_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    fn progress() -> Progress {
        let area = |area: &str, name_en: &str, asked| AreaProgress {
            area: area.to_owned(),
            name_en: name_en.to_owned(),
            points: 1_400,
            asked,
            found: asked / 2,
            wanted: 60,
            images: 41,
            new: 31,
            failed: 2,
        };
        Progress {
            areas: vec![area("東京都港区", "Minato, Tokyo", 1_030), area("北海道旭川市", "Asahikawa, Hokkaido", 0)],
            unplaced: 3,
            spent_run: 434_000,
            in_doubt: 3,
            rate: 9.94,
            eta_seconds: Some(4_000),
            ..Progress::default()
        }
    }

    #[test]
    fn a_line_says_all_and_a_summary_each_area() {
        for lang in Lang::ALL {
            let mut said = vec![line(lang, &progress(), "USD"), line(lang, &Progress::default(), "USD")];
            for ended in [Ended::Done, Ended::Incomplete, Ended::Stopped] {
                said.push(summary(lang, &Summary { run: RunId(7), ended, progress: progress() }, "USD"));
            }
            insta::assert_snapshot!(format!("running-{}", lang.tag()), said.join("\n---\n"));
        }
    }

    #[test]
    fn each_halt_says_what_the_admin_does() {
        let said = || "API key is invalid".to_owned();
        let cap = |cap| {
            Halt::Cap(Refusal::Cap { cap, limit: Micros(20_000_000), spent: Micros(19_999_000), price: Micros(7_000) })
        };
        let path = || std::path::PathBuf::from("data/images");
        let halts = [
            Halt::Refused(Stop::StreetViewDenied { said: said() }),
            Halt::Refused(Stop::StreetViewQuota { said: said() }),
            Halt::Refused(Stop::MapillaryDenied { said: said() }),
            Halt::Refused(Stop::MapillaryQuota { said: said() }),
            Halt::Refused(Stop::Misunderstood { service: "Street View", said: said() }),
            cap(Cap::Run),
            cap(Cap::Day),
            cap(Cap::Month),
            Halt::Unreachable(Trouble::Later { service: "Mapillary", why: "status 503".to_owned() }),
            Halt::Keep(KeepError::DiskFull { path: path() }),
            Halt::Keep(KeepError::Write { path: path(), source: std::io::ErrorKind::PermissionDenied.into() }),
            Halt::Locked(LockError::Repairing),
            Halt::Client(NotReady::TermsNotAccepted.into()),
            Halt::Keep(KeepError::Format),
        ];
        for lang in Lang::ALL {
            let mut said: Vec<String> = halts.iter().map(|why| halt(lang, why, "USD")).collect();
            said.push(failure(lang, &cap(Cap::Day).into(), "USD"));
            said.push(failure(lang, &SurveyError::Nothing.into(), "USD"));
            said.push(failure(lang, &anyhow::anyhow!("no more threads"), "USD"));
            insta::assert_snapshot!(format!("halts-{}", lang.tag()), said.join("\n---\n"));
        }
    }
}
