//! The analysis of a series of outcomes: where its value stepped, by which commits, and whether it drifts. It takes
//! points and returns findings; it uses no database and makes no text.

use perf_budget_core::stats::order;

use super::change::{LEAST, Step, segments};
use super::drift::{Drift, decompose, drift};
use super::store::Point;

/// The value at one commit. It is the median of the commit's runs, since another run of a commit is not a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Commit {
    /// The hash; `None` for a run without a commit, which then makes an entry by itself.
    pub(crate) hash: Option<String>,
    /// The time of the commit, or of the run if that is not known. The series is sorted by it.
    pub(crate) at: i64,
    pub(crate) value: f64,
    pub(crate) runs: usize,
    /// Whether any of its verdicts was red.
    pub(crate) is_red: bool,
    /// The limit that its newest run was held to; `None` where there was none.
    pub(crate) limit: Option<f64>,
}

/// A step between two commits of the series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The index of the first commit with the new level. The commit before it is the last with the old level.
    pub(crate) at: usize,
    /// The median of the old level, and that of the new level.
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// The chance of as large a difference without a change; `None` where the metric is deterministic.
    pub(crate) p: Option<f64>,
}

/// A drift over the whole series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TotalDrift {
    /// The values at the beginning and at the end of the line that is drawn through the series.
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) p: f64,
    /// The number of commits in which the limit is reached at this rate. It is `None` where the drift leads away from
    /// the limit, where there is no limit, and where the limit is broken already.
    pub(crate) reaches: Option<usize>,
}

/// The findings of the analysis.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Trend {
    pub(crate) commits: Vec<Commit>,
    pub(crate) changes: Vec<Change>,
    pub(crate) total_drift: Option<TotalDrift>,
    /// The newest limit, as `max` or `min` and its value.
    pub(crate) limit: Option<(String, f64)>,
    /// Whether every value is deterministic, so that each difference is a change.
    pub(crate) is_exact: bool,
    /// The number of outcomes without a value.
    pub(crate) without_value: usize,
    /// The number of outcomes of trees with uncommitted changes, which are not part of the series.
    pub(crate) dirty: usize,
    /// Whether there are too few commits to find a step in noise.
    pub(crate) is_short: bool,
}

/// The least drift that is reported, as a share of the value. A smaller one may be significant where there are many
/// commits, but nobody would act on it.
const LEAST_DRIFT: f64 = 0.01;

/// Analyses a series, which is in order of time. Outcomes of trees with uncommitted changes count only if
/// `with_dirty`.
pub(crate) fn analyse(points: &[Point], with_dirty: bool) -> Trend {
    let clean: Vec<&Point> = points.iter().filter(|point| with_dirty || !point.dirty).collect();
    let commits = commits(&clean);
    let values: Vec<f64> = commits.iter().map(|commit| commit.value).collect();
    let valued = || clean.iter().filter(|point| point.value.is_some());
    let is_exact = valued().all(|point| point.exact) && !commits.is_empty();
    let newest = clean.iter().rev().find_map(|point| Some((point.bound.clone()?, point.limit?)));
    let (changes, drift) = if is_exact { exact(&values) } else { statistical(&values) };
    let total_drift =
        drift.and_then(|drift| total_drift(&values, &changes, drift, newest.as_ref()));
    Trend {
        changes,
        total_drift,
        limit: newest,
        is_exact,
        without_value: clean.len() - valued().count(),
        dirty: points.len() - clean.len(),
        is_short: !is_exact && commits.len() < LEAST,
        commits,
    }
}

