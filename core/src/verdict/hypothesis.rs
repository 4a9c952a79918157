//! This module turns a limit of `budgets.toml` into the hypothesis that is tested: which values it is about, by which
//! method they are judged, and how much tolerance there is.

use crate::budget::{Bound, Limit, Reference, Target};
use crate::metric::{Judged, Metric, SampleKind, Statistic, Tolerance};
use crate::quantity::Unit;
use crate::verdict::judge::{Hypothesis, Levels, Method};

/// The relative tolerance of times and rates.
const TIME_TOLERANCE: f64 = 0.10;
/// The relative tolerance of memory and of what workloads record.
const MEMORY_TOLERANCE: f64 = 0.02;
/// The tolerance of what the system counts.
const COUNT_TOLERANCE: f64 = MEMORY_TOLERANCE;
/// The tolerance of the share of operations that fail: of the limit, and at least.
const FAILURES_TOLERANCE: (f64, f64) = (0.10, 0.001);
/// The relative tolerance of a ratio to another budget.
const RATIO_TOLERANCE: f64 = 0.05;
/// The largest tolerance of a ratio to the base revision: one point. It is never more than the limit itself allows,
/// so that "half a percent slower" does not pass at one and a half.
const BASE_TOLERANCE: f64 = 0.01;
/// The smallest tolerance of a ratio to the base revision. A smaller one could never be settled.
const LEAST_BASE_TOLERANCE: f64 = 0.001;
/// The smallest step from the base that lies beyond a limit and its tolerance.
pub const LEAST_STEP: f64 = 2.0 * LEAST_BASE_TOLERANCE;
/// The absolute tolerance of shares, in parts of one: half a point.
const SHARE_TOLERANCE: f64 = 0.005;
/// The relative tolerance of growth per operation, and the least tolerance in bytes: a page in thousands of operations.
const GROWTH_TOLERANCE: (f64, f64) = (0.10, 1.0);
/// The absolute tolerance of a scaling exponent.
const EXPONENT_TOLERANCE: f64 = 0.05;

/// Returns the hypothesis by which `limit` is tested on statistical values.
pub fn of_limit(limit: &Limit, levels: Levels) -> Hypothesis {
    let (value, unit) = limit.number();
    let (limit_value, tolerance) = match limit.target {
        // Ratios are judged as logarithms, so that "1.5 times faster" and "1.5 times slower" weigh the same.
        Target::Relative { factor, reference: Reference::Base } => {
            (factor.ln(), base_tolerance(factor, limit.bound).ln_1p())
        }
        Target::Relative { factor, .. } => (factor.ln(), RATIO_TOLERANCE.ln_1p()),
        Target::Absolute(_) => (value, tolerance(&limit.metric, value, unit, limit.bound)),
    };
    let method = match limit.target {
        Target::Relative { .. } => Method::Centre,
        Target::Absolute(_) => method(&limit.metric),
    };
    let confirms = matches!(limit.target, Target::Absolute(_));
    Hypothesis { bound: limit.bound, limit: limit_value, tolerance, method, levels, confirms }
}

/// Returns how much worse than `factor x base` still passes, as a share.
fn base_tolerance(factor: f64, bound: Bound) -> f64 {
    let allowed = match bound {
        Bound::Max => factor - 1.0,
        Bound::Min => 1.0 / factor - 1.0,
    };
    // A limit that demands an improvement allows no slowdown, but has a tolerance of a point all the same.
    if allowed > 0.0 { allowed.clamp(LEAST_BASE_TOLERANCE, BASE_TOLERANCE) } else { BASE_TOLERANCE }
}

/// Returns how much worse than the base a limit may allow, as a share, so that what is worse by `step` lies beyond its
/// tolerance as well: `2 %` for a step of 3 %. It is a little less than the most, in a round number. A step is
/// [`LEAST_STEP`] or more.
pub fn allowed_below(step: f64) -> f64 {
    let beyond = (1.0 + step) / (1.0 + BASE_TOLERANCE) - 1.0;
    // Below one point the tolerance is as large as what is allowed.
    let same = (1.0 + step).sqrt() - 1.0;
    let most = if beyond >= BASE_TOLERANCE { beyond } else { same };
    let round = 10_f64.powi(3 - most.log10().floor() as i32);
    (most * round).floor() / round
}

