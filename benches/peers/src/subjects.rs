//! The operations that every tool measures.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;

/// Every subject's name.
pub(crate) const NAMES: [&str; 3] = ["empty", "hash", "sort"];

static CALLS: AtomicU64 = AtomicU64::new(0);
/// The number of operations between two stamps.
const STRIDE: u64 = 1024;
/// The processor time that the thread had used when the last operations ran, one stamp for each stride. Unlike
/// elapsed time, it does not depend on what else the machine does.
static STAMPS: Mutex<VecDeque<Duration>> = Mutex::new(VecDeque::new());

/// Returns the nanoseconds of processor time for each of the last operations: up to a million of them, and at most
/// half of all, so that any warm-up is left out.
pub(crate) fn spent() -> f64 {
    let stamps = STAMPS.lock().expect("nobody panics with it");
    let last = (stamps.len() - 1).min(CALLS.load(Ordering::Relaxed) as usize / 2048);
    let span = stamps[stamps.len() - 1] - stamps[stamps.len() - 1 - last];
    span.as_nanos() as f64 / (last as u64 * STRIDE) as f64
}

/// Counts an operation. Only one thread counts, so a load and a store are enough.
fn count() {
    let calls = CALLS.load(Ordering::Relaxed) + 1;
    CALLS.store(calls, Ordering::Relaxed);
    if calls.is_multiple_of(STRIDE) {
        stamp();
    }
}

#[cold]
fn stamp() {
    let mut stamps = STAMPS.lock().expect("nobody panics with it");
    if stamps.len() == 1025 {
        stamps.pop_front();
    }
    stamps.push_back(ThreadTime::now().as_duration());
}

/// Does nothing but count.
pub(crate) fn empty() -> u64 {
    count();
    1
}

/// Takes some tens of nanoseconds.
pub(crate) fn hash() -> u64 {
    count();
    let mut hasher = DefaultHasher::new();
    std::hint::black_box([7_u64; 8]).hash(&mut hasher);
    hasher.finish()
}

/// Takes some microseconds, on an input of its own.
pub(crate) fn sort(mut numbers: Vec<u32>) -> Vec<u32> {
    count();
    numbers.sort_unstable();
    numbers
}

/// Returns the numbers that `sort` sorts.
pub(crate) fn numbers() -> Vec<u32> {
    (0..1000_u32).map(|n| n.wrapping_mul(2_654_435_761)).collect()
}
