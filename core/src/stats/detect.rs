//! The minimum detectable effect: the smallest violation that a run would have detected with a probability of 95 %.
//!
//! A pass is worth nothing if the gate could not have seen a violation. So each verdict is shown with the smallest
//! violation that a run with as many values, as noisy as these, would have failed. If that is far from the limit,
//! the run was underpowered, and the report says so.

use super::betting::STAKES;
use super::bisection::turning_point;
use super::blocks::stakes;
use super::exceedance::Exceedance;
use super::mixture::log_sum_exp;
use super::paired;
use super::{Sample, binomial, order, summary};

/// The probability with which the reported violation would have been detected.
pub const POWER: f64 = 0.95;
/// The standard normal quantile of [`POWER`].
const POWER_QUANTILE: f64 = 1.644_853_626_951_472_7;
/// The steps of bisection, which reach better than a millionth of the range; the model is coarser than that.
const STEPS: u32 = 24;

/// Returns the smallest exceedance rate above `p0` at which `n` independent values reach `threshold` with a
/// probability of at least [`POWER`]; `None` if no rate does.
///
/// The answer is exact for a single look at the end, and so a little too large for a test that looked after
/// every value: at most 3 % above the exact answer where the tests compare the two.
///
/// # Panics
/// If `p0` is not in (0, 1).
pub fn exceedance(n: u64, p0: f64, threshold: f64) -> Option<f64> {
    let fewest = Exceedance::fail(p0).critical(n, threshold)?;
    let short = fewest.checked_sub(1)?;
    Some(binomial::upper_limit(short, n, 1.0 - POWER))
}

/// Returns the smallest exceedance rate above `p0` at which `blocks` blocks of `ops` operations reach
/// `threshold`, with a probability of about [`POWER`]; `None` if no rate does.
///
/// `inflation` is the variance inflation of the blocks, 1 for independent operations: a block of
/// `ops` is then worth `ops / inflation` independent ones. The growth of the evidence and its
/// variance are exact for such a block; their sum over the blocks is taken as normal.
///
/// # Panics
/// If `p0` is not in (0, 1).
pub fn blocks(blocks: u64, ops: u64, inflation: f64, p0: f64, threshold: f64) -> Option<f64> {
    let worth = worth(ops, inflation);
    let catches = |p1: f64| catches(blocks, worth, p0, threshold, p1);
    catches(1.0).then(|| turning_point(p0, 1.0, STEPS, catches))
}

/// Whether `blocks` blocks of `worth` independent operations reach `threshold` against `p0` at an exceedance rate of `p1`, with
/// a probability of about [`POWER`].
pub(super) fn catches(blocks: u64, worth: u64, p0: f64, threshold: f64, p1: f64) -> bool {
    let counts = binomial::probabilities(worth, p1);
    caught_by_blocks(blocks, &counts, 1.0, p0) >= threshold
}

/// A process of a run, as the model of detection sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    /// How many of its operations are independent of each other, once its level is known.
    pub(super) worth: u64,
    /// The share that it is of a full block.
    pub(super) weight: f64,
}

/// Returns the smallest shift of all values in `[-widest, widest]` at which `processes` processes reach `threshold`
/// with a probability of about [`POWER`]; `None` if no shift does.
///
/// `shares` returns the exceedance rates that processes have at a shift, each with its probability.
pub(super) fn shift(
    processes: u64,
    like: Process,
    p0: f64,
    threshold: f64,
    widest: f64,
    shares: impl Fn(f64) -> Vec<(f64, f64)>,
) -> Option<f64> {
    let catches = |shift: f64| {
        let mut counts = vec![0.0; like.worth as usize + 1];
        for (probability, share) in shares(shift) {
            let given = binomial::probabilities(like.worth, share);
            counts.iter_mut().zip(given).for_each(|(sum, p)| *sum += probability * p);
        }
        caught_by_blocks(processes, &counts, like.weight, p0) >= threshold
    };
    catches(widest).then(|| turning_point(-widest, widest, STEPS, catches))
}

/// Returns how many independent operations `ops` operations are worth whose variance is inflated.
pub(super) fn worth(ops: u64, inflation: f64) -> u64 {
    ((ops as f64 / inflation.max(1.0)).round() as u64).max(1)
}

