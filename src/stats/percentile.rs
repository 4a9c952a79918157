//! A limit on a quantile, fork by fork: the pieces of this folder put together for one caller.
//!
//! The failing side counts blocks, because a false alarm must stay impossible when operations are
//! disturbed in bursts; the passing side counts operations, because blocks would need one block for
//! every operation that it needs, and its error is a miss, not a flake.

use super::blocks::{self, Blocks};
use super::exceedance::Exceedance;
use super::interval::{self, Interval};
use super::sample::NotFinite;
use super::{Sample, detect, order};

/// Evidence about "the quantile `q` is at most `limit`", from the values of one fork after another.
///
/// For a limit from below, negate the values and the limits and ask for the quantile `1 - q`.
#[derive(Debug, Clone)]
pub struct Percentile {
    q: f64,
    limit: f64,
    slack_limit: f64,
    fail: Blocks,
    pass: Exceedance,
    forks: Vec<Vec<f64>>,
    sample: Sample,
}

impl Percentile {
    /// A quantile `q` that fails when shown to be above `limit` and passes when shown to be below
    /// `slack_limit`, which is the limit with its slack. `ops` is the length of a block, fixed
    /// beforehand ([`blocks::length`] on a pilot); as long as a fork, if forks differ from each other.
    ///
    /// # Panics
    /// Where `q` is not in (0, 1), `ops` is 0, or a limit is NaN.
    pub fn new(q: f64, limit: f64, slack_limit: f64, ops: u64) -> Self {
        assert!(!limit.is_nan() && !slack_limit.is_nan(), "a limit is a number");
        Self {
            q,
            limit,
            slack_limit,
            fail: Blocks::fail(1.0 - q, ops),
            pass: Exceedance::pass(1.0 - q),
            forks: Vec::new(),
            sample: Sample::default(),
        }
    }

    /// Takes the values of one more fork, in the order in which they were measured.
    ///
    /// # Errors
    /// Where one of them is not finite; the evidence is then left as it was.
    pub fn fork(&mut self, values: &[f64]) -> Result<(), NotFinite> {
        self.sample.extend(values)?;
        self.fail.extend(values, self.limit);
        // A value exactly at the slack limit counts against passing: the claim is "below it".
        let reached = values.iter().filter(|&&value| value >= self.slack_limit).count();
        self.pass.add(values.len() as u64, reached as u64);
        self.forks.push(values.to_vec());
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

    /// The log evidence that the quantile is below the limit with its slack.
    pub fn log_pass(&self) -> f64 {
        self.pass.log_evidence()
    }

    /// The quantile of all values so far.
    pub fn estimate(&self) -> Option<f64> {
        order::quantile(&self.sample, self.q)
    }

    /// The interval that covers the true quantile at every look, with probability `1 - alpha`.
    ///
    /// Its ends are inverses of the two sides at `alpha/2` each: at `alpha = 2·beta` it lies below the
    /// slack limit exactly when a side of level `beta` passes.
    ///
    /// # Panics
    /// Where `alpha` is not in (0, 1).
    pub fn interval(&self, alpha: f64) -> Interval {
        interval::quantile_in_blocks(&self.sample, &self.forks, self.q, self.fail.ops(), alpha)
    }

    /// The smallest true quantile that this run would have failed with a probability of 95 %, at the
    /// log evidence `threshold`; `None` where it would have failed none.
    ///
    /// The blocks are taken to be as uneven as they were at the quantile of this sample, where their
    /// rate is the one at stake; a violation is taken to stretch all values alike.
    pub fn smallest_violation(&self, threshold: f64) -> Option<f64> {
        let at = self.estimate()?;
        let ops = self.fail.ops().min(self.forks.iter().map(|fork| fork.len() as u64).max()?);
        let counts: Vec<_> =
            self.forks.iter().flat_map(|fork| blocks::counts(fork, at, ops)).collect();
        let inflation = blocks::variance_inflation(&counts).unwrap_or(1.0);
        let whole = self.sample.len() as u64 / ops;
        let p1 = detect::blocks(whole, ops, inflation, 1.0 - self.q, threshold)?;
        detect::stretched_quantile(&self.sample, self.q, self.limit, p1)
    }

    /// All values so far.
    pub fn sample(&self) -> &Sample {
        &self.sample
    }
}
