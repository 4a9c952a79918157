//! The history of a budget, as the site shows it: the tests with their environments, rows and steps.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::stats::order;

use super::budget::{self, Test};
use super::chart::sign;
use super::frame::path;
use super::state::{Row, Step};
use crate::history::{
    Fault, LATELY, Listed, NO_VERDICT, Point, Recent, Series, Store, TestTrend, analyse, percent,
    probability, series_at_once,
};
use crate::text::{self, counted, line, visible};

/// The most environments of a test that are drawn, the newest first.
const ENVIRONMENTS: usize = 6;

/// The number of newest outcomes that are read of an environment that may not be drawn. They are enough to know the last
/// outcome, and which commits are the newest.
const FEW: u16 = 2 * LATELY;

/// The number of values in the line of the overview.
const SPARK: usize = 60;

/// The most changes for the worse that are kept, the newest first, since only those of recent commits are shown.
const MOVES: usize = ENVIRONMENTS * (LATELY as usize + 1);

/// The most steps of a test that are kept, the largest first. A deterministic metric may have one at each commit.
const STEPS: usize = 40;

/// Returns the series of each budget and test on a branch, each test's newest first. Where one environment has several
/// units, only the newest series counts.
pub(super) fn budgets<'s>(series: &[&'s Series]) -> BTreeMap<&'s str, Tests<'s>> {
    let mut budgets: BTreeMap<&str, Tests<'s>> = BTreeMap::new();
    for &one in series {
        let tests = budgets.entry(&one.budget).or_default().entry(&one.test).or_default();
        match tests.iter_mut().find(|known| known.environment == one.environment) {
            Some(known) if known.newest < one.newest => *known = one,
            Some(_) => {}
            None => tests.push(one),
        }
    }
    for tests in budgets.values_mut().flat_map(BTreeMap::values_mut) {
        tests.sort_by_key(|one| (Reverse(one.newest), one.key));
    }
    budgets
}

/// The outcomes that were read of each series, by its key.
pub(super) type Points = HashMap<i64, Vec<Point>>;

/// The tests of a budget, each with its series, the newest first.
pub(super) type Tests<'s> = BTreeMap<&'s str, Vec<&'s Series>>;

/// Returns how many series of budgets are read together.
pub(super) fn at_once(last: u16) -> usize {
    series_at_once(last.max(FEW))
}

/// Reads what is drawn of these budgets, by few statements: on a slow network each takes a round trip.
pub(super) fn points<'t, 's: 't>(
    store: &mut Store,
    budgets: impl Iterator<Item = &'t Tests<'s>>,
    last: u16,
) -> Result<Points, Fault> {
    let (mut drawn, mut others) = (Vec::new(), Vec::new());
    for series in budgets.flat_map(BTreeMap::values) {
        let (first, rest) = series.split_at(series.len().min(ENVIRONMENTS));
        drawn.extend(first.iter().map(|series| series.key));
        others.extend(rest.iter().map(|series| series.key));
    }
    let mut points = Points::new();
    for (keys, many) in [(drawn, last.max(FEW)), (others, FEW)] {
        let read = store.clean_points_of(&keys, many)?;
        points.extend(keys.into_iter().zip(read));
    }
    Ok(points)
}

/// What is known besides the outcomes of a test.
#[derive(Debug, Clone, Copy)]
pub(super) struct TestContext<'t> {
    pub(super) recent: Recent,
    pub(super) listed: Option<&'t Listed>,
    /// The outcomes of the last run on this machine that have a distribution or a profile, by their tests.
    pub(super) recorded: &'t HashMap<String, Outcome>,
}

/// Makes the tests of a budget from what was read of them. A test that was only measured in trees with uncommitted changes is
/// left out.
pub(super) fn tests(
    store: &mut Store,
    name: &str,
    tests: &Tests<'_>,
    points: &mut Points,
    last: u16,
    known: TestContext<'_>,
) -> Result<Vec<Test>, Fault> {
    let mut shown: Vec<(Row, Vec<End<'_>>)> = Vec::new();
    for series in tests.values() {
        let mut ends = ends(series, points);
        let Some(first) = (0..ends.len()).max_by_key(|&i| (ends[i].rank(), Reverse(i))) else {
            continue;
        };
        // The environment that is shown comes first, and the others stay in order.
        ends[..=first].rotate_right(1);
        let row = overview_row(&ends, known);
        // Values in different units cannot be drawn over each other.
        let unit = ends[0].series.unit;
        ends.retain(|end| end.series.unit == unit);
        ends.truncate(ENVIRONMENTS);
        shown.push((row, ends));
    }
    let drawn = shown.iter_mut().flat_map(|(_, ends)| ends);
    complete(store, drawn.collect(), last)?;
    let test = |(nth, (row, ends)): (usize, (Row, Vec<End<'_>>))| {
        let href = budget::href(name, nth, &row.test);
        drawn_test(Row { href, ..row }, ends, last, known)
    };
    Ok(shown.into_iter().enumerate().map(test).collect())
}

/// Reads the rest of the series that are drawn although they are not among the newest. A series that is shorter than what was
/// asked for has been read whole.
fn complete(store: &mut Store, drawn: Vec<&mut End<'_>>, last: u16) -> Result<(), Fault> {
    let is_cut = |end: &&mut End<'_>| end.points.len() == usize::from(FEW) && FEW < last;
    let cut: Vec<&mut End<'_>> = drawn.into_iter().filter(is_cut).collect();
    let keys: Vec<i64> = cut.iter().map(|end| end.series.key).collect();
    for (end, points) in cut.into_iter().zip(store.clean_points_of(&keys, last)?) {
        end.points = points;
    }
    Ok(())
}

/// Analyses the series of a test, and draws its row.
fn drawn_test(mut row: Row, ends: Vec<End<'_>>, last: u16, known: TestContext<'_>) -> Test {
    let lines: Vec<TestTrend> = ends
        .iter()
        .map(|end| {
            let points = &end.points[end.points.len().saturating_sub(usize::from(last))..];
            let trend = analyse(points, false);
            let distances = vec![None; trend.changes.len()];
            let cut = points.len() == usize::from(last);
            TestTrend { series: end.series.clone(), trend, distances, cut }
        })
        .collect();
    draw(&mut row, &lines, &ends);
    let steps = steps(&lines, &row.href);
    let left_out = row.others + 1 - lines.len();
    let recorded = known.recorded.get(&row.test).map(text::plain);
    let ends = ends.into_iter().map(|end| (end.newest, end.counts)).collect();
    Test { lines, ends, row, steps, left_out, recorded }
}

/// The newest outcome of a test in one environment.
struct End<'s> {
    series: &'s Series,
    points: Vec<Point>,
    newest: Point,
    /// Whether it is among the newest commits that measured the test in any environment. Another outcome does not count: a
    /// machine that is no longer used must not keep a test red.
    counts: bool,
}

impl End<'_> {
    /// Returns the order in which a test is shown by its environments: what counts, what is red, and what is newest.
    fn rank(&self) -> (bool, bool, i64) {
        (self.counts, self.newest.is_red, self.newest.at)
    }
}

