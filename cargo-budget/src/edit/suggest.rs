//! `cargo budget suggest`: a limit for a metric that has none, from what is on record.
//!
//! Only what has a limit is measured, so a metric without one is known from elsewhere: another budget of
//! the same subject limits it, it had a limit in a run before, or it is a quantile of the operations that
//! another limit was judged from. Nothing is made up where none of these holds.

use std::fmt::Write as _;

use perf_budget_core::budget::{self, Bound, Budget, Budgets};
use perf_budget_core::metric::{Better, Metric, Values};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::quantity::{Quantity, Unit};

use super::headroom::{self, Goal};
use super::number::{Rounding, fresh};
use super::{diff, insert, place};
use crate::failure::Failure;
use perf_budget_core::suite::names;

/// How many runs back are looked at: enough to see how runs differ, few enough to be about today.
const RUNS: usize = 10;

/// A limit that could be set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Suggestion {
    /// The budget.
    pub(crate) budget: String,
    /// `max` or `min`.
    pub(crate) side: &'static str,
    /// The metric's name.
    pub(crate) metric: String,
    /// The limit as TOML: `"10 ms"`, `3`.
    pub(crate) value: String,
    /// From what it was found.
    pub(crate) basis: String,
}

/// Suggests limits for metrics of a budget that have none; for `metric` alone where it is given. `record` has
/// every outcome on record, the last run last; `clock` is what a reading of the clock takes, in seconds.
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
    let mine =
        |outcome: &&Outcome| is_of(outcome, budget, budgets) && outcome.relative_to.is_none();
    let outcomes: Vec<&Outcome> = record.iter().filter(mine).collect();
    let metrics = match metric {
        Some(metric) => vec![metric.clone()],
        None => candidates(budget, &outcomes),
    };
    let open = metrics.into_iter().filter(|metric| !limited(metric));
    open.filter_map(|metric| one(budget, &metric, &outcomes, headroom, clock)).collect()
}

/// Whether an outcome says something about this budget's subject: it is of the budget, or of another one of
/// the file that measures the same with the same parameters.
fn is_of(outcome: &Outcome, budget: &Budget, budgets: &Budgets) -> bool {
    if outcome.subject != names::subject(&budget.subject) || outcome.metric.starts_with("scaling_")
    {
        return false;
    }
    if outcome.budget == budget.name {
        return budget.cases.iter().any(|case| case.label == outcome.case);
    }
    let other = budgets.budgets.iter().find(|other| other.name == outcome.budget);
    other.is_some_and(|other| other.subject == budget.subject && other.cases == budget.cases)
}

/// Metrics of which something is on record, in the order of the documentation.
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

fn one(
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
        let seen = Quantity::new(goal.value, unit);
        let share = Quantity::new(goal.headroom, Unit::Share);
        let basis = format!(
            "{seen} among what `{source}` was judged from, without an interval, with a headroom of {share}"
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
    let text = fresh(Quantity::new(goal.limit, unit), rounding);
    let value = if unit == Unit::Number { text } else { format!("\"{text}\"") };
    Some(Suggestion {
        budget: budget.name.clone(),
        side: place::side(bound),
        metric: word,
        value,
        basis,
    })
}

/// The worst of the last runs, of all cases.
fn measured(outcomes: &[&Outcome], headroom: Option<f64>) -> Option<(Goal, Bound, Unit, usize)> {
    let mut runs: Vec<&str> = Vec::new();
    let mut worst: Option<(Goal, Bound, Unit)> = None;
    for outcome in outcomes.iter().rev() {
        // A red value is what it is, and no ground for a limit.
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

/// A quantile of times, from the last outcome that was judged from single values of the same kind. It has
/// no interval of its own, so it gets twice the headroom that the outcome itself would.
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

/// What to write and run for a metric of which nothing is on record.
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
        "nothing is on record of `{metric}` of `{name}`, since only what has a limit is measured; give it \
         one that nothing breaks, `{side}.{metric} = {value}`, run `cargo test --release -- {name}::`, and \
         then `cargo budget tighten {name}`"
    )
}

/// The text with these limits in it, checked: it says what it said, and these.
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
            "the edited file would not be read any more, so nothing is written; please report this:\n{e}"
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

/// The suggestions of one budget as TOML to paste.
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
