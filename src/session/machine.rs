//! The facts about a run and its machine that a reader of the numbers needs.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use perf_budget_core::budget::processor;
use perf_budget_core::outcome::Run;
use perf_budget_core::paths;

/// The variables that name a run of several processes: that of perf-budget comes before that of nextest.
const RUN_ID: [&str; 2] = ["PERF_BUDGET_RUN", "NEXTEST_RUN_ID"];

/// Returns the name of the run of several processes that this one belongs to, if the environment has one. A variable that
/// is empty names none.
pub(crate) fn named_run() -> Option<String> {
    named_run_by().map(|(_, run)| run)
}

/// Returns the variable that names the run, and the name.
pub(super) fn named_run_by() -> Option<(&'static str, String)> {
    let value = |name| std::env::var(name).ok().filter(|run| !run.is_empty());
    RUN_ID.into_iter().find_map(|name| Some((name, value(name)?)))
}

/// Returns which attempt of its test this process is. Nextest tries a red test again, and counts the attempts; every
/// other process is the only attempt.
pub(crate) fn attempt() -> String {
    let counts = ["NEXTEST_STRESS_CURRENT", "NEXTEST_ATTEMPT"];
    let counts = counts.map(|name| std::env::var(name).unwrap_or_else(|_| "1".to_owned()));
    counts.join(".")
}

/// Returns the facts about this run, which has this many tests of this many budgets, in this file.
pub(crate) fn facts_of_run(tests: usize, budgets: usize, file: &Path) -> Run {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let package = paths::package().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    Run {
        id: named_run().unwrap_or_else(|| format!("{}-{}", began.as_millis(), std::process::id())),
        began: began.as_secs(),
        tests,
        budgets,
        profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: processor::name().unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        package: std::env::var("CARGO_PKG_NAME").unwrap_or_default(),
        target: target().unwrap_or_default(),
        checkout: paths::checkout(&package, file),
        environment: None,
        commit: super::revision::commit(&package),
        branch: super::revision::branch(&package, |name| std::env::var(name).ok()),
        base: None,
    }
}

/// Returns the name of the test target that this binary is: its file name without the hash that cargo adds.
fn target() -> Option<String> {
    let binary = std::env::current_exe().ok()?;
    let name = binary.file_stem()?.to_string_lossy().into_owned();
    let is_hash = |end: &str| end.len() == 16 && end.bytes().all(|b| b.is_ascii_hexdigit());
    let named = name.rsplit_once('-').filter(|(_, end)| is_hash(end));
    Some(named.map_or(name.as_str(), |(target, _)| target).to_owned())
}
