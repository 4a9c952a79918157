//! The heap: a counting allocator, and what an operation allocates, holds and leaks.
//!
//! An allocator cannot be written without `unsafe`. This one forwards every call unchanged to the allocator inside,
//! and counts only while an operation is measured for a heap metric. While the process is profiled, it passes sizes to
//! callgrind instead. At all other times it costs one relaxed load per call. Its tests also run under Miri: `.ci/run miri`.

#![expect(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait; every method only forwards")]
#![expect(
    clippy::cast_possible_wrap,
    reason = "no heap has 2^63 bytes, and no block more than isize"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::time::{Duration, Instant};

use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::instrument::laps::{Instrument, Remaining, Repeat};
use crate::instrument::marked;
use crate::os::threads::is_only_thread;

/// The allocator that makes heap metrics possible: it counts what another allocator does.
///
/// ```
/// #[global_allocator]
/// static HEAP: perf_budget::Heap = perf_budget::Heap::system();
/// # fn main() {}
/// ```
///
/// What is counted, and how:
///
/// - the calls of all threads of the process, while an operation is measured for a heap metric and
///   at no other time;
/// - `alloc` and `alloc_zeroed`: one allocation of the size asked for;
/// - `realloc`: one allocation of the new size, as dhat counts it, while live bytes change by the
///   difference only: memory that is moved is not live twice;
/// - bytes as they were asked for. What the allocator adds, rounds up or keeps is part of `rss`.
///
/// Memory that does not come from Rust's global allocator (C libraries, `mmap`) is not seen.
#[derive(Debug, Default)]
pub struct Heap<A = System> {
    inner: A,
}

impl Heap {
    /// Counts what the system's allocator does, which is Rust's default one.
    pub const fn system() -> Self {
        Heap::of(System)
    }
}

impl<A> Heap<A> {
    /// Counts what `inner` does: the allocator that the project ships with.
    ///
    /// ```
    /// # type Mimalloc = std::alloc::System;
    /// # #[allow(non_upper_case_globals)]
    /// # const Mimalloc: Mimalloc = std::alloc::System;
    /// #[global_allocator]
    /// static HEAP: perf_budget::Heap<Mimalloc> = perf_budget::Heap::of(Mimalloc);
    /// # fn main() {}
    /// ```
    pub const fn of(inner: A) -> Self {
        Heap { inner }
    }
}

static COUNTING: AtomicBool = AtomicBool::new(false);
/// Whether sizes are passed to callgrind instead of being counted.
static MARKING: AtomicBool = AtomicBool::new(false);
static ALLOCS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// The counts so far, of all threads.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) allocs: u64,
    pub(super) bytes: u64,
    pub(super) live: i64,
    pub(super) peak: i64,
}

impl Counted {
    pub(super) fn now() -> Self {
        Counted {
            allocs: ALLOCS.load(Relaxed),
            bytes: BYTES.load(Relaxed),
            live: LIVE.load(Relaxed),
            peak: PEAK.load(Relaxed),
        }
    }
}

#[cold]
#[inline(never)]
fn count(allocated: Option<usize>, change: i64) {
    if MARKING.load(Relaxed) {
        if let Some(size) = allocated {
            marked::mark(size);
        }
        return;
    }
    let live = LIVE.fetch_add(change, Relaxed) + change;
    if let Some(size) = allocated {
        ALLOCS.fetch_add(1, Relaxed);
        BYTES.fetch_add(size as u64, Relaxed);
        PEAK.fetch_max(live, Relaxed);
    }
}

// SAFETY: every method passes its arguments on unchanged and returns what it got; counting only touches atomics, and
// neither allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Heap<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the inner allocator.
        let block = unsafe { self.inner.alloc(layout) };
        if COUNTING.load(Relaxed) && !block.is_null() {
            count(Some(layout.size()), layout.size() as i64);
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if COUNTING.load(Relaxed) && !block.is_null() {
            count(Some(layout.size()), layout.size() as i64);
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        let moved = unsafe { self.inner.realloc(block, layout, size) };
        if COUNTING.load(Relaxed) && !moved.is_null() {
            count(Some(size), size as i64 - layout.size() as i64);
        }
        moved
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.inner.dealloc(block, layout) }
        if COUNTING.load(Relaxed) {
            count(None, -(layout.size() as i64));
        }
    }
}

/// From now on, passes the size of each allocation to callgrind, which profiles the functions of this process.
pub(super) fn mark() {
    MARKING.store(true, Relaxed);
    COUNTING.store(true, Relaxed);
}

/// How the test binary of a project gets an allocator that counts.
pub(crate) const REMEDY: &str = "add to the file with `main`\n\
    \x20   #[global_allocator]\n\
    \x20   static HEAP: perf_budget::Heap = perf_budget::Heap::system();";

