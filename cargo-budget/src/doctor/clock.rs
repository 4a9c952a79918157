//! A loop that only reads the clock. Time that passes between two readings was taken by other work.

use std::time::{Duration, Instant};

/// The length of the loop: long enough to meet a timer of 100 Hz twenty times, and short enough to wait for.
const LENGTH: Duration = Duration::from_millis(200);
/// The least time between two readings that counts as a gap. An interrupt takes less; a switch to another process
/// takes more.
const GAP: f64 = 10e-6;

/// The properties of the clock, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clock {
    /// The shortest time that one reading took.
    pub(crate) cost: f64,
    /// The smallest step between two readings.
    pub(crate) resolution: f64,
}

impl Clock {
    /// Returns the shortest time that the clock can measure.
    pub(crate) fn resolution(self) -> f64 {
        self.cost.max(self.resolution)
    }
}

/// The gaps in the loop, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct LoopGaps {
    /// The length of the loop.
    pub(crate) length: f64,
    /// The sum of all gaps.
    pub(crate) taken: f64,
    /// The number of gaps.
    pub(crate) count: usize,
    /// The longest gap.
    pub(crate) longest: f64,
}

impl LoopGaps {
    fn add(&mut self, step: f64) {
        self.length += step;
        if step >= GAP {
            self.taken += step;
            self.count += 1;
            self.longest = self.longest.max(step);
        }
    }

    /// Returns the share of the loop's time that gaps took.
    pub(crate) fn lost_share(&self) -> f64 {
        if self.length > 0.0 { self.taken / self.length } else { 0.0 }
    }

    /// Returns the length of the operations that gaps hit often enough to show in the quantile: for 0.99, the length at
    /// which one operation in a hundred is hit. Gaps come at a rate, and the chance that an operation is hit is about the
    /// rate times its length. Returns `None` if there were too few gaps to know their rate.
    pub(crate) fn tail(&self, quantile: f64) -> Option<f64> {
        const FEWEST: usize = 3;
        let rate = self.count as f64 / self.length;
        (self.count >= FEWEST).then(|| (1.0 - quantile) / rate)
    }
}

/// Runs the loop and returns its gaps.
pub(crate) fn gaps() -> LoopGaps {
    let (began, mut gaps) = (Instant::now(), LoopGaps::default());
    let mut last = began;
    while last.duration_since(began) < LENGTH {
        let now = Instant::now();
        gaps.add(now.duration_since(last).as_secs_f64());
        last = now;
    }
    gaps
}

/// Repeats the same work and returns how much longer a slow run takes than the median run, as a share of the median. The
/// slow run is the one that nine in ten runs are faster than.
pub(crate) fn spread() -> f64 {
    const RUNS: usize = 41;
    const STEPS: u64 = 200_000;
    let run = |_| {
        let began = Instant::now();
        let mut state = std::hint::black_box(1_u64);
        for step in 0..STEPS {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
        }
        std::hint::black_box(state);
        began.elapsed().as_secs_f64()
    };
    spread_of((0..RUNS).map(run).collect())
}

fn spread_of(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    let at = |tenths: usize| runs[(runs.len() - 1) * tenths / 10];
    (at(9) - at(5)) / at(5)
}

/// Measures the clock: its cost is the best of many batches, and its resolution is the smallest step.
pub(crate) fn clock() -> Clock {
    const BATCHES: usize = 50;
    const READINGS: u32 = 200;
    let (mut cost, mut resolution) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..BATCHES {
        let began = Instant::now();
        let mut last = began;
        for _ in 0..READINGS {
            let now = std::hint::black_box(Instant::now());
            let step = now.duration_since(last).as_secs_f64();
            if step > 0.0 {
                resolution = resolution.min(step);
            }
            last = now;
        }
        cost = cost.min(last.duration_since(began).as_secs_f64() / f64::from(READINGS));
    }
    // Where the clock never advanced, its resolution is at best the length of a batch.
    let resolution = if resolution.is_finite() { resolution } else { cost * f64::from(READINGS) };
    Clock { cost: cost.max(1e-12), resolution }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_step_is_a_gap() {
        let mut gaps = LoopGaps::default();
        for step in [30e-9, 9e-6, 2e-3, 30e-9, 1e-3, 5e-4] {
            gaps.add(step);
        }
        assert_eq!((gaps.count, gaps.longest), (3, 2e-3));
        assert!((gaps.taken - 3.5e-3).abs() < 1e-12);
        assert!((gaps.lost_share() - 3.5e-3 / gaps.length).abs() < 1e-12);
    }

    #[test]
    fn slow_runs_are_compared_with_the_median_run() {
        let runs = |slow: f64| (0..41).map(|n| if n % 5 == 0 { slow } else { 2.0 }).collect();
        assert!((spread_of(runs(3.0)) - 0.5).abs() < 1e-12);
        assert!(spread_of(runs(1.0)).abs() < 1e-12);
        assert!(spread() >= 0.0);
    }

    #[test]
    fn rare_gaps_hit_long_operations() {
        let gaps = LoopGaps { length: 0.2, taken: 0.01, count: 20, longest: 0.001 };
        // There are a hundred gaps a second, so one in a hundred operations of 100 µs is hit.
        assert!((gaps.tail(0.99).unwrap() - 1e-4).abs() < 1e-12);
        assert_eq!(LoopGaps { count: 2, ..gaps }.tail(0.99), None);
        assert!(LoopGaps::default().lost_share().abs() < f64::EPSILON);
    }
}
