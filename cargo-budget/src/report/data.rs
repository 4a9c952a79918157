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
    /// The number of tests of a run with a process for each test that have no outcome, without a known reason: they were
    /// left out, or the run ended before them.
    pub(crate) missing: usize,
    /// The tests that the limits of each file with budgets make, whether or not they were selected.
    pub(crate) files: BTreeMap<String, Tests>,
    /// Remarks on how the outcomes came together, such as merged files and tests that were judged twice.
    pub(crate) remarks: Vec<String>,
    /// What made the reds against the base red, where that was asked; it is empty if none is red.
    pub(crate) causes: Option<Vec<Cause>>,
    /// The contents of the artifacts of each budget, by the budget's name. It is empty for a run from another place.
    pub(crate) inside: BTreeMap<String, Vec<(String, FileContents)>>,
    /// How the command ends, where it ran the tests and so knows more than the outcomes say: a base that was not compared
    /// with, or tests that a filter left out.
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
        self.made().limits + others.count()
    }

    /// Returns the tests that limits make, of all files.
    fn made(&self) -> Tests {
        self.files.values().fold(Tests::default(), |all, tests| all.and(*tests))
    }

    /// Returns the last line: how many of the tests were judged, and with which verdicts.
    pub(crate) fn closing(&self) -> String {
        // An outcome that stands for several tests would be counted as one.
        let named: Vec<Outcome> =
            self.outcomes.iter().filter(|outcome| !is_nameless(outcome)).cloned().collect();
        count(&named, self.made(), 0)
    }

    /// Returns the exit code of the command.
    pub(crate) fn exit(&self) -> Exit {
        if let Some(ended) = self.ended {
            return ended;
        }
        match Exit::of(&self.outcomes) {
            Exit::Holds | Exit::Inconclusive if self.missing > 0 => Exit::Unmeasured,
            exit @ (Exit::Holds
            | Exit::Inconclusive
            | Exit::Broken
            | Exit::Usage
            | Exit::Unmeasured) => exit,
        }
    }

    /// Returns the earlier values of every test.
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
    /// Returns earlier values of the same test under comparable circumstances: one for each run, oldest first.
    pub(crate) fn of(&self, of: &Outcome) -> Vec<&'r Outcome> {
        let Some(against) = of.against else { return Vec::new() };
        let mut trend: Vec<&Outcome> = Vec::new();
        let like = |earlier: &&&Outcome| {
            earlier.against.is_some_and(|held| held.unit == against.unit)
                && earlier.run.profile == of.run.profile
                && earlier.run.platform == of.run.platform
        };
        for earlier in self.by_test.get(of.test.as_str()).into_iter().flatten().filter(like) {
            match trend.last_mut() {
                Some(last) if last.run.id == earlier.run.id => *last = earlier,
                _ => trend.push(earlier),
            }
        }
        let many = trend.len().saturating_sub(LONGEST_TREND);
        trend.split_off(many)
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
        let of = |ended| Report { missing: 2, ended, ..Report::default() }.exit();
        assert_eq!(of(None), Exit::Unmeasured);
        // A filter left the others out.
        assert_eq!(of(Some(Exit::Holds)), Exit::Holds);
        assert_eq!(of(Some(Exit::Usage)), Exit::Usage);
    }

    #[test]
    fn the_tests_of_several_files_add_up() {
        let of = |file: &str, verdict, tests, budgets| Outcome {
            file: file.to_owned(),
            budget: file.to_owned(),
            verdict,
            run: Run { tests, budgets, ..Run::default() },
            ..Outcome::default()
        };
        let idle = Outcome { metric: NO_BUDGET.to_owned(), ..of("a", Verdict::Unmeasured, 2, 1) };
        let outcomes = [of("a", Verdict::Pass, 2, 1), of("b", Verdict::Warn, 3, 2), idle];
        let report = Report::new(outcomes.into(), Vec::new());
        assert_eq!(report.tests(), 6);
        assert_eq!(
            report.closing(),
            "5 limits of 3 budgets: 1 pass, 1 warn; 3 not judged yet; other tests: 1 unmeasured"
        );
    }
}
