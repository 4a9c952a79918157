//! The request to a worker and its reply: the two files between the harness and its worker.
//!
//! The mirror types here keep the forms on disk apart from the types that the rest of the crate uses.

use std::time::Duration;

use perf_budget_core::budget::{Constraint, Load, LoadShape, Param};
use perf_budget_core::exact;
use perf_budget_core::metric::{Metric, SubjectKind, WorkerInstrument};
use perf_budget_core::outcome::{Cause, Counted, SystemCall, Unmeasured};
use perf_budget_core::reading::{Clock, Lag, ProcessRun, Timing, Work};
use serde::{Deserialize, Serialize};

use crate::inject::Injection;
use crate::instrument::sampled::Sampling;

/// The variable with the path of the request. The worker removes the file and the variable.
pub(crate) const VARIABLE: &str = "PERF_BUDGET_WORKER";
/// The variable with the token, which shows that the request comes from a living harness that started this process. A
/// worker of an earlier release does without it.
#[cfg(target_os = "linux")]
pub(crate) const TOKEN_VARIABLE: &str = "PERF_BUDGET_WORKER_TOKEN";
/// The beginning of the message of a worker that could not write its reply; it exits with [`NO_REPLY`].
pub(crate) const UNWRITTEN: &str = "perf-budget: failed to write the reply";
/// The exit code of a worker that could not write its reply.
pub(crate) const NO_REPLY: u8 = 74;

/// A request for one process.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The name of the workload.
    pub workload: String,
    /// The parameters of the workload.
    pub params: Vec<(String, Param)>,
    /// The metrics to measure, all by one [`WorkerInstrument`]. If `error_rate` is among them, failed operations are
    /// counted; otherwise the first one ends the measurement.
    pub metrics: Vec<Metric>,
    /// When operations are due; `None` means when the one before has ended.
    pub load: Option<Load>,
    /// How long operations are measured, after a warm-up of at most half of that.
    pub slice: Duration,
    /// The most operations that are timed one by one.
    pub max_operations: usize,
    /// Whether operations run when the other end of standard input asks for them, interleaved with another process.
    pub paired: bool,
    /// The effect that a selftest injects into the measured part; `None` in every run that judges.
    pub injection: Option<Injection>,
    /// How callgrind counts instructions; `None` if the process does not run under it.
    pub counting: Option<Counting>,
    /// How the process is sampled; `None` if it is measured.
    pub sampling: Option<Sampling>,
    /// The resources that the process and those that it starts may use. The harness enforces the limits, so they are not
    /// part of the message.
    pub constraint: Constraint,
}

/// How callgrind counts the instructions of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counting {
    /// The path at which it writes, without the numbers of the files.
    pub dumps: std::path::PathBuf,
    /// Whether the harness reads the files, which then say who called whom.
    pub is_profile: bool,
}

impl Request {
    /// Returns the one instrument for all its metrics; [`WorkerInstrument::Time`] if no metric asks for one.
    pub(crate) fn instrument(&self) -> Result<WorkerInstrument, Unmeasured> {
        // A value that a workload records itself comes with any instrument.
        let read = self.metrics.iter().map(|metric| metric.slope_of().unwrap_or(metric));
        let read = read.filter(|metric| metric.custom_name().is_none());
        let instrument = |metric: &Metric| metric.worker_instrument(SubjectKind::Workload);
        let mut instruments: Vec<_> = read.filter_map(instrument).collect();
        instruments.dedup();
        match instruments[..] {
            [] => Ok(WorkerInstrument::Time),
            [one] => Ok(one),
            _ => {
                let text = format!(
                    "failed to measure `{}`: one process has one instrument",
                    self.workload
                );
                Err(Unmeasured::new(Cause::Harness, text))
            }
        }
    }
}

