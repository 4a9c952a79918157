//! The measurement of benchmarks: the benchmark's own program is started anew for each value. A program that serves its
//! benchmarks measures them as workloads are measured. In any other program its library measures as it always does,
//! except that it does so for a short time; its instructions are counted in one iteration.
//!
//! A process gives one value, whatever Criterion samples in it, since the samples of one process do not show what
//! differs from process to process.

mod compared;
mod counted;
mod libtest;
#[cfg(all(test, unix))]
mod libtest_tests;
mod named;
mod pairs;
mod process;
mod profiled;
#[cfg(all(test, unix))]
mod quick_tests;
mod reach;
mod runs;
mod served;
mod side;
mod sources;
#[cfg(all(test, unix))]
mod tests;
#[cfg(all(test, unix))]
mod version_tests;

pub(crate) use self::profiled::BenchmarkProfile;
pub(crate) use self::side::Origin;
pub(crate) use self::sources::Benchmarks;
pub(super) use self::sources::rate;
