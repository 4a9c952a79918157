//! Drift: a slow change of a series in one direction, too small to be seen on any single day.
//!
//! The Mann-Kendall test (Mann 1945; Kendall 1975) answers whether there is a drift: how many more of all pairs of
//! values rise than fall? The Theil-Sen estimator (Theil 1950; Sen 1968) answers how large it is: it is the median of
//! the slopes of all pairs. A step is not a drift. So both look only at pairs of values between two steps, and sum
//! over the segments, as Hirsch, Slack & Smith do over seasons ("Techniques of trend analysis for monthly water
//! quality data", Water Resources Research 18, 1982). The module is pure arithmetic.

use std::ops::Range;

use super::change::{LEAST, LEVEL, Step, search, segments};
use super::segment::Chance;

/// A monotone trend within segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Drift {
    /// The slope: by how much each value is greater than the one before it.
    pub(crate) slope: f64,
    /// The two-sided p-value: the chance of as clear a trend where there is none. It is a normal approximation,
    /// corrected for ties and continuity.
    pub(crate) p: f64,
}

/// The most steps that are searched for where all but one of the apparent steps are taken for a drift. A search for more
/// takes long, and finds a series that the drift does not explain.
const FEW: usize = 8;

/// Returns the steps of a series, and the drift between them where it is significant.
///
/// A search for steps sees a drift as a staircase, and a test for trend sees a step as a drift. So several
/// explanations of the series are tried: steps without a drift; and steps with a drift, where all of the steps, none of
/// them, or at last the one that fits best are first removed, the remaining slope is subtracted, and the steps are searched
/// again. The best of them is tried without the step that explains the least, as long as that is better. The explanation
/// with the least Bayesian information criterion (Schwarz 1978) is returned: each step and each drift must bring it enough
/// closer to the values.
pub(crate) fn decompose(values: &[f64]) -> (Vec<Step>, Option<Drift>) {
    decompose_counting(values, &mut 0)
}

/// Does the same as [`decompose`], and adds to `drawn` how many random numbers the searches draw. They are nearly all of the
/// work.
fn decompose_counting(values: &[f64], drawn: &mut u64) -> (Vec<Step>, Option<Drift>) {
    let trend = |steps: &[Step]| significant(values, &segments(values, steps));
    let mut at_most = |most: usize, values: &[f64]| {
        let mut chance = Chance::default();
        let steps = search(most, values, &mut chance);
        *drawn += chance.drawn();
        steps
    };
    let apparent = at_most(usize::MAX, values).unwrap_or_default();
    let mut explain_with_drift = |between: &[Step], most: usize| {
        let slope = trend(between)?.slope;
        let level = |(i, value): (usize, &f64)| value - slope * i as f64;
        let level: Vec<f64> = values.iter().enumerate().map(level).collect();
        // A drift that leaves more steps than there are without it explains nothing.
        let steps = at_most(most.min(apparent.len()), &level)?;
        let drift = trend(&steps)?;
        Some((criterion(values, &steps, Some(drift)), steps, Some(drift)))
    };
    let mut best = (criterion(values, &apparent, None), apparent.clone(), None);
    let mut candidates = vec![(apparent.clone(), usize::MAX), (Vec::new(), usize::MAX)];
    // A drift that is explained without a step needs no further start, which might find a step by chance.
    let mut last = best_single_step(values, &apparent);
    let mut tried: Vec<Vec<usize>> = Vec::new();
    if values.len() < LEAST {
        candidates.clear();
    }
    loop {
        // Candidates with the same places of their steps have the same slope, so only the first of them is tried.
        candidates.retain(|(steps, _)| {
            let places = steps.iter().map(|step| step.at).collect();
            let is_new = !tried.contains(&places);
            tried.push(places);
            is_new
        });
        let explained =
            candidates.iter().filter_map(|(steps, most)| explain_with_drift(steps, *most));
        match explained.min_by(|a, b| a.0.total_cmp(&b.0)) {
            Some(better) if better.0 < best.0 => best = better,
            _ => match last.take().filter(|_| best.2.is_none()) {
                Some(step) => {
                    candidates = vec![(vec![step], FEW)];
                    continue;
                }
                None => return (best.1, best.2),
            },
        }
        candidates = without_least_step(values, &best.1);
    }
}

/// Returns the steps without the one that explains the least of the values, next to a drift.
fn without_least_step(values: &[f64], steps: &[Step]) -> Vec<(Vec<Step>, usize)> {
    let without = |i: usize| [&steps[..i], &steps[i + 1..]].concat();
    let rests = (0..steps.len()).map(without);
    let rests = rests.map(|rest| (least_squares(values, &segments(values, &rest)), rest));
    let nearest = rests.min_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map(|(_, rest)| (rest, usize::MAX)).into_iter().collect()
}

