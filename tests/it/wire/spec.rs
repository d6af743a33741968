//! Street View's answers and parameters against Google's published description, where a checkout has it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Service, WORLD};
use crate::support;

/// Real answers carry it; the description forgets it.
const NOT_DESCRIBED: &str = "error_message";

fn description() -> Option<Value> {
    support::spec("google-streetview-openapi.json")
}

/// Every described parameter with a value that it cannot have, `None` where any text will do.
const WRONG_VALUES: [(&str, Option<&str>); 10] = [
    ("fov", Some("wide")),
    ("heading", Some("400")),
    ("location", Some("95,200")),
    ("pano", None),
    ("pitch", Some("91")),
    ("radius", Some("-5")),
    ("return_error_code", Some("yes")),
    ("signature", None),
    ("size", Some("640")),
    ("source", Some("indoor")),
];

#[test]
fn the_described_parameters_are_the_known_ones() {
    let Some(description) = description() else { return };
    let parameters = &description["paths"]["/maps/api/streetview"]["get"]["parameters"];
    let name = |parameter: &Value| {
        let pointer = parameter["$ref"].as_str().expect("all are references").trim_start_matches('#');
        description.pointer(pointer).expect("references lead somewhere")["name"].as_str().expect("a name").to_owned()
    };
    let described: BTreeSet<String> = parameters.as_array().expect("a list").iter().map(name).collect();
    let known: BTreeSet<String> = WRONG_VALUES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(described, known);
}

#[tokio::test]
async fn every_parameter_is_read() {
    let service = Service::start().await;
    for (name, value) in WRONG_VALUES.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        let rest = if *name == "location" { "" } else { "&location=35.0,140.5" };
        let path = format!("/maps/api/streetview/metadata?key=drawn-world&{name}={value}{rest}");
        assert_eq!(service.get(&path).await.json()["status"], "INVALID_REQUEST", "{name}");
    }
}

#[tokio::test]
async fn answers_have_the_described_fields() {
    let Some(description) = description() else { return };
    let schemas = &description["components"]["schemas"];
    let service = Service::start().await;
    let id = &WORLD.panoramas(0)[0].id;
    for query in [format!("pano={id}&key=drawn-world"), "key=drawn-world".to_owned(), String::new()] {
        let answer = service.get(&format!("/maps/api/streetview/metadata?{query}")).await.json();
        check(&answer, &schemas["StreetViewResponse"], schemas);
    }
}

/// Checks the few keywords that this description uses.
fn check(value: &Value, schema: &Value, schemas: &Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().expect("a reference has a last part");
        return check(value, &schemas[name], schemas);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let object = value.as_object().expect("an object");
            let required = schema["required"].as_array().expect("objects name what they require");
            assert!(required.iter().all(|name| object.contains_key(name.as_str().expect("a name"))), "{value}");
            for (name, field) in object.iter().filter(|(name, _)| *name != NOT_DESCRIBED) {
                let described = schema["properties"].get(name).unwrap_or_else(|| panic!("{name} is not described"));
                check(field, described, schemas);
            }
        }
        Some("string") => {
            assert!(value.is_string(), "{value}");
            let allowed = schema["enum"].as_array();
            assert!(allowed.is_none_or(|allowed| allowed.contains(value)), "{value}");
        }
        Some("number") => assert!(value.is_number(), "{value}"),
        other => panic!("the description uses {other:?}: teach this check"),
    }
}
