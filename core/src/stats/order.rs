//! Quantiles from order statistics, and the bounds that they give for the true quantile whatever the
//! distribution.
//!
//! A quantile is estimated by definition 2 of Hyndman & Fan (1996): the inverse of the empirical
//! distribution, and the middle of the two neighbours where that distribution is level. Under this
//! definition "the p99 is at most L" and "at most 1 % of the values exceed L" agree on
//! every sample, which is how a verdict reads it, and its median is the usual median.
//!
//! The intervals here hold for a number of values fixed beforehand. Those of `sequence.rs` hold
//! at every look, and are wider.

use super::Sample;
use super::binomial;
use super::interval::Interval;

/// Returns the quantile `q` of the sample, or `None` if the sample is empty.
///
/// # Panics
/// If `q` is not in [0, 1].
pub fn quantile(sample: &Sample, q: f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&q), "a quantile lies in [0, 1], not {q}");
    let values = sample.values();
    let last = values.len().checked_sub(1)?;
    let position = values.len() as f64 * q;
    // 0.07 * 100 is computed as 7.000000000000001, where 7 is meant.
    let level = position.round();
    if (position - level).abs() <= 4.0 * f64::EPSILON * level {
        let next = (level as usize).min(last);
        let before = (level as usize).saturating_sub(1);
        return Some(values[before] + (values[next] - values[before]) / 2.0);
    }
    Some(values[(position as usize).min(last)])
}

/// Returns the median of numbers in any order, or `None` if there are none, or one of them is not finite.
pub fn median(values: Vec<f64>) -> Option<f64> {
    quantile(&Sample::new(values).ok()?, 0.5)
}

/// Returns the values between which the true quantile `q` lies with probability at least `confidence`. Both
/// tails are equal. `None` if the sample is too small to bound the quantile on both sides.
///
/// The number of values at or below the true quantile is binomial with rate `q`, whatever the distribution
/// (Thompson 1936; David & Nagaraja 2003, section 7.1).
///
/// # Panics
/// If `q` or `confidence` is not in (0, 1).
pub fn interval(sample: &Sample, q: f64, confidence: f64) -> Option<Interval> {
    let tail = tail(confidence) / 2.0;
    let (low, high) = (at_least(sample, q, tail)?, at_most(sample, q, tail)?);
    Some(Interval { low, high })
}

/// Returns the value that the true quantile `q` reaches or exceeds with probability at least `confidence`.
///
/// # Panics
/// If `q` or `confidence` is not in (0, 1).
pub fn lower_bound(sample: &Sample, q: f64, confidence: f64) -> Option<f64> {
    at_least(sample, q, tail(confidence))
}

/// Returns the value that the true quantile `q` does not exceed with probability at least `confidence`.
///
/// # Panics
/// If `q` or `confidence` is not in (0, 1).
pub fn upper_bound(sample: &Sample, q: f64, confidence: f64) -> Option<f64> {
    at_most(sample, q, tail(confidence))
}

/// Returns the fewest values whose largest bounds the quantile `q` from above: the least `n` with
/// `q^n <= 1 - confidence`; 299 for the p99 at 95 %.
///
/// # Panics
/// If `q` or `confidence` is not in (0, 1).
pub fn fewest_for_upper_bound(q: f64, confidence: f64) -> u64 {
    assert!(q > 0.0 && q < 1.0, "a bounded quantile lies in (0, 1), not {q}");
    (tail(confidence).ln() / q.ln()).ceil() as u64
}

/// Returns the fewest values that bound the quantile `q` on both sides; 368 for the p99 at 95 %.
///
/// # Panics
/// If `q` or `confidence` is not in (0, 1).
pub fn fewest_for_interval(q: f64, confidence: f64) -> u64 {
    let one_sided = 1.0 - tail(confidence) / 2.0;
    fewest_for_upper_bound(q, one_sided).max(fewest_for_upper_bound(1.0 - q, one_sided))
}

fn tail(confidence: f64) -> f64 {
    assert!(confidence > 0.0 && confidence < 1.0, "confidence lies in (0, 1), not {confidence}");
    1.0 - confidence
}

/// Returns the largest value `x(l)` with `P(fewer than l values at or below the quantile) <= tail`.
fn at_least(sample: &Sample, q: f64, tail: f64) -> Option<f64> {
    let values = sample.values();
    let n = values.len() as u64;
    let too_many = |l: usize| binomial::tails(n, l as u64 - 1, q).0 > tail;
    let rank = rank_before(values.len(), q, too_many);
    values.get(rank.checked_sub(1)?).copied()
}

