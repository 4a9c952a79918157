//! `cargo budget suggest`: limits for metrics that have none, derived from the record.
//!
//! Only metrics with a limit are measured. So a metric without one is known only from elsewhere: another budget of
//! the same subject limits it, it had a limit in an earlier run, or it is a quantile of the operations that another
//! limit was judged from. Where none of these holds, nothing is suggested.

use std::fmt::Write as _;

use perf_budget_core::budget::{self, Bound, Budget, Budgets};
use perf_budget_core::metric::{Better, Metric, Values};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::quantity::{Quantity, Unit};

use super::headroom::{self, Goal};
use super::number::{Rounding, write_new};
use super::{diff, insert, place};
use crate::failure::Failure;
use perf_budget_core::suite::names;

/// The number of runs that are considered: enough to show how runs differ, but few enough to be about the present.
const RUNS: usize = 10;

/// A suggested limit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Suggestion {
    /// The name of the budget.
    pub(crate) budget: String,
    /// The key of the bound: `max` or `min`.
    pub(crate) side: &'static str,
    /// The name of the metric.
    pub(crate) metric: String,
    /// The limit as TOML, such as `"10 ms"` or `3`.
    pub(crate) value: String,
    /// What the limit was derived from.
    pub(crate) basis: String,
}

/// Suggests limits for the metrics of a budget that have none, or only for `metric` where it is given. `record` has
/// all recorded outcomes, the last run at the end. `clock` is the time that a reading of the clock takes, in seconds.
pub(crate) fn suggest(
    budgets: &Budgets,
    budget: &Budget,
    metric: Option<&Metric>,
    record: &[Outcome],
    headroom: Option<f64>,
    clock: f64,
) -> Vec<Suggestion> {
    let limited = |metric: &Metric| {
        budget.limits.iter().any(|limit| limit.metric == *metric && limit.reference().is_none())
    };
    let is_relevant =
        |outcome: &&Outcome| is_of(outcome, budget, budgets) && outcome.relative_to.is_none();
    let outcomes: Vec<&Outcome> = record.iter().filter(is_relevant).collect();
    let metrics = match metric {
        Some(metric) => vec![metric.clone()],
        None => candidates(budget, &outcomes),
    };
    let unlimited = metrics.into_iter().filter(|metric| !limited(metric));
    unlimited
        .filter_map(|metric| suggest_one(budget, &metric, &outcomes, headroom, clock))
        .collect()
}

/// Returns whether an outcome is about this budget's subject: it belongs to the budget itself, or to another budget
/// that measures the same with the same parameters.
fn is_of(outcome: &Outcome, budget: &Budget, budgets: &Budgets) -> bool {
    if outcome.subject != names::subject(&budget.subject) || outcome.metric.starts_with("scaling_")
    {
        return false;
    }
    if outcome.budget == budget.name {
        // Which benchmarks a pattern stands for is only known by a run. The test of the pattern itself has no value.
        return match budget.pattern() {
            Some(_) => !outcome.case.is_empty(),
            None => budget.cases.iter().any(|case| case.label == outcome.case),
        };
    }
    let other = budgets.budgets.iter().find(|other| other.name == outcome.budget);
    other.is_some_and(|other| other.subject == budget.subject && other.cases == budget.cases)
}

/// Returns the metrics that the record has values of, in the order of the documentation.
fn candidates(budget: &Budget, outcomes: &[&Outcome]) -> Vec<Metric> {
    let kind = budget.subject.kind();
    let of = |word: &str| outcomes.iter().any(|outcome| outcome.metric == word);
    let mut found: Vec<Metric> = Metric::known(kind)
        .into_iter()
        .filter(|metric| metric.values() != Values::Code)
        .filter(|metric| of(&metric.name()) || quantile(metric, outcomes).is_some())
        .collect();
    for outcome in outcomes {
        let metric = Metric::of(kind, &outcome.metric);
        found.extend(metric.filter(|metric| !found.contains(metric)));
    }
    found
}

fn suggest_one(
    budget: &Budget,
    metric: &Metric,
    outcomes: &[&Outcome],
    headroom: Option<f64>,
    clock: f64,
) -> Option<Suggestion> {
    let word = metric.name();
    let direct: Vec<&Outcome> =
        outcomes.iter().copied().filter(|outcome| outcome.metric == word).collect();
    let (goal, bound, unit, basis) = if let Some((goal, bound, unit, runs)) =
        measured(&direct, headroom)
    {
        let of = if runs == 1 { String::new() } else { format!(", the worst of {runs} runs") };
        (goal, bound, unit, headroom::basis(goal, bound, unit) + &of)
    } else {
        let (mut goal, unit, source) = quantile(metric, outcomes)?;
        if let Some(share) = headroom {
            (goal.limit, goal.headroom) = (goal.worst * (1.0 + share), share);
        }
        let value = Quantity::new(goal.value, unit);
        let share = Quantity::new(goal.headroom, Unit::Share);
        let basis = format!(
            "{value} in the distribution of `{source}`, without an interval, with a headroom of {share}"
        );
        (goal, Bound::Max, unit, basis)
    };
    let bound = match metric.better() {
        Better::Lower => Bound::Max,
        Better::Higher => Bound::Min,
        Better::Either => bound,
    };
    let goal = headroom::clear_of_clock(metric, bound, goal, clock);
    let rounding = Rounding { bound, tolerance: goal.tolerance(), whole: goal.is_whole() };
    let text = write_new(Quantity::new(goal.limit, unit), rounding);
    let value = if unit == Unit::Number { text } else { format!("\"{text}\"") };
    Some(Suggestion {
        budget: budget.name.clone(),
        side: place::side(bound),
        metric: word,
        value,
        basis,
    })
}