/// Returns the step that alone, beside a drift, comes closest to the values. A drift with one step looks like a staircase
/// whose largest step is the real one: with all of its steps removed nothing is left of the drift, and with none of them
/// the step makes the drift too steep. `None` where there is no choice.
fn best_single_step(values: &[f64], apparent: &[Step]) -> Option<Step> {
    if apparent.len() < 2 {
        return None;
    }
    let rest = |step: &Step| least_squares(values, &segments(values, std::slice::from_ref(step)));
    let rests = apparent.iter().map(|step| (rest(step), *step));
    rests.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, step)| step)
}

/// Returns the sum of the squared distances of the values from the best line in each segment, where all lines have the same
/// slope.
fn least_squares(values: &[f64], segments: &[Range<usize>]) -> f64 {
    let (mut across, mut along, mut squares) = (0.0, 0.0, 0.0);
    for segment in segments {
        let n = segment.len() as f64;
        let middle = (segment.start + segment.end - 1) as f64 / 2.0;
        let mean = values[segment.clone()].iter().sum::<f64>() / n;
        for i in segment.clone() {
            let (x, y) = (i as f64 - middle, values[i] - mean);
            (across, along, squares) = (across + x * y, along + x * x, squares + y * y);
        }
    }
    if along > 0.0 { squares - across * across / along } else { squares }
}

/// Returns Schwarz's criterion with normal noise, `n ln(RSS/n) + k ln n`. A step counts as two parameters, its place
/// and its height, and a drift as one.
fn criterion(values: &[f64], steps: &[Step], drift: Option<Drift>) -> f64 {
    let slope = drift.map_or(0.0, |drift| drift.slope);
    let squares = segments(values, steps).into_iter().map(|segment| {
        let level = |i: usize| values[i] - slope * i as f64;
        let mean = segment.clone().map(level).sum::<f64>() / segment.len() as f64;
        segment.map(|i| (level(i) - mean).powi(2)).sum::<f64>()
    });
    let (n, rest) = (values.len() as f64, squares.sum::<f64>());
    let numbers = 2 * steps.len() + usize::from(drift.is_some());
    n * (rest / n).max(f64::MIN_POSITIVE).ln() + numbers as f64 * n.ln()
}

/// Returns the trend within the segments, if it is significant. The slope, which takes longer, is only looked for then.
fn significant(values: &[f64], segments: &[Range<usize>]) -> Option<Drift> {
    let p = probability(values, segments).filter(|p| *p <= LEVEL)?;
    Some(Drift { slope: slope(values, segments), p })
}

/// Returns the trend within the segments; `None` where all values within each segment are equal.
pub(crate) fn drift(values: &[f64], segments: &[Range<usize>]) -> Option<Drift> {
    let p = probability(values, segments)?;
    Some(Drift { slope: slope(values, segments), p })
}

/// Returns the p-value of the trend within the segments; `None` where all values within each segment are equal.
fn probability(values: &[f64], segments: &[Range<usize>]) -> Option<f64> {
    let (mut score, mut variance) = (0.0, 0.0);
    for segment in segments {
        let values = &values[segment.clone()];
        // The pairs that fall are counted in one order, and the pairs that rise in the other.
        let (mut falls, mut rises) =
            (values.to_vec(), values.iter().map(|value| -value).collect::<Vec<_>>());
        score += inversions(&mut rises, f64::gt) as f64 - inversions(&mut falls, f64::gt) as f64;
        variance += score_variance(values);
    }
    if variance <= 0.0 {
        return None;
    }
    let z = (score.abs() - 1.0).max(0.0) / variance.sqrt();
    Some(2.0 * upper_tail(z))
}

/// The most slopes that are listed to find their median.
const MOST_LISTED: usize = 20_000;

/// The search for the median of more slopes ends when its range has only one in `FEW_PAIRS` of them, or is only the share
/// `LEAST_RANGE` of what it was. Because of noise, the rank of the true median is known to a hundredth of the slopes at best.
const FEW_PAIRS: usize = 100_000;
const LEAST_RANGE: f64 = 1e-9;

/// The most places that are tried. Every third one halves the range, so these are enough to reach the least range.
const MOST_PLACES: usize = 90;

/// The number of slopes that show where their median is.
const SAMPLED: usize = 512;

/// Returns the median of the slopes of all pairs within the segments.
fn slope(values: &[f64], segments: &[Range<usize>]) -> f64 {
    let pairs = |segment: &Range<usize>| segment.len() * segment.len().saturating_sub(1) / 2;
    let all: usize = segments.iter().map(pairs).sum();
    if all > MOST_LISTED {
        return slope_by_counting(values, segments, all);
    }
    let mut slopes = Vec::with_capacity(all);
    for segment in segments {
        let values = &values[segment.clone()];
        for (i, early) in values.iter().enumerate() {
            let late = values.iter().enumerate().skip(i + 1);
            slopes.extend(late.map(|(j, late)| (late - early) / (j - i) as f64));
        }
    }
    median(&mut slopes)
}

