//! The benchmarks of each budget that names several by a pattern. They are found before any test is made, and each becomes a
//! case of its budget.

use std::path::Path;

use perf_budget_core::benchmarks::{self, List};
use perf_budget_core::budget::{Budget, Budgets, Library, Subject};
use perf_budget_core::error::Error;
use perf_budget_core::outcome::Unmeasured;

use super::machine_lock::MachineLock;
use super::run_cache::RunCache;
use crate::base::Base;
use crate::progress::Progress;
use crate::subject::benchmark::{Benchmarks, Origin};

/// The benchmarks of one budget.
pub(super) struct BudgetBenchmarks {
    /// The index of the budget.
    pub(super) budget: usize,
    /// The library of its benchmarks.
    pub(super) library: Library,
    /// The list from which the tests are made, or the reason why there is none.
    pub(super) list: Result<List, Unmeasured>,
}

/// Finds the benchmarks of each budget that names several, and makes them the cases of that budget.
pub(super) fn find(
    budgets: &mut Budgets,
    results: &Path,
    base: Option<&Base>,
    run_cache: Option<&RunCache>,
    machine_lock: &MachineLock,
    progress: &Progress,
) -> Result<Vec<BudgetBenchmarks>, Error> {
    let patterns = |(at, budget): (usize, &Budget)| match budget.subject {
        Subject::Benchmark(library, _) => budget.pattern().map(|_| (at, library)),
        Subject::Workload(_) | Subject::Command(_) | Subject::Artifact(_) | Subject::Record(_) => {
            None
        }
    };
    let several: Vec<(usize, Library)> =
        budgets.budgets.iter().enumerate().filter_map(patterns).collect();
    // A build would disturb whatever is measured on this machine, so nothing is built where the lock cannot be taken.
    let make = |origin: &Origin| {
        let _lock = machine_lock.shared(progress)?;
        origin.list()
    };
    let mut named = Vec::new();
    for (at, library) in several {
        let run = run_cache.map(RunCache::directory);
        let origin = Benchmarks { budgets, results, base, run }.of_pattern(&budgets.budgets[at]);
        let name = || origin.names(&make);
        // Two processes of one run must not make the names at once.
        let list = match run_cache {
            Some(run_cache) => run_cache.in_turn("benchmarks", |_| Ok(name()))?,
            None => name(),
        };
        benchmarks::expand(&mut budgets.budgets[at], list.as_ref().ok());
        named.push(BudgetBenchmarks { budget: at, library, list });
    }
    Ok(named)
}
