//! The tests that a `budgets.toml` makes, and which of them share a measurement.
//!
//! One limit of one case is one [`Test`]. Tests whose readings come from the same processes form a [`Group`]: all
//! timed limits of a workload's case, all its heap limits, all limits of a command. This module is pure: nothing here
//! measures, so that listing ten thousand tests costs nothing.

mod implied;
pub mod names;

use std::collections::HashMap;
use std::sync::Arc;

use crate::budget::{Budget, Budgets, Limit, Reference, Target};
use crate::metric::{InstrumentKind, Metric, Starts, SubjectKind, WorkerInstrument};
use crate::verdict::hypothesis::can_interleave;

/// A test: one limit of one case.
#[derive(Debug, Clone)]
pub struct Test {
    /// The name of the test, such as `merge::p99` or `records::records=1000::rss`.
    pub name: String,
    /// The index of its budget.
    pub budget: usize,
    /// The index of its case; 0 for a scaling limit.
    pub case: usize,
    /// The limit that the test checks.
    pub limit: Arc<Limit>,
    /// The index of the group that measures it.
    pub group: usize,
    /// The reader of the group's values.
    pub reading: ReadBy,
    /// The kind of its subject.
    pub kind: SubjectKind,
}

/// The reason why a budget is skipped that the base revision does not have: nothing is wrong with it.
pub const NEW: &str = "the base revision has no such budget: there is nothing to compare with";

/// The reason why a benchmark is skipped that the base revision does not have.
pub const NEW_BENCHMARK: &str = "the base revision has no such benchmark, or cannot measure this of it: there is nothing to compare with";

impl Test {
    /// Whether its value is compared rather than judged from evidence.
    pub fn is_deterministic(&self) -> bool {
        self.limit.metric.is_deterministic()
    }

    /// Whether it is about a benchmark that is run.
    pub fn is_benchmark(&self) -> bool {
        self.kind.is_benchmark()
    }

    /// Whether it is about the instructions of the code of this program.
    fn counts_instructions(&self) -> bool {
        let instrument = self.limit.metric.worker_instrument(self.kind);
        instrument.is_some_and(|instrument| instrument.row().starts == Starts::Counted)
    }

    /// Returns why the test is skipped: this is a debug build, or no base revision is given. Such a reason is nobody's
    /// mistake. `base` says whether the base revision, if there is one, has the budget too, or the benchmark if the test is
    /// about one.
    pub fn set_aside(&self, base: Option<bool>) -> Option<&'static str> {
        match (&self.limit.target, base) {
            (Target::Relative { reference: Reference::Base, .. }, None) => {
                Some("no base revision to compare with is given")
            }
            (Target::Relative { reference: Reference::Base, .. }, Some(false)) => {
                Some(if self.is_benchmark() { NEW_BENCHMARK } else { NEW })
            }
            // A recorded value comes from another program, so the build of this one says nothing about it.
            _ if self.reading == ReadBy::RECORDED => None,
            _ if self.is_benchmark() && cfg!(debug_assertions) => Some(
                "benchmarks take long, and are run by tests in release: run `cargo test --release`",
            ),
            _ if self.limit.metric.is_time() && cfg!(debug_assertions) => {
                Some("a debug build says nothing about time: run `cargo test --release`")
            }
            _ if self.counts_instructions() && cfg!(debug_assertions) => {
                Some("a debug build runs many more instructions: run `cargo test --release`")
            }
            _ => None,
        }
    }
}

/// The reader of the values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReadBy {
    /// The instrument that the table of metrics names.
    By(InstrumentKind),
    /// The whole process of a workload, where two workloads are compared: its processor time, its failures, the
    /// values that it records. Its times are read in this way only under a load. Otherwise they are
    /// interleaved.
    Whole,
}

