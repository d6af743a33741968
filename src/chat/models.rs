//! `/models`, `/promote` and `/rollback`: admins exchange the live model.

use super::admin::Done;
use super::message::{Incoming, Role};
use super::text::{self, Lang};
use crate::judge::Verdict;
use crate::models::{ModelsError, Registry, Wanted};
use crate::store::StoreError;
use crate::store::promotions::Promotion;

/// The words after `/promote`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    name: String,
    /// Why it is forced, if it is; may be empty.
    force: Option<String>,
}

/// Reads `NAME`, `NAME force REASON` or `name=NAME force=REASON`, the last two in any order. `None` without a name.
fn asked(words: &str) -> Option<Asked> {
    let mut asked = Asked::default();
    for word in words.split_whitespace() {
        match (word.strip_prefix("name="), word.strip_prefix("force="), &mut asked.force) {
            (Some(name), ..) => name.clone_into(&mut asked.name),
            (_, Some(reason), _) => asked.force = Some(reason.to_owned()),
            (_, _, Some(reason)) => *reason = format!("{reason} {word}").trim().to_owned(),
            (_, _, None) if asked.name.is_empty() => word.clone_into(&mut asked.name),
            (_, _, None) if word == "force" => asked.force = Some(String::new()),
            // Something that was not meant as a reason must not force anything.
            _ => return None,
        }
    }
    (!asked.name.is_empty()).then_some(asked)
}

/// `/models`
pub(super) async fn list(registry: &Registry, lang: Lang) -> Result<Done, StoreError> {
    match registry.list().await {
        Ok(models) => Ok(Done::words(text::models::list(lang, &models))),
        Err(error) => failed(lang, "", error, None),
    }
}

/// `/promote`
pub(super) async fn promote(registry: &Registry, incoming: &Incoming) -> Result<Done, StoreError> {
    let lang = incoming.lang;
    let Some(Asked { name, force }) = asked(&incoming.arguments) else {
        return Ok(Done::words(text::models::promote_how(lang)));
    };
    if force.is_some() && incoming.role < Role::Owner {
        return Ok(Done::not(text::admin::refusal(lang, Role::Owner)));
    }
    let verdict = match &force {
        Some(_) => None,
        None => match registry.shelf().verdict(&name) {
            Ok(verdict) => Some(verdict),
            Err(error) => return failed(lang, &name, error, None),
        },
    };
    let wanted = match (force, &verdict) {
        (Some(reason), _) => Wanted::Forced(reason),
        (None, Some(verdict)) => Wanted::Better(Box::new(verdict.clone())),
        (None, None) => return Ok(Done::words(text::models::promote_how(lang))),
    };
    match registry.promote(&name, wanted, &actor(incoming)).await {
        Ok(promotion) => Ok(changed(&promotion, text::models::promoted(lang, &promotion))),
        Err(error) => failed(lang, &name, error, verdict.as_ref()),
    }
}

/// `/rollback`
pub(super) async fn rollback(registry: &Registry, incoming: &Incoming) -> Result<Done, StoreError> {
    let lang = incoming.lang;
    match registry.rollback(&actor(incoming)).await {
        Ok(promotion) => Ok(changed(&promotion, text::models::rolled_back(lang, &promotion))),
        Err(error) => failed(lang, "", error, None),
    }
}

fn changed(promotion: &Promotion, words: String) -> Done {
    let candidate = &promotion.candidate;
    let outcome = format!("live: {} {}", candidate.name, candidate.version);
    Done { outcome, ..Done::words(words) }
}

/// What the admin can mend is said; the rest is a fault of ours.
fn failed(lang: Lang, name: &str, error: ModelsError, verdict: Option<&Verdict>) -> Result<Done, StoreError> {
    let words = text::models::refused(lang, name, &error, verdict);
    match (words, error) {
        (Some(words), error) => {
            tracing::info!(name, %error, "the live model stays");
            Ok(Done { outcome: "refused".to_owned(), ..Done::words(words) })
        }
        (None, ModelsError::Store(error)) => Err(error),
        (None, error) => {
            tracing::error!(name, %error, "the models cannot be exchanged");
            Ok(Done { outcome: "failed".to_owned(), ..Done::words(text::admin::failed(lang)) })
        }
    }
}

/// Who asks, as the history of the models keeps it.
fn actor(incoming: &Incoming) -> String {
    format!("{}:{}", incoming.user.platform.name(), incoming.user.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_options_mean_the_same() {
        let forced = |name: &str, reason: &str| Some(Asked { name: name.to_owned(), force: Some(reason.to_owned()) });
        assert_eq!(asked(" m "), Some(Asked { name: "m".to_owned(), force: None }));
        assert_eq!(asked("name=m"), asked("m"));
        for words in ["m force it is winter", "name=m force=it is winter", "force=it is winter name=m"] {
            assert_eq!(asked(words), forced("m", "it is winter"), "{words}");
        }
        assert_eq!(asked("m force"), forced("m", ""));
        assert_eq!((asked(""), asked("force=why"), asked("m because")), (None, None, None));
    }
}