/// The form of a request on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireRequest {
    workload: String,
    params: Vec<(String, Param)>,
    metrics: Vec<String>,
    /// A worker that does not know this field reports no lag, which the harness notices.
    load: Option<WireLoad>,
    slice: Duration,
    max_operations: usize,
    /// A worker that does not know this field measures on its own, which the harness notices.
    #[serde(default)]
    paired: bool,
    #[serde(alias = "plant")]
    injection: Option<Injection>,
    /// A worker that does not know this field does not know `instructions` either, and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counting: Option<Counting>,
    /// A worker that does not know this field writes no samples, which the harness notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sampling: Option<Sampling>,
    /// The path of the reply.
    pub(crate) reply: std::path::PathBuf,
}

impl WireRequest {
    pub(crate) fn new(request: &Request, reply: std::path::PathBuf) -> Self {
        let plain = |metric: &Metric| metric.slope_of().unwrap_or(metric).name();
        WireRequest {
            workload: request.workload.clone(),
            params: request.params.clone(),
            metrics: request.metrics.iter().map(plain).collect(),
            load: request.load.as_ref().map(WireLoad::new),
            slice: request.slice,
            max_operations: request.max_operations,
            paired: request.paired,
            injection: request.injection,
            counting: request.counting.clone(),
            sampling: request.sampling.clone(),
            reply,
        }
    }

    pub(crate) fn request(self) -> Request {
        let metric = |name: String| {
            let found = Metric::of(SubjectKind::Workload, &name);
            found.unwrap_or_else(|| Metric::recorded(&name))
        };
        Request {
            workload: self.workload,
            params: self.params,
            metrics: self.metrics.into_iter().map(metric).collect(),
            load: self.load.map(WireLoad::load),
            slice: self.slice,
            max_operations: self.max_operations,
            paired: self.paired,
            injection: self.injection,
            counting: self.counting,
            sampling: self.sampling,
            constraint: Constraint::default(),
        }
    }
}

/// The form of a load on disk.
#[derive(Debug, Serialize, Deserialize)]
struct WireLoad {
    shape: WireShape,
    rate: f64,
    concurrency: u32,
    peak: f64,
    every: Duration,
    width: Duration,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireShape {
    Constant,
    Poisson,
    Ramp,
    Spike,
    Burst,
}

impl WireLoad {
    fn new(load: &Load) -> WireLoad {
        let none = Duration::ZERO;
        let (shape, peak, every, width) = match load.shape {
            LoadShape::Constant => (WireShape::Constant, 0.0, none, none),
            LoadShape::Poisson => (WireShape::Poisson, 0.0, none, none),
            LoadShape::Ramp { peak, every } => (WireShape::Ramp, peak, every, none),
            LoadShape::Spike { peak, every, width } => (WireShape::Spike, peak, every, width),
            LoadShape::Burst { every } => (WireShape::Burst, 0.0, every, none),
        };
        WireLoad { shape, rate: load.rate, concurrency: load.concurrency, peak, every, width }
    }

