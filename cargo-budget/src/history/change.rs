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

/// The number of shuffles in one test.
const SHUFFLES: usize = 999;

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
        let Some((at, q)) = best else { return found };
        let Some(p) = significance(&mut parts, q, &mut chance) else { return found };
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
    let too_many = (LEVEL * (SHUFFLES + 1) as f64) as usize;
    // Sums of the same numbers in another order differ in their last digits, so the comparison allows for rounding.
    let q = q * (1.0 - 1e-9);
    let mut as_good = 0;
    for _ in 0..SHUFFLES {
        let is_as_good = segments.iter_mut().any(|segment| {
            chance.shuffle(&mut segment.ranks);
            segment.split().is_some_and(|(_, other)| other >= q)
        });
        as_good += usize::from(is_as_good);
        if as_good >= too_many {
            return None;
        }
    }
    Some((as_good + 1) as f64 / (SHUFFLES + 1) as f64)
}

/// The values of one segment, prepared so that any order of them can be split quickly.
struct Segment {
    /// The values in ascending order.
    sorted: Vec<f64>,
    /// The sum of the distances from each sorted value to all others.
    to_all: Vec<f64>,
    /// The values in the order of the series, each as its index in `sorted`. Equal values share the first index.
    ranks: Vec<usize>,
}

impl Segment {
    fn new(values: &[f64]) -> Segment {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let ranks =
            values.iter().map(|value| sorted.partition_point(|other| other < value)).collect();
        let mut below = 0.0;
        let total: f64 = sorted.iter().sum();
        let distance = |(i, value): (usize, &f64)| {
            let above = total - below;
            let sum = value * i as f64 - below + above - value * (sorted.len() - i) as f64;
            below += value;
            sum
        };
        let to_all = sorted.iter().enumerate().map(distance).collect();
        Segment { sorted, to_all, ranks }
    }

    /// Returns the best split, as the index where the second part begins and its `Q`. Returns `None` where the
    /// segment is too short to be split.
    fn split(&self) -> Option<(usize, f64)> {
        let n = self.ranks.len();
        if n < 2 * LEAST_SEGMENT {
            return None;
        }
        // These are sums of distances: between the two parts, and within each part, where each pair counts twice.
        let (mut between, mut within_first) = (0.0, 0.0);
        let mut within_second: f64 = self.ranks.iter().map(|&rank| self.to_all[rank]).sum();
        let mut first = Part::new(n);
        let mut best: Option<(usize, f64)> = None;
        for (i, &rank) in self.ranks[..n - LEAST_SEGMENT].iter().enumerate() {
            let to_first = first.distance(rank, self.sorted[rank]);
            let to_second = self.to_all[rank] - to_first;
            first.add(rank, self.sorted[rank]);
            between += to_second - to_first;
            within_first += 2.0 * to_first;
            within_second -= 2.0 * to_second;
            let (x, y) = ((i + 1) as f64, (n - i - 1) as f64);
            let energy = 2.0 * between / (x * y) - within_first / (x * x) - within_second / (y * y);
            let q = x * y / (x + y) * energy;
            if i + 1 >= LEAST_SEGMENT && best.is_none_or(|best| q > best.1) {
                best = Some((i + 1, q));
            }
        }
        best
    }
}

/// The values of the first part, by their rank in the whole segment. A Fenwick tree (1994) gives counts and sums
/// below a rank in logarithmic time.
struct Part {
    tree: Vec<(f64, f64)>,
    count: f64,
    sum: f64,
}

impl Part {
    fn new(n: usize) -> Self {
        Part { tree: vec![(0.0, 0.0); n + 1], count: 0.0, sum: 0.0 }
    }

    fn add(&mut self, rank: usize, value: f64) {
        let mut node = rank + 1;
        while node < self.tree.len() {
            self.tree[node].0 += 1.0;
            self.tree[node].1 += value;
            node += node & node.wrapping_neg();
        }
        self.count += 1.0;
        self.sum += value;
    }

    /// Returns the sum of the distances from `value`, which has this rank, to the values of the part.
    fn distance(&self, rank: usize, value: f64) -> f64 {
        let (mut count, mut sum) = (0.0, 0.0);
        let mut node = rank;
        while node > 0 {
            count += self.tree[node].0;
            sum += self.tree[node].1;
            node &= node - 1;
        }
        value * count - sum + (self.sum - sum) - value * (self.count - count)
    }
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
    fn shuffle(&mut self, values: &mut [usize]) {
        for last in (1..values.len()).rev() {
            let other = (u128::from(self.next()) * (last as u128 + 1)) >> 64;
            values.swap(last, other as usize);
        }
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
