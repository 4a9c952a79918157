//! The state of a session: everything that the tests of one run share. It is apart from what is done with it, so that
//! every other file of the session can use it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use perf_budget_core::budget::Budgets;
use perf_budget_core::enforce::accepted::AcceptedValues;
use perf_budget_core::error::Error;
use perf_budget_core::outcome::{Blame, Outcome, Run, Sampled};
use perf_budget_core::paths;
use perf_budget_core::suite::Suite;

use super::benchmarks::{self, BudgetBenchmarks};
use super::machine;
use super::machine_lock::MachineLock;
use super::measurement::Measurement;
use super::rotation::Rotation;
use super::run_cache::RunCache;
use crate::base::Base;
use crate::inject::Injection;
use crate::os::clock;
use crate::progress::Progress;
use crate::subject::Sources;
use crate::worker::process::Build;

/// The result of the profiles of one case: the blame, or the reason why there is none.
pub(super) type Cause = Result<Arc<Blame>, String>;

/// The samples of one case, or why there are none.
pub(super) type SampleResult = Result<Arc<Sampled>, String>;

/// The key of a profile: a budget, a case of it, whether it is compared with the base, and whether by the builds that
/// times are compared with.
pub(super) type Profiled = (usize, usize, bool, bool);

/// One run of the tests, with everything that they share.
pub(crate) struct Session {
    pub(crate) budgets: Budgets,
    pub(crate) suite: Suite,
    /// The directory `target/budgets`.
    pub(crate) results: PathBuf,
    pub(super) accepted: AcceptedValues,
    pub(super) base: Option<Base>,
    /// The benchmarks of each budget that names several, from which its tests were made.
    pub(super) benchmarks: Vec<BudgetBenchmarks>,
    pub(super) workloads: Vec<String>,
    /// Whether each test will ask for its outcome. If this is not set, all of them will.
    selected: OnceLock<Vec<bool>>,
    pub(super) run: Run,
    pub(super) run_cache: Option<RunCache>,
    /// Whether the workload of each group reaches only what is the same in the base, once that is known.
    pub(super) reaches_the_same: Vec<OnceLock<bool>>,
    /// The measurement of each group, once it has begun. None begins if the tests are only listed.
    pub(super) groups: Vec<Mutex<Option<Box<Measurement>>>>,
    pub(super) rotation: Mutex<Rotation>,
    /// The outcome of each test, once it is decided.
    pub(super) decided: Mutex<Vec<Option<Box<Outcome>>>>,
    /// The blame of each case that has a red.
    pub(super) causes: Mutex<HashMap<Profiled, Cause>>,
    /// The samples that were taken of each case that has a red.
    pub(super) samples: Mutex<HashMap<Profiled, SampleResult>>,
    pub(super) machine_lock: MachineLock,
    pub(super) progress: Progress,
    /// When the first process of this run began, if the run has several and `total` is limited. Only the wall clock is the same
    /// for all of them.
    pub(super) first_began: Option<SystemTime>,
    /// When this process began, by a clock that nobody can set.
    pub(super) began: Instant,
}

impl Session {
    /// Returns a session for the tests of `budgets`, with these workloads registered.
    ///
    /// # Errors
    /// If the directory for results cannot be used, or `budgets.lock` has mistakes.
    pub(crate) fn new(
        mut budgets: Budgets,
        workloads: Vec<String>,
        results: PathBuf,
    ) -> Result<Session, Error> {
        if let Some(why) = clock::stopped() {
            return Err(Error::other(why));
        }
        // This notes what the test binary looks like now, so that a later change of the file is noticed.
        Build::this().map_err(|why| Error::other(why.text))?;
        let package = paths::package().unwrap_or_default();
        let below = budgets.path.strip_prefix(package).unwrap_or(&budgets.path);
        let base = Base::of_environment(below)?;
        let run_cache = RunCache::of_this_run(&results, &budgets)?;
        let machine_lock = MachineLock::of_machine(&results, budgets.settings.lock_timeout)?;
        let progress = Progress::new();
        let benchmarks = benchmarks::find(
            &mut budgets,
            &results,
            base.as_ref(),
            run_cache.as_ref(),
            &machine_lock,
            &progress,
        )?;
        // If nothing may be skipped, the limits that `base` in the settings adds have tests even without a base, which are red.
        let suite = Suite::of(&budgets, base.is_some() || is_strict());
        let run = machine::facts_of_run(suite.tests.len(), budgets.budgets.len(), &budgets.path);
        let run = Run {
            base: base.as_ref().and_then(|base| base.revision.clone()),
            environment: budgets.environment.clone(),
            ..run
        };
        let shared = run_cache.as_ref().filter(|_| budgets.settings.total.is_some());
        let first_began = shared.map(RunCache::start_time).transpose()?;
        let accepted = AcceptedValues::beside(&budgets.path, &run)?;
        let decided = Mutex::new(vec![None; suite.tests.len()]);
        let groups = suite.groups.iter().map(|_| Mutex::new(None)).collect();
        let reaches_the_same = suite.groups.iter().map(|_| OnceLock::new()).collect();
        Ok(Session {
            budgets,
            suite,
            results,
            accepted,
            base,
            benchmarks,
            workloads,
            selected: OnceLock::new(),
            run,
            run_cache,
            reaches_the_same,
            groups,
            rotation: Mutex::default(),
            decided,
            causes: Mutex::default(),
            samples: Mutex::default(),
            machine_lock,
            progress,
            first_began,
            began: Instant::now(),
        })
    }

    /// Discards the proofs, so that everything is measured. A selftest needs this, since its effects are not in the binaries
    /// that were compared.
    pub(crate) fn measure_always(&mut self) {
        if let Some(base) = &mut self.base {
            base.measure_always();
        }
    }

    /// Selects the tests that will ask for their outcome, so that the others are not measured.
    pub(crate) fn select(&self, selected: Vec<bool>) {
        let _ = self.selected.set(selected);
    }

    /// Whether a test will ask for its outcome.
    pub(super) fn is_selected(&self, test: usize) -> bool {
        self.selected.get().is_none_or(|selected| selected[test])
    }

    /// Returns what is needed to make sources, with this effect to inject.
    pub(super) fn sources(&self, injection: Option<Injection>) -> Sources<'_> {
        Sources {
            budgets: &self.budgets,
            results: &self.results,
            base: self.base.as_ref(),
            run: self.run_cache.as_ref().map(RunCache::directory),
            injection,
        }
    }
}

/// Whether nothing may be skipped in silence.
pub(super) fn is_strict() -> bool {
    std::env::var("PERF_BUDGET_STRICT").is_ok_and(|v| !matches!(v.as_str(), "" | "0"))
}

/// Locks a mutex, even if a thread panicked while it held the lock: a test that panics leaves the outcomes valid.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
