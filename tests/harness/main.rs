//! The gate end to end: from `budgets.toml` and workloads to the exit code, the messages and the record.
//!
//! It is a target of its own with its own `main`, because it is two programs: the suite, and, if [`gate::SUBJECT`] is
//! set, the harness that the suite runs. So the tested harness is never older than the test. It has no counting
//! allocator, which is one of the cases; `tests/budgets.rs` has one. No test depends on how fast the machine is:
//! readings are recorded, not timed.

mod base;
#[cfg(unix)]
mod benchmarks;
mod carried;
mod cases;
#[cfg(target_os = "linux")]
mod clock;
mod criterion;
mod flags;
mod gaps;
mod gate;
mod github;
#[cfg(target_os = "linux")]
mod handshake;
mod inconclusive;
mod interference;
mod locks;
mod places;
mod processes;
mod profile;
mod profiled;
mod record;
mod subjects;
mod waits;

use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    if std::env::var_os(gate::SUBJECT).is_some() {
        return subjects::harness().main();
    }
    let rows = [
        carried::rows(),
        base::rows(),
        #[cfg(unix)]
        benchmarks::rows(),
        cases::rows(),
        #[cfg(target_os = "linux")]
        clock::rows(),
        criterion::rows(),
        #[cfg(target_os = "linux")]
        handshake::rows(),
        flags::rows(),
        github::rows(),
        inconclusive::rows(),
        interference::rows(),
        locks::rows(),
        processes::rows(),
        places::rows(),
        profile::rows(),
        profiled::rows(),
        record::rows(),
        waits::rows(),
    ];
    let rows = rows.into_iter().flatten().collect();
    let mut arguments = Arguments::from_args();
    // A test mostly waits: for a timeout, for the lock, for a process to end.
    arguments
        .test_threads
        .get_or_insert_with(|| 2 * available_parallelism().map_or(1, NonZero::get));
    libtest_mimic::run(&arguments, gaps::mark(rows)).exit_code()
}

/// Makes a test that passes unless `check` panics.
fn row(name: impl Into<String>, check: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        check();
        Ok::<(), Failed>(())
    })
}
