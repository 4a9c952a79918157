//! From a limit of `budgets.toml` to a hypothesis in plain numbers: which values, which method, how much tolerance.

use crate::budget::{Bound, Limit, Reference, Target};
use crate::metric::{Judged, Metric, SampleKind, Statistic, Tolerance};
use crate::quantity::Unit;
use crate::verdict::judge::{Hypothesis, Levels, Method};

/// Relative tolerance of times and rates.
const TIME_TOLERANCE: f64 = 0.10;
/// Relative tolerance of memory and of what workloads record.
const MEMORY_TOLERANCE: f64 = 0.02;
/// Relative tolerance of a ratio to another budget.
const RATIO_TOLERANCE: f64 = 0.05;
/// Tolerance of a ratio to the base revision: one point, and no more than the limit itself allows, so that
/// "half a percent slower" is not passed at one and a half.
const BASE_TOLERANCE: f64 = 0.01;
/// A tolerance smaller than this would never be settled.
const LEAST_BASE_TOLERANCE: f64 = 0.001;
/// Absolute tolerance of shares, in parts of one: half a point.
const SHARE_TOLERANCE: f64 = 0.005;
/// Relative tolerance of growth an operation, and the least, in bytes: a page in thousands of operations.
const GROWTH_TOLERANCE: (f64, f64) = (0.10, 1.0);
/// Absolute tolerance of a scaling exponent.
const EXPONENT_TOLERANCE: f64 = 0.05;

/// The limit as a number: what a reading is held against, in the metric's base unit, or the factor of
/// a relative limit.
pub fn limit_of(limit: &Limit) -> (f64, Unit) {
    match &limit.target {
        Target::Absolute(quantity) => (quantity.value, quantity.unit),
        Target::Relative { factor, .. } => (*factor, Unit::Ratio),
    }
}

/// The hypothesis that `limit` is tested by on statistical values.
pub fn of(limit: &Limit, levels: Levels) -> Hypothesis {
    let (value, unit) = limit_of(limit);
    let (limit_value, tolerance) = match limit.target {
        // Ratios are judged as logarithms, where "1.5 times faster" and "slower" weigh the same.
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

/// How much worse than `factor x base` still passes, as a share.
fn base_tolerance(factor: f64, bound: Bound) -> f64 {
    let allowed = match bound {
        Bound::Max => factor - 1.0,
        Bound::Min => 1.0 / factor - 1.0,
    };
    // A limit that demands an improvement allows nothing, and has a point all the same.
    if allowed > 0.0 { allowed.clamp(LEAST_BASE_TOLERANCE, BASE_TOLERANCE) } else { BASE_TOLERANCE }
}

fn method(metric: &Metric) -> Method {
    let quantile = |statistic: Statistic| statistic.quantile().unwrap_or(0.5);
    match (metric.sample(), metric.statistic()) {
        (SampleKind::Operation | SampleKind::Run, Some(Statistic::Max)) => Method::Greatest,
        // The fastest operation of a process is one value a process; the fastest of a command's runs is
        // told from their fastest tenth, since each run is a process of its own.
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
            // Bursts that hit the largest size more often than the others make slopes lean to one side.
            | SampleKind::Sweep,
            statistic,
        ) => Method::Quantile(statistic.map_or(0.5, quantile)),
    }
}

/// How far beyond `limit` a truth may lie and still pass. Never 0: a statistical value that sits exactly at
/// its limit could otherwise not be settled by any number of samples.
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
    // What is compared needs no such hypothesis.
    let (Judged::Statistical(tolerance) | Judged::UntilConstant(tolerance)) = metric.judged()
    else {
        return 0.0;
    };
    match tolerance {
        // A batch is long enough for any clock, as it is where the same is limited as a throughput.
        Tolerance::Time if metric.sample() == SampleKind::Batch => relative(TIME_TOLERANCE),
        Tolerance::Time => relative(TIME_TOLERANCE).max(least),
        Tolerance::Memory => relative(MEMORY_TOLERANCE).max(least),
        Tolerance::Growth => (limit.abs() * GROWTH_TOLERANCE.0).max(GROWTH_TOLERANCE.1),
        Tolerance::Failures => (limit * TIME_TOLERANCE).max(0.001),
        Tolerance::Slope => EXPONENT_TOLERANCE,
    }
}

/// Whether two sides can be compared by this metric with their operations interleaved.
pub fn takes_turns(metric: &Metric) -> bool {
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
