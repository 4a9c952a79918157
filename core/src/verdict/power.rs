//! How much a limit takes to be seen broken at all: before it is called inconclusive it has had as much.

use super::judge::{Carried, Finding, Hypothesis, Judge, Method};
use crate::budget::Bound;

/// More processes than these no run has the time for.
const MOST: usize = 400;

/// More operations of one process say no more.
const MOST_VALUES: usize = 2_000;

/// How many processes of so many values it takes until a limit that all of them break is found broken, its
/// confirmation included; `None` where 400 are too few.
pub fn fewest_processes(hypothesis: Hypothesis, carried: Carried, values: usize) -> Option<usize> {
    let process = vec![beyond(&hypothesis); values.clamp(1, MOST_VALUES)];
    let mut judge = Judge::continuing(hypothesis, carried);
    (1..=MOST).find(|_| judge.add(&process).is_ok() && judge.finding() == Finding::Broken)
}

/// A value that breaks the limit beyond doubt: twice of it, and what that is where values are logarithms.
fn beyond(hypothesis: &Hypothesis) -> f64 {
    let far = match hypothesis.method {
        Method::Share => return if hypothesis.bound == Bound::Max { 1.0 } else { 0.0 },
        Method::Centre => std::f64::consts::LN_2,
        Method::Quantile(_) | Method::Greatest => hypothesis.limit.abs() + hypothesis.tolerance,
    };
    match hypothesis.bound {
        Bound::Max => hypothesis.limit + hypothesis.tolerance + far,
        Bound::Min => hypothesis.limit - hypothesis.tolerance - far,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::threshold;
    use crate::verdict::judge::Levels;

    fn fewest(method: Method, bound: Bound, limits: usize, values: usize) -> usize {
        let levels = Levels { fail: threshold(0.01, limits), pass: threshold(0.05, 1) };
        let confirms = method != Method::Centre;
        let limit = if method == Method::Share { 0.01 } else { 1.0 };
        let hypothesis = Hypothesis { bound, limit, tolerance: 0.1, method, levels, confirms };
        fewest_processes(hypothesis, Carried::default(), values).unwrap()
    }

    #[test]
    fn a_total_violation_takes_more_where_more_limits_share_the_chance() {
        for bound in [Bound::Max, Bound::Min] {
            for method in [Method::Quantile(0.5), Method::Centre] {
                let (alone, among) = (fewest(method, bound, 1, 1), fewest(method, bound, 50, 1));
                assert!((5..40).contains(&alone), "{method:?}: {alone}");
                assert!(alone < among && among < 60, "{method:?}: {alone}, {among}");
            }
        }
        // A rare thing that always happens is seen at once.
        assert!(fewest(Method::Share, Bound::Max, 1, 100) <= 10);
        let tail = fewest(Method::Quantile(0.99), Bound::Max, 1, 1);
        assert!(tail < fewest(Method::Quantile(0.5), Bound::Max, 1, 1), "{tail}");
    }

    #[test]
    fn what_earlier_runs_found_counts() {
        let levels = Levels { fail: threshold(0.01, 1), pass: threshold(0.05, 1) };
        let hypothesis = Hypothesis {
            bound: Bound::Max,
            limit: 1.0,
            tolerance: 0.1,
            method: Method::Quantile(0.5),
            levels,
            confirms: true,
        };
        let of = |fail| fewest_processes(hypothesis, Carried { fail, pass: 0.0 }, 1).unwrap();
        assert!(of(4.0) < of(0.0));
    }
}
