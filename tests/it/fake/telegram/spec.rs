//! Calls against the published description of the Bot API, where the checkout has it beside it. The strict
//! model in `methods` could be wrong in the same way as the bot; this could not.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::calls::Call;
use crate::support;

static SPEC: LazyLock<Option<Value>> = LazyLock::new(|| support::spec("telegram-bot-api.json"));

/// Whether names, types and required parameters of a call are as described.
pub(super) fn check(method: &str, call: &Call) -> Result<(), String> {
    let Some(spec) = SPEC.as_ref() else { return Ok(()) };
    let method = spec["methods"].get(method).ok_or_else(|| format!("the description has no {method}"))?;
    check_fields(spec, &method["fields"], &call.params)
}

fn check_fields(spec: &Value, fields: &Value, given: &Map<String, Value>) -> Result<(), String> {
    let fields = fields.as_array().map(Vec::as_slice).unwrap_or_default();
    for (name, value) in given {
        let field = fields.iter().find(|field| field["name"] == name.as_str());
        let field = field.ok_or_else(|| format!("the description has no {name}"))?;
        let types = field["types"].as_array().expect("fields have types");
        let mut problems = types.iter().map(|kind| check_type(spec, kind.as_str().unwrap_or_default(), value));
        if problems.clone().all(|problem| problem.is_err()) {
            return Err(format!("{name}: {:?}", problems.find_map(Result::err)));
        }
    }
    let missing =
        |field: &&Value| field["required"] == true && !given.contains_key(field["name"].as_str().unwrap_or_default());
    fields.iter().find(missing).map_or(Ok(()), |field| Err(format!("the description requires {}", field["name"])))
}

fn check_type(spec: &Value, kind: &str, value: &Value) -> Result<(), String> {
    if let Some(item) = kind.strip_prefix("Array of ") {
        let items = value.as_array().ok_or_else(|| format!("{value} is no {kind}"))?;
        return items.iter().try_for_each(|value| check_type(spec, item, value));
    }
    let fits = match kind {
        "Integer" => value.is_i64(),
        "Boolean" => value.is_boolean(),
        "Float" => value.is_number(),
        // A file is `attach://…` here; the model looks at its bytes.
        "String" | "InputFile" => value.is_string(),
        _ => {
            let object = value.as_object().ok_or_else(|| format!("{value} is no {kind}"))?;
            let described = &spec["types"][kind];
            if let Some(kinds) = described["subtypes"].as_array() {
                let mut problems = kinds.iter().map(|kind| check_type(spec, kind.as_str().unwrap_or_default(), value));
                let problem = problems.clone().find_map(Result::err);
                return if problems.any(|problem| problem.is_ok()) { Ok(()) } else { Err(format!("{problem:?}")) };
            }
            return check_fields(spec, &described["fields"], object);
        }
    };
    if fits { Ok(()) } else { Err(format!("{value} is no {kind}")) }
}
