//! The counters that are increased on the way.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A tally of words.
#[derive(Default)]
pub struct Tally {
    words: AtomicU64,
    guard: Mutex<u64>,
}

impl Tally {
    /// Counts one word.
    #[inline(never)]
    pub fn add(&self) {
        self.words.fetch_add(1, Ordering::Relaxed);
        if cfg!(feature = "lock") {
            *self.guard.lock().unwrap() += 1;
        }
    }

    /// Ends a document.
    #[inline(never)]
    pub fn tick(&self) -> u64 {
        if cfg!(feature = "system_call") {
            std::hint::black_box(std::fs::metadata("/").is_ok());
        }
        self.words.load(Ordering::Relaxed)
    }
}
