//! What is to blame for a red: the functions whose instructions grew since the reference, found by running both sides
//! once more under a profiler.
//!
//! Only what is red, or would be but for the luck of a link, pays for it. It takes a bounded time and changes no verdict:
//! instructions are not time, and what waits, or touches other memory, may run the same ones.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use perf_budget_core::blame;
use perf_budget_core::budget::{Reference, Subject};
use perf_budget_core::metric::{InstrumentKind, SubjectKind, WorkerInstrument};
use perf_budget_core::outcome::{Blame, Doubt, Outcome, Unmeasured};
use perf_budget_core::suite::Test;
use perf_budget_core::verdict::Verdict;

use super::state::{Cause, Profiled, Session, lock};
use crate::instrument::instructions;
use crate::subject;
use crate::worker::process::{self, Build};

/// The longest that the profiles of one red may take.
const LONGEST: Duration = Duration::from_secs(30);

impl Session {
    /// Returns a red outcome with what is to blame for it, and with what has changed since the base.
    pub(super) fn with_cause(&self, test: usize, mut outcome: Outcome) -> Outcome {
        let test = &self.suite.tests[test];
        let may_be_layout = outcome.doubt == Some(Doubt::Layout) && exceeds(&outcome);
        if outcome.verdict != Verdict::Fail && !may_be_layout {
            return outcome;
        }
        let base = self.base.as_ref();
        if let Some(base) = base.filter(|_| test.limit.reference() == Some(&Reference::Base)) {
            outcome.changed.clone_from(&base.changed);
        }
        if !is_profiled(self, test) {
            return outcome;
        }
        match self.cause(test) {
            Ok(blame) => {
                if may_be_layout && blame.is_same() {
                    let same =
                        "; both sides run the same instructions: link order or memory layout";
                    outcome.reason.push_str(same);
                }
                outcome.blame = Some(Box::new((*blame).clone()));
            }
            Err(why) => outcome.notes.push(format!("no function is named: {why}")),
        }
        outcome
    }

    /// Returns the builds of both sides, those that times are compared with or cargo's own.
    fn builds(&self, against_base: bool, by_time: bool) -> Result<Builds, Unmeasured> {
        let base = self.base.as_ref().filter(|_| against_base);
        let (head, reference) = match base {
            Some(base) if by_time => {
                let ([head, reference], _) = base.links().of_pair(0);
                (head, reference.or_else(|| base.build().cloned()))
            }
            Some(base) => (None, base.build().cloned()),
            None => (None, None),
        };
        Ok(Builds { head: head.map_or_else(Build::this, Ok)?, reference })
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
        // Without the lock, this would disturb what somebody else measures.
        let _lock = self.machine_lock.shared(&self.progress)?;
        let began = Instant::now();
        let budget = &self.budgets.budgets[budget];
        let request = subject::explaining(budget, case, vec![instructions::metric()]);
        let Builds { head, reference } = self.builds(against_base, by_time)?;
        let scratch = self.results.join("scratch");
        // An old release of this library at the base does not know how.
        let run = |build: &Build| process::profile_in(build, &request, &scratch, LONGEST);
        let (now, before) = std::thread::scope(|scope| {
            let before = reference.as_ref().map(|build| scope.spawn(|| run(build)));
            let now = run(&head);
            (now, before.map(|thread| thread.join().unwrap_or_else(|_| Err(broken()))))
        });
        let before = before.transpose().map_err(|why| why.of_role(Some("the base")))?;
        let base = self.base.as_ref().map(|base| base.root.as_path());
        let roots = [Some(self.budgets.root.as_path()), base];
        let own: BTreeSet<String> =
            roots.into_iter().flatten().flat_map(own_crates).chain(stem(&head)).collect();
        let mut blame = blame::compare(before.as_deref(), &now?, &own);
        blame.seconds = began.elapsed().as_secs_f64();
        Ok(blame)
    }
}

/// The test binaries that are profiled.
struct Builds {
    head: Build,
    /// The base's; `None` without a base.
    reference: Option<Build>,
}

/// Whether a value is beyond its limit.
fn exceeds(outcome: &Outcome) -> bool {
    let both = outcome.against.zip(outcome.estimate);
    both.is_some_and(|(against, estimate)| against.is_over(estimate.value))
}

fn broken() -> Unmeasured {
    Unmeasured::new(perf_budget_core::outcome::Cause::Harness, "the profiler stopped")
}

/// Whether a red of a test has functions to blame: it is on what a workload does.
fn is_profiled(session: &Session, test: &Test) -> bool {
    let subject = &session.budgets.budgets[test.budget].subject;
    let is_workload = matches!(subject, Subject::Workload(_)) && test.limit.metric.own().is_none();
    let of_work = |instrument| match instrument {
        InstrumentKind::Worker(instrument) => instrument != WorkerInstrument::Fuel,
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
