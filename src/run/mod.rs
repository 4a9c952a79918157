//! The harness as a workload sees it, and the process that a workload runs in.
//!
//! Everything here is on the workload's side: it runs in a fresh process that [`worker`](crate::worker) has started,
//! and what it measured goes back through a file. Nothing here starts processes, and nothing knows limits.

#[cfg(feature = "tokio")]
mod asynchronous;
#[cfg(feature = "internals")]
mod benchmark;
mod drive;
#[cfg(any(feature = "tokio", feature = "internals"))]
mod drive_async;
mod failed;
mod measurement;
mod methods;
mod open_loop;
mod param;
mod serve;
#[cfg(feature = "internals")]
pub mod served;
#[cfg(not(feature = "tokio"))]
mod without_tokio;

pub use failed::Failed;
pub use param::Parameter;
use perf_budget_core::metric::{
    ByMetric, Effect, Metric, SampleKind, SubjectKind, WorkerInstrument,
};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};
pub use serve::serve;

use crate::instrument::{fuel, heap, instructions};
use crate::worker::wire::{Request, valid};

/// A function that is measured, as the harness stores it.
pub type Workload = Box<dyn Fn(&mut Run) -> Result<(), Failed> + Send + Sync>;

/// One measurement of a workload, in a process of its own.
///
/// A workload prepares what it needs, calls **one** measuring method, and returns that method's result:
///
/// ```
/// # use perf_budget::{Failed, Run};
/// fn sorting(run: &mut Run) -> Result<(), Failed> {
///     let size: u32 = run.param("size")?;
///     let shuffled: Vec<u32> = (0..size).map(|n| n.wrapping_mul(2_654_435_761)).collect();
///     run.iter_with(|| shuffled.clone(), |mut numbers| {
///         numbers.sort_unstable();
///         numbers
///     })
/// }
/// ```
///
/// | the operation | if it cannot fail | if it returns a `Result` |
/// |---|---|---|
/// | takes nothing | [`iter`](Run::iter) | [`try_iter`](Run::try_iter) |
/// | uses up an input | [`iter_with`](Run::iter_with) | [`try_iter_with`](Run::try_iter_with) |
/// | changes an input in place | [`iter_with_ref`](Run::iter_with_ref) | [`try_iter_with_ref`](Run::try_iter_with_ref) |
/// | builds a value whose size matters | [`hold`](Run::hold) | [`try_hold`](Run::try_hold) |
/// | is asynchronous | [`iter_async`](Run::iter_async) | [`try_iter_async`](Run::try_iter_async) |
/// | is asynchronous and uses up an input | [`iter_async_with`](Run::iter_async_with) | [`try_iter_async_with`](Run::try_iter_async_with) |
/// | is asynchronous, and several are in flight | [`iter_concurrent`](Run::iter_concurrent) | [`try_iter_concurrent`](Run::try_iter_concurrent) |
///
/// The asynchronous methods need the cargo feature `tokio`, which is on by default. A value that the workload finds
/// out itself, such as an accuracy, is recorded by [`record`](Run::record), together with a measuring method or
/// without one.
///
/// The workload runs once for each process and each instrument, and does not know for which. A workload that is
/// limited in `p99`, `allocs` and `rss` runs in one process for its latency, in a second where allocations are
/// counted, and in a third whose memory is read.
#[derive(Debug)]
pub struct Run {
    request: Request,
    instrument: WorkerInstrument,
    /// How this binary gets an allocator that counts.
    allocator: &'static str,
    process: ProcessRun,
    recorded: ByMetric<(f64, u32)>,
    method: MethodState,
    #[cfg(feature = "tokio")]
    executor: Option<asynchronous::Executor>,
    /// The first failure, kept in case the workload ignores it.
    failure: Option<Failed>,
}

