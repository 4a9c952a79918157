//! k6: what `--summary-export` writes, and what `handleSummary()` is given.
//!
//! The first has the numbers of a metric beside its name, and does not say what they are numbers of; the
//! second has them in `values`, with `type` and `contains`. With `--new-machine-readable-summary` both are
//! a third form, whose metrics are a list. k6's own thresholds are not read: they are its verdicts, not ours.

use perf_budget_core::quantity::Unit;
use serde_json::Value;

use super::{Measured, Read, text};

pub(super) fn is(json: &Value) -> bool {
    let known = ["iterations", "iteration_duration", "http_reqs", "data_received", "vus"];
    json.pointer("/metadata/k6_version").is_some()
        || metrics(json).is_ok_and(|all| all.iter().any(|(name, _)| known.contains(name)))
}

/// The metrics, by name, in whichever form they are.
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

pub(super) fn read(json: &Value) -> Result<Read, String> {
    let mut values = Vec::new();
    for (name, metric) in metrics(json)? {
        let numbers = metric.get("values").unwrap_or(metric);
        let numbers = numbers.as_object().ok_or_else(|| format!("`{name}` has no numbers"))?;
        let kind = Kind::of(name, metric);
        for (key, value) in numbers {
            if let (Some(value), Some((word, unit, scale))) = (value.as_f64(), kind.means(key)) {
                values.push(Measured::imported("k6", name, &word, unit, value * scale));
            }
        }
    }
    Ok(Read { values, ..Read::default() })
}

/// What a metric's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Milliseconds.
    Time,
    /// Bytes.
    Data,
    /// A count, or a trend of plain numbers.
    Number,
    /// A share.
    Rate,
}

impl Kind {
    fn of(name: &str, metric: &Value) -> Kind {
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

    /// Our word, the unit and the scale of one number of a metric; `None` for what is no measurement.
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
            // p(99.9) is p999.
            _ => format!("p{}", quantile?.replace('.', "")),
        };
        Some((word, unit, scale))
    }
}
