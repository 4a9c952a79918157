//! The sizes that are injected beyond a limit, and the search for the first that is red.

use perf_budget_core::budget::Bound;
use perf_budget_core::metric::{Metric, Values};
use perf_budget_core::outcome::Against;
use perf_budget_core::quantity::Unit;

/// The excess over the limit, as shares of it: from what few gates see to what every gate has to see.
const BEYOND: [f64; 10] = [0.01, 0.02, 0.05, 0.10, 0.20, 0.50, 1.0, 2.0, 4.0, 9.0];
/// The values for a limit of 0, which has no shares.
const FROM_NOTHING: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 100.0, 1e3, 1e4, 1e6];

/// Returns values beyond a limit, the nearest first, without duplicates.
pub(super) fn targets(metric: &Metric, against: &Against) -> Vec<f64> {
    let limit = against.limit;
    // The value is a count, so it must be whole.
    let whole = match metric.values() {
        Values::Code => return vec![limit + 1.0],
        Values::Amount | Values::Size => metric.is_deterministic(),
        Values::Time | Values::Share | Values::Slope | Values::Own => false,
    };
    let beyond = |share: &f64| match against.bound {
        Bound::Max if limit == 0.0 => *share,
        Bound::Max if whole && against.unit != Unit::Ratio => (limit * (1.0 + share)).ceil(),
        Bound::Max => limit * (1.0 + share),
        Bound::Min => limit / (1.0 + share),
    };
    let shares: &[f64] = match (limit == 0.0, against.unit) {
        (true, Unit::Share) => &BEYOND[..7],
        (true, _) => &FROM_NOTHING,
        _ => &BEYOND,
    };
    let mut targets: Vec<f64> = shares.iter().map(beyond).collect();
    if metric.values() == Values::Share {
        for target in &mut targets {
            *target = target.min(1.0);
        }
    }
    targets.dedup();
    targets.retain(|target| against.is_over(*target));
    targets
}

/// Returns the first of `count` sizes that is red, by binary search: every size above a red one is taken to be red.
pub(super) fn first_red(count: usize, mut is_red: impl FnMut(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_red(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    (high < count).then_some(high)
}

#[cfg(test)]
mod tests {
    use perf_budget_core::metric::Key;

    use super::*;

    #[track_caller]
    fn check(metric: &Metric, bound: Bound, limit: f64, unit: Unit, first: f64, last: f64) {
        let against = Against { bound, limit, warn: limit, tolerance: 0.0, unit };
        let targets = targets(metric, &against);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
        assert!(near(targets[0], first) && near(*targets.last().unwrap(), last), "{targets:?}");
        assert!(targets.iter().all(|target| against.is_over(*target)));
    }

    #[test]
    fn every_size_is_beyond_the_limit() {
        let mean = Metric::of(perf_budget_core::metric::SubjectKind::Workload, "mean").unwrap();
        check(&mean, Bound::Max, 0.1, Unit::Seconds, 0.101, 1.0);
        check(
            &Metric::from(Key::Throughput),
            Bound::Min,
            100.0,
            Unit::PerSecond,
            100.0 / 1.01,
            10.0,
        );
        check(&Metric::from(Key::Allocs), Bound::Max, 3.0, Unit::Number, 4.0, 30.0);
        check(&Metric::from(Key::Allocs), Bound::Max, 0.0, Unit::Number, 1.0, 1e6);
        check(&Metric::from(Key::Allocs), Bound::Max, 1.5, Unit::Ratio, 1.515, 15.0);
        check(&Metric::from(Key::ErrorRate), Bound::Max, 0.2, Unit::Share, 0.202, 1.0);
        check(&Metric::from(Key::ErrorRate), Bound::Max, 0.0, Unit::Share, 0.01, 1.0);
        check(&Metric::from(Key::Size), Bound::Max, 1000.0, Unit::Bytes, 1010.0, 10_000.0);
        check(&Metric::from(Key::Exit), Bound::Max, 0.0, Unit::Number, 1.0, 1.0);
    }

    #[test]
    fn the_first_red_is_found_in_few_tries() {
        for count in 0..12 {
            for first in 0..=count {
                let mut tries = 0;
                let found = first_red(count, |at| {
                    tries += 1;
                    at >= first
                });
                assert_eq!(found, (first < count).then_some(first));
                assert!(tries <= 4);
            }
        }
    }
}
