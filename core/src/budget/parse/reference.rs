//! The check of limits against another budget: the budget must exist, and both must have the same cases.

use std::collections::HashSet;
use std::ops::Range;

use super::budget_table::{BudgetTables, Draft};
use super::collect::Mistakes;
use super::metric_name;
use super::printable::quoted;
use super::problem::Problem;
use crate::budget::{Budget, Reference, spelling};

/// Reports references to budgets that do not exist or cannot be compared.
pub(super) fn check(tables: &BudgetTables<'_>, mistakes: &mut Mistakes<'_>) {
    for draft in &tables.budgets {
        check_draft(draft, tables, mistakes);
    }
}

/// Reports the references of one budget to budgets that do not exist or cannot be compared.
pub(super) fn check_draft(draft: &Draft, tables: &BudgetTables<'_>, mistakes: &mut Mistakes<'_>) {
    for (limit, at) in draft.budget.limits.iter().zip(&draft.spans) {
        if let Some(Reference::Budget(name)) = limit.reference() {
            check_reference(&draft.budget, name, at, tables, mistakes);
        }
    }
}

fn check_reference(
    budget: &Budget,
    name: &str,
    at: &Range<usize>,
    tables: &BudgetTables<'_>,
    mistakes: &mut Mistakes<'_>,
) {
    let at = at.clone();
    if name == budget.name {
        mistakes.report(
            Problem::new(at, "a budget cannot be held against itself")
                .help("name another budget, or `base`"),
        );
        return;
    }
    let Some(index) = tables.names.get(name) else {
        // The search looks at every name, so it is only made for problems that are shown.
        let names = tables.names.keys().copied().chain(["base", "lock"]);
        let near = if mistakes.is_shown() { spelling::nearest(name, names) } else { None };
        let label = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        mistakes.report_absence(
            Problem::new(at, format!("there is no budget {}", quoted(name)))
                .label(label)
                .help("a reference is `base`, `lock` or the name of a budget in this file"),
        );
        return;
    };
    // A budget that has mistakes itself is not compared.
    let Some(other) = index.map(|index| &tables.budgets[index].budget) else { return };
    let (mine, its) = (budget.subject.kind(), other.subject.kind());
    if mine != its {
        let title = format!(
            "`{name}` is a budget of {}, this is {}",
            metric_name::noun(its),
            metric_name::noun(mine)
        );
        let help = "compare budgets of the same kind of subject";
        mistakes.report(Problem::new(at, title).help(help));
        return;
    }
    if other.pattern().is_some() {
        let title = format!("`{name}` is a budget of several benchmarks, of which none is meant");
        mistakes.report(Problem::new(at, title).help("name a budget of one benchmark"));
        return;
    }
    let labels = |b: &Budget| b.cases.iter().map(|c| c.label.clone()).collect::<HashSet<_>>();
    if other.cases.len() > 1 && labels(budget) != labels(other) {
        let title =
            format!("`{name}` has {} cases, and not those of this budget", other.cases.len());
        let help = "give both the same lists of `params`, or the other one no list";
        mistakes.report(Problem::new(at, title).help(help));
    }
}
