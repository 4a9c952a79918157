//! The stopwatch: how long an operation took, and how much of that time it only waited for a processor.
//!
//! On a busy machine a thread that is ready to run waits for a processor, and a wall clock counts that wait as
//! latency. Linux keeps the exact time that each thread has waited (`schedstat`). Subtracted from the wall clock, it
//! leaves what the operation itself took, blocking and sleeping included. To read it costs a microsecond or two, so
//! it is read only after something that took long enough to have waited, and never inside the timed part.

use std::time::{Duration, Instant};

use perf_budget_core::reading::Clock;

use crate::os::traffic::{Counter, Traffic};
use crate::os::usage::{Usage, Used};

/// The waiting time of a shorter lap is not read, because the reading would cost as much as the lap.
const WORTH_ASKING: Duration = Duration::from_micros(20);
/// A reading of the run queue that took longer than this was itself interrupted.
const INTERRUPTED: Duration = Duration::from_micros(50);
/// The longest time for which a reading of the run queue stands for the state before an operation.
const FRESH: Duration = Duration::from_millis(1);

/// A stopwatch for laps: it starts, it stops, and it says what happened in between.
pub(crate) struct Stopwatch {
    started: Instant,
    ended: Instant,
    /// After this moment the last reading of the run queue is too old for the next lap.
    stale: Instant,
    queue: Option<RunQueue>,
    usage: Option<Usage>,
    /// The counter of bytes, where those are asked for.
    bytes: Option<Counter>,
    /// The bytes at the start of the lap.
    moved: Option<Traffic>,
    cost: Duration,
    cpu_cost: Duration,
}

/// The reading of one lap.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct StopwatchReading {
    /// The elapsed seconds, minus the cost of the clock.
    pub(crate) wall: f64,
    /// The seconds of it in which the thread waited for a processor; 0 if that was hardly any.
    pub(crate) waited: f64,
    /// The resources that the whole process used, if that was asked for.
    pub(crate) usage: Option<Used>,
}

impl Stopwatch {
    /// Makes a stopwatch that knows its own cost. This takes well under a millisecond.
    pub(crate) fn calibrated() -> Self {
        let now = Instant::now();
        let mut watch = Stopwatch {
            started: now,
            ended: now,
            stale: now,
            queue: RunQueue::open(),
            usage: None,
            bytes: None,
            moved: None,
            cost: Duration::ZERO,
            cpu_cost: Duration::ZERO,
        };
        let mut empty = |usage| {
            watch.start(usage);
            std::hint::black_box(());
            watch.stop()
        };
        // The calmest of several rounds counts: if too little is subtracted, no operation looks faster than it is.
        let calmest = |round: &mut dyn FnMut() -> Vec<f64>| {
            let middles = (0..20).map(|_| median(&mut round()));
            Duration::from_secs_f64(middles.fold(f64::INFINITY, f64::min))
        };
        let cost = calmest(&mut || (0..251).map(|_| empty(false).wall).collect());
        let cpu_cost = calmest(&mut || {
            (0..21).filter_map(|_| empty(true).usage.map(|usage| usage.cpu)).collect()
        });
        Stopwatch { cost, cpu_cost, ..watch }
    }

    /// Makes every lap that reads the usage also count the bytes that were read and written, if the system counts them.
    pub(crate) fn count_bytes(&mut self) {
        self.bytes = Counter::open();
    }

    /// Returns what this clock costs, and the shortest difference that it can show.
    pub(crate) fn clock(&self) -> Clock {
        let mut before = Instant::now();
        let steps = (0..1000).map(|_| {
            let now = Instant::now();
            now.duration_since(std::mem::replace(&mut before, now))
        });
        let least = steps.filter(|step| !step.is_zero()).min().unwrap_or(Duration::ZERO);
        Clock { cost: self.cost.as_secs_f64(), resolution: least.as_secs_f64() }
    }

    /// Whether the stopwatch can tell how long a lap waited for a processor.
    pub(crate) fn sees_waiting(&self) -> bool {
        self.queue.is_some()
    }

    /// Returns when the last lap ended.
    pub(crate) fn ended(&self) -> Instant {
        self.ended
    }

