//! The comparison of two sources that are measured one after the other. The value is the ratio of their readings.

use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{Cause, Counted, Unmeasured, system_calls};
use perf_budget_core::reading::ProcessRun;

use super::apart;
use super::{Apart, Coin, Source, typical_value};

/// Two sources that are measured one after the other. A coin decides the order, so that a drift of the machine is as
/// likely to favour the one as the other.
pub(crate) struct Versus {
    pub(crate) subject: Box<dyn Source>,
    pub(crate) reference: Box<dyn Source>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) coin: Coin,
    /// Whether the sides are programs that were linked apart. `None` if they are not two revisions.
    pub(crate) apart: Option<Apart>,
}

impl Source for Versus {
    fn prepare(&mut self) {
        self.subject.prepare();
        self.reference.prepare();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let (a, b) = if self.coin.toss() {
            let a = self.subject.measure_process()?;
            (a, self.reference.measure_process()?)
        } else {
            let b = self.reference.measure_process()?;
            (self.subject.measure_process()?, b)
        };
        let elapsed = a.elapsed + b.elapsed;
        let mut both = ProcessRun { elapsed, work: a.work, ..ProcessRun::default() };
        for metric in &self.metrics {
            // A fault of one metric does not concern the others.
            let sides = typical_value(&a, metric)
                .and_then(|x| Ok((x, typical_value(&b, metric)?)))
                .and_then(|sides| Ok((sides, ratio(metric, sides)?)));
            match sides {
                Ok((sides, ratio)) => {
                    if let Some(less) = apart::without_layout(metric, sides, [&a, &b]) {
                        both.without_layout.insert(metric.clone(), less);
                    }
                    both.values.insert(metric.clone(), ratio);
                    both.sides.insert(metric.clone(), sides);
                }
                Err(reason) => {
                    both.unmeasured.insert(metric.clone(), reason);
                }
            }
        }
        let are_apart = self.apart.as_mut().is_some_and(|apart| apart.are_apart(&a, &b));
        // Each pair has the only link of either side.
        both.links = are_apart.then_some([0, 0]);
        both.counted = counted(a.counted, b.counted.as_ref())?;
        both.system_calls = system_calls::beside(&a.system_calls, &b.system_calls);
        both.remarks = a.remarks;
        both.waited = a.waited.zip(b.waited).map(|(x, y)| f64::midpoint(x, y));
        // What was never started on either side is not known of the ratio.
        both.at_least = a.at_least.or(b.at_least);
        both.preempted = a.preempted.zip(b.preempted).map(|(x, y)| x + y);
        Ok(both)
    }
}

/// Returns the ratio of the subject's value of a metric to the reference's. If only the reference is 0, the ratio is the
/// largest number, which is over every limit. A counter may be 0 in one pair by chance, and the median over the pairs
/// decides. A deterministic value has no ratio to 0.
fn ratio(metric: &Metric, (x, y): (f64, f64)) -> Result<f64, Unmeasured> {
    let least = metric.least_compared();
    match (x.max(least), y.max(least)) {
        (0.0, 0.0) => Ok(1.0),
        (_, 0.0) if !metric.is_deterministic() => Ok(f64::MAX),
        (x, 0.0) => {
            let text = format!(
                "`{metric}` was 0 at the reference and is {x} now, which is not a factor of it; limit it by a quantity"
            );
            Err(Unmeasured::new(Cause::InvalidReading, text))
        }
        (x, y) => Ok(x / y),
    }
}

/// Returns how both sides were counted, the allocator's part being that of the subject.
fn counted(a: Option<Counted>, b: Option<&Counted>) -> Result<Option<Counted>, Unmeasured> {
    match (&a, b) {
        (Some(by), Some(other)) if by.by != other.by => {
            let remedy = if by.differs_by_rule(&other.by) {
                "; one side has another release of perf-budget, so they are compared again once both have the same"
            } else {
                ""
            };
            let text = format!(
                "the one side was counted by {}, the other by {}, and counts of different counters are never compared{remedy}",
                by.by, other.by
            );
            Err(Unmeasured::new(Cause::Unsuitable, text))
        }
        _ => Ok(a),
    }
}
