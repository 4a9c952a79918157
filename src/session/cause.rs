//! The cause of a red: the functions whose instructions grew since the reference, found by running both sides once more
//! under a profiler.
//!
//! Only limits that are red are profiled, and those that would be red if the luck of a link could be ruled out.
//! Profiling takes a bounded time and changes no verdict: instructions are not time, and code that waits, or that
//! touches other memory, may run the same instructions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use perf_budget_core::blame;
use perf_budget_core::budget::{Budget, Library, Reference, Subject};
use perf_budget_core::metric::{ExplainedBy, SampleKind};
use perf_budget_core::outcome::{
    Blame, Cause as Reason, Change, Counted, Doubt, Outcome, Sampled, Unmeasured,
};
use perf_budget_core::quantity::Unit;
use perf_budget_core::samples::{FOLDER, counts_name};
use perf_budget_core::suite::Test;
use perf_budget_core::verdict::Verdict;

use super::counted;
use super::sampled::judged;
use super::side::{Side, both};
use super::state::{Cause, Profiled, Session, lock};
use crate::instrument::instructions;
use crate::subject;
use crate::worker::process::{self, Build};

/// The longest time that the profiles of one red may take.
pub(super) const LONGEST: Duration = Duration::from_secs(30);
/// The longest time that samples may take besides, if no profile could be made.
const LONGEST_SAMPLES: Duration = Duration::from_secs(10);
/// The note if no system call was seen in a profile.
const UNCALLED: &str = "no function is named: callgrind saw no system call of this operation";
/// What is said of a limit that layout may have broken, where both sides run the same instructions.
const ONLY_LAYOUT: &str = "; both sides run the same instructions: link order or memory layout";
const NOT_ONLY_LAYOUT: &str =
    "; both sides run the same instructions: layout, waiting, memory or caches are left";
/// The most page faults of one operation by which two runs of the same code differ.
const CHANCE_FAULTS: f64 = 0.1;
/// The least time in which samples say anything.
const LEAST_SAMPLES: Duration = Duration::from_secs(1);

impl Session {
    /// Returns a red outcome with what is to blame for it, and with what has changed since the base.
    pub(super) fn with_cause(&self, test: usize, mut outcome: Outcome) -> Outcome {
        let test = &self.suite.tests[test];
        if outcome.verdict != Verdict::Fail && !may_be_layout(&outcome) {
            return outcome;
        }
        let base = self.base.as_ref();
        if let Some(base) = base.filter(|_| test.limit.reference() == Some(&Reference::Base)) {
            outcome.changed.clone_from(&base.changed);
        }
        if !is_profiled(&self.budgets.budgets[test.budget], test) {
            return outcome;
        }
        let cause = self.cause(test);
        if let Some(within) = remaining_time(test, &cause) {
            self.add_samples(test, within, cause.as_ref().err(), &mut outcome);
        }
        match cause {
            Ok(blame) => {
                // Page faults are only read where nothing else tells layout from memory.
                let faults =
                    is_layout(&outcome, &blame).then(|| self.page_faults(self.of_test(test)));
                let faults = faults.flatten();
                let is_layout = add_instruction_counts(&mut outcome, &blame, faults);
                let is_of_memory = is_of_memory(test);
                let mut blame = Blame { is_of_memory, is_layout, ..(*blame).clone() };
                blame.remarks.extend(faults.and_then(faults_remark));
                if is_of_bytes(test) {
                    blame.explain_bytes();
                }
                if explained_by(test) == ExplainedBy::SystemCalls {
                    blame.is_of_system_calls = true;
                    // The callers of the system are known without the functions that were inlined.
                    blame.inlined = None;
                    // The functions that run most instructions need not be those that call the system. The functions that grew may be.
                    if blame.before.is_none() && blame.system_callers.is_empty() {
                        outcome.notes.push(UNCALLED.to_owned());
                        return outcome;
                    }
                }
                blame.remarks.extend(allocator_remark(outcome.counted.as_ref()));
                outcome.blame = Some(Box::new(blame));
            }
            Err(_) if outcome.sampled.is_some() => {}
            Err(why) => outcome.notes.push(format!("no function is named: {why}")),
        }
        outcome
    }

    /// Profiles a test, unless that has been done for another limit of the same case.
    fn cause(&self, test: &Test) -> Cause {
        self.cause_of(self.of_test(test), &test.name)
    }

    /// Returns what is profiled of a test.
    fn of_test(&self, test: &Test) -> Profiled {
        let against_base = self.base.is_some() && test.limit.reference() == Some(&Reference::Base);
        let by_time = against_base && test.limit.metric.is_time();
        (test.budget, test.case, against_base, by_time)
    }

