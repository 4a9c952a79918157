//! A limit on a quantile, process by process: the pieces of this folder put together for one caller.
//!
//! The failing side counts blocks, because a false alarm must stay impossible when operations are
//! disturbed in bursts; the passing side counts operations, because blocks would need one block for
//! every operation that it needs, and its error is a miss, not a flake.

use std::ops::RangeInclusive;

use super::blocks::{self, Blocks, Cut};
use super::exceedance::Exceedance;
use super::interval::Interval;
use super::sample::NotFinite;
use super::sequence;
use super::{Sample, detect, order};

/// Quantiles for which a process is an observation also to pass: five of them are enough at a median that is far
/// from its limit, at a p90 it were thirty.
const MIDDLE: RangeInclusive<f64> = 0.25..=0.75;

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
    /// Values of each process, and how many of them reached the tolerance limit.
    reached: Vec<(u64, u64)>,
    processes: Vec<Vec<f64>>,
    sample: Sample,
}

impl Percentile {
    /// A quantile `q` that fails when shown to be above `limit` and passes when shown to be below
    /// `tolerance_limit`, which is the limit with its tolerance. `ops` is the length of a block, fixed
    /// beforehand ([`blocks::length`] on a pilot).
    ///
    /// # Panics
    /// Where `q` is not in (0, 1), `ops` is 0, or a limit is NaN.
    pub fn new(q: f64, limit: f64, tolerance_limit: f64, ops: u64) -> Self {
        Self::cut(q, limit, tolerance_limit, Cut::Every(ops))
    }

    /// The same where processes differ from each other, so that each is one block, whatever its length.
    ///
    /// # Panics
    /// Where `q` is not in (0, 1), or a limit is NaN.
    pub fn by_processes(q: f64, limit: f64, tolerance_limit: f64) -> Self {
        Self::cut(q, limit, tolerance_limit, Cut::Runs)
    }

    fn cut(q: f64, limit: f64, tolerance_limit: f64, cut: Cut) -> Self {
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
    /// Where one of them is not finite; the evidence is then left as it was.
    pub fn add_process(&mut self, values: &[f64]) -> Result<(), NotFinite> {
        self.sample.extend(values)?;
        self.fail.extend(values, self.limit);
        // A value exactly at the tolerance limit counts against passing: the claim is "below it".
        let reached = values.iter().filter(|&&value| value >= self.tolerance_limit).count();
        self.pass.add(values.len() as u64, reached as u64);
        self.reached.push((values.len() as u64, reached as u64));
        self.processes.push(values.to_vec());
        Ok(())
    }

    /// Which quantile it is about.
    pub fn quantile(&self) -> f64 {
        self.q
    }

    /// The log evidence that the quantile is above the limit.
    pub fn log_fail(&self) -> f64 {
        self.fail.log_evidence()
    }

    /// The log evidence that the quantile is below the limit with its tolerance.
    ///
    /// Values count one by one. In the middle half of the distribution, where processes differ by more than
    /// independent values would, they count as so many fewer as their variance is inflated: what a process
    /// does to all of its values is no crowd of independent observations. Farther out that would take tens of processes.
    pub fn log_pass(&self) -> f64 {
        self.pass.log_evidence_deflated(self.pass.n(), self.pass.k(), self.inflation())
    }

    /// By how much processes differ in their shares beyond the tolerance limit (Pearson's dispersion), at least 1;
    /// 1 outside of the middle half.
    fn inflation(&self) -> f64 {
        if !MIDDLE.contains(&self.q) {
            return 1.0;
        }
        blocks::variance_inflation(&self.reached).unwrap_or(1.0).max(1.0)
    }

    /// The quantile of all values so far.
    pub fn estimate(&self) -> Option<f64> {
        order::quantile(&self.sample, self.q)
    }

    /// The interval that covers the true quantile at every look, with probability `1 - alpha`.
    ///
    /// Its ends are inverses of the two sides at `alpha/2` each: at `alpha = 2·beta` it lies below the
    /// tolerance limit exactly when a side of level `beta` passes.
    ///
    /// # Panics
    /// Where `alpha` is not in (0, 1).
    pub fn interval(&self, alpha: f64) -> Interval {
        let processes = (&self.processes[..], self.fail.how());
        let low = sequence::low_in_blocks(&self.sample, processes, self.q, alpha);
        Interval { low, high: self.upper_end(alpha) }
    }

    /// The upper end of that interval.
    ///
    /// # Panics
    /// Where `alpha` is not in (0, 1).
    pub fn upper_end(&self, alpha: f64) -> f64 {
        sequence::quantile_high(&self.sample, self.q, self.inflation(), alpha)
    }

    /// The smallest true quantile that this run would have failed with a probability of 95 %, at the
    /// log evidence `threshold`; `None` where it would have failed none.
    ///
    /// The blocks are taken to be as uneven as they were at the quantile of this sample, where their
    /// rate is the one at stake; a violation is taken to stretch all values alike.
    pub fn smallest_violation(&self, threshold: f64) -> Option<f64> {
        let at = self.estimate()?;
        let longest = self.processes.iter().map(|process| process.len() as u64).max()?;
        let (cut, ops, whole) = match self.fail.how() {
            Cut::Every(ops) => {
                let ops = ops.min(longest);
                (ops, ops, self.sample.len() as u64 / ops)
            }
            Cut::Runs => {
                let processes = self.processes.len() as u64;
                (longest, (self.sample.len() as u64 / processes).max(1), processes)
            }
        };
        let counts: Vec<_> =
            self.processes.iter().flat_map(|process| blocks::counts(process, at, cut)).collect();
        let inflation = blocks::variance_inflation(&counts).unwrap_or(1.0);
        let p1 = detect::blocks(whole, ops, inflation, 1.0 - self.q, threshold)?;
        detect::stretched_quantile(&self.sample, self.q, self.limit, p1)
    }

    /// All values so far.
    pub fn sample(&self) -> &Sample {
        &self.sample
    }
}
