//! What every measuring method does: it chooses the instrument, runs the loop, and keeps what was measured.

use std::any::type_name;

use perf_budget_core::metric::{SampleKind, WorkerInstrument};

use super::drive::{Certain, Failures, Given, Operation, Outcome, Policy, drive};
use super::open_loop::{Monotonic, arrive};
use super::{Failed, MethodState, Run};
use crate::instrument::injected::Injected;
use crate::instrument::laps::{Instrument, Repeat};
use crate::instrument::load::arrivals::Arrivals;
use crate::instrument::time::Time;
use crate::instrument::{self, Asked};
#[cfg(unix)]
use crate::worker::pair::Responder;

impl Run {
    pub(super) fn build<K: Outcome<O>, O, B: FnOnce() -> O>(
        &mut self,
        method: &'static str,
        build: B,
    ) -> Result<(), Failed> {
        let mut build = Some(build);
        // An instrument that builds once asks for one lap, and so for one input.
        let input = || build.take().expect("a value is built once");
        self.measure::<K, _, _>(method, Repeat::Once, input, Given(|build: B| build()))
    }

    pub(super) fn plain<I, O>(
        &mut self,
        method: &'static str,
        setup: impl FnMut() -> I,
        op: impl Operation<I, O>,
    ) -> Result<(), Failed> {
        self.refuse_unread::<O>(method)?;
        self.measure::<Certain, _, _>(method, Repeat::Looped, setup, op)
    }

    pub(super) fn measure<K: Outcome<O>, I, O>(
        &mut self,
        method: &'static str,
        repeat: Repeat,
        setup: impl FnMut() -> I,
        op: impl Operation<I, O>,
    ) -> Result<(), Failed> {
        let (mut watching, mut failures) = self.begin(method, repeat)?;
        match &mut watching {
            Watching::Time(time) => drive::<K, _, _, _>(&mut **time, &mut failures, setup, op),
            Watching::Other(instrument) => {
                drive::<K, _, _, _>(&mut **instrument, &mut failures, setup, op);
            }
            Watching::Arrivals(arrivals) => {
                let op = op.slowed(self.request.injection);
                arrive::<K, _, _, _>(arrivals, &mut failures, Monotonic::start, setup, op);
            }
        }
        self.end(method, watching, &failures)
    }

    pub(super) fn begin(
        &mut self,
        method: &'static str,
        repeat: Repeat,
    ) -> Result<(Watching, Failures), Failed> {
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
        let most = self.request.max_operations;
        let injection = self.request.injection;
        let (metrics, slice) = (self.request.metrics.as_slice(), self.request.slice);
        let timed = self.instrument == WorkerInstrument::Time;
        let watching = match &self.request.load {
            #[cfg(unix)]
            _ if timed && self.request.paired => {
                Responder::new(repeat).map(|instrument| Watching::Other(Box::new(instrument)))
            }
            Some(load) if timed => {
                let arrivals = Arrivals::asked(load, slice, most, injection);
                Ok(Watching::Arrivals(Box::new(arrivals)))
            }
            // The usual one, so that its loop is compiled for it alone.
            None if timed && injection.is_none() => {
                Ok(Watching::Time(Box::new(Time::new(metrics, slice, most, repeat))))
            }
            _ => {
                let asked = Asked { metrics, slice, most, repeat };
                instrument::begin(self.instrument, &asked).map(Watching::Other)
            }
        };
        let watching = watching.map_err(|why| self.failed(Failed(why)))?;
        let watching = match (watching, injection) {
            (Watching::Other(instrument), Some(injection)) => {
                Watching::Other(Box::new(Injected::new(instrument, injection)))
            }
            (watching, _) => watching,
        };
        self.method = MethodState::Begun(method);
        Ok((watching, failures))
    }

    pub(super) fn end(
        &mut self,
        method: &'static str,
        watching: Watching,
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
        let finished = match watching {
            Watching::Time(mut time) => time.finish(&mut self.process),
            Watching::Other(mut instrument) => instrument.finish(&mut self.process),
            Watching::Arrivals(arrivals) => {
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

    /// A load that the method would not put on.
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

    /// An outcome that hides whether, or when, the operation did its work is refused.
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

/// The instrument that watches: the one whose speed matters is known to the loop by its type.
pub(super) enum Watching {
    Time(Box<Time>),
    Other(Box<dyn Instrument>),
    /// What comes when it is due has loops of its own.
    Arrivals(Box<Arrivals>),
}
