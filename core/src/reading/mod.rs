//! The readings of one process, or the reasons why there are none. This is data, which the measuring code fills in.
//!
//! A reading is a value or the reason why there is none, and never a default. Nothing here measures, and
//! nothing here knows limits or verdicts.

mod clock;
mod load;
mod noise;

use std::path::PathBuf;
use std::time::Duration;

pub use clock::{Clock, Timing};
pub use load::Lag;
pub use noise::{Interference, Orphans, StallTime, Throttled};

use crate::metric::{ByMetric, Metric, SampleKind, Statistic};
use crate::outcome::{Cause, Counted, SystemCall, Unmeasured};

/// The readings of one process that was started and measured. The process is the unit of replication, since much varies
/// from process to process: placement, layout, the state of the allocator.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessRun {
    /// The latencies of single operations in seconds, in the order in which they ran.
    pub operations: Vec<f64>,
    /// The mean seconds of one operation in each batch, in order.
    pub batches: Vec<f64>,
    /// The number of operations in the smallest batch: 1 if an operation was as long as a batch, 0 if there is no
    /// batch.
    pub batch_size: u64,
    /// The work of one operation, for a throughput.
    pub work: Work,
    /// The properties of the clock. `None` if nothing was timed.
    pub clock: Option<Clock>,
    /// Whether waiting for a processor was subtracted from the times. `None` if nothing was timed.
    pub timing: Option<Timing>,
    /// The metrics that have one value for the whole process, in the metric's base unit.
    pub values: ByMetric<f64>,
    /// The metrics that could not be measured, each with the reason. The others are valid.
    pub unmeasured: ByMetric<Unmeasured>,
    /// The notes about single metrics, such as which of several files is the largest.
    pub remarks: ByMetric<Vec<String>>,
    /// The values that were timed by the wall clock, with waiting for a processor subtracted. A value is missing if the
    /// waiting is unknown.
    pub less_waiting: ByMetric<f64>,
    /// The ratios of times to those of the base, without the largest difference that memory layout may have caused. Layout changes
    /// only the time in which an operation runs on a processor. A ratio is missing if that time is unknown.
    pub without_layout: ByMetric<f64>,
    /// The mean seconds of one operation, or of one unit of its work for a rate, of the subject and of the reference, over all
    /// batches of a pair.
    pub totals: ByMetric<(f64, f64)>,
    /// The two values of each ratio.
    pub sides: ByMetric<(f64, f64)>,
    /// The link of the subject and that of its reference with which a pair was measured, counted from 0. All pairs of
    /// the same link share the effect of its addresses. `None` if this is not a pair of two revisions.
    pub links: Option<[usize; 2]>,
    /// The files that it ran as far as they are known: its program, and what was built for it.
    pub programs: Vec<PathBuf>,
    /// The most seconds of its run in which it can have been on a processor, with all that it started. `None` if that is unknown.
    pub on_processor: Option<f64>,
    /// How long the process took, including its start and its set-up.
    pub elapsed: Duration,
    /// The share of the measured time in which it waited for a processor. `None` if that is unknown.
    pub waited: Option<f64>,
    /// The number of involuntary context switches while it was measured. `None` if that is unknown.
    pub preempted: Option<u64>,
    /// How late the generator of the load itself was. `None` without a load.
    pub lag: Option<Lag>,
    /// The shortest waiting time, in seconds, of the operations that were never started. There are such operations if the
    /// load was more than the workload can take; their latencies are only known to be at least this long.
    pub at_least: Option<f64>,
    /// The smallest growth of resident memory that would have been seen, in bytes per operation.
    pub grain: Option<f64>,
    /// How instructions were counted. `None` if they were not.
    pub counted: Option<Counted>,
    /// How often each system call was made. Empty if they were not counted.
    pub system_calls: Vec<SystemCall>,
    /// The number of the processor that it was pinned to. `None` if it could run on any.
    pub pinned: Option<usize>,
    /// The processor time of its processes that no process waited for.
    pub orphans: Orphans,
    /// The noise: what else the machine did meanwhile. `None` if that was not watched.
    pub interference: Option<Interference>,
    /// The notes for a reader of the result: how it was timed, and what is missing.
    pub notes: Vec<String>,
}

impl ProcessRun {
    /// Returns the values of `metric`, in the order in which they were measured.
    ///
    /// # Errors
    /// If the process has none.
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
            _ => Err(Unmeasured::new(Cause::MeasuredNothing, self.lacks(metric))),
        }
    }

    /// Returns why the process has no value of a metric.
    fn lacks(&self, metric: &Metric) -> String {
        let Some(name) = metric.custom_name() else { return format!("no `{metric}` was measured") };
        let recorded = self.values.keys().filter(|key| key.custom_name().is_some());
        let recorded: Vec<String> = recorded.map(|key| format!("`{key}`")).collect();
        let recorded = if recorded.is_empty() { "nothing".to_owned() } else { recorded.join(", ") };
        format!(
            "the workload did not record `{name}`, which its budget limits (it recorded {recorded})"
        )
    }

    /// Returns a 1 for each operation that failed and a 0 for each that did not. Their order is not that of the
    /// operations.
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

/// The work of one operation, for a throughput.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Work {
    /// A number of operations: 1, unless the workload says otherwise.
    Operations(f64),
    /// A number of bytes.
    Bytes(f64),
}

impl Default for Work {
    fn default() -> Self {
        Work::Operations(1.0)
    }
}