/// The number of operations that are counted. It is always the same, so that an operation that allocates only
/// sometimes, as a growing vector does, has the same mean every time.
const OPERATIONS: usize = 10;

/// The instrument that counts what operations allocate.
pub(crate) struct Allocations {
    remaining: Remaining,
    /// The live bytes before the inputs were made.
    base: i64,
    before: (u64, u64),
    lap: Counts,
    laps: Vec<Counts>,
}

/// The changes of the heap by one operation. Live bytes are counted from before its input was made.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    allocs: u64,
    bytes: u64,
    held: i64,
    peak: i64,
    left: i64,
}

impl Allocations {
    /// Makes the instrument. It fails if the binary has another global allocator; `remedy` says how it gets the one that counts.
    pub(crate) fn new(repeat: Repeat, most: usize, remedy: &str) -> Result<Self, Unmeasured> {
        let counted = ALLOCS.load(Relaxed);
        COUNTING.store(true, Relaxed);
        drop(std::hint::black_box(Box::new(0_u64)));
        COUNTING.store(false, Relaxed);
        if ALLOCS.load(Relaxed) == counted {
            let text = format!(
                "failed to count allocations: this binary has no counting allocator; {remedy}"
            );
            return Err(Unmeasured::new(Cause::Unsupported, text));
        }
        Ok(Allocations::started(repeat, most))
    }

    fn started(repeat: Repeat, most: usize) -> Self {
        let remaining = Remaining::new(repeat, 1, OPERATIONS.min(most.max(1)));
        let laps = Vec::with_capacity(remaining.counted());
        Allocations { remaining, base: 0, before: (0, 0), lap: Counts::default(), laps }
    }
}

/// The time without anything freed after which the rest counts as leaked.
const QUIET: Duration = Duration::from_millis(20);
/// The longest time that is waited for frees.
const PATIENCE: Duration = Duration::from_millis(500);

/// Returns the bytes that are live beyond `base`. Another thread may still free what it was given. So while there are other
/// threads and something is left, this waits until nothing more is freed. It returns what is live then, and not the least that
/// was ever live, since the heap of another thread may go up and down by itself.
fn left_after(base: i64) -> i64 {
    let live = || LIVE.load(Relaxed) - base;
    let mut lowest = live();
    if lowest <= 0 || is_only_thread() {
        return lowest;
    }
    let began = Instant::now();
    let mut freed = began;
    while freed.elapsed() < QUIET && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
        let now = live();
        if now == 0 {
            return 0;
        }
        if now < lowest {
            (lowest, freed) = (now, Instant::now());
        }
    }
    live()
}

impl Instrument for Allocations {
    fn next(&mut self) -> Option<usize> {
        let next = self.remaining.next()?;
        COUNTING.store(true, Relaxed);
        self.base = LIVE.load(Relaxed);
        Some(next)
    }

    fn start(&mut self) {
        self.before = (ALLOCS.load(Relaxed), BYTES.load(Relaxed));
        PEAK.store(LIVE.load(Relaxed), Relaxed);
    }

    fn stop(&mut self) {
        let live = LIVE.load(Relaxed);
        self.lap = Counts {
            allocs: ALLOCS.load(Relaxed) - self.before.0,
            bytes: BYTES.load(Relaxed) - self.before.1,
            held: live - self.base,
            peak: PEAK.load(Relaxed).max(live) - self.base,
            left: 0,
        };
    }

    fn record(&mut self, _operations: usize, failed: usize) {
        let left = left_after(self.base);
        COUNTING.store(false, Relaxed);
        if self.remaining.passes() && failed == 0 {
            self.laps.push(Counts { left, ..self.lap });
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        COUNTING.store(false, Relaxed);
        let Some(first) = self.laps.first() else { return Ok(()) };
        let count = self.laps.len() as f64;
        let mut insert = |key: Key, value: fn(&Counts) -> i64| {
            let sum: i64 = self.laps.iter().map(value).sum();
            let mean = sum as f64 / count;
            let metric = Metric::from(key);
            if mean < 0.0 {
                let text = format!("{metric} fell by {} B: counted as 0", -mean);
                process.notes.push(text);
            }
            process.values.insert(metric, mean.max(0.0));
        };
        insert(Key::Allocs, |lap| lap.allocs as i64);
        insert(Key::AllocBytes, |lap| lap.bytes as i64);
        insert(Key::Heap, |lap| lap.held);
        insert(Key::PeakHeap, |lap| lap.peak);
        insert(Key::Leaked, |lap| lap.left);
        if self.laps.iter().any(|lap| lap != first) {
            let most = self.laps.iter().map(|lap| lap.allocs).max().unwrap_or(0);
            let least = self.laps.iter().map(|lap| lap.allocs).min().unwrap_or(0);
            process.notes.push(format!(
                "heap: mean of {count} operations that differ ({least} to {most} allocations)"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "heap_tests.rs"]
mod tests;
