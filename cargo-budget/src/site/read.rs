//! The history of a budget, as the site shows it: the tests with their environments, rows and steps.

use std::collections::{BTreeMap, HashMap};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::stats::order;

use super::budget::{self, Test};
use super::chart::sign;
use super::frame::path;
use super::state::{Row, Step};
use crate::history::{Fault, Point, Series, Shown, Store, analyse, percent, probability};
use crate::text::{self, counted, line, visible};

/// The most environments of a test that are drawn, the newest first.
const ENVIRONMENTS: usize = 6;

/// The number of values in the line of the overview.
const SPARK: usize = 60;

/// The most steps of a test that are kept, the largest first. A deterministic metric may have one at each commit.
const STEPS: usize = 40;

/// Returns the series of each budget and test on a branch, each test's newest first. Where one environment has several
/// units, only the newest series counts.
pub(super) fn budgets<'s>(
    series: &[&'s Series],
) -> BTreeMap<&'s str, BTreeMap<&'s str, Vec<&'s Series>>> {
    let mut budgets: BTreeMap<&str, BTreeMap<&str, Vec<&Series>>> = BTreeMap::new();
    for &one in series {
        let tests = budgets.entry(&one.budget).or_default().entry(&one.test).or_default();
        match tests.iter_mut().find(|known| known.environment == one.environment) {
            Some(known) if known.newest < one.newest => *known = one,
            Some(_) => {}
            None => tests.push(one),
        }
    }
    for tests in budgets.values_mut().flat_map(BTreeMap::values_mut) {
        tests.sort_by_key(|one| (std::cmp::Reverse(one.newest), one.key));
    }
    budgets
}

/// Reads the tests of a budget. A test that was only measured in trees with uncommitted changes is left out.
pub(super) fn tests(
    store: &mut Store,
    name: &str,
    tests: &BTreeMap<&str, Vec<&Series>>,
    last: u16,
    recorded: &HashMap<String, Outcome>,
) -> Result<Vec<Test>, Fault> {
    let mut read = Vec::new();
    for series in tests.values() {
        // Values in different units cannot be drawn over each other.
        let unit = series[0].unit;
        let mut lines = Vec::new();
        // This is the environment that the overview shows: the newest one, and a red one if several are equally new.
        let mut newest: Option<(usize, Point)> = None;
        let same = series.iter().filter(|one| one.unit == unit);
        for one in same.clone().take(ENVIRONMENTS) {
            let points = store.points(one.key, last)?;
            let Some(point) = points.iter().rfind(|point| !point.dirty) else { continue };
            let rank = |point: &Point| (point.at, point.is_red);
            if newest.as_ref().is_none_or(|(_, newest)| rank(newest) < rank(point)) {
                newest = Some((lines.len(), point.clone()));
            }
            let trend = analyse(&points, false);
            let distances = vec![None; trend.changes.len()];
            let cut = points.len() == usize::from(last);
            lines.push(Shown { series: (*one).clone(), trend, distances, cut });
        }
        let Some((first, newest)) = newest else { continue };
        lines[..=first].rotate_right(1);
        let left_out = same.count().saturating_sub(ENVIRONMENTS);
        let href = budget::href(name, read.len(), &lines[0].series.test);
        let steps = steps(&lines, &href);
        let row = row(&lines, &newest, &href, left_out);
        let recorded = recorded.get(&row.test).map(text::plain);
        read.push(Test { lines, row, steps, left_out, recorded });
    }
    Ok(read)
}

