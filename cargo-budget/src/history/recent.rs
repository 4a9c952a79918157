//! The recent commits of a branch: where they begin, and which limits are no longer measured in them.

use std::collections::HashSet;

use perf_budget_core::suite::Suite;

use crate::project::Project;

/// The number of newest commits of a branch that are recent. A change in them is listed, and a limit that none of them
/// measured may be gone.
pub(crate) const LATELY: u16 = 20;

/// The times of the newest commits of a branch. A run without a commit counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recent {
    /// The time of the oldest recent commit; the least time where the branch has fewer.
    pub(crate) since: i64,
    /// The time of the newest commit.
    pub(crate) newest: i64,
}

impl Recent {
    /// Finds the recent commits from the times of all commits, which are given newest first.
    pub(crate) fn from_times(times: &[i64]) -> Recent {
        Recent {
            since: times.get(usize::from(LATELY) - 1).copied().unwrap_or(i64::MIN),
            newest: times.first().copied().unwrap_or(i64::MIN),
        }
    }

    /// Returns whether a limit is no longer measured. `newest` is the time at which it was measured last. If budgets.toml can
    /// be read, the limit is gone when the file does not list it. But the file may be of another commit, so a limit that the
    /// newest commit measured is not gone. Without the file, a limit is gone when no recent commit measured it.
    pub(crate) fn is_gone(self, newest: i64, is_listed: Option<bool>) -> bool {
        match is_listed {
            Some(is_listed) => !is_listed && newest < self.newest,
            None => newest < self.since,
        }
    }
}

/// The tests that budgets.toml makes, in any of its environments.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    tests: HashSet<String>,
    budgets: HashSet<String>,
    /// The budgets with a pattern, whose tests are known only when their benchmarks are known.
    patterns: HashSet<String>,
}

impl Listed {
    /// Reads the project's budgets; `None` where they cannot be read.
    pub(crate) fn read(project: &Project) -> Option<Listed> {
        let plain = project.budgets_in(None).ok()?;
        let mut listed = Listed::default();
        let named = plain.environments.iter().map(|declared| Some(declared.name.as_str()));
        for environment in named.chain([None]) {
            let budgets = project.budgets_in(environment).ok()?;
            let tests = Suite::of(&budgets, true).tests;
            listed.budgets.extend(budgets.budgets.iter().map(|budget| budget.name.clone()));
            listed.tests.extend(tests.into_iter().map(|test| test.name));
            let patterns = budgets.budgets.iter().filter(|b| b.pattern().is_some());
            listed.patterns.extend(patterns.map(|budget| budget.name.clone()));
        }
        Some(listed)
    }

    /// Returns whether the file has a test.
    pub(crate) fn has(&self, budget: &str, test: &str) -> bool {
        self.tests.contains(test) || self.patterns.contains(budget)
    }

    /// Returns whether the file has a budget.
    pub(super) fn has_budget(&self, budget: &str) -> bool {
        self.budgets.contains(budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_or_else_the_newest_commits_decide_which_limits_are_gone() {
        let few = Recent::from_times(&[30, 20, 10]);
        assert_eq!((few.since, few.newest), (i64::MIN, 30));
        let times: Vec<i64> = (1..=25).rev().collect();
        let recent = Recent::from_times(&times);
        assert_eq!((recent.since, recent.newest), (6, 25));
        for (newest, is_listed, is_gone) in [
            (1, Some(true), false),
            (24, Some(false), true),
            (25, Some(false), false),
            (5, None, true),
            (6, None, false),
        ] {
            assert_eq!(recent.is_gone(newest, is_listed), is_gone, "{newest} {is_listed:?}");
        }
        assert!(!Recent::from_times(&[]).is_gone(0, None));
    }
}
