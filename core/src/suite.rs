//! The tests that a `budgets.toml` makes, and which of them share a measurement.
//!
//! One limit of one case is one [`Test`]. Tests whose readings come from the same processes make a
//! [`Group`]: all timed limits of a workload's case, all its heap limits, all limits of a command. Pure:
//! nothing here measures, so that listing ten thousand tests costs nothing.

mod implied;
pub mod names;

use std::collections::HashMap;
use std::sync::Arc;

use crate::budget::{Budget, Budgets, Limit, Reference, Target};
use crate::metric::{InstrumentKind, Metric, WorkerInstrument};
use crate::verdict::hypothesis::takes_turns;

/// One limit of one case: one test.
#[derive(Debug, Clone)]
pub struct Test {
    /// `merge::p99`, `records::records=1000::rss`.
    pub name: String,
    /// Index of its budget.
    pub budget: usize,
    /// Index of its case; for a scaling limit, 0.
    pub case: usize,
    /// What is asked.
    pub limit: Arc<Limit>,
    /// Index of the group that measures it.
    pub group: usize,
    /// Where its values are from.
    pub reading: Reading,
}

/// Said of a budget that the base revision does not have: it cannot be compared, and nothing is amiss.
pub const NEW: &str = "the base revision has no such budget: there is nothing to compare with";

impl Test {
    /// Whether its value is compared rather than judged.
    pub fn is_deterministic(&self) -> bool {
        self.limit.metric.is_deterministic()
    }

    /// Why it is not judged in this build or without a base revision, which is nobody's fault.
    /// `base` says whether the base revision, where there is one, has the budget too.
    pub fn set_aside(&self, base: Option<bool>) -> Option<&'static str> {
        match (&self.limit.target, base) {
            (Target::Relative { reference: Reference::Base, .. }, None) => {
                Some("no base revision to compare with is given")
            }
            (Target::Relative { reference: Reference::Base, .. }, Some(false)) => Some(NEW),
            // What was recorded is of another program, whose build this one's says nothing of.
            _ if self.reading == Reading::RECORDED => None,
            _ if self.limit.metric.is_time() && cfg!(debug_assertions) => {
                Some("a debug build says nothing about time: run `cargo test --release`")
            }
            _ => None,
        }
    }
}

/// What a group is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reading {
    /// The instrument that the table of metrics names.
    By(InstrumentKind),
    /// Of a workload what its process as a whole tells, where two are compared: processor time,
    /// failures, values of its own. Its times are compared turn by turn instead, but for those under a
    /// load.
    Whole,
}

impl Reading {
    /// Of a workload by the clock, alone or in turns with its reference.
    pub const TIME: Reading = Reading::By(InstrumentKind::Worker(WorkerInstrument::Time));
    /// What another harness has recorded.
    pub const RECORDED: Reading = Reading::By(InstrumentKind::Recorded);
    /// A command from outside.
    const PROCESS: Reading = Reading::By(InstrumentKind::Process);
}

/// What is measured together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// Index of the budget.
    pub budget: usize,
    /// Which cases: one of them, or all of them for a slope.
    pub span: Span,
    /// What is read.
    pub reading: Reading,
    /// What it is measured against, for a ratio.
    pub versus: Option<Versus>,
    /// Whether its readings are compared, or recorded; such groups may be measured side by side.
    pub deterministic: bool,
}

/// Which cases of a budget a group measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    /// This one.
    Case(usize),
    /// All of them, for a slope.
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

/// Every test of a `budgets.toml`, deterministic ones first, and the groups that measure them.
#[derive(Debug)]
pub struct Suite {
    /// The tests, deterministic ones first.
    pub tests: Vec<Test>,
    /// The groups of tests that share a measurement.
    pub groups: Vec<Group>,
    /// For each group, the indices of its tests.
    members: Vec<Vec<usize>>,
}

impl Suite {
    /// Lays out the tests of a checked file. `compares` says whether there is a base revision, which
    /// adds the limits that `base` in `[settings]` puts on every budget.
    pub fn of(budgets: &Budgets, compares: bool) -> Suite {
        let by_name: HashMap<&str, usize> =
            budgets.budgets.iter().enumerate().map(|(i, b)| (b.name.as_str(), i)).collect();
        let mut tests = Ranks::default();
        let mut groups = Vec::new();
        for (index, budget) in budgets.budgets.iter().enumerate() {
            let base = budgets.settings.base.as_ref().filter(|_| compares);
            let implied = base.map_or(Vec::new(), |base| implied::limits(budget, base));
            let lay = Layout { budgets, by_name: &by_name, index, budget, implied };
            lay.cases(&mut tests, &mut groups);
            lay.slopes(&mut tests, &mut groups);
        }
        let Ranks { deterministic: mut tests, mut statistical } = tests;
        tests.append(&mut statistical);
        let mut members = vec![Vec::new(); groups.len()];
        for (index, test) in tests.iter().enumerate() {
            members[test.group].push(index);
        }
        Suite { tests, groups, members }
    }