    fn load(self) -> Load {
        let WireLoad { peak, every, width, .. } = self;
        let shape = match self.shape {
            WireShape::Constant => LoadShape::Constant,
            WireShape::Poisson => LoadShape::Poisson,
            WireShape::Ramp => LoadShape::Ramp { peak, every },
            WireShape::Spike => LoadShape::Spike { peak, every, width },
            WireShape::Burst => LoadShape::Burst { every },
        };
        Load { shape, rate: self.rate, concurrency: self.concurrency }
    }
}

/// The form of a reply on disk.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a process has one reply")]
pub(crate) enum WireReply {
    #[serde(alias = "Fork")]
    ProcessRun(WireProcessRun),
    /// Why nothing was measured: the name of a cause, and the text.
    Unmeasured((String, String)),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireProcessRun {
    operations: Vec<f64>,
    batches: Vec<f64>,
    batch_size: u64,
    work: (WireWork, f64),
    /// The cost and the resolution.
    clock: Option<(f64, f64)>,
    timing: Option<Timing>,
    values: Vec<(String, f64)>,
    waited: Option<f64>,
    preempted: Option<u64>,
    notes: Vec<String>,
    /// The 99th percentile and the maximum.
    lag: Option<(f64, f64)>,
    at_least: Option<f64>,
    grain: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counted: Option<Box<Counted>>,
    /// Each system call by its name, with how often it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    system_calls: Vec<(String, f64)>,
}

#[derive(Debug, Serialize, Deserialize)]
enum WireWork {
    Operations,
    Bytes,
}

/// The causes that a worker itself can give; every other cause is seen from outside.
const CAUSES: [Cause; 7] = [
    Cause::Panicked,
    Cause::MeasuredNothing,
    Cause::InvalidReading,
    Cause::WorkloadFailed,
    Cause::Unsupported,
    Cause::Unresolvable,
    Cause::Harness,
];

impl WireReply {
    pub(crate) fn new(result: Result<ProcessRun, Unmeasured>) -> Self {
        let process = match result {
            Ok(process) => process,
            Err(Unmeasured { cause, text, .. }) => {
                return WireReply::Unmeasured((cause.name().to_owned(), text));
            }
        };
        WireReply::ProcessRun(WireProcessRun {
            operations: process.operations,
            batches: process.batches,
            batch_size: process.batch_size,
            work: match process.work {
                Work::Operations(amount) => (WireWork::Operations, amount),
                Work::Bytes(amount) => (WireWork::Bytes, amount),
            },
            clock: process.clock.map(|clock| (clock.cost, clock.resolution)),
            timing: process.timing,
            values: process.values.into_iter().map(|(metric, v)| (metric.name(), v)).collect(),
            waited: process.waited,
            preempted: process.preempted,
            notes: process.notes,
            lag: process.lag.map(|lag| (lag.p99, lag.max)),
            at_least: process.at_least,
            grain: process.grain,
            counted: process.counted.map(Box::new),
            system_calls: process
                .system_calls
                .into_iter()
                .map(|call| (call.name, call.now))
                .collect(),
        })
    }

    /// Parses a reply. It fails if the text is cut short or is not a reply.
    pub(crate) fn parse(text: &[u8]) -> Result<ProcessRun, Unmeasured> {
        let reply = exact::read(text).map_err(|error| {
            let text = format!(
                "failed to read the worker's reply of {} bytes: {error}; is the disk full?",
                text.len()
            );
            Unmeasured::new(Cause::Harness, text)
        })?;
        match reply {
            WireReply::ProcessRun(process) => process.checked(),
            WireReply::Unmeasured((cause, text)) => {
                let known = CAUSES.into_iter().find(|known| known.name() == cause);
                Err(Unmeasured::new(known.unwrap_or(Cause::Harness), text))
            }
        }
    }
}

impl WireProcessRun {
    fn checked(self) -> Result<ProcessRun, Unmeasured> {
        let values = self.values.into_iter().filter_map(|(name, value)| {
            Metric::of(SubjectKind::Workload, &name).map(|metric| (metric, value))
        });
        let call = |(name, now)| SystemCall { name, now, before: None };
        let system_calls = self.system_calls.into_iter().map(call);
        let process = ProcessRun {
            operations: self.operations,
            batches: self.batches,
            batch_size: self.batch_size,
            work: match self.work {
                (WireWork::Operations, amount) => Work::Operations(amount),
                (WireWork::Bytes, amount) => Work::Bytes(amount),
            },
            clock: self.clock.map(|(cost, resolution)| Clock { cost, resolution }),
            timing: self.timing,
            values: values.collect(),
            elapsed: Duration::ZERO,
            waited: self.waited,
            preempted: self.preempted,
            notes: self.notes,
            lag: self.lag.map(|(p99, max)| Lag { p99, max }),
            at_least: self.at_least,
            grain: self.grain,
            counted: self.counted.map(|counted| *counted),
            system_calls: system_calls.collect(),
            ..ProcessRun::default()
        };
        let times = process.operations.iter().chain(&process.batches);
        let broken = times.chain(process.values.values()).copied().find(|value| !valid(*value));
        match broken {
            Some(value) => {
                let text = format!("the worker reported {value}, which is not a valid reading");
                Err(Unmeasured::new(Cause::InvalidReading, text))
            }
            None => Ok(process),
        }
    }
}

/// Whether a number can be a reading at all.
pub(crate) fn valid(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