/// Returns the median of many slopes. A slope is at most `b` where the pair does not rise once `b` is subtracted for each
/// place, so the slopes below any `b` can be counted without listing them (Cole, Salowe, Steiger & Szemerédi 1989).
fn slope_by_counting(values: &[f64], segments: &[Range<usize>], all: usize) -> f64 {
    let mut levels = Vec::new();
    let mut not_above = |slope: f64| -> usize {
        let count = |segment: &Range<usize>| {
            levels.clear();
            levels.extend(segment.clone().map(|i| values[i] - slope * i as f64));
            inversions(&mut levels, f64::ge)
        };
        segments.iter().map(count).sum()
    };
    let (mut low, mut high) = around_median(values, segments);
    // The sample may mislead, so the range is widened until it contains the median.
    let mut width = (high - low).max(f64::MIN_POSITIVE);
    let (mut below, mut above) = (not_above(low), not_above(high));
    while below * 2 >= all {
        low -= width;
        width *= 2.0;
        below = not_above(low);
    }
    while above * 2 < all {
        high += width;
        width *= 2.0;
        above = not_above(high);
    }
    // Between the two ends the count grows nearly in a line. So a place a little above the median is tried, then one a little
    // below it, and these become the new ends. If the count jumps instead, every third place, which is the middle of the
    // range, still makes the range smaller.
    let least = (high - low) * LEAST_RANGE;
    for aside in [Some(0.02), Some(-0.02), None].into_iter().cycle().take(MOST_PLACES) {
        if above - below <= all / FEW_PAIRS || high - low <= least {
            break;
        }
        let (wanted, between) = (all as f64 / 2.0 - below as f64, (above - below) as f64);
        let share = aside.map_or(0.5, |aside| (wanted / between + aside).clamp(0.01, 0.99));
        let slope = low + (high - low) * share;
        let count = not_above(slope);
        if count * 2 >= all {
            (high, above) = (slope, count);
        } else {
            (low, below) = (slope, count);
        }
    }
    f64::midpoint(low, high)
}

/// Returns a range that the median of the slopes is likely to be in, by the slopes between the halves of the longest
/// segment.
fn around_median(values: &[f64], segments: &[Range<usize>]) -> (f64, f64) {
    let longest = segments.iter().max_by_key(|segment| segment.len()).cloned().unwrap_or(0..0);
    let half = (longest.len() / 2).max(1);
    let values = &values[longest];
    let pairs = values.len() - half;
    let step = pairs.div_ceil(SAMPLED);
    let slope = |i: usize| (values[i + half] - values[i]) / half as f64;
    let mut slopes: Vec<f64> = (0..pairs).step_by(step).map(slope).collect();
    slopes.sort_by(f64::total_cmp);
    (slopes[slopes.len() / 4], slopes[slopes.len() * 3 / 4])
}

/// Returns how many pairs of values are in this order, the earlier one first, and sorts the values (by merging).
fn inversions(values: &mut [f64], is_before: impl Fn(&f64, &f64) -> bool) -> usize {
    /// The length that is sorted by insertion.
    const SHORT: usize = 16;
    let mut count = 0;
    for part in values.chunks_mut(SHORT) {
        for end in 1..part.len() {
            let value = part[end];
            let mut at = end;
            while at > 0 && is_before(&part[at - 1], &value) {
                part[at] = part[at - 1];
                at -= 1;
                count += 1;
            }
            part[at] = value;
        }
    }
    let mut merged = Vec::with_capacity(values.len());
    let mut length = SHORT;
    while length < values.len() {
        for part in values.chunks_mut(2 * length) {
            let (left, right) = part.split_at(length.min(part.len()));
            merged.clear();
            let mut i = 0;
            for late in right {
                while i < left.len() && !is_before(&left[i], late) {
                    merged.push(left[i]);
                    i += 1;
                }
                // All values that are left in the first half are at least as great as this one.
                count += left.len() - i;
                merged.push(*late);
            }
            merged.extend_from_slice(&left[i..]);
            part.copy_from_slice(&merged);
        }
        length *= 2;
    }
    count
}

/// Returns the median. There must be at least one value, and the values are reordered.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let (below, at, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let at = *at;
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(below) if values.len().is_multiple_of(2) => f64::midpoint(below, at),
        _ => at,
    }
}

/// Returns the variance of Kendall's score where there is no trend: `(n(n−1)(2n+5) − Σ t(t−1)(2t+5)) / 18`, where `t`
/// is the number of values in each tie.
fn score_variance(values: &[f64]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 =
        sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|tie| term(tie.len() as f64)).sum();
    (term(values.len() as f64) - ties) / 18.0
}

/// Returns the chance that a standard normal value is above `z >= 0`, by Abramowitz & Stegun 1964, 26.2.17. Its
/// absolute error is below 7.5e-8.
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let terms = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let polynomial = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
