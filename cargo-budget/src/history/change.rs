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
//! change points that were found cut the series into segments, and the search goes on within each of them.
//!
//! The values of a long segment are rounded to few levels, each with as many values as any other. The distance is then a
//! table, a split takes a constant time for each value, and a shuffle is as good a test of the rounded values as of
//! others. A short segment has a level for each value.
//!
//! The method assumes nothing about the distribution of the values, only that their order carries no information
//! unless there is a change. The module is pure arithmetic. The shuffles are seeded, so the same series always gives
//! the same steps.

use std::ops::Range;

/// The least number of values on either side of a change point: a shorter run of values may be an accident.
pub(crate) const LEAST_SEGMENT: usize = 3;

/// The least length of a series in which a step can be significant: 5 values and 5 values have 252 orders.
pub(crate) const LEAST: usize = 10;

/// The significance level: the chance to report a step in a series that has none.
pub(crate) const LEVEL: f64 = 0.01;

/// The stages of a test: after so many shuffles, a step is accepted if at most so many of them are at least as good as the
/// series, and the test ends if more than the last number are. A series without a step is accepted early in 0.07 % beside
/// those that are accepted late, so both make less than the level.
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

/// The most levels that the values of a segment are rounded to; and of a segment that is longer than `LONG`, in which a
/// step shows with fewer.
const LEVELS: usize = 32;
const FEW_LEVELS: usize = 16;
const LONG: usize = 200;

/// A change point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// The index of the first value of the new level.
    pub(crate) at: usize,
    /// The share of the shuffles whose difference is at least as large; the series itself counts as one of them.
    pub(crate) p: f64,
}

/// Returns the change points of a series, in the order of the series.
pub(crate) fn steps(values: &[f64]) -> Vec<Step> {
    at_most(usize::MAX, values).unwrap_or_default()
}

/// Returns the change points of a series, in the order of the series; `None` as soon as there are more than `most`.
pub(crate) fn at_most(most: usize, values: &[f64]) -> Option<Vec<Step>> {
    let mut found: Vec<Step> = Vec::new();
    let mut chance = Chance(0x6275_6467_6574);
    loop {
        let ranges = segments(values, &found);
        let mut parts: Vec<Segment> =
            ranges.iter().map(|range| Segment::new(&values[range.clone()])).collect();
        let splits = ranges
            .iter()
            .zip(&parts)
            .filter_map(|(range, part)| part.split().map(|(at, q)| (range.start + at, q)));
        let best = splits.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|best| best.1 > 0.0);
        let Some((at, q)) = best else { return Some(found) };
        let Some(p) = significance(&mut parts, q, &mut chance) else { return Some(found) };
        if found.len() == most {
            return None;
        }
        found.push(Step { at, p });
        found.sort_by_key(|step| step.at);
    }
}

/// Returns the ranges into which the steps cut `values`.
pub(crate) fn segments(values: &[f64], steps: &[Step]) -> Vec<Range<usize>> {
    let ends = steps.iter().map(|step| step.at).chain([values.len()]);
    let mut start = 0;
    ends.map(|end| std::mem::replace(&mut start, end)..end).collect()
}

