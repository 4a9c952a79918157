//! The evidence that a value is not only over its limit, but over a multiple of it.

use super::greatest::Greatest;
use super::judge::{Judge, Method};
use crate::budget::Bound;
use crate::stats::Blocks;

/// Returns the evidence of this run that the value is over `factor` times the limit, as the natural logarithm of odds.
/// It is 0 for shares and ratios, whose limits are not times.
pub fn log_evidence(judge: &Judge, factor: f64) -> f64 {
    let hypothesis = judge.hypothesis;
    let sign = hypothesis.bound.sign();
    let limit = sign
        * match hypothesis.bound {
            Bound::Max => hypothesis.limit * factor,
            Bound::Min => hypothesis.limit / factor,
        };
    match hypothesis.method {
        Method::Quantile(q) => {
            let above = if sign > 0.0 { 1.0 - q } else { q };
            let mut fail = Blocks::of_runs(above);
            judge.processes.iter().for_each(|values| fail.extend(values, limit));
            fail.log_evidence()
        }
        Method::Greatest => {
            let mut greatest = Greatest::new(limit, limit + hypothesis.tolerance);
            let finite = judge.processes.iter().all(|values| greatest.add(values).is_ok());
            if finite { greatest.log_fail() } else { 0.0 }
        }
        Method::Share | Method::Centre => 0.0,
    }
}
