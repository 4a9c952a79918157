//! Sources of readings: things that can be measured once more. A source is an artifact, a command, a workload, two of
//! them compared, or a sweep over all cases of a budget.
//!
//! A test can put a scripted [`Source`] in the place of a real one, and so drive the judgement without a clock or a
//! process.

mod apart;
#[cfg(test)]
mod apart_tests;
mod coin;
pub(crate) mod interleaved;
#[cfg(test)]
mod interleaved_tests;
mod ratio;
mod sweep;
#[cfg(test)]
mod tests;
mod versus;
mod watched;
mod without_layout;

use std::time::Duration;

use perf_budget_core::metric::{Metric, SampleKind, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::stats::{Sample, order};

pub(crate) use self::apart::Apart;
pub(crate) use self::coin::Coin;
pub(crate) use self::sweep::Sweep;
pub(crate) use self::versus::Versus;
pub(crate) use self::watched::Watched;

/// Something that can be measured once more, in a fresh process.
pub(crate) trait Source: Send {
    /// Builds what is measured, so that this is done before the source has the machine to itself. An error is not
    /// reported here: the first call of `measure_process` fails with it again.
    fn prepare(&mut self) {}

    /// Returns what has to be made before the next process can be measured, in words for the line of progress. Then
    /// `prepare` makes it. `None` if nothing is missing.
    fn pending_preparation(&self) -> Option<String> {
        None
    }

    /// Measures once.
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured>;

    /// Returns for how long processes are measured one after another before another source has its turn. This is zero
    /// (one process) unless a process is too short for a turn of its own.
    fn burst(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether the source only reads what another program recorded. Then it has one reading, and never a second one.
    fn is_recorded(&self) -> bool {
        false
    }
}

impl<F: FnMut() -> Result<ProcessRun, Unmeasured> + Send> Source for F {
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        self()
    }
}

/// Returns the one number that stands for a process in a ratio or a slope.
fn typical_value(process: &ProcessRun, metric: &Metric) -> Result<f64, Unmeasured> {
    let values = Sample::new(process.series(metric)?).map_err(|e| {
        Unmeasured::new(Cause::InvalidReading, format!("`{metric}` was measured as {e}"))
    })?;
    // Only single operations have percentiles within a process. For every other metric, the median of its values stands
    // for the process: the median of the batches for a mean, and the single value of a command's run.
    let single = metric.sample() == SampleKind::Operation;
    let q = metric.statistic().filter(|_| single).and_then(Statistic::quantile).unwrap_or(0.5);
    order::quantile(&values, q).ok_or_else(|| {
        Unmeasured::new(Cause::MeasuredNothing, format!("no value of `{metric}` was measured"))
    })
}
