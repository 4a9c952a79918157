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

use super::headroom::{self, SuggestedLimit};
use super::number::{Rounding, write_new};
use super::{diff, insert};
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
    /// The number of limits that this is: more than one where each case has its own.
    pub(crate) limits: usize,
    /// The source that the limit was derived from.
    pub(crate) basis: String,
}

/// Suggests limits for the metrics of a budget that have none, or only for `metric` where it is given. `record` has
/// all recorded outcomes, the last run at the end.
pub(crate) fn suggest(
    budgets: &Budgets,
    budget: &Budget,
    metric: Option<&Metric>,
    record: &[Outcome],
    terms: Terms,
) -> Vec<Suggestion> {
    let limited = |metric: &Metric| {
        budget.limits.iter().any(|limit| limit.metric == *metric && limit.reference().is_none())
    };
    let is_relevant =
        |outcome: &&Outcome| is_about(outcome, budget, budgets) && outcome.relative_to.is_none();
    let outcomes: Vec<&Outcome> = record.iter().filter(is_relevant).collect();
    let metrics = match metric {
        Some(metric) => vec![metric.clone()],
        None => candidates(budget, &outcomes),
    };
    let unlimited = metrics.into_iter().filter(|metric| !limited(metric));
    unlimited.filter_map(|metric| suggest_one(budget, &metric, &outcomes, terms)).collect()
}

/// Returns whether an outcome is about this budget's subject: it belongs to the budget itself, or to another budget
/// that measures the same with the same parameters.
fn is_about(outcome: &Outcome, budget: &Budget, budgets: &Budgets) -> bool {
    if outcome.subject != names::subject(&budget.subject) || outcome.metric.starts_with("scaling_")
    {
        return false;
    }
    if outcome.budget == budget.name {
        // Only a run knows which benchmarks a pattern stands for. The test of the pattern itself has no value.
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
    let is_measured = |word: &str| outcomes.iter().any(|outcome| outcome.metric == word);
    let mut found: Vec<Metric> = Metric::known(kind)
        .into_iter()
        .filter(|metric| metric.values() != Values::Code)
        .filter(|metric| is_measured(&metric.name()) || quantile(metric, outcomes).is_some())
        .collect();
    for outcome in outcomes {
        let metric = Metric::of(kind, &outcome.metric);
        found.extend(metric.filter(|metric| !found.contains(metric)));
    }
    found
}

/// The limit that the recorded values of a metric suggest for one case.
struct RecordedValues {
    goal: SuggestedLimit,
    bound: Bound,
    unit: Unit,
    basis: String,
}

/// How a limit is derived.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The headroom that the user names.
    pub(crate) headroom: Option<f64>,
    /// The time that a reading of the clock takes, in seconds.
    pub(crate) clock: f64,
    /// The share of a limit beyond which it warns.
    pub(crate) warn_at: f64,
}

/// Suggests a limit on a metric if every case has recorded values of it. Where cases are far apart, each gets its own limit.
fn suggest_one(
    budget: &Budget,
    metric: &Metric,
    outcomes: &[&Outcome],
    terms: Terms,
) -> Option<Suggestion> {
    let mut by_case = Vec::new();
    for case in &budget.cases {
        let of_case: Vec<&Outcome> =
            outcomes.iter().copied().filter(|outcome| outcome.case == case.label).collect();
        by_case.push((case, recorded_values(metric, &of_case, terms)?));
    }
    let (bound, unit) = by_case.first().map(|(_, known)| (known.bound, known.unit))?;
    if by_case.iter().any(|(_, known)| known.bound != bound || known.unit != unit) {
        return None;
    }
    let shown = |goal: SuggestedLimit| {
        let rounding = Rounding { bound, tolerance: goal.rounding_share(), whole: goal.is_whole() };
        let text = write_new(Quantity::new(goal.limit, unit), rounding);
        if unit == Unit::Number { text } else { format!("\"{text}\"") }
    };
    let limits = by_case.iter().map(|(_, known)| known.goal.limit);
    let (least, most) = limits.fold((f64::INFINITY, 0.0_f64), |(a, b), n| (a.min(n), b.max(n)));
    let parameter = only_parameter(budget).filter(|_| most > least * FAR);
    let values = parameter.map(|name| {
        let one = |(case, known): &(&budget::Case, RecordedValues)| {
            let value = case.params.iter().find(|(own, _)| own == name).map(|(_, value)| value);
            let value = value.map(ToString::to_string).unwrap_or_default();
            let key = toml_edit::Key::new(value).display_repr().into_owned();
            format!("{key} = {}", shown(known.goal))
        };
        let parts: Vec<String> = by_case.iter().map(one).collect();
        format!("{{ {name} = {{ {} }} }}", parts.join(", "))
    });
    let limits = if values.is_some() { by_case.len() } else { 1 };
    let has_cases = by_case.len() > 1;
    let loosest = by_case
        .into_iter()
        .reduce(|a, b| if a.1.goal.looser(b.1.goal, bound) == a.1.goal { a } else { b });
    let (case, RecordedValues { goal, mut basis, .. }) = loosest?;
    if has_cases {
        basis = format!("{}: {basis}", case.label);
    }
    Some(Suggestion {
        budget: budget.name.clone(),
        side: bound.side(),
        metric: metric.name(),
        value: values.unwrap_or_else(|| shown(goal)),
        limits,
        basis,
    })
}

