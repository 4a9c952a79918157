//! Intervals that hold at every look: the limits that the tests of the verdict do not reject.
//!
//! A verdict looks after every process, and an ordinary confidence interval is wrong after many looks.
//! A *confidence sequence* covers the truth at all looks at once, with probability at least
//! `1 - alpha`. Here it is the inverse of the tests themselves: it begins where the failing side at
//! `alpha/2` stops rejecting and ends where the passing side starts to (duality of tests and
//! confidence sets; for quantiles: Howard & Ramdas 2022). So interval and verdict never disagree.

use super::Sample;
use super::betting::threshold;
use super::blocks::{BlockDivision, Blocks};
use super::exceedance::Exceedance;
use super::interval::Interval;

/// Returns the interval of the quantile `q` at level `alpha`, from values that exceed independently of each other.
///
/// # Panics
/// If `q` or `alpha` is not in (0, 1).
pub fn quantile(sample: &Sample, q: f64, alpha: f64) -> Interval {
    let (fail, n) = (Exceedance::fail_finely(1.0 - q), sample.len() as u64);
    let enough = threshold(alpha, 2);
    let low = end_below(sample, |limit| fail.log_evidence_of(n, sample.above(limit)) >= enough);
    Interval { low, high: quantile_high(sample, q, 1.0, alpha) }
}

/// Returns the lower end for the quantile `q`, from runs of values whose exceedances come in bursts. They are
/// counted in blocks, as the failing side counts them. `sample` holds the values of all runs.
pub(super) fn low_in_blocks(
    sample: &Sample,
    (runs, cut): (&[Vec<f64>], BlockDivision),
    q: f64,
    alpha: f64,
) -> f64 {
    let enough = threshold(alpha, 2);
    end_below(sample, |limit| {
        let mut blocks = Blocks::cut(1.0 - q, cut);
        for run in runs {
            blocks.extend(run, limit);
        }
        blocks.log_evidence() >= enough
    })
}

/// Returns the upper end: the largest value at which the rate of values *at or above* it may still be `1 - q`,
/// where `inflation` values are worth one that is independent.
pub(super) fn quantile_high(sample: &Sample, q: f64, inflation: f64, alpha: f64) -> f64 {
    let (pass, n) = (Exceedance::pass(1.0 - q), sample.len() as u64);
    let enough = threshold(alpha, 2);
    let rejects = |count: u64| pass.log_evidence_deflated(n, count, inflation) >= enough;
    if !rejects(0) {
        return f64::INFINITY;
    }
    let values = sample.values();
    let not_rejected = values.partition_point(|&value| !rejects(sample.at_or_above(value)));
    not_rejected.checked_sub(1).map_or(f64::NEG_INFINITY, |last| values[last])
}

/// Returns the lower end: the first value that the failing side does not reject as a limit.
fn end_below(sample: &Sample, rejects: impl Fn(f64) -> bool) -> f64 {
    let values = sample.values();
    if values.is_empty() || !rejects(f64::NEG_INFINITY) {
        return f64::NEG_INFINITY;
    }
    // Nothing exceeds the largest value, so it is never rejected.
    values[values.partition_point(|&value| rejects(value)).min(values.len() - 1)]
}
