//! Finds whether the sources or the lock file made a limit red: each of the two is replaced by that of the base in turn.

use std::collections::BTreeSet;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::next::quoted;

use super::locked::Locked;
use super::options::Options;
use super::range::{self, Range};
use super::rules::rules;
use super::running::Running;
use super::search::{Answer, Search, SearchResult};
use super::series::Series as _;
use super::setup::{locked, prepare};
use super::snapshot;
use super::state::State;
use super::step::Comparison;
use crate::base::TemporaryWorkTree;
use crate::failure::Failure;
use crate::file;
use crate::interrupt::Interrupt;
use crate::project::Project;
use crate::report::{Cause, CauseKind};

/// The most reds whose causes are looked for, since each takes several comparisons.
const MOST: usize = 3;

/// The most of the other reds that a sentence names.
const NAMED: usize = 10;

/// The causes that were found for the reds of a check.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    pub(crate) causes: Vec<Cause>,
    /// Sentences about the reds whose causes were not looked for.
    pub(crate) remarks: Vec<String>,
}

impl Causes {
    /// Returns the lines for people.
    pub(crate) fn text(&self) -> String {
        let causes = self.causes.iter().map(Cause::line);
        causes.chain(self.remarks.iter().map(|remark| format!("{remark}\n"))).collect()
    }
}

/// Returns what is to blame for the reds against the base: the sources, the lock file with its package, or both
/// together. `base` is the commit that they were compared with, and `options` says how they are compared.
pub(crate) fn causes(
    project: &Project,
    base: &str,
    reds: &[Outcome],
    options: &Options<'_>,
    tell: &dyn Fn(&str),
) -> Result<Causes, Failure> {
    let chosen = ChosenReds::choose(reds);
    if chosen.reds.is_empty() {
        let why = "no limit against the base is red, so no cause is looked for".to_owned();
        return Ok(Causes { causes: Vec::new(), remarks: vec![why] });
    }
    let bad = snapshot::commit(&project.root)?;
    let range = range::range(&project.root, &format!("{base}..{bad}"))?;
    let interrupt = Interrupt::watched();
    let tree = TemporaryWorkTree::new(project, "causes", &range.good)?;
    let remarks = [chosen.describe_left_out(), chosen.not_compared()];
    let remarks = remarks.into_iter().flatten().collect();
    let locked = match locked(project, &range, &tree)? {
        Ok(locked) => locked,
        Err(why) => {
            let cause = |red: &&Outcome| {
                cause_with(&red.test, CauseKind::Sources, &[], format!("the sources did it: {why}"))
            };
            return Ok(Causes { causes: chosen.reds.iter().map(cause).collect(), remarks });
        }
    };
    let mut causes = Vec::new();
    for red in &chosen.reds {
        let one = Options { name: &red.test, ..*options };
        // If one cause is not found, the others are reported nevertheless.
        let cause = find_cause(project, &range, &one, &tree, &locked, &interrupt, tell);
        interrupt.check()?;
        causes.push(cause.unwrap_or_else(|failure| {
            let why = format!("no cause was found: {failure}");
            cause_with(&red.test, CauseKind::Unknown, &[], why)
        }));
    }
    Ok(Causes { causes, remarks })
}

fn cause_with(test: &str, kind: CauseKind, packages: &[String], sentence: String) -> Cause {
    Cause { test: test.to_owned(), kind, packages: packages.to_vec(), sentence }
}

/// The red limits, divided by whether their causes are looked for.
struct ChosenReds<'o> {
    /// Those whose causes are looked for.
    reds: Vec<&'o Outcome>,
    /// Those that are left out, since there are too many.
    left_out: Vec<&'o Outcome>,
    /// Those that are not relative to the base.
    others: Vec<&'o Outcome>,
}

impl<'o> ChosenReds<'o> {
    /// Chooses one red of each of the first budgets.
    fn choose(reds: &'o [Outcome]) -> ChosenReds<'o> {
        let is_compared = |red: &&Outcome| red.relative_to.as_deref() == Some("base");
        let (compared, others): (Vec<_>, Vec<_>) = reds.iter().partition(is_compared);
        let (mut reds, mut left_out) = (Vec::<&Outcome>::new(), Vec::new());
        for red in compared {
            if reds.len() < MOST && reds.iter().all(|known| known.budget != red.budget) {
                reds.push(red);
            } else {
                left_out.push(red);
            }
        }
        ChosenReds { reds, left_out, others }
    }

    /// Returns a sentence about the reds that are left out, with the command that looks for the cause of one of them.
    fn describe_left_out(&self) -> Option<String> {
        let first = self.left_out.first()?;
        let base = first.run.base.as_ref().map_or("REV", |base| base.name.as_str());
        Some(format!(
            "no cause was looked for of {}: at most {MOST} budgets are asked about at once, each by one limit; to ask about \
             another one, run `cargo budget check --base {} --causes -- --exact {}` with the same options",
            names(&self.left_out),
            quoted(base),
            quoted(&first.test)
        ))
    }

    /// Returns a sentence about the reds that are not relative to the base, so that no cause can be looked for.
    fn not_compared(&self) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let (are, limits) = if self.others.len() == 1 {
            ("is", "its limit is")
        } else {
            ("are", "their limits are")
        };
        Some(format!(
            "no cause is looked for of {}, which {are} red too: {limits} not against the base",
            names(&self.others)
        ))
    }
}

/// Returns the names of tests in one sentence.
fn names(reds: &[&Outcome]) -> String {
    let more = reds.len().saturating_sub(NAMED);
    let names: Vec<String> =
        reds[..reds.len() - more].iter().map(|red| format!("`{}`", red.test)).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &more
}

