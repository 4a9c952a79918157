//! Tests that are decided without measuring.

use perf_budget_core::budget::{Budget, Reference, Subject};
use perf_budget_core::build;
use perf_budget_core::enforce::accepted::Unjudged;
use perf_budget_core::outcome::{Against, Cause, Outcome, Proven, Unmeasured};
use perf_budget_core::suite::{self, Group, ReadBy, Span};
use perf_budget_core::verdict::Verdict;

use super::state::{Session, is_strict};
use crate::subject;

impl Session {
    /// Whether a test is skipped, which is known before anything is measured.
    pub(crate) fn skips(&self, test: usize) -> bool {
        let skipped = |outcome: Outcome| outcome.verdict == Verdict::Skipped;
        self.decided_unmeasured(test).map_or_else(|| self.unjudged(test).is_some(), skipped)
    }

    /// Returns the outcome of a test that is decided without measuring: its workload is not registered, or its
    /// reference is not there. `None` if the test must be measured.
    pub(super) fn decided_unmeasured(&self, test: usize) -> Option<Outcome> {
        let entry = &self.suite.tests[test];
        if let Subject::Workload(name) = &self.budgets.budgets[entry.budget].subject
            && !self.workloads.contains(name)
        {
            let text = subject::unregistered(name, &self.workloads);
            return Some(self.unmeasured(test, &Unmeasured::new(Cause::NotFound, text)));
        }
        let strict = is_strict();
        let unjudged = self.unjudged(test);
        if let Some(Unjudged::Unsuitable(text)) = &unjudged {
            return Some(self.unmeasured(test, &Unmeasured::new(Cause::Unsuitable, text.as_str())));
        }
        let budget = &self.budgets.budgets[entry.budget];
        let benchmark = budget.cases.get(entry.case).and_then(|case| budget.benchmark(case));
        let reason = entry.set_aside(self.base.as_ref().map(|base| match benchmark {
            Some(benchmark) => base.has_benchmark(budget, benchmark, &entry.limit.metric),
            None => base.has(&budget.name),
        }));
        // A comparison with the base is asked for explicitly, and it builds a whole revision anyway.
        let reason = reason.or_else(|| unbuilt(budget).filter(|_| self.base.is_none()));
        let reason = match (reason, unjudged) {
            (Some(reason), _) => reason.to_owned(),
            // Without PERF_BUDGET_STRICT such a test is measured all the same, so that its value can be accepted.
            (None, Some(Unjudged::SetAside(reason))) if strict => reason,
            _ => return self.against_base(test),
        };
        if strict && reason != suite::NEW && reason != suite::NEW_BENCHMARK {
            let text = format!("{reason}; PERF_BUDGET_STRICT lets nothing be skipped");
            return Some(self.unmeasured(test, &Unmeasured::new(Cause::Unsupported, text)));
        }
        let mut outcome = self.template(test);
        outcome.verdict = Verdict::Skipped;
        outcome.reason = reason;
        Some(outcome)
    }

    /// Returns the outcome of a test against the base that need not or cannot be measured: either it is proven that the
    /// limit holds, or the base was not built.
    fn against_base(&self, test: usize) -> Option<Outcome> {
        let entry = &self.suite.tests[test];
        let base =
            self.base.as_ref().filter(|_| entry.limit.reference() == Some(&Reference::Base))?;
        let budget = &self.budgets.budgets[entry.budget];
        let proven = base.proves(budget, budget.cases.get(entry.case), &entry.limit);
        // The programs of benchmarks are proven by themselves.
        let is_paired = is_paired(&self.suite.groups[entry.group]) && !entry.is_benchmark();
        // A proof about the builds that times are compared with is shown with the note on how these were built.
        let of_times =
            || Some((base.proves_time(&entry.limit).filter(|_| is_paired)?, &base.link_notes[..]));
        if let Some((proven, notes)) = proven.map(|proven| (proven, &[][..])).or_else(of_times) {
            return Some(self.proven(test, proven, notes));
        }
        let text = "the base was not built, since nothing that was known to need it had changed; compare again with \
                     PERF_BUDGET_MEASURE=always, which builds and measures everything";
        let has_benchmarks = base.benchmarks(budget).is_some_and(|both| both.list(true).is_some());
        let is_built = base.is_built() || has_benchmarks;
        (!is_built).then(|| self.unmeasured(test, &Unmeasured::new(Cause::Unsupported, text)))
    }

