//! The importer of Google Benchmark's results: `--benchmark_out=FILE --benchmark_out_format=json`.

use perf_budget_core::quantity::Unit;
use serde_json::Value;

use super::parsed::{Parsed, number, text};
use crate::history::entry::Measured;
use crate::history::time;

const TOOL: &str = "google-benchmark";

pub(super) fn recognizes(json: &Value) -> bool {
    json.get("context").is_some() && json.get("benchmarks").is_some_and(Value::is_array)
}

pub(super) fn read(json: &Value) -> Result<Parsed, String> {
    let rows = json.get("benchmarks").and_then(Value::as_array).ok_or("it has no `benchmarks`")?;
    let mut values = Vec::new();
    for row in rows {
        let name = text(row, "name").ok_or("a benchmark has no `name`")?;
        let run = text(row, "run_name").unwrap_or(name);
        match (text(row, "run_type"), text(row, "aggregate_name")) {
            (Some("aggregate"), Some("mean")) => add(&mut values, row, run, "mean")?,
            (Some("aggregate"), Some("median")) => add(&mut values, row, run, "p50")?,
            // Standard deviations and the like are not values of a metric.
            (Some("aggregate"), _) => {}
            // The aggregates already cover the single repetitions.
            _ if number(row, &["repetitions"]).is_some_and(|n| n > 1.0) => {}
            // A benchmark that skipped itself has times of 0.
            _ if row.get("skipped").and_then(Value::as_bool) == Some(true) => {}
            _ if row.get("error_occurred").and_then(Value::as_bool) == Some(true) => {
                let why = text(row, "error_message").unwrap_or("without a message");
                let mut failed = Measured::imported(TOOL, run, "mean", Unit::Seconds, f64::NAN);
                failed.reason = format!("{}; the benchmark failed: {why}", failed.reason);
                values.push(failed);
            }
            _ => add(&mut values, row, run, "mean")?,
        }
    }
    let began = json.get("context").and_then(|context| time::parse_iso(text(context, "date")?));
    let version = json.get("context").and_then(|context| text(context, "library_version"));
    Ok(Parsed { values, began, version: version.map(str::to_owned) })
}

/// Adds the times and rates of one row: `mean` and `cpu`, or the same names with the suffix `_p50` for medians.
fn add(values: &mut Vec<Measured>, row: &Value, name: &str, word: &str) -> Result<(), String> {
    let unit = text(row, "time_unit").unwrap_or("ns");
    let scale = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return Err(format!("`{name}` has times in `{unit}`, which is not known")),
    };
    let suffix = if word == "mean" { "" } else { "_p50" };
    let real = number(row, &["real_time"]).ok_or_else(|| format!("`{name}` has no `real_time`"))?;
    values.push(Measured::imported(TOOL, name, word, Unit::Seconds, real * scale));
    let others = [
        ("cpu_time", "cpu", Unit::Seconds, scale),
        ("items_per_second", "throughput", Unit::PerSecond, 1.0),
        ("bytes_per_second", "bytes_per_second", Unit::BytesPerSecond, 1.0),
    ];
    for (key, word, unit, scale) in others {
        if let Some(value) = number(row, &[key]) {
            let word = format!("{word}{suffix}");
            values.push(Measured::imported(TOOL, name, &word, unit, value * scale));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_benchmark_that_skipped_itself_has_no_value() {
        let row = |name: &str, skipped: bool, time: f64| {
            serde_json::json!({
                "name": name, "run_type": "iteration", "skipped": skipped, "real_time": time, "time_unit": "ns"
            })
        };
        let rows = [row("absent", true, 0.0), row("there", false, 2.0)];
        let values =
            read(&serde_json::json!({ "context": {}, "benchmarks": rows })).unwrap().values;
        assert_eq!(values.len(), 1);
    }
}
