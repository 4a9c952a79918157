//! The clock, and the run queue: how long an operation took, and how much of that it only waited.
//!
//! On a busy machine a thread that is ready to run waits for a processor, and a wall clock counts that
//! as latency. Linux keeps the exact time each thread has waited (`schedstat`); taken off the wall
//! clock it leaves what the operation itself took, blocking and sleeping included. Reading it costs a
//! microsecond or two, so it is read only after something that took long enough to have waited, and
//! never inside the timed part.

use std::time::{Duration, Instant};

use perf_budget_core::reading::Clock;

use crate::os::usage::Usage;

/// Waits shorter than this are not looked for: reading them would cost as much.
const WORTH_ASKING: Duration = Duration::from_micros(20);
/// A reading of the run queue that took longer than this was itself interrupted.
const INTERRUPTED: Duration = Duration::from_micros(50);
/// The longest that a reading of the run queue is relied upon as the state before an operation.
const FRESH: Duration = Duration::from_millis(1);

/// Times laps: starts, stops, and says what happened between.
pub(crate) struct Stopwatch {
    started: Instant,
    ended: Instant,
    /// Later than this, the last reading of the run queue is too old for the next lap.
    stale: Instant,
    queue: Option<Queue>,
    usage: Option<Usage>,
    cost: Duration,
    cpu_cost: Duration,
}

/// What one lap took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Reading {
    /// Elapsed seconds, less the cost of the clock.
    pub(crate) wall: f64,
    /// Seconds of it in which the thread waited for a processor; 0 where it hardly did.
    pub(crate) waited: f64,
    /// Processor seconds of the whole process, and its context switches, where they were asked for.
    pub(crate) usage: Option<(f64, u64)>,
}

impl Stopwatch {
    /// A stopwatch that knows its own cost. Takes well under a millisecond.
    pub(crate) fn calibrated() -> Self {
        let now = Instant::now();
        let mut watch = Stopwatch {
            started: now,
            ended: now,
            stale: now,
            queue: Queue::open(),
            usage: None,
            cost: Duration::ZERO,
            cpu_cost: Duration::ZERO,
        };
        let mut empty = |usage| {
            watch.start(usage);
            std::hint::black_box(());
            watch.stop()
        };
        // The calmest of several rounds: too little taken off makes no operation look fast.
        let calmest = |round: &mut dyn FnMut() -> Vec<f64>| {
            let middles = (0..20).map(|_| median(&mut round()));
            Duration::from_secs_f64(middles.fold(f64::INFINITY, f64::min))
        };
        let cost = calmest(&mut || (0..251).map(|_| empty(false).wall).collect());
        let cpu_cost = calmest(&mut || {
            (0..21).filter_map(|_| empty(true).usage.map(|usage| usage.0)).collect()
        });
        Stopwatch { cost, cpu_cost, ..watch }
    }

    /// What this clock costs and can tell apart.
    pub(crate) fn clock(&self) -> Clock {
        let mut before = Instant::now();
        let steps = (0..1000).map(|_| {
            let now = Instant::now();
            now.duration_since(std::mem::replace(&mut before, now))
        });
        let least = steps.filter(|step| !step.is_zero()).min().unwrap_or(Duration::ZERO);
        Clock { cost: self.cost.as_secs_f64(), resolution: least.as_secs_f64() }
    }

    /// Whether time spent waiting for a processor can be told.
    pub(crate) fn sees_waiting(&self) -> bool {
        self.queue.is_some()
    }

    /// When the last lap ended.
    pub(crate) fn ended(&self) -> Instant {
        self.ended
    }

    /// How long a lap must be for its clock readings to be at most a hundredth of it, in seconds: at the least half of what
    /// makes a lap worth asking whether it waited, as up to there nothing but the clock is read.
    pub(crate) fn negligible(&self, usage: bool) -> f64 {
        let cost = if usage { self.cpu_cost.max(self.cost) } else { self.cost };
        (100 * cost).max(WORTH_ASKING / 2).as_secs_f64()
    }

    /// Starts a lap. The last thing it does is to read the clock.
    #[inline]
    pub(crate) fn start(&mut self, usage: bool) {
        self.usage = if usage { Usage::now() } else { None };
        self.started = Instant::now();
        if self.started >= self.stale {
            self.refresh();
            self.started = Instant::now();
        }
    }