    /// Returns the outcome of a test that this proof settles, with these notes.
    pub(super) fn proven(&self, test: usize, proven: &Proven, notes: &[String]) -> Outcome {
        let mut outcome = self.template(test);
        outcome.notes.extend_from_slice(notes);
        outcome.verdict = Verdict::Pass;
        outcome.reason = proven.describe();
        outcome.proven = Some(proven.clone());
        let limit = &self.suite.tests[test].limit;
        let (bound, (limit, unit)) = (limit.bound, limit.number());
        outcome.against = Some(Against { bound, limit, warn: limit, tolerance: 0.0, unit });
        outcome
    }

    /// Returns the reason why a test against an accepted value cannot be judged.
    pub(super) fn unjudged(&self, test: usize) -> Option<Unjudged> {
        self.accepted.unjudged(&self.template(test), &self.suite.tests[test].limit)
    }
}

/// Whether a group's times are compared by pairs of processes, for which there may be separate builds.
pub(super) fn is_paired(group: &Group) -> bool {
    cfg!(unix) && group.reading == ReadBy::TIME && matches!(group.span, Span::Case(_))
}

/// Returns why a budget is not measured in a debug build, if so. A release build of its subject would take longer than a
/// quick `cargo test` should take, and a debug build is never what ships.
fn unbuilt(budget: &Budget) -> Option<&'static str> {
    let is_built = cfg!(debug_assertions) && build::needs_cargo(budget);
    is_built.then_some(
        "a debug run builds nothing in release, and a debug binary is not what ships: run `cargo test --release`",
    )
}

#[cfg(test)]
mod tests {
    use perf_budget_core::budget;
    use perf_budget_core::outcome::{ComparisonMethod, Proven};

    use super::*;
    use crate::base::Base;

    const BUDGETS: &str = r#"
[budget.work]
workload = "work"
max = { mean = "1.05 x base", allocs = "1.05 x base" }

[budget.faster]
workload = "work"
max = { mean = "0.9 x base" }

[budget.loaded]
workload = "work"
load = { shape = "constant", rate = "100 op/s" }
max = { p50 = "1.05 x base" }
"#;

    #[test]
    fn a_proof_about_the_builds_for_times_holds_for_times_that_are_compared_in_pairs() {
        let place =
            std::env::temp_dir().join(format!("perf-budget-decided-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let path = place.join("budgets.toml");
        std::fs::write(&path, BUDGETS).unwrap();
        let budgets = budget::load(&path).unwrap();
        let mut session =
            Session::new(budgets, vec!["work".to_owned()], place.join("results")).unwrap();
        let proven =
            Proven { by: ComparisonMethod::Sections, commit: "0123456789abcdef".to_owned() };
        session.base = Some(Base::with_equal_times(proven, "compiled in one unit"));
        session.suite = suite::Suite::of(&session.budgets, true);
        for (nth, test) in session.suite.tests.iter().enumerate() {
            let is_proven = cfg!(unix) && test.name == "work::mean::x_base";
            let outcome = session.against_base(nth).filter(|outcome| outcome.proven.is_some());
            assert_eq!(outcome.is_some(), is_proven, "{}", test.name);
            if let Some(outcome) = outcome {
                assert_eq!(outcome.verdict, Verdict::Pass);
                assert_eq!(outcome.reason, "it runs the same machine code as at 0123456789ab");
                assert_eq!(outcome.notes, ["compiled in one unit"]);
            }
        }
        std::fs::remove_dir_all(&place).unwrap();
    }
}
