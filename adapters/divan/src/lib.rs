//! Divan, whose benchmarks [perf-budget](https://docs.rs/perf-budget) measures as workloads.
//!
//! One line of `Cargo.toml` puts it in Divan's place; no benchmark changes:
//!
//! ```toml
//! [dev-dependencies]
//! divan = { package = "perf-budget-divan", version = "0.1" }
//! ```
//!
//! Under `cargo bench`, and under everything else but a harness of perf-budget, each call goes to Divan. In a process that
//! such a harness has started, Divan only chooses the benchmark that is asked for, and perf-budget's instruments run it: so
//! a budget on it can limit percentiles, throughput, allocations and memory, and compares with a base by operations that
//! alternate within microseconds.
//!
//! - What a benchmark returns is dropped outside of the measured part, as in Divan.
//! - With `threads`, the operation is measured on one thread while the others run it too. If there are several counts
//!   of threads, the highest is measured. Allocations are refused there, since those of all threads would be counted.
//! - Divan's settings (`sample_count`, `min_time` and the like) decide nothing in such a process: how much is measured depends
//!   on the limit.
//! - Heap metrics need an [`AllocProfiler`], or the cargo feature `heap`, which declares a global allocator.
//! - `count_inputs_as`, and counters of a group, do not compile.

mod alloc;
mod bencher;
mod counted;
mod process;
mod runner;

pub use divan::{black_box, black_box_drop, counter};
pub use perf_budget_divan_macros::{bench, bench_group};

pub use crate::alloc::AllocProfiler;
pub use crate::bencher::Bencher;
pub use crate::runner::{Divan, main};

/// The items that a benchmark usually imports.
pub mod prelude {
    pub use crate::counted::*;
    pub use crate::{AllocProfiler, Bencher, Divan, bench, bench_group, black_box, black_box_drop};
}

/// The items that the attributes use.
#[doc(hidden)]
pub mod __private {
    pub use crate::counted::work;
    pub use crate::process::run;
    pub use divan;
}

#[cfg(feature = "heap")]
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();
