//! The normal distribution: the share below a value, and the value above a share.
//!
//! It is computed here because the standard library lacks it, and the crate that has it (`libm`) took 1 s of CPU to
//! build for this one function. The tests hold it against that crate.

use std::f64::consts::TAU;

use super::bisection::turning_point;

/// The distance from the middle from which on the continued fraction is used instead of the series. Nearer to the middle the
/// fraction needs hundreds of terms. Farther out the series loses digits when it is subtracted from a half.
const FAR: f64 = 2.5;

/// Returns the share of the standard normal distribution below `z`, with a relative error below 10^-12.
pub(super) fn below(z: f64) -> f64 {
    if z.is_nan() {
        return z;
    }
    let distance = z.abs();
    if distance < FAR {
        let half = density(distance) * series(distance);
        return if z < 0.0 { 0.5 - half } else { 0.5 + half };
    }
    // At an infinite distance the density is 0, and the fraction is infinite.
    let tail = density(distance) / fraction(distance);
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// Returns the `z` below which the given share of the standard normal distribution lies.
pub(super) fn quantile(share: f64) -> f64 {
    turning_point(-40.0, 40.0, 80, |z| below(z) >= share)
}

fn density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / TAU.sqrt()
}

/// Returns the share between 0 and `z`, divided by the density: `z + z³/3 + z⁵/(3·5) + ...`.
fn series(z: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term > sum * f64::EPSILON / 8.0 {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    sum
}

/// Returns the density, divided by the share beyond `z`: `z + 1/(z + 2/(z + 3/(z + ...)))` (Laplace 1805).
fn fraction(z: f64) -> f64 {
    let terms = (300.0 / (z * z)).ceil() as u32 + 5;
    (1..=terms).rev().fold(z, |rest, k| z + f64::from(k) / rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_libm(z: f64) -> f64 {
        libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0
    }

    #[test]
    fn shares_are_those_of_libm() {
        for i in -37_000..=37_000 {
            let z = f64::from(i) / 1000.0;
            let (is, want) = (below(z), of_libm(z));
            assert!((is - want).abs() <= 1e-12 * want, "{z}: {is:e}, and libm says {want:e}");
        }
    }

    #[test]
    fn both_ways_of_computing_meet() {
        let steps = |at: f64| [at.next_down(), at, at.next_up()].map(below);
        for at in [-FAR, FAR] {
            let [before, there, after] = steps(at);
            assert!((after - before).abs() / there < 1e-12, "{at}: {before} {there} {after}");
        }
        assert_eq!(below(0.0).to_bits(), 0.5_f64.to_bits());
    }

    #[test]
    fn beyond_all_values_nothing_is_left() {
        for far in [-f64::INFINITY, -40.0, 40.0, f64::INFINITY] {
            let (is, want) = (below(far), of_libm(far));
            assert_eq!(is.to_bits(), want.to_bits(), "{far}: {is:e}, and libm says {want:e}");
        }
        assert!(below(f64::NAN).is_nan());
    }

    #[test]
    fn a_quantile_is_the_value_of_its_share() {
        for z in [-8.0, -2.5, -FAR, -0.1, 0.0, 0.7, 2.0, 5.0] {
            assert!((quantile(below(z)) - z).abs() < 1e-9, "{z}: {}", quantile(below(z)));
        }
    }
}
