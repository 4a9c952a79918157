//! The renderer of Bencher Metric Format: benchmarks, their measures, and values with intervals.
//!
//! The name of a benchmark is the budget with its case. The name of a measure is that of the limit (`p99`,
//! `p99::x_base`), so that a ratio is never mistaken for the time that it is a ratio of. Values are in base units.
//! Bencher learns which direction is better from the thresholds that are set there.

use std::collections::BTreeMap;

use perf_budget_core::outcome::Outcome;
use serde::Serialize;

use super::{Report, github_action_benchmark, json};
use crate::failure::Failure;

#[derive(Serialize)]
struct Metric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// Returns one JSON object, and a sentence about what is left out of it.
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
    let text = serde_json::to_string_pretty(&benchmarks).map_err(|e| json::failed(&e))?;
    let left: Vec<String> = github_action_benchmark::valueless(without).into_iter().collect();
    Ok((text + "\n", github_action_benchmark::left_out(&left)))
}

/// Splits the name of a test into the benchmark and its measure.
fn names(outcome: &Outcome) -> (String, String) {
    let benchmark = match outcome.case.as_str() {
        "" => outcome.budget.clone(),
        case => format!("{}::{case}", outcome.budget),
    };
    let label = outcome.test.strip_prefix(&benchmark).and_then(|rest| rest.strip_prefix("::"));
    let measure = label.unwrap_or(&outcome.metric).to_owned();
    (benchmark, measure)
}
