//! Tests with clocks that cannot time anything: a library takes the place of the system's clock, as libfaketime does.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;

use crate::gate::Case;
use crate::row;

const BUDGETS: &str =
    "[budget.depth]\nworkload = \"depth\"\nparams = { depth = 3 }\nmax = { depth = 10 }\n";

/// A clock that always shows the same time if the variable `STOPPED` is set.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!getenv("STOPPED")) return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = 1000000;
    time->tv_nsec = 0;
    return 0;
}
"#;

pub(crate) fn rows() -> Vec<Trial> {
    // No library can be put into a program that is linked statically.
    if cfg!(target_feature = "crt-static") {
        return Vec::new();
    }
    vec![row("clock::a_clock_that_stands_still_is_reported", a_clock_that_stands_still_is_reported)]
}

/// Builds the library; returns false where there is no compiler for C.
fn build(source: &Path, library: &Path) -> bool {
    fs::write(source, LIBRARY).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(library).arg(source);
    compiler.output().is_ok_and(|output| output.status.success())
}

fn a_clock_that_stands_still_is_reported() {
    let case = Case::new("clock-stopped", BUDGETS);
    let (source, library) = (case.dir.join("clock.c"), case.dir.join("clock.so"));
    if !build(&source, &library) {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: there is no compiler for C");
        return;
    }
    let preloaded = case.env("LD_PRELOAD", library.to_str().unwrap());
    let run = preloaded.env("STOPPED", "1").run().exited(2);
    assert!(run.stderr.contains("stands still"), "{run}");
    assert_eq!(run.stdout, "");
}
