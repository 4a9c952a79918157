//! Bursts of allocations by an allocator that need not be the program's own, so that several can be compared in one
//! program.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;

/// Allocates a block for each size, writes to it, and then frees all of them, the oldest first.
///
/// `blocks` is empty before and after; its room is used again, so that nothing but the blocks is allocated.
///
/// # Panics
/// If the allocator has no memory, or a size is 0.
#[expect(
    unsafe_code,
    reason = "an allocator that is not the program's is called by the unsafe trait of allocators"
)]
pub fn burst<A: GlobalAlloc>(allocator: &A, sizes: &[usize], blocks: &mut Vec<(*mut u8, Layout)>) {
    for &size in sizes {
        let layout = Layout::array::<u8>(size).expect("sizes are small");
        assert!(size > 0, "a block has at least one byte");
        // SAFETY: the layout is not empty.
        let block = unsafe { allocator.alloc(layout) };
        assert!(!block.is_null(), "no memory for {size} bytes");
        // SAFETY: the block has at least one byte, and nobody else knows it.
        unsafe { block.write(1) };
        blocks.push((black_box(block), layout));
    }
    for (block, layout) in blocks.drain(..) {
        // SAFETY: the same allocator gave it, with this layout, and it is freed once.
        unsafe { allocator.dealloc(block, layout) };
    }
}

/// Returns `count` sizes from 16 to 512 bytes, from a fixed seed. Small sizes are more frequent.
pub fn sizes(count: usize) -> Vec<usize> {
    let mut random = fastrand::Rng::with_seed(4);
    (0..count).map(|_| 16 << random.usize(0..6).min(random.usize(0..6))).collect()
}
