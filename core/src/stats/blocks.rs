//! Evidence about how often a threshold is exceeded, when exceedances come in bursts.
//!
//! On a shared machine one interruption spoils several neighbouring operations. Counted one by
//! one they look like several independent observations, and the op-level test fails healthy subjects: nominally
//! 1 %, in truth 46 % with bursts of five. Here a whole block of operations is one observation: its
//! share of exceedances `Y` enters as the factor `1 + lambda·(Y - p0)`, which is a fair bet
//! whatever happens inside the block (betting on a bounded mean: Waudby-Smith & Ramdas 2024).
//!
//! A block is a number of *operations*, fixed beforehand. Blocks cut by time would be biased: the
//! slow operation ends the block that it falls into, so blocks with an exceedance hold fewer
//! operations and their mean share lies above the true rate (the tests show it flake).
//!
//! Where processes differ from each other, a block is all of one process, however long it is
//! ([`Blocks::of_runs`]): cut in two, it would be two observations of one accident.

use super::mixture::log_sum_exp;

/// No bet risks more than this share of its e-value on a block without any exceedance.
const LARGEST_STAKE: f64 = 0.95;
/// Bets start here and at 1, and double up to the largest one that cannot be ruined.
const SMALLEST_LAMBDA: f64 = 0.3;
/// A block that is not this many times as long as its variance is inflated is too short to be one
/// observation. Blocks of ten bursts do not flake, and a burst of `b` inflates by about `1.5·b`.
const LENGTHS_OF_INFLATION: f64 = 8.0;
/// A run that is not so many times as long as the longest before it is weighted by its length. Runs of one
/// value, or a few, are all alike and have no room: it would halve their bets.
pub(super) const ROOM: f64 = 1.25;
/// From this rate on a run is worth little more than its sign, and half of the e-value is on the largest stake: a
/// large violation is then red after the fewest runs. At a tail the largest stake wins in two runs, and no run
/// is so much of an observation.
const COMMON: f64 = 0.25;
/// The share of it that is.
const ON_THE_LARGEST: f64 = 0.5;
/// Fewer blocks than this say nothing about their variance.
const FEWEST_BLOCKS: usize = 8;

/// Evidence against "the rate of exceedance is at most `p0`", from the counts of blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    p0: f64,
    cut: Cut,
    /// Of runs: the length at which one has its full weight.
    room: u64,
    bets: Vec<Bet>,
    taken: u64,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// So many operations at the most.
    Every(u64),
    /// All operations of a run.
    Runs,
}

#[derive(Debug, Clone, PartialEq)]
struct Bet {
    lambda: f64,
    /// With the share that it began with.
    log_e_value: f64,
}

impl Blocks {
    /// For blocks of at most `ops` operations each.
    ///
    /// # Panics
    /// Where `p0` is not in (0, 1) or `ops` is 0.
    pub fn fail(p0: f64, ops: u64) -> Self {
        Self::cut(p0, Cut::Every(ops))
    }

    /// For runs that are a block each, whatever their length.
    ///
    /// # Panics
    /// Where `p0` is not in (0, 1).
    pub fn of_runs(p0: f64) -> Self {
        Self::cut(p0, Cut::Runs)
    }

    pub(super) fn cut(p0: f64, cut: Cut) -> Self {
        assert!(p0 > 0.0 && p0 < 1.0, "an exceedance rate lies in (0, 1), not {p0}");
        assert!(cut != Cut::Every(0), "a block holds at least one operation");
        let bets = stakes(p0)
            .into_iter()
            .map(|(weight, lambda)| Bet { lambda, log_e_value: weight.ln() })
            .collect();
        Self { p0, cut, room: 0, bets, taken: 0 }
    }

    /// Takes a block of `n` operations, `k` of which exceeded.
    ///
    /// A full block enters as `Y - p0` with `Y = k/n`. A block cut short enters as `(k - p0·n)/ops`,
    /// weighted by its size, and so has mean 0 under the null even where *what happened in it* cut it
    /// short (Wald's identity); its own share `k/n` would not.
    ///
    /// # Panics
    /// Where `k > n` or the block is larger than it may be.
    ///
    /// A run is weighted likewise, by a quarter more than the longest before it: what is staked may depend
    /// on the past. One that is longer than that enters by its share, as one observation.
    pub fn push(&mut self, n: u64, k: u64) {
        assert!(k <= n, "{k} of {n} is no count");
        let full = match self.cut {
            Cut::Every(ops) => {
                assert!(n <= ops, "{n} operations are no block of {ops}");
                ops
            }
            Cut::Runs => {
                let longest = with_room(n);
                let room = if self.room == 0 { longest } else { self.room };
                self.room = room.max(longest);
                room.max(n)
            }
        };
        let excess = (k as f64 - self.p0 * n as f64) / full as f64;
        for bet in &mut self.bets {
            bet.log_e_value += (bet.lambda * excess).ln_1p();
        }
        self.taken += 1;
    }

