//! Drift: a slow change of a series in one direction, too small to be seen on any single day.
//!
//! The Mann-Kendall test (Mann 1945; Kendall 1975) answers whether there is a drift: how many more of all pairs of
//! values rise than fall? The Theil-Sen estimator (Theil 1950; Sen 1968) answers how large it is: it is the median of
//! the slopes of all pairs. A step is not a drift. So both look only at pairs of values between two steps, and sum
//! over the segments, as Hirsch, Slack & Smith do over seasons ("Techniques of trend analysis for monthly water
//! quality data", Water Resources Research 18, 1982). The module is pure arithmetic.

use std::ops::Range;

use perf_budget_core::stats::order;

use super::change::{LEAST, LEVEL, Step, segments, steps};

/// A monotone trend within segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Drift {
    /// The slope: by how much each value is greater than the one before it.
    pub(crate) slope: f64,
    /// The two-sided p-value: the chance of as clear a trend where there is none. It is a normal approximation,
    /// corrected for ties and continuity.
    pub(crate) p: f64,
}

/// Returns the steps of a series, and the drift between them where it is significant.
///
/// A search for steps sees a drift as a staircase, and a test for trend sees a step as a drift. So several
/// explanations of the series are tried: steps without a drift; and steps with a drift, where some or all of the
/// steps are first removed, the remaining slope is subtracted, and the steps are searched again. The explanation with
/// the least Bayesian information criterion (Schwarz 1978) is returned: each step and each drift must bring it enough
/// closer to the values.
pub(crate) fn decompose(values: &[f64]) -> (Vec<Step>, Option<Drift>) {
    let trend = |steps: &[Step]| drift(values, &segments(values, steps)).filter(is_significant);
    let explain_with_drift = |between: &[Step]| {
        let slope = trend(between)?.slope;
        let level = |(i, value): (usize, &f64)| value - slope * i as f64;
        let steps = steps(&values.iter().enumerate().map(level).collect::<Vec<_>>());
        let drift = trend(&steps)?;
        Some((criterion(values, &steps, Some(drift)), steps, Some(drift)))
    };
    let apparent = steps(values);
    let mut best = (criterion(values, &apparent, None), apparent.clone(), None);
    let mut candidates = vec![apparent, Vec::new()];
    if values.len() < LEAST {
        candidates.clear();
    }
    loop {
        let explained = candidates.iter().filter_map(|steps| explain_with_drift(steps));
        match explained.min_by(|a, b| a.0.total_cmp(&b.0)) {
            Some(better) if better.0 < best.0 => best = better,
            _ => return (best.1, best.2),
        }
        let without = |i: usize| [&best.1[..i], &best.1[i + 1..]].concat();
        candidates = (0..best.1.len()).map(without).collect();
    }
}

/// Returns Schwarz's criterion with normal noise, `n ln(RSS/n) + k ln n`. A step counts as two parameters, its place
/// and its height, and a drift as one.
fn criterion(values: &[f64], steps: &[Step], drift: Option<Drift>) -> f64 {
    let slope = drift.map_or(0.0, |drift| drift.slope);
    let squares = segments(values, steps).into_iter().map(|segment| {
        let level = |i: usize| values[i] - slope * i as f64;
        let mean = segment.clone().map(level).sum::<f64>() / segment.len() as f64;
        segment.map(|i| (level(i) - mean).powi(2)).sum::<f64>()
    });
    let (n, rest) = (values.len() as f64, squares.sum::<f64>());
    let numbers = 2 * steps.len() + usize::from(drift.is_some());
    n * (rest / n).max(f64::MIN_POSITIVE).ln() + numbers as f64 * n.ln()
}

fn is_significant(drift: &Drift) -> bool {
    drift.p <= LEVEL
}

/// Returns the trend within the segments; `None` where all values within each segment are equal.
pub(crate) fn drift(values: &[f64], segments: &[Range<usize>]) -> Option<Drift> {
    let (mut score, mut variance) = (0.0, 0.0);
    let mut slopes = Vec::new();
    for segment in segments {
        let values = &values[segment.clone()];
        for (i, early) in values.iter().enumerate() {
            for (j, late) in values.iter().enumerate().skip(i + 1) {
                let rise = late - early;
                score += if rise == 0.0 { 0.0 } else { rise.signum() };
                slopes.push(rise / (j - i) as f64);
            }
        }
        variance += score_variance(values);
    }
    if variance <= 0.0 {
        return None;
    }
    let z = (score.abs() - 1.0).max(0.0) / variance.sqrt();
    Some(Drift { slope: order::median(slopes)?, p: 2.0 * upper_tail(z) })
}

/// Returns the variance of Kendall's score where there is no trend: `(n(n−1)(2n+5) − Σ t(t−1)(2t+5)) / 18`, where `t`
/// is the number of values in each tie.
fn score_variance(values: &[f64]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 =
        sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|tie| term(tie.len() as f64)).sum();
    (term(values.len() as f64) - ties) / 18.0
}

/// Returns the chance that a standard normal value is above `z >= 0`, by Abramowitz & Stegun 1964, 26.2.17. Its
/// absolute error is below 7.5e-8.
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let terms = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let polynomial = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
