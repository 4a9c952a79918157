//! The text of `cargo budget explain`: everything that is known about the limits of one budget.
//!
//! The sentence and its rows come from the core, as a red test prints them. This file adds what they leave out for
//! brevity: the distribution line by line, the evidence for a pass, and the minimum detectable effect.

use std::fmt::Write as _;

use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Against, Distribution, Evidence, Outcome, Run};
use perf_budget_core::report::terminal::{e_value, explain};
use perf_budget_core::verdict::Verdict;

use super::Report;
use crate::failure::Failure;
use crate::text;

/// The width of the longest bar, in columns.
const WIDEST: f64 = 40.0;

/// Renders all limits of a budget, or the one limit whose test has that name.
pub(crate) fn render(report: &Report, name: &str) -> Result<String, Failure> {
    let mut shown = String::new();
    let trends = report.trends();
    for outcome in select(report, name)? {
        let trend = trends.before(outcome);
        let outcome = &text::plain(outcome);
        let code = match outcome.verdict {
            Verdict::Pass => "32",
            Verdict::Warn => "33",
            Verdict::Fail | Verdict::Inconclusive | Verdict::Unmeasured => "1;31",
            Verdict::Skipped => "2",
        };
        let (test, verdict) = (&outcome.test, outcome.verdict.name());
        let _ = writeln!(shown, "\u{1b}[1m{test}\u{1b}[0m  \u{1b}[{code}m{verdict}\u{1b}[0m");
        shown.push_str(&explain(outcome));
        let mut row = |name: &str, value: &str| {
            for (i, line) in value.lines().enumerate() {
                let name = if i == 0 { name } else { "" };
                let _ = writeln!(shown, "  {name:<10} {line}");
            }
        };
        if let Some(against) = outcome.against {
            if let Some(shape) = &outcome.shape {
                row("bars", &bars(shape, &against));
            }
            row("bounds", &bounds(&against));
            if let Some(evidence) = outcome.evidence.filter(|evidence| !evidence.is_recorded()) {
                row("holds", &odds_of_passing(&evidence));
                row("sees", &detectable(&evidence, &against));
            }
            if let Some(cause) = &outcome.cause {
                row("cause", cause);
            }
            let values = trend.iter().filter_map(|earlier| earlier.estimate);
            let values: Vec<String> =
                values.map(|estimate| against.quantity(estimate.value).to_string()).collect();
            if !values.is_empty() {
                let last = &values[values.len().saturating_sub(8)..];
                row("before", &format!("{}, oldest first", last.join(", ")));
            }
        } else if let Some(cause) = &outcome.cause {
            row("cause", cause);
        }
        row("machine", &machine(&outcome.run));
        shown.push('\n');
    }
    Ok(text::safe_for_terminal(&shown))
}

/// Returns the build, the machine and the run in one line.
fn machine(run: &Run) -> String {
    let environment = run
        .environment
        .as_ref()
        .map_or(String::new(), |name| format!(", [env.{}]", text::line(name)));
    format!(
        "{} build, {}, {}, {} processors, run {}{environment}",
        run.profile,
        run.platform,
        text::line(&run.processor),
        run.cores,
        text::line(&run.id),
    )
}

/// Returns all limits of a budget, or the one limit whose test has that name.
pub(super) fn select<'r>(report: &'r Report, name: &str) -> Result<Vec<&'r Outcome>, Failure> {
    let is_named = |outcome: &&Outcome| outcome.budget == name || outcome.test == name;
    let named: Vec<&Outcome> = report.outcomes.iter().filter(is_named).collect();
    if named.is_empty() { Err(unknown(report, name)) } else { Ok(named) }
}

/// Returns the failure for an unknown name. It lists the budgets of the run, the most similar names first.
fn unknown(report: &Report, name: &str) -> Failure {
    let mut names: Vec<&str> = report.outcomes.iter().map(|o| o.budget.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let alike = |other: &str| name.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    names.sort_by_key(|other| std::cmp::Reverse(alike(other)));
    let names: Vec<String> =
        names.iter().take(12).map(|n| format!("`{}`", text::line(n))).collect();
    Failure::usage(format!(
        "the last run has no budget `{}`; it has {}",
        text::line(name),
        names.join(", ")
    ))
}

/// Returns the histogram with one line for each bar, and the limit as a line between the bars.
fn bars(shape: &Distribution, against: &Against) -> String {
    let most = shape.bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1) as f64;
    let quantity = |value: f64| against.quantity(value).to_string();
    let ends: Vec<(String, String)> =
        shape.bars.iter().map(|bar| (quantity(bar.low), quantity(bar.high))).collect();
    let width = |text: &str| text.chars().count();
    let widest = ends.iter().map(|(low, high)| width(low).max(width(high))).max().unwrap_or(0);
    let pad = |text: &str| format!("{}{text}", " ".repeat(widest - width(text)));
    let limit = format!("{:─<1$}", "", widest * 2 + 4);
    let limit = format!("{limit}┤ limit {}", quantity(against.limit));
    let mut lines = Vec::new();
    let mut drawn = false;
    for (bar, (low, high)) in shape.bars.iter().zip(&ends) {
        if !drawn && bar.low >= against.limit {
            lines.push(limit.clone());
            drawn = true;
        }
        // Even a single value is drawn, since percentiles depend on the tail.
        let cells = (bar.count as f64 / most * WIDEST).ceil() as usize;
        let count = if bar.count == 0 { String::new() } else { format!(" {}", bar.count) };
        lines.push(format!("{} .. {} │{}{count}", pad(low), pad(high), "█".repeat(cells)));
    }
    if !drawn {
        lines.push(limit);
    }
    lines.join("\n")
}

fn bounds(against: &Against) -> String {
    let (side, beyond) = match against.bound {
        Bound::Max => ("at most", against.limit + against.tolerance),
        Bound::Min => ("at least", against.limit - against.tolerance),
    };
    let limit = against.quantity(against.limit);
    let mut bounds = format!("{side} {limit}, a warning beyond {}", against.quantity(against.warn));
    if against.tolerance > 0.0 {
        let _ = write!(bounds, ", passes up to {}", against.quantity(beyond));
    }
    bounds
}

fn odds_of_passing(evidence: &Evidence) -> String {
    format!(
        "an e-value of {} that it is not over by more than the tolerance; green needs {}",
        e_value(evidence.pass),
        e_value(evidence.pass_at)
    )
}

fn detectable(evidence: &Evidence, against: &Against) -> String {
    match evidence.detectable {
        Some(value) => {
            let share = value / against.limit * 100.0 - 100.0;
            let value = against.quantity(value);
            format!("a true value of {value} ({share:+.0} %) would have been red with 95 %")
        }
        None => "the minimum detectable effect of this run is not known".to_owned(),
    }
}
