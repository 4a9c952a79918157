//! What is to blame for a red: the functions whose instructions grew since the reference, found by running both sides
//! once more under a profiler.
//!
//! Only a red pays for it, it takes a bounded time, and it never changes how a red is judged, but for one: a small red of a time
//! that a single link of each side shows, where both run the same instructions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use perf_budget_core::blame;
use perf_budget_core::budget::{Reference, Subject};
use perf_budget_core::callgrind::Profile;
use perf_budget_core::metric::{InstrumentKind, SubjectKind, WorkerInstrument};
use perf_budget_core::outcome::{Blame, Outcome, Unmeasured};
use perf_budget_core::suite::Test;
use perf_budget_core::verdict::Verdict;

use super::state::{Cause, Profiled, Session, lock};
use crate::subject;
use crate::worker::process::{self, Build, Request};

/// The longest that the profiles of one red may take.
const LONGEST: Duration = Duration::from_secs(30);

impl Session {
    /// Returns a red outcome with what is to blame for it.
    pub(super) fn with_cause(&self, test: usize, mut outcome: Outcome) -> Outcome {
        let test = &self.suite.tests[test];
        if outcome.verdict != Verdict::Fail || !is_profiled(self, test) {
            return outcome;
        }
        match self.cause(test) {
            Ok(blame) => outcome.blame = Some(Box::new((*blame).clone())),
            Err(why) => outcome.notes.push(format!("no function is named: {why}")),
        }
        outcome
    }

    /// Profiles a test, unless that has been done for another limit of the same case.
    fn cause(&self, test: &Test) -> Cause {
        let against_base = self.base.is_some() && test.limit.reference() == Some(&Reference::Base);
        let by_time = against_base && test.limit.metric.is_time();
        let profiled: Profiled = (test.budget, test.case, against_base, by_time);
        let mut causes = lock(&self.causes);
        if let Some(known) = causes.get(&profiled) {
            return known.clone();
        }
        self.progress.clear();
        self.progress.show(|| format!("profiling {}, to name what grew", test.name));
        let cause = self.profile(profiled).map(Arc::new).map_err(|why| why.text);
        self.progress.clear();
        causes.insert(profiled, cause.clone());
        cause
    }

    /// Profiles both sides at the same time, while nothing statistical is measured.
    fn profile(
        &self,
        (budget, case, against_base, by_time): Profiled,
    ) -> Result<Blame, Unmeasured> {
        let began = Instant::now();
        let _lock = self.machine_lock.shared();
        let budget = &self.budgets.budgets[budget];
        let request = subject::profiled(budget, case);
        let base = self.base.as_ref().filter(|_| against_base);
        let (head, reference) = match base {
            Some(base) if by_time => {
                let ([head, reference], _) = base.links().of_pair(0);
                (head, reference.or_else(|| base.build().cloned()))
            }
            Some(base) => (None, base.build().cloned()),
            None => (None, None),
        };
        let head = head.map_or_else(Build::this, Ok)?;
        let scratch = self.results.join("scratch");
        let run = |build: &Build| profile(build, &request, &scratch);
        let (now, before) = std::thread::scope(|scope| {
            let before = reference.as_ref().map(|build| scope.spawn(|| run(build)));
            let now = run(&head);
            (now, before.map(|thread| thread.join().unwrap_or_else(|_| Err(broken()))))
        });
        let before = before.transpose().map_err(|why| why.of_role(Some("the base")))?;
        let roots = [Some(self.budgets.root.as_path()), base.map(|base| base.root.as_path())];
        let own: BTreeSet<String> =
            roots.into_iter().flatten().flat_map(own_crates).chain(stem(&head)).collect();
        let mut blame = blame::compare(before.as_deref(), &now?, &own);
        blame.seconds = began.elapsed().as_secs_f64();
        Ok(blame)
    }
}

fn broken() -> Unmeasured {
    Unmeasured::new(perf_budget_core::outcome::Cause::Harness, "the profiler stopped")
}

/// Profiles one side. An old release of this library at the base does not know how.
fn profile(build: &Build, request: &Request, scratch: &Path) -> Result<Vec<Profile>, Unmeasured> {
    process::profile_in(build, request, scratch, LONGEST)
}

/// Whether a red of a test has functions to blame: it is on what a workload does.
fn is_profiled(session: &Session, test: &Test) -> bool {
    let subject = &session.budgets.budgets[test.budget].subject;
    let is_workload = matches!(subject, Subject::Workload(_)) && test.limit.metric.own().is_none();
    let of_work = |instrument| match instrument {
        InstrumentKind::Worker(WorkerInstrument::Fuel) => false,
        InstrumentKind::Worker(_) => true,
        InstrumentKind::Files
        | InstrumentKind::Process
        | InstrumentKind::Benchmark
        | InstrumentKind::Recorded => false,
    };
    is_workload && test.limit.metric.instrument(SubjectKind::Workload).is_some_and(of_work)
}

/// Returns the crates of the project that a directory belongs to, by the nearest `Cargo.lock`.
fn own_crates(root: &Path) -> BTreeSet<String> {
    let lock =
        root.ancestors().find_map(|dir| std::fs::read_to_string(dir.join("Cargo.lock")).ok());
    lock.map(|lock| blame::own_crates(&lock)).unwrap_or_default()
}

/// Returns the name of the crate of a test binary, whose file has a hash behind it.
fn stem(build: &Build) -> Option<String> {
    let stem = build.binary.file_stem()?.to_str()?;
    Some(stem.rsplit_once('-').map_or(stem, |(name, _)| name).replace('-', "_"))
}
