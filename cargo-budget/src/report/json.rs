//! Everything, as `core/schema/report.schema.json` says: the outcomes as they are recorded, and what they come to.

use std::collections::BTreeMap;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;
use serde::Serialize;

use super::Report;
use crate::failure::Failure;

/// The whole document. Fields are only added to.
#[derive(Serialize)]
struct Document<'r> {
    /// The version of this form; raised where a field is changed or taken away.
    format: u32,
    /// How many of how many were judged, and how.
    count: String,
    /// How many tests there are, whether or not they were selected.
    tests: usize,
    /// How many outcomes have each verdict.
    verdicts: BTreeMap<&'static str, usize>,
    /// What `cargo budget report` exits with.
    exit: u8,
    /// How the outcomes came together.
    remarks: &'r [String],
    /// One for each test.
    outcomes: &'r [Outcome],
}

/// One JSON document, indented.
pub(super) fn render(report: &Report) -> Result<String, Failure> {
    let of = |verdict| report.outcomes.iter().filter(|o| o.verdict == verdict).count();
    let document = Document {
        format: 2,
        count: report.closing(),
        tests: report.tests(),
        verdicts: Verdict::ALL.into_iter().map(|v| (v.name(), of(v))).collect(),
        exit: report.exit().code(),
        remarks: &report.remarks,
        outcomes: &report.outcomes,
    };
    let text = serde_json::to_string_pretty(&document)
        .map_err(|e| Failure::unmeasured(format!("failed to write outcomes as JSON: {e}")))?;
    Ok(text + "\n")
}
