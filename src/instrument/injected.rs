//! An instrument with an effect injected into what it watches. The effect is there before the instrument stops, and
//! goes away, or stays, as the regression that it imitates would.

use std::hint::{black_box, spin_loop};
use std::time::{Duration, Instant};

use perf_budget_core::metric::Effect;
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::heap;
use crate::inject::Injection;
use crate::instrument::laps::Instrument;
#[cfg(target_os = "linux")]
use crate::os::calls;
#[cfg(target_os = "linux")]
use crate::os::kernel;
#[cfg(unix)]
use crate::os::traffic;
use crate::os::{memory, valgrind};

/// The shortest sleep there is, which causes one context switch.
const SHORTEST: Duration = Duration::from_nanos(1);
/// The size of the blocks in which growing memory is allocated; beside it the allocator's own overhead is small.
const GRAIN: f64 = 4096.0;

/// An instrument, and what is injected into its laps.
pub(crate) struct Injected<G: ?Sized> {
    injection: Injection,
    /// The time between two readings of the clock, which does not count as injected.
    clock: Duration,
    started: Instant,
    before: heap::Counted,
    live: i64,
    resident: u64,
    /// The fraction of a failure, a block or a byte that has not been injected yet.
    due: f64,
    held: Vec<u8>,
    lap: usize,
    /// The instructions of one lap, once they are known.
    own: Option<f64>,
    inner: Box<G>,
}

impl<G: Instrument + ?Sized> Injected<G> {
    pub(crate) fn new(inner: Box<G>, injection: Injection) -> Self {
        let readings: Vec<Instant> = (0..64).map(|_| Instant::now()).collect();
        let between = readings.windows(2).map(|two| two[1] - two[0]);
        Injected {
            injection,
            clock: between.min().unwrap_or_default(),
            started: Instant::now(),
            before: heap::Counted::default(),
            live: 0,
            resident: 0,
            due: 0.0,
            held: Vec::new(),
            lap: 1,
            own: None,
            inner,
        }
    }

    /// Adds `more` to the fraction that is due, and takes the whole part out of it.
    fn take_whole(&mut self, more: f64) -> usize {
        self.due += more;
        let whole = self.due.floor();
        self.due -= whole;
        whole as usize
    }

    /// Works, or pauses, for the injected share of the lap's time.
    fn wait(&self) {
        let took = self.started.elapsed();
        let more = Duration::from_secs_f64(self.injection.added(took.as_secs_f64()));
        if self.injection.effect == Effect::Pause {
            return std::thread::sleep(more);
        }
        let until = self.started + took + more.saturating_sub(self.clock);
        while Instant::now() < until {
            spin_loop();
        }
    }

    fn apply(&mut self) {
        if self.injection.effect == Effect::Instructions {
            // As long as the value is not known, the share of it is 0. This only concerns the first laps, which are not
            // part of the value.
            return valgrind::spend(self.injection.added(self.own.unwrap_or(0.0)) as u64);
        }
        #[cfg(target_os = "linux")]
        if self.injection.effect == Effect::Calls {
            let calls = self.take_whole(self.injection.amount * self.lap as f64);
            return calls::spend(calls as u64);
        }
        let now = heap::Counted::now();
        let injection = self.injection;
        match injection.effect {
            Effect::Work | Effect::Pause => self.wait(),
            Effect::Switches => {
                let count = self.take_whole(injection.amount * self.lap as f64);
                (0..count).for_each(|_| std::thread::sleep(SHORTEST));
            }
            Effect::Allocations => {
                let own = (now.allocs - self.before.allocs) as f64;
                for _ in 0..injection.added(own).ceil() as usize {
                    drop(black_box(Box::new(0_u8)));
                }
            }
            Effect::Allocated => {
                let own = (now.bytes - self.before.bytes) as f64;
                drop(block(injection.added(own)));
            }
            Effect::Held => self.held = block(injection.added((now.live - self.live) as f64)),
            Effect::Peak => {
                let peak = (now.peak.max(now.live) - self.live) as f64;
                let below = (now.peak - now.live).max(0) as f64;
                drop(block(injection.added(peak) + below));
            }
            Effect::Leak => std::mem::forget(block(injection.amount)),
            Effect::Resident => {
                let now = memory::resident().unwrap_or(0);
                let own = now.saturating_sub(self.resident) as f64;
                self.held = touched(injection.added(own));
            }
            Effect::ResidentPeak => {
                let (now, peak) = (memory::resident().unwrap_or(0), memory::peak());
                let own = peak.saturating_sub(self.resident) as f64;
                drop(touched(injection.added(own) + peak.saturating_sub(now) as f64));
            }
            Effect::Growth => {
                self.due += injection.amount * self.lap as f64;
                if self.due >= GRAIN {
                    std::mem::forget(touched(self.due));
                    self.due = 0.0;
                }
            }
            #[cfg(target_os = "linux")]
            Effect::Faults => {
                let pages = self.take_whole(injection.amount * self.lap as f64);
                // An effect that fails is not seen, and the selftest says so.
                let _ = kernel::touch_fresh_pages(pages);
            }
            #[cfg(unix)]
            Effect::Read => {
                let bytes = self.take_whole(injection.amount * self.lap as f64);
                let _ = traffic::read_zeros(bytes as u64);
            }
            #[cfg(unix)]
            Effect::Written => {
                let bytes = self.take_whole(injection.amount * self.lap as f64);
                let _ = traffic::write_to_nowhere(bytes as u64);
            }
            #[cfg(not(target_os = "linux"))]
            Effect::Faults => {}
            #[cfg(not(unix))]
            Effect::Read | Effect::Written => {}
            Effect::Instructions
            | Effect::Calls
            | Effect::Failures
            | Effect::Recorded
            | Effect::Bytes
            | Effect::Exit => {}
        }
    }
}

/// Allocates a block of this many bytes, rounded up; an empty one allocates nothing.
fn block(bytes: f64) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes.ceil() as usize))
}

/// Allocates the same, and writes to every page of it.
fn touched(bytes: f64) -> Vec<u8> {
    black_box(vec![1; bytes.ceil() as usize])
}

impl<G: Instrument + ?Sized> Instrument for Injected<G> {
    fn next(&mut self) -> Option<usize> {
        let next = self.inner.next()?;
        self.lap = next;
        self.live = heap::Counted::now().live;
        if matches!(self.injection.effect, Effect::Resident | Effect::ResidentPeak) {
            self.resident = memory::resident().unwrap_or(0);
        }
        Some(next)
    }

    fn start(&mut self) {
        // Where instructions or system calls are counted, nothing but what is injected may be added to them.
        if matches!(self.injection.effect, Effect::Instructions | Effect::Calls) {
            return self.inner.start();
        }
        self.inner.start();
        self.before = heap::Counted::now();
        self.started = Instant::now();
    }

    fn stop(&mut self) {
        self.apply();
        self.inner.stop();
    }

    #[cfg(feature = "internals")]
    fn stop_after(&mut self, took: Duration) {
        self.apply();
        self.inner.stop_after(took);
    }

    fn record(&mut self, operations: usize, failed: usize) {
        self.held = Vec::new();
        let mut failed = failed;
        if self.injection.effect == Effect::Failures {
            failed += self.take_whole(self.injection.amount * operations as f64);
        }
        self.inner.record(operations, failed.min(operations));
        if self.own.is_none() && self.injection.effect == Effect::Instructions {
            let injected = self.injection.added(0.0);
            self.own = self.inner.counted().map(|counted| counted - injected);
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        self.inner.finish(process)
    }
}