fn method(metric: &Metric) -> Method {
    let quantile = |statistic: Statistic| statistic.quantile().unwrap_or(0.5);
    match (metric.sample(), metric.statistic()) {
        (SampleKind::Operation | SampleKind::Run, Some(Statistic::Max)) => Method::Greatest,
        // The fastest operation of a process is one value for each process. Each run of a command is a process
        // of its own, so its fastest run is judged by the 10 % quantile of the runs.
        (SampleKind::Run, Some(Statistic::Min)) => Method::Quantile(0.1),
        (SampleKind::Failure, _) => Method::Share,
        (
            SampleKind::File
            | SampleKind::Operation
            | SampleKind::Batch
            | SampleKind::Rate
            | SampleKind::Run
            | SampleKind::Process
            | SampleKind::Record
            // The median, because slopes are skewed where bursts hit the largest size more often than the others.
            | SampleKind::Sweep,
            statistic,
        ) => Method::Quantile(statistic.map_or(0.5, quantile)),
    }
}

/// Returns how far beyond `limit` a true value may lie and still pass. It is above 0 for statistical values, since
/// no number of samples could settle one that lies exactly at its limit.
fn tolerance(metric: &Metric, limit: f64, unit: Unit, bound: Bound) -> f64 {
    let relative = |share: f64| match bound {
        Bound::Max => limit.abs() * share,
        Bound::Min => limit.abs() * (1.0 - 1.0 / (1.0 + share)),
    };
    let least = match unit {
        Unit::Bytes => 4096.0,
        Unit::Seconds => 1e-7,
        Unit::PerSecond | Unit::BytesPerSecond => 1e-3,
        Unit::Share => SHARE_TOLERANCE,
        Unit::Number | Unit::Ratio => 1e-9,
    };
    // A value that is compared has no tolerance.
    let (Judged::Statistical(tolerance) | Judged::UntilConstant(tolerance)) = metric.judged()
    else {
        return 0.0;
    };
    match tolerance {
        // A batch is long enough for any clock, so the least tolerance does not apply, as for a throughput.
        Tolerance::Time if metric.sample() == SampleKind::Batch => relative(TIME_TOLERANCE),
        Tolerance::Time => relative(TIME_TOLERANCE).max(least),
        Tolerance::Memory => relative(MEMORY_TOLERANCE).max(least),
        Tolerance::Count => {
            relative(COUNT_TOLERANCE).max(if unit == Unit::Bytes { 1.0 } else { least })
        }
        Tolerance::Growth => (limit.abs() * GROWTH_TOLERANCE.0).max(GROWTH_TOLERANCE.1),
        Tolerance::Failures => (limit * FAILURES_TOLERANCE.0).max(FAILURES_TOLERANCE.1),
        Tolerance::Slope => EXPONENT_TOLERANCE,
    }
}

/// Whether the two sides of a ratio can be compared by this metric with their operations interleaved.
pub fn can_interleave(metric: &Metric) -> bool {
    match metric.sample() {
        SampleKind::Operation | SampleKind::Batch | SampleKind::Rate => true,
        SampleKind::File
        | SampleKind::Failure
        | SampleKind::Run
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_lies_beyond_the_limit_for_it_and_its_tolerance() {
        for step in [LEAST_STEP, 0.0021, 0.01, 0.02, 0.0201, 0.03, 0.2, 1.0, 9.0] {
            let allowed = allowed_below(step);
            let most = (1.0 + allowed) * (1.0 + base_tolerance(1.0 + allowed, Bound::Max));
            // The least tolerance may be a thousandth of a point more than what is allowed.
            assert!(most <= 1.0 + step + 1e-5 && most > 1.0 + step * 0.97, "{step}: {most}");
            assert!(allowed >= step / 2.02, "{step}: {allowed}");
            let rate = 1.0 / (1.0 + allowed);
            let least = rate / (1.0 + base_tolerance(rate, Bound::Min));
            assert!(least * (1.0 + step) >= 1.0 - 1e-5, "{step}: {least}");
        }
        assert!((allowed_below(0.03) - 0.019_80).abs() < 1e-9, "{}", allowed_below(0.03));
    }
}
