//! The reader of `unit`, which declares metrics that a workload records itself, each with its unit.
//!
//! A metric need not be declared: if the workload does not record it, its limit is red. The name of a declared metric may be
//! similar to that of a known one, which is a mistake otherwise. The limits on a declared metric have to have its unit.

use toml::de::DeTable;

use super::collect::Mistakes;
use super::declared::{Declared, Metric};
use super::limit::Draft;
use super::metric_name;
use super::printable::quoted;
use super::problem::Problem;
use super::read;
use crate::budget::{Scaling, Target};
use crate::metric::SubjectKind;
use crate::quantity::{Quantity, Unit};

/// The word for a metric without a unit.
const NUMBER: &str = "number";

/// Reads `unit` of a budget.
pub(super) fn read(budget: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Declared {
    const EXAMPLE: &str = "unit = { depth = \"number\", lag = \"ms\" }";
    let Some(entry) = read::entry(budget, "unit") else { return Declared::default() };
    let Some(table) = entry.table(mistakes, EXAMPLE) else { return Declared::default() };
    if table.is_empty() {
        let problem = Problem::new(entry.value.span(), "`unit` declares no metric");
        mistakes.report_absence(problem.help(format!("write {EXAMPLE}, or remove it")));
    }
    let mut declared = Vec::new();
    for entry in read::entries(table) {
        if metric_name::is_metric_of(SubjectKind::Workload, entry.key) {
            let title = format!("`{}` is a metric that is measured, and has its unit", entry.key);
            mistakes.report(
                Problem::new(entry.at, title).help("remove it here, or record under another name"),
            );
            continue;
        }
        if entry.key == "scaling" || entry.key.starts_with("scaling_") {
            let title = format!("`{}` is a name of how a metric grows", entry.key);
            mistakes.report(Problem::new(entry.at, title).help("record under another name"));
            continue;
        }
        if !metric_name::is_name(entry.key) {
            mistakes.report(metric_name::invalid_name(entry.key, &entry.at));
            continue;
        }
        let Some(word) = entry.text(mistakes, "\"number\", \"ms\", \"KB\", \"%\" or \"op/s\"")
        else {
            continue;
        };
        let unit = match word.as_str() {
            NUMBER => Some(Unit::Number),
            // A text that begins with a digit is refused, since it would be read as more digits of the number before
            // it.
            word if word.starts_with(|c: char| c.is_alphabetic() || c == '%') => {
                Quantity::parse(&format!("1 {word}")).ok().map(|quantity| quantity.unit)
            }
            _ => None,
        };
        if let Some(unit) = unit {
            declared.push(Metric { name: entry.key.to_owned(), unit, at: entry.at });
        } else {
            let title = format!("{} is not a unit", quoted(&word));
            let help = "write \"number\", or a unit as in limits: \"ns\", \"ms\", \"s\", \"B\", \"KB\", \"MiB\", \"%\", \"op/s\", \"MB/s\"";
            mistakes.report(Problem::new(entry.value.span(), title).help(help));
        }
    }
    Declared(declared)
}

/// Reports limits in another unit than the declared one, and declared metrics that nothing limits.
pub(super) fn check(
    declared: &Declared,
    drafts: &[Draft],
    scaling: Option<&Scaling>,
    mistakes: &mut Mistakes<'_>,
) {
    for draft in drafts {
        let Some(name) = draft.limit.metric.custom_name() else { continue };
        let (Some(unit), Target::Absolute(quantity)) = (declared.unit(name), &draft.limit.target)
        else {
            continue;
        };
        if quantity.unit != unit {
            let title =
                format!("`{name}` is declared as {}, found {}", unit.noun(), quantity.unit.noun());
            let problem = Problem::new(draft.at.clone(), title);
            mistakes.report(problem.help("use the unit of `unit`, or correct it there"));
        }
    }
    for Metric { name, at, .. } in &declared.0 {
        let of_limits = drafts.iter().map(|draft| &draft.limit.metric);
        let of_slopes = scaling.into_iter().flat_map(|scaling| &scaling.limits);
        let of_slopes = of_slopes.filter_map(|limit| limit.metric.slope_of());
        if !of_limits.chain(of_slopes).any(|metric| metric.custom_name() == Some(name.as_str())) {
            let title = format!("`unit` declares `{name}`, which nothing limits");
            mistakes.report_absence(
                Problem::new(at.clone(), title).help("limit it, or remove it here"),
            );
        }
    }
}
