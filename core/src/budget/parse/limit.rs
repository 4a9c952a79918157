//! The reader of `max` and `min`: it makes limits with labels of metrics and targets.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::case::Parameter;
use super::collect::Mistakes;
use super::declared::Declared;
use super::problem::Problem;
use super::read::{self, Entry, Value};
use super::{by_case, key, metric_name, target, waiver};
use crate::budget::{Bound, CaseFilter, Limit, Reference, Target};
use crate::metric::{Better, Metric, SubjectKind};
use crate::quantity::{Quantity, Unit};

/// A limit and the place of its target in the text.
pub(super) struct Draft {
    pub limit: Limit,
    pub at: Range<usize>,
}

/// Reads all limits in `max` and `min` of a budget, in the order of the file, and gives each its label.
pub(super) fn read(
    kind: SubjectKind,
    budget: &DeTable<'_>,
    parameters: &[Parameter],
    declared: &Declared,
    mistakes: &mut Mistakes<'_>,
) -> Vec<Draft> {
    let all = CaseFilter::default();
    let mut drafts = Vec::new();
    for (name, bound, example) in [
        ("max", Bound::Max, "max = { METRIC = LIMIT }"),
        ("min", Bound::Min, "min = { METRIC = LIMIT }"),
    ] {
        let Some(side) = read::entry(budget, name) else { continue };
        let Some(table) = side.table(mistakes, example) else { continue };
        for entry in read::unordered(table) {
            let Some(metric) = metric_name::read(kind, entry.key, &entry.at, declared, mistakes)
            else {
                continue;
            };
            if bound == Bound::Max && metric.better() == Better::Higher {
                let title =
                    format!("more `{}` is better, so `max` would refuse the better", entry.key);
                let help = format!(
                    "write min = {{ {} = {} }}",
                    entry.key,
                    short_value(mistakes, entry.value)
                );
                mistakes.report(Problem::new(entry.at, title).help(help));
                continue;
            }
            let limited = Limited { metric: &metric, bound, parameters };
            several(&limited, &all, entry.value, mistakes, &mut drafts);
        }
    }
    if kind == SubjectKind::Record {
        drafts.retain(|draft| is_repeatable(draft, mistakes));
    }
    drafts.sort_by_cached_key(|draft| draft.at.start);
    check_floors(&drafts, mistakes);
    add_labels(&mut drafts, mistakes);
    drafts
}

/// Whether a limit can be judged by what another program recorded. A comparison with a reference is reported, because a
/// record cannot be measured again.
fn is_repeatable(draft: &Draft, mistakes: &mut Mistakes<'_>) -> bool {
    let (title, help) = match draft.limit.reference() {
        None | Some(Reference::Lock) => return true,
        Some(Reference::Base) => (
            "what Criterion recorded cannot be compared with the base revision: the base that it keeps \
             is whatever it measured last",
            "limit it by a quantity or `x lock`, or run the benchmark: criterion = \"group/bench\"",
        ),
        Some(Reference::Budget(_)) => (
            "what Criterion recorded cannot be compared with another budget: the two were not interleaved",
            "limit both by quantities, or run the benchmarks: criterion = \"group/bench\"",
        ),
    };
    mistakes.report(Problem::new(draft.at.clone(), title).help(help));
    false
}

/// The metric that a limit is on, with its side and the parameters.
struct Limited<'a> {
    metric: &'a Metric,
    bound: Bound,
    /// The parameters of the budget, by whose values limits may differ.
    parameters: &'a [Parameter],
}

/// Reads one limit on these cases, or a list of limits, or limits by the values of a parameter.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn several(
    limited: &Limited<'_>,
    cases: &CaseFilter,
    value: &Value<'_>,
    mistakes: &mut Mistakes<'_>,
    drafts: &mut Vec<Draft>,
) {
    let Limited { metric, bound, parameters } = *limited;
    if let DeValue::Table(table) = value.get_ref()
        && let Some(by_value) = by_case::parameter(table, parameters, cases)
    {
        for part in by_case::read(table, by_value, cases, mistakes) {
            several(limited, &part.cases, part.value, mistakes, drafts);
        }
        return;
    }
    if let DeValue::Table(table) = value.get_ref()
        && let Some(problem) = by_case::unknown_parameter(table, parameters)
    {
        mistakes.report(problem);
        return;
    }
    let first = drafts.len();
    match value.get_ref() {
        DeValue::Array(list) if list.is_empty() => {
            let title = format!("the list of limits on `{metric}` is empty");
            let help = format!("write {}, or remove the key", target::example(metric));
            mistakes.report(Problem::new(value.span(), title).help(help));
        }
        DeValue::Array(list) => {
            for item in list {
                if item.get_ref().as_table().is_some() {
                    several(limited, cases, item, mistakes, drafts);
                } else {
                    drafts.extend(one(metric, bound, item, mistakes));
                }
            }
        }
        _ => drafts.extend(one(metric, bound, value, mistakes)),
    }
    for draft in drafts[first..].iter_mut().filter(|draft| draft.limit.cases.is_all()) {
        draft.limit.cases = cases.clone();
    }
}

