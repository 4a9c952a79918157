//! The figures that describe a sample in a report.

use super::{Sample, order};

/// The figures that describe a sample. No verdict depends on them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The number of values.
    pub n: usize,
    /// The least value.
    pub min: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The median; this and the other quantiles are defined in [`order::quantile`].
    pub median: f64,
    /// The value at or below which 90 % lie.
    pub p90: f64,
    /// The value at or below which 95 % lie.
    pub p95: f64,
    /// The value at or below which 99 % lie; for fewer than 100 values, the greatest.
    pub p99: f64,
    /// The value at or below which 99.9 % lie; for fewer than 1000 values, the greatest.
    pub p999: f64,
    /// The greatest value.
    pub max: f64,
    /// The standard deviation, with `n - 1`; 0 for a single value.
    pub sd: f64,
    /// The median absolute deviation from the median (Hampel 1974), unscaled. Multiplied by 1.4826 it
    /// estimates the standard deviation of normal data.
    pub mad: f64,
}

impl Summary {
    /// Describes a sample; `None` if it is empty.
    pub fn of(sample: &Sample) -> Option<Self> {
        let values = sample.values();
        let (&min, &max) = (values.first()?, values.last()?);
        let n = values.len();
        // Deviations from the least value keep their digits where a sum of large values would lose them.
        let mean = min + values.iter().map(|value| value - min).sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let median = order::quantile(sample, 0.5)?;
        Some(Self {
            n,
            min,
            mean,
            median,
            p90: order::quantile(sample, 0.9)?,
            p95: order::quantile(sample, 0.95)?,
            p99: order::quantile(sample, 0.99)?,
            p999: order::quantile(sample, 0.999)?,
            max,
            sd: (squares / n.saturating_sub(1).max(1) as f64).sqrt(),
            mad: mad(sample)?,
        })
    }
}

/// Returns the median absolute deviation from the median, unscaled; `None` if the sample is empty.
pub(super) fn mad(sample: &Sample) -> Option<f64> {
    let median = order::quantile(sample, 0.5)?;
    let mut deviations: Vec<f64> =
        sample.values().iter().map(|value| (value - median).abs()).collect();
    let half = deviations.len() / 2;
    let even = deviations.len().is_multiple_of(2);
    let (below, &mut upper, _) = deviations.select_nth_unstable_by(half, f64::total_cmp);
    let lower = below.iter().copied().fold(0.0, f64::max);
    Some(if even { lower + (upper - lower) / 2.0 } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], want: [f64; 6]) {
        let summary = Summary::of(&Sample::new(values.to_vec()).unwrap()).unwrap();
        let Summary { min, mean, median, max, sd, mad, .. } = summary;
        for (got, want) in [min, mean, median, max, sd, mad].into_iter().zip(want) {
            assert!((got - want).abs() < 1e-9, "{values:?}: {summary:?}");
        }
    }

    #[test]
    fn describes() {
        check(&[5.0], [5.0, 5.0, 5.0, 5.0, 0.0, 0.0]);
        check(&[1.0, 2.0, 3.0, 4.0], [1.0, 2.5, 2.5, 4.0, (5f64 / 3.0).sqrt(), 1.0]);
        let skewed = [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0];
        check(&skewed, [1.0, 25.0 / 7.0, 2.0, 9.0, (376f64 / 42.0).sqrt(), 1.0]);
        let large = [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0];
        check(&large, [large[0], large[1], large[1], large[2], 1.0, 1.0]);
    }

    #[test]
    fn quantiles_of_a_thousand() {
        let sample = Sample::new((1..=1000).map(f64::from).collect()).unwrap();
        let Summary { n, p90, p95, p99, p999, .. } = Summary::of(&sample).unwrap();
        assert_eq!((n, p90, p95, p99, p999), (1000, 900.5, 950.5, 990.5, 999.5));
        assert_eq!(Summary::of(&Sample::default()), None);
    }
}
