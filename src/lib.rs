//! Performance budgets as tests: `budgets.toml` says what must stay small, fast and light, and
//! `cargo test --release` says whether it still is.
//!
//! # Example
//!
//! A test target with `harness = false`, in `tests/budgets.rs`:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! #[global_allocator] // only for heap metrics
//! static HEAP: perf_budget::Heap = perf_budget::Heap::system();
//!
//! fn main() -> ExitCode {
//!     perf_budget::Harness::new()
//!         .workload("sort", |run| {
//!             let n: u64 = run.param("n")?;
//!             let numbers: Vec<u64> = (0..n).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
//!             run.iter_with(|| numbers.clone(), |mut numbers| numbers.sort_unstable()) // the clone is not timed
//!         })
//!         .workload("index", |run| {
//!             let n: u64 = run.param("n")?;
//!             run.hold(|| (0..n).collect::<std::collections::BTreeSet<u64>>()) // kept while memory is read
//!         })
//!         .main()
//! }
//! ```
//!
//! Its limits, in `budgets.toml` beside `Cargo.toml`, each of which becomes a test:
//!
//! ```toml
//! [budget.sort]
//! workload = "sort"
//! params = { n = 10_000 }
//! max = { p99 = "5 ms", allocs = 0 }
//! why = "the list is sorted on every key press"
//!
//! [budget.index]
//! workload = "index"
//! params = { n = [1_000, 10_000, 100_000] }             # a list makes a test for each value
//! max = { rss = "20 MB" }
//! scaling = { over = "n", max = { heap = 1.1 } }        # the slope on a log-log scale
//!
//! [budget.module]
//! artifact = "pkg/app.wasm"
//! max = { gzip = "100 KB" }
//! ```
//!
//! # The sentence, which is the map
//!
//! > A **budget** sets **limits** on the **metrics** of a **subject**. A **meter** takes a **sample**;
//! > the sample gives an **estimate**; the estimate, held against a limit (and its **reference**), gives
//! > a **verdict**; outcomes make a **report**.
//!
//! | word | where |
//! |---|---|
//! | budget, limit, subject, reference | [`budget`]: what `budgets.toml` says, checked, with every mistake collected |
//! | metric | [`metric`]: its word, its unit, which way is better, deterministic or statistical |
//! | number with a unit | [`quantity`] |
//! | meter | [`run`] is what a workload sees of it; [`reading`] what one measurement gave, or why it gave nothing |
//! | sample, estimate | [`stats`]: evidence from numbers |
//! | verdict, outcome | [`verdict`]: the rules of judgement |
//! | report | [`report`]: renderings of outcomes |
//!
//! [`Harness`] puts them together as tests. `ARCHITECTURE.md` in the repository has the private modules too,
//! `docs/metrics.md` what each metric measures, `docs/judgement.md` how a verdict is reached.
//!
//! # What always holds
//!
//! A test of the repository (`tests/it/tidy.rs`) checks each of these on the source:
//!
//! - Arrows between modules run only downward.
//! - `stats` does not know what was measured: numbers in, numbers out, no clock, no file, no chance.
//! - `verdict` does no input or output: a verdict can be judged again from its record.
//! - Only `harness` and `progress` print, but for a worker that cannot answer any other way.
//! - Only `exec` starts processes, so that whatever is started is also ended.
//! - Only `harness` knows `libtest-mimic`.
//! - `unsafe` is in few files: the counting allocator, system calls behind safe functions, and what happens
//!   between fork and exec.
//!
//! # What is not measured
//!
//! - **Time in a debug build.** Such tests are ignored, with that reason; where `PERF_BUDGET_STRICT=1` is set
//!   they are red.
//! - **Anything against `base` where no base revision is given**, and against `lock` where nothing was accepted, or a
//!   statistical value on another machine: such limits are skipped, visibly.
//! - **Instructions, cache misses, energy, GPU time, disk and network traffic.**
//! - **What varies between processes, of a `criterion` budget.** It is what one process recorded, so that no error
//!   rate is known; and it is red unless it is younger than the sources.
//! - **Queueing, without a `load`.** Operations run one after the other, as fast as they can; how long requests
//!   queue is seen where the budget says when they are due.
//! - **The caches of a first call.** An operation is warmed up, except a value that is built and held.
//! - **WebAssembly, but through [`wasm`](self#features).** Its `fuel` is exact; its times are an interpreter's.
//! - **Memory that is not asked of Rust's allocator**, by the heap metrics; `rss` sees it.
//!
//! # Features
//!
//! | feature | adds | costs |
//! |---|---|---|
//! | `brotli`, on by default | the metric `brotli` of artifacts | four crates, a fifth more to build |
//! | `tokio`, on by default | the methods of asynchronous workloads: [`Run::iter_async`] and its siblings | two crates |
//! | `wasm` | the module `wasm`, in which workloads compile, instantiate and call WebAssembly, and the metric `fuel` | eight crates |
//! | `zstd` | the metric `zstd` of artifacts, and images whose layers are compressed with it | C is compiled |
//!
//! With `default-features = false` none is on. A limit on a metric whose feature is off is red, and an asynchronous method does not compile; both name
//! the feature.
//!
//! # Platforms
//!
//! | | Linux | macOS | Windows |
//! |---|---|---|---|
//! | artifacts | all | all | all |
//! | latency, `throughput`, `error_rate` | all; waiting for a processor is taken off single-threaded work | by the wall clock | by the wall clock |
//! | workload's `cpu`, `utilization`, `context_switches` | all | all | none |
//! | heap metrics | all | all | all |
//! | workload's `rss`, `rss_growth` | yes | yes | yes |
//! | workload's `peak_rss` | yes | no | no |
//! | command's `wall_*`, `startup_*`, `exit` | yes | yes | yes |
//! | command's `cpu`, `rss`, `peak_rss` | yes | no | no |
//! | what else the machine did | yes, as far as its kernel tells | no | no |
//! | processes that outlive their measurement | found by descent and ended | those of the process group are ended | the process itself is ended |
//!
//! What a platform cannot measure is red with that reason (cause `unsupported`), never green. Linux is where
//! the tests run; for macOS and Windows the code is only compiled, by the project's CI.
//!
//! # Minimum supported Rust version
//!
//! 1.89, as `rust-version` says. It is raised only in a minor release, with an entry in the changelog, and never
//! beyond what is half a year old.

mod base;

mod exec;
mod harness;
#[doc(hidden)]
pub mod inject;
mod instrument;
mod meter;
mod noise;
mod os;
mod progress;
pub mod run;
#[doc(hidden)]
pub mod selftest;
mod session;
pub mod subject;
#[cfg(feature = "wasm")]
pub mod wasm;
#[doc(hidden)]
pub mod worker;

pub use harness::Harness;
pub use instrument::heap::Heap;
pub use perf_budget_core::error::Error;
#[doc(hidden)]
pub use perf_budget_core::{
    budget, date, metric, outcome, quantity, reading, record, report, stats, verdict,
};
pub use run::{Failed, Run, Workload};
