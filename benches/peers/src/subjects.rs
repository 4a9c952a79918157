//! The operations that every tool measures.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// Every subject's name.
pub(crate) const NAMES: [&str; 3] = ["empty", "hash", "sort"];

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Operations run so far. One thread counts, so that a load and a store will do.
pub(crate) fn calls() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

fn count() {
    CALLS.store(CALLS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// Nothing but the count.
pub(crate) fn empty() -> u64 {
    count();
    1
}

/// Some tens of nanoseconds.
pub(crate) fn hash() -> u64 {
    count();
    let mut hasher = DefaultHasher::new();
    std::hint::black_box([7_u64; 8]).hash(&mut hasher);
    hasher.finish()
}

/// Some microseconds on an input of its own.
pub(crate) fn sort(mut numbers: Vec<u32>) -> Vec<u32> {
    count();
    numbers.sort_unstable();
    numbers
}

/// What `sort` sorts.
pub(crate) fn numbers() -> Vec<u32> {
    (0..1000_u32).map(|n| n.wrapping_mul(2_654_435_761)).collect()
}