    /// How many limits share the suite's chance of a false red. What is recorded has none that is known.
    pub fn statistical(&self) -> usize {
        let judged = |test: &&Test| !test.is_deterministic() && test.reading != Reading::RECORDED;
        self.tests.iter().filter(judged).count()
    }

    /// The tests of a group.
    pub fn tests_of(&self, group: usize) -> impl Iterator<Item = (usize, &Test)> {
        self.members[group].iter().map(|&index| (index, &self.tests[index]))
    }
}

/// Tests in the making: deterministic ones come first, as they take no turns and free their threads soon.
#[derive(Default)]
struct Ranks {
    deterministic: Vec<Test>,
    statistical: Vec<Test>,
}

impl Ranks {
    fn push(&mut self, test: Test, group: &Group) {
        let rank =
            if group.deterministic { &mut self.deterministic } else { &mut self.statistical };
        rank.push(test);
    }
}

struct Layout<'a> {
    budgets: &'a Budgets,
    by_name: &'a HashMap<&'a str, usize>,
    index: usize,
    budget: &'a Budget,
    /// Limits that the file puts on every budget.
    implied: Vec<Arc<Limit>>,
}

impl Layout<'_> {
    fn cases(&self, tests: &mut Ranks, groups: &mut Vec<Group>) {
        for (case, what) in self.budget.cases.iter().enumerate() {
            let first = groups.len();
            let written = self.budget.limits.len();
            for (nth, limit) in self.budget.limits.iter().chain(&self.implied).enumerate() {
                let name = names::test(self.budget, &what.label, limit);
                let base = self.budgets.settings.base.as_ref().filter(|_| nth >= written);
                if base.is_some_and(|base| implied::is_excepted(base, &name)) {
                    continue;
                }
                let versus = self.versus(limit, case);
                let mut reading = self.reading(&limit.metric);
                let as_a_whole = |versus| !takes_turns(&limit.metric) || self.is_loaded(versus);
                if reading == Reading::TIME && versus.as_ref().is_some_and(as_a_whole) {
                    reading = Reading::Whole;
                }
                let group = Group {
                    budget: self.index,
                    span: Span::Case(case),
                    reading,
                    versus,
                    // A command's exit code is read from the runs that its times are.
                    deterministic: reading == Reading::RECORDED
                        || (limit.metric.is_deterministic() && reading != Reading::PROCESS),
                };
                let group = place(group, groups, first);
                let limit = Arc::clone(limit);
                let test = Test { name, budget: self.index, case, limit, group, reading };
                tests.push(test, &groups[group]);
            }
        }
    }

    fn slopes(&self, tests: &mut Ranks, groups: &mut Vec<Group>) {
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
            let group = place(group, groups, first);
            let limit = Arc::clone(limit);
            let test = Test { name, budget: self.index, case: 0, limit, group, reading };
            tests.push(test, &groups[group]);
        }
    }

    fn versus(&self, limit: &Limit, case: usize) -> Option<Versus> {
        match &limit.target {
            // So many times an accepted value is a number too.
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

    /// Whether one of the two has operations that are due, and so cannot wait for its turn.
    fn is_loaded(&self, versus: &Versus) -> bool {
        let other = match versus {
            Versus::Budget(other, _) => self.budgets.budgets[*other].load.is_some(),
            Versus::Base => false,
        };
        other || self.budget.load.is_some()
    }

    fn reading(&self, metric: &Metric) -> Reading {
        let instrument = metric.instrument(self.budget.subject.kind());
        // The reader of the file has refused what the subject does not have.
        Reading::By(instrument.expect("a limit is on a metric that its subject has"))
    }
}

/// The index of a group among those from `first` on, which are all of its case; added where it is new.
fn place(group: Group, groups: &mut Vec<Group>, first: usize) -> usize {
    let known = groups[first..].iter().position(|known| *known == group);
    known.map_or_else(
        || {
            groups.push(group);
            groups.len() - 1
        },
        |at| first + at,
    )
}
