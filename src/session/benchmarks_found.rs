//! For each budget on several benchmarks, a test that says which benchmarks there are. It is red if there is none, if one
//! could not be built, or if the benchmarks are no longer those from which the tests were made.

use std::collections::BTreeSet;

use perf_budget_core::benchmarks::{Content, List, Program};
use perf_budget_core::budget::{Budget, Library};
use perf_budget_core::outcome::{BENCHMARKS, Cause, Outcome, Unmeasured};
use perf_budget_core::suite::names;
use perf_budget_core::verdict::Verdict;

use super::benchmarks::BudgetBenchmarks;
use super::state::Session;
use crate::base::BaseBenchmarks;

/// The most names that one sentence lists.
const MOST_LISTED: usize = 8;

impl Session {
    /// Returns the number and the name of each such test.
    pub(crate) fn several_benchmarks(&self) -> Vec<(usize, String)> {
        let name = |named: &BudgetBenchmarks| test_of(&self.budgets.budgets[named.budget]);
        self.benchmarks.iter().map(name).enumerate().collect()
    }

    /// Returns the outcome of such a test.
    pub(crate) fn benchmarks_found(&self, nth: usize) -> Outcome {
        let named = &self.benchmarks[nth];
        let outcome = self.benchmarks_template(nth);
        match self.benchmarks_now(named) {
            Ok(reason) => Outcome { verdict: Verdict::Pass, reason, ..outcome },
            Err(why) => Outcome {
                reason: why.text,
                cause: Some(why.cause.name().to_owned()),
                output: why.output,
                ..outcome
            },
        }
    }

    /// Returns the outcome of such a test as far as it is known before the programs are asked.
    pub(super) fn benchmarks_template(&self, nth: usize) -> Outcome {
        let budget = &self.budgets.budgets[self.benchmarks[nth].budget];
        Outcome {
            test: test_of(budget),
            budget: budget.name.clone(),
            metric: BENCHMARKS.to_owned(),
            subject: names::subject(&budget.subject),
            why: budget.why.clone(),
            file: perf_budget_core::paths::display_path(&self.budgets.path),
            line: budget.line,
            run: self.run.clone(),
            ..Outcome::default()
        }
    }

    /// Returns words on which benchmarks a budget has, unless something is wrong with them.
    fn benchmarks_now(&self, named: &BudgetBenchmarks) -> Result<String, Unmeasured> {
        let budget = &self.budgets.budgets[named.budget];
        let made_of = named.list.as_ref().map_err(Clone::clone)?;
        let list = {
            // A build would disturb whatever is measured on this machine.
            let _lock = self.machine_lock.shared(&self.progress)?;
            self.sources(None).benchmarks().of_pattern(budget).list()?
        };
        let library = named.library;
        let left_out = left_out(&list, library);
        if let Some(why) = list.fault() {
            let text = [vec![why.text], left_out].concat().join("; ");
            return Err(Unmeasured { text, ..why });
        }
        let (before, now) = (names_of(made_of, library), names_of(&list, library));
        if before != now {
            let text = format!(
                "the benchmarks are not those that the tests were made of: {}; run the tests again",
                changes(&before, &now).join("; ")
            );
            return Err(Unmeasured::new(Cause::Unsuitable, text));
        }
        if budget.cases.is_empty() {
            let text = format!(
                "no benchmark is named like the {}: {}",
                names::subject(&budget.subject),
                existing(&list, library)
            );
            return Err(Unmeasured::new(Cause::NotFound, text));
        }
        let mut parts = vec![match budget.cases.len() {
            1 => "one benchmark".to_owned(),
            count => format!("{count} benchmarks"),
        }];
        parts.extend(left_out);
        let is_empty = |program: &&Program| {
            let found = program.content.benchmarks();
            found.is_some_and(|(own, _, names)| own == library && names.is_empty())
        };
        let empty = list.programs.iter().filter(is_empty);
        let empty: Vec<&str> = empty.map(|program| program.target.as_str()).collect();
        if !empty.is_empty() {
            parts.push(format!("without a benchmark: {}", listed(&empty)));
        }
        if let Some(base) = self.base.as_ref().and_then(|base| base.benchmarks(budget)) {
            parts.extend(compared_with_base(base, library, &now));
        }
        Ok(parts.join("; "))
    }
}

/// Returns words on how the benchmarks of a budget differ from those of the base.
fn compared_with_base(
    base: &BaseBenchmarks,
    library: Library,
    now: &BTreeSet<String>,
) -> Vec<String> {
    let mut parts = Vec::new();
    let before: BTreeSet<String> = base.names(library).cloned().collect();
    let unknown: Vec<&str> = base.missing().map(String::as_str).collect();
    if !unknown.is_empty() {
        parts.push(format!("not known of the base: {}", listed(&unknown)));
    }
    if !now.is_empty() && before.is_disjoint(now) {
        let other = if before.is_empty() { "no benchmark" } else { "no such benchmark" };
        let name = library.name();
        parts.push(format!("none is compared, since the base has {other} of {name}"));
    }
    let changes = changes(&before, now).into_iter();
    parts.extend(changes.map(|change| format!("{change} since the base")));
    parts
}

/// Returns words on the programs that are not run, as they have no benchmark of a library.
fn left_out(list: &List, library: Library) -> Vec<String> {
    let mut parts = Vec::new();
    let others = list.targets_of(&Content::Other);
    if library != Library::Libtest && !others.is_empty() {
        parts.push(format!("not {}'s, and not run: {}", library.name(), listed(&others)));
    }
    if library == Library::Criterion {
        parts.extend(list.missing_harness_false());
    }
    parts
}

/// Returns the name of the test that says which benchmarks a budget has.
fn test_of(budget: &Budget) -> String {
    format!("{}::benchmarks", budget.name)
}

fn names_of(list: &List, library: Library) -> BTreeSet<String> {
    list.entries(library).into_iter().map(|entry| entry.name).collect()
}

/// Returns words on the names that are new, and on those that are gone.
fn changes(before: &BTreeSet<String>, now: &BTreeSet<String>) -> Vec<String> {
    let change = |word: &str, names: Vec<&String>| {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| format!("{word} {}", listed(&names)))
    };
    let new = change("new:", now.difference(before).collect());
    let gone = change("gone:", before.difference(now).collect());
    new.into_iter().chain(gone).collect()
}

fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_LISTED);
    let shown: Vec<String> =
        names.iter().take(MOST_LISTED).map(|name| format!("`{name}`")).collect();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    shown.join(", ") + &rest
}

/// Returns words on which benchmarks there are.
fn existing(list: &List, library: Library) -> String {
    let names = names_of(list, library);
    if names.is_empty() {
        return list.why_none(library);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("there are {}", listed(&names))
}
