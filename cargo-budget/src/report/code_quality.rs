//! The renderer of GitLab's code quality report: an entry for each limit that is red or has a warning, at its line of
//! `budgets.toml`.
//!
//! GitLab tells by the fingerprints which entries of a merge request the target branch does not have. So a fingerprint is
//! made of the test and its verdict, and of nothing that changes from run to run.

use std::collections::BTreeMap;

use perf_budget_core::fnv;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;
use serde::Serialize;

use super::{Report, json};
use crate::failure::Failure;
use crate::text;

#[derive(Serialize)]
struct Entry {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// Returns a list of entries; it is empty where nothing needs attention.
pub(super) fn render(report: &Report) -> Result<String, Failure> {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut entries = Vec::new();
    for outcome in report.outcomes.iter().filter(|o| o.is_red() || o.is_warning()) {
        let times = seen.entry((outcome.test.as_str(), outcome.verdict.name())).or_default();
        entries.push(entry(outcome, *times));
        *times += 1;
    }
    let text = serde_json::to_string_pretty(&entries).map_err(|e| json::failed(&e))?;
    Ok(text + "\n")
}

/// Returns the entry of an outcome. Two entries with the same fingerprint would be shown as one, so those after the
/// first are counted.
fn entry(outcome: &Outcome, times: usize) -> Entry {
    let shown = text::plain(outcome);
    let why = shown.why.map_or(String::new(), |why| format!(" (why: {why})"));
    let name = outcome.verdict.name();
    let key = format!("{}\0{name}\0{times}", outcome.test);
    Entry {
        description: text::line(&format!("{} {name}: {}{why}", shown.test, shown.reason)),
        check_name: format!("perf-budget/{}", shown.metric),
        fingerprint: fnv::name(key.as_bytes()),
        severity: severity(outcome),
        location: Location {
            path: text::line(&outcome.file.replace('\\', "/")),
            lines: Lines { begin: outcome.line.max(1) },
        },
    }
}

/// Returns one of GitLab's words. What was not measured is the worst, since nobody knows what it hides.
fn severity(outcome: &Outcome) -> &'static str {
    match outcome.verdict {
        _ if !outcome.is_red() => "minor",
        Verdict::Unmeasured => "critical",
        Verdict::Fail
        | Verdict::Inconclusive
        | Verdict::Warn
        | Verdict::Pass
        | Verdict::Skipped => "major",
    }
}
