//! The report as data: the outcomes of one run, and the other facts that are known of it.

use std::collections::{BTreeMap, HashMap};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::count::{Tests, count};

use super::cause::Cause;
use crate::exit::Exit;
use crate::inside::FileContents;

/// The outcomes of one run, and the other facts that are known of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// One outcome of each test, in the order of `budgets.toml`.
    pub(crate) outcomes: Vec<Outcome>,
    /// The outcomes of earlier runs, oldest first.
    pub(crate) earlier: Vec<Outcome>,
    /// The number of tests without an outcome, in a run that has a process for each test: a filter left them out, or the
    /// run ended before them.
    pub(crate) missing: usize,
    /// The tests that the limits of each file with budgets make, whether or not they were selected.
    pub(crate) files: BTreeMap<String, Tests>,
    /// Remarks on how the outcomes came together, such as merged files and tests that were judged twice.
    pub(crate) remarks: Vec<String>,
    /// What made limits against the base red, if `check --causes` asked for it; it is empty if none is red.
    pub(crate) causes: Option<Vec<Cause>>,
    /// The contents of the artifacts of each budget, by the budget's name. It is empty for a run of another checkout.
    pub(crate) inside: BTreeMap<String, Vec<(String, FileContents)>>,
    /// The exit of a command that ran the tests itself. It knows more than the outcomes say: that the base was not
    /// compared with, or that a filter left tests out.
    pub(crate) ended: Option<Exit>,
}

impl Report {
    /// Returns the report of these outcomes, which it sorts into the order of `budgets.toml`.
    pub(crate) fn new(mut outcomes: Vec<Outcome>, earlier: Vec<Outcome>) -> Report {
        outcomes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        let mut files: BTreeMap<String, Tests> = BTreeMap::new();
        for Outcome { file, run, .. } in &outcomes {
            let tests = files.entry(file.clone()).or_default();
            *tests = tests.max(Tests { limits: run.tests, budgets: run.budgets });
        }
        Report { outcomes, earlier, files, ..Report::default() }
    }

    /// Returns the contents of the artifacts that an outcome is about.
    pub(crate) fn inside_of(&self, outcome: &Outcome) -> &[(String, FileContents)] {
        self.inside.get(&outcome.budget).map_or(&[], Vec::as_slice)
    }

    /// Returns the cargo profile that was measured.
    pub(crate) fn profile(&self) -> &str {
        self.outcomes.first().map_or("release", |outcome| outcome.run.profile.as_str())
    }

    /// Returns how many tests there are, whether they were selected or not.
    pub(crate) fn tests(&self) -> usize {
        let others = self.outcomes.iter().filter(|outcome| outcome.is_of_no_limit());
        self.tests_of_limits().limits + others.count()
    }

    /// Returns how many tests the limits of all files make.
    fn tests_of_limits(&self) -> Tests {
        self.files.values().fold(Tests::default(), |all, tests| all.and(*tests))
    }

    /// Returns the last line: how many of the tests were judged, and with which verdicts.
    pub(crate) fn closing(&self) -> String {
        // An outcome that stands for several tests would be counted as one.
        let named: Vec<Outcome> =
            self.outcomes.iter().filter(|outcome| !is_nameless(outcome)).cloned().collect();
        count(&named, self.tests_of_limits(), 0)
    }

    /// Returns the exit code of the command.
    pub(crate) fn exit(&self) -> Exit {
        if let Some(ended) = self.ended {
            return ended;
        }
        match Exit::from_outcomes(&self.outcomes) {
            Exit::Holds | Exit::Inconclusive if self.missing > 0 => Exit::Unmeasured,
            exit @ (Exit::Holds
            | Exit::Inconclusive
            | Exit::Broken
            | Exit::Usage
            | Exit::Unmeasured) => exit,
        }
    }

    /// Returns the earlier outcomes with a value, by their tests.
    pub(crate) fn trends(&self) -> Trends<'_> {
        let mut by_test: HashMap<&str, Vec<&Outcome>> = HashMap::new();
        for earlier in self.earlier.iter().filter(|earlier| earlier.estimate.is_some()) {
            by_test.entry(&earlier.test).or_default().push(earlier);
        }
        Trends { by_test }
    }
}

/// The outcomes of earlier runs by their tests, so that the trend of one test is found without reading those of all.
pub(crate) struct Trends<'r> {
    by_test: HashMap<&'r str, Vec<&'r Outcome>>,
}

impl<'r> Trends<'r> {
    /// Returns the earlier outcomes of the same test in the same unit, build and platform: one for each run, the oldest
    /// first.
    pub(crate) fn before(&self, outcome: &Outcome) -> Vec<&'r Outcome> {
        let Some(against) = outcome.against else { return Vec::new() };
        let mut trend: Vec<&Outcome> = Vec::new();
        let is_comparable = |earlier: &&&Outcome| {
            earlier.against.is_some_and(|held| held.unit == against.unit)
                && earlier.run.profile == outcome.run.profile
                && earlier.run.platform == outcome.run.platform
        };
        let all_earlier = self.by_test.get(outcome.test.as_str()).into_iter().flatten();
        for earlier in all_earlier.filter(is_comparable) {
            match trend.last_mut() {
                Some(last) if last.run.id == earlier.run.id => *last = earlier,
                _ => trend.push(earlier),
            }
        }
        let too_many = trend.len().saturating_sub(LONGEST_TREND);
        trend.split_off(too_many)
    }
}

/// The most runs that a sparkline shows.
const LONGEST_TREND: usize = 40;

/// Returns whether this outcome stands for tests whose names are not known.
pub(crate) fn is_nameless(outcome: &Outcome) -> bool {
    outcome.budget.is_empty() && outcome.test == MISSING
}

/// The name of an outcome that stands for tests whose names are not known.
pub(super) const MISSING: &str = "missing";

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::{NO_BUDGET, Run};
    use perf_budget_core::verdict::Verdict;

    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_command_where_it_ran_the_tests() {
        let exit = |ended| Report { missing: 2, ended, ..Report::default() }.exit();
        assert_eq!(exit(None), Exit::Unmeasured);
        // The command knows that its own filter left the two tests out.
        assert_eq!(exit(Some(Exit::Holds)), Exit::Holds);
        assert_eq!(exit(Some(Exit::Usage)), Exit::Usage);
    }

    #[test]
    fn the_tests_of_several_files_add_up() {
        let outcome = |file: &str, verdict, tests, budgets| Outcome {
            file: file.to_owned(),
            budget: file.to_owned(),
            verdict,
            run: Run { tests, budgets, ..Run::default() },
            ..Outcome::default()
        };
        let without_budget =
            Outcome { metric: NO_BUDGET.to_owned(), ..outcome("a", Verdict::Unmeasured, 2, 1) };
        let outcomes =
            [outcome("a", Verdict::Pass, 2, 1), outcome("b", Verdict::Warn, 3, 2), without_budget];
        let report = Report::new(outcomes.into(), Vec::new());
        assert_eq!(report.tests(), 6);
        assert_eq!(
            report.closing(),
            "5 limits of 3 budgets: 1 pass, 1 warn; 3 not judged yet; other tests: 1 unmeasured"
        );
    }
}
