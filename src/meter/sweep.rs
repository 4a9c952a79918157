//! The sweep: it measures every case of a budget once, to see how a metric grows with a parameter.

use perf_budget_core::metric::{ByMetric, Judged, Metric, Tolerance};
use perf_budget_core::outcome::{Cause, Counted, Unmeasured};
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::stats::PowerLaw;

use super::{Coin, Source, typical_value};

/// All cases of a budget. Their readings give the slope of each metric over a parameter.
pub(crate) struct Sweep {
    /// The parameter's value in each case, and the source of that case.
    pub(crate) points: Vec<(f64, Box<dyn Source>)>,
    pub(crate) metrics: Vec<Metric>,
    /// The coin that decides the order of the cases.
    pub(crate) coin: Coin,
}

impl Source for Sweep {
    fn prepare(&mut self) {
        self.points.iter_mut().for_each(|(_, source)| source.prepare());
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let mut sweep = ProcessRun::default();
        let mut readings: ByMetric<Vec<(f64, f64)>> = ByMetric::new();
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        self.coin.shuffle(&mut order);
        for i in order {
            let (x, source) = &mut self.points[i];
            let process = source.measure_process()?;
            sweep.elapsed += process.elapsed;
            // All cases are counted by the same counter. The allocator's part belongs to one case, so the sweep has
            // none.
            sweep.counted =
                process.counted.clone().map(|counted| Counted { allocator: None, ..counted });
            for metric in &self.metrics {
                match typical_value(&process, metric) {
                    Ok(value) => readings.or_default(metric).push((*x, value)),
                    // A fault of one metric does not concern the others.
                    Err(reason) => {
                        sweep.unmeasured.insert(Metric::slope(metric.clone()), reason);
                    }
                }
            }
        }
        for (metric, mut points) in readings {
            let slope = Metric::slope(metric.clone());
            if sweep.unmeasured.contains_key(&slope) {
                continue;
            }
            // A time of 0 was below the clock, and a rate of failures is 0 in most operations: these have no slope.
            let is_count = matches!(metric.judged(), Judged::UntilConstant(Tolerance::Count));
            if is_count && raise(&mut points) {
                let text = format!(
                    "`{metric}` was 0 at some size, where it has no logarithm, and counts as next to nothing there"
                );
                sweep.remarks.or_default(&slope).push(text);
            }
            let Some(law) = PowerLaw::fit(&points) else {
                let text = format!(
                    "`{metric}` has no slope on a log-log scale: it was not above 0 at every size"
                );
                let reason = Unmeasured::new(Cause::InvalidReading, text);
                sweep.unmeasured.insert(slope, reason);
                continue;
            };
            sweep.values.insert(slope, law.exponent);
        }
        Ok(sweep)
    }
}

/// The value that stands for 0 on a logarithmic scale. The slope is then steeper than that between any other two readings.
const NEXT_TO_NOTHING: f64 = 1e-300;

/// Raises readings of 0, which a count may show in one process by chance, so that there is a slope. If all readings are 0,
/// the slope is 0. Returns whether there was such a reading.
fn raise(points: &mut [(f64, f64)]) -> bool {
    let zeros = points.iter_mut().map(|point| &mut point.1).filter(|y| **y == 0.0);
    zeros.map(|y| *y = NEXT_TO_NOTHING).count() > 0
}
