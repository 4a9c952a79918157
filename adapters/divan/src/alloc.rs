//! Divan's allocator, within the one that perf-budget counts by.
//!
//! An allocator cannot be written without `unsafe`. This one forwards every call unchanged.

#![expect(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait; every method only forwards")]

use std::alloc::{GlobalAlloc, Layout, System};

use perf_budget::Heap;

/// The allocator that counts; see [`divan::AllocProfiler`].
#[derive(Debug, Default)]
pub struct AllocProfiler<A = System> {
    inner: Heap<divan::AllocProfiler<A>>,
}

impl AllocProfiler {
    /// Counts what the system's allocator does.
    #[must_use]
    pub const fn system() -> Self {
        Self::new(System)
    }
}

impl<A> AllocProfiler<A> {
    /// Counts what `alloc` does.
    pub const fn new(alloc: A) -> Self {
        AllocProfiler { inner: Heap::of(divan::AllocProfiler::new(alloc)) }
    }
}

// SAFETY: every method passes its arguments on unchanged and returns what it got.
unsafe impl<A: GlobalAlloc> GlobalAlloc for AllocProfiler<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the inner allocator.
        unsafe { self.inner.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the inner allocator.
        unsafe { self.inner.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are those of the inner allocator.
        unsafe { self.inner.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those of the inner allocator.
        unsafe { self.inner.dealloc(ptr, layout) }
    }
}
