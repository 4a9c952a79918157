//! A segment of a series: its best split in two, and the best splits of shuffles of its values.
//!
//! The values of a long segment are rounded to few levels; a short segment has a level for each value. The energy distance
//! of two sets of numbers is twice the integral of the squared difference of their distribution functions (Székely & Rizzo
//! 2004). So a split takes a constant time for each value: the distribution function of the first part, as a count for each
//! level, is held against that of the whole. A shuffle is as good a test of the rounded values as of others.

/// The least number of values on either side of a change point: a shorter run of values may be an accident.
const LEAST_SEGMENT: usize = 3;

/// The most levels that the values of a segment are rounded to. In a segment of more than `LEVELS` values, the comparison
/// with shuffles uses `FEW_LEVELS`. A segment that is longer than `LONG` has no more than these at all, since a step in it
/// shows with fewer levels.
const LEVELS: usize = 32;
const FEW_LEVELS: usize = 16;

/// In a segment that is longer than this, only every fourth place for a split is compared with the shuffles; in one of more
/// than `LEVELS` values it is every second place. Near the ends all places are compared. The series itself is examined in the
/// same places and with the same levels, so that the comparison is fair.
const LONG: usize = 200;

/// The values of one segment, prepared so that any order of them can be split quickly.
pub(super) struct Segment {
    /// The index of its first value in the series.
    pub(super) start: usize,
    /// The best split, as the index in the segment where its second part begins, and its `Q`; `None` where the segment is
    /// too short to be split.
    pub(super) best: Option<(usize, f64)>,
    /// The largest `Q` in the places where shuffles are examined, or 0.
    pub(super) q: f64,
    /// The largest `Q` of each shuffle that was made, in the same places.
    shuffles: Vec<f64>,
    /// The rounded values: at first in the order of the series, and then in that of the last shuffle.
    rounded: Rounded,
}

/// Values that are rounded to levels. Each level has about as many values as any other.
struct Rounded {
    /// The values, each as the number of its level.
    levels: Vec<u8>,
    /// A row for each level. It has what a value of this level adds, at each level, to the difference between the
    /// distribution function of the first part and that of the whole. The difference is multiplied by the number of values,
    /// so that it is a whole number.
    steps: Box<[[f32; LEVELS]]>,
    /// The distance from each level to the next one, as a share of `widest`.
    gaps: [f64; LEVELS],
    /// The largest distance between two levels that follow each other.
    widest: f64,
}

impl Segment {
    pub(super) fn new(start: usize, values: &[f64]) -> Segment {
        let n = values.len();
        let few = Rounded::new(values, if n > LEVELS { FEW_LEVELS } else { LEVELS });
        let (mut best, mut q) = (None, 0.0);
        if n >= 2 * LEAST_SEGMENT {
            let is_finer = n > LEVELS && n <= LONG;
            best = Some(if is_finer { Rounded::new(values, LEVELS).split() } else { few.split() });
            q = few.largest();
        }
        Segment { start, best, q, shuffles: Vec::new(), rounded: few }
    }

    /// Returns the number of its values.
    pub(super) fn len(&self) -> usize {
        self.rounded.levels.len()
    }

    /// Returns the largest `Q` of the nth shuffle, or 0 where the segment is too short to be split.
    pub(super) fn shuffled(&mut self, nth: usize, chance: &mut Chance) -> f64 {
        if self.best.is_none() {
            return 0.0;
        }
        while self.shuffles.len() <= nth {
            chance.shuffle(&mut self.rounded.levels);
            self.shuffles.push(self.rounded.largest());
        }
        self.shuffles[nth]
    }
}

impl Rounded {
    /// Rounds the values to at most this many levels.
    fn new(values: &[f64], most_levels: usize) -> Rounded {
        let n = values.len();
        let (levels, groups) = rounded(values, most_levels);
        let (counts, gaps) = distribution(&groups);
        let widest = gaps.iter().copied().fold(0.0, f64::max);
        let gaps = gaps.map(|gap| if widest > 0.0 { gap / widest } else { 0.0 });
        let step =
            |own: usize, level: usize| if own <= level { n as f64 } else { 0.0 } - counts[level];
        let row = |own: usize| std::array::from_fn(|level| step(own, level) as f32);
        Rounded { levels, steps: (0..LEVELS).map(row).collect(), gaps, widest }
    }

    /// Returns the best split, as the index where the second part begins and its `Q`.
    fn split(&self) -> (usize, f64) {
        let is_short = self.levels.len() <= LONG;
        let (at, q) = if is_short { self.scan::<LEVELS>() } else { self.scan::<FEW_LEVELS>() };
        (at, self.scaled(q))
    }

    /// Returns the largest `Q` in the places where shuffles are examined.
    fn largest(&self) -> f64 {
        let n = self.levels.len();
        // A short segment has a level for each value at most, and the levels that it lacks would only add zeros.
        let largest = match n {
            0..=8 => self.walk::<8, 1>(),
            9..=16 => self.walk::<16, 1>(),
            17..=24 => self.walk::<24, 1>(),
            25..=LEVELS => self.walk::<LEVELS, 1>(),
            _ if n <= LONG => self.walk::<FEW_LEVELS, 2>(),
            _ => self.walk::<FEW_LEVELS, 4>(),
        };
        self.scaled(f64::from(largest))
    }

