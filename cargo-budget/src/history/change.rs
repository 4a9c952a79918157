//! Change points: where a series of values stepped from one level to another.
//!
//! The method is E-divisive (Matteson & James, "A nonparametric approach for multiple change point
//! analysis of multivariate data", JASA 109, 2014), as MongoDB applies it to the results of its
//! performance tests (Daly, Brown, Ingo, O'Leary & Bradford, "The use of change point detection to
//! identify software performance regressions in a continuous integration system", ICPE 2020). The energy
//! distance (Székely & Rizzo 2004) between what is before a split and what is after it is
//!
//! > `Q = mn/(m+n) · (2·mean|X−Y| − mean|X−X'| − mean|Y−Y'|)`
//!
//! and the split with the largest `Q` in any segment is a change point where chance alone would seldom
//! give as large a one: where at most 1 of 100 shuffles of the values within their segments does. Found
//! change points cut the series into segments, in which the search goes on.
//!
//! It assumes nothing of how the values are distributed, but that without a change their order means
//! nothing. Numbers in, numbers out; the shuffles are seeded, so that the same series has the same steps.

use std::ops::Range;

/// Values on either side of a change point: fewer may be an accident of their own.
pub(crate) const LEAST_SEGMENT: usize = 3;

/// Values below which no step can be significant: 5 and 5 of them have 252 orders.
pub(crate) const LEAST: usize = 10;

/// The chance of a step in a series without one.
pub(crate) const LEVEL: f64 = 0.01;

/// Shuffles for one test.
const SHUFFLES: usize = 999;

/// A change point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// The index of the first value of the new level.
    pub(crate) at: usize,
    /// The share of shuffles with as large a difference, the series itself among them.
    pub(crate) p: f64,
}

/// The change points of a series, in its order.
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

/// What the steps cut `values` into.
pub(crate) fn segments(values: &[f64], steps: &[Step]) -> Vec<Range<usize>> {
    let ends = steps.iter().map(|step| step.at).chain([values.len()]);
    let mut start = 0;
    ends.map(|end| std::mem::replace(&mut start, end)..end).collect()
}

/// How often a shuffle of each segment has a split as good as `q`; `None` where that is too often.
fn significance(segments: &mut [Segment], q: f64, chance: &mut Chance) -> Option<f64> {
    let too_many = (LEVEL * (SHUFFLES + 1) as f64) as usize;
    // Sums of the same numbers in another order differ in their last digits.
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

/// A segment's values, ready to be split in any order of them.
struct Segment {
    /// Ascending.
    sorted: Vec<f64>,
    /// The distance of each sorted value to all others.
    to_all: Vec<f64>,
    /// The values in their order: where each is in `sorted`, the first place where several are equal.
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

    /// The best split: where its second part begins, and its `Q`; `None` where the segment is too short.
    fn split(&self) -> Option<(usize, f64)> {
        let n = self.ranks.len();
        if n < 2 * LEAST_SEGMENT {
            return None;
        }
        // Sums of distances between the parts and, each pair twice, within them.
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

/// The values of the first part, by their rank in the whole: counts and sums below a rank in
/// logarithmic time (Fenwick 1994).
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

    /// The sum of distances from `value`, which has this rank, to the values of the part.
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

/// Seeded chance: SplitMix64 (Steele, Lea & Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Fisher and Yates' shuffle.
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
