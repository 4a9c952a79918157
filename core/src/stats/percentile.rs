//! A limit on a quantile, judged process by process: the pieces of this folder put together for a caller.
//!
//! The failing side counts blocks, so that false positives stay rare when operations are disturbed in bursts. The passing
//! side counts operations. It would need as many blocks as it needs operations, and its error is a missed violation and
//! not a flaky red.

use super::blocks::{self, BlockDivision, Blocks};
use super::exceedance::Exceedance;
use super::interval::Interval;
use super::sample::NotFinite;
use super::sequence;
use super::spread::{MIDDLE, Spread};
use super::{Sample, detect, order};

/// Evidence about "the quantile `q` is at most `limit`", from the values of one process after another.
///
/// For a limit from below, negate the values and the limits and ask for the quantile `1 - q`.
#[derive(Debug, Clone)]
pub struct Percentile {
    q: f64,
    limit: f64,
    tolerance_limit: f64,
    fail: Blocks,
    pass: Exceedance,
    /// The number of values of each process, and how many of them reached the tolerance limit.
    reached: Vec<(u64, u64)>,
    processes: Vec<Vec<f64>>,
    sample: Sample,
}

impl Percentile {
    /// Creates a limit on the quantile `q`, which fails when shown to be above `limit` and passes when shown to
    /// be below `tolerance_limit`, the limit with its tolerance. `ops` is the length of a block, fixed
    /// beforehand ([`blocks::length`] on a pilot).
    ///
    /// # Panics
    /// If `q` is not in (0, 1), `ops` is 0, or a limit is NaN.
    pub fn new(q: f64, limit: f64, tolerance_limit: f64, ops: u64) -> Self {
        Self::cut(q, limit, tolerance_limit, BlockDivision::Every(ops))
    }

    /// Like [`new`](Self::new) where processes differ from each other, so that each is one block of any length.
    ///
    /// # Panics
    /// If `q` is not in (0, 1), or a limit is NaN.
    pub fn by_processes(q: f64, limit: f64, tolerance_limit: f64) -> Self {
        Self::cut(q, limit, tolerance_limit, BlockDivision::Runs)
    }

    fn cut(q: f64, limit: f64, tolerance_limit: f64, cut: BlockDivision) -> Self {
        assert!(!limit.is_nan() && !tolerance_limit.is_nan(), "a limit is a number");
        Self {
            q,
            limit,
            tolerance_limit,
            fail: Blocks::cut(1.0 - q, cut),
            pass: Exceedance::pass(1.0 - q),
            reached: Vec::new(),
            processes: Vec::new(),
            sample: Sample::default(),
        }
    }

    /// Takes the values of one more process, in the order in which they were measured.
    ///
    /// # Errors
    /// If one of them is not finite; the evidence is then left as it was.
    pub fn add_process(&mut self, values: &[f64]) -> Result<(), NotFinite> {
        self.sample.extend(values)?;
        self.fail.extend(values, self.limit);
        // A value exactly at the tolerance limit counts against passing, since the claim is "below it".
        let reached = values.iter().filter(|&&value| value >= self.tolerance_limit).count();
        self.pass.add(values.len() as u64, reached as u64);
        self.reached.push((values.len() as u64, reached as u64));
        self.processes.push(values.to_vec());
        Ok(())
    }

    /// Returns the quantile that the limit is about.
    pub fn quantile(&self) -> f64 {
        self.q
    }

    /// Returns the log evidence that the quantile is above the limit.
    pub fn log_fail(&self) -> f64 {
        self.fail.log_evidence()
    }

    /// Returns the log evidence that the quantile is below the limit with its tolerance.
    ///
    /// Values count one by one. In the middle half of the distribution, where processes may differ by more than
    /// independent values would, values count for less, by the factor by which their variance is inflated:
    /// what a process does to all of its values is not many independent observations. Processes that were not
    /// seen are accounted for separately, by [`leaves_room`](Self::leaves_room).
    pub fn log_pass(&self) -> f64 {
        self.pass.log_evidence_deflated(self.pass.n(), self.pass.k(), self.inflation())
    }

