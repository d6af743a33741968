//! What is said to admins, and to those who are none.

use super::Lang;
use super::bundle::say;
use crate::chat::message::Role;
use crate::retention::Days;
use crate::store::AdminAction;

/// To a command or a button that is for people of this role, by anybody who is less: the same words, whatever goes on.
#[must_use]
pub fn refusal(lang: Lang, needed: Role) -> String {
    say(lang, if needed == Role::Owner { "owner-only" } else { "admin-only" }, &[])
}

/// [`refusal`] of what admins may do.
#[must_use]
pub fn only(lang: Lang) -> String {
    refusal(lang, Role::Admin)
}

/// That something failed that is no admin's fault.
#[must_use]
pub fn failed(lang: Lang) -> String {
    say(lang, "admin-failed", &[])
}

/// The end of `/privacy`: how long the log of admins' actions and their jobs are kept.
#[must_use]
pub fn kept(lang: Lang, days: &Days) -> String {
    say(lang, "kept", &[("audit", days.audit.into()), ("jobs", days.jobs.into())])
}

/// `/audit`: actions, newest first.
#[must_use]
pub fn audit(lang: Lang, actions: &[AdminAction]) -> String {
    if actions.is_empty() {
        return say(lang, "audit-empty", &[]);
    }
    let line = |action: &AdminAction| {
        let values = [
            ("at", action.at.strftime("%Y-%m-%d %H:%M:%S").to_string().into()),
            ("name", plain(&action.name).into()),
            ("platform", action.who.platform.name().into()),
            ("person", action.who.id.to_string().into()),
            ("action", plain(&action.action).into()),
            ("outcome", action.outcome.as_str().into()),
        ];
        say(lang, "audit-line", &values)
    };
    let lines: Vec<String> = actions.iter().map(line).collect();
    format!("{}\n{}", say(lang, "audit-title", &[]), lines.join("\n"))
}

/// Words of people on one line.
fn plain(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{ADMIN_EN, ADMIN_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::domain::{ChatRef, Platform, UserRef};

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(ADMIN_JA), messages(ADMIN_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("admin.rs");
        let unused: Vec<String> =
            messages(ADMIN_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn what_admins_are_told() {
        let action = |name: &str, action: &str, outcome: &str| AdminAction {
            at: "2026-11-26T07:08:09.5Z".parse().expect("a moment"),
            who: UserRef { platform: Platform::Discord, id: 42 },
            name: name.to_owned(),
            chat: ChatRef { platform: Platform::Discord, id: 20 },
            action: action.to_owned(),
            outcome: outcome.to_owned(),
        };
        for lang in Lang::ALL {
            let actions = [action("Aoi", "/audit", "done"), action("Ben\n— fake", "/audit all\n", "begun")];
            let refusals = [Role::Admin, Role::Owner].map(|role| refusal(lang, role));
            let said = [refusals.join("\n"), failed(lang), audit(lang, &actions), audit(lang, &[])];
            let kept = [365, 0].map(|audit| kept(lang, &Days { audit, jobs: 90, ..Days::default() })).join("\n");
            insta::assert_snapshot!(format!("admin-{}", lang.tag()), format!("{}\n---\n{kept}", said.join("\n---\n")));
        }
    }
}
