//! The part that all measuring methods share: it chooses the instrument, runs the loop, and keeps what was measured.

use std::any::type_name;

use perf_budget_core::metric::{SampleKind, WorkerInstrument};

use super::drive::{ByValue, CannotFail, Failures, Operation, Outcome, Policy, drive};
use super::open_loop::{Monotonic, arrive};
use super::{Failed, MethodState, Run};
use crate::instrument::injected::Injected;
use crate::instrument::laps::{Instrument, Repeat};
use crate::instrument::load::arrivals::Arrivals;
use crate::instrument::time::Time;
use crate::instrument::{self, Settings};
#[cfg(unix)]
use crate::worker::pair::Responder;

impl Run {
    /// Measures the building of a value, which is then held.
    pub(super) fn build<K: Outcome<O>, O, B: FnOnce() -> O>(
        &mut self,
        method: &'static str,
        build: B,
    ) -> Result<(), Failed> {
        let mut build = Some(build);
        // An instrument that measures a value once asks for one lap, and so for one input.
        let input = || build.take().expect("a value is built once");
        self.measure::<K, _, _>(method, Repeat::Once, input, ByValue(|build: B| build()))
    }

    /// Measures an operation that cannot fail, repeatedly.
    pub(super) fn plain<I, O>(
        &mut self,
        method: &'static str,
        setup: impl FnMut() -> I,
        op: impl Operation<I, O>,
    ) -> Result<(), Failed> {
        self.refuse_unread::<O>(method)?;
        self.measure::<CannotFail, _, _>(method, Repeat::Looped, setup, op)
    }

    /// Measures an operation: begins, runs the loop of the instrument, and ends.
    pub(super) fn measure<K: Outcome<O>, I, O>(
        &mut self,
        method: &'static str,
        repeat: Repeat,
        setup: impl FnMut() -> I,
        op: impl Operation<I, O>,
    ) -> Result<(), Failed> {
        let (mut watcher, mut failures) = self.begin(method, repeat)?;
        match &mut watcher {
            Watcher::Time(time) => drive::<K, _, _, _>(&mut **time, &mut failures, setup, op),
            Watcher::Other(instrument) => {
                drive::<K, _, _, _>(&mut **instrument, &mut failures, setup, op);
            }
            Watcher::Arrivals(arrivals) => {
                let op = op.slowed(self.request.injection);
                arrive::<K, _, _, _>(arrivals, &mut failures, Monotonic::start, setup, op);
            }
        }
        self.end(method, watcher, &failures)
    }

    /// Begins the one measurement of this process: chooses the instrument, and what happens if operations fail.
    pub(super) fn begin(
        &mut self,
        method: &'static str,
        repeat: Repeat,
    ) -> Result<(Watcher, Failures), Failed> {
        if let MethodState::Begun(before) | MethodState::Done(before) = self.method {
            let text = format!(
                "`{method}` was called after `{before}`: a workload measures one thing; register a \
                 second workload for the other"
            );
            return Err(self.failed(Failed::from(text)));
        }
        self.refuse_load(method, repeat)?;
        let counts =
            self.request.metrics.iter().any(|metric| metric.sample() == SampleKind::Failure);
        let counted = repeat == Repeat::Looped && counts;
        let failures = Failures::new(if counted { Policy::Counted } else { Policy::Fatal });
        let max_operations = self.request.max_operations;
        let injection = self.request.injection;
        let (metrics, slice) = (self.request.metrics.as_slice(), self.request.slice);
        let sampling = self.request.sampling.as_ref();
        let timed = self.instrument == WorkerInstrument::Time && sampling.is_none();
        let watcher = match &self.request.load {
            #[cfg(unix)]
            _ if timed && self.request.paired => {
                Responder::new(repeat).map(|instrument| Watcher::Other(Box::new(instrument)))
            }
            Some(load) if timed => {
                let arrivals = Arrivals::for_load(load, slice, max_operations, injection);
                Ok(Watcher::Arrivals(Box::new(arrivals)))
            }
            // The most frequent case has its own variant, so that its loop is compiled for it.
            None if timed && injection.is_none() => {
                Ok(Watcher::Time(Box::new(Time::new(metrics, slice, max_operations, repeat))))
            }
            _ => {
                let counting = self.request.counting.as_ref();
                let dumps =
                    counting.map(|counting| (counting.dumps.as_path(), counting.is_profile));
                let allocator = self.allocator;
                let settings =
                    Settings { metrics, slice, max_operations, repeat, dumps, allocator, sampling };
                instrument::begin(self.instrument, &settings).map(Watcher::Other)
            }
        };
        let watcher = watcher.map_err(|why| self.failed(Failed(why)))?;
        let watcher = match (watcher, injection) {
            (Watcher::Other(instrument), Some(injection)) => {
                Watcher::Other(Box::new(Injected::new(instrument, injection)))
            }
            (watcher, _) => watcher,
        };
        self.method = MethodState::Begun(method);
        Ok((watcher, failures))
    }

