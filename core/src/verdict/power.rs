//! The power of a limit: the number of processes that it takes until a violation could be seen at all. A limit is
//! called inconclusive only after it has had that many.

use super::judge::{Carried, Finding, Hypothesis, Judge, Method};
use crate::budget::Bound;

/// The most processes that are tried; no run has the time for more.
const MOST: usize = 400;

/// The most values of a process that are tried; more make no difference.
const MOST_VALUES: usize = 2_000;

/// Returns how many processes of `values` values it takes until a limit that all of them break is found broken,
/// confirmation included; `None` if 400 are too few.
pub fn fewest_processes(hypothesis: Hypothesis, carried: Carried, values: usize) -> Option<usize> {
    let process = vec![beyond(&hypothesis); values.clamp(1, MOST_VALUES)];
    let mut judge = Judge::continuing(hypothesis, carried);
    (1..=MOST).find(|_| judge.add(&process).is_ok() && judge.finding() == Finding::Broken)
}

/// Returns how many processes it takes in all until the limit of `judge` is settled, if further processes are like those that it
/// has: their values are repeated in order. `None` if `most` processes do not settle it.
pub fn processes_to_settle(judge: &Judge, most: usize) -> Option<usize> {
    let sign = judge.hypothesis.bound.sign();
    let mut repeated = Judge::continuing(judge.hypothesis, judge.carried);
    for (nth, process) in judge.processes.iter().cycle().take(most).enumerate() {
        // To save time, only a part of the values of a long process is taken, which shows the same. If the greatest value is
        // judged, the greatest of each part is taken.
        let step = process.len().div_ceil(MOST_VALUES).max(1);
        let measured: Vec<f64> = match judge.hypothesis.method {
            Method::Greatest => {
                let greatest =
                    |part: &[f64]| part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                process.chunks(step).map(|part| greatest(part) * sign).collect()
            }
            Method::Quantile(_) | Method::Share | Method::Centre => {
                process.iter().step_by(step).map(|value| value * sign).collect()
            }
        };
        repeated.add(&measured).ok()?;
        let is_settled = matches!(repeated.finding(), Finding::Held | Finding::Broken);
        if is_settled && nth >= judge.processes.len() {
            return Some(nth + 1);
        }
    }
    None
}

/// Returns a value that breaks the limit beyond doubt: twice the limit, or the same as a logarithm.
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

    fn min_processes(method: Method, bound: Bound, limits: usize, values: usize) -> usize {
        let levels = Levels { fail: threshold(0.01, limits), pass: threshold(0.05, 1) };
        let confirms = method != Method::Centre;
        let limit = if method == Method::Share { 0.01 } else { 1.0 };
        let hypothesis = Hypothesis { bound, limit, tolerance: 0.1, method, levels, confirms };
        fewest_processes(hypothesis, Carried::default(), values).unwrap()
    }

    #[test]
    fn a_total_violation_takes_more_processes_where_more_limits_share_alpha() {
        for bound in [Bound::Max, Bound::Min] {
            for method in [Method::Quantile(0.5), Method::Centre] {
                let (alone, among) =
                    (min_processes(method, bound, 1, 1), min_processes(method, bound, 50, 1));
                assert!((5..40).contains(&alone), "{method:?}: {alone}");
                assert!(alone < among && among < 60, "{method:?}: {alone}, {among}");
            }
        }
        // A greatest value is one value of its process, however many operations it had.
        let single = min_processes(Method::Quantile(0.5), Bound::Max, 1, 1);
        assert_eq!(min_processes(Method::Greatest, Bound::Max, 1, 100), single);
        // A rare event that happens every time is seen at once.
        assert!(min_processes(Method::Share, Bound::Max, 1, 100) <= 10);
        let tail = min_processes(Method::Quantile(0.99), Bound::Max, 1, 1);
        assert!(tail < min_processes(Method::Quantile(0.5), Bound::Max, 1, 1), "{tail}");
    }

    #[test]
    fn evidence_of_earlier_runs_counts() {
        let levels = Levels { fail: threshold(0.01, 1), pass: threshold(0.05, 1) };
        let hypothesis = Hypothesis {
            bound: Bound::Max,
            limit: 1.0,
            tolerance: 0.1,
            method: Method::Quantile(0.5),
            levels,
            confirms: true,
        };
        let of =
            |fail| fewest_processes(hypothesis, Carried { fail, ..Carried::default() }, 1).unwrap();
        assert!(of(4.0) < of(0.0));
    }
}