/// Returns the smallest value `x(u)` with `P(u values or more below the quantile) <= tail`.
fn at_most(sample: &Sample, q: f64, tail: f64) -> Option<f64> {
    let values = sample.values();
    let n = values.len() as u64;
    let enough = |u: usize| binomial::tails(n, u as u64 - 1, q).1 <= tail;
    let rank = rank_before(values.len(), q, enough) + 1;
    values.get(rank - 1).copied()
}

/// Returns the last rank of `1..=n` at which the monotone `turns` is still false, or 0 where it is true at 1.
fn rank_before(n: usize, q: f64, turns: impl Fn(usize) -> bool) -> usize {
    assert!(q > 0.0 && q < 1.0, "a bounded quantile lies in (0, 1), not {q}");
    let (mut before, mut after) = (0, n + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if turns(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(n: u32) -> Sample {
        Sample::new((1..=n).map(f64::from).collect()).unwrap()
    }

    #[test]
    fn quantile_is_definition_2_of_hyndman_and_fan() {
        let check = |n, q, want: f64| {
            let got = quantile(&up_to(n), q).unwrap();
            assert!((got - want).abs() < 1e-12, "quantile {q} of 1..={n}: {got} != {want}");
        };
        check(1, 0.99, 1.0);
        check(4, 0.5, 2.5);
        check(5, 0.5, 3.0);
        check(10, 0.9, 9.5);
        check(11, 0.9, 10.0);
        check(100, 0.99, 99.5);
        check(100, 0.07, 7.5);
        check(101, 0.99, 100.0);
        check(1000, 0.999, 999.5);
        check(10, 0.0, 1.0);
        check(10, 1.0, 10.0);
        assert_eq!(quantile(&Sample::default(), 0.5), None);
    }

    #[test]
    fn quantile_agrees_with_the_exceedances() {
        for n in 1..300 {
            let sample = up_to(n);
            for q in [0.5, 0.9, 0.95, 0.99] {
                let at = quantile(&sample, q).unwrap();
                let allowed = f64::from(n) * (1.0 - q) + 1e-9;
                assert!(sample.above(at) as f64 <= allowed, "{n} {q}");
                assert!(sample.at_or_above(at) as f64 >= allowed.floor(), "{n} {q}");
            }
        }
    }

    #[test]
    fn too_small_a_sample_bounds_nothing() {
        assert_eq!(fewest_for_upper_bound(0.99, 0.95), 299);
        assert_eq!(fewest_for_upper_bound(0.95, 0.95), 59);
        assert_eq!(fewest_for_interval(0.99, 0.95), 368);
        assert_eq!(fewest_for_interval(0.01, 0.95), 368);
        assert_eq!(fewest_for_interval(0.5, 0.95), 6);
        assert_eq!(upper_bound(&up_to(298), 0.99, 0.95), None);
        assert_eq!(upper_bound(&up_to(299), 0.99, 0.95), Some(299.0));
        assert_eq!(interval(&up_to(367), 0.99, 0.95), None);
        assert!(interval(&up_to(368), 0.99, 0.95).is_some());
        assert_eq!(lower_bound(&Sample::default(), 0.99, 0.95), None);
    }

    /// The textbook interval of a median: ranks 40 and 61 of 100.
    #[test]
    fn interval_of_a_median() {
        let got = interval(&up_to(100), 0.5, 0.95).unwrap();
        assert_eq!((got.low, got.high), (40.0, 61.0));
    }

    /// For uniform values, x(l) and x(u) miss the quantile with exactly binomial probabilities.
    #[test]
    fn bounds_are_as_tight_as_they_may_be() {
        let check = |n: u32, q: f64| {
            let got = interval(&up_to(n), q, 0.95).unwrap();
            let n = u64::from(n);
            let missed_low = |l: f64| binomial::tails(n, l as u64 - 1, q).0;
            let missed_high = |u: f64| binomial::tails(n, u as u64 - 1, q).1;
            assert!(missed_low(got.low) <= 0.025 && missed_low(got.low + 1.0) > 0.025, "{n} {q}");
            assert!(
                missed_high(got.high) <= 0.025 && missed_high(got.high - 1.0) > 0.025,
                "{n} {q}"
            );
        };
        check(400, 0.99);
        check(1000, 0.9);
        check(5000, 0.999);
        check(37, 0.5);
    }
}
