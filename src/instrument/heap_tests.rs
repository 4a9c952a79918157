//! The counting allocator, called directly: what it forwards and what it counts, with Miri as a further check.
//!
//! Under Miri it is also the global allocator, so that every vector, text and thread of these tests goes through it
//! and is checked. Elsewhere it is not, because the other tests of this binary, which run at the same time, would be
//! counted.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;

#[cfg(miri)]
#[global_allocator]
static HEAP: Heap = Heap::system();

/// Takes the lock that lets one test run at a time: the counters belong to the whole process.
fn lock_counters() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns what is counted while `work` runs.
fn counted(work: impl FnOnce()) -> (u64, u64, i64) {
    let before = Counted::now();
    COUNTING.store(true, Relaxed);
    work();
    COUNTING.store(false, Relaxed);
    let after = Counted::now();
    (after.allocs - before.allocs, after.bytes - before.bytes, after.live - before.live)
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

/// Fills a block over its whole length and reads it again; Miri would refuse an access beyond its ends.
fn fill(block: *mut u8, size: usize, value: u8) {
    // SAFETY: the block was allocated with this size and is not freed before this returns.
    let bytes = unsafe {
        block.write_bytes(value, size);
        std::slice::from_raw_parts(block, size)
    };
    assert!(bytes.iter().all(|&byte| byte == value));
}

#[test]
fn every_call_is_counted_as_it_is_documented() {
    let _lock = lock_counters();
    let heap = Heap::system();
    let (small, wide) = (layout(24, 8), layout(4096, 4096));
    let found = counted(|| {
        // SAFETY: each block is used within its size and freed once, with the layout that it has by then.
        unsafe {
            let block = heap.alloc(small);
            fill(block, 24, 7);
            let grown = heap.realloc(block, small, 100);
            assert_eq!(std::slice::from_raw_parts(grown, 24), [7; 24], "what was there is kept");
            fill(grown, 100, 8);
            let shrunk = heap.realloc(grown, layout(100, 8), 10);
            fill(shrunk, 10, 9);
            let zeroed = heap.alloc_zeroed(wide);
            assert_eq!(zeroed.addr() % 4096, 0, "the alignment is handed on");
            assert!(std::slice::from_raw_parts(zeroed, 4096).iter().all(|&byte| byte == 0));
            heap.dealloc(zeroed, wide);
            heap.dealloc(shrunk, layout(10, 8));
        }
    });
    // A reallocation is an allocation of the new size, but only the difference is added to the live bytes.
    assert_eq!(found, (4, 24 + 100 + 10 + 4096, 0));
}

#[test]
fn nothing_is_counted_while_nothing_is_measured() {
    let _lock = lock_counters();
    let heap = Heap::system();
    let before = Counted::now();
    // SAFETY: the block is freed once, with its layout.
    unsafe {
        let block = heap.alloc(layout(16, 8));
        let block = heap.realloc(block, layout(16, 8), 32);
        heap.dealloc(block, layout(32, 8));
        let block = heap.alloc_zeroed(layout(16, 8));
        heap.dealloc(block, layout(16, 8));
    }
    let after = Counted::now();
    let numbers = |counted: Counted| (counted.allocs, counted.bytes, counted.live, counted.peak);
    assert_eq!(numbers(after), numbers(before));
}

/// A block that was allocated before counting began is freed, so that the live bytes fall below where they began.
#[test]
fn freeing_an_older_block_only_lowers_the_live_bytes() {
    let _lock = lock_counters();
    let heap = Heap::system();
    // SAFETY: the block is freed once, with its layout.
    let found = unsafe {
        let block = heap.alloc(layout(64, 8));
        counted(|| heap.dealloc(block, layout(64, 8)))
    };
    assert_eq!(found, (0, 0, -64));
}

/// One call as the allocator inside saw it: its name, the size and alignment, and the new size.
type Call = (&'static str, usize, usize, usize);

/// An allocator that has no memory, and remembers the calls.
#[derive(Default)]
struct NoMemory(RefCell<Vec<Call>>);

impl NoMemory {
    fn note(&self, call: &'static str, layout: Layout, size: usize) -> *mut u8 {
        self.0.borrow_mut().push((call, layout.size(), layout.align(), size));
        std::ptr::null_mut()
    }
}

// SAFETY: a null pointer says that there is no memory, and a block that was never allocated need not be kept.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.note("alloc", layout, 0)
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.note("alloc_zeroed", layout, 0)
    }
    unsafe fn realloc(&self, _: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.note("realloc", layout, size)
    }
    unsafe fn dealloc(&self, _: *mut u8, layout: Layout) {
        self.note("dealloc", layout, 0);
    }
}