    /// Samples a test, whose functions the command names. `why` says why nothing was counted.
    fn add_samples(
        &self,
        test: &Test,
        within: Duration,
        why: Option<&String>,
        outcome: &mut Outcome,
    ) {
        let why = why.map(String::as_str).unwrap_or_default();
        match self.samples_of(self.of_test(test), &test.name, within, why) {
            Ok(taken) => {
                let judged = judged(outcome, &test.limit.metric);
                outcome.sampled = Some(Box::new(Sampled { judged, ..(*taken).clone() }));
            }
            Err(why) => outcome.notes.push(format!("no samples were taken: {why}")),
        }
    }

    /// Profiles a case, unless that has been done. `name` is shown meanwhile.
    pub(super) fn cause_of(&self, profiled: Profiled, name: &str) -> Cause {
        let mut causes = lock(&self.causes);
        if let Some(known) = causes.get(&profiled) {
            return known.clone();
        }
        self.progress.clear();
        self.progress.show(|| format!("profiling {name}, to name what grew"));
        let cause = self.profile(profiled, name).map(Arc::new).map_err(|why| why.text);
        self.progress.clear();
        causes.insert(profiled, cause.clone());
        cause
    }

    /// Profiles both sides at the same time, while nothing statistical is measured.
    fn profile(&self, profiled: Profiled, name: &str) -> Result<Blame, Unmeasured> {
        process::require_profiler()?;
        // Without the lock, this would disturb what somebody else measures.
        let _lock = self.machine_lock.shared(&self.progress)?;
        let (head, reference) = self.sides(profiled)?;
        let began = Instant::now();
        // A base with an old release of this library cannot be profiled.
        let (now, before) = both(&head, reference.as_ref(), |side, _| side.profiles(LONGEST))?;
        let own = self.own_crates(&head);
        let mut blame = blame::compare(before.as_deref(), &now, &own);
        blame.seconds = began.elapsed().as_secs_f64();
        let file = self.results.join(FOLDER).join(counts_name(&self.key_of(profiled, name)));
        counted::keep(&mut blame, &file, before, now, own);
        Ok(blame)
    }

    /// Returns the page faults of one operation of both sides, as the system counts them. `None` if they are not known.
    fn page_faults(&self, profiled: Profiled) -> Option<Change> {
        let _lock = self.machine_lock.shared(&self.progress).ok()?;
        let (head, reference) = self.sides(profiled).ok()?;
        let (now, before) =
            both(&head, reference.as_ref(), |side, _| side.page_faults(LONGEST)).ok()?;
        Some(Change { before: before?, now })
    }

    /// Returns the crates of the project, on both sides.
    pub(super) fn own_crates(&self, head: &Side) -> BTreeSet<String> {
        let base = self.base.as_ref().map(|base| base.root.as_path());
        let roots = [Some(self.budgets.root.as_path()), base];
        roots.into_iter().flatten().flat_map(own_crates).chain(head.crate_name()).collect()
    }

    /// Returns the profiled sides: that of this revision, and that of the base if there is one.
    pub(super) fn sides(
        &self,
        (at, case, against_base, by_time): Profiled,
    ) -> Result<(Side, Option<Side>), Unmeasured> {
        let base = self.base.as_ref().filter(|_| against_base);
        let budget = &self.budgets.budgets[at];
        if matches!(budget.subject, Subject::Benchmark(..)) {
            let sources = self.sources(None);
            let side = |is_reference| {
                let side = sources.benchmarks().profiled((at, case), is_reference, base)?;
                Ok::<_, Unmeasured>(Side::Benchmark(side))
            };
            let (head, reference) = (side(false)?, base.map(|_| side(true)).transpose()?);
            if reference.as_ref().is_some_and(|reference| reference.serves() != head.serves()) {
                let text = "only one of both revisions serves its benchmarks, and profiles of different kinds are never compared";
                return Err(Unmeasured::new(Reason::Unsuitable, text));
            }
            return Ok((head, reference));
        }
        let (head, reference) = match base {
            Some(base) if by_time => {
                let ([head, reference], _) = base.links().of_pair(0);
                (head, reference.or_else(|| base.build().cloned()))
            }
            Some(base) => (None, base.build().cloned()),
            None => (None, None),
        };
        let request = subject::explaining(budget, case, vec![instructions::metric()]);
        let scratch = self.results.join("scratch");
        let side =
            |build| Side::Workload { build, request: request.clone(), scratch: scratch.clone() };
        Ok((side(head.map_or_else(Build::this, Ok)?), reference.map(side)))
    }
}

/// Whether nothing but link order or memory layout is left, as far as the profiles show: the same instructions, the same system
/// calls, as many bytes allocated, and a difference that layout can make of the time on the processor.
fn is_layout(outcome: &Outcome, blame: &Blame) -> bool {
    outcome.layout_explains()
        && blame.is_same()
        && blame.same_system_calls() == Some(true)
        && blame.allocated.is_none_or(|bytes| bytes.by() == 0.0)
}