    /// Whether the differences between processes leave room up to the tolerance limit, in a run that continues the test
    /// `after` other runs. Values that count one by one cannot answer this.
    pub fn leaves_room(&self, after: u32) -> bool {
        let spread = Spread::of(&self.processes, self.q);
        spread.is_none_or(|spread| spread.leaves_room(self.tolerance_limit, after))
    }

    /// Returns the interval of the true quantile with confidence `1 - alpha`. It is wide enough for the uncertainty of
    /// values that count one by one, at every look, and for that of processes that differ.
    ///
    /// # Panics
    /// If `alpha` is not in (0, 1).
    pub fn interval_of_processes(&self, alpha: f64) -> Interval {
        let low = sequence::quantile(&self.sample, self.q, alpha).low;
        let high = self.upper_end(alpha);
        let between = Spread::of(&self.processes, self.q).map(|spread| spread.interval(alpha));
        match between {
            Some(between) => Interval { low: low.min(between.low), high: high.max(between.high) },
            None => Interval { low, high },
        }
    }

    /// Returns how much processes differ in their shares beyond the tolerance limit (Pearson's dispersion), at least 1.
    /// It is 1 outside of the middle half, where a few bad processes among many would inflate it as much.
    fn inflation(&self) -> f64 {
        if !MIDDLE.contains(&self.q) {
            return 1.0;
        }
        blocks::variance_inflation(&self.reached).unwrap_or(1.0).max(1.0)
    }

    /// Returns the quantile of all values so far.
    pub fn estimate(&self) -> Option<f64> {
        order::quantile(&self.sample, self.q)
    }

    /// Returns the interval that covers the true quantile at every look, with probability `1 - alpha`.
    ///
    /// Its ends are the inverses of the two sides at `alpha/2` each: at `alpha = 2·beta` the interval lies below
    /// the tolerance limit exactly when a side of level `beta` passes.
    ///
    /// # Panics
    /// If `alpha` is not in (0, 1).
    pub fn interval(&self, alpha: f64) -> Interval {
        let processes = (&self.processes[..], self.fail.how());
        let low = sequence::low_in_blocks(&self.sample, processes, self.q, alpha);
        Interval { low, high: self.upper_end(alpha) }
    }

    /// Returns the upper end of [`interval`](Self::interval).
    ///
    /// # Panics
    /// If `alpha` is not in (0, 1).
    pub fn upper_end(&self, alpha: f64) -> f64 {
        sequence::quantile_high(&self.sample, self.q, self.inflation(), alpha)
    }

    /// Returns the smallest true quantile that a run of `processes` processes would have failed with a probability of
    /// 95 %, at the log evidence `threshold`; `None` where it would have failed at no quantile.
    ///
    /// Processes are assumed to differ as the measured ones do, and a violation to stretch all values alike.
    pub fn smallest_violation(&self, threshold: f64, processes: u64) -> Option<f64> {
        let BlockDivision::Every(ops) = self.fail.how() else {
            return match Spread::of(&self.processes, self.q) {
                Some(spread) => spread.smallest_violation(self.limit, processes, threshold),
                None => self.violation_by_counts(u64::MAX, processes, threshold),
            };
        };
        let blocks =
            self.sample.len() as u64 / ops * processes / (self.processes.len() as u64).max(1);
        self.violation_by_counts(ops, blocks, threshold)
    }

    /// Returns the smallest violation computed from how uneven blocks of `ops` values are at the estimated quantile,
    /// where their exceedance rate is the one in question.
    fn violation_by_counts(&self, ops: u64, blocks: u64, threshold: f64) -> Option<f64> {
        let at = self.estimate()?;
        let mut counts = Vec::new();
        for process in &self.processes {
            counts.extend(blocks::counts(process, at, ops));
        }
        let inflation = blocks::variance_inflation(&counts).unwrap_or(1.0);
        let mean = self.sample.len() as u64 / self.processes.len() as u64;
        let p1 = detect::blocks(blocks, ops.min(mean).max(1), inflation, 1.0 - self.q, threshold)?;
        detect::stretched_quantile(&self.sample, self.q, self.limit, p1)
    }

    /// Returns all values so far.
    pub fn sample(&self) -> &Sample {
        &self.sample
    }
}
