//! What is known of a test before it is measured: its outcome without a value, and its line in the record.

use perf_budget_core::budget::{Reference, Target};
use perf_budget_core::outcome::{Cause, NO_BUDGET, Outcome, Unmeasured};
use perf_budget_core::record::{self, Begun};
use perf_budget_core::suite::names;

use super::state::Session;

impl Session {
    /// Returns the outcome of a test as far as it is known before the test is measured.
    pub(crate) fn template(&self, test: usize) -> Outcome {
        let test = &self.suite.tests[test];
        let budget = &self.budgets.budgets[test.budget];
        let relative_to = match &test.limit.target {
            Target::Absolute(_) | Target::Relative { reference: Reference::Lock, .. } => None,
            Target::Relative { reference: Reference::Base, .. } => Some("base".to_owned()),
            Target::Relative { reference: Reference::Budget(name), .. } => Some(name.clone()),
        };
        let notes = self.base.as_ref().filter(|_| relative_to.as_deref() == Some("base"));
        let notes = notes.map(|base| base.notes.clone()).unwrap_or_default();
        let case = match test.limit.metric.slope_of() {
            Some(_) => String::new(),
            None => budget.cases[test.case].label.clone(),
        };
        let mut template = Outcome {
            test: test.name.clone(),
            budget: budget.name.clone(),
            case,
            metric: test.limit.metric.name(),
            subject: names::subject(&budget.subject),
            relative_to,
            notes,
            why: test.limit.why.clone().or_else(|| budget.why.clone()),
            file: perf_budget_core::paths::display_path(&self.budgets.path),
            line: test.limit.line,
            environment: test.limit.environment.as_deref().map(str::to_owned),
            run: self.run.clone(),
            ..Outcome::default()
        };
        self.accepted.attach(&mut template, &test.limit);
        template
    }

    /// Returns the red outcome of a workload that has no budget.
    pub(crate) fn without_budget(&self, name: &str) -> Outcome {
        let key: String = name.chars().map(|c| if is_bare(c) { c } else { '_' }).collect();
        Outcome {
            test: Session::test_without_budget(name),
            budget: name.to_owned(),
            metric: NO_BUDGET.to_owned(),
            subject: format!("workload {name}"),
            reason: format!(
                "workload `{name}` has no budget; add `[budget.{key}]` with `workload = {name:?}` \
                 and a limit, or remove it from the harness"
            ),
            cause: Some(Cause::MeasuredNothing.name().to_owned()),
            file: perf_budget_core::paths::display_path(&self.budgets.path),
            line: 1,
            run: self.run.clone(),
            ..Outcome::default()
        }
    }

    /// Returns the line of the record that says what this process is going to judge, before any test is in it.
    pub(crate) fn nothing_begun(&self) -> Begun {
        let file = perf_budget_core::paths::display_path(&self.budgets.path);
        Begun { file, run: self.run.clone(), shared: self.run_cache.is_some(), ..Begun::default() }
    }

    /// Returns a test as the record names it. `None` stands for a test that no limit makes, which is known by its name: it
    /// says which benchmarks a budget has, or that a workload has no budget.
    pub(crate) fn begun(&self, test: Option<usize>, name: &str) -> record::Test {
        if let Some(test) = test {
            return record::Test::of(self.template(test));
        }
        let mut several = self.several_benchmarks().into_iter();
        if let Some((nth, _)) = several.find(|(_, own)| own == name) {
            return record::Test::of(self.benchmarks_template(nth));
        }
        let workloads = &self.workloads;
        let workload = workloads.iter().find(|own| Session::test_without_budget(own) == name);
        record::Test::of(self.without_budget(workload.map_or(name, String::as_str)))
    }

    /// Returns the test name of a workload without a budget. It is on one line, as lists of tests are read line by
    /// line.
    pub(crate) fn test_without_budget(name: &str) -> String {
        format!("{}::budget", name.replace(char::is_control, "_"))
    }

    /// Returns the red outcome of a test that could not be measured, for this reason.
    pub(super) fn unmeasured(&self, test: usize, reason: &Unmeasured) -> Outcome {
        let mut outcome = self.template(test);
        outcome.reason.clone_from(&reason.text);
        outcome.cause = Some(reason.cause.name().to_owned());
        outcome.output.clone_from(&reason.output);
        outcome
    }

    /// Returns the red outcome of a test that its measurement did not decide, which is a defect of the harness.
    pub(super) fn internal_error(&self, test: usize) -> Outcome {
        let text = "the measurement ended without an outcome; please report this";
        self.unmeasured(test, &Unmeasured::new(Cause::Harness, text))
    }
}

/// Whether a TOML key may have this character without being quoted.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}
