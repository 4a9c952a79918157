//! The session: one run of the tests. It decides which thread measures which group and when, so that every test gets
//! its outcome.
//!
//! A deterministic group is measured by the first thread that asks for one of its tests, beside other deterministic
//! groups. Statistical groups take turns, process by process, a few at a time: the thread that has the turn advances
//! the next group, and leaves when its own test is decided. If every test is a process of its own (nextest), the
//! first process that asks measures the whole group and leaves the outcomes for the others.

mod carried;
mod decided;
mod machine;
mod machine_lock;
mod measure;
mod reported;
mod revision;
mod rotation;
mod run_cache;
mod selftest;
pub(crate) mod shard;

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use perf_budget_core::budget::Budgets;
use perf_budget_core::enforce::accepted::AcceptedValues;
use perf_budget_core::error::Error;
use perf_budget_core::outcome::{Cause, Outcome, Run, Unmeasured};
use perf_budget_core::suite::Suite;

use self::machine_lock::MachineLock;
use self::measure::{Measurement, Purpose};
use self::rotation::Rotation;
use self::run_cache::RunCache;
use crate::base::Base;
use crate::progress::Progress;
use crate::worker::process::Build;

/// Everything that the tests of one run share.
pub(crate) struct Session {
    pub(crate) budgets: Budgets,
    pub(crate) suite: Suite,
    /// The directory `target/budgets`.
    pub(crate) results: PathBuf,
    accepted: AcceptedValues,
    base: Option<Base>,
    workloads: Vec<String>,
    selected: OnceLock<Vec<bool>>,
    run: Run,
    run_cache: Option<RunCache>,
    /// The measurement of each group, once it has begun. None begins if the tests are only listed.
    groups: Vec<Mutex<Option<Box<Measurement>>>>,
    rotation: Mutex<Rotation>,
    /// The outcome of each test, once it is decided.
    decided: Mutex<Vec<Option<Box<Outcome>>>>,
    machine_lock: MachineLock,
    progress: Progress,
    /// When this run began. If it has several processes, when the first of them began.
    started: SystemTime,
}

impl Session {
    /// Returns a session for the tests of `budgets`, with these workloads registered.
    ///
    /// # Errors
    /// If the directory for results cannot be used, or `budgets.lock` has mistakes.
    pub(crate) fn new(
        budgets: Budgets,
        workloads: Vec<String>,
        results: PathBuf,
    ) -> Result<Session, Error> {
        // This notes what the test binary looks like now, so that a later change of the file is noticed.
        Build::this().map_err(|why| Error::other(why.text))?;
        let base = Base::of_environment(&budgets.path)?;
        let suite = Suite::of(&budgets, base.is_some());
        let run = machine::run(suite.tests.len(), budgets.budgets.len());
        let run_cache = RunCache::of_this_run(&results, &budgets.path)?;
        let started = match &run_cache {
            Some(run_cache) if budgets.settings.total.is_some() => run_cache.began()?,
            _ => SystemTime::now(),
        };
        let accepted = AcceptedValues::beside(&budgets.path, &run)?;
        let machine_lock = MachineLock::of_machine(&results)?;
        let decided = Mutex::new(vec![None; suite.tests.len()]);
        let groups = suite.groups.iter().map(|_| Mutex::new(None)).collect();
        Ok(Session {
            budgets,
            suite,
            results,
            accepted,
            base,
            workloads,
            selected: OnceLock::new(),
            run,
            run_cache,
            groups,
            rotation: Mutex::default(),
            decided,
            machine_lock,
            progress: Progress::new(),
            started,
        })
    }

    /// Has everything measured, even what is proven equal to the base. A selftest needs this, since its effects are
    /// not in the binaries that were compared.
    pub(crate) fn measure_always(&mut self) {
        if let Some(base) = &mut self.base {
            base.measure_always();
        }
    }

    /// Selects the tests that will ask for their outcome, so that the others are not measured.
    pub(crate) fn select(&self, selected: Vec<bool>) {
        let _ = self.selected.set(selected);
    }

    /// Returns the outcome of a test, and measures it first if that has not been done.
    pub(crate) fn outcome(&self, test: usize) -> Outcome {
        if let Some(outcome) = self.decided_unmeasured(test) {
            return outcome;
        }
        let group = self.suite.tests[test].group;
        if let Some(run_cache) = &self.run_cache {
            return self.outcome_of_run(run_cache, group, test);
        }
        if self.suite.groups[group].deterministic {
            self.measure_deterministic(group);
        } else {
            self.take_turns(test);
        }
        self.progress.clear();
        self.decided(test).unwrap_or_else(|| self.internal_error(test))
    }

    fn decided(&self, test: usize) -> Option<Outcome> {
        lock(&self.decided)[test].as_deref().cloned()
    }

    /// Returns the outcome of a test in a run of several processes. The first process of them measures the group.
    fn outcome_of_run(&self, run_cache: &RunCache, group: usize, test: usize) -> Outcome {
        let name = &self.suite.tests[test].name;
        let outcomes = run_cache.outcomes(&self.key(group), || {
            let measurement = self.measure(group, &|_| true, Purpose::Judge);
            self.progress.clear();
            let remember = |outcome: &Outcome| {
                Some(self.remember(self.find_test(group, &outcome.test)?, outcome))
            };
            measurement.outcomes().iter().filter_map(remember).collect()
        });
        match outcomes {
            Ok(outcomes) => outcomes
                .into_iter()
                .find(|outcome| outcome.test == *name)
                .unwrap_or_else(|| self.internal_error(test)),
            Err(error) => {
                self.unmeasured(test, &Unmeasured::new(Cause::Harness, error.to_string()))
            }
        }
    }

    /// Measures a deterministic group, unless another thread has done so.
    fn measure_deterministic(&self, group: usize) {
        let mut slot = lock(&self.groups[group]);
        if slot.is_none() {
            let measurement = self.measure(group, &|test| self.is_selected(test), Purpose::Judge);
            self.keep(group, &measurement);
            *slot = Some(Box::new(measurement));
        }
    }

    /// Keeps the outcomes that a measurement has so far.
    fn keep(&self, group: usize, measurement: &Measurement) {
        let mut decided = lock(&self.decided);
        for outcome in measurement.outcomes() {
            if let Some(test) = self.find_test(group, &outcome.test) {
                decided[test].get_or_insert_with(|| Box::new(self.remember(test, outcome)));
            }
        }
    }

    /// Returns the test of a group that has this name.
    fn find_test(&self, group: usize, name: &str) -> Option<usize> {
        self.suite.tests_of(group).find(|(_, test)| test.name == name).map(|(at, _)| at)
    }

    fn is_selected(&self, test: usize) -> bool {
        self.selected.get().is_none_or(|selected| selected[test])
    }

    /// Returns a name for a group, which is the same in every process of this run.
    fn key(&self, group: usize) -> String {
        let what = &self.suite.groups[group];
        format!("{}-{group}", self.budgets.budgets[what.budget].name)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A test that panics leaves the outcomes valid, so a poisoned lock is ignored.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
