//! Discord's own description of its API, where the folder with the specifications is at hand.

use serde_json::{Map, Value};

use crate::support;

/// The OpenAPI description.
pub(super) struct Spec {
    document: Value,
}

impl Spec {
    /// Looks for `shared/specs` beside this repository or one of its parents.
    pub(super) fn find() -> Option<Self> {
        support::spec("discord-openapi.json").map(|document| Self { document })
    }

    /// Whether the path and method exist, and the body has the fields that they take.
    pub(super) fn check(&self, method: &str, path: &str, body: &Value) -> Result<(), String> {
        let paths = self.document["paths"].as_object().expect("an OpenAPI document");
        let matching = paths.iter().filter(|(template, _)| matches(template, path));
        // `/users/@me` is more exact than `/users/{user_id}`.
        let (_, item) = matching.min_by_key(|(template, _)| template.matches('{').count()).ok_or("no such path")?;
        let operation = item.get(method.to_ascii_lowercase()).ok_or("no such method")?;
        let content = &operation["requestBody"]["content"];
        match content.get("application/json") {
            Some(json) => self.fits(&json["schema"], body).map_err(|why| format!("not as specified: {why}")),
            None if body.is_null() => Ok(()),
            None => Err("a body where none is taken".to_owned()),
        }
    }

    /// Whether a value has the fields of a schema: none that is unknown and says something, all that are
    /// required. Types are not compared, since Discord takes numbers for ids as well.
    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = self.resolve(schema);
        for choice in ["anyOf", "oneOf"] {
            if let Some(variants) = schema[choice].as_array() {
                return self.fits_any(variants, value);
            }
        }
        match value {
            Value::Object(fields) => self.fits_object(schema, fields),
            Value::Array(values) => {
                let items = schema.get("items").ok_or("an array where none is taken")?;
                values.iter().try_for_each(|value| self.fits(items, value))
            }
            Value::String(text) => fits_text(schema, text),
            _ => Ok(()),
        }
    }

    fn fits_any(&self, variants: &[Value], value: &Value) -> Result<(), String> {
        let misfits: Vec<String> = variants.iter().filter_map(|variant| self.fits(variant, value).err()).collect();
        if misfits.len() < variants.len() { Ok(()) } else { Err(misfits.join("; ")) }
    }

    fn fits_object(&self, schema: &Value, fields: &Map<String, Value>) -> Result<(), String> {
        if schema.get("additionalProperties").is_some() {
            return Ok(());
        }
        let properties = schema["properties"].as_object().ok_or("an object where none is taken")?;
        for (key, value) in fields {
            match properties.get(key) {
                Some(property) => self.fits(property, value).map_err(|why| format!("{key}: {why}"))?,
                None if says_nothing(value) => {}
                None => return Err(format!("{key} is unknown")),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing = required.into_iter().find(|key| !fields.contains_key(*key));
        missing.map_or(Ok(()), |key| Err(format!("{key} is missing")))
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema["$ref"].as_str() else { return schema };
        let target = self.document.pointer(reference.trim_start_matches('#'));
        self.resolve(target.expect("references have targets"))
    }
}

/// serenity sends such for what it does not set.
fn says_nothing(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false))
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(Map::is_empty)
}

fn fits_text(schema: &Value, text: &str) -> Result<(), String> {
    let limit = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
    if text.chars().count() as u64 > limit { Err(format!("longer than {limit}")) } else { Ok(()) }
}

/// Whether `/channels/1/messages` is of `/channels/{channel_id}/messages`.
fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(name), Some(part)) if name == part || (name.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
}