/// Returns the log evidence that `blocks` blocks exceed with probability [`POWER`], where `counts` are the
/// probabilities of 0, 1, ... exceedances in a block of this weight.
fn caught_by_blocks(blocks: u64, counts: &[f64], weight: f64, p0: f64) -> f64 {
    let most = (counts.len() - 1) as f64;
    evidence_caught(
        stakes(p0).into_iter().map(|(stake, lambda)| {
            let log = |k: usize| (lambda * weight * (k as f64 / most - p0)).ln_1p();
            (stake, Growth::weighted(counts.iter().enumerate().map(|(k, &p)| (log(k), p))))
        }),
        blocks,
    )
}

/// Returns the smallest distance of the true log-ratio from the limit at which `pairs` pairs reach the log evidence
/// `threshold` with a probability of about [`POWER`]; `None` if no distance does.
///
/// `log_ratios` give the noise: their own deviations from their median, which need be neither normal
/// nor as many as `pairs`. The score of each deviation, shifted by the effect, is exact; their sum is
/// taken as normal, and the scale as settled. The answer is also `None` for an empty sample.
pub fn paired(log_ratios: &Sample, pairs: u64, threshold: f64) -> Option<f64> {
    let median = order::quantile(log_ratios, 0.5)?;
    let spread = summary::mad(log_ratios)?;
    let noise: Vec<f64> = log_ratios.values().iter().map(|z| z - median).collect();
    let weight = 1.0 / noise.len() as f64;
    let catches = |effect: f64| {
        let shifted: Vec<f64> = noise.iter().map(|noise| noise + effect).collect();
        let mut scale = paired::Scale::default();
        let scale = shifted.iter().fold(0.0, |_, z| scale.push(z.abs()));
        let growth = STAKES.iter().map(|(share, stake)| {
            let logs = shifted.iter().map(|&z| (stake * paired::score(z, scale)).ln_1p());
            (*share, Growth::weighted(logs.map(|log| (log, weight))))
        });
        evidence_caught(growth, pairs) >= threshold
    };
    // At a very large effect every score is 1, so an effect that is not detected there is never detected.
    let largest = noise.iter().copied().fold(spread, |most, noise| most.max(noise.abs())) * 1e3;
    if largest == 0.0 {
        return catches(1.0).then_some(0.0);
    }
    catches(largest).then(|| {
        // The answer may be many orders of magnitude below the largest noise: find its order, then its digits.
        let order = turning_point((largest * 1e-9).ln(), largest.ln(), STEPS, |x| catches(x.exp()));
        order.exp()
    })
}

/// Returns the true quantile `q` that belongs to an exceedance rate `p1` of `limit`, if the violation stretches
/// every value by the same factor: the quantile of the sample itself, scaled until the share `p1` of the
/// sample lies above the limit.
///
/// `None` if the sample is empty or the factor would not be a positive number.
pub fn stretched_quantile(sample: &Sample, q: f64, limit: f64, p1: f64) -> Option<f64> {
    let factor = limit / order::quantile(sample, (1.0 - p1).clamp(0.0, 1.0))?;
    let stretched = factor * order::quantile(sample, q)?;
    (factor > 0.0 && stretched.is_finite()).then_some(stretched)
}

/// The mean and the variance of the logarithm of one bet's factor.
struct Growth {
    mean: f64,
    variance: f64,
}

impl Growth {
    fn weighted(logs: impl Iterator<Item = (f64, f64)>) -> Self {
        let (mut mean, mut square) = (0.0, 0.0);
        for (log, weight) in logs.filter(|&(_, weight)| weight > 0.0) {
            mean += weight * log;
            square += weight * log * log;
        }
        Self { mean, variance: (square - mean * mean).max(0.0) }
    }
}

/// Returns the log evidence of a mixture, given as weights and growths, that `steps` steps exceed with
/// probability [`POWER`].
fn evidence_caught(bets: impl Iterator<Item = (f64, Growth)>, steps: u64) -> f64 {
    let steps = steps as f64;
    let caught: Vec<f64> = bets
        .map(|(weight, bet)| {
            weight.ln() + steps * bet.mean - POWER_QUANTILE * (steps * bet.variance).sqrt()
        })
        .collect();
    log_sum_exp(caught.into_iter())
}
