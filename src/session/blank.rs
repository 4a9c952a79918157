//! What is known of a test without measuring it: the outcome before there is a reading, and instead of one.

use super::Session;
use crate::budget::{Reference, Target};
use crate::meter::{Cause, Unmeasured};
use crate::subject;
use crate::verdict::Outcome;

impl Session {
    /// What is known of a test before it is measured.
    pub(crate) fn blank(&self, test: usize) -> Outcome {
        let test = &self.suite.tests[test];
        let budget = &self.budgets.budgets[test.budget];
        let relative_to = match &test.limit.target {
            Target::Absolute(_) | Target::Relative { reference: Reference::Lock, .. } => None,
            Target::Relative { reference: Reference::Base, .. } => Some("base".to_owned()),
            Target::Relative { reference: Reference::Budget(name), .. } => Some(name.clone()),
        };
        let case = match test.limit.metric.slope_of() {
            Some(_) => String::new(),
            None => budget.cases[test.case].label.clone(),
        };
        let mut blank = Outcome {
            test: test.name.clone(),
            budget: budget.name.clone(),
            case,
            metric: test.limit.metric.name(),
            subject: subject::describe(&budget.subject),
            relative_to,
            why: test.limit.why.clone().or_else(|| budget.why.clone()),
            file: crate::place::shown(&self.budgets.path),
            line: test.limit.line,
            run: self.run.clone(),
            ..Outcome::default()
        };
        self.accepted.attach(&mut blank, &test.limit);
        blank
    }

    /// The red of a workload that nothing is asked of.
    pub(crate) fn without_budget(&self, name: &str) -> Outcome {
        let key: String = name.chars().map(|c| if is_bare(c) { c } else { '_' }).collect();
        Outcome {
            test: Session::test_without_budget(name),
            budget: name.to_owned(),
            metric: "budget".to_owned(),
            subject: format!("workload {name}"),
            reason: format!(
                "workload `{name}` has no budget; add `[budget.{key}]` with `workload = {name:?}` \
                 and a limit, or register it no more"
            ),
            cause: Some(Cause::MeasuredNothing.name().to_owned()),
            file: crate::place::shown(&self.budgets.path),
            line: 1,
            run: self.run.clone(),
            ..Outcome::default()
        }
    }

    /// Its name: on one line, as lists of tests are read by lines.
    pub(crate) fn test_without_budget(name: &str) -> String {
        format!("{}::budget", name.replace(char::is_control, "_"))
    }

    pub(super) fn unmeasured(&self, test: usize, reason: &Unmeasured) -> Outcome {
        let mut outcome = self.blank(test);
        outcome.reason.clone_from(&reason.text);
        outcome.cause = Some(reason.cause.name().to_owned());
        outcome.output.clone_from(&reason.output);
        outcome
    }

    /// A test that no measurement decided: a defect of the harness, and red.
    pub(super) fn lost(&self, test: usize) -> Outcome {
        let words = "the measurement ended without an outcome; please report this";
        self.unmeasured(test, &Unmeasured::new(Cause::Harness, words))
    }
}

/// Whether a key of TOML may have it without quotes.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}