/// Reads one limit: its target alone, or the long form. It has no label yet.
pub(super) fn one(
    metric: &Metric,
    bound: Bound,
    value: &Value<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Draft> {
    let mut limit = Limit {
        metric: metric.clone(),
        cases: CaseFilter::default(),
        bound,
        target: Target::Relative { factor: 1.0, reference: Reference::Base },
        warn: None,
        why: None,
        waiver: None,
        label: String::new(),
        environment: None,
        line: mistakes.line(&value.span()),
    };
    let DeValue::Table(table) = value.get_ref() else {
        limit.target = target::read(metric, bound, value, mistakes)?;
        return Some(Draft { limit, at: value.span() });
    };
    let problems_before = mistakes.problems.len();
    read::check_keys(table, "a limit", key::LIMIT, mistakes);
    let Some(entry) = read::entry(table, "limit") else {
        // An unknown key that has just been reported is probably a misspelt `limit`.
        if mistakes.problems.len() > problems_before {
            return None;
        }
        let title = format!("the limit on `{metric}` lacks the key `limit`");
        let help = format!("write {{ limit = {}, ... }}", target::example(metric));
        mistakes.report_absence(Problem::new(value.span(), title).help(help));
        return None;
    };
    limit.line = mistakes.line(&entry.value.span());
    limit.why = read::entry(table, "why").and_then(|e| e.text(mistakes, "the reason in quotes"));
    limit.waiver = waiver::read(table, mistakes);
    let target = target::read(metric, bound, entry.value, mistakes);
    if let Some(warn) = read::entry(table, "warn") {
        limit.warn = target::read_quantity(metric, warn.value, mistakes);
        if let Some(target) = &target {
            let problem = warn_problem((&warn, limit.warn), (&entry, target), bound);
            mistakes.problems.extend(problem);
        }
    }
    limit.target = target?;
    Some(Draft { limit, at: entry.value.span() })
}

/// Returns the problem of a `warn` that does not suit its limit. Both come as the entry and what was read of it; a `warn`
/// that could not be read is `None`.
fn warn_problem(
    (warn, value): (&Entry<'_>, Option<Quantity>),
    (limit, target): (&Entry<'_>, &Target),
    bound: Bound,
) -> Option<Problem> {
    let Target::Absolute(most) = target else {
        return Some(Problem::new(warn.at.clone(), "`warn` is for a limit that is a quantity").help(
            "remove it; a limit against a reference warns only beyond the limit, within its tolerance",
        ));
    };
    let value = value?;
    if value.unit != most.unit {
        return Some(
            Problem::new(warn.value.span(), "`warn` and `limit` are in different units")
                .also(limit.value.span(), format!("this is {}", most.unit.noun()))
                .help("write both in the same unit"),
        );
    }
    let (is_beyond, word) = match bound {
        Bound::Max => (value.value > most.value, "below"),
        Bound::Min => (value.value < most.value, "above"),
    };
    is_beyond.then(|| {
        Problem::new(warn.value.span(), "`warn` is on the wrong side of the limit")
            .also(limit.value.span(), "the limit")
            .help(format!("write a `warn` {word} {most}, so that it comes first"))
    })
}

/// Reports a `min` without a `max` if less is better. Such a floor shows that a measurement has gone wrong, and
/// makes sense only beside a `max`.
fn check_floors(drafts: &[Draft], mistakes: &mut Mistakes<'_>) {
    if drafts.iter().all(|d| d.limit.bound == Bound::Max) {
        return;
    }
    let mut ceilings: HashMap<&Metric, Vec<&Draft>> = HashMap::new();
    for draft in drafts.iter().filter(|d| d.limit.bound == Bound::Max) {
        ceilings.entry(&draft.limit.metric).or_default().push(draft);
    }
    for draft in drafts.iter().filter(|d| d.limit.bound == Bound::Min) {
        let metric = &draft.limit.metric;
        let above = ceilings.get(metric).map(Vec::as_slice).unwrap_or_default();
        if metric.better() == Better::Lower && (above.is_empty() || !has_floor(metric)) {
            let help = if has_floor(metric) {
                format!(
                    "write max = {{ {metric} = {} }}; a `min` is a floor beside a `max`",
                    shown_at(mistakes, &draft.at)
                )
            } else {
                format!("write max = {{ {metric} = {} }}", shown_at(mistakes, &draft.at))
            };
            let title = format!("less `{metric}` is better, so `min` would refuse the better");
            mistakes.report_absence(Problem::new(draft.at.clone(), title).help(help));
        }
        let Target::Absolute(low) = draft.limit.target else { continue };
        for ceiling in above {
            let Target::Absolute(high) = ceiling.limit.target else { continue };
            if draft.limit.cases.excludes(&ceiling.limit.cases) {
                continue;
            }
            if low.unit != high.unit {
                mistakes.report(
                    Problem::new(
                        draft.at.clone(),
                        format!("`min` and `max` of `{metric}` are in different units"),
                    )
                    .also(ceiling.at.clone(), format!("this is {}", high.unit.noun()))
                    .help("write both in the same unit"),
                );
            } else if low.value > high.value {
                mistakes.report(
                    Problem::new(
                        draft.at.clone(),
                        format!("`min` of `{metric}` is over its `max`"),
                    )
                    .also(ceiling.at.clone(), "the `max`")
                    .help("no value can be both; write a lower `min`"),
                );
            }
        }
    }
}

/// Whether a floor on this metric makes sense: sizes and times never fall to zero.
pub(super) fn has_floor(metric: &Metric) -> bool {
    matches!(metric.unit(), Some(Unit::Bytes | Unit::Seconds))
}

/// Returns the parts in which two limits of a budget have to differ, unless they are for different cases.
fn distinguishing_parts(limit: &Limit) -> (&Metric, Option<&Reference>, Bound) {
    (&limit.metric, limit.reference(), limit.bound)
}

/// Gives every limit its label, and reports two limits that would have the same.
fn add_labels(drafts: &mut [Draft], mistakes: &mut Mistakes<'_>) {
    // The limits are sorted, so that the others on a metric are found fast even if there are thousands.
    let mut known: Vec<Vec<&Draft>> = Vec::with_capacity(drafts.len());
    for draft in drafts.iter() {
        let order = |same: &Vec<&Draft>| {
            distinguishing_parts(&same[0].limit).cmp(&distinguishing_parts(&draft.limit))
        };
        let at = match known.binary_search_by(order) {
            Ok(at) => at,
            Err(at) => {
                known.insert(at, vec![draft]);
                continue;
            }
        };
        let overlaps = |other: &&&Draft| !other.limit.cases.excludes(&draft.limit.cases);
        let first = known[at].iter().rev().find(overlaps).copied();
        known[at].push(draft);
        let Some(first) = first else { continue };
        let metric = &draft.limit.metric;
        let against = match draft.limit.reference() {
            Some(reference) => format!(" against `{reference}`"),
            None => String::new(),
        };
        mistakes.report(
            Problem::new(draft.at.clone(), format!("`{metric}` has two limits{against}"))
                .also(first.at.clone(), "first here")
                .help("keep the tighter one"),
        );
    }
    let label = |limit: &Limit| {
        let (other, side) = match limit.bound {
            Bound::Max => (Bound::Min, "::max"),
            Bound::Min => (Bound::Max, "::min"),
        };
        let counterpart = (&limit.metric, limit.reference(), other);
        let both = known
            .binary_search_by(|same| distinguishing_parts(&same[0].limit).cmp(&counterpart))
            .is_ok();
        let side = if both { side } else { "" };
        match limit.reference() {
            Some(reference) => format!("{}{side}::x_{reference}", limit.metric),
            None => limit.metric.name() + side,
        }
    };
    let labels: Vec<_> = drafts.iter().map(|draft| label(&draft.limit)).collect();
    for (draft, label) in drafts.iter_mut().zip(labels) {
        draft.limit.label = label;
    }
}

/// Returns a value as it is written, if it is short.
fn short_value(mistakes: &Mistakes<'_>, value: &Value<'_>) -> String {
    shown_at(mistakes, &value.span())
}

fn shown_at(mistakes: &Mistakes<'_>, at: &Range<usize>) -> String {
    let text = mistakes.source.text.get(at.clone()).unwrap_or_default();
    if text.len() <= 40 && !text.contains('\n') { text.to_owned() } else { "...".to_owned() }
}