/// The ratio between the limits of two cases beyond which each case gets a limit of its own: with a common limit it would
/// go unnoticed that the case with the smaller value became twice as slow.
const FAR: f64 = 2.0;

/// Returns the parameter that tells the cases of a budget apart, if there is only one.
fn only_parameter(budget: &Budget) -> Option<&str> {
    let first = budget.cases.first()?;
    let mut names = first.params.iter().map(|(name, _)| name.as_str());
    names.find(|name| {
        budget.cases.iter().all(|case| {
            let (own, value) = case.label.split_once('=').unwrap_or_default();
            own == *name && !value.contains(',')
        })
    })
}

/// Returns the limit that the outcomes of one case suggest for a metric.
fn recorded_values(metric: &Metric, outcomes: &[&Outcome], terms: Terms) -> Option<RecordedValues> {
    let word = metric.name();
    let direct: Vec<&Outcome> =
        outcomes.iter().copied().filter(|outcome| outcome.metric == word).collect();
    let (mut known, runs) =
        if let Some((goal, bound, unit, runs)) = worst_of_runs(&direct, terms.headroom) {
            (RecordedValues { goal, bound, unit, basis: String::new() }, Some(runs))
        } else {
            let (mut goal, unit, source) = quantile(metric, outcomes)?;
            if let Some(share) = terms.headroom {
                (goal.limit, goal.headroom) = (goal.worst * (1.0 + share), share);
            }
            (RecordedValues { goal, bound: Bound::Max, unit, basis: source }, None)
        };
    known.bound = match metric.better() {
        Better::Lower => Bound::Max,
        Better::Higher => Bound::Min,
        Better::Either => known.bound,
    };
    let RecordedValues { bound, unit, .. } = known;
    if terms.headroom.is_none() {
        known.goal = headroom::clear_of_warning(bound, unit, known.goal, terms.warn_at);
    }
    known.basis = match runs {
        Some(1) => headroom::basis(known.goal, bound, unit),
        Some(runs) => {
            format!("{}, the worst of {runs} runs", headroom::basis(known.goal, bound, unit))
        }
        None => {
            let value = Quantity::new(known.goal.value, unit);
            let share = Quantity::new(known.goal.headroom, Unit::Share);
            format!(
                "{value} in the distribution of `{}`, without an interval, with a headroom of {share}",
                known.basis
            )
        }
    };
    known.goal = headroom::clear_of_clock(metric, bound, known.goal, terms.clock);
    Some(known)
}

/// Returns the limit that the worst value of the last runs suggests, and the number of these runs.
fn worst_of_runs(
    outcomes: &[&Outcome],
    headroom: Option<f64>,
) -> Option<(SuggestedLimit, Bound, Unit, usize)> {
    let mut runs: Vec<&str> = Vec::new();
    let mut worst: Option<(SuggestedLimit, Bound, Unit)> = None;
    for outcome in outcomes.iter().rev() {
        // A red value is no basis for a limit.
        let Ok(goal) = headroom::suggested_limit(outcome, headroom) else { continue };
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
fn quantile(metric: &Metric, outcomes: &[&Outcome]) -> Option<(SuggestedLimit, Unit, String)> {
    let statistic = metric.statistic()?;
    statistic.quantile()?;
    let prefix = metric.family();
    let mut found: Option<(SuggestedLimit, Unit, String)> = None;
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
        let Ok(own) = headroom::suggested_limit(outcome, None) else { continue };
        run = Some(&outcome.run.id);
        let share = own.headroom * 2.0;
        let goal = SuggestedLimit {
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
    let after = budgets.reparse(&edited).map_err(|e| {
        Failure::unmeasured(format!(
            "the edited file would not be valid, so nothing is written; please report this:\n{e}"
        ))
    })?;
    let changes = diff::compare(Some(budgets), Some(&after));
    let only = changes.iter().all(|change| change.kind == diff::Kind::Added);
    if only && changes.len() == suggestions.iter().map(|added| added.limits).sum::<usize>() {
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
    for Suggestion { budget, side, metric, value, basis, .. } in suggestions {
        let line = if insert::is_in_braces(text, budget, side) {
            format!("# into its `{side}`: {metric} = {value}")
        } else {
            format!("{side}.{metric} = {value}")
        };
        let _ = writeln!(lines, "{line}  # {basis}");
    }
    lines
}
