//! The comparison of which environment is in force where none is named. A changed `when`, or another order of the
//! environments, may loosen the limits of a machine although no limit was edited.

use std::collections::BTreeSet;

use perf_budget_core::budget::Budgets;
use perf_budget_core::budget::switches::Switch;

use super::{Change, Kind, compare};

/// Returns the change that another environment is in force on a kind of machine. `before` is the old file with the
/// environment that was in force, `after` is the new file with the environment that is in force now, and `old` is the old
/// file with that new environment. `known` are the changes that are listed already; this one does not repeat them.
pub(crate) fn switched(
    switch: &Switch,
    (before, after): (&Budgets, &Budgets),
    old: &Budgets,
    known: &[Change],
) -> Change {
    let environments = [before, after].map(|file| file.environment.as_deref());
    let is_listed = |change: &Change| {
        known.iter().any(|known| {
            let Change { what, .. } = change;
            let mut names = environments.into_iter().flatten();
            let is_named = known.what == *what
                || names.any(|name| known.what == format!("[env.{name}] {what}"));
            is_named && Change { what: what.clone(), ..known.clone() } == *change
        })
    };
    let weaker: Vec<Change> = compare(Some(before), Some(after))
        .into_iter()
        .filter(|change| change.weakens && !is_listed(change))
        .collect();
    // A reason that the limits had before is no reason for putting them in force on another machine.
    let had = reasons(old);
    let reason = |change: &Change| change.why.clone().filter(|why| !had.contains(why.trim()));
    let given: Option<BTreeSet<String>> = weaker.iter().map(reason).collect();
    let given = given.filter(|given| !given.is_empty());
    let name = |name: Option<&str>| Some(name.unwrap_or("none").to_owned());
    let shown = after.environment.as_ref().or(before.environment.as_ref());
    let line = after.environments.iter().find(|one| Some(&one.name) == shown);
    Change {
        kind: if weaker.is_empty() { Kind::Changed } else { Kind::Loosened },
        what: format!("[env] in force where {}", switch.machine),
        before: name(environments[0]),
        after: name(environments[1]),
        weakens: !weaker.is_empty(),
        why: given.map(|given| given.into_iter().collect::<Vec<_>>().join("; ")),
        line: line.map(|one| one.line),
    }
}

/// Returns every reason in a file.
fn reasons(file: &Budgets) -> BTreeSet<String> {
    let of_budget = |budget: &perf_budget_core::budget::Budget| {
        let slopes = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
        let limits = budget.limits.iter().chain(slopes);
        let of_limits = limits.filter_map(|limit| limit.why.clone());
        of_limits.chain(budget.why.clone()).collect::<Vec<_>>()
    };
    let all = file.budgets.iter().flat_map(of_budget);
    all.map(|why| why.trim().to_owned()).collect()
}
