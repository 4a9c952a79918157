//! The bytes that are allocated, in a profile. While the harness is profiled, its counting allocator tells each size by calls of
//! functions that each stand for one bit of the size.

use crate::callgrind::is_allocator;

/// The module of the harness with a function for each bit.
const BITS: &str = "perf_budget::instrument::marked::";
/// The function of the counting allocator that calls these.
const COUNT: &str = "perf_budget::instrument::heap::count";
/// The allocator's own functions, as implementations of a trait too.
const HEAP: &str = "perf_budget::instrument::heap::";

/// Whether a function only tells sizes, so that its instructions are part of the profiling.
pub(super) fn tells_sizes(name: &str) -> bool {
    name == COUNT || name.starts_with(BITS)
}

/// Returns the bytes that one call of a function stands for.
pub(super) fn bytes(name: &str) -> Option<f64> {
    let bit: u32 = name.strip_prefix(BITS)?.strip_prefix("bit_")?.parse().ok()?;
    1_u64.checked_shl(bit).map(|bytes| bytes as f64)
}

/// Returns the chain of a function that tells sizes, without the allocator's own functions: it begins with the function that
/// allocates.
pub(super) fn without_allocator(chain: &[String]) -> &[String] {
    let of_allocator =
        chain.iter().rposition(|name| is_allocator(name) || tells_sizes(name) || is_part(name));
    &chain[of_allocator.map_or(0, |at| at + 1)..]
}

/// Whether a function is a part of Rust's allocator: one that the compiler makes for the program's own allocator, or an implementation
/// of it. Which of these functions a profile shows depends on what the compiler inlines.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with("__rustc::")
        || name.contains(HEAP)
        || name.contains(" as core::alloc::global::GlobalAlloc>::")
        || name.starts_with("std::sys::alloc::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_stands_for_a_bit_and_belongs_to_what_called_the_allocator() {
        let of = |bit: &str| bytes(&format!("perf_budget::instrument::marked::{bit}"));
        assert_eq!(
            (of("bit_0"), of("bit_10"), of("bit_47")),
            (Some(1.0), Some(1024.0), Some(2_f64.powi(47)))
        );
        assert_eq!((of("mark"), of("bit_99"), bytes("bit_3")), (None, None, None));
        assert!(tells_sizes(COUNT) && !tells_sizes("malloc"));
        let names = |chain: &[&str]| chain.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        let whole = names(&[COUNT, "__rustc::__rust_alloc", "reserve", "work::post"]);
        assert_eq!(without_allocator(&whole), &whole[2..]);
        let heap =
            "<perf_budget::instrument::heap::Heap as core::alloc::global::GlobalAlloc>::alloc";
        // The compiler may inline the allocator into the function that allocates, as it may with optimisation across crates.
        let inlined = names(&["perf_budget::instrument::marked::mark", COUNT, heap, "work::post"]);
        assert_eq!(without_allocator(&inlined), &inlined[3..]);
        assert_eq!(without_allocator(&inlined[1..2]), &[] as &[String]);
    }
}
