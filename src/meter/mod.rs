//! Instruments: each file reads one, and says so when it cannot.
//!
//! A meter gives readings or the reason why there is none, never a default. `process` alone starts
//! processes; nothing here knows limits or verdicts.

#[cfg(unix)]
mod affinity;
pub(crate) mod arrivals;
pub mod artifact;
pub(crate) mod binary;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod criterion;
#[doc(hidden)]
pub mod fork;
pub(crate) mod fuel;
pub(crate) mod gauge;
pub(crate) mod growth;
pub(crate) mod heap;
#[doc(hidden)]
pub mod interference;
#[cfg(unix)]
pub(crate) mod kernel;
pub(crate) mod memory;
#[doc(hidden)]
pub mod pair;
mod plan;
#[doc(hidden)]
pub mod plant;
pub(crate) mod process;
pub(crate) mod schedule;
pub(crate) mod time;
mod usage;
pub(crate) mod wire;

use std::fmt;
use std::time::Duration;

pub use arrivals::Lag;
pub use clock::{Clock, Timing};
pub use interference::{Interference, Orphans};

use crate::metric::{ByMetric, Metric, SampleKind, Statistic};

/// What one fork gave. A fork is one fresh process that was measured: the unit of replication, since
/// what varies between processes (placement, layout, allocator state) varies with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fork {
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
    /// One value for the whole fork, in the metric's base unit.
    pub values: ByMetric<f64>,
    /// Metrics of the fork that could not be measured, each with its reason; the others stand.
    pub unmeasured: ByMetric<Unmeasured>,
    /// What a reader of one metric must know: the largest of several files.
    pub remarks: ByMetric<Vec<String>>,
    /// Of values by the wall clock, what is left without waiting for a processor; those are missing
    /// that nobody can tell it of.
    pub less_waiting: ByMetric<f64>,
    /// For a ratio, the two values that it is made of.
    pub sides: ByMetric<(f64, f64)>,
    /// How long the fork took, spawning and set-up included.
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

impl Fork {
    /// The values of `metric`, in the order they were measured.
    ///
    /// # Errors
    /// Where the fork has none.
    pub fn series(&self, metric: &Metric) -> Result<Vec<f64>, Unmeasured> {
        if let Some(reason) = self.unmeasured.get(metric) {
            return Err(reason.clone());
        }
        let fork_value = self.values.get(metric).map(|&value| vec![value]);
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
        match fork_value.or(values) {
            Some(values) if !values.is_empty() => Ok(values),
            _ => {
                Err(Unmeasured::new(Cause::MeasuredNothing, format!("no `{metric}` was measured")))
            }
        }
    }
}

impl Fork {
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

/// Why there is no reading. Each cause is a red of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmeasured {
    /// The kind of thing that went wrong.
    pub cause: Cause,
    /// What failed, on which thing, why, and the remedy, in one or two sentences.
    pub text: String,
    /// The end of what the process wrote, where that helps.
    pub output: Option<String>,
}

/// The kinds of things that prevent a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The workload panicked.
    Panicked,
    /// The process was ended by a signal of its own making: abort, segmentation fault.
    Crashed,
    /// The process was killed from outside, as for want of memory.
    Killed,
    /// The process exited before it reported, or before it was ready.
    ExitedEarly,
    /// The process exited with a failure.
    ExitedBadly,
    /// It did not end, or did not get ready, within its time.
    TimedOut,
    /// It wrote more output than is ever useful.
    Flooded,
    /// Nothing was measured: no operation, no call of a measuring verb.
    MeasuredNothing,
    /// A reading is not a number, or negative.
    InvalidReading,
    /// The workload returned an error.
    WorkloadFailed,
    /// A file, or everything a pattern should match, is not there.
    Missing,
    /// A file is there and holds nothing.
    Empty,
    /// A file is not what the metric needs: not an ELF file, not an image.
    Unsuitable,
    /// The program is not there.
    NotFound,
    /// The port that should become ready is already taken.
    PortTaken,
    /// This platform or build cannot measure the metric.
    Unsupported,
    /// The operation is too short, or too slow, for what is asked of it.
    Unresolvable,
    /// The generator of a load was too late by itself to say anything of the workload.
    LateGenerator,
    /// The harness itself could not do its part: a full disk, no more processes.
    Harness,
}

impl Cause {
    /// Its word in reports: `timed-out`.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Panicked => "panicked",
            Cause::Crashed => "crashed",
            Cause::Killed => "killed",
            Cause::ExitedEarly => "exited-early",
            Cause::ExitedBadly => "exited-badly",
            Cause::TimedOut => "timed-out",
            Cause::Flooded => "flooded",
            Cause::MeasuredNothing => "measured-nothing",
            Cause::InvalidReading => "invalid-reading",
            Cause::WorkloadFailed => "workload-failed",
            Cause::Missing => "missing",
            Cause::Empty => "empty",
            Cause::Unsuitable => "unsuitable",
            Cause::NotFound => "not-found",
            Cause::PortTaken => "port-taken",
            Cause::Unsupported => "unsupported",
            Cause::Unresolvable => "unresolvable",
            Cause::LateGenerator => "late-generator",
            Cause::Harness => "harness",
        }
    }
}

impl Unmeasured {
    /// A reason without output of a process.
    pub(crate) fn new(cause: Cause, text: impl Into<String>) -> Self {
        Unmeasured { cause, text: text.into(), output: None }
    }
}

impl fmt::Display for Unmeasured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some(output) = &self.output {
            write!(f, "\nit wrote last:")?;
            for line in output.lines() {
                write!(f, "\n  | {line}")?;
            }
        }
        Ok(())
    }
}
