//! The totals of noise: the amounts of all processes so far, and what they amount to for a limit.

use crate::metric::Statistic;
use crate::outcome::Noise;
use crate::outcome::noise::{Clock, StallShare};
use crate::reading::{Interference, Lag, ProcessRun, Timing};
use crate::stats::{Sample, order};

/// The noise of all processes so far.
#[derive(Debug, Clone, Default)]
pub(super) struct NoiseTotals {
    outside: Rate,
    stolen: Rate,
    cpu: Rate,
    memory: Rate,
    io: Rate,
    throttled: Option<(u64, f64)>,
    /// The time spent waiting for a processor.
    waited: Rate,
    preempted: Rate,
    /// The number of processes whose times contain waiting, and the number that were timed at all.
    by_wall: usize,
    timed: usize,
    /// The processors to which processes were pinned, sorted and without duplicates.
    pinned: Vec<usize>,
    processes: usize,
    /// How late the generator of a load was in each process.
    lags: Vec<Lag>,
}

/// An amount, and the time in which it was read. Processes that do not report it are left out of both.
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

    /// Returns the amount per second of its time; `None` if nothing was read.
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

    /// Returns the share of the measured time that was spent waiting for a processor.
    pub(super) fn waited(&self) -> Option<f64> {
        self.waited.get()
    }

    /// Returns the number of involuntary context switches.
    pub(super) fn preempted(&self) -> Option<u64> {
        self.preempted.get().map(|_| self.preempted.amount as u64)
    }

    /// Returns how late the generator of a load was itself, in the median process: its 99th percentile, or its maximum
    /// for a limit on the maximum. `None` without a load.
    pub(super) fn lag(&self, statistic: Statistic) -> Option<f64> {
        let of = |lag: &Lag| if statistic == Statistic::Max { lag.max } else { lag.p99 };
        let lags = Sample::new(self.lags.iter().map(of).collect()).ok()?;
        order::quantile(&lags, 0.5)
    }

    /// Names the processors to which processes were pinned; each process had one of them.
    fn places(&self) -> Option<String> {
        let names: Vec<_> = self.pinned.iter().map(ToString::to_string).collect();
        match &names[..] {
            [] => None,
            [processor] => Some(format!("processor {processor}")),
            several => Some(format!("one of the processors {}", several.join(", "))),
        }
    }

    /// Returns the noise of all processes together.
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
            // This is the clock by which most processes were judged, since another thread may have happened to work in
            // a few of them.
            clock: (self.timed > 0).then(|| {
                if self.by_wall * 2 > self.timed { Clock::Wall } else { Clock::LessWaiting }
            }),
            pinned: self.places(),
            processes: self.processes,
        }
    }
}
