//! Bencher Metric Format: benchmark, measure, value with its interval.
//!
//! The benchmark is budget and case, the measure the limit's own name (`p99`, `p99::x_base`), so that a ratio
//! is never mistaken for the time it is a ratio of. Values are in base units; which way is better is
//! said by the thresholds that are set at Bencher.

use std::collections::BTreeMap;

use perf_budget::outcome::Outcome;
use serde::Serialize;

use super::{Report, action};
use crate::failure::Failure;

#[derive(Serialize)]
struct Metric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// One JSON object, and what is left out of it.
pub(super) fn render(report: &Report) -> Result<(String, Option<String>), Failure> {
    let mut benchmarks: BTreeMap<String, BTreeMap<String, Metric>> = BTreeMap::new();
    let mut without = 0;
    for outcome in &report.outcomes {
        let Some(estimate) = outcome.estimate else {
            without += 1;
            continue;
        };
        let (benchmark, measure) = names(outcome);
        let metric =
            Metric { value: estimate.value, lower_value: estimate.low, upper_value: estimate.high };
        benchmarks.entry(benchmark).or_default().insert(measure, metric);
    }
    let text = serde_json::to_string_pretty(&benchmarks)
        .map_err(|e| Failure::unmeasured(format!("failed to write outcomes as JSON: {e}")))?;
    let left: Vec<String> = action::valueless(without).into_iter().collect();
    Ok((text + "\n", action::left_out(&left)))
}

/// The test's name, parted: what is measured, and of that what is limited.
fn names(outcome: &Outcome) -> (String, String) {
    let benchmark = match outcome.case.as_str() {
        "" => outcome.budget.clone(),
        case => format!("{}::{case}", outcome.budget),
    };
    let label = outcome.test.strip_prefix(&benchmark).and_then(|rest| rest.strip_prefix("::"));
    let measure = label.unwrap_or(&outcome.metric).to_owned();
    (benchmark, measure)
}
