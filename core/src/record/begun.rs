//! The line of a record about a process that begins: which tests it is going to judge.

use serde::{Deserialize, Serialize};

use crate::outcome::{Outcome, Run};

/// The tests that one process of a run is going to judge. The line is written before anything is measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// The tests that were selected.
    pub begun: Vec<Test>,
    /// The number of tests that were left out by a filter.
    pub filtered: usize,
    /// The number of tests that are skipped by themselves, whether or not a filter leaves them out too.
    pub ignored: usize,
    /// Whether the run has a process for each test. Then only all processes together tell which tests were left out.
    pub shared: bool,
    /// The file with the budgets, as people know it.
    pub file: String,
    /// The run that the process belongs to.
    pub run: Run,
}

/// A test that was selected. The fields are those of [`Outcome`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// The name of the test.
    pub test: String,
    /// The name of its budget.
    pub budget: String,
    /// The listed parameters of its case.
    pub case: String,
    /// The metric's name.
    pub metric: String,
    /// The subject of the test, in words.
    pub subject: String,
    /// The line of its limit in the file with the budgets.
    pub line: usize,
}

impl Test {
    /// Returns the test of this outcome.
    pub fn of(outcome: Outcome) -> Test {
        let Outcome { test, budget, case, metric, subject, line, .. } = outcome;
        Test { test, budget, case, metric, subject, line }
    }
}