/// Returns the row of a test in the overview.
fn row(lines: &[Shown], newest: &Point, href: &str, left_out: usize) -> Row {
    let first = &lines[0];
    let commits = &first.trend.commits;
    let values: Vec<f64> = commits.iter().map(|commit| commit.value).collect();
    let limit = newest.bound.as_ref().zip(newest.limit);
    let share = limit
        .zip(newest.value)
        .map(|((bound, limit), value)| if bound == "min" { limit / value } else { value / limit });
    let of_first = std::slice::from_ref(first);
    let mut changes = steps(of_first, href);
    changes.sort_by_key(|step| (step.is_drift, std::cmp::Reverse(step.at)));
    Row {
        test: first.series.test.clone(),
        href: href.to_owned(),
        verdict: newest.verdict.clone(),
        is_red: newest.is_red,
        worst: millionths(first.worst()),
        share: share.filter(|share| share.is_finite()).map(millionths),
        spark: spark(&values[values.len().saturating_sub(SPARK)..]),
        spark_text: format!("the last {}", counted(values.len().min(SPARK), "value")),
        value: newest.value.map(|value| first.quantity(value).to_string()),
        limit: limit.map(|(bound, limit)| format!("{} {}", sign(bound), first.quantity(limit))),
        change: changes.into_iter().next(),
        environment: visible(&first.series.environment).into_owned(),
        others: lines.len() - 1 + left_out,
        at: newest.at,
    }
}

/// Returns the steps and drifts of all environments, the largest first.
fn steps(lines: &[Shown], href: &str) -> Vec<Step> {
    let mut found: Vec<(f64, Step)> = Vec::new();
    for shown in lines {
        let commits = &shown.trend.commits;
        let step = |before: f64, after: f64| {
            let (old, new) =
                (shown.quantity(before).to_string(), shown.quantity(after).to_string());
            Step {
                test: line(&shown.series.test),
                href: href.to_owned(),
                by: percent(before, after),
                values: if old == new {
                    format!("{old}, by {}", shown.quantity((after - before).abs()))
                } else {
                    format!("{old} → {new}")
                },
                worse: shown.is_worse(after - before),
                environment: visible(&shown.series.environment).into_owned(),
                ..Step::default()
            }
        };
        for change in &shown.trend.changes {
            let at = &commits[change.at];
            let mut step = step(change.before, change.after);
            (step.commit, step.at) = (at.hash.clone(), at.at);
            if let Some(p) = change.p {
                step.values.extend([", p ", &probability(p)]);
            }
            found.push((size(change.before, change.after), step));
        }
        if let (Some(drift), Some(last)) = (&shown.trend.total_drift, commits.last()) {
            let mut step = step(drift.from, drift.to);
            (step.is_drift, step.at) = (true, last.at);
            if let Some(n) = drift.reaches {
                step.values
                    .extend(["; at this rate the limit is reached in ", &counted(n, "commit")]);
            }
            found.push((size(drift.from, drift.to), step));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().take(STEPS).map(|(_, step)| step).collect()
}

/// Returns a number in millionths, within what a number of JSON holds exactly.
fn millionths(value: f64) -> i64 {
    (value * 1e6).round().clamp(-1e15, 1e15) as i64
}

/// Returns how large a change is, in either direction.
fn size(before: f64, after: f64) -> f64 {
    let size = (after / before).ln().abs();
    if size.is_nan() { 0.0 } else { size }
}

/// Returns the path of a line in a box of 100 by 24.
fn spark(values: &[f64]) -> String {
    let Some(middle) = order::median(values.to_vec()) else { return String::new() };
    let mut low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let mut high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // A tiny change must not look like a mountain.
    let least = (middle.abs() * 0.02).max(f64::MIN_POSITIVE);
    if high - low < least {
        (low, high) =
            (f64::midpoint(low, high) - least / 2.0, f64::midpoint(low, high) + least / 2.0);
    }
    let last = values.len().saturating_sub(1).max(1) as f64;
    let points = values.iter().enumerate();
    let mut points: Vec<Option<(f64, f64)>> = points
        .map(|(i, value)| {
            Some((i as f64 / last * 100.0, 22.0 - (value - low) / (high - low) * 20.0))
        })
        .collect();
    if let [Some((_, y))] = points[..] {
        points.push(Some((100.0, y)));
    }
    path(points.into_iter())
}