/// Returns one value for each commit, in order of time.
fn commits(points: &[&Point]) -> Vec<Commit> {
    let mut groups: Vec<(&Point, Commit, Vec<f64>)> = Vec::new();
    for point in points {
        let Some(value) = point.value else { continue };
        let same = |(known, ..): &&mut (&Point, Commit, Vec<f64>)| {
            point.commit.is_some() && known.commit == point.commit && known.dirty == point.dirty
        };
        if let Some((_, commit, values)) = groups.iter_mut().rev().find(same) {
            commit.runs += 1;
            commit.is_red |= point.is_red;
            commit.limit = point.limit;
            values.push(value);
        } else {
            let commit = Commit {
                hash: point.commit.clone(),
                at: point.at,
                runs: 1,
                value,
                is_red: point.is_red,
                limit: point.limit,
            };
            groups.push((point, commit, vec![value]));
        }
    }
    let typical = |(_, commit, values)| Commit { value: median(values), ..commit };
    groups.into_iter().map(typical).collect()
}

/// Analyses a deterministic metric, where every difference is a change. It also drifts if many changes lead in one
/// direction, and none of them makes up half of the total change.
fn exact(values: &[f64]) -> (Vec<Change>, Option<Drift>) {
    let pairs =
        values.windows(2).enumerate().filter(|(_, pair)| pair[0].total_cmp(&pair[1]).is_ne());
    let changes: Vec<Change> = pairs
        .map(|(i, pair)| Change { at: i + 1, before: pair[0], after: pair[1], p: None })
        .collect();
    let largest =
        changes.iter().map(|change| (change.after - change.before).abs()).fold(0.0, f64::max);
    let distance =
        values.first().zip(values.last()).map_or(0.0, |(first, last)| (last - first).abs());
    let whole = 0..values.len();
    let is_drift = values.len() >= LEAST && largest < distance / 2.0;
    let drift = is_drift.then(|| drift(values, std::slice::from_ref(&whole))).flatten();
    (changes, drift.filter(|drift| drift.p <= super::change::LEVEL))
}

fn statistical(values: &[f64]) -> (Vec<Change>, Option<Drift>) {
    let (steps, drift) = decompose(values);
    let slope = drift.map_or(0.0, |drift| drift.slope);
    (changes(values, &steps, slope), drift)
}

/// Returns the median of recorded values, which are finite, and of which there is at least one.
fn median(values: Vec<f64>) -> f64 {
    order::median(values).unwrap_or(f64::NAN)
}

/// Returns the changes at the steps, with the levels before and after each. Where the levels have a slope, they are
/// those at the step itself.
fn changes(values: &[f64], steps: &[Step], slope: f64) -> Vec<Change> {
    let segments = segments(values, steps);
    let level = |segment: &std::ops::Range<usize>, at: usize| {
        let at_step = |i: usize| values[i] + slope * (at as f64 - i as f64);
        median(segment.clone().map(at_step).collect())
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

/// Returns the total change of a drift, without the steps; `None` where it is too small to report.
fn total_drift(
    values: &[f64],
    changes: &[Change],
    drift: Drift,
    limit: Option<&(String, f64)>,
) -> Option<TotalDrift> {
    let (from, to) = line(values, changes, drift.slope)?;
    if ((to - from) / from).abs() < LEAST_DRIFT {
        return None;
    }
    let reaches = limit.and_then(|(bound, limit)| {
        let left = if bound == "min" { to - limit } else { limit - to };
        let rate = if bound == "min" { -drift.slope } else { drift.slope };
        (left > 0.0 && rate > 0.0).then(|| (left / rate).ceil() as usize)
    });
    Some(TotalDrift { from, to, p: drift.p, reaches })
}

/// Returns the first and the last value of the line that has this slope and ends at the present level, which is what
/// the limit is compared with. For a deterministic metric, these are the first and the last value themselves.
fn line(values: &[f64], changes: &[Change], slope: f64) -> Option<(f64, f64)> {
    if changes.iter().any(|change| change.p.is_none()) {
        return Some((*values.first()?, *values.last()?));
    }
    let last = values.len().checked_sub(1)?;
    let since = changes.iter().map(|change| change.at).max().unwrap_or(0);
    let at_last = |i: usize| values[i] + slope * (last - i) as f64;
    let to = median((since..=last).map(at_last).collect());
    Some((to - slope * last as f64, to))
}
