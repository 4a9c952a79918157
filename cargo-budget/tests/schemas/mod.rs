//! The published schemas, against which tests hold what the commands write for programs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Checks a document against a schema by its name, and that each field of the document is described there.
#[track_caller]
pub(crate) fn holds(name: &str, document: &Value) {
    let schema = schema(name);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(document).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{document:#}");
    described(name, &schema, &schema, document, "");
    assert!(!validator.is_valid(&json!({})), "{name} holds for anything");
}

/// Returns a schema, with the definitions of that of reports, so that no other file is looked up.
fn schema(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: String| -> Value {
        let text = fs::read_to_string(folder.join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        serde_json::from_str(&text.replace("report.schema.json#/", "#/")).unwrap()
    };
    let report = read("../core/schema/report.schema.json".to_owned());
    if name == "report" {
        return report;
    }
    let mut schema = read(format!("schema/{name}.schema.json"));
    let mut all = report["$defs"].clone();
    for (name, own) in schema["$defs"].as_object().into_iter().flatten() {
        all[name] = own.clone();
    }
    schema["$defs"] = all;
    schema
}

/// Checks that every field is described, so that readers do not have to guess.
#[track_caller]
fn described(schema: &str, root: &Value, at: &Value, is: &Value, path: &str) {
    let mut at = at;
    let parts = at["anyOf"].as_array();
    if let Some(other) = parts.and_then(|any| any.iter().find(|one| one["type"] != "null")) {
        at = other;
    }
    if let Some(name) = at["$ref"].as_str() {
        at = root.pointer(name.trim_start_matches('#')).unwrap();
    }
    match is {
        // An object without properties is described elsewhere, or is a map.
        Value::Object(fields) if at["properties"].is_object() => {
            for (name, field) in fields {
                let known = &at["properties"][name];
                assert!(!known.is_null(), "the schema {schema} does not have {path}.{name}");
                described(schema, root, known, field, &format!("{path}.{name}"));
            }
        }
        Value::Array(items) if at["items"].is_object() => {
            for item in items {
                described(schema, root, &at["items"], item, path);
            }
        }
        _ => {}
    }
}