    /// Returns the true `Q` for one that was computed from gaps as shares, and from distribution functions as counts times
    /// the number of values.
    fn scaled(&self, counted: f64) -> f64 {
        2.0 * counted * self.widest / self.levels.len() as f64
    }

    /// Returns the best split with its unscaled `Q`. The numbers of all levels must be below `N`.
    fn scan<const N: usize>(&self) -> (usize, f64) {
        let n = self.levels.len();
        let mut ahead = [0.0_f64; N];
        let (mut best, mut best_q) = (LEAST_SEGMENT, f64::NEG_INFINITY);
        for (i, &level) in self.levels[..n - LEAST_SEGMENT].iter().enumerate() {
            let row = &self.steps[usize::from(level)];
            let mut distance = 0.0;
            for ((ahead, step), gap) in ahead.iter_mut().zip(row).zip(&self.gaps) {
                *ahead += f64::from(*step);
                distance += *ahead * *ahead * gap;
            }
            let first = i + 1;
            let q = distance / (first * (n - first)) as f64;
            if q > best_q && first >= LEAST_SEGMENT {
                (best, best_q) = (first, q);
            }
        }
        (best, best_q)
    }

    /// Returns the largest unscaled `Q`, examining every `EVERY`th place. The numbers of all levels must be below `N`. With up
    /// to 4000 values the sums are whole numbers until they are squared, so two orders of the values never differ by rounding
    /// alone.
    fn walk<const N: usize, const EVERY: usize>(&self) -> f32 {
        let n = self.levels.len();
        let end = n - LEAST_SEGMENT;
        let gaps: [f32; N] = std::array::from_fn(|level| self.gaps[level] as f32);
        let mut ahead = [0.0_f32; N];
        let (mut at, mut largest) = (0, 0.0_f32);
        while at < end {
            let is_near_an_end = at < 4 * EVERY || at + 5 * EVERY > end;
            let many = if is_near_an_end { 1 } else { EVERY };
            let to = if at == 0 { LEAST_SEGMENT } else { at + many };
            for &level in &self.levels[at..to] {
                let row = &self.steps[usize::from(level)];
                for (ahead, step) in ahead.iter_mut().zip(row) {
                    *ahead += step;
                }
            }
            at = to;
            // There are four sums, because a processor can add to all of them at once.
            let mut sums = [0.0_f32; 4];
            for (level, (ahead, gap)) in ahead.iter().zip(&gaps).enumerate() {
                sums[level % 4] += ahead * ahead * gap;
            }
            let distance = (sums[0] + sums[1]) + (sums[2] + sums[3]);
            largest = largest.max(distance / (at * (n - at)) as f32);
        }
        largest
    }
}

/// Returns the level of each value, and the values of each level in order.
fn rounded(values: &[f64], most_levels: usize) -> (Vec<u8>, Vec<Vec<f64>>) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let below =
        |value: &f64, all: &[f64]| all.partition_point(|other| other.total_cmp(value).is_lt());
    // The level of a value depends on where equal values begin, so that they have the same one.
    let level = |value: &f64| {
        if distinct.len() <= most_levels {
            below(value, &distinct)
        } else {
            below(value, &sorted) * most_levels / values.len()
        }
    };
    let mut groups = vec![Vec::new(); LEVELS];
    for value in &sorted {
        groups[level(value)].push(*value);
    }
    (values.iter().map(|value| level(value) as u8).collect(), groups)
}

/// Returns how many values are at or below each level, and the distance from each level to the next one that has a value.
/// The groups are the values of each level.
fn distribution(groups: &[Vec<f64>]) -> ([f64; LEVELS], [f64; LEVELS]) {
    let middle = |group: &[f64]| group[group.len() / 2];
    let (mut counts, mut gaps) = ([0.0; LEVELS], [0.0; LEVELS]);
    let mut below = 0;
    for (level, group) in groups.iter().enumerate() {
        below += group.len();
        counts[level] = below as f64;
        let next = groups[level + 1..].iter().find(|next| !next.is_empty());
        if let Some(next) = next.filter(|_| !group.is_empty()) {
            gaps[level] = middle(next) - middle(group);
        }
    }
    (counts, gaps)
}

/// A seeded random number generator: SplitMix64 (Steele, Lea & Flood 2014). Its state is the count of the numbers that it has
/// given.
#[derive(Debug, Default)]
pub(super) struct Chance(u64);

impl Chance {
    /// Returns how many numbers it has given.
    pub(super) fn drawn(&self) -> u64 {
        self.0
    }

    fn next(&mut self) -> u64 {
        self.0 += 1;
        let mut mixed = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x6275_6467_6574);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Shuffles the values in place (Fisher & Yates).
    fn shuffle(&mut self, values: &mut [u8]) {
        let mut number = 0;
        for last in (1..values.len()).rev() {
            // Half of a number is enough for one place, since a series is far shorter than 2^32. So a number that is drawn
            // for an odd place serves the even place after it too. If the first place is even, it gets a number of its own.
            let is_drawn = last % 2 == 0 && last + 1 < values.len();
            number = if is_drawn { number << 32 } else { self.next() };
            let other = ((number >> 32) * (last as u64 + 1)) >> 32;
            values.swap(last, other as usize);
        }
    }
}
