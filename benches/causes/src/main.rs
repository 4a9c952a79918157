//! Tests whether a red names known causes of regressions: `cargo run --release [CAUSE...]` here.
//!
//! The package is built once as the base and once with each cause, and the budgets compare instructions with the base. The
//! first function that the red names should be the one that got worse. The program fails if that is so for less than nine in
//! ten of the causes. Arguments choose some of the causes by their names.
//!
//! `cargo run --release -- --samples COMMAND` does the same by time, and hides Valgrind. `COMMAND` is the program that finds
//! the functions of the samples, `target/release/cargo-budget` of the workspace. Samples are estimates, so this never fails.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use perf_budget_core::record;

/// A cause: the feature or the flag, the workload that it makes worse, and the functions to blame, one of which has to be
/// named first.
type Cause = (&'static str, &'static str, &'static [&'static str]);

/// The causes.
const CAUSES: [Cause; 24] = [
    ("allocation", "search", &["causes::text::normalise"]),
    ("scan", "search", &["causes::index::Index::post"]),
    ("lost_inline", "search", &["causes::text::fold"]),
    ("slower_hash", "search", &["causes::index::Index::post"]),
    ("clone", "search", &["causes::score::rank"]),
    ("lock", "search", &["causes::count::Tally::add"]),
    ("larger_struct", "search", &["causes::score::best"]),
    ("system_call", "search", &["causes::count::Tally::tick"]),
    ("dependency", "search", &["causes::show::line"]),
    // A flag of the compiler, for the file of the tests.
    ("-Coverflow-checks=on", "checksum", &["budgets::checksum"]),
    ("capacity", "parts", &["causes::parts::loaded"]),
    ("format", "parts", &["causes::parts::labels"]),
    ("bounds", "parts", &["causes::parts::smoothed"]),
    ("boxed", "parts", &["causes::parts::areas"]),
    // When the sort calls the key, it is a function of its own.
    ("costly_key", "parts", &["causes::parts::sorted", "causes::parts::sorted::{closure}"]),
    ("shared", "parts", &["causes::parts::handed_out"]),
    ("pattern", "parts", &["causes::parts::matched", "causes::parts::pattern"]),
    // What an asynchronous function awaits is part of it, like an inlined function.
    (
        "inner_async",
        "tasks",
        &["causes::tasks::inner::{closure}", "causes::tasks::handle::{closure}"],
    ),
    ("held_lock", "tasks", &["causes::tasks::rebuilt"]),
    ("hop", "tasks", &["causes::tasks::hop::{closure}", "causes::tasks::handle::{closure}"]),
    ("spawned_hash", "tasks", &["causes::tasks::digest"]),
    ("thread_scan", "threads", &["causes::threads::look_up"]),
    ("stream_clone", "tasks", &["causes::tasks::yielded"]),
    ("yields", "tasks", &["causes::tasks::load::{closure}", "causes::tasks::handle::{closure}"]),
];

/// The share of them that must be named first, in percent.
const ENOUGH: usize = 90;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let base = build(root, "base");
    let (mut samples, mut only) = (None, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--samples" => samples = arguments.next(),
            _ => only.push(argument),
        }
    }
    let is_asked = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    let causes: Vec<&Cause> = CAUSES.iter().filter(|(cause, ..)| is_asked(cause)).collect();
    let named =
        causes.iter().filter(|cause| is_named(root, &base, cause, samples.as_deref())).count();
    println!("{named} of {} are named first", causes.len());
    let is_enough = !causes.is_empty() && 100 * named >= ENOUGH * causes.len();
    if is_enough || samples.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the first function that a red names is the guilty one. With the command of `--samples`, the red is about time,
/// and samples explain it.
fn is_named(root: &Path, base: &Path, cause: &Cause, sampled: Option<&str>) -> bool {
    let &(cause, workload, guilty) = cause;
    let head = build(root, cause);
    let results = head.with_file_name("results");
    let _ = std::fs::remove_dir_all(&results);
    let mut command = Command::new(&head);
    command.env("CARGO_MANIFEST_DIR", root).env("PERF_BUDGET_DIR", &results).current_dir(root);
    command.env("PERF_BUDGET_BASE", base).env("PERF_BUDGET_BASE_DIR", root).arg(workload);
    if sampled.is_some() {
        // No program is found on this path, so neither is Valgrind.
        command.env("CAUSES_BUDGETS", "budgets-time.toml").env("PATH", "/nowhere");
    }
    let output = command.output().expect("the tests start");
    if let Some(sampled) = sampled {
        let mut report = Command::new(sampled);
        report.args(["budget", "report", "--partial"]).current_dir(root);
        report.env("PERF_BUDGET_DIR", &results);
        let reported = report.output().expect("the command starts");
        if reported.stdout.is_empty() {
            println!("{}", String::from_utf8_lossy(&reported.stderr));
        }
    }
    let read = record::read(&results.join("outcomes.jsonl")).expect("the tests leave a record");
    let reds = read.outcomes.iter().filter(|outcome| outcome.budget == workload);
    let red = reds.filter_map(|outcome| Some((outcome, outcome.blame.as_ref()?))).last();
    let Some((outcome, blame)) = red else {
        println!("{cause:22} NOTHING is blamed\n{}", String::from_utf8_lossy(&output.stdout));
        return false;
    };
    let first = blame.functions.first().map_or("", |function| function.name.as_str());
    let by = blame.functions.first().map_or(0.0, |function| function.own.by());
    let before = blame.before.unwrap_or(0.0);
    let interval = blame.functions.first().and_then(|function| function.interval);
    let is_certain = interval.is_none_or(|(low, high)| low > 0.0 || high < 0.0);
    let mark = match (guilty.contains(&first), is_certain) {
        (true, true) => "",
        (_, false) => "  NOT NAMED: chance explains it",
        (false, true) => "  WRONG",
    };
    println!(
        "{cause:22} {before:9.0} -> {:9.0} in {:.1} s, {}: {by:+8.0} {first}{mark}",
        blame.now, blame.seconds, outcome.test
    );
    guilty.contains(&first) && is_certain
}

/// Builds the tests with a cause, and returns a copy of their binary.
fn build(root: &Path, cause: &str) -> PathBuf {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command
        .args(["rustc", "--release", "--quiet", "--test", "budgets", "--message-format=json"])
        .current_dir(root);
    match cause {
        "base" => {}
        flag if flag.starts_with('-') => drop(command.args(["--", flag])),
        feature => drop(command.args(["--features", feature])),
    }
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "{cause}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.contains("\"kind\":[\"test\"]"));
    let path =
        lines.filter_map(|line| line.split("\"executable\":\"").nth(1)?.split('"').next()).last();
    let path = path.expect("cargo names the binary");
    let place = root.join("target/causes").join(cause.trim_start_matches("-C").replace('=', "_"));
    std::fs::create_dir_all(&place).expect("the target directory can be written");
    let copy = place.join("budgets-0");
    std::fs::copy(path, &copy).expect("a binary can be copied");
    copy
}
