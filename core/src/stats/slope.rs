//! How a cost grows: with size, as the slope of a straight line through the logarithms; with use, as a slope that
//! outliers do not change.
//!
//! If `y = c·x^e`, then `ln y = ln c + e·ln x`: the exponent of growth is a least-squares slope
//! (Legendre 1805; for measured running times: Goldsmith, Aiken & Wilkerson 2007).

use super::{Sample, order};

/// A power law `y = factor · x^exponent`, fitted by least squares of `ln y` on `ln x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// The scaling exponent: 1 is linear, 2 quadratic.
    pub exponent: f64,
    /// `y` at `x = 1`.
    pub factor: f64,
    /// The standard error of the exponent, where there are more than two points.
    pub error: Option<f64>,
}

impl PowerLaw {
    /// Fits points `(x, y)`; `None` unless all are positive and finite with at least two different `x`.
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if points.is_empty() || !points.iter().all(|&(x, y)| positive(x) && positive(y)) {
            return None;
        }
        let n = points.len() as f64;
        let logs: Vec<_> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
        let mean_x = logs.iter().map(|log| log.0).sum::<f64>() / n;
        let mean_y = logs.iter().map(|log| log.1).sum::<f64>() / n;
        let square_x: f64 = logs.iter().map(|log| (log.0 - mean_x).powi(2)).sum();
        if points.iter().all(|point| point.0.total_cmp(&points[0].0).is_eq()) || square_x == 0.0 {
            return None;
        }
        let product: f64 = logs.iter().map(|log| (log.0 - mean_x) * (log.1 - mean_y)).sum();
        let exponent = product / square_x;
        let rest: f64 =
            logs.iter().map(|log| (log.1 - mean_y - exponent * (log.0 - mean_x)).powi(2)).sum();
        let error = (points.len() > 2).then(|| (rest / (n - 2.0) / square_x).sqrt());
        Some(Self { exponent, factor: (mean_y - exponent * mean_x).exp(), error })
    }
}

/// Returns the slope of a straight line through points `(x, y)` that outliers do not tilt: the median of the
/// slopes between all pairs with different `x` (Theil 1950; Sen 1968). Up to 29 % of the points may lie
/// anywhere. `None` if no two `x` differ, or a number is not finite.
pub fn theil_sen(points: &[(f64, f64)]) -> Option<f64> {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, (x, y)) in points.iter().enumerate() {
        let slope = |(after, value): &(f64, f64)| (value - y) / (after - x);
        let different = points[i + 1..].iter().filter(|point| point.0.total_cmp(x).is_ne());
        slopes.extend(different.map(slope));
    }
    let sample = Sample::new(slopes).ok()?;
    order::quantile(&sample, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovers_a_power_law() {
        let check = |exponent: f64, factor: f64| {
            let points: Vec<_> =
                [1e3, 4e3, 16e3, 64e3, 256e3].map(|x: f64| (x, factor * x.powf(exponent))).to_vec();
            let law = PowerLaw::fit(&points).unwrap();
            assert!((law.exponent - exponent).abs() < 1e-12, "{law:?}");
            assert!((law.factor / factor - 1.0).abs() < 1e-10, "{law:?}");
            assert!(law.error.unwrap() < 1e-12, "{law:?}");
        };
        check(1.0, 5e-9);
        check(2.0, 1.0);
        check(0.0, 3.0);
        check(-0.5, 7.0);
    }

    /// n·ln n over 1e3..256e3 looks like the power 1.10.
    #[test]
    fn a_logarithm_shows_as_a_small_power() {
        let points = [1e3, 4e3, 16e3, 64e3, 256e3].map(|n: f64| (n, n * n.ln()));
        let law = PowerLaw::fit(&points).unwrap();
        assert!((law.exponent - 1.106).abs() < 0.003, "{law:?}");
        assert!(law.error.unwrap() > 1e-3, "{law:?}");
    }

    #[test]
    fn outliers_do_not_tilt_a_slope() {
        let slope = |y: fn(f64) -> f64| {
            let points: Vec<_> = (0..100).map(f64::from).map(|x| (x, y(x))).collect();
            theil_sen(&points).unwrap()
        };
        assert!((slope(|x| 3.0 + 1000.0 * x) - 1000.0).abs() < 1e-9);
        assert!((slope(|x| -2.0 * x) + 2.0).abs() < 1e-12);
        // A single step, wherever it is, and a spike.
        assert!(slope(|x| if x < 70.0 { 5.0 } else { 1e6 }).abs() < 1e-12);
        assert!((slope(|x| if x > 90.0 && x < 95.0 { 1e9 } else { x }) - 1.0).abs() < 1e-9);
        // Memory counted in pages, each of which holds four operations.
        assert!((slope(|x| (x / 4.0).floor() * 4096.0) - 1024.0).abs() < 30.0);
        assert_eq!(theil_sen(&[(1.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(theil_sen(&[]), None);
        assert_eq!(theil_sen(&[(1.0, f64::NAN), (2.0, 0.0)]), None);
    }

    #[test]
    fn refuses_points_without_a_slope() {
        let check = |points: &[(f64, f64)]| assert_eq!(PowerLaw::fit(points), None, "{points:?}");
        check(&[]);
        check(&[(1.0, 1.0)]);
        check(&[(10.0, 1.0), (10.0, 2.0), (10.0, 3.0)]);
        check(&[(1.0, 1.0), (2.0, 0.0)]);
        check(&[(0.0, 1.0), (2.0, 1.0)]);
        check(&[(1.0, f64::NAN), (2.0, 1.0)]);
    }
}
