//! What a series of outcomes says about the time it covers: where its value stepped, by which commits,
//! and whether it drifts. Points in, findings out; no database, no text.

use super::change::{LEAST, Step, segments};
use super::drift::{Drift, decompose, drift, median};
use super::store::Point;

/// The value at one commit: the median of its runs, as a rerun is no change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Commit {
    /// Its hash; `None` for a run without one, which stands for itself.
    pub(crate) hash: Option<String>,
    /// The commit's time, else when the run began; the order of the series.
    pub(crate) at: i64,
    pub(crate) value: f64,
    pub(crate) runs: usize,
    /// Whether any of its verdicts was red.
    pub(crate) is_red: bool,
}

/// A step between two commits of the series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The index of the first commit of the new level; the last of the old one is before it.
    pub(crate) at: usize,
    /// The median of the level before, and of the level after.
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// The chance of as large a difference without a change; `None` where the metric is exact.
    pub(crate) p: Option<f64>,
}

/// A drift over the whole series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Creep {
    /// The value at the beginning and at the end, on the line that is drawn through the series.
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) p: f64,
    /// In how many commits the limit is reached at this rate; `None` where it leads away from it, there
    /// is none, or it is broken already.
    pub(crate) reaches: Option<usize>,
}

/// The findings.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Trend {
    pub(crate) commits: Vec<Commit>,
    pub(crate) changes: Vec<Change>,
    pub(crate) creep: Option<Creep>,
    /// The newest limit: `max` or `min`, and its value.
    pub(crate) limit: Option<(String, f64)>,
    /// Whether every value is exact: then each difference is a change.
    pub(crate) is_exact: bool,
    /// Outcomes without a value.
    pub(crate) without_value: usize,
    /// Outcomes of trees with changes that are in no commit, which are not part of the series.
    pub(crate) dirty: usize,
    /// Too few commits to find a step in noise.
    pub(crate) is_short: bool,
}

/// Drifts below this share of the value are left unsaid: significant, where there are many commits, but
/// nothing that anybody would act on.
const LEAST_CREEP: f64 = 0.01;

/// Analyses a series, oldest first. Outcomes of dirty trees count only where `with_dirty`.
pub(crate) fn analyse(points: &[Point], with_dirty: bool) -> Trend {
    let clean: Vec<&Point> = points.iter().filter(|point| with_dirty || !point.dirty).collect();
    let commits = commits(&clean);
    let values: Vec<f64> = commits.iter().map(|commit| commit.value).collect();
    let valued = || clean.iter().filter(|point| point.value.is_some());
    let is_exact = valued().all(|point| point.exact) && !commits.is_empty();
    let newest = clean.iter().rev().find_map(|point| Some((point.bound.clone()?, point.limit?)));
    let (changes, drift) = if is_exact { exact(&values) } else { statistical(&values) };
    let creep = drift.and_then(|drift| creep(&values, &changes, drift, newest.as_ref()));
    Trend {
        changes,
        creep,
        limit: newest,
        is_exact,
        without_value: clean.len() - valued().count(),
        dirty: points.len() - clean.len(),
        is_short: !is_exact && commits.len() < LEAST,
        commits,
    }
}

/// One value for each commit, in the order of their times.
fn commits(points: &[&Point]) -> Vec<Commit> {
    let mut groups: Vec<(&Point, Vec<f64>, bool)> = Vec::new();
    for point in points {
        let Some(value) = point.value else { continue };
        let is_red =
            ["fail", "inconclusive", "unsure", "unmeasured"].contains(&point.verdict.as_str());
        let same = |known: &&mut (&Point, _, _)| {
            point.commit.is_some() && known.0.commit == point.commit && known.0.dirty == point.dirty
        };
        match groups.iter_mut().rev().find(same) {
            Some(group) => {
                group.1.push(value);
                group.2 |= is_red;
            }
            None => groups.push((point, vec![value], is_red)),
        }
    }
    let commit = |(point, mut values, is_red): (&Point, Vec<f64>, bool)| Commit {
        hash: point.commit.clone(),
        at: point.at,
        value: median(&mut values),
        runs: values.len(),
        is_red,
    };
    groups.into_iter().map(commit).collect()
}

/// Of a deterministic metric every difference is a change. It creeps where it goes one way by many changes, of
/// which none makes up half of the way.
fn exact(values: &[f64]) -> (Vec<Change>, Option<Drift>) {
    let pairs =
        values.windows(2).enumerate().filter(|(_, pair)| pair[0].total_cmp(&pair[1]).is_ne());
    let changes: Vec<Change> = pairs
        .map(|(i, pair)| Change { at: i + 1, before: pair[0], after: pair[1], p: None })
        .collect();
    let largest =
        changes.iter().map(|change| (change.after - change.before).abs()).fold(0.0, f64::max);
    let way = values.first().zip(values.last()).map_or(0.0, |(first, last)| (last - first).abs());
    let whole = 0..values.len();
    let many = values.len() >= LEAST && largest < way / 2.0;
    let drift = many.then(|| drift(values, std::slice::from_ref(&whole))).flatten();
    (changes, drift.filter(|drift| drift.p <= super::change::LEVEL))
}

fn statistical(values: &[f64]) -> (Vec<Change>, Option<Drift>) {
    let (steps, drift) = decompose(values);
    let slope = drift.map_or(0.0, |drift| drift.slope);
    (changes(values, &steps, slope), drift)
}

/// The levels before and after each step, at the step itself where they are on a slope.
fn changes(values: &[f64], steps: &[Step], slope: f64) -> Vec<Change> {
    let segments = segments(values, steps);
    let level = |segment: &std::ops::Range<usize>, at: usize| {
        let at_step = |i: usize| values[i] + slope * (at as f64 - i as f64);
        median(&mut segment.clone().map(at_step).collect::<Vec<_>>())
    };
    let pairs = segments.windows(2).zip(steps);
    pairs
        .map(|(pair, step)| Change {
            at: step.at,
            before: level(&pair[0], step.at),
            after: level(&pair[1], step.at),
            p: Some(step.p),
        })
        .collect()
}

/// What a drift adds up to, steps left out.
fn creep(
    values: &[f64],
    changes: &[Change],
    drift: Drift,
    limit: Option<&(String, f64)>,
) -> Option<Creep> {
    let (from, to) = line(values, changes, drift.slope)?;
    if ((to - from) / from).abs() < LEAST_CREEP {
        return None;
    }
    let reaches = limit.and_then(|(bound, limit)| {
        let left = if bound == "min" { to - limit } else { limit - to };
        let rate = if bound == "min" { -drift.slope } else { drift.slope };
        (left > 0.0 && rate > 0.0).then(|| (left / rate).ceil() as usize)
    });
    Some(Creep { from, to, p: drift.p, reaches })
}

/// The values at the beginning and at the end of the line with this slope that ends at today's level,
/// which is what a limit is held against. Deterministic values are their own line.
fn line(values: &[f64], changes: &[Change], slope: f64) -> Option<(f64, f64)> {
    if changes.iter().any(|change| change.p.is_none()) {
        return Some((*values.first()?, *values.last()?));
    }
    let last = values.len().checked_sub(1)?;
    let since = changes.iter().map(|change| change.at).max().unwrap_or(0);
    let at_last = |i: usize| values[i] + slope * (last - i) as f64;
    let to = median(&mut (since..=last).map(at_last).collect::<Vec<_>>());
    Some((to - slope * last as f64, to))
}
