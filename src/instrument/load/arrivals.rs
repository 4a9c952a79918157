//! The results of the operations of an open-loop load: their latency, counted from when they were due, and how late
//! the generator itself was.
//!
//! It reads no clock; the caller passes the times. If latency were counted from the moment at which an operation was
//! sent, the wait of the operations behind a slow one would be missing. That wait is most of what a slow operation costs
//! ("coordinated omission", Tene 2013).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use perf_budget_core::budget::Load;
use perf_budget_core::metric::{Effect, Key};
use perf_budget_core::reading::{Lag, ProcessRun, Timing, Work};
use perf_budget_core::stats::{Sample, order};

use super::schedule::Schedule;
use crate::inject::Injection;
use crate::instrument::clock::Stopwatch;

/// The least time, in seconds, in which a queue may be worked off after the last operation was due.
const LEAST_DRAIN: f64 = 1.0;

/// The times of one operation, in seconds on the clock of the schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// From this time on the operation could have started, if it was due.
    pub(crate) free: f64,
    pub(crate) started: f64,
    pub(crate) ended: f64,
}

/// The collector of the results of a schedule's operations.
pub(crate) struct Arrivals {
    load: Load,
    schedule: Schedule,
    /// NaN for an operation that has not ended, or has failed.
    latencies: Vec<f64>,
    lags: Vec<f64>,
    failed: usize,
    /// How many operations have ended, the warm-up included, and when the last one did.
    ended: usize,
    last: f64,
    /// The number of operations that were never started, and the shortest time that one of them had waited.
    unstarted: Option<(usize, f64)>,
    /// The effect that a selftest injects, and the fraction of a failure that has not been injected yet.
    injection: Option<(Injection, f64)>,
}

impl Arrivals {
    pub(crate) fn new(load: Load, schedule: Schedule) -> Arrivals {
        let measured = schedule.due.len() - schedule.warm;
        Arrivals {
            load,
            latencies: vec![f64::NAN; measured],
            // The room is allocated before it is needed.
            lags: Vec::with_capacity(measured),
            schedule,
            failed: 0,
            ended: 0,
            last: 0.0,
            unstarted: None,
            injection: None,
        }
    }

    /// Makes the collector of a load that goes on through a `slice`, with at most this many operations, and with what a
    /// selftest injects. Poisson arrivals differ from process to process.
    pub(crate) fn for_load(
        load: &Load,
        slice: Duration,
        max_operations: usize,
        injection: Option<Injection>,
    ) -> Arrivals {
        let seed = RandomState::new().build_hasher().finish();
        let schedule = Schedule::new(load, seed, slice.as_secs_f64(), max_operations);
        let injection = injection.filter(|injection| injection.effect == Effect::Failures);
        let injection = injection.map(|injection| (injection, 0.0));
        Arrivals { injection, ..Arrivals::new(load.clone(), schedule) }
    }

    /// Returns the number of operations, the warm-up included.
    pub(crate) fn len(&self) -> usize {
        self.schedule.due.len()
    }

    /// Returns when the n-th operation is due.
    pub(crate) fn due(&self, n: usize) -> f64 {
        self.schedule.due[n]
    }

    /// Returns how many operations may be in flight.
    #[cfg(feature = "tokio")]
    pub(crate) fn concurrency(&self) -> usize {
        self.load.concurrency as usize
    }

    /// Whether the queue is so long that no more of its operations are started.
    pub(crate) fn is_overloaded(&self, now: f64) -> bool {
        let Schedule { begins, ends, .. } = self.schedule;
        now > ends + (ends - begins).max(LEAST_DRAIN)
    }

    /// Records that the n-th operation has ended.
    pub(crate) fn record(&mut self, n: usize, span: Span, failed: bool) {
        self.last = self.last.max(span.ended);
        self.ended += 1;
        let Some(at) = n.checked_sub(self.schedule.warm) else { return };
        let due = self.schedule.due[n];
        self.lags.push((span.started - due.max(span.free)).max(0.0));
        let mut injected = false;
        if let Some((injection, due)) = &mut self.injection {
            *due += injection.amount;
            injected = *due >= 1.0;
            *due -= f64::from(u8::from(injected));
        }
        if failed || injected {
            self.failed += 1;
        } else {
            self.latencies[at] = span.ended - due;
        }
    }

    /// Records that the operations from the n-th on will not be started: they count with the time that they have
    /// waited.
    pub(crate) fn give_up(&mut self, n: usize, now: f64) {
        let first = n.max(self.schedule.warm);
        let due = &self.schedule.due[first..];
        let Some(latest) = due.last() else { return };
        self.unstarted = Some((due.len(), now - latest));
        for (latency, due) in self.latencies[first - self.schedule.warm..].iter_mut().zip(due) {
            *latency = now - due;
        }
    }

    /// Writes what was measured to `process`.
    pub(crate) fn finish(self, process: &mut ProcessRun) {
        let begins = self.schedule.begins;
        let ends = self.schedule.ends.max(self.last);
        let latencies: Vec<f64> = self.latencies.into_iter().filter(|v| !v.is_nan()).collect();
        let started = self.lags.len();
        let succeeded = (started - self.failed) as f64;
        if !latencies.is_empty() {
            let mean = latencies.iter().sum::<f64>() / latencies.len() as f64;
            process.values.insert(Key::Mean, mean);
        }
        let (Work::Operations(work) | Work::Bytes(work)) = process.work;
        if started > 0 {
            process.values.insert(Key::ErrorRate, self.failed as f64 / started as f64);
            process.values.insert(Key::Throughput, work * succeeded / (ends - begins));
        } else if self.unstarted.is_some() && self.last > 0.0 {
            // No operation after the warm-up was started, so this is the rate of the warm-up.
            process.values.insert(Key::Throughput, work * self.ended as f64 / self.last);
        }
        process.operations = latencies;
        process.clock = Some(Stopwatch::calibrated().clock());
        process.timing = Some(Timing::Wall);
        process.notes.push("clock: wall, from when each operation was due".to_owned());
        process.lag = Sample::new(self.lags).ok().and_then(|lags| {
            Some(Lag { p99: order::quantile(&lags, 0.99)?, max: order::quantile(&lags, 1.0)? })
        });
        let late = process.lag.map_or(0.0, |lag| lag.p99 * 1e3);
        process
            .notes
            .push(format!("load: {}; the generator was {late:.3} ms late at p99", self.load));
        if let Some((count, least)) = self.unstarted {
            process.at_least = Some(least);
            process.notes.push(format!(
                "the load is more than the workload can take: {count} operations were never started \
                 and count as long as they had waited, {least:.3} s or longer"
            ));
        }
    }
}