impl ReadBy {
    /// The times of a workload, measured alone or interleaved with its reference.
    pub const TIME: ReadBy = ReadBy::By(InstrumentKind::Worker(WorkerInstrument::Time));
    /// The reader of values that another harness has recorded.
    pub const RECORDED: ReadBy = ReadBy::By(InstrumentKind::Recorded);
    /// A benchmark of which only its own measurement is known.
    pub const BENCHMARK: ReadBy = ReadBy::By(InstrumentKind::Benchmark);
    /// A command, watched from outside.
    const PROCESS: ReadBy = ReadBy::By(InstrumentKind::Process);
}

/// A group of tests that are measured together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// The index of the budget.
    pub budget: usize,
    /// The cases that are measured: one of them, or all of them for a slope.
    pub span: Span,
    /// The reader of the values.
    pub reading: ReadBy,
    /// The other side of the comparison, for a ratio.
    pub versus: Option<Versus>,
    /// Whether its readings are compared or recorded; such groups may be measured in parallel.
    pub deterministic: bool,
}

/// The cases of a budget that a group measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    /// One case.
    Case(usize),
    /// All cases, for a slope.
    Sweep,
}

/// The other side of a ratio.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Versus {
    /// Another budget of the file, and its case.
    Budget(usize, usize),
    /// The base revision.
    Base,
}

/// The suite: every test of a `budgets.toml`, and the groups that measure them.
#[derive(Debug)]
pub struct Suite {
    /// The tests, deterministic ones first.
    pub tests: Vec<Test>,
    /// The groups of tests that share a measurement.
    pub groups: Vec<Group>,
    /// The indices of the tests of each group.
    members: Vec<Vec<usize>>,
}

impl Suite {
    /// Lays out the tests of a checked file. `compares` says whether there is a base revision, or has to be one; if so, the
    /// limits that `base` in `[settings]` puts on every budget are added.
    pub fn of(budgets: &Budgets, compares: bool) -> Suite {
        let by_name: HashMap<&str, usize> =
            budgets.budgets.iter().enumerate().map(|(i, b)| (b.name.as_str(), i)).collect();
        let mut tests = OrderedTests::default();
        let mut groups = Vec::new();
        for (index, budget) in budgets.budgets.iter().enumerate() {
            let base = budgets.settings.base.as_ref().filter(|_| compares);
            let implied = base.map_or(Vec::new(), |base| implied::limits(budget, base));
            let layout = Layout { budgets, by_name: &by_name, index, budget, implied };
            layout.cases(&mut tests, &mut groups);
            layout.slopes(&mut tests, &mut groups);
        }
        let OrderedTests { deterministic: mut tests, mut statistical } = tests;
        tests.append(&mut statistical);
        let mut members = vec![Vec::new(); groups.len()];
        for (index, test) in tests.iter().enumerate() {
            members[test.group].push(index);
        }
        Suite { tests, groups, members }
    }

    /// Returns how many limits share the suite's chance of a false red: the statistical ones, and those on counts that may differ
    /// from process to process. For recorded values no such chance is known.
    pub fn statistical(&self) -> usize {
        let may_differ = |test: &Test| test.limit.metric.judged().may_differ();
        let judged = |test: &&Test| may_differ(test) && test.reading != ReadBy::RECORDED;
        self.tests.iter().filter(judged).count()
    }

    /// Returns the tests of a group.
    pub fn tests_of(&self, group: usize) -> impl Iterator<Item = (usize, &Test)> {
        self.members[group].iter().map(|&index| (index, &self.tests[index]))
    }
}

/// The tests as they are laid out. Deterministic ones come first, because they are not interleaved and free their
/// threads soon.
#[derive(Default)]
struct OrderedTests {
    deterministic: Vec<Test>,
    statistical: Vec<Test>,
}

impl OrderedTests {
    fn push(&mut self, test: Test, group: &Group) {
        let list =
            if group.deterministic { &mut self.deterministic } else { &mut self.statistical };
        list.push(test);
    }
}

/// The layout of the tests of one budget.
struct Layout<'a> {
    budgets: &'a Budgets,
    by_name: &'a HashMap<&'a str, usize>,
    index: usize,
    budget: &'a Budget,
    /// The limits that the file puts on every budget.
    implied: Vec<Arc<Limit>>,
}

