//! Tests whether a red names the function of published regressions of real crates: `cargo run` here.
//!
//! The same package is built with the older and with the newer version of each crate, and the budgets compare instructions
//! and allocations with the older one. Instructions are without those of the allocator, so a version that only allocates more
//! often is red by its allocations. A workload calls the crate, so the first function that a red names is the workload. The first part
//! that it names should be the crate's function that got worse. The program fails if that is so for less than five of seven.

mod package;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use perf_budget_core::outcome::{Blame, Outcome, words};
use perf_budget_core::record;

use self::package::{CRATES, Work};

/// How many of the functions must be named.
const ENOUGH: usize = 5;

fn main() -> ExitCode {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/regressions");
    let base = build(&target, "old", |krate| krate.versions[0]);
    let head = build(&target, "new", |krate| krate.versions[1]);
    let outcomes = run(&target, &base, &head);
    let mut named = 0;
    for krate in CRATES {
        for work in krate.works {
            let [old, new] = krate.versions;
            println!("{} {old} to {new}, {}", krate.name, work.name);
            named += usize::from(is_named(&outcomes, work));
        }
    }
    println!(
        "{named} of {} are named",
        CRATES.iter().map(|krate| krate.works.len()).sum::<usize>()
    );
    if named >= ENOUGH { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether a red of a workload names the function that got worse.
fn is_named(outcomes: &[Outcome], work: &Work) -> bool {
    let of_work = || outcomes.iter().filter(|outcome| outcome.budget == work.name);
    let Some((outcome, blame)) =
        of_work().find_map(|outcome| Some((outcome, outcome.blame.as_ref()?)))
    else {
        println!("  NOTHING is blamed");
        of_work().for_each(|outcome| println!("  {}", outcome.reason));
        return false;
    };
    println!("  {}", outcome.reason);
    for line in words::blame(blame) {
        println!("  {line}");
    }
    let is_named = is_first_part(blame, work.guilty);
    if !is_named {
        println!("  WRONG: {} is to be named", work.guilty);
    }
    is_named
}

/// Whether the part that grew most in the function that grew most is the guilty function.
fn is_first_part(blame: &Blame, guilty: &str) -> bool {
    let first = blame.functions.first().and_then(|first| first.parts.first());
    first.is_some_and(|(name, change)| change.by() > 0.0 && name.contains(guilty))
}

/// Runs the newer build against the older one.
fn run(target: &Path, base: &Path, head: &Path) -> Vec<Outcome> {
    let results = target.join("results");
    let _ = std::fs::remove_dir_all(&results);
    let root = target.join("new");
    let mut command = Command::new(head);
    command.env("CARGO_MANIFEST_DIR", &root).env("PERF_BUDGET_DIR", &results).current_dir(&root);
    command.env("PERF_BUDGET_BASE", base).env("PERF_BUDGET_BASE_DIR", target.join("old"));
    command.output().expect("the tests start");
    record::read(&results.join("outcomes.jsonl")).expect("the tests leave a record").outcomes
}

/// Writes and builds the package with one version of each crate, and returns its test binary.
fn build(target: &Path, side: &str, version: fn(&package::Crate) -> &'static str) -> PathBuf {
    let root = target.join(side);
    package::write(&root, version);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(["test", "--release", "--no-run", "--message-format=json"]).current_dir(&root);
    // The library is built once for both.
    let output = command.env("CARGO_TARGET_DIR", target.join("built")).output();
    let output = output.expect("cargo starts");
    assert!(output.status.success(), "{side}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.contains("\"kind\":[\"test\"]"));
    let path =
        lines.filter_map(|line| line.split("\"executable\":\"").nth(1)?.split('"').next()).last();
    let copy = root.join("budgets-0");
    std::fs::copy(path.expect("cargo names the binary"), &copy).expect("a binary can be copied");
    copy
}
