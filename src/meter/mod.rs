//! What can be measured once more: an artifact, a command, a workload, two of them interleaved, a sweep over cases.
//!
//! A [`Source`] is also the seam of the tests: a scripted one drives the whole of judgement without a
//! clock or a process.

mod coin;
pub(crate) mod interleaved;
#[cfg(test)]
mod interleaved_tests;
mod sweep;
#[cfg(test)]
mod tests;
mod versus;
mod watched;

use std::time::Duration;

use perf_budget_core::metric::{Metric, SampleKind, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::stats::{Sample, order};

pub(crate) use self::coin::Coin;
pub(crate) use self::sweep::Sweep;
pub(crate) use self::versus::Versus;
pub(crate) use self::watched::Watched;

/// Something that can be measured once more, in a fresh process.
pub(crate) trait Source: Send {
    /// Builds what is measured, before it has a turn at measuring. What fails is found again by the first process.
    fn prepare(&mut self) {}

    /// Measures once.
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured>;

    /// How long processes are taken in one go: longer than one process where a process is too short to be
    /// worth a turn of its own.
    fn burst(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether its one process is what another program recorded, so that there is no other.
    fn is_recorded(&self) -> bool {
        false
    }
}

impl<F: FnMut() -> Result<ProcessRun, Unmeasured> + Send> Source for F {
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        self()
    }
}

/// The one number that stands for a process in a ratio or a slope.
fn typical(process: &ProcessRun, metric: &Metric) -> Result<f64, Unmeasured> {
    let values = Sample::new(process.series(metric)?).map_err(|e| {
        Unmeasured::new(Cause::InvalidReading, format!("`{metric}` was measured as {e}"))
    })?;
    // Of a command's runs every statistic has one value a process.
    let single = metric.sample() == SampleKind::Operation;
    let q = metric.statistic().filter(|_| single).and_then(Statistic::quantile).unwrap_or(0.5);
    order::quantile(&values, q).ok_or_else(|| {
        Unmeasured::new(Cause::MeasuredNothing, format!("no value of `{metric}` was measured"))
    })
}