/// Whether one operation takes as many page faults on both sides.
fn are_same(faults: Change) -> bool {
    faults.by().abs() <= CHANCE_FAULTS
}

/// Returns a remark if one operation takes other page faults than at the base.
fn faults_remark(faults: Change) -> Option<String> {
    let Change { before, now } = faults;
    (!are_same(faults)).then(|| format!("{before:.1} -> {now:.1} page faults of one operation"))
}

/// Adds what the instructions of both sides say to the reason of a limit that layout may have broken, and returns whether nothing
/// but layout is left. `faults` are the page faults of one operation, if they were read. No verdict depends on it.
fn add_instruction_counts(outcome: &mut Outcome, blame: &Blame, faults: Option<Change>) -> bool {
    let is_layout = is_layout(outcome, blame) && faults.is_some_and(are_same);
    if blame.is_same() && may_be_layout(outcome) {
        outcome.reason.push_str(if is_layout { ONLY_LAYOUT } else { NOT_ONLY_LAYOUT });
    }
    is_layout
}

/// Whether a limit would be red if the luck of a link could be ruled out.
fn may_be_layout(outcome: &Outcome) -> bool {
    outcome.doubt == Some(Doubt::Layout) && exceeds(outcome)
}

/// Returns the time that is left to sample a red of a time that instructions do not explain: they were not counted, or are
/// the same. Samples show how long functions take. So they explain latencies and rates, and not what a processor did.
fn remaining_time(test: &Test, cause: &Cause) -> Option<Duration> {
    match test.limit.metric.sample() {
        SampleKind::Operation | SampleKind::Batch | SampleKind::Rate => {}
        SampleKind::File
        | SampleKind::Failure
        | SampleKind::Run
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => return None,
    }
    let left = match cause {
        Ok(blame) if !blame.is_same() => return None,
        Ok(blame) => LONGEST.saturating_sub(Duration::from_secs_f64(blame.seconds)),
        Err(_) => LONGEST_SAMPLES,
    };
    (left >= LEAST_SAMPLES).then_some(left)
}

/// Returns a remark if a limit on instructions leaves out those of the allocator, which a profile includes.
fn allocator_remark(counted: Option<&Counted>) -> Option<String> {
    let leaves_out = counted.is_some_and(|counted| counted.allocator.is_some());
    leaves_out.then(|| {
        "these instructions include those of the allocator, which the limit leaves out".to_owned()
    })
}

/// Whether a value is beyond its limit.
fn exceeds(outcome: &Outcome) -> bool {
    let both = outcome.against.zip(outcome.estimate);
    both.is_some_and(|(against, estimate)| against.is_over(estimate.value))
}

/// Whether a red of a test has functions to blame: it is on what a workload or a benchmark does.
fn is_profiled(budget: &Budget, test: &Test) -> bool {
    has_functions(budget)
        && test.limit.metric.custom_name().is_none()
        && explained_by(test) != ExplainedBy::Nothing
}

/// Whether a red of a test is one of memory that is allocated, which the places that allocate explain.
fn is_of_memory(test: &Test) -> bool {
    explained_by(test) == ExplainedBy::Allocations
}

/// Whether a red of a test is one of an amount of memory, and not of a number of allocations.
fn is_of_bytes(test: &Test) -> bool {
    let metric = &test.limit.metric;
    is_of_memory(test) && metric.slope_of().unwrap_or(metric).unit() == Some(Unit::Bytes)
}

/// Returns what explains a red of a test.
fn explained_by(test: &Test) -> ExplainedBy {
    let instrument = test.limit.metric.worker_instrument(test.kind);
    instrument.map_or(ExplainedBy::Nothing, |instrument| instrument.row().explained_by)
}

/// Whether the subject of a budget runs functions that can be profiled.
pub(super) fn has_functions(budget: &Budget) -> bool {
    match budget.subject {
        Subject::Workload(_) | Subject::Benchmark(Library::Criterion | Library::Divan, _) => true,
        Subject::Benchmark(Library::Libtest, _)
        | Subject::Artifact(_)
        | Subject::Command(_)
        | Subject::Record(_) => false,
    }
}

/// Returns the crates of the project that a directory belongs to, by the nearest `Cargo.lock`.
fn own_crates(root: &Path) -> BTreeSet<String> {
    let lock =
        root.ancestors().find_map(|dir| std::fs::read_to_string(dir.join("Cargo.lock")).ok());
    lock.map(|lock| blame::own_crates(&lock)).unwrap_or_default()
}

#[cfg(test)]
#[path = "cause_tests.rs"]
mod tests;
