//! The names of the tests that a `budgets.toml` makes. They show which tests of a run are missing.

use perf_budget_core::budget::{Budget, Budgets, Limit};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::selftest;
use perf_budget_core::suite::names;
use perf_budget_core::verdict::Verdict;

use crate::failure::Failure;

/// How many names a message lists.
const NAMED: usize = 12;

/// Fails for a name that no test, no budget and no case of the file has.
pub(crate) fn require_known<'n>(
    budgets: &Budgets,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<(), Failure> {
    let tests = unmeasured(budgets);
    for name in names {
        if !tests.iter().any(|test| selftest::names(name, &test.test)) {
            let known = budgets.budgets.iter().take(NAMED).map(|b| format!("`{}`", b.name));
            return Err(Failure::usage(format!(
                "budgets.toml has no budget `{name}`; it has {}",
                known.collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(())
}

/// Returns an outcome for each test of the file, as if nothing had been measured.
pub(crate) fn unmeasured(budgets: &Budgets) -> Vec<Outcome> {
    let file = budgets.path.file_name().unwrap_or_default().to_string_lossy();
    let mut outcomes = Vec::new();
    for budget in &budgets.budgets {
        for case in &budget.cases {
            let limits = budget.limits.iter().filter(|limit| limit.cases.has(case));
            outcomes.extend(limits.map(|limit| outcome(budget, &case.label, limit, &file)));
        }
        let slopes = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
        outcomes.extend(slopes.map(|limit| outcome(budget, "", limit, &file)));
    }
    outcomes
}

fn outcome(budget: &Budget, case: &str, limit: &Limit, file: &str) -> Outcome {
    Outcome {
        test: names::test(budget, case, limit),
        budget: budget.name.clone(),
        case: case.to_owned(),
        metric: limit.metric.name(),
        subject: names::subject(&budget.subject),
        verdict: Verdict::Unmeasured,
        relative_to: limit.reference().map(ToString::to_string),
        why: limit.why.clone().or_else(|| budget.why.clone()),
        file: file.to_owned(),
        line: limit.line,
        ..Outcome::default()
    }
}
