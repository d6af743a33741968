//! Buttons, as strictly as Discord takes them.

use std::collections::HashSet;

use serde_json::Value;

use super::check::object;

/// Most rows, and most buttons in a row.
const ROWS: usize = 5;

/// Whether these rows of buttons may stand under a message.
pub(super) fn fit(components: &Value) -> Result<(), String> {
    let rows = components.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.len() > ROWS {
        return Err(format!("{} rows of components", rows.len()));
    }
    let mut ids = HashSet::new();
    for row in rows {
        object(row, &["type", "components"])?;
        let buttons = row["components"].as_array().filter(|_| row["type"] == 1).ok_or("no action row")?;
        if !(1..=ROWS).contains(&buttons.len()) {
            return Err(format!("{} buttons in a row", buttons.len()));
        }
        buttons.iter().try_for_each(button)?;
        if let Some(twice) = buttons.iter().map(|button| &button["custom_id"]).find(|id| !ids.insert(id.to_string())) {
            return Err(format!("two buttons with custom_id {twice}"));
        }
    }
    Ok(())
}

fn button(button: &Value) -> Result<(), String> {
    object(button, &["type", "style", "label", "custom_id", "disabled"])?;
    let fits = |key: &str, limit| button[key].as_str().is_some_and(|text| (1..=limit).contains(&text.chars().count()));
    let style = button["style"].as_u64().is_some_and(|style| (1..=4).contains(&style));
    if button["type"] == 2 && style && fits("label", 80) && fits("custom_id", 100) {
        Ok(())
    } else {
        Err(format!("an impossible button: {button}"))
    }
}

/// The `custom_id` of the button with this label or `custom_id`.
pub(super) fn find(components: &Value, button: &str) -> Option<String> {
    let mut all = components.as_array()?.iter().filter_map(|row| row["components"].as_array()).flatten();
    let found = all.find(|one| one["label"] == button || one["custom_id"] == button)?;
    found["custom_id"].as_str().map(str::to_owned)
}
