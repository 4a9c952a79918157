//! The text of absolute limits on benchmarks, from what each of them takes now.

use std::collections::HashSet;

use perf_budget_core::benchmarks::{List, expand};
use perf_budget_core::budget::{Bound, Budgets, Library, Subject};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::quantity::Quantity;
use toml_edit::Key;

use crate::edit::headroom;
use crate::edit::number::{Rounding, write_new};

/// What was measured of all benchmarks.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// The budgets that they were measured by, one for each library.
    pub(crate) budgets: Option<Budgets>,
    /// The lists of the benchmarks.
    pub(crate) lists: Vec<List>,
    /// The outcomes.
    pub(crate) outcomes: Vec<Outcome>,
}

/// The limits on benchmarks.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// The tables to add to `budgets.toml`.
    pub(crate) text: String,
    /// How many there are.
    pub(crate) count: usize,
    /// Why a benchmark has no limit, one sentence for each.
    pub(crate) notes: Vec<String>,
}

/// Returns the limits for all benchmarks but those that a budget names already.
pub(crate) fn limits(measured: &Measured, before: &Budgets) -> Limits {
    let mut limits = Limits::default();
    let mut names: HashSet<String> = before.budgets.iter().map(|own| own.name.clone()).collect();
    let is_limited = |library: Library, name: &str| {
        let same = |subject: &Subject| matches!(subject, Subject::Benchmark(of, own) if *of == library && own == name);
        before.budgets.iter().any(|budget| same(&budget.subject))
    };
    let budgets = measured.budgets.iter().flat_map(|file| &file.budgets);
    for (budget, list) in budgets.flat_map(|b| measured.lists.iter().map(move |list| (b, list))) {
        let Subject::Benchmark(library, _) = budget.subject else { continue };
        let mut budget = budget.clone();
        expand(&mut budget, Some(list));
        for case in &budget.cases {
            let Some(name) = budget.benchmark(case).filter(|name| !is_limited(library, name))
            else {
                continue;
            };
            let is_it =
                |outcome: &&Outcome| outcome.budget == budget.name && outcome.case == case.label;
            let outcome = measured.outcomes.iter().rev().find(is_it);
            match value(outcome, name, before.settings.warn_at) {
                Ok((value, basis)) => {
                    let title = title(&case.label, &mut names);
                    let (key, name) = (Key::new(&title).display_repr().into_owned(), quoted(name));
                    limits.text += &format!(
                        "\n[budget.{key}]\n{} = {name}\nmax = {{ mean = \"{value}\" }}  # {basis}\n",
                        library.key()
                    );
                    limits.count += 1;
                }
                Err(why) => limits.notes.push(format!("`{name}` has no limit: {why}")),
            }
        }
    }
    if limits.count > 0 {
        limits.text = format!(
            "\n# What each benchmark took when `cargo budget init --limits` measured it, with a headroom. The times are those of \
             one\n# machine: a slower one needs limits of its own, or only those against a base.\n{}",
            limits.text
        );
    }
    limits
}

/// Returns the limit on the mean of a benchmark, and what it was derived from.
fn value(outcome: Option<&Outcome>, name: &str, warn_at: f64) -> Result<(String, String), String> {
    if name.contains('*') {
        return Err("in budgets.toml its name would stand for others too".to_owned());
    }
    let outcome = outcome.ok_or("it was not measured")?;
    let goal = headroom::goal(outcome, None)?;
    let unit = outcome.against.ok_or("its outcome has no limit")?.unit;
    let goal = headroom::clear_of_warning(Bound::Max, unit, goal, warn_at);
    let rounding = Rounding { bound: Bound::Max, tolerance: goal.tolerance(), whole: false };
    let value = write_new(Quantity::new(goal.limit, unit), rounding);
    Ok((value, headroom::basis(goal, Bound::Max, unit)))
}

/// Returns a name for the budget of a benchmark that no other budget has.
fn title(label: &str, names: &mut HashSet<String>) -> String {
    let mut title = label.to_owned();
    while !names.insert(title.clone()) {
        title.push('~');
    }
    title
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
