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
use super::spread::Spread;

/// The least share that is tested, and its distance from 1. No number of trials shows a share to be 0 or 1.
const PROVABLE: f64 = 0.001;
/// The fewest processes that can pass. Operations that count one by one say nothing about the processes that were not
/// seen. If one process in four is bad, there is no bad one among seven in 13 of 100 runs, and among three in 42.
pub const FEWEST_TO_PASS: usize = 7;
/// The most operations of one process that say anything more about what could be detected.
const LARGEST_WORTH: u64 = 2_000;
/// The steps of bisection, which reach the precision that is shown.
const STEPS: u32 = 40;

/// Evidence about "the share is at most `limit`", from the counts of one process after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    limit: f64,
    tolerance_limit: f64,
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
            tolerance_limit: provable(tolerance_limit),
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

    /// Whether the differences between processes leave room up to the limit with its tolerance for the mean of their
    /// shares, and enough processes were seen. The run continues the test `after` other runs.
    pub fn leaves_room(&self, after: u32) -> bool {
        let spread = Spread::of_means(&self.shares());
        self.counts.len() >= FEWEST_TO_PASS
            && spread.is_some_and(|spread| spread.leaves_room(self.tolerance_limit, after))
    }

    /// Returns the share of each process.
    fn shares(&self) -> Vec<f64> {
        let any = self.counts.iter().filter(|(n, _)| *n > 0);
        any.map(|&(n, k)| k as f64 / n as f64).collect()
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
        let limit = provable(self.limit);
        let catches = |share: f64| {
            let worth = detect::worth(ops, self.largest_inflation(share)).min(LARGEST_WORTH);
            detect::catches(processes, worth, limit, threshold, share)
        };
        catches(1.0).then(|| turning_point(limit, 1.0, STEPS, catches))
    }

    /// Returns how much processes would differ at another share. They are assumed to differ by the most that is likely
    /// enough. The shares of all are larger by the same factor, and so is the excess of their variance.
    fn largest_inflation(&self, share: f64) -> f64 {
        let times = Spread::of_means(&self.shares()).map_or(1.0, |spread| spread.times());
        let excess = (self.inflation() * times - 1.0).max(0.0);
        let factor = self.estimate().map_or(1.0, |now| share / now.max(PROVABLE));
        1.0 + excess * factor.max(1.0)
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