/// The progress of the one measuring method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MethodState {
    None,
    Begun(&'static str),
    Done(&'static str),
}

impl Run {
    /// Returns the value that the budget gives the parameter `name`, as an integer, a float, a `bool` or a `String`.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// fn sum(run: &mut Run) -> Result<(), Failed> {
    ///     let n: u64 = run.param("n")?; // params = { n = 1000 }
    ///     let kind = run.param::<String>("kind")?; // params = { kind = "even" }
    ///     let step = if kind == "even" { 2 } else { 1 };
    ///     run.iter(|| (0..n).step_by(step).sum::<u64>())
    /// }
    /// ```
    ///
    /// # Errors
    /// If the budget does not give the parameter, or gives a value that is not of this type.
    pub fn param<T: Parameter>(&self, name: &str) -> Result<T, Failed> {
        param::param(&self.request.params, name)
    }

    /// Says that each call of the operation does `count` operations, such as a batch that is handled at once, or the
    /// frames of a film. `throughput` counts them, in operations per second. Latencies and allocations stay those of
    /// one call.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// fn parse_lines(run: &mut Run) -> Result<(), Failed> {
    ///     let text = "17\n42\n".repeat(500);
    ///     run.ops(1000).try_iter(|| text.lines().map(str::parse::<u32>).collect::<Result<Vec<_>, _>>())
    /// }
    /// ```
    ///
    /// Call it before the measuring method, with a count of at least 1; otherwise that method fails.
    pub fn ops(&mut self, count: u64) -> &mut Self {
        self.set_work("ops", count, Work::Operations(count as f64))
    }

    /// Says that each call of the operation handles `count` bytes: `throughput` is then in bytes per second.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// fn checksum(run: &mut Run) -> Result<(), Failed> {
    ///     let bytes = vec![7_u8; 1 << 20];
    ///     run.bytes(1 << 20).iter(|| bytes.iter().fold(0_u32, |sum, &byte| sum.rotate_left(1) ^ u32::from(byte)))
    /// }
    /// ```
    ///
    /// Call it before the measuring method, with a count of at least 1; otherwise that method fails.
    pub fn bytes(&mut self, count: u64) -> &mut Self {
        self.set_work("bytes", count, Work::Bytes(count as f64))
    }

    /// Records a value of the workload's own, such as an accuracy, a hit rate or a depth. If it is recorded several
    /// times, the mean counts. The budget gives its unit; a value without one is a number.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// fn cache(run: &mut Run) -> Result<(), Failed> {
    ///     let (hits, lookups) = (912.0, 1000.0); // found out by replaying a trace
    ///     run.record("hit_rate", hits / lookups) // min = { hit_rate = 0.9 }
    /// }
    /// ```
    ///
    /// # Errors
    /// If the value is negative or not finite, if the name is empty, or if it is the name of a metric that the
    /// harness measures itself.
    pub fn record(&mut self, name: impl Into<String>, value: f64) -> Result<(), Failed> {
        self.record_value(&name.into(), value)
    }

    fn record_value(&mut self, name: &str, value: f64) -> Result<(), Failed> {
        let metric = metric_named(name).filter(|metric| metric.custom_name().is_some());
        let Some(metric) = metric.filter(|_| !name.is_empty()) else {
            let text = format!(
                "failed to record `{name}`: the harness measures that itself, or no metric has such \
                 a name; record it under another one"
            );
            return Err(self.failed(Failed::new(Cause::WorkloadFailed, text)));
        };
        if !valid(value) {
            let text = format!(
                "`{}` recorded {value} as `{name}`: a value is finite and not negative",
                self.request.workload
            );
            return Err(self.failed(Failed::new(Cause::InvalidReading, text)));
        }
        let injected = self.request.injection.filter(|injection| {
            injection.effect == Effect::Recorded && self.request.metrics.contains(&metric)
        });
        let value = injected.map_or(value, |injection| injection.recorded(value));
        let sum = self.recorded.or_default(&metric);
        *sum = (sum.0 + value, sum.1 + 1);
        Ok(())
    }

    fn set_work(&mut self, method: &str, count: u64, work: Work) -> &mut Self {
        let wrong = match (count, self.method) {
            (0, _) => Some("an operation counts for at least 1"),
            (_, MethodState::None) => None,
            _ => Some("call it before the measuring method"),
        };
        match wrong {
            None => self.process.work = work,
            Some(why) => {
                let text = format!("failed to apply `{method}({count})`: {why}");
                self.failed(Failed::from(text));
            }
        }
        self
    }

    /// Keeps the first failure, in case the workload ignores the error that it is given.
    fn failed(&mut self, failed: Failed) -> Failed {
        self.failure.get_or_insert_with(|| failed.clone());
        failed
    }

    fn new(request: Request) -> Result<Self, Unmeasured> {
        let instrument = request.instrument()?;
        if instrument == WorkerInstrument::Fuel {
            fuel::begin();
        }
        if instrument == WorkerInstrument::Instructions {
            instructions::begin();
        }
        Ok(Run {
            request,
            instrument,
            allocator: heap::REMEDY,
            process: ProcessRun::default(),
            recorded: ByMetric::new(),
            method: MethodState::None,
            #[cfg(feature = "tokio")]
            executor: None,
            failure: None,
        })
    }

    /// Returns what was measured, if it is what was asked for, once the workload has returned.
    fn conclude(mut self, returned: Result<(), Failed>) -> Result<ProcessRun, Unmeasured> {
        let workload = &self.request.workload;
        if let Some(Failed(why)) = self.failure.or(returned.err()) {
            return Err(if why.cause == Cause::WorkloadFailed {
                Unmeasured { text: format!("workload `{workload}`: {}", why.text), ..why }
            } else {
                why
            });
        }
        if let MethodState::Begun(method) = self.method {
            let text = format!(
                "workload `{workload}` broke off `{method}` and returned as if it had not: a panic in \
                 it was caught; let it through"
            );
            return Err(Unmeasured::new(Cause::MeasuredNothing, text));
        }
        for (metric, (sum, count)) in self.recorded.rows() {
            self.process.values.insert(metric.clone(), sum / f64::from(*count));
        }
        let records_some = self.process.values.keys().any(|key| key.custom_name().is_some());
        for metric in &self.request.metrics {
            let own = metric.slope_of().unwrap_or(metric).custom_name();
            // A value that was not recorded does not concern the others. The harness reports what is missing in the reply.
            if own.is_none() || !records_some {
                check_measured(metric, &self.process, self.method, workload)?;
            }
        }
        if self.method == MethodState::None && self.process.values.is_empty() {
            return Err(Unmeasured::new(Cause::MeasuredNothing, measured_nothing(workload)));
        }
        Ok(self.process)
    }
}

/// Returns what `name` means as a metric of a workload.
fn metric_named(name: &str) -> Option<Metric> {
    Metric::of(SubjectKind::Workload, name).filter(|_| !name.starts_with("scaling_"))
}

fn measured_nothing(workload: &str) -> String {
    format!(
        "workload `{workload}` measured nothing: it called no measuring method (`run.iter`, \
         `run.hold`, …)"
    )
}

/// Fails if a metric that was asked for is not in the process run.
fn check_measured(
    metric: &Metric,
    process: &ProcessRun,
    method: MethodState,
    workload: &str,
) -> Result<(), Unmeasured> {
    let metric = metric.slope_of().unwrap_or(metric);
    let is_measured = match metric.sample() {
        SampleKind::Batch if !process.batches.is_empty() => true,
        SampleKind::Operation => !process.operations.is_empty(),
        SampleKind::File
        | SampleKind::Batch
        | SampleKind::Rate
        | SampleKind::Failure
        | SampleKind::Run
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => process.values.contains_key(metric),
    };
    if is_measured {
        return Ok(());
    }
    let (cause, text) = match (metric.custom_name(), method) {
        (Some(name), _) => {
            let text = format!(
                "workload `{workload}` did not record `{name}`, which its budget limits (it recorded nothing)"
            );
            (Cause::MeasuredNothing, text)
        }
        (_, MethodState::None) => (Cause::MeasuredNothing, measured_nothing(workload)),
        _ if metric.sample() == SampleKind::Rate && !process.batches.is_empty() => {
            let text = format!(
                "an operation of workload `{workload}` takes no time that can be measured: was it \
                 optimised away?"
            );
            (Cause::Unresolvable, text)
        }
        _ => {
            let why = process.notes.last().map_or("no operation succeeded", String::as_str);
            let text = format!("workload `{workload}` gave no {metric}: {why}");
            (Cause::MeasuredNothing, text)
        }
    };
    Err(Unmeasured::new(cause, text))
}