    /// Returns how long a lap must be, in seconds, for the clock readings to be at most a hundredth of it. It is at
    /// least half of [`WORTH_ASKING`], because up to there only the clock is read.
    pub(crate) fn negligible(&self, usage: bool) -> f64 {
        let cost = if usage { self.cpu_cost.max(self.cost) } else { self.cost };
        (100 * cost).max(WORTH_ASKING / 2).as_secs_f64()
    }

    /// Starts a lap. Its last action is to read the clock.
    #[inline]
    pub(crate) fn start(&mut self, usage: bool) {
        self.moved = if usage { self.bytes_so_far() } else { None };
        self.usage = if usage { Usage::now() } else { None };
        self.started = Instant::now();
        if self.started >= self.stale {
            self.refresh();
            self.started = Instant::now();
        }
    }

    /// Ends a lap. Its first action is to read the clock.
    #[inline]
    pub(crate) fn stop(&mut self) -> StopwatchReading {
        self.ended = Instant::now();
        let mut usage = self.usage.take().and_then(|before| Some(Usage::now()?.since(&before)));
        if let (Some(used), Some(before)) = (&mut usage, self.moved.take()) {
            used.traffic = self.bytes_so_far().map(|now| now - before);
        }
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
        StopwatchReading {
            wall: wall.saturating_sub(self.cost).as_secs_f64(),
            waited: if waited > WORTH_ASKING { waited.as_secs_f64() } else { 0.0 },
            usage: usage.map(|used| {
                let cpu = (used.cpu - self.cpu_cost.as_secs_f64()).max(0.0);
                Used { cpu, ..used }
            }),
        }
    }

    /// Returns the bytes that this process has read and written so far, without what the stopwatch itself has read.
    fn bytes_so_far(&mut self) -> Option<Traffic> {
        let mut moved = self.bytes.as_mut()?.now()?;
        let own = self.queue.as_ref().map_or(0, |queue| queue.own);
        moved.read = moved.read.saturating_sub(own);
        Some(moved)
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
struct RunQueue {
    #[cfg(target_os = "linux")]
    file: std::fs::File,
    /// The nanoseconds that the thread had waited since it began, at the last reading.
    waited: u64,
    /// When the last reading was taken.
    read_at: Instant,
    /// The bytes that the readings themselves have read so far.
    own: u64,
}

impl RunQueue {
    /// Returns the time waited since the last reading, without what may have been after `end`.
    fn waited_until(&mut self, end: Instant) -> Duration {
        let before = self.waited;
        self.read();
        let waited = Duration::from_nanos(self.waited.saturating_sub(before));
        let tail = self.read_at.duration_since(end);
        if tail > INTERRUPTED { waited.saturating_sub(tail) } else { waited }
    }
}

#[cfg(target_os = "linux")]
impl RunQueue {
    /// Opens the file; returns `None` if the kernel does not keep it.
    fn open() -> Option<Self> {
        let file = std::fs::File::open("/proc/thread-self/schedstat").ok()?;
        let mut queue = RunQueue { file, waited: 0, read_at: Instant::now(), own: 0 };
        queue.read().then_some(queue)
    }

    /// Takes a reading; if it fails, the reading before stays.
    fn read(&mut self) -> bool {
        use std::os::unix::fs::FileExt;
        let mut text = [0; 80];
        let read = self.file.read_at(&mut text, 0).unwrap_or(0);
        self.own += read as u64;
        self.read_at = Instant::now();
        let second = text[..read].split(|&b| b == b' ').nth(1);
        let waited = second.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        self.waited = waited.unwrap_or(self.waited);
        waited.is_some()
    }
}

#[cfg(not(target_os = "linux"))]
impl RunQueue {
    fn open() -> Option<Self> {
        None
    }

    #[expect(clippy::unused_self, reason = "the same signature as on Linux")]
    fn read(&mut self) -> bool {
        false
    }
}

/// Returns the middle value; 0 if there are no values.
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
    fn a_lap_is_at_least_as_long_as_its_content() {
        let mut watch = Stopwatch::calibrated();
        watch.start(false);
        std::thread::sleep(Duration::from_millis(2));
        let reading = watch.stop();
        // A sleep is not a wait for a processor: it stays in the result.
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
