//! The importer of gungraun's results (formerly iai-callgrind): `summary.json`, written with `--save-summary=json`.
//! It reads version 7 of the schema, which gungraun writes since 0.20. Older versions are laid out differently and
//! are refused.

use perf_budget_core::quantity::Unit;
use serde_json::Value;

use super::parsed::{Parsed, number, text};
use crate::history::entry::Measured;
use crate::history::time;

/// The version of the schema that is read.
const VERSION: &str = "7";

pub(super) fn recognizes(json: &Value) -> bool {
    json.get("profiles").is_some_and(Value::is_array) && text(json, "module_path").is_some()
}

pub(super) fn read(json: &Value) -> Result<Parsed, String> {
    let version = text(json, "version").unwrap_or("none");
    if version != VERSION {
        return Err(format!(
            "its schema has version {version}, but only version {VERSION} can be read; run the benchmarks again \
             with gungraun 0.20"
        ));
    }
    let module = text(json, "module_path").ok_or("it has no `module_path`")?;
    let id = text(json, "id").map_or_else(String::new, |id| format!("::{id}"));
    let name = format!("{module}{id}");
    let profiles = json.get("profiles").and_then(Value::as_array).ok_or("it has no `profiles`")?;
    let mut values = Vec::new();
    for profile in profiles {
        let tool = text(profile, "tool").ok_or("a profile has no `tool`")?;
        let metrics = profile.pointer("/data/total/metrics").and_then(Value::as_object);
        for (key, metric) in metrics.into_iter().flatten() {
            // A metric without a new value belongs to the earlier run in the file, and is skipped.
            let new = number(metric, &["values", "new"]);
            let Some(new) = new.or_else(|| number(metric, &["values", "new", "value"])) else {
                continue;
            };
            let word = word(tool, key);
            let unit = if key.ends_with("Bytes") { Unit::Bytes } else { Unit::Number };
            let value = Measured::imported("gungraun", &name, &word, unit, new);
            // The tools count in a simulation, which is deterministic; only perf counts on the real processor.
            values.push(Measured { exact: !tool.eq_ignore_ascii_case("perf"), ..value });
        }
    }
    let began = text(json, "started_at").and_then(time::parse_iso);
    Ok(Parsed { values, began, version: Some(version.to_owned()) })
}

/// Returns the metric name for a count. Callgrind, the default tool, counts `instructions`; its other counts keep
/// their names, and the counts of other tools get the tool's name as a prefix.
fn word(tool: &str, key: &str) -> String {
    match (tool.to_ascii_lowercase().as_str(), key) {
        ("callgrind", "Ir") => "instructions".to_owned(),
        ("callgrind", _) => key.to_owned(),
        (tool, _) => format!("{tool}_{key}"),
    }
}