#[test]
fn a_failed_allocation_is_forwarded_and_not_counted() {
    let _lock = lock_counters();
    let heap = Heap::of(NoMemory(RefCell::new(Vec::with_capacity(8))));
    let mut own = [0_u8; 8];
    let found = counted(|| {
        // SAFETY: the allocator inside touches no block, whatever it is given.
        unsafe {
            assert!(heap.alloc(layout(3, 1)).is_null());
            assert!(heap.alloc_zeroed(layout(5, 4)).is_null());
            assert!(heap.realloc(own.as_mut_ptr(), layout(8, 2), 80).is_null());
        }
    });
    assert_eq!(found, (0, 0, 0));
    let calls = [("alloc", 3, 1, 0), ("alloc_zeroed", 5, 4, 0), ("realloc", 8, 2, 80)];
    assert_eq!(*heap.inner.0.borrow(), calls);
}

#[test]
fn threads_are_counted_together() {
    const THREADS: usize = 4;
    const BLOCKS: usize = 25;
    let _lock = lock_counters();
    let heap = Heap::system();
    let before = Counted::now();
    std::thread::scope(|scope| {
        let work = || {
            for size in 1..=BLOCKS {
                // SAFETY: the block is used within its size and freed once, with its layout.
                unsafe {
                    let block = heap.alloc(layout(size, 1));
                    fill(block, size, size as u8);
                    heap.dealloc(block, layout(size, 1));
                }
            }
        };
        COUNTING.store(true, Relaxed);
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().unwrap();
        }
        COUNTING.store(false, Relaxed);
    });
    let after = Counted::now();
    let found = (after.allocs - before.allocs, after.bytes - before.bytes);
    let own = (THREADS * BLOCKS, THREADS * BLOCKS * (BLOCKS + 1) / 2);
    // Under Miri, what the threads themselves allocate is counted too.
    let exact = !cfg!(miri);
    assert!(found.0 >= own.0 as u64 && (!exact || found.0 == own.0 as u64), "{found:?}");
    assert!(found.1 >= own.1 as u64 && (!exact || found.1 == own.1 as u64), "{found:?}");
    assert!(!exact || after.live == before.live, "{before:?} {after:?}");
}

/// Goes through the instrument, as the measurement of a workload does: the input is made outside of the operation,
/// and what the operation holds and leaves is counted apart.
#[test]
fn an_operation_is_counted_without_its_input() {
    let _lock = lock_counters();
    let heap = Heap::system();
    let (input, output, kept) = (layout(1000, 8), layout(300, 8), layout(7, 1));
    let mut instrument = Allocations::started(Repeat::Looped, 3);
    let mut left = Vec::with_capacity(16);
    while instrument.next().is_some() {
        // SAFETY: each block is freed once, with its layout.
        unsafe {
            let made = heap.alloc(input);
            instrument.start();
            let held = heap.alloc(output);
            left.push(heap.alloc(kept));
            heap.dealloc(made, input);
            instrument.stop();
            heap.dealloc(held, output);
        }
        instrument.record(1, 0);
    }
    let mut taken = ProcessRun::default();
    instrument.finish(&mut taken).unwrap();
    let value = |key: Key| taken.values[&Metric::from(key)];
    let found = [Key::Allocs, Key::AllocBytes, Key::Heap, Key::PeakHeap, Key::Leaked].map(value);
    assert_eq!(found.map(|value| value as i64), [2, 307, 307, 1307, 7]);
    // There is one lap for the warm-up, and three that count.
    assert_eq!((left.len(), taken.notes.len()), (4, 0), "{:?}", taken.notes);
    for block in left {
        // SAFETY: as above.
        unsafe { heap.dealloc(block, kept) };
    }
}

/// This binary has another global allocator, except under Miri.
#[test]
fn without_the_allocator_it_says_what_to_add() {
    let _lock = lock_counters();
    let refused = Allocations::new(Repeat::Looped, 1, REMEDY).err();
    assert_eq!(refused.is_none(), cfg!(miri));
    assert!(refused.is_none_or(|why| why.text.contains("#[global_allocator]")));
}
