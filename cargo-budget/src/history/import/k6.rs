//! The importer of k6's results: what `--summary-export` writes, and what `handleSummary()` receives.
//!
//! In the first form a metric's numbers stand beside its name, without their type or unit. In the second form they
//! are in `values`, with `type` and `contains`. With `--new-machine-readable-summary` both have a third form, whose
//! metrics are a list. k6's own thresholds are not imported, since they are k6's verdicts.

use perf_budget_core::quantity::Unit;
use serde_json::Value;

use super::parsed::{Parsed, text};
use crate::history::entry::Measured;

pub(super) fn recognizes(json: &Value) -> bool {
    let known = ["iterations", "iteration_duration", "http_reqs", "data_received", "vus"];
    json.pointer("/metadata/k6_version").is_some()
        || metrics(json).is_ok_and(|all| all.iter().any(|(name, _)| known.contains(name)))
}

/// Returns the metrics by name, in whichever of the three forms they are.
fn metrics(json: &Value) -> Result<Vec<(&str, &Value)>, String> {
    if let Some(metrics) = json.get("metrics").and_then(Value::as_object) {
        return Ok(metrics.iter().map(|(name, metric)| (name.as_str(), metric)).collect());
    }
    let lists = ["/results/metrics", "/results/checks/metrics"].map(|place| json.pointer(place));
    let metrics = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
    let metrics: Option<Vec<_>> =
        metrics.map(|metric| Some((text(metric, "name")?, metric))).collect();
    metrics.filter(|metrics| !metrics.is_empty()).ok_or_else(|| "it has no `metrics`".to_owned())
}

pub(super) fn read(json: &Value) -> Result<Parsed, String> {
    let mut values = Vec::new();
    for (name, metric) in metrics(json)? {
        let numbers = metric.get("values").unwrap_or(metric);
        let numbers = numbers.as_object().ok_or_else(|| format!("`{name}` has no numbers"))?;
        let kind = Kind::recognize(name, metric);
        for (key, value) in numbers {
            if let (Some(value), Some((word, unit, scale))) = (value.as_f64(), kind.means(key)) {
                values.push(Measured::imported("k6", name, &word, unit, value * scale));
            }
        }
    }
    Ok(Parsed { values, ..Parsed::default() })
}

/// The kind of numbers that a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Durations, in milliseconds.
    Time,
    /// Amounts of data, in bytes.
    Data,
    /// A count, or a trend of plain numbers.
    Number,
    /// A share of something, from 0 to 1.
    Rate,
}

impl Kind {
    fn recognize(name: &str, metric: &Value) -> Kind {
        match (text(metric, "type"), text(metric, "contains")) {
            (Some("rate"), _) => return Kind::Rate,
            (_, Some("time")) => return Kind::Time,
            (_, Some("data")) => return Kind::Data,
            (Some(_), _) => return Kind::Number,
            (None, _) => {}
        }
        let has = |key: &str| metric.get(key).is_some();
        let base = name.split('{').next().unwrap_or(name);
        let is_time =
            ["http_req_", "grpc_req_", "browser_", "ws_"].iter().any(|p| base.starts_with(p))
                || base.ends_with("_duration");
        if has("passes") && has("fails") {
            Kind::Rate
        } else if base.starts_with("data_") {
            Kind::Data
        } else if is_time && has("avg") {
            Kind::Time
        } else {
            Kind::Number
        }
    }

    /// Returns the metric name, the unit and the scale of one number of a metric; `None` where the number is no
    /// measurement.
    fn means(self, key: &str) -> Option<(String, Unit, f64)> {
        let (unit, scale) = match self {
            Kind::Time => (Unit::Seconds, 1e-3),
            Kind::Data => (Unit::Bytes, 1.0),
            Kind::Number | Kind::Rate => (Unit::Number, 1.0),
        };
        let bracketed = key.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')'));
        let plain =
            key.strip_prefix('p').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let quantile = bracketed.or(plain);
        let word = match (self, key) {
            (Kind::Rate, "value" | "rate") => return Some(("rate".to_owned(), Unit::Share, 1.0)),
            (Kind::Rate, _) => return None,
            (Kind::Data, "rate") => {
                return Some(("throughput".to_owned(), Unit::BytesPerSecond, 1.0));
            }
            (_, "rate") => return Some(("throughput".to_owned(), Unit::PerSecond, 1.0)),
            (_, "avg") => "mean".to_owned(),
            (_, "med") => "p50".to_owned(),
            (_, "min" | "max" | "count" | "value") => key.to_owned(),
            // The name of p(99.9) is p999.
            _ => format!("p{}", quantile?.replace('.', "")),
        };
        Some((word, unit, scale))
    }
}
