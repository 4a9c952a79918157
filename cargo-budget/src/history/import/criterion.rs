//! The importer of Criterion's results: `target/criterion/GROUP/BENCH/new/estimates.json`, with the benchmark's name
//! and throughput in `benchmark.json` beside it. Times are in nanoseconds.

use std::path::Path;

use perf_budget_core::quantity::Unit;
use serde_json::Value;

use super::files::File;
use super::parsed::{Parsed, number, text};
use crate::history::entry::Measured;

/// Criterion's estimates, and the names of the metrics that they become.
const STATISTICS: [(&str, &str); 4] =
    [("mean", "mean"), ("median", "p50"), ("slope", "slope"), ("std_dev", "std_dev")];

pub(super) fn recognizes(file: &File) -> bool {
    let estimates = |name: &str| number(&file.json, &[name, "point_estimate"]).is_some();
    estimates("mean") && estimates("median")
}

pub(super) fn read(file: &File) -> Result<Parsed, String> {
    if !recognizes(file) {
        return Err(
            "it has no estimates of `mean` and `median`: name `new/estimates.json`".to_owned()
        );
    }
    let benchmark = file.path.with_file_name("benchmark.json");
    let about = std::fs::read_to_string(&benchmark).map_err(|e| {
        format!("`{}`, which has the benchmark's name, is not readable: {e}", benchmark.display())
    })?;
    let about: Value = serde_json::from_str(&about)
        .map_err(|e| format!("`{}` is not JSON: {e}", benchmark.display()))?;
    let name = name(&about, &benchmark)?;
    let nanoseconds = |value: f64| value * 1e-9;
    let mut values = Vec::new();
    for (statistic, word) in STATISTICS {
        let at = |key: &[&str]| number(&file.json, &[&[statistic], key].concat()).map(nanoseconds);
        // The slope is null where every sample has the same number of iterations.
        let Some(value) = at(&["point_estimate"]) else { continue };
        let low = at(&["confidence_interval", "lower_bound"]);
        let high = at(&["confidence_interval", "upper_bound"]);
        values.push(
            Measured::imported("criterion", &name, word, Unit::Seconds, value).between(low, high),
        );
    }
    let mean = number(&file.json, &["mean", "point_estimate"]).map(nanoseconds);
    let rates = [
        ("Elements", Unit::PerSecond),
        ("Bytes", Unit::BytesPerSecond),
        ("BytesDecimal", Unit::BytesPerSecond),
    ];
    for (kind, unit) in rates {
        if let (Some(count), Some(mean)) = (number(&about, &["throughput", kind]), mean) {
            let rate = count / mean;
            values.push(Measured::imported("criterion", &name, "throughput", unit, rate));
        }
    }
    Ok(Parsed { values, ..Parsed::default() })
}

/// Returns the name as Criterion prints it: `group/function/parameter`.
fn name(about: &Value, path: &Path) -> Result<String, String> {
    let name = text(about, "full_id").or_else(|| text(about, "title"));
    name.map(str::to_owned).ok_or_else(|| format!("`{}` has no `full_id`", path.display()))
}
