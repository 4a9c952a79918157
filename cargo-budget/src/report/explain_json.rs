//! The JSON of `cargo budget explain`: each limit of a budget with everything that was recorded, what a reader would
//! compute from it, and what to do next, as `cargo-budget/schema/explain.schema.json` describes.

use perf_budget_core::outcome::{Doubt, Outcome};
use perf_budget_core::report::next::next;
use perf_budget_core::verdict::Verdict;
use serde_json::{Value, json};

use super::Report;
use super::explain::select;
use super::json::failed;
use crate::failure::Failure;

/// The number of earlier values that are listed.
const BEFORE: usize = 20;

/// Renders all limits of a budget, or the one limit whose test has that name.
pub(crate) fn render(report: &Report, name: &str) -> Result<Value, Failure> {
    let trends = report.trends();
    let limit = |outcome: &Outcome| -> Result<Value, Failure> {
        let values = trends.before(outcome).into_iter().filter_map(|earlier| earlier.estimate);
        let values: Vec<f64> = values.map(|estimate| estimate.value).collect();
        let recorded = serde_json::to_value(outcome).map_err(|e| failed(&e))?;
        Ok(json!({
            "test": outcome.test,
            "verdict": outcome.verdict.name(),
            "red": outcome.is_red(),
            "sentence": outcome.reason,
            "share_of_limit": share(outcome),
            "change": change(outcome),
            "earlier_values": values[values.len().saturating_sub(BEFORE)..],
            "functions": functions(outcome),
            "changed": outcome.changed,
            "noise": {
                "is_machine": outcome.doubt == Some(Doubt::Noise),
                "doubt": outcome.doubt,
                "waited": outcome.evidence.and_then(|evidence| evidence.waited),
                "preempted": outcome.evidence.and_then(|evidence| evidence.preempted),
                "detectable": outcome.evidence.and_then(|evidence| evidence.detectable),
            },
            "place": { "file": outcome.file, "line": outcome.line },
            "next": next(outcome),
            "commands": commands(outcome),
            "outcome": recorded,
        }))
    };
    let limits = select(report, name)?.into_iter().map(limit).collect::<Result<Vec<_>, _>>()?;
    let red = limits.iter().filter(|limit| limit["red"] == true).count();
    Ok(
        json!({ "format": 1, "name": name, "red": red, "limits": limits, "remarks": report.remarks }),
    )
}

/// Returns the share of the limit that the value uses; more than 1 is over it.
fn share(outcome: &Outcome) -> Option<f64> {
    let share = outcome.against?.used(outcome.estimate?.value);
    share.is_finite().then_some(share)
}

/// Returns the value before and the change, where the outcome has both sides.
fn change(outcome: &Outcome) -> Option<Value> {
    let change = perf_budget_core::report::change::change(outcome)?;
    Some(json!({ "text": change.text(), "interval": change.interval_text() }))
}

/// Returns the functions to blame, the one that changed most first; `null` where nothing was profiled.
fn functions(outcome: &Outcome) -> Option<Value> {
    let blame = outcome.blame.as_deref()?;
    serde_json::to_value(&blame.functions).ok()
}

/// Returns the commands to run next: one that judges this limit alone, which shows whether a fix works; and for a red
/// against an accepted value also the one that accepts the new value.
fn commands(outcome: &Outcome) -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let target = outcome.run.target.as_str();
    let with = if target.is_empty() { vec![] } else { vec!["--test", target] };
    let needs_base = outcome.relative_to.as_deref() == Some("base");
    let base = outcome.run.base.as_ref().map_or("main", |base| base.name.as_str());
    let mut alone = if needs_base {
        vec!["cargo", "budget", "check", "--base", base]
    } else {
        vec!["cargo", "budget", "check"]
    };
    alone.extend(with);
    alone.extend(["--", "--exact", &outcome.test]);
    let mut commands = vec![words(&alone)];
    if outcome.verdict == Verdict::Fail
        && outcome.accepted.as_ref().is_some_and(|a| a.factor.is_some())
    {
        commands.push(words(&["cargo", "budget", "accept", "--red", &outcome.budget]));
    }
    commands
}
