//! The JUnit report, written by nextest's own library: a suite for each budget, and a case for each limit.
//!
//! A limit that is broken or not settled is a `failure`; one that could not be measured is an `error`. A warning
//! passes, as it does in `cargo test`, and its sentence is in `system-out`.

use std::time::Duration;

use chrono::DateTime;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::terminal::{bound_text, explain, interval_text, value_text};
use perf_budget_core::verdict::Verdict;
use quick_junit::{
    NonSuccessKind, Property, Report as Suites, TestCase, TestCaseStatus, TestSuite,
};

use super::Report;
use crate::failure::Failure;
use crate::text;

/// Returns one XML document.
pub(super) fn render(report: &Report) -> Result<String, Failure> {
    let mut suites = Suites::new("perf-budget");
    if let Some(began) = report.outcomes.first().and_then(start_time) {
        suites.set_timestamp(began);
    }
    for budget in budgets(&report.outcomes) {
        let mut suite = TestSuite::new(text::line(budget));
        for outcome in report.outcomes.iter().filter(|outcome| outcome.budget == budget) {
            suite.add_test_case(case(&text::plain(outcome)));
        }
        suites.add_test_suite(suite);
    }
    let xml = suites
        .to_string()
        .map_err(|e| Failure::unmeasured(format!("failed to write outcomes as JUnit XML: {e}")))?;
    // The text of an element keeps its line feeds, and may be printed where a line can be a command.
    Ok(text::no_commands(&xml))
}

/// Returns the names of the budgets, each once, in their order.
fn budgets(outcomes: &[Outcome]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !names.contains(&outcome.budget.as_str()) {
            names.push(&outcome.budget);
        }
    }
    names
}

fn start_time(outcome: &Outcome) -> Option<DateTime<chrono::FixedOffset>> {
    let seconds = i64::try_from(outcome.run.began).ok()?;
    Some(DateTime::from_timestamp(seconds, 0)?.fixed_offset())
}

fn case(outcome: &Outcome) -> TestCase {
    let mut status = match outcome.verdict {
        Verdict::Inconclusive if !outcome.is_red() => TestCaseStatus::success(),
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Fail | Verdict::Inconclusive => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Verdict::Unmeasured => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Skipped => TestCaseStatus::skipped(),
    };
    // Readers of XML turn a line feed in an attribute into a blank.
    status.set_message(text::line(&outcome.reason));
    status.set_type(outcome.cause.as_deref().unwrap_or(outcome.verdict.name()));
    if outcome.is_red() {
        status.set_description(explain(outcome));
    }
    let mut case = TestCase::new(outcome.test.as_str(), status);
    case.set_classname(outcome.budget.as_str());
    if outcome.seconds.is_finite() && outcome.seconds >= 0.0 {
        case.set_time(Duration::from_secs_f64(outcome.seconds.min(1e9)));
    }
    if outcome.is_warning() {
        let word = if outcome.verdict == Verdict::Warn { "warning" } else { "inconclusive" };
        case.set_system_out(format!("{word}: {}", outcome.reason));
    }
    case.add_property(Property::new("verdict", outcome.verdict.name()));
    case.add_property(Property::new("measured", value_text(outcome)));
    case.add_property(Property::new("interval", interval_text(outcome)));
    case.add_property(Property::new("limit", bound_text(outcome)));
    case
}
