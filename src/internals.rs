//! The private parts that the tests and benches of this repository need, since they measure by one instrument and
//! without a budget. The crates that stand in for other libraries of benchmarks need `served`, and pin this crate's
//! version.
//!
//! It is behind the cargo feature `internals`, which is no feature for users: whatever is here changes in any release.

#[cfg(target_os = "linux")]
pub use crate::exec::tracing_refused;
pub use crate::inject::Injection;
pub use crate::os::emulator::emulator;
pub use crate::run::{Workload, serve, served};
pub use crate::subject::artifact;
pub use crate::worker::{pair, process};
