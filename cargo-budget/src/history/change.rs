//! Change points: where a series of values stepped from one level to another.
//!
//! The method is E-divisive (Matteson & James, "A nonparametric approach for multiple change point analysis of
//! multivariate data", JASA 109, 2014), as MongoDB applies it to the results of its performance tests (Daly, Brown,
//! Ingo, O'Leary & Bradford, "The use of change point detection to identify software performance regressions in a
//! continuous integration system", ICPE 2020). It compares the values before a split with the values after it by
//! their energy distance (Székely & Rizzo 2004):
//!
//! > `Q = mn/(m+n) · (2·mean|X−Y| − mean|X−X'| − mean|Y−Y'|)`
//!
//! A split is a candidate where its `Q` is the largest in any segment. It is a change point if chance alone would
//! seldom give as large a `Q`: at most 1 in 100 random shuffles of the values within their segments may do so. The
//! change points that were found cut the series into segments, and the search goes on within each of them. A candidate
//! whose values are beyond doubt apart by their ranks needs no shuffles (`ranks.rs`).
//!
//! The method assumes nothing about the distribution of the values, only that their order carries no information
//! unless there is a change. The module is pure arithmetic. The shuffles are seeded, so the same series always gives
//! the same steps.

use std::ops::Range;

use super::ranks;
use super::segment::{Chance, Segment};

/// The least length of a series in which a step can be significant: 5 values and 5 values have 252 orders.
pub(crate) const LEAST: usize = 10;

/// The significance level: the chance to report a step in a series that has none.
pub(crate) const LEVEL: f64 = 0.01;

/// The stages of a test. Each has a number of shuffles, the most of them that may be at least as good as the series for the
/// step to be accepted at this stage, and the number beyond which the test ends without a step. The early stages accept a
/// step in 0.07 % of the series that have none. With those that the last stage accepts, that is still less than the level.
const STAGES: [(usize, Option<usize>, usize); 4] =
    [(49, None, 2), (99, None, 3), (199, Some(0), 5), (999, Some(8), 8)];

/// The most shuffles that may be as good as a step, and the least p-value that is reported.
const MOST: usize = STAGES[3].2;
const LEAST_P: f64 = 1.0 / (STAGES[3].0 + 1) as f64;

/// The numbers of shuffles after which a step is beyond doubt, if its `Q` is so many times that of the best of them.
///
/// The root of `Q` is a norm, and that of a shuffled series is nearly the norm of a Gaussian process. Such a norm exceeds
/// `t` times its quantile of level `q` with a probability of at most `1 − Φ(t·Φ⁻¹(q))` (Landau & Shepp 1970). With the
/// level that the best of 19 or 49 has by chance, either rule accepts a step where there is none once in 5000 tests at most.
const BEYOND_DOUBT: [(usize, f64); 2] = [(19, 9.0), (49, 4.0)];

/// A change point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// The index of the first value of the new level.
    pub(crate) at: usize,
    /// The share of the shuffles whose difference is at least as large; the series itself counts as one of them.
    pub(crate) p: f64,
}

/// Returns the change points of a series, in the order of the series; `None` as soon as there are more than `most`.
///
/// A new step divides only one segment; the others keep the shuffles that were made of them. So the time of the search depends
/// on how often a part of the series is divided again, and not on how many segments there are.
pub(super) fn search(most: usize, values: &[f64], chance: &mut Chance) -> Option<Vec<Step>> {
    let mut found: Vec<Step> = Vec::new();
    let mut parts = vec![Segment::new(0, values)];
    loop {
        let splits = parts.iter().enumerate().filter_map(|(i, part)| Some((i, part.best?)));
        let best = splits.max_by(|a, b| a.1.1.total_cmp(&b.1.1)).filter(|best| best.1.1 > 0.0);
        let Some((split, (at, _))) = best else { break };
        let start = parts[split].start;
        let range = start..start + parts[split].len();
        let is_clear = ranks::are_apart(&values[range.clone()], at, values.len());
        let p = if is_clear { Some(LEAST_P) } else { significance(&mut parts, chance) };
        let Some(p) = p else { break };
        if found.len() == most {
            return None;
        }
        found.push(Step { at: start + at, p });
        let halves = [range.start..start + at, start + at..range.end];
        let halves = halves.map(|half| Segment::new(half.start, &values[half]));
        parts.splice(split..=split, halves);
    }
    found.sort_by_key(|step| step.at);
    Some(found)
}

/// Returns the ranges into which the steps cut `values`.
pub(crate) fn segments(values: &[f64], steps: &[Step]) -> Vec<Range<usize>> {
    let ends = steps.iter().map(|step| step.at).chain([values.len()]);
    let mut start = 0;
    ends.map(|end| std::mem::replace(&mut start, end)..end).collect()
}

/// Returns the p-value of the best split: the share of shuffles of all segments that have a split at least as good.
/// Returns `None` where that is not significant.
fn significance(segments: &mut [Segment], chance: &mut Chance) -> Option<f64> {
    // Sums that should be equal may differ in their last digits, so the comparison allows for rounding.
    let q = segments.iter().map(|segment| segment.q).fold(0.0, f64::max) * (1.0 - 1e-6);
    let (mut shuffles, mut as_good, mut largest) = (0, 0, 0.0_f64);
    for (until, allowed, most) in STAGES {
        while shuffles < until {
            let best = segments.iter_mut().map(|segment| segment.shuffled(shuffles, chance));
            let best = best.fold(0.0, f64::max);
            largest = largest.max(best);
            shuffles += 1;
            as_good += usize::from(best >= q);
            if as_good > MOST {
                return None;
            }
            if BEYOND_DOUBT.iter().any(|&(after, times)| shuffles == after && q > largest * times) {
                return Some(LEAST_P);
            }
        }
        if as_good > most {
            return None;
        }
        if allowed.is_some_and(|allowed| as_good <= allowed) {
            return Some((as_good + 1) as f64 / (shuffles + 1) as f64);
        }
    }
    None
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
