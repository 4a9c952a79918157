//! Readings: what one process yielded, or why it yielded nothing. This is data, which the harness fills in.
//!
//! A reading is a value or the reason why there is none, and never a default. Nothing here measures, and
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

/// What one freshly started process yielded. A process is the unit of replication, since what varies between
/// processes (placement, layout, allocator state) is the same for all operations of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessRun {
    /// The latencies of single operations in seconds, in the order in which they ran.
    pub operations: Vec<f64>,
    /// The mean time of one operation in each batch in seconds, in order.
    pub batches: Vec<f64>,
    /// The number of operations in the smallest batch: 1 where an operation took as long as a batch, 0 without any.
    pub batch_size: u64,
    /// What one operation counts for in a throughput.
    pub work: Work,
    /// The clock that timed the process; `None` where nothing was timed.
    pub clock: Option<Clock>,
    /// Whether waiting for a processor was subtracted from its times; `None` where nothing was timed.
    pub timing: Option<Timing>,
    /// One value for the whole process for each metric, in the metric's base unit.
    pub values: ByMetric<f64>,
    /// The metrics of the process that could not be measured, each with its reason; the others are valid.
    pub unmeasured: ByMetric<Unmeasured>,
    /// What a reader of one metric must know, such as which of several files is the largest.
    pub remarks: ByMetric<Vec<String>>,
    /// For values by the wall clock, what remains without waiting for a processor. A value is missing here
    /// where its waiting is not known.
    pub less_waiting: ByMetric<f64>,
    /// For a ratio, the values of its two sides.
    pub sides: ByMetric<(f64, f64)>,
    /// For a pair, which link of the subject and which of its reference it was measured with, counted from 0. The
    /// effect of the order of addresses is the same in all pairs of one link. `None` for everything else.
    pub links: Option<[usize; 2]>,
    /// How long the process took, spawning and set-up included.
    pub elapsed: Duration,
    /// The share of the measured time that the process waited for a processor; `None` where unknown.
    pub waited: Option<f64>,
    /// The involuntary context switches while the process was measured; `None` where unknown.
    pub preempted: Option<u64>,
    /// Under a load: how late its generator was itself.
    pub lag: Option<Lag>,
    /// Under a load that was more than the workload can take: the shortest time, in seconds, that operations had
    /// waited which were never started. Some latencies are only such waiting times.
    pub at_least: Option<f64>,
    /// The least growth of resident memory that the process could have shown, in bytes an operation.
    pub grain: Option<f64>,
    /// The number of the processor to which it was pinned; `None` where it might run on any.
    pub pinned: Option<usize>,
    /// The processor time of its processes that nobody waited for.
    pub orphans: Orphans,
    /// What else the machine did meanwhile; `None` where nobody watched.
    pub interference: Option<Interference>,
    /// What a reader of the result must know: how the process was timed, what is missing.
    pub notes: Vec<String>,
}

impl ProcessRun {
    /// Returns the values of `metric`, in the order in which they were measured.
    ///
    /// # Errors
    /// Where the process has no value of it.
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
    /// Returns a 1 for each operation that failed and a 0 for each that did not, in no particular order.
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
    /// This many operations: 1, unless the workload says otherwise.
    Operations(f64),
    /// This many bytes.
    Bytes(f64),
}

impl Default for Work {
    fn default() -> Self {
        Work::Operations(1.0)
    }
}
