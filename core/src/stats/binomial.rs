//! The binomial distribution, and what `k` successes in `n` trials say about a rate.
//!
//! A tail is summed outwards from its largest term by the ratio of neighbouring terms, and divided by
//! the total of all terms. This needs no gamma function, nothing cancels, and small tails keep their
//! relative precision.

use super::bisection::turning_point;
use super::interval::Interval;

/// The steps of bisection after which a rate is known more precisely than a float can say.
const STEPS: u32 = 80;

/// Returns `P(X <= k)` and `P(X > k)` for the number `X` of successes in `n` trials that succeed at rate `p`.
///
/// # Panics
/// If `p` is not in [0, 1].
pub fn tails(n: u64, k: u64, p: f64) -> (f64, f64) {
    let (mut lower, mut upper) = (0.0, 0.0);
    for_each_weight(n, p, |i, weight| *(if i <= k { &mut lower } else { &mut upper }) += weight);
    let total = lower + upper;
    (lower / total, upper / total)
}

/// Returns the probability of each number of successes from 0 to `n`.
pub(super) fn probabilities(n: u64, p: f64) -> Vec<f64> {
    let mut weights = vec![0.0; n as usize + 1];
    for_each_weight(n, p, |i, weight| weights[i as usize] = weight);
    let total: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= total;
    }
    weights
}

/// Returns the interval that covers the true rate with probability at least `confidence`, from `k` successes
/// in `n` trials (Clopper & Pearson 1934). Both tails are equal.
///
/// # Panics
/// If `n` is 0, `k > n`, or `confidence` is not in (0, 1).
pub fn clopper_pearson(k: u64, n: u64, confidence: f64) -> Interval {
    assert!(confidence > 0.0 && confidence < 1.0, "confidence lies in (0, 1), not {confidence}");
    let tail = (1.0 - confidence) / 2.0;
    Interval { low: lower_limit(k, n, tail), high: upper_limit(k, n, tail) }
}

/// Returns the smallest rate at which `k` successes or more in `n` trials have a probability of at least `tail`.
pub(super) fn lower_limit(k: u64, n: u64, tail: f64) -> f64 {
    assert!(n > 0 && k <= n, "{k} of {n} is no rate");
    match k.checked_sub(1) {
        None => 0.0,
        Some(below) => turning_point(0.0, 1.0, STEPS, |p| tails(n, below, p).1 >= tail),
    }
}

/// Returns the largest rate at which `k` successes or fewer in `n` trials have a probability of at least `tail`.
pub(super) fn upper_limit(k: u64, n: u64, tail: f64) -> f64 {
    assert!(n > 0 && k <= n, "{k} of {n} is no rate");
    if k == n {
        return 1.0;
    }
    turning_point(0.0, 1.0, STEPS, |p| tails(n, k, p).0 <= tail)
}

/// Calls `take` with each number of successes and its probability, up to a common factor. Probabilities
/// too small for a float are left out.
fn for_each_weight(n: u64, p: f64, mut take: impl FnMut(u64, f64)) {
    assert!((0.0..=1.0).contains(&p), "a rate lies in [0, 1], not {p}");
    let mode = (((n + 1) as f64 * p) as u64).min(n);
    let odds = p / (1.0 - p);
    take(mode, 1.0);
    let mut weight = 1.0;
    for i in (0..mode).rev() {
        weight *= (i + 1) as f64 / (n - i) as f64 / odds;
        if weight == 0.0 {
            break;
        }
        take(i, weight);
    }
    weight = 1.0;
    for i in mode + 1..=n {
        weight *= (n - i + 1) as f64 / i as f64 * odds;
        if weight == 0.0 {
            break;
        }
        take(i, weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected figures: sums of exact binomial terms in 60-digit decimals.
    #[test]
    fn tails_are_exact() {
        let check = |n, k, p, lower: f64, upper: f64| {
            let got = tails(n, k, p);
            let close = |got: f64, want: f64| (got - want).abs() <= 1e-11 * want;
            assert!(close(got.0, lower) && close(got.1, upper), "{n} {k} {p}: {got:?}");
        };
        check(10, 3, 0.5, 0.171_875, 0.828_125);
        check(1000, 5, 0.01, 0.066_139_511_607_251_97, 0.933_860_488_392_748);
        check(1000, 30, 0.01, 0.999_999_935_800_714, 6.419_928_603_137_664e-8);
        check(20, 0, 0.3, 0.000_797_922_662_976_12, 0.999_202_077_337_023_9);
        check(2000, 1, 0.05, 2.975_728_439_946_388_4e-43, 1.0);
        check(7, 3, 0.0, 1.0, 0.0);
        check(7, 3, 1.0, 0.0, 1.0);
        check(7, 7, 1.0, 1.0, 0.0);
    }

    #[test]
    fn probabilities_sum_to_one_and_have_the_mean() {
        let check = |n: u64, p: f64| {
            let probabilities = probabilities(n, p);
            let mean: f64 = probabilities.iter().enumerate().map(|(i, w)| i as f64 * w).sum();
            assert!((mean - n as f64 * p).abs() < 1e-9 * n as f64, "{n} {p}: {mean}");
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        };
        check(1, 0.3);
        check(50, 0.01);
        check(1000, 0.5);
        check(10, 1.0);
    }

    /// Expected figures: the defining equation solved in 60-digit decimals.
    #[test]
    fn clopper_pearson_is_exact() {
        let check = |k, n, confidence, low: f64, high: f64| {
            let got = clopper_pearson(k, n, confidence);
            let close = |got: f64, want: f64| (got - want).abs() < 1e-11;
            assert!(close(got.low, low) && close(got.high, high), "{k}/{n}: {got:?}");
        };
        check(0, 44, 0.95, 0.0, 0.080_419_939_763_575_88);
        check(14, 44, 0.95, 0.186_098_837_174_869_94, 0.475_781_421_497_208_9);
        check(24, 79, 0.95, 0.205_289_696_980_391_18, 0.417_537_113_212_101);
        check(5, 1092, 0.95, 0.001_488_329_984_749_477, 0.010_652_693_518_938_64);
        check(44, 44, 0.95, 0.919_580_060_236_424_1, 1.0);
        check(1, 2, 0.9, 0.025_320_565_519_103_61, 0.974_679_434_480_896_4);
        check(34, 1092, 0.999, 0.016_609_575_591_660_507, 0.052_343_512_789_513_66);
    }

    #[test]
    fn clopper_pearson_covers() {
        // Exact coverage: the probability of all the counts whose interval holds the truth.
        let check = |n: u64, p: f64| {
            let covered: f64 = probabilities(n, p)
                .iter()
                .zip(0..)
                .filter(|&(_, k)| clopper_pearson(k, n, 0.9).holds(p))
                .map(|(probability, _)| probability)
                .sum();
            assert!((0.9..0.999).contains(&covered), "{n} {p}: {covered}");
        };
        check(30, 0.1);
        check(30, 0.5);
        check(60, 0.93);
    }
}
