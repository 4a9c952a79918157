//! The reader of `scaling`, which says how fast metrics may grow with a parameter.

use std::collections::HashSet;
use std::sync::Arc;

use toml::de::DeTable;

use super::case::Parameter;
use super::collect::Mistakes;
use super::declared::Declared;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use super::{key, limit, metric_name};
use crate::budget::{Bound, Limit, Param, Scaling, spelling};
use crate::metric::{Metric, SubjectKind, Values};

/// The fewest points that tell a slope from noise around it.
const FEWEST: usize = 3;

/// Reads `scaling` of a budget with these parameters.
pub(super) fn read(
    kind: SubjectKind,
    entry: &Entry<'_>,
    parameters: &[Parameter],
    declared: &Declared,
    mistakes: &mut Mistakes<'_>,
) -> Option<Scaling> {
    const EXAMPLE: &str = "scaling = { over = \"records\", max = { rss = 1.1 } }";
    let table = entry.table(mistakes, EXAMPLE)?;
    read::check_keys(table, "`scaling`", key::SCALING, mistakes);
    for key in key::SCALING.iter().filter(|key| !table.contains_key(key.name)) {
        let title = format!("`scaling` lacks the key `{}`", key.name);
        mistakes.report_absence(
            Problem::new(entry.value.span(), title).help(format!("write {EXAMPLE}")),
        );
    }
    let over = over(table, parameters, mistakes);
    let max = read::entry(table, "max")?;
    let metrics = max.table(mistakes, "max = { rss = 1.1 }")?;
    if metrics.is_empty() {
        let title = "`scaling` limits no metric";
        mistakes
            .report_absence(Problem::new(max.value.span(), title).help(format!("write {EXAMPLE}")));
    }
    let mut limits = Vec::new();
    for entry in read::entries(metrics) {
        let Some(inner) = metric_name::read(kind, entry.key, &entry.at, declared, mistakes) else {
            continue;
        };
        if !inner.has_slope() {
            let title = format!("`{inner}` has no slope that could be limited");
            let help = if inner.values() == Values::Code {
                "limit a time or a size"
            } else {
                "limit `mean`: as it grows, the rate falls"
            };
            mistakes.report(Problem::new(entry.at, title).help(help));
            continue;
        }
        let metric = Metric::slope(inner);
        let limit = limit::one(&metric, Bound::Max, entry.value, mistakes).map(|draft| draft.limit);
        limits.extend(limit.map(|limit| Arc::new(Limit { label: metric.name(), ..limit })));
    }
    Some(Scaling { over: over?, limits })
}

fn over(
    table: &DeTable<'_>,
    parameters: &[Parameter],
    mistakes: &mut Mistakes<'_>,
) -> Option<String> {
    let entry = read::entry(table, "over")?;
    let name = entry.text(mistakes, "the name of a parameter in quotes")?;
    let at = entry.value.span();
    let Some(parameter) = parameters.iter().find(|p| p.name == name) else {
        let near = spelling::nearest(&name, parameters.iter().map(|p| p.name.as_str()));
        let label = near.map(|near| format!("did you mean \"{near}\"?")).unwrap_or_default();
        let title = format!("there is no parameter {}", quoted(&name));
        let help = format!("write params = {{ {name} = [1000, 10_000, 100_000] }}");
        mistakes.report_absence(Problem::new(at, title).label(label).help(help));
        return None;
    };
    let positive = |value: &Param| match *value {
        Param::Int(n) => Some(n as f64).filter(|&n| n > 0.0),
        Param::Float(n) => Some(n).filter(|&n| n > 0.0),
        Param::Text(_) | Param::Bool(_) => None,
    };
    let values: Option<HashSet<u64>> =
        parameter.values.iter().map(|v| positive(v).map(f64::to_bits)).collect();
    if values.is_some_and(|values| values.len() >= FEWEST) {
        return Some(name);
    }
    let title = format!("`{name}` is not a list of at least {FEWEST} positive numbers");
    let help = format!("a slope needs {FEWEST} points: write {name} = [1000, 10_000, 100_000]");
    mistakes.report(Problem::new(at, title).help(help));
    None
}