    /// Ends a lap. The first thing it does is to read the clock.
    #[inline]
    pub(crate) fn stop(&mut self) -> Reading {
        self.ended = Instant::now();
        let usage = self.usage.take().and_then(|before| Some(Usage::now()?.since(&before)));
        let wall = self.ended.duration_since(self.started);
        let mut quiet = self.ended;
        let mut waited = Duration::ZERO;
        if let Some(queue) = &mut self.queue {
            if wall > WORTH_ASKING {
                waited = queue.waited_until(self.ended).min(wall);
                quiet = queue.read_at;
            }
            self.stale = (quiet + WORTH_ASKING).min(queue.read_at + FRESH);
        } else {
            self.stale = quiet + Duration::from_secs(1 << 30);
        }
        Reading {
            wall: wall.saturating_sub(self.cost).as_secs_f64(),
            waited: if waited > WORTH_ASKING { waited.as_secs_f64() } else { 0.0 },
            usage: usage
                .map(|(cpu, switches)| ((cpu - self.cpu_cost.as_secs_f64()).max(0.0), switches)),
        }
    }

    #[cold]
    fn refresh(&mut self) {
        if let Some(queue) = &mut self.queue {
            for _ in 0..3 {
                let begun = Instant::now();
                queue.read();
                if queue.read_at.duration_since(begun) < INTERRUPTED {
                    break;
                }
            }
        }
    }
}

/// The time this thread has waited for a processor, from `/proc/thread-self/schedstat`.
struct Queue {
    #[cfg(target_os = "linux")]
    file: std::fs::File,
    /// Nanoseconds waited since the thread began, at the last reading.
    waited: u64,
    /// When that was.
    read_at: Instant,
}

impl Queue {
    /// The time waited since the last reading, as far as it cannot have been after `end`.
    fn waited_until(&mut self, end: Instant) -> Duration {
        let before = self.waited;
        self.read();
        let waited = Duration::from_nanos(self.waited.saturating_sub(before));
        let tail = self.read_at.duration_since(end);
        if tail > INTERRUPTED { waited.saturating_sub(tail) } else { waited }
    }
}

#[cfg(target_os = "linux")]
impl Queue {
    /// `None` where the kernel does not keep it.
    fn open() -> Option<Self> {
        let file = std::fs::File::open("/proc/thread-self/schedstat").ok()?;
        let mut queue = Queue { file, waited: 0, read_at: Instant::now() };
        queue.read().then_some(queue)
    }

    /// Takes a reading; a reading that fails leaves the one before.
    fn read(&mut self) -> bool {
        use std::os::unix::fs::FileExt;
        let mut text = [0; 80];
        let read = self.file.read_at(&mut text, 0).unwrap_or(0);
        self.read_at = Instant::now();
        let second = text[..read].split(|&b| b == b' ').nth(1);
        let waited = second.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        self.waited = waited.unwrap_or(self.waited);
        waited.is_some()
    }
}

#[cfg(not(target_os = "linux"))]
impl Queue {
    fn open() -> Option<Self> {
        None
    }

    #[expect(clippy::unused_self, reason = "as where there is something to read")]
    fn read(&mut self) -> bool {
        false
    }
}

/// The middle value; 0 of nothing.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lap_is_at_least_as_long_as_what_it_holds() {
        let mut watch = Stopwatch::calibrated();
        watch.start(false);
        std::thread::sleep(Duration::from_millis(2));
        let reading = watch.stop();
        // Sleeping is no waiting for a processor: it stays in, whatever is taken off.
        assert!(reading.wall >= 0.002 - 1e-4, "{reading:?}");
        assert!(reading.wall - reading.waited >= 0.0019, "{reading:?}");
        assert_eq!(reading.usage, None);
    }

    #[test]
    fn the_clock_is_known() {
        let clock = Stopwatch::calibrated().clock();
        assert!(clock.cost > 0.0 && clock.resolution > 0.0, "{clock:?}");
    }

    #[test]
    fn the_middle_value() {
        assert_eq!(median(&mut []).to_bits(), 0.0_f64.to_bits());
        assert_eq!(median(&mut [3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
    }
}
