//! Evidence about a ratio, from log-ratios whose sign was decided by a coin.
//!
//! Two builds run side by side in two slots, and for every pair of processes a coin decides which
//! build runs in which slot. A log-ratio is then `z = theta + s·b`: the true effect `theta`, and whatever
//! noise, drift or bias `b` the slots saw, with the coin's sign `s`. So an odd, increasing score of
//! `z - theta0` has a mean of at most 0 for *every* noise process as long as
//! `theta <= theta0`, and none of them can fool the betting kernel (e-values for symmetry:
//! Vovk & Wang 2022). Without the swap none of this holds, as the tests show.

use super::Side;
use super::betting::Betting;
use super::running_median::RunningMedian;
use super::sample::NotFinite;

/// Evidence that the true log-ratio is above `theta0` (fail) or below it (pass).
///
/// The score is `tanh((z - theta0)/s)`, where `s` is the running median of `|z - theta0|`, this one
/// included. The scale depends on magnitudes alone, so it does not disturb the symmetry, and no outlier
/// counts for more than one.
#[derive(Debug, Clone)]
pub struct Paired {
    side: Side,
    theta0: f64,
    scale: RunningMedian,
    betting: Betting,
}

impl Paired {
    /// Evidence against "the log-ratio is at most `theta0`".
    pub fn fail(theta0: f64) -> Self {
        Self::new(Side::Fail, theta0)
    }

    /// Evidence against "the log-ratio is at least `theta0`".
    pub fn pass(theta0: f64) -> Self {
        Self::new(Side::Pass, theta0)
    }

    pub(super) fn new(side: Side, theta0: f64) -> Self {
        Self { side, theta0, scale: RunningMedian::default(), betting: Betting::default() }
    }

    /// Takes the log-ratio of one more pair.
    ///
    /// # Errors
    /// Where the log-ratio is not finite; the evidence is then left as it was.
    pub fn push(&mut self, log_ratio: f64) -> Result<(), NotFinite> {
        let above = log_ratio - self.theta0;
        NotFinite::check([above])?;
        let scale = self.scale.push(above.abs());
        // More than half of the pairs may lie exactly on theta0. The scale is then 0, and a pair that
        // lies elsewhere is infinitely many scales away.
        let score = if above == 0.0 { 0.0 } else { (above / scale).tanh() };
        self.betting.push(match self.side {
            Side::Fail => score,
            Side::Pass => -score,
        });
        Ok(())
    }

    /// The natural logarithm of the evidence, which is 0 before the first pair.
    pub fn log_evidence(&self) -> f64 {
        self.betting.log_evidence()
    }
}
