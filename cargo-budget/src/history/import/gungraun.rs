//! gungraun, which was iai-callgrind: `summary.json`, written with `--save-summary=json`; version 7 of its
//! schema, since gungraun 0.20. Older ones have another shape, and are refused by their version.

use perf_budget_core::quantity::Unit;
use serde_json::Value;

use super::super::time;
use super::{Measured, Read, number, text};

/// The version that is read.
const VERSION: &str = "7";

pub(super) fn is(json: &Value) -> bool {
    json.get("profiles").is_some_and(Value::is_array) && text(json, "module_path").is_some()
}

pub(super) fn read(json: &Value) -> Result<Read, String> {
    let version = text(json, "version").unwrap_or("none");
    if version != VERSION {
        return Err(format!(
            "its schema is of version {version}, and version {VERSION} is read: run the benchmarks again \
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
            // What only an earlier run had is of that run.
            let new = number(metric, &["values", "new"]);
            let Some(new) = new.or_else(|| number(metric, &["values", "new", "value"])) else {
                continue;
            };
            let word = word(tool, key);
            let unit = if key.ends_with("Bytes") { Unit::Bytes } else { Unit::Number };
            let value = Measured::imported("gungraun", &name, &word, unit, new);
            // Counted in a simulation; perf counts on the real processor.
            values.push(Measured { exact: !tool.eq_ignore_ascii_case("perf"), ..value });
        }
    }
    let began = text(json, "started_at").and_then(time::of_iso);
    Ok(Read { values, began, version: Some(version.to_owned()) })
}

/// Instructions of Callgrind, its default tool, have our word; what else it counts has its own, and what
/// other tools count is told apart by the tool.
fn word(tool: &str, key: &str) -> String {
    match (tool.to_ascii_lowercase().as_str(), key) {
        ("callgrind", "Ir") => "instructions".to_owned(),
        ("callgrind", _) => key.to_owned(),
        (tool, _) => format!("{tool}_{key}"),
    }
}
