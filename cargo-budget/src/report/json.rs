//! The JSON report, as `core/schema/report.schema.json` describes: all outcomes as they are recorded, and their sum.

use std::collections::BTreeMap;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;
use serde::Serialize;

use super::{Cause, Report};
use crate::failure::Failure;

/// The whole document. New fields may be added; existing ones stay.
#[derive(Serialize)]
struct Document<'r> {
    /// The version of this format, which is raised where a field is changed or removed.
    format: u32,
    /// The sentence that counts how many of the tests were judged, and with which verdicts.
    count: String,
    /// The number of tests, whether they were selected or not.
    tests: usize,
    /// The number of outcomes with each verdict.
    verdicts: BTreeMap<&'static str, usize>,
    /// The exit code of the command that writes this: `cargo budget report`, or `cargo budget check`.
    exit: u8,
    /// Remarks on how the outcomes came together.
    remarks: &'r [String],
    /// What made limits against the base red, if `check --causes` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<&'r [Cause]>,
    /// One outcome for each test.
    outcomes: &'r [Outcome],
}

/// Returns one indented JSON document.
pub(super) fn render(report: &Report) -> Result<String, Failure> {
    let count = |verdict| report.outcomes.iter().filter(|o| o.verdict == verdict).count();
    let document = Document {
        format: 2,
        count: report.closing(),
        tests: report.tests(),
        verdicts: Verdict::ALL.into_iter().map(|v| (v.name(), count(v))).collect(),
        exit: report.exit().code(),
        remarks: &report.remarks,
        causes: report.causes.as_deref(),
        outcomes: &report.outcomes,
    };
    let text = serde_json::to_string_pretty(&document).map_err(|e| failed(&e))?;
    Ok(text + "\n")
}

/// Returns the outcomes as lines, as `outcomes.jsonl` has them.
pub(super) fn lines(report: &Report) -> Result<String, Failure> {
    let line = |outcome| serde_json::to_string(outcome).map(|line| line + "\n");
    report.outcomes.iter().map(line).collect::<Result<_, _>>().map_err(|e| failed(&e))
}

/// Returns the failure that outcomes cannot be written as JSON.
pub(super) fn failed(error: &serde_json::Error) -> Failure {
    Failure::unmeasured(format!("failed to write outcomes as JSON: {error}"))
}