/// Returns the p-value of a split with this `q`: the share of shuffles of all segments that have a split at least as
/// good. Returns `None` where that is not significant.
fn significance(segments: &mut [Segment], q: f64, chance: &mut Chance) -> Option<f64> {
    // Sums of the same numbers in another order differ in their last digits, so the comparison allows for rounding.
    let q = q * (1.0 - 1e-9);
    let (mut shuffles, mut as_good, mut largest) = (0, 0, 0.0_f64);
    for (until, allowed, most) in STAGES {
        while shuffles < until {
            let best = shuffled(segments, chance);
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

/// Shuffles the values of each segment, and returns the largest `Q` of any split.
fn shuffled(segments: &mut [Segment], chance: &mut Chance) -> f64 {
    let mut largest = 0.0_f64;
    for segment in segments.iter_mut().filter(|segment| segment.levels.len() >= 2 * LEAST_SEGMENT) {
        chance.shuffle(&mut segment.levels);
        largest = segment.split().map_or(largest, |(_, q)| largest.max(q));
    }
    largest
}

/// The values of one segment, prepared so that any order of them can be split quickly.
struct Segment {
    /// The values in the order of the series, each as the number of its level.
    levels: Vec<u8>,
    /// What two values add to the distance between the first part and the whole: the integral of the product of how far
    /// each one's distribution function is from that of the segment.
    table: Vec<[f64; LEVELS]>,
}

impl Segment {
    fn new(values: &[f64]) -> Segment {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let mut distinct = sorted.clone();
        distinct.dedup_by(|a, b| a.total_cmp(b).is_eq());
        let many = if n > LONG { FEW_LEVELS } else { LEVELS };
        // The level of a value depends on where equal values begin, so that they have the same one.
        let level = |value: &f64| {
            if distinct.len() <= many {
                distinct.partition_point(|other| other.total_cmp(value).is_lt())
            } else {
                sorted.partition_point(|other| other.total_cmp(value).is_lt()) * many / n
            }
        };
        let levels = values.iter().map(|value| level(value) as u8).collect();
        let mut groups: Vec<Vec<f64>> = vec![Vec::new(); LEVELS];
        for value in &sorted {
            groups[level(value)].push(*value);
        }
        Segment { levels, table: table(&groups, n) }
    }

    /// Returns the best split, as the index where the second part begins and its `Q`. Returns `None` where the
    /// segment is too short to be split.
    fn split(&self) -> Option<(usize, f64)> {
        if self.levels.len() < 2 * LEAST_SEGMENT {
            return None;
        }
        let is_long = self.levels.len() > LONG;
        Some(if is_long { self.scan::<FEW_LEVELS>() } else { self.scan::<LEVELS>() })
    }

    /// Returns the best split, where the numbers of the levels are below `N`.
    fn scan<const N: usize>(&self) -> (usize, f64) {
        let n = self.levels.len();
        // The squared distance between the distribution function of the first part, as a count, and that of the whole;
        // and what one more value of each level would add to half of it.
        let (mut distance, mut next) = (0.0, [0.0; N]);
        let (mut best, mut best_q) = (LEAST_SEGMENT, f64::NEG_INFINITY);
        let whole = n as f64;
        for (i, &level) in self.levels[..n - LEAST_SEGMENT].iter().enumerate() {
            let level = usize::from(level) % N;
            let row = &self.table[level];
            distance += 2.0 * next[level] + row[level];
            for (next, row) in next.iter_mut().zip(row) {
                *next += row;
            }
            let first = (i + 1) as f64;
            let q = distance / (first * (whole - first));
            if q > best_q && i + 1 >= LEAST_SEGMENT {
                (best, best_q) = (i + 1, q);
            }
        }
        (best, 2.0 * whole * best_q)
    }
}

/// Returns the table of a segment of `n` values with these groups, the least first.
fn table(groups: &[Vec<f64>], n: usize) -> Vec<[f64; LEVELS]> {
    let middle = |group: &Vec<f64>| group[group.len() / 2];
    // Levels without a value are passed over.
    let held: Vec<usize> = (0..LEVELS).filter(|&level| !groups[level].is_empty()).collect();
    let mut table = vec![[0.0; LEVELS]; LEVELS];
    let mut below = 0;
    for pair in held.windows(2) {
        below += groups[pair[0]].len();
        let share = below as f64 / n as f64;
        let gap = middle(&groups[pair[1]]) - middle(&groups[pair[0]]);
        let ahead = |level: usize| if level <= pair[0] { 1.0 - share } else { -share };
        for (a, row) in table.iter_mut().enumerate() {
            for (b, cell) in row.iter_mut().enumerate() {
                *cell += gap * ahead(a) * ahead(b);
            }
        }
    }
    table
}

/// A seeded random number generator: SplitMix64 (Steele, Lea & Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Shuffles the values in place (Fisher & Yates).
    fn shuffle(&mut self, values: &mut [u8]) {
        for last in (1..values.len()).rev() {
            // The upper half of the number is enough: a series is far shorter than 2^32.
            let other = ((self.next() >> 32) * (last as u64 + 1)) >> 32;
            values.swap(last, other as usize);
        }
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