impl Layout<'_> {
    fn cases(&self, tests: &mut OrderedTests, groups: &mut Vec<Group>) {
        for (index, case) in self.budget.cases.iter().enumerate() {
            let first = groups.len();
            let written = self.budget.limits.len();
            let limits = self.budget.limits.iter().chain(&self.implied).enumerate();
            for (nth, limit) in limits.filter(|(_, limit)| limit.cases.has(case)) {
                let name = names::test(self.budget, &case.label, limit);
                let base = self.budgets.settings.base.as_ref().filter(|_| nth >= written);
                if base.is_some_and(|base| implied::is_excepted(base, &name)) {
                    continue;
                }
                let versus = self.versus(limit, index);
                let mut reading = self.reading(&limit.metric);
                let as_a_whole = |versus| !can_interleave(&limit.metric) || self.is_loaded(versus);
                if reading == ReadBy::TIME && versus.as_ref().is_some_and(as_a_whole) {
                    reading = ReadBy::Whole;
                }
                let group = Group {
                    budget: self.index,
                    span: Span::Case(index),
                    reading,
                    versus,
                    // A command's exit code is read from the same runs as its times.
                    deterministic: reading == ReadBy::RECORDED
                        || (limit.metric.is_deterministic() && reading != ReadBy::PROCESS),
                };
                let group = group_index(group, groups, first);
                let limit = Arc::clone(limit);
                let (budget, kind) = (self.index, self.budget.subject.kind());
                let test = Test { name, budget, case: index, limit, group, reading, kind };
                tests.push(test, &groups[group]);
            }
        }
    }

    fn slopes(&self, tests: &mut OrderedTests, groups: &mut Vec<Group>) {
        let first = groups.len();
        for limit in self.budget.scaling.iter().flat_map(|scaling| &scaling.limits) {
            let reading = self.reading(&limit.metric);
            let group = Group {
                budget: self.index,
                span: Span::Sweep,
                reading,
                versus: None,
                deterministic: limit.metric.is_deterministic(),
            };
            let name = names::test(self.budget, "", limit);
            let group = group_index(group, groups, first);
            let limit = Arc::clone(limit);
            let kind = self.budget.subject.kind();
            let test = Test { name, budget: self.index, case: 0, limit, group, reading, kind };
            tests.push(test, &groups[group]);
        }
    }

    fn versus(&self, limit: &Limit, case: usize) -> Option<Versus> {
        match &limit.target {
            // A multiple of an accepted value is a fixed number too.
            Target::Absolute(_) | Target::Relative { reference: Reference::Lock, .. } => None,
            Target::Relative { reference: Reference::Base, .. } => Some(Versus::Base),
            Target::Relative { reference: Reference::Budget(name), .. } => {
                let other = self.by_name[name.as_str()];
                let label = &self.budget.cases[case].label;
                let cases = &self.budgets.budgets[other].cases;
                let at = cases.iter().position(|c| c.label == *label).unwrap_or(0);
                Some(Versus::Budget(other, at))
            }
        }
    }

    /// Whether one of the two sides has a load: operations that are due cannot wait while the other side is measured.
    fn is_loaded(&self, versus: &Versus) -> bool {
        let other = match versus {
            Versus::Budget(other, _) => self.budgets.budgets[*other].load.is_some(),
            Versus::Base => false,
        };
        other || self.budget.load.is_some()
    }

    fn reading(&self, metric: &Metric) -> ReadBy {
        let instrument = metric.instrument(self.budget.subject.kind());
        // The reader of the file has refused metrics that the subject does not have.
        ReadBy::By(instrument.expect("a limit is on a metric that its subject has"))
    }
}

/// Returns the index of a group among those from `first` on, which all belong to its case; adds the group if it is
/// new.
fn group_index(group: Group, groups: &mut Vec<Group>, first: usize) -> usize {
    let known = groups[first..].iter().position(|known| *known == group);
    known.map_or_else(
        || {
            groups.push(group);
            groups.len() - 1
        },
        |at| first + at,
    )
}
