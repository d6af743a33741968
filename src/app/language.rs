//! The language of the command line.

use anyhow::bail;

use crate::chat::Lang;

/// As asked, else the environment's.
pub(super) fn language(asked: Option<&str>) -> anyhow::Result<Lang> {
    match asked {
        Some("ja") => Ok(Lang::Ja),
        Some("en") => Ok(Lang::En),
        Some(other) => bail!("--lang is {other:?}: write ja or en"),
        None => {
            let variable = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
            Ok(Lang::from_tag(&variable.unwrap_or_default()))
        }
    }
}
