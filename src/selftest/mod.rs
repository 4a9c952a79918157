//! The selftest of the gate: it injects an effect of a known size into each budget, and finds the smallest size that
//! turns the budget red. Or it injects nothing, measures the same code several times, and counts what is red by chance.
//!
//! Everything but the injection is as in a run that judges: the same processes, instruments, evidence and levels.
//! Nothing of it counts as an outcome. The result is a [`SelftestResult`] in a file of its own, and no evidence is read or
//! kept. The process ends as if a test were red, so that it is never mistaken for a run.

mod results;
mod same;
mod search;

use std::path::Path;

use perf_budget_core::error::Error;
use perf_budget_core::metric::Effect;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::selftest::{Finding, Request, SelftestResult, Step, names};
use perf_budget_core::verdict::Verdict;

pub(crate) use self::results::Results;
use crate::inject::{self, Injection};
use crate::session::Session;

/// Injects into each of these tests, and writes the results to `file`, which is overwritten.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn run(
    session: &Session,
    tests: &[usize],
    request: &Request,
    print: &dyn Fn(&str),
) -> Result<(), Error> {
    let file: &Path = &request.file;
    let name = |test: usize| session.suite.tests[test].name.as_str();
    let wanted = |test: usize| {
        request.only.is_empty() || request.only.iter().any(|only| names(only, name(test)))
    };
    let tests: Vec<usize> = tests.iter().copied().filter(|&test| wanted(test)).collect();
    let failed = |e| Error::io("write", file, e);
    let mut results = Results::create(file).map_err(failed)?;
    if let Some(runs) = request.same {
        return same::run(session, &tests, runs, &mut results, print).map_err(failed);
    }
    for (nth, &test) in tests.iter().enumerate() {
        let at = format!("{}/{} {}", nth + 1, tests.len(), name(test));
        let result = test_limit(session, test, &at);
        print(&format!("{at}: {}", describe(&result)));
        results.add(&result).map_err(failed)?;
    }
    Ok(())
}

/// Returns what was found, in a few words.
fn describe(result: &SelftestResult) -> String {
    match (result.finding, result.edges().0) {
        (Finding::Red, Some(step)) => match result.bare.against {
            Some(against) if against.limit != 0.0 => {
                let beyond = step.beyond * 100.0;
                format!("red at {}, {beyond:+.0} %", against.quantity(step.target))
            }
            Some(against) => format!("red at {}", against.quantity(step.target)),
            None => "red".to_owned(),
        },
        _ => result.reason.clone(),
    }
}

/// Tests one limit: it is measured with nothing injected, and then with effects of several sizes.
fn test_limit(session: &Session, test: usize, at: &str) -> SelftestResult {
    let request = &session.suite.tests[test];
    let kind = session.budgets.budgets[request.budget].subject.kind();
    let bare = session.measure_for_selftest(test, None, &format!("{at}: nothing injected"));
    let (finding, reason) = match bare.verdict {
        Verdict::Pass | Verdict::Warn => {
            return match inject::effect(kind, &request.limit.metric, request.limit.bound) {
                Ok(effect) => smallest_red(session, test, effect, bare, at),
                Err(reason) => without_steps(Finding::Aside, reason, bare),
            };
        }
        Verdict::Skipped => (Finding::Aside, bare.reason.clone()),
        Verdict::Fail => (Finding::Already, format!("red with nothing injected: {}", bare.reason)),
        Verdict::Inconclusive => (Finding::Inconclusive, bare.reason.clone()),
        Verdict::Unmeasured => (Finding::Unmeasured, bare.reason.clone()),
    };
    without_steps(finding, reason, bare)
}

/// Makes a result without injections.
fn without_steps(finding: Finding, reason: String, bare: Outcome) -> SelftestResult {
    SelftestResult { finding, reason, injected: String::new(), bare, steps: Vec::new() }
}

/// Finds the smallest size of an effect that turns a limit red.
fn smallest_red(
    session: &Session,
    test: usize,
    effect: Effect,
    bare: Outcome,
    at: &str,
) -> SelftestResult {
    let request = &session.suite.tests[test];
    let (metric, kind) =
        (&request.limit.metric, session.budgets.budgets[request.budget].subject.kind());
    let relative = bare.relative_to.is_some();
    let (Some(against), Some(estimate)) = (bare.against, bare.estimate) else {
        return without_steps(Finding::Unmeasured, "no value was measured".to_owned(), bare);
    };
    let beyond = |target: f64| {
        if against.limit == 0.0 { target } else { against.used(target) - 1.0 }
    };
    let targets = search::targets(metric, &against).into_iter().filter_map(|target| {
        Some((target, Injection::toward(effect, kind, metric, (estimate.value, target), relative)?))
    });
    let targets: Vec<(f64, Injection)> = targets.collect();
    if targets.is_empty() {
        let reason =
            format!("no {} can be injected that would break this limit", effect.describe());
        return without_steps(Finding::Aside, reason, bare);
    }
    let mut steps = Vec::new();
    let found = search::first_red(targets.len(), |size| {
        let (target, injection) = targets[size];
        let activity = format!("{at}: {} to {}", effect.describe(), against.quantity(target));
        let outcome = session.measure_for_selftest(test, Some(injection), &activity);
        let red = outcome.verdict.is_red();
        steps.push(Step {
            target,
            beyond: beyond(target),
            verdict: outcome.verdict,
            value: outcome.estimate.map(|estimate| estimate.value),
            detectable: outcome.evidence.and_then(|evidence| evidence.detectable),
            reason: outcome.reason,
        });
        red
    });
    let injected = effect.describe().to_owned();
    let (finding, reason) = if found.is_some() {
        (Finding::Red, String::new())
    } else {
        let most = targets.last().map_or(0.0, |(target, _)| *target);
        let most = against.quantity(most);
        (Finding::Never, format!("never red: {injected} to {most} and it still passed"))
    };
    SelftestResult { finding, reason, injected, bare, steps }
}