    /// Ends the measurement, and writes what was measured to the process run.
    pub(super) fn end(
        &mut self,
        method: &'static str,
        watcher: Watcher,
        failures: &Failures,
    ) -> Result<(), Failed> {
        self.method = MethodState::Done(method);
        let (failed, operations) = (failures.count, failures.operations);
        let first = failures.first.text();
        if failures.ended() {
            let text = match method {
                "try_hold" => format!("failed to build the value to hold: {first}"),
                _ => format!(
                    "operation {operations} failed: {first}; failures are counted where the budget \
                     limits `error_rate`"
                ),
            };
            return Err(self.failed(Failed::from(text)));
        }
        let finished = match watcher {
            Watcher::Time(mut time) => time.finish(&mut self.process),
            Watcher::Other(mut instrument) => instrument.finish(&mut self.process),
            Watcher::Arrivals(arrivals) => {
                arrivals.finish(&mut self.process);
                Ok(())
            }
        };
        if failed > 0 {
            let text = format!("{failed} of {operations} operations failed; the first: {first}");
            self.process.notes.push(text);
        }
        finished.map_err(|why| self.failed(Failed(why)))
    }

    /// Refuses a load that the method would not apply.
    fn refuse_load(&mut self, method: &'static str, repeat: Repeat) -> Result<(), Failed> {
        let Some(load) = &self.request.load else { return Ok(()) };
        let text = if repeat == Repeat::Once {
            format!(
                "`{method}` builds one value, and the budget has a load: use `iter`, or drop `load`"
            )
        } else if load.concurrency > 1 && !method.ends_with("iter_concurrent") {
            format!(
                "the load has {} operations in flight, and `{method}` runs one at a time: use \
                 `iter_concurrent`, or drop `concurrency`",
                load.concurrency
            )
        } else {
            return Ok(());
        };
        Err(self.failed(Failed::from(text)))
    }

    /// Refuses an output that hides whether, or when, the operation did its work.
    pub(super) fn refuse_unread<O>(&mut self, method: &'static str) -> Result<(), Failed> {
        let name = type_name::<O>();
        let text = if name.starts_with("core::result::Result<") {
            format!(
                "the operation of `{method}` returns a Result: use `try_{method}`, so that a failing \
                 operation is not measured as a fast one"
            )
        } else if name.ends_with("{{closure}}") || name.contains("dyn core::future") {
            format!(
                "the operation of `{method}` returns a future or a closure, which nobody runs: use \
                 `iter_async` for a future, and call a closure"
            )
        } else {
            return Ok(());
        };
        Err(self.failed(Failed::from(text)))
    }
}

/// The instrument of a measurement. The instrument whose own speed matters has its own variant, so that the loop is compiled
/// for it.
pub(super) enum Watcher {
    Time(Box<Time>),
    Other(Box<dyn Instrument>),
    /// An open-loop load, which has loops of its own.
    Arrivals(Box<Arrivals>),
}