/// Returns the cause of one red limit.
fn find_cause(
    project: &Project,
    range: &Range,
    options: &Options<'_>,
    tree: &TemporaryWorkTree,
    locked: &Locked,
    interrupt: &Interrupt,
    tell: &dyn Fn(&str),
) -> Result<Cause, Failure> {
    let path = project.file();
    let rules = rules(&file::read(&path)?, &path, options.name, None, &BTreeSet::new())?;
    let prepare = prepare(project, range, &rules, tree, options.prepare)?;
    let mut running = Running {
        alpha: options.alpha,
        effort: options.effort,
        comparison: Comparison {
            beside: tree,
            rules: &rules,
            target: options.target,
            root: &project.root,
            prepare: prepare.as_deref(),
            layouts: options.layouts,
            interrupt,
        },
        series: locked,
        good: &range.good,
        state: State::not_stored(),
        most: 2 + Search::max_comparisons(locked.len()),
        tell,
    };
    tell(&format!("looking for the cause of `{}` ({})", rules.test, rules.limit));
    let mut answer =
        |at: usize| running.answer(&locked.name(at), &locked.display_entry(at), Some(at));
    let [sources, lock] = [answer(0)?, answer(locked.len())?];
    let cause = |kind, sentence: &str| Ok(cause_with(&rules.test, kind, &[], sentence.to_owned()));
    match (sources, lock) {
        (Answer::Unknown, _) | (_, Answer::Unknown) => cause(
            CauseKind::Unknown,
            "cannot be told apart, as one of them was not measured without the other",
        ),
        (Answer::Red, Answer::Green) => cause(CauseKind::Sources, "the sources did it"),
        (Answer::Red, Answer::Red) => {
            cause(CauseKind::Either, "the sources did it, and so does the lock file alone")
        }
        (Answer::Green, lock) => {
            let result = running.run_to_end()?;
            Ok(cause_in_lock(&rules.test, locked, lock, result))
        }
    }
}

/// Returns the cause if the sources alone are green: the lock file. `alone` is the answer for the lock file without the
/// sources, and `result` what the search through its packages found.
fn cause_in_lock(test: &str, locked: &Locked, alone: Answer, result: SearchResult) -> Cause {
    let (kind, with) = match alone {
        Answer::Red => (CauseKind::Lock, ""),
        Answer::Green | Answer::Unknown => (CauseKind::Both, ", together with the sources"),
    };
    let unknown = |why: &str| cause_with(test, CauseKind::Unknown, &[], why.to_owned());
    match result {
        SearchResult::One(at) => {
            let package = locked.display_entry(at);
            let sentence = format!("the lock file did it{with}: {package}");
            cause_with(test, kind, &[package], sentence)
        }
        SearchResult::Range(from, to) => {
            let packages: Vec<String> = (from..=to).map(|at| locked.display_entry(at)).collect();
            let sentence = format!("the lock file did it{with}: one of {}", packages.join(", "));
            cause_with(test, kind, &packages, sentence)
        }
        SearchResult::Holds => {
            unknown("it was not red when it was measured again, so no cause is named")
        }
        SearchResult::Unknown if kind == CauseKind::Lock => {
            let sentence = "the lock file did it; its packages were not told apart";
            cause_with(test, kind, &[], sentence.to_owned())
        }
        SearchResult::Unknown => {
            unknown("cannot be told, as both together were not measured again")
        }
    }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::{BaseRevision, Run};

    use super::*;

    fn red(test: &str, relative_to: Option<&str>) -> Outcome {
        let base = BaseRevision { name: "origin/main".to_owned(), ..BaseRevision::default() };
        Outcome {
            test: test.to_owned(),
            budget: test.split("::").next().unwrap().to_owned(),
            relative_to: relative_to.map(str::to_owned),
            run: Run { base: Some(base), ..Run::default() },
            ..Outcome::default()
        }
    }

    #[test]
    fn every_red_is_chosen_or_named_in_a_remark() {
        let reds = |tests: &[&str]| -> Vec<Outcome> {
            tests.iter().map(|test| red(test, Some("base"))).collect()
        };
        let few = reds(&["a::p50", "b::p50", "c::p50"]);
        let chosen = ChosenReds::choose(&few);
        assert_eq!(
            (chosen.reds.len(), chosen.describe_left_out(), chosen.not_compared()),
            (3, None, None)
        );
        let mut many = reds(&["a::p50", "a::p99", "b::p50", "c::p50", "d's::p50"]);
        many.push(red("e::p50", None));
        let chosen = ChosenReds::choose(&many);
        let names: Vec<&str> = chosen.reds.iter().map(|red| red.test.as_str()).collect();
        assert_eq!(names, ["a::p50", "b::p50", "c::p50"]);
        let left = chosen.describe_left_out().unwrap();
        assert!(
            left.starts_with("no cause was looked for of `a::p99`, `d's::p50`: at most 3 budgets"),
            "{left}"
        );
        assert!(
            left.contains("`cargo budget check --base origin/main --causes -- --exact a::p99`"),
            "{left}"
        );
        assert_eq!(
            chosen.not_compared().unwrap(),
            "no cause is looked for of `e::p50`, which is red too: its limit is not against the base"
        );
        let tests: Vec<String> = (0..15).map(|nth| format!("a::p{nth}")).collect();
        let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
        let left = ChosenReds::choose(&reds(&tests)).describe_left_out().unwrap();
        assert!(left.contains("`a::p10` and 4 more: at most"), "{left}");
    }
}
