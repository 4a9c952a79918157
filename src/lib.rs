//! Performance budgets as tests: `budgets.toml` says what must stay small, fast and light, and
//! `cargo test --release` says whether it still is.
//!
//! # Example
//!
//! A test target with `harness = false`, in `tests/budgets.rs`:
//!
//! ```no_run
//! #[global_allocator] // only for heap metrics
//! static HEAP: perf_budget::Heap = perf_budget::Heap::system();
//!
//! perf_budget::main!(
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
//! );
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
//! `cargo test --release --test budgets` runs them. Options after `--` are those of every Rust test: a filter, `--exact`,
//! `--list`.
//!
//! # Goals
//!
//! - **A red can be believed.** A noisy limit is judged from evidence of several fresh processes. If the code holds
//!   its limits, the chance that a suite shows any red is at most 1 %, unless `budgets.toml` says otherwise.
//! - **Nothing is green that was not measured.** A panic, a crash, a hang, and an operation that does nothing are
//!   each red, with the reason.
//! - **It is a test like any other.** Filters, `--list`, nextest and the button in the editor work.
//! - **It measures what a user would notice**: times by percentile, heap and resident memory, sizes of what is
//!   shipped, and how a metric grows with the size of its input.
//!
//! # How the pieces hang together
//!
//! > A **budget** sets **limits** on the **metrics** of a **subject**. A **meter** takes a **sample**; the sample gives an
//! > **estimate**; the estimate, held against a limit (and its **reference**), gives a **verdict**; outcomes make a **report**.
//!
//! The budgets are in `budgets.toml`. A subject is an artifact (a file, a directory, an image), a command, a benchmark
//! of Criterion, Divan or libtest, or a workload. A workload is a function that [`Harness::workload`] registers and that
//! calls one measuring method of [`Run`]. [`Harness::main`] makes a test of every limit. For each measurement of a workload it
//! starts the test binary again, so that no measurement disturbs another. Each outcome is appended to
//! `target/budgets/outcomes.jsonl`, from which the command `cargo budget` makes reports.
//!
//! | you want to | it is |
//! |---|---|
//! | register workloads, and run the tests | [`Harness`], in [`main!`] |
//! | measure an operation, read a parameter, record a value of your own | [`Run`], which has a table of the measuring methods |
//! | say why a workload cannot be measured | [`Failed`], which `?` makes of any error |
//! | limit `heap`, `peak_heap`, `allocs`, `alloc_bytes`, `leaked` | [`Heap`], as the global allocator |
//! | measure a WebAssembly module | [`wasm`](self#features), with the cargo feature of that name |
//!
//! A program that reads outcomes reads `outcomes.jsonl`, or `cargo budget report --format json`, whose schema has a version.
//!
//! The repository has pages about the rest: `docs/metrics.md` says what each metric measures and what it does not see,
//! `docs/judgement.md` how a verdict is reached, `docs/migrating.md` what the calls of Criterion and Divan are here,
//! `docs/command.md` what `cargo budget` does, and `ARCHITECTURE.md` is the map for those who work on the crate itself.
//!
//! # What is not measured
//!
//! - **Times and instructions in a debug build.** Such tests are ignored, with that reason; if `PERF_BUDGET_STRICT=1` is
//!   set they are red.
//! - **Anything against `base` if no base revision is given**, and against `lock` if nothing was accepted, or if a
//!   statistical value was accepted on another machine: such limits are skipped, visibly.
//! - **Cache misses, energy, GPU time, and the traffic of disks and networks.** What system calls read and write is
//!   measured.
//! - **The variation between processes, if a budget has `criterion = { record = … }`.** One process recorded its
//!   values, so no error rate is known. The budget is red unless the record is newer than the sources.
//! - **Queueing, without a `load`.** Operations run one after the other, as fast as they can; how long requests queue
//!   is only measured if the budget says when they are due.
//! - **The cold caches of a first call.** An operation is warmed up, except a value that is built and held.
//! - **WebAssembly, except through [`wasm`](self#features).** Its `fuel` is exact; its times are an interpreter's.
//! - **Memory that is not asked of Rust's allocator**, by the heap metrics; `rss` sees it.
//!
//! # Features
//!
//! | feature | adds | costs |
//! |---|---|---|
//! | `brotli`, on by default | the metric `brotli` of artifacts | four crates, a fifth more to build |
//! | `tokio`, on by default | the measuring methods of asynchronous workloads: [`Run::iter_async`] and its siblings | two crates |
//! | `wasm` | the module `wasm`, in which workloads compile, instantiate and call WebAssembly, and the metric `fuel` | eight crates |
//! | `zstd` | the metric `zstd` of artifacts, and images whose layers are compressed with it | C is compiled |
//!
//! With `default-features = false` none is on. A limit on a metric whose feature is off is red, and an asynchronous
//! measuring method does not compile; both name the feature.
//!
//! # Platforms
//!
//! | | Linux | macOS | Windows |
//! |---|---|---|---|
//! | artifacts | all | all | all |
//! | latency, `throughput`, `error_rate` | all; the scheduling delay of single-threaded work is subtracted | by the wall clock | by the wall clock |
//! | workload's `cpu`, `utilization`, `context_switches`, `page_faults`, `major_faults` | yes | yes | no |
//! | workload's `read_bytes`, `written_bytes`, `syscalls` | yes | no | no |
//! | workload's `instructions` | by the processor's counter, or by Valgrind on x86-64 and AArch64 | no | no |
//! | heap metrics | all | all | all |
//! | workload's `rss`, `rss_growth` | yes | yes | yes |
//! | workload's `peak_rss` | yes | no | no |
//! | command's `wall_*`, `startup_*`, `exit` | yes | yes | yes |
//! | command's `cpu`, `rss` | yes | yes | yes |
//! | command's `peak_rss` | yes | of one process, or of the largest | yes |
//! | command's `page_faults` | yes | of a command that ends | yes |
//! | command's `major_faults` | yes | of a command that ends | no |
//! | command's `read_bytes`, `written_bytes` | yes | no | yes |
//! | command's `syscalls` | yes | no | no |
//! | what else the machine did | yes, as far as its kernel tells | no | no |
//! | processes that outlive their measurement | found by descent and ended | those of the process group, and what is below them, are ended | those in its job are ended, which is everything that it started |
//!
//! A metric that a platform cannot measure is red with that reason (cause `unsupported`), never green. The tests run
//! on Linux. The project's CI compiles the code for macOS and Windows, and runs the tests for Windows under Wine. No machine with
//! macOS has run them yet.
//!
//! # Minimum supported Rust version
//!
//! 1.89, as `rust-version` says. It is raised only in a minor release, with an entry in the changelog, and never to a
//! version that is less than half a year old.

#![warn(clippy::wildcard_enum_match_arm)]
// Some items are `pub` only for the feature `internals`. Without the feature the lint would report each of them.
#![cfg_attr(
    not(feature = "internals"),
    expect(
        unreachable_pub,
        reason = "`internals` shows it to the tests and benches of the repository"
    )
)]

mod base;
mod exec;
mod harness;
mod inject;
mod instrument;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod meter;
mod noise;
mod os;
mod profile;
mod progress;
mod run;
mod seal;
mod selftest;
mod session;
mod subject;
#[cfg(feature = "wasm")]
pub mod wasm;
mod worker;

pub use harness::Harness;
pub use instrument::heap::Heap;
pub use run::{Failed, Parameter, Run};

/// The Rust samples of the pages, which doc tests compile. A test knows the pages that have one.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../docs/first-gate.md")]
    mod first_gate {}

    #[cfg(feature = "wasm")]
    #[doc = include_str!("../docs/metrics.md")]
    mod wasm {}

    #[doc = include_str!("../README.md")]
    mod readme {}
}