/// Returns the newest outcome in each environment.
fn ends<'s>(series: &[&'s Series], points: &mut Points) -> Vec<End<'s>> {
    let mut ends = Vec::new();
    let mut commits = BTreeSet::new();
    for &series in series {
        let points = points.remove(&series.key).unwrap_or_default();
        commits.extend(points.iter().map(|point| (point.at, point.commit.clone())));
        let Some(newest) = points.last().cloned() else { continue };
        ends.push(End { series, points, newest, counts: true });
    }
    let oldest = commits.iter().rev().nth(usize::from(LATELY) - 1).map(|(at, _)| *at);
    for end in &mut ends {
        end.counts = oldest.is_none_or(|oldest| end.newest.at >= oldest);
    }
    ends
}

/// Returns the row of a test in the overview, without its values. The first environment is the one that is shown.
fn overview_row(ends: &[End<'_>], known: TestContext<'_>) -> Row {
    let End { series, newest, .. } = &ends[0];
    let is_judged = newest.verdict != NO_VERDICT;
    let listed = known.listed.filter(|_| is_judged);
    let past = ends.iter().filter(|end| !end.counts && end.newest.is_red);
    let mut row = Row {
        test: series.test.clone(),
        verdict: newest.verdict.clone(),
        is_red: newest.is_red,
        environment: visible(&series.environment).into_owned(),
        others: ends.len() - 1,
        past: past.map(|end| visible(&end.series.environment).into_owned()).collect(),
        at: newest.at,
        measured: ends.iter().map(|end| end.newest.at).max().unwrap_or(newest.at),
        is_listed: listed.map(|listed| listed.has(&series.budget, &series.test)),
        ..Row::default()
    };
    row.is_gone = row.is_gone(known.recent);
    row
}

/// Adds the values to a row: those of the first line, and the changes of every line that counts.
fn draw(row: &mut Row, lines: &[TestTrend], ends: &[End<'_>]) {
    let first = &lines[0];
    let newest = &ends[0].newest;
    let values: Vec<f64> = first.trend.commits.iter().map(|commit| commit.value).collect();
    let limit = newest.bound.as_ref().zip(newest.limit);
    let share = limit
        .zip(newest.value)
        .map(|((bound, limit), value)| if bound == "min" { limit / value } else { value / limit });
    row.share = share.filter(|share| share.is_finite()).map(millionths);
    row.spark = spark(&values[values.len().saturating_sub(SPARK)..]);
    row.spark_text = format!("the last {}", counted(values.len().min(SPARK), "value"));
    row.value = newest.value.map(|value| first.quantity(value).to_string());
    row.limit = limit.map(|(bound, limit)| format!("{} {}", sign(bound), first.quantity(limit)));
    let mut changes = steps(std::slice::from_ref(first), &row.href);
    changes.sort_by_key(|step| (step.is_drift, Reverse(step.at)));
    row.change = changes.into_iter().next();
    let counts = lines.iter().zip(ends).filter(|(_, end)| end.counts);
    let mut moves: Vec<(i64, i64)> = counts
        .flat_map(|(line, _)| line.moves())
        .filter(|(_, worse)| *worse > 0.0)
        .map(|(at, worse)| (at, millionths(worse)))
        .collect();
    moves.sort_unstable_by_key(|&(at, worse)| Reverse((at, worse)));
    moves.truncate(MOVES);
    row.moves = moves;
}

/// Returns the steps and drifts of all environments, the largest first.
fn steps(lines: &[TestTrend], href: &str) -> Vec<Step> {
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

/// Returns a number in millionths, limited to numbers that JSON can hold exactly.
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
