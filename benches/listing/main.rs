//! How long the harness takes to list the tests of 10 000 budgets, as each test run and each editor asks for:
//! `cargo bench --bench listing`. docs/much-data.md has the figures.
//!
//! Nothing is asserted, since the figures are those of the machine. The binary is two programs: usually the one that
//! takes the times, but the test binary that lists its tests if the environment says so.

#![expect(clippy::print_stdout, reason = "the figures are the purpose of the bench")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The variable that makes this binary the one that lists its tests.
const LISTS: &str = "LISTING_BENCH_LISTS";
const BUDGETS: usize = 10_000;
/// How often the tests are listed.
const ROUNDS: usize = 21;

fn main() -> ExitCode {
    if env::var_os(LISTS).is_some() {
        return perf_budget::Harness::new().workload("work", |run| run.iter(|| ())).main();
    }
    let one = "max = { p99 = \"10 ms\" }\n";
    measure("one limit each", one, 1);
    let three = "params = { n = 1000 }\nwhy = \"a reason that somebody wrote\"\n\
                 max = { p99 = \"10 ms\", p50 = \"5 ms\", rss = \"50 MB\" }\n";
    measure("three limits, a parameter and a reason each", three, 3);
    ExitCode::SUCCESS
}

/// Lists the tests of budgets that each have these keys, several times, and prints how long it took.
fn measure(what: &str, keys: &str, limits: usize) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("listing");
    fs::create_dir_all(&directory).unwrap();
    let mut budgets = String::new();
    for number in 0..BUDGETS {
        write!(budgets, "[budget.budget{number}]\nworkload = \"work\"\n{keys}\n").unwrap();
    }
    fs::write(directory.join("budgets.toml"), budgets).unwrap();
    let listed = command(&directory).output().unwrap();
    let lines = String::from_utf8(listed.stdout).unwrap().lines().count();
    assert!(listed.status.success() && lines >= BUDGETS * limits, "{lines} tests are listed");
    let mut taken: Vec<Duration> = (0..ROUNDS).map(|_| time(&directory)).collect();
    taken.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (least, median) = (milliseconds(taken[0]), milliseconds(taken[ROUNDS / 2]));
    println!("{BUDGETS} budgets with {what}: {median:.0} ms, at least {least:.0} ms");
}

fn time(directory: &Path) -> Duration {
    let since = Instant::now();
    let ended = command(directory).stdout(Stdio::null()).status().unwrap();
    let took = since.elapsed();
    assert!(ended.success());
    took
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("--list").env(LISTS, "1").env("CARGO_MANIFEST_DIR", directory);
    command.current_dir(directory);
    command
}
