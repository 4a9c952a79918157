//! Which functions are to blame for a red: two profiles of the same operation, and the difference by function.
//!
//! An instruction belongs to the innermost function of the project that was running, so that what an allocation or a hash
//! costs is said of the function that asks for it. The functions of other crates and libraries are listed below it.

mod locked;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use crate::callgrind::Profile;
use crate::outcome::{Blame, Blamed, Change};

pub use self::locked::{changed, own_crates};
pub use self::names::plain;

/// The crates whose functions are part of the measuring, of the language, or of the test's own harness.
const FOREIGN: [&str; 8] = [
    "alloc",
    "core",
    "std",
    "perf_budget",
    "perf_budget_core",
    "libtest_mimic",
    "__rustc",
    "std_detect",
];
/// How many parts of a function are kept.
const PARTS: usize = 8;

/// Compares the profiles of one operation each, of the reference and of what is measured. Without a reference the result
/// says where the instructions are. `own` are the crates of the project.
pub fn compare(before: Option<&[Profile]>, now: &[Profile], own: &BTreeSet<String>) -> Blame {
    let (was, is) = (before.map(|before| sum(before, own)), sum(now, own));
    let none = Sums::default();
    let was_or_none = was.as_ref().unwrap_or(&none);
    let names: BTreeSet<&String> =
        was_or_none.functions.keys().chain(is.functions.keys()).collect();
    let mut functions: Vec<Blamed> =
        names.into_iter().map(|name| blamed(name, was_or_none, &is)).collect();
    let weight = |function: &Blamed| function.own.by().abs();
    functions.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.name.cmp(&b.name)));
    let creator = now.first().map_or("callgrind", |profile| profile.creator.as_str());
    Blame {
        by: creator.replacen('-', " ", 1),
        seconds: 0.0,
        before: was.as_ref().map(|was| was.total),
        now: is.total,
        system_calls: is.system_calls.map(|now| Change {
            before: was.as_ref().and_then(|was| was.system_calls).unwrap_or(0.0),
            now,
        }),
        functions,
        nameless: if is.total > 0.0 { is.nameless / is.total } else { 0.0 },
    }
}

/// The instructions of one operation.
#[derive(Default)]
struct Sums {
    total: f64,
    nameless: f64,
    system_calls: Option<f64>,
    functions: BTreeMap<String, Sum>,
}

/// What one operation does in one function of the project.
#[derive(Default)]
struct Sum {
    own: f64,
    inclusive: f64,
    calls: f64,
    callers: BTreeMap<String, f64>,
    parts: BTreeMap<String, f64>,
}

/// Adds up the profiles of several operations, and returns the mean of one.
fn sum(profiles: &[Profile], own: &BTreeSet<String>) -> Sums {
    let mut sums = Sums::default();
    let share = 1.0 / profiles.len().max(1) as f64;
    let calls: Option<u64> = profiles.iter().map(|profile| profile.system_calls).sum();
    sums.system_calls = calls.map(|calls| calls as f64 * share);
    for profile in profiles {
        let chains: Vec<Vec<String>> = profile
            .functions
            .iter()
            .map(|function| names::chain(&function.name).into_iter().map(plain).collect())
            .collect();
        let owners: Vec<usize> = chains.iter().map(|chain| owner(chain, own)).collect();
        for (at, function) in profile.functions.iter().enumerate() {
            let (chain, cost) = (&chains[at], function.cost as f64 * share);
            sums.total += cost;
            if is_nameless(&chain[0]) {
                sums.nameless += cost;
            }
            let mut seen = BTreeSet::new();
            for name in chain.iter().filter(|name| is_own(name, own)) {
                if seen.insert(name) {
                    sums.functions.entry(name.clone()).or_default().inclusive += cost;
                }
            }
            let blamed = sums.functions.entry(chain[owners[at]].clone()).or_default();
            blamed.own += cost;
            let part = if owners[at] == 0 { String::new() } else { chain[0].clone() };
            *blamed.parts.entry(part).or_default() += cost;
            if seen.is_empty() {
                blamed.inclusive += cost;
            }
            for call in &function.calls {
                let callee = &chains[call.to][0];
                if is_own(callee, own) {
                    let count = call.count as f64 * share;
                    let caller = chain[owners[at]].clone();
                    let called = sums.functions.entry(callee.clone()).or_default();
                    called.calls += count;
                    *called.callers.entry(caller).or_default() += count;
                }
            }
        }
    }
    sums
}

fn is_own(name: &str, own: &BTreeSet<String>) -> bool {
    let of = names::crate_of(name);
    own.contains(of) && !FOREIGN.contains(&of)
}

fn is_nameless(name: &str) -> bool {
    name.starts_with("0x") || name.starts_with("???")
}

/// Returns which function of a chain of callers its cost is attributed to: the innermost one of the project, or else the
/// innermost one of a dependency, or else the function itself.
fn owner(chain: &[String], own: &BTreeSet<String>) -> usize {
    let of_project = chain.iter().position(|name| is_own(name, own));
    let of_dependency = || {
        chain.iter().position(|name| {
            let of = names::crate_of(name);
            !of.is_empty() && !FOREIGN.contains(&of)
        })
    };
    of_project.or_else(of_dependency).unwrap_or(0)
}

fn blamed(name: &str, was: &Sums, is: &Sums) -> Blamed {
    let none = Sum::default();
    let (was, is) =
        (was.functions.get(name).unwrap_or(&none), is.functions.get(name).unwrap_or(&none));
    let by_name = |was: &BTreeMap<String, f64>, is: &BTreeMap<String, f64>| {
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let of =
            |sums: &BTreeMap<String, f64>, name: &String| sums.get(name).copied().unwrap_or(0.0);
        let change =
            |name: &String| (name.clone(), Change { before: of(was, name), now: of(is, name) });
        let mut changes: Vec<(String, Change)> = names.into_iter().map(change).collect();
        changes.sort_by(|a, b| b.1.by().abs().total_cmp(&a.1.by().abs()));
        changes
    };
    let mut parts = by_name(&was.parts, &is.parts);
    parts.truncate(PARTS);
    let caller =
        by_name(&was.callers, &is.callers).into_iter().find(|(_, change)| change.by() != 0.0);
    Blamed {
        name: name.to_owned(),
        own: Change { before: was.own, now: is.own },
        inclusive: Change { before: was.inclusive, now: is.inclusive },
        calls: Change { before: was.calls, now: is.calls },
        caller: caller.map(|(caller, _)| caller),
        parts,
    }
}

#[cfg(test)]
mod tests;
