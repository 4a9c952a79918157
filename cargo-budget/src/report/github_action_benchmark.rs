//! The renderer of JSON for github-action-benchmark's custom tools.
//!
//! The action knows one direction for each file, so there are two files: limits that are a `max` go to
//! `customSmallerIsBetter`, limits that are a `min` to `customBiggerIsBetter`. Values stay in their base units from
//! run to run. Otherwise the action's chart would jump where a value crosses from ms to µs.

use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::Estimate;
use perf_budget_core::quantity::Unit;
use perf_budget_core::report::terminal::bound_text;
use serde::Serialize;

use super::{Report, json};
use crate::failure::Failure;
use crate::text::counted;

/// Which of the action's two tools the file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Better {
    /// customSmallerIsBetter: limits from above
    Smaller,
    /// customBiggerIsBetter: limits from below
    Bigger,
}

#[derive(Serialize)]
struct Entry<'r> {
    name: &'r str,
    unit: &'static str,
    value: f64,
    range: String,
    extra: String,
}

/// Returns a list of values, and a sentence about what is left out of it.
pub(super) fn render(report: &Report, better: Better) -> Result<(String, Option<String>), Failure> {
    let wanted = match better {
        Better::Smaller => Bound::Max,
        Better::Bigger => Bound::Min,
    };
    let mut entries = Vec::new();
    let (mut other, mut without) = (0, 0);
    for outcome in &report.outcomes {
        let (Some(estimate), Some(against)) = (outcome.estimate, outcome.against) else {
            without += 1;
            continue;
        };
        if against.bound != wanted {
            other += 1;
            continue;
        }
        entries.push(Entry {
            name: &outcome.test,
            unit: unit(against.unit),
            value: estimate.value,
            range: range(&estimate),
            extra: format!("{} {}", outcome.verdict.name(), bound_text(outcome)),
        });
    }
    let mut left = Vec::new();
    if other > 0 {
        let (side, flag) = match better {
            Better::Smaller => ("from below", "bigger"),
            Better::Bigger => ("from above", "smaller"),
        };
        left.push(format!("{} {side} (`--better {flag}` writes these)", counted(other, "limit")));
    }
    left.extend(valueless(without));
    let text = serde_json::to_string_pretty(&entries).map_err(|e| json::failed(&e))?;
    Ok((text + "\n", left_out(&left)))
}

/// Returns the interval in the value's own unit; it is empty where it is not bounded.
fn range(estimate: &Estimate) -> String {
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) if low < high => format!("{low} .. {high}"),
        (Some(low), None) => format!(">= {low}"),
        (None, Some(high)) => format!("<= {high}"),
        _ => String::new(),
    }
}

/// Returns the name of a base unit, which never changes.
pub(super) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "B",
        Unit::Seconds => "s",
        Unit::PerSecond => "op/s",
        Unit::BytesPerSecond => "B/s",
        Unit::Share => "share",
        Unit::Number => "number",
        Unit::Ratio => "ratio",
    }
}

/// Returns the words for outcomes that have no value.
pub(super) fn valueless(without: usize) -> Option<String> {
    (without > 0).then(|| format!("{} without a value", counted(without, "test")))
}

/// Returns the sentence about outcomes that the format has no place for.
pub(super) fn left_out(left: &[String]) -> Option<String> {
    (!left.is_empty()).then(|| format!("left out: {}", left.join(", ")))
}