    /// Takes the operations of one uninterrupted run, in their order, in blocks.
    pub fn extend(&mut self, values: &[f64], limit: f64) {
        for (n, k) in counts(values, limit, self.longest()) {
            self.push(n, k);
        }
    }

    /// The most operations in a block.
    fn longest(&self) -> u64 {
        match self.cut {
            Cut::Every(ops) => ops,
            Cut::Runs => u64::MAX,
        }
    }

    /// The natural logarithm of the evidence: 0 before the first block.
    pub fn log_evidence(&self) -> f64 {
        log_sum_exp(self.bets.iter().map(|bet| bet.log_e_value))
    }

    /// How many blocks were taken.
    pub fn blocks(&self) -> u64 {
        self.taken
    }

    pub(super) fn how(&self) -> Cut {
        self.cut
    }
}

/// The length at which a run has its full weight where the longest had `n` values.
pub(super) fn with_room(n: u64) -> u64 {
    ((n as f64 * ROOM) as u64).max(1)
}

/// The bets of the mixture as weights and `lambda`: 0.3, then 1 doubling, then the largest that no block can
/// ruin.
pub(super) fn stakes(p0: f64) -> Vec<(f64, f64)> {
    let largest = LARGEST_STAKE / p0;
    let doubling = std::iter::successors(Some(1.0), |lambda| Some(lambda * 2.0));
    let smaller: Vec<f64> = std::iter::once(SMALLEST_LAMBDA)
        .chain(doubling)
        .take_while(|&lambda| lambda < largest)
        .collect();
    let count = smaller.len() as f64;
    let most = if p0 >= COMMON { ON_THE_LARGEST } else { 1.0 / (count + 1.0) };
    let each = (1.0 - most) / count;
    let mut stakes: Vec<(f64, f64)> = smaller.into_iter().map(|lambda| (each, lambda)).collect();
    stakes.push((most, largest));
    stakes
}

/// The operations and exceedances of `limit` in each block of `ops` values; the last may be shorter.
///
/// # Panics
/// Where `ops` is 0.
pub fn counts(values: &[f64], limit: f64, ops: u64) -> impl Iterator<Item = (u64, u64)> {
    let ops = usize::try_from(ops).unwrap_or(usize::MAX);
    values.chunks(ops).map(move |block| {
        let exceeding = block.iter().filter(|&&value| value > limit).count();
        (block.len() as u64, exceeding as u64)
    })
}

/// How many times larger the variance of block shares is than independent operations would make it:
/// `var(Y)·n / (p(1-p))`.
///
/// Written `Σ n(Y-p)² / ((B-1)·p(1-p))`, Pearson's dispersion, it also serves blocks of unequal size.
/// `None` with fewer than two blocks, or where none or all of the operations exceeded.
pub fn variance_inflation(blocks: &[(u64, u64)]) -> Option<f64> {
    let (n, k) = blocks.iter().fold((0, 0), |(n, k), block| (n + block.0, k + block.1));
    if blocks.len() < 2 || k == 0 || k == n {
        return None;
    }
    let p = k as f64 / n as f64;
    let squares: f64 = blocks
        .iter()
        .filter(|block| block.0 > 0)
        .map(|&(n, k)| (k as f64 - p * n as f64).powi(2) / n as f64)
        .sum();
    Some(squares / ((blocks.len() - 1) as f64 * p * (1.0 - p)))
}

/// A length of block for a subject, from a pilot run in its order: `first`, doubled until it is eight
/// times the inflation of its variance, or too few blocks remain to tell.
///
/// Inflation itself is no reason to stop: it grows with the block, up to that of the longest
/// bursts, and never falls. `limit` is best a high quantile of the pilot, since the real limit may
/// never be exceeded in it.
///
/// # Panics
/// Where `first` is 0.
pub fn length(pilot: &[f64], limit: f64, first: u64) -> u64 {
    let mut ops = first;
    loop {
        let blocks: Vec<_> = counts(pilot, limit, ops).filter(|&(n, _)| n == ops).collect();
        let inflation = variance_inflation(&blocks).unwrap_or(1.0);
        if blocks.len() < FEWEST_BLOCKS || ops as f64 >= LENGTHS_OF_INFLATION * inflation {
            return ops;
        }
        ops *= 2;
    }
}
