//! Evidence about how often a threshold is exceeded, when exceedances come in bursts.
//!
//! On a shared machine one interruption spoils several neighbouring operations. Counted one by
//! one they look like several independent observations. A test that counts them like that fails healthy
//! subjects: 46 % of them instead of 1 %, with bursts of five. Here a whole block of operations is one
//! observation: its share of exceedances `Y` enters as the factor `1 + lambda·(Y - p0)`, which is a fair
//! bet whatever happens inside the block (betting on a bounded mean: Waudby-Smith & Ramdas 2024).
//!
//! A block is a number of *operations*, fixed beforehand. Blocks cut by time would be biased: a
//! slow operation ends the block that it falls into, so blocks with an exceedance hold fewer
//! operations, and their mean share lies above the true rate (the tests show that this gives false positives).
//!
//! If processes differ from each other, a block is all operations of one process, however many these
//! are ([`Blocks::of_runs`]). If a process were two blocks, one accident of it would count as two observations.

use super::mixture::log_sum_exp;

/// The largest share of its e-value that a bet risks on a block without any exceedance.
const LARGEST_STAKE: f64 = 0.95;
/// The smallest `lambda` of the bets. The next is 1, and from there they double up to the largest one that
/// cannot be ruined.
const SMALLEST_LAMBDA: f64 = 0.3;
/// The length at which a block counts as one observation, as a multiple of the inflation of its variance. Blocks of ten
/// bursts give no false positives, and a burst of `b` operations inflates the variance by about `1.5·b`.
const LENGTHS_OF_INFLATION: f64 = 8.0;
/// The length at which a run has its full weight, as a multiple of the longest run so far. A run of up to three values
/// has no such margin ([`with_room`] rounds it away): such runs are all alike, and a margin would halve their bets.
pub(super) const ROOM: f64 = 1.25;
/// The rate from which on half of the e-value is on the largest stake. At such rates a run is worth little more
/// than its sign, and with this stake a large violation is red after the fewest runs. At a tail the largest stake
/// would win after two runs, which are too few observations.
const COMMON: f64 = 0.25;
/// The share of the e-value that is on the largest stake from [`COMMON`] on.
const ON_THE_LARGEST: f64 = 0.5;
/// The fewest blocks whose variance can be estimated.
const FEWEST_BLOCKS: usize = 8;

/// Evidence against "the rate of exceedance is at most `p0`", from the counts of blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    p0: f64,
    cut: BlockDivision,
    /// For runs: the length at which a run has its full weight.
    room: u64,
    bets: Vec<Bet>,
    taken: u64,
}

/// The operations of which a block consists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockDivision {
    /// At most this many operations.
    Every(u64),
    /// All operations of one run.
    Runs,
}

#[derive(Debug, Clone, PartialEq)]
struct Bet {
    lambda: f64,
    /// The logarithm of the bet's e-value, which starts at the bet's share of the mixture.
    log_e_value: f64,
}

impl Blocks {
    /// Creates the evidence from blocks of at most `ops` operations each.
    ///
    /// # Panics
    /// If `p0` is not in (0, 1) or `ops` is 0.
    pub fn fail(p0: f64, ops: u64) -> Self {
        Self::cut(p0, BlockDivision::Every(ops))
    }

    /// Creates the evidence from runs, each of which is one block whatever its length.
    ///
    /// # Panics
    /// If `p0` is not in (0, 1).
    pub fn of_runs(p0: f64) -> Self {
        Self::cut(p0, BlockDivision::Runs)
    }

    pub(super) fn cut(p0: f64, cut: BlockDivision) -> Self {
        assert!(p0 > 0.0 && p0 < 1.0, "an exceedance rate lies in (0, 1), not {p0}");
        assert!(cut != BlockDivision::Every(0), "a block holds at least one operation");
        let bets = stakes(p0)
            .into_iter()
            .map(|(weight, lambda)| Bet { lambda, log_e_value: weight.ln() })
            .collect();
        Self { p0, cut, room: 0, bets, taken: 0 }
    }

    /// Takes a block of `n` operations, `k` of which exceeded the threshold.
    ///
    /// A full block enters as `Y - p0` with `Y = k/n`. A shorter block enters as `(k - p0·n)/ops`, which is
    /// weighted by its size. So it has a mean of 0 under the null hypothesis even if *something that happened in
    /// it* cut it short (Wald's identity). Its own share `k/n` would not have that mean.
    ///
    /// A run is weighted likewise, against a length a quarter above the longest run before it; this is
    /// allowed because a stake may depend on the past. A run longer than that enters by its share, as one
    /// observation.
    ///
    /// # Panics
    /// If `k > n` or the block is larger than it may be.
    pub fn push(&mut self, n: u64, k: u64) {
        assert!(k <= n, "{k} of {n} is no count");
        let full = match self.cut {
            BlockDivision::Every(ops) => {
                assert!(n <= ops, "{n} operations are no block of {ops}");
                ops
            }
            BlockDivision::Runs => {
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

    /// Takes the operations of one uninterrupted run, in their order, cut into blocks.
    pub fn extend(&mut self, values: &[f64], limit: f64) {
        for (n, k) in counts(values, limit, self.longest()) {
            self.push(n, k);
        }
    }

    /// Returns the most operations that a block may have.
    fn longest(&self) -> u64 {
        match self.cut {
            BlockDivision::Every(ops) => ops,
            BlockDivision::Runs => u64::MAX,
        }
    }

    /// Returns the natural logarithm of the evidence, which is 0 before the first block.
    pub fn log_evidence(&self) -> f64 {
        log_sum_exp(self.bets.iter().map(|bet| bet.log_e_value))
    }

    /// Returns how many blocks were taken.
    pub fn blocks(&self) -> u64 {
        self.taken
    }

    pub(super) fn how(&self) -> BlockDivision {
        self.cut
    }
}

/// Returns the length at which a run has its full weight, where the longest run so far had `n` values.
pub(super) fn with_room(n: u64) -> u64 {
    ((n as f64 * ROOM) as u64).max(1)
}

/// Returns the bets of the mixture as pairs of weight and `lambda`: 0.3, then 1 and its doublings, then the
/// largest that no block can ruin.
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

/// Counts the operations, and those above `limit`, in each block of `ops` values. The last block may be shorter.
///
/// # Panics
/// If `ops` is 0.
pub fn counts(values: &[f64], limit: f64, ops: u64) -> impl Iterator<Item = (u64, u64)> {
    let ops = usize::try_from(ops).unwrap_or(usize::MAX);
    values.chunks(ops).map(move |block| {
        let exceeding = block.iter().filter(|&&value| value > limit).count();
        (block.len() as u64, exceeding as u64)
    })
}

/// Returns how many times larger the variance of block shares is than independent operations would make it:
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

/// Chooses the length of a block for a subject from a pilot run in its order: `first`, doubled until it is
/// eight times the inflation of its variance, or until too few blocks remain to estimate that.
///
/// A stable inflation is no reason to stop: inflation grows with the block, up to that of the longest
/// bursts, and never falls. A high quantile of the pilot is the best `limit`, since the pilot may never exceed
/// the real one.
///
/// # Panics
/// If `first` is 0.
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
