//! What is said about the models to choose from.

use super::bundle::say;
use super::{Lang, format, report};
use crate::judge::{Measured, Verdict};
use crate::models::{Listed, ModelsError, Standing};
use crate::store::promotions::Promotion;

/// `/models`: every model, with the live one marked.
#[must_use]
pub fn list(lang: Lang, models: &[Listed]) -> String {
    let mut lines = vec![say(lang, "models-title", &[])];
    lines.extend(models.iter().map(|model| line(lang, model)));
    lines.push(say(lang, "models-hint", &[]));
    lines.join("\n")
}

fn line(lang: Lang, listed: &Listed) -> String {
    let (dot, note) = match listed.standing {
        Standing::Live => ("●", say(lang, "models-live", &[])),
        Standing::Before => ("○", say(lang, "models-before", &[])),
        Standing::Other => ("○", String::new()),
    };
    let name = if listed.name.is_empty() { say(lang, "models-configured", &[]) } else { listed.name.clone() };
    let (dot, name, note) = (("dot", dot.into()), ("name", name.into()), ("note", note.into()));
    match &listed.manifest {
        Ok(manifest) => {
            let values = [
                dot,
                name,
                note,
                ("model", manifest.name.as_str().into()),
                ("version", manifest.version.as_str().into()),
                ("recall", format::percent_1(manifest.metrics.macro_recall).into()),
                ("photos", manifest.metrics.photos.to_string().into()),
            ];
            say(lang, "models-line", &values)
        }
        Err(problem) => say(lang, "models-broken", &[dot, name, note, ("problem", problem.as_str().into())]),
    }
}

/// What may be said after `/promote`.
#[must_use]
pub fn promote_how(lang: Lang) -> String {
    say(lang, "promote-how", &[])
}

/// A model went live.
#[must_use]
pub fn promoted(lang: Lang, promotion: &Promotion) -> String {
    named(lang, "promoted", promotion)
}

/// The model before is live again.
#[must_use]
pub fn rolled_back(lang: Lang, promotion: &Promotion) -> String {
    named(lang, "rolled-back", promotion)
}

fn named(lang: Lang, id: &str, promotion: &Promotion) -> String {
    let candidate = &promotion.candidate;
    say(lang, id, &[("model", candidate.name.as_str().into()), ("version", candidate.version.as_str().into())])
}

/// Nothing can be exchanged.
#[must_use]
pub fn off(lang: Lang) -> String {
    say(lang, "models-off", &[])
}

/// Why the model called `name` did not go live; `verdict` is the comparison that was known. `None` for faults of ours.
#[must_use]
pub fn refused(lang: Lang, name: &str, error: &ModelsError, verdict: Option<&Verdict>) -> Option<String> {
    let with_name = |id| say(lang, id, &[("name", name.into())]);
    Some(match error {
        ModelsError::Name(_) | ModelsError::Unknown { .. } => with_name("promote-unknown"),
        ModelsError::Live(model) => say(lang, "promote-live", &[("model", model.as_str().into())]),
        ModelsError::NoVerdict(_) => with_name("promote-no-verdict"),
        ModelsError::Stale => with_name("promote-stale"),
        ModelsError::NotBetter => {
            let verdict = verdict?;
            let [low, _, high] = report::deciding(&verdict.measured).map(Into::into);
            let id = match verdict.measured {
                Measured::Names(_) => "promote-not-better",
                Measured::Distance(_) => "promote-not-nearer",
            };
            let photos = ("photos", verdict.photos.to_string().into());
            say(lang, id, &[("name", name.into()), photos, ("low", low), ("high", high)])
        }
        ModelsError::NoReason => with_name("promote-no-reason"),
        ModelsError::Model(problem) => {
            say(lang, "promote-broken", &[("name", name.into()), ("problem", problem.to_string().into())])
        }
        ModelsError::Nothing => say(lang, "rollback-nothing", &[]),
        ModelsError::Folder { .. } | ModelsError::Verdict { .. } | ModelsError::Portrait(_) | ModelsError::Store(_) => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{MODELS_EN, MODELS_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;
    use crate::models::tests::verdict;
    use crate::store::promotions::{Candidate, Ground};

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(MODELS_JA), messages(MODELS_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("models.rs");
        let unused: Vec<String> =
            messages(MODELS_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn what_is_said_of_models() {
        let listed = |name: &str, standing, manifest| Listed { name: name.to_owned(), manifest, standing };
        let models = || {
            [
                listed("", Standing::Before, Ok(sample::manifest())),
                listed("drawn-2", Standing::Live, Ok(sample::manifest())),
                listed("half", Standing::Other, Err("model.onnx has another SHA-256".to_owned())),
            ]
        };
        let (name, version, sha256) = ("drawn-world".to_owned(), "2.0.0".to_owned(), String::new());
        let promotion = Promotion {
            id: 1,
            candidate: Candidate { folder: "drawn-2".to_owned(), name, version, sha256 },
            ground: Ground::Rollback,
            actor: "terminal".to_owned(),
            at: "2026-11-26T07:08:09Z".parse().expect("a moment"),
            previous: None,
        };
        let errors = [
            ModelsError::Name("..".to_owned()),
            ModelsError::Live("drawn-world 1.0.0".to_owned()),
            ModelsError::NoVerdict("drawn-2".to_owned()),
            ModelsError::Stale,
            ModelsError::NotBetter,
            ModelsError::NoReason,
            ModelsError::Nothing,
        ];
        for lang in Lang::ALL {
            let known = verdict("a", "b", false);
            let mut said = vec![list(lang, &models()), promote_how(lang), promoted(lang, &promotion)];
            said.extend([rolled_back(lang, &promotion), off(lang)]);
            said.extend(errors.iter().filter_map(|error| refused(lang, "drawn-2", error, Some(&known))));
            let distant = sample::by_distance();
            said.extend(refused(lang, "cells-1", &ModelsError::NotBetter, Some(&distant)));
            assert_eq!(said.len(), 6 + errors.len());
            insta::assert_snapshot!(format!("models-{}", lang.tag()), said.join("\n---\n"));
        }
    }
}
