//! A report as data: outcomes of one run, and what is known besides.

use std::collections::BTreeMap;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::count::{Tests, count};
use perf_budget_core::verdict::Verdict;

use crate::exit::Exit;
use crate::inside::Inside;

/// Outcomes of one run, and what is known besides.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Of each test one outcome, in the order of `budgets.toml`.
    pub(crate) outcomes: Vec<Outcome>,
    /// Outcomes of earlier runs, oldest first.
    pub(crate) earlier: Vec<Outcome>,
    /// How the outcomes came together: files merged, tests judged twice.
    pub(crate) remarks: Vec<String>,
    /// What is inside the artifacts of a budget, by its name; of another place's run nothing.
    pub(crate) inside: BTreeMap<String, Vec<(String, Inside)>>,
}

impl Report {
    /// The report of these outcomes, in the order of `budgets.toml`.
    pub(crate) fn new(mut outcomes: Vec<Outcome>, earlier: Vec<Outcome>) -> Report {
        outcomes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        Report { outcomes, earlier, ..Report::default() }
    }

    /// What is inside the artifacts that an outcome is of.
    pub(crate) fn inside_of(&self, outcome: &Outcome) -> &[(String, Inside)] {
        self.inside.get(&outcome.budget).map_or(&[], Vec::as_slice)
    }

    /// The profile that was judged.
    pub(crate) fn profile(&self) -> &str {
        self.outcomes.first().map_or("release", |outcome| outcome.run.profile.as_str())
    }

    /// How many tests there are, selected or not.
    pub(crate) fn tests(&self) -> usize {
        let made = self.outcomes.iter().map(|outcome| outcome.run.tests).max().unwrap_or(0);
        made + self.outcomes.iter().filter(|outcome| is_idle(outcome)).count()
    }

    /// How many of how many were judged, and how.
    pub(crate) fn closing(&self) -> String {
        // What stands for several tests would count as one.
        let named: Vec<Outcome> =
            self.outcomes.iter().filter(|outcome| !is_nameless(outcome)).cloned().collect();
        let budgets = self.outcomes.iter().map(|outcome| outcome.run.budgets).max().unwrap_or(0);
        count(&named, Tests { limits: self.tests(), budgets }, 0)
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        Exit::of(&self.outcomes)
    }

    /// Earlier values of the same test under comparable circumstances, oldest first, one a run.
    pub(crate) fn trend(&self, of: &Outcome) -> Vec<&Outcome> {
        let Some(against) = of.against else { return Vec::new() };
        let mut trend: Vec<&Outcome> = Vec::new();
        let like = |earlier: &&Outcome| {
            earlier.test == of.test
                && earlier.estimate.is_some()
                && earlier.against.is_some_and(|held| held.unit == against.unit)
                && earlier.run.profile == of.run.profile
                && earlier.run.platform == of.run.platform
        };
        for earlier in self.earlier.iter().filter(like) {
            match trend.last_mut() {
                Some(last) if last.run.id == earlier.run.id => *last = earlier,
                _ => trend.push(earlier),
            }
        }
        let many = trend.len().saturating_sub(LONGEST_TREND);
        trend.split_off(many)
    }
}

/// More runs than a sparkline can show.
const LONGEST_TREND: usize = 40;

/// Whether this is the harness's word for a workload that no budget names: a test beyond those that
/// `budgets.toml` makes.
pub(crate) fn is_idle(outcome: &Outcome) -> bool {
    outcome.metric == "budget" && outcome.against.is_none() && outcome.estimate.is_none()
}

/// The worst first: how much a reader must look at it.
pub(crate) fn severity(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Fail => 5,
        Verdict::Unmeasured => 4,
        Verdict::Inconclusive => 3,
        Verdict::Warn => 2,
        Verdict::Pass => 1,
        Verdict::Skipped => 0,
    }
}

/// Whether this stands for tests whose names are not known.
pub(crate) fn is_nameless(outcome: &Outcome) -> bool {
    outcome.budget.is_empty() && outcome.test == MISSING
}

/// The name of what stands for tests whose names are not known.
pub(super) const MISSING: &str = "missing";
