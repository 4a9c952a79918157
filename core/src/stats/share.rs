//! A limit on the share of operations that have some property (failing, for one), judged process by process.
//!
//! On the failing side a process is one observation, as for a quantile. On the passing side operations count
//! one by one, and for less where processes differ by more than independent operations would, since failures
//! tend to come together.

use super::betting::threshold;
use super::bisection::turning_point;
use super::blocks::{self, Blocks};
use super::detect;
use super::exceedance::Exceedance;
use super::interval::Interval;

/// The least share that is tested, and its distance from 1. No number of trials shows a share to be 0 or 1.
const PROVABLE: f64 = 0.001;
/// The most operations of one process that say anything more about what could be detected.
const LARGEST_WORTH: u64 = 2_000;
/// The steps of bisection, which reach the precision that is shown.
const STEPS: u32 = 40;

/// Evidence about "the share is at most `limit`", from the counts of one process after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    limit: f64,
    fail: Blocks,
    pass: Exceedance,
    /// The operations of each process, and how many of them have the property.
    counts: Vec<(u64, u64)>,
}

impl Share {
    /// Creates a limit on a share, which fails when shown to be above `limit` and passes when shown to be below
    /// `tolerance_limit`.
    pub fn new(limit: f64, tolerance_limit: f64) -> Self {
        Share {
            limit,
            fail: Blocks::of_runs(provable(limit)),
            pass: Exceedance::pass(provable(tolerance_limit)),
            counts: Vec::new(),
        }
    }

    /// Takes one more process, in which `k` of `n` operations have the property.
    ///
    /// # Panics
    /// If `k > n`.
    pub fn process(&mut self, n: u64, k: u64) {
        self.fail.push(n, k);
        self.pass.add(n, k);
        self.counts.push((n, k));
    }

    /// Returns the log evidence that the share is above the limit. A single operation proves that a share is not 0.
    pub fn log_fail(&self) -> f64 {
        if self.is_disproved() { f64::INFINITY } else { self.fail.log_evidence() }
    }

    /// Returns the log evidence that the share is below the limit with its tolerance.
    pub fn log_pass(&self) -> f64 {
        if self.is_disproved() {
            return 0.0;
        }
        self.pass.log_evidence_deflated(self.pass.n(), self.pass.k(), self.inflation())
    }

    /// Whether the limit is 0 and an operation has the property, which leaves nothing to chance.
    pub fn is_disproved(&self) -> bool {
        self.limit <= 0.0 && self.pass.k() > 0
    }

    /// Returns the share so far; `None` without operations.
    pub fn estimate(&self) -> Option<f64> {
        (self.pass.n() > 0).then(|| self.pass.k() as f64 / self.pass.n() as f64)
    }

    /// Returns the interval that covers the true share at every look, with probability `1 - alpha`: all shares that
    /// neither side rejects. Operations count for less where processes differ.
    pub fn interval(&self, alpha: f64) -> Interval {
        let (n, k, inflation) = (self.pass.n(), self.pass.k(), self.inflation());
        let enough = threshold(alpha, 2);
        let Some(share) = self.estimate() else { return Interval { low: 0.0, high: 1.0 } };
        let not_too_low =
            |p: f64| Exceedance::fail_finely(p).log_evidence_deflated(n, k, inflation) < enough;
        let too_high =
            |p: f64| Exceedance::pass(p).log_evidence_deflated(n, k, inflation) >= enough;
        let inside = |p: f64| p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        let low =
            if k == 0 { 0.0 } else { turning_point(0.0, share, STEPS, |p| not_too_low(inside(p))) };
        let high = turning_point(share, 1.0, STEPS, |p| too_high(inside(p)));
        Interval { low, high }
    }

    /// Returns the smallest true share that a run of `processes` processes would have failed with a probability of 95 %.
    pub fn smallest_violation(&self, threshold: f64, processes: u64) -> Option<f64> {
        if self.limit <= 0.0 {
            // One operation is enough to fail: this is the share at which 95 runs of 100 contain one.
            let n = self.pass.n() as f64 * processes as f64 / self.counts.len().max(1) as f64;
            return (n > 0.0).then(|| 1.0 - (1.0 - detect::POWER).powf(1.0 / n));
        }
        let ops = self.pass.n() / (self.counts.len() as u64).max(1);
        let ops = ops.clamp(1, LARGEST_WORTH);
        detect::blocks(processes, ops, self.inflation(), provable(self.limit), threshold)
    }

    /// Returns how much processes differ in their shares (Pearson's dispersion), at least 1.
    fn inflation(&self) -> f64 {
        blocks::variance_inflation(&self.counts).unwrap_or(1.0).max(1.0)
    }
}

/// Returns the nearest share that a number of trials can show.
fn provable(share: f64) -> f64 {
    share.clamp(PROVABLE, 1.0 - PROVABLE)
}
