//! The gate end to end: `budgets.toml` and workloads in, exit code, words and record out.
//!
//! A target of its own with its own `main`, as it is two programs: the suite, and, where
//! [`gate::SUBJECT`] is set, the harness that the suite runs. So what is tested is never older than the
//! test. It has no counting allocator, which is one of the cases; `tests/budgets.rs` has one. No row
//! depends on how fast the machine is: readings are recorded, not timed.

mod again;
mod base;
mod cases;
mod criterion;
#[cfg(target_os = "linux")]
mod doors;
mod flags;
mod gate;
mod github;
mod inconclusive;
mod interference;
mod locks;
mod processes;
mod profile;
mod record;
mod subjects;

use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    if std::env::var_os(gate::SUBJECT).is_some() {
        return subjects::harness().main();
    }
    let rows = [
        again::rows(),
        base::rows(),
        cases::rows(),
        criterion::rows(),
        #[cfg(target_os = "linux")]
        doors::rows(),
        flags::rows(),
        github::rows(),
        inconclusive::rows(),
        interference::rows(),
        locks::rows(),
        processes::rows(),
        profile::rows(),
        record::rows(),
    ];
    let rows = rows.into_iter().flatten().collect();
    let mut arguments = Arguments::from_args();
    // A row mostly waits: for a time-out, for its turn, for a process to end.
    arguments
        .test_threads
        .get_or_insert_with(|| 2 * available_parallelism().map_or(1, NonZero::get));
    libtest_mimic::run(&arguments, rows).exit_code()
}

/// A test that passes where `check` does not panic.
fn row(name: impl Into<String>, check: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        check();
        Ok::<(), Failed>(())
    })
}
