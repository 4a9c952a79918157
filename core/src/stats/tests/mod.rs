//! The quality of the verdicts, computed exactly or simulated with fixed seeds.
//!
//! Every promise is tested under the noises that break other gates, and beside each promise there is a
//! negative control that must break, which shows that the test can fail.

mod adversary;
mod bursts;
mod coverage;
mod detection;
mod exact;
mod fronts;
pub(crate) mod noise;
mod processes;
mod share;
mod spread;
mod steepness;
mod symmetry;

use super::clopper_pearson;
use super::paired::{Scale, score};

/// Fails if the rate of false alarms is significantly (99.9 %) above `alpha`.
#[track_caller]
fn assert_at_most(alpha: f64, alarms: u64, runs: u64, name: &str) {
    let rate = clopper_pearson(alarms, runs, 0.998);
    assert!(rate.low <= alpha, "{name}: {alarms} of {runs}, promised at most {alpha}");
}

/// Fails unless the rate is significantly (99.9 %) above `rate`, for a negative control that has to break.
#[track_caller]
fn assert_breaks(rate: f64, alarms: u64, runs: u64, name: &str) {
    let shown = clopper_pearson(alarms, runs, 0.998);
    assert!(shown.low > rate, "{name}: only {alarms} of {runs}, should be above {rate}");
}

/// Returns the middle of these values: the number about which their scores have a mean of 0, once the scale is settled.
pub(crate) fn middle(values: &[f64]) -> f64 {
    let (mut low, mut high) = (-1e3, 1e3);
    for _ in 0..40 {
        let at = f64::midpoint(low, high);
        let mut scale = Scale::default();
        let settled = values.iter().fold(0.0, |_, z| scale.push((z - at).abs()));
        let sum: f64 = values.iter().map(|z| score(z - at, settled)).sum();
        if sum > 0.0 { low = at } else { high = at }
    }
    low
}
