//! Criterion, whose benchmarks [perf-budget](https://docs.rs/perf-budget) measures as workloads.
//!
//! One line of `Cargo.toml` puts it in Criterion's place; no benchmark changes:
//!
//! ```toml
//! [dev-dependencies]
//! criterion = { package = "perf-budget-criterion", version = "0.8" }
//! ```
//!
//! The version is Criterion's: 0.5, 0.6, 0.7 or 0.8.
//!
//! Under `cargo bench`, and under everything else but a harness of perf-budget, each call goes to Criterion. In a process
//! that such a harness has started, Criterion only chooses the benchmark that is asked for, and perf-budget's instruments
//! run its routine: so a budget on it can limit percentiles, throughput, allocations and memory, and compares with a base
//! by operations that alternate within microseconds.
//!
//! - `iter` drops what the routine returns within the measured part, and every other method outside of it, as in Criterion.
//! - `iter_custom` tells its own time, so that it has no other metrics.
//! - Criterion's settings (`sample_size`, `measurement_time` and the like) decide nothing in such a process: how much is
//!   measured depends on the limit.
//! - A measurement other than [`WallTime`](measurement::WallTime) is refused there, with its name.
//!
//! The cargo feature `heap`, which is on by default, counts allocations by a global allocator, which otherwise costs one
//! relaxed load for each call. If the benchmarks have a `#[global_allocator]` of their own, the two do not compile
//! together: turn `heap` off, and let that allocator be a `perf_budget::Heap` around the other.

#[cfg(feature = "async")]
mod asynchronous;
mod bencher;
mod group;
mod macros;
mod process;
mod settings;

#[cfg(feature = "async")]
pub use criterion::async_executor;
pub use criterion::{
    AxisScale, BatchSize, BenchmarkFilter, BenchmarkId, PlotConfiguration, PlottingBackend,
    SamplingMode, Throughput, measurement, profiler, runner,
};
pub use std::hint::black_box;

#[cfg(feature = "async")]
pub use crate::asynchronous::AsyncBencher;
pub use crate::bencher::Bencher;
pub use crate::group::{BenchmarkGroup, IntoBenchmarkId};
pub use crate::settings::Criterion;

/// The items that the macros use.
#[doc(hidden)]
pub mod __private {
    pub use crate::process::finish;
}

#[cfg(feature = "heap")]
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();
