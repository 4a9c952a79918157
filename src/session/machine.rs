//! The facts about a run and its machine that a reader of the numbers needs.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use perf_budget_core::outcome::Run;

/// The variables that name a run of several processes: that of perf-budget comes before that of nextest.
const RUN_ID: [&str; 2] = ["PERF_BUDGET_RUN", "NEXTEST_RUN_ID"];

/// Returns the name of the run of several processes that this one belongs to, if the environment has one.
pub(crate) fn named_run() -> Option<String> {
    RUN_ID.iter().find_map(|name| std::env::var(name).ok())
}

/// Returns the facts about this run, which has this many tests of this many budgets.
pub(crate) fn run(tests: usize, budgets: usize) -> Run {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    Run {
        id: named_run().unwrap_or_else(|| format!("{}-{}", began.as_millis(), std::process::id())),
        began: began.as_secs(),
        tests,
        budgets,
        profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: processor().unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        package: std::env::var("CARGO_PKG_NAME").unwrap_or_default(),
        commit: super::revision::commit(&package),
    }
}

#[cfg(target_os = "linux")]
fn processor() -> Option<String> {
    crate::os::proc::processor()
}

#[cfg(not(target_os = "linux"))]
fn processor() -> Option<String> {
    None
}
