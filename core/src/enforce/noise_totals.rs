//! The totals of noise: amounts of one process after another, and what they come to for a limit.

use crate::metric::Statistic;
use crate::outcome::Noise;
use crate::outcome::noise::{Clock, StallShare};
use crate::reading::{Interference, Lag, ProcessRun, Timing};
use crate::stats::{Sample, order};

/// What was read in all processes so far.
#[derive(Debug, Clone, Default)]
pub(super) struct NoiseTotals {
    outside: Rate,
    stolen: Rate,
    cpu: Rate,
    memory: Rate,
    io: Rate,
    throttled: Option<(u64, f64)>,
    /// Time-weighted waiting for a processor.
    waited: Rate,
    preempted: Rate,
    /// Processes whose times have waiting in them, and all that were timed.
    by_wall: usize,
    timed: usize,
    /// The processors that processes were kept on, each alone; in order, and once.
    pinned: Vec<usize>,
    processes: usize,
    /// How late the generator of a load was in each process.
    lags: Vec<Lag>,
}

/// An amount, and the time that it was read in: what a process does not tell takes no part.
#[derive(Debug, Clone, Copy, Default)]
struct Rate {
    amount: f64,
    over: f64,
}

impl Rate {
    fn add(&mut self, amount: Option<f64>, over: f64) {
        if let Some(amount) = amount {
            self.amount += amount;
            self.over += over;
        }
    }

    /// `None` where nothing was read.
    fn get(self) -> Option<f64> {
        (self.over > 0.0).then(|| (self.amount / self.over).max(0.0))
    }
}

impl NoiseTotals {
    pub(super) fn add(&mut self, process: &ProcessRun) {
        let elapsed = process.elapsed.as_secs_f64();
        self.processes += 1;
        self.waited.add(process.waited.map(|share| share * elapsed), elapsed);
        self.preempted.add(process.preempted.map(|count| count as f64), elapsed);
        self.by_wall += usize::from(process.timing == Some(Timing::Wall));
        self.timed += usize::from(process.timing.is_some());
        if let Some(processor) = process.pinned
            && let Err(at) = self.pinned.binary_search(&processor)
        {
            self.pinned.insert(at, processor);
        }
        self.lags.extend(process.lag);
        let Some(Interference { seconds, outside, stolen, pressure, throttled }) =
            process.interference
        else {
            return;
        };
        self.outside.add(outside, seconds);
        if let Some((stolen, all)) = stolen {
            self.stolen.add(Some(stolen), all);
        }
        self.cpu.add(pressure.cpu, seconds);
        self.memory.add(pressure.memory, seconds);
        self.io.add(pressure.io, seconds);
        if let Some(throttled) = throttled {
            let (periods, seconds) = self.throttled.get_or_insert_default();
            *periods += throttled.periods;
            *seconds += throttled.seconds;
        }
    }

    /// Share of the measured time spent waiting for a processor.
    pub(super) fn waited(&self) -> Option<f64> {
        self.waited.get()
    }

    /// Involuntary context switches.
    pub(super) fn preempted(&self) -> Option<u64> {
        self.preempted.get().map(|_| self.preempted.amount as u64)
    }

    /// How late the generator of a load was by itself, in the middle process, as what a statistic of
    /// latencies has of it: at the 99th percentile, or at the most. `None` without a load.
    pub(super) fn lag(&self, statistic: Statistic) -> Option<f64> {
        let of = |lag: &Lag| if statistic == Statistic::Max { lag.max } else { lag.p99 };
        let lags = Sample::new(self.lags.iter().map(of).collect()).ok()?;
        order::quantile(&lags, 0.5)
    }

    /// Where it was pinned to: one processor for each process, and another one the next time.
    fn places(&self) -> Option<String> {
        let names: Vec<_> = self.pinned.iter().map(ToString::to_string).collect();
        match &names[..] {
            [] => None,
            [one] => Some(format!("processor {one}")),
            some => Some(format!("one of the processors {}", some.join(", "))),
        }
    }

    /// What it comes to.
    pub(super) fn noise(&self) -> Noise {
        Noise {
            outside: self.outside.get(),
            steal: self.stolen.get(),
            pressure: StallShare {
                cpu: self.cpu.get(),
                memory: self.memory.get(),
                io: self.io.get(),
            },
            throttled: self.throttled.map(|(_, seconds)| seconds),
            throttled_periods: self.throttled.map(|(periods, _)| periods),
            waited: self.waited(),
            preempted: self.preempted.get(),
            // A process in which another thread happened to work is no reason to call all of them so.
            clock: (self.timed > 0).then(|| {
                if self.by_wall * 2 > self.timed { Clock::Wall } else { Clock::LessWaiting }
            }),
            pinned: self.places(),
            processes: self.processes,
        }
    }
}
