//! A limit on a ratio of two sides, judged pair by pair: the paired test put together for its caller.

use super::interval::Interval;
use super::paired::Paired;
use super::sample::NotFinite;
use super::spread::Spread;
use super::{Sample, detect, order};

/// The fewest pairs that can pass. If three pairs in ten are slow, there is no slow one among seven pairs in 8 of 100
/// runs.
const FEWEST_TO_PASS: usize = 7;

/// The largest distance from the middle that counts in full, as a log-ratio: a factor of 1.5, which is about the largest
/// effect of layout that was seen. Without such a bound, a single pair that the machine made four times as slow would
/// keep a limit from passing for a hundred pairs.
const FARTHEST: f64 = 0.405_465_108_108_164_4;

/// Evidence about "the true log-ratio is at most `limit`", from role-swapped pairs.
///
/// Each value is the median log-ratio of one pair of processes, `ln(head/base)`. A coin decided which of the two ran
/// in which slot.
#[derive(Debug, Clone)]
pub struct Contrast {
    limit: f64,
    tolerance_limit: f64,
    fail: Paired,
    pass: Paired,
    log_ratios: Vec<f64>,
}

impl Contrast {
    /// Creates a limit on a log-ratio, which fails when shown to be above `limit` and passes when shown to be
    /// below `tolerance_limit`: `ln 1.01` and `ln 1.02` for "at most 1 % slower", with a tolerance of one percentage point.
    ///
    /// # Panics
    /// If a limit is not finite.
    pub fn new(limit: f64, tolerance_limit: f64) -> Self {
        assert!(
            limit.is_finite() && tolerance_limit.is_finite(),
            "the limit of a log-ratio is finite"
        );
        Self {
            limit,
            tolerance_limit,
            fail: Paired::fail(limit),
            pass: Paired::pass(tolerance_limit),
            log_ratios: Vec::new(),
        }
    }

    /// Takes the log-ratio of one more pair.
    ///
    /// # Errors
    /// If the log-ratio is not finite; the evidence is then left as it was.
    pub fn push(&mut self, log_ratio: f64) -> Result<(), NotFinite> {
        NotFinite::check([log_ratio])?;
        self.fail.push(log_ratio)?;
        self.pass.push(log_ratio)?;
        self.log_ratios.push(log_ratio);
        Ok(())
    }

    /// Returns the log evidence that the log-ratio is above the limit.
    pub fn log_fail(&self) -> f64 {
        self.fail.log_evidence()
    }

    /// Returns the log evidence that the log-ratio is below the limit with its tolerance.
    pub fn log_pass(&self) -> f64 {
        self.pass.log_evidence()
    }

    /// Whether the differences between pairs leave room up to the limit with its tolerance for the *mean* of all
    /// log-ratios. The evidence to pass is about their middle, which a few slow pairs do not move. A pair counts as
    /// no farther from the middle than a factor of 1.5. The run continues the test `after` other runs.
    pub fn leaves_room(&self, after: u32) -> bool {
        if self.log_ratios.len() < FEWEST_TO_PASS {
            return false;
        }
        let Some(middle) = self.estimate() else { return false };
        let near = |z: &f64| z.clamp(middle - FARTHEST, middle + FARTHEST);
        let spread = Spread::of_means(&self.log_ratios.iter().map(near).collect::<Vec<_>>());
        spread.is_some_and(|spread| spread.leaves_room(self.tolerance_limit, after))
    }

    /// Returns the median log-ratio so far.
    pub fn estimate(&self) -> Option<f64> {
        order::quantile(&self.sample(), 0.5)
    }

    /// Returns the interval that covers the true log-ratio at the moment of a verdict, with probability `1 - alpha`:
    /// that of the trimmed mean of pairs. It is widened so that it contains the median, which may be outside if there are
    /// few pairs, of two kinds.
    ///
    /// # Panics
    /// If `alpha` is not in (0, 1).
    pub fn interval(&self, alpha: f64) -> Interval {
        let everywhere = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };
        let spread = Spread::of_centres(&self.log_ratios);
        let Interval { low, high } = spread.map_or(everywhere, |spread| spread.interval(alpha));
        let middle = self.estimate().unwrap_or(low);
        Interval { low: low.min(middle), high: high.max(middle) }
    }

    /// Returns the mean log-ratio so far. It differs from the median where some pairs are slower than the others.
    pub fn mean(&self) -> Option<f64> {
        let n = self.log_ratios.len() as f64;
        (n > 0.0).then(|| self.log_ratios.iter().sum::<f64>() / n)
    }

    /// Returns the smallest true log-ratio that a run of `pairs` pairs would have failed with a probability of 95 %, at
    /// the log evidence `threshold`; `None` where it would have failed at no log-ratio. The noise of the pairs
    /// seen so far is widened first, since few pairs may understate how much pairs differ.
    pub fn smallest_violation(&self, threshold: f64, pairs: u64) -> Option<f64> {
        let times = Spread::of_centres(&self.log_ratios)?.times().sqrt();
        let middle = self.estimate()?;
        let wider = self.log_ratios.iter().map(|z| middle + (z - middle) * times).collect();
        let wider = Sample::new(wider).ok()?;
        Some(self.limit + detect::paired(&wider, pairs, threshold)?)
    }

    /// Returns the log-ratios so far, in the order in which they came.
    pub fn log_ratios(&self) -> &[f64] {
        &self.log_ratios
    }

    fn sample(&self) -> Sample {
        Sample::new(self.log_ratios.clone()).expect("every log-ratio was checked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_has_the_estimate_in_it() {
        let mut contrast = Contrast::new(0.0, 0.0);
        for log_ratio in [0.1, 0.1, 0.11, 0.11, 0.3, 0.3, 0.3, 0.3, 0.3] {
            contrast.push(log_ratio).unwrap();
            let Interval { low, high } = contrast.interval(0.1);
            assert!((low..=high).contains(&contrast.estimate().unwrap()), "{low} .. {high}");
        }
    }
}