/// Returns the worst value of the last runs, over all cases.
fn measured(outcomes: &[&Outcome], headroom: Option<f64>) -> Option<(Goal, Bound, Unit, usize)> {
    let mut runs: Vec<&str> = Vec::new();
    let mut worst: Option<(Goal, Bound, Unit)> = None;
    for outcome in outcomes.iter().rev() {
        // A red value is no basis for a limit.
        let Ok(goal) = headroom::goal(outcome, headroom) else { continue };
        let Some(against) = outcome.against else { continue };
        if !runs.contains(&outcome.run.id.as_str()) {
            if runs.len() == RUNS {
                break;
            }
            runs.push(&outcome.run.id);
        }
        worst = match worst {
            None => Some((goal, against.bound, against.unit)),
            Some((_, bound, unit)) if bound != against.bound || unit != against.unit => worst,
            Some((known, bound, unit)) => Some((known.looser(goal, bound), bound, unit)),
        };
    }
    worst.map(|(goal, bound, unit)| (goal, bound, unit, runs.len()))
}

/// Returns a quantile of times from the last run in which a limit was judged from single values of the same kind. It
/// has no interval of its own, so it gets twice the headroom that the outcome itself would get.
fn quantile(metric: &Metric, outcomes: &[&Outcome]) -> Option<(Goal, Unit, String)> {
    let statistic = metric.statistic()?;
    statistic.quantile()?;
    let prefix = metric.family();
    let mut found: Option<(Goal, Unit, String)> = None;
    let mut run = None;
    for outcome in outcomes.iter().rev() {
        let of_times = outcome.metric.strip_prefix(prefix).is_some_and(|word| {
            word.starts_with('p') && word[1..].bytes().all(|b| b.is_ascii_digit())
        });
        if !of_times || run.is_some_and(|run| run != &outcome.run.id) {
            continue;
        }
        let Some(shape) = outcome.shape.as_ref().filter(|shape| !shape.of.starts_with("batches"))
        else {
            continue;
        };
        let value = shape.quantiles.iter().find(|(name, _)| name == statistic.name());
        let (Some(&(_, value)), Some(against)) = (value, outcome.against) else { continue };
        let Ok(own) = headroom::goal(outcome, None) else { continue };
        run = Some(&outcome.run.id);
        let share = own.headroom * 2.0;
        let goal = Goal {
            limit: value * (1.0 + share),
            worst: value,
            headroom: share,
            value,
            exact: false,
        };
        let source = format!("{}::{}", outcome.budget, outcome.metric);
        found = Some(match found {
            Some((known, unit, from)) if known.limit >= goal.limit => (known, unit, from),
            _ => (goal, against.unit, source),
        });
    }
    found
}

/// Returns what to write and run for a metric that the record has no value of.
pub(crate) fn advice(budget: &Budget, metric: &Metric) -> String {
    let (side, value) = match (metric.better(), metric.unit()) {
        (Better::Higher, _) | (_, Some(Unit::PerSecond | Unit::BytesPerSecond)) => {
            ("min", "\"0.001 op/s\"")
        }
        (_, Some(Unit::Seconds)) => ("max", "\"1 h\""),
        (_, Some(Unit::Bytes)) => ("max", "\"1 TB\""),
        (_, Some(Unit::Share)) => ("max", "\"99 %\""),
        (_, Some(Unit::Number | Unit::Ratio) | None) => ("max", "1_000_000_000"),
    };
    let name = &budget.name;
    format!(
        "the record has no `{metric}` of `{name}`, since only metrics with a limit are measured; give it \
         a limit that nothing breaks, `{side}.{metric} = {value}`, run `cargo test --release -- {name}::`, and \
         then `cargo budget tighten {name}`"
    )
}

/// Returns the text with these limits added. The result is checked: it must differ only by them.
pub(crate) fn insert(
    text: &str,
    budgets: &Budgets,
    suggestions: &[Suggestion],
) -> Result<String, Failure> {
    let mut edited = text.to_owned();
    for Suggestion { budget, side, metric, value, .. } in suggestions {
        edited =
            insert::limit(&edited, budget, side, metric, value).map_err(Failure::unmeasured)?;
    }
    let after = budget::parse(&edited, &budgets.path).map_err(|e| {
        Failure::unmeasured(format!(
            "the edited file would not be valid, so nothing is written; please report this:\n{e}"
        ))
    })?;
    let changes = diff::compare(Some(budgets), Some(&after));
    let only = changes.iter().all(|change| change.kind == diff::Kind::Added);
    if only && changes.len() == suggestions.len() {
        return Ok(edited);
    }
    Err(Failure::unmeasured(
        "the edit would do more than add these limits, so nothing is written; please report this",
    ))
}

/// Returns the suggestions for one budget as TOML to be pasted.
pub(crate) fn pasted(text: &str, suggestions: &[Suggestion]) -> String {
    let Some(first) = suggestions.first() else { return String::new() };
    let name = toml_edit::Key::new(&first.budget).display_repr().into_owned();
    let mut lines = format!("# under [budget.{name}]\n");
    for Suggestion { budget, side, metric, value, basis } in suggestions {
        let line = if insert::is_in_braces(text, budget, side) {
            format!("# into its `{side}`: {metric} = {value}")
        } else {
            format!("{side}.{metric} = {value}")
        };
        let _ = writeln!(lines, "{line}  # {basis}");
    }
    lines
}
