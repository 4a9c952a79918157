//! What one process gave, or why it gave nothing: data, which whoever measures fills in.
//!
//! A reading is a value or the reason why there is none, never a default. Nothing here measures, and
//! nothing here knows limits or verdicts.

mod clock;
mod load;
mod noise;

use std::time::Duration;

pub use clock::{Clock, Timing};
pub use load::Lag;
pub use noise::{Interference, Orphans, StallTime, Throttled};

use crate::metric::{ByMetric, Metric, SampleKind, Statistic};
use crate::outcome::{Cause, Unmeasured};

/// What one process gave that was started and measured anew: the unit of replication, since
/// what varies between processes (placement, layout, allocator state) varies with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessRun {
    /// Latency in seconds of single operations, in the order they ran.
    pub operations: Vec<f64>,
    /// Mean seconds of one operation in each batch, in order.
    pub batches: Vec<f64>,
    /// Operations in the smallest batch; 1 where an operation was as long as a batch, 0 without any.
    pub batch_size: u64,
    /// What one operation counts for in a throughput.
    pub work: Work,
    /// What the clock that timed it can tell apart; `None` where nothing was timed.
    pub clock: Option<Clock>,
    /// Whether waiting for a processor was taken off its times; `None` where nothing was timed.
    pub timing: Option<Timing>,
    /// One value for the whole process, in the metric's base unit.
    pub values: ByMetric<f64>,
    /// Metrics of the process that could not be measured, each with its reason; the others stand.
    pub unmeasured: ByMetric<Unmeasured>,
    /// What a reader of one metric must know: the largest of several files.
    pub remarks: ByMetric<Vec<String>>,
    /// Of values by the wall clock, what is left without waiting for a processor; those are missing
    /// that nobody can tell it of.
    pub less_waiting: ByMetric<f64>,
    /// For a ratio, the two values that it is made of.
    pub sides: ByMetric<(f64, f64)>,
    /// Of a pair which link of the subject and which of its reference it was measured with, counted from 0: what
    /// luck with addresses is worth is the same in all pairs of one link. `None` of all else.
    pub links: Option<[usize; 2]>,
    /// How long the process took, spawning and set-up included.
    pub elapsed: Duration,
    /// The share of the measured time that it waited for a processor; `None` where unknown.
    pub waited: Option<f64>,
    /// Involuntary context switches while it was measured; `None` where unknown.
    pub preempted: Option<u64>,
    /// Under a load: how late its generator was by itself.
    pub lag: Option<Lag>,
    /// Under a load that was more than the workload can take: some latencies are only how long
    /// operations had waited that were never started, and this is the shortest of those, in seconds.
    pub at_least: Option<f64>,
    /// The least growth of resident memory that it would have shown, in bytes an operation.
    pub grain: Option<f64>,
    /// The processor that it was kept on, by number; `None` where it might run on any.
    pub pinned: Option<usize>,
    /// Processor time of its processes that nobody waited for.
    pub orphans: Orphans,
    /// What else the machine did meanwhile; `None` where nobody watched.
    pub interference: Option<Interference>,
    /// What a reader of the result must know: how it was timed, what is missing.
    pub notes: Vec<String>,
}

impl ProcessRun {
    /// The values of `metric`, in the order they were measured.
    ///
    /// # Errors
    /// Where the process has none.
    pub fn series(&self, metric: &Metric) -> Result<Vec<f64>, Unmeasured> {
        if let Some(reason) = self.unmeasured.get(metric) {
            return Err(reason.clone());
        }
        let process_value = self.values.get(metric).map(|&value| vec![value]);
        let values = match metric.sample() {
            SampleKind::Batch => Some(self.batches.clone()),
            SampleKind::Operation if metric.statistic() == Some(Statistic::Min) => {
                self.operations.iter().copied().min_by(f64::total_cmp).map(|least| vec![least])
            }
            SampleKind::Operation => Some(self.operations.clone()),
            SampleKind::Rate if !self.batches.is_empty() => {
                let (Work::Operations(work) | Work::Bytes(work)) = self.work;
                return Ok(self.batches.iter().map(|seconds| work / seconds).collect());
            }
            SampleKind::Failure if !self.values.is_empty() => return self.failures(metric),
            SampleKind::File
            | SampleKind::Rate
            | SampleKind::Failure
            | SampleKind::Run
            | SampleKind::Process
            | SampleKind::Record
            | SampleKind::Sweep => None,
        };
        match process_value.or(values) {
            Some(values) if !values.is_empty() => Ok(values),
            _ => {
                Err(Unmeasured::new(Cause::MeasuredNothing, format!("no `{metric}` was measured")))
            }
        }
    }
}

impl ProcessRun {
    /// A 1 for each operation that failed and a 0 for each that did not; their order is not kept.
    fn failures(&self, metric: &Metric) -> Result<Vec<f64>, Unmeasured> {
        let Some(&share) = self.values.get(metric) else {
            let text = format!("no `{metric}` was measured");
            return Err(Unmeasured::new(Cause::MeasuredNothing, text));
        };
        let succeeded = self.operations.len();
        let failed = if succeeded == 0 {
            1
        } else {
            (succeeded as f64 * share / (1.0 - share)).round() as usize
        };
        Ok(std::iter::repeat_n(1.0, failed).chain(std::iter::repeat_n(0.0, succeeded)).collect())
    }
}

/// What one operation counts for in a throughput.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Work {
    /// So many operations: 1, unless the workload says otherwise.
    Operations(f64),
    /// So many bytes.
    Bytes(f64),
}

impl Default for Work {
    fn default() -> Self {
        Work::Operations(1.0)
    }
}
