//! The costs of one operation by function, added up from its profiles, and the differences between two sides.

use std::collections::{BTreeMap, BTreeSet};

use super::callers::{self, Callers};
use super::marks;
use super::names::{self, plain};
use super::sites::{self, Sites};
use super::tree::{self, Node};
use crate::callgrind::Profile;
use crate::outcome::words::{NAMELESS, SMALL};
use crate::outcome::{Blame, Blamed, Change};

/// The crates whose functions are part of the measuring, of the language, or of the test's own harness.
const FOREIGN: [&str; 12] = [
    "alloc",
    "core",
    "std",
    "criterion",
    "divan",
    "perf_budget",
    "perf_budget_core",
    "perf_budget_criterion",
    "perf_budget_divan",
    "libtest_mimic",
    "__rustc",
    "std_detect",
];
/// The name of the closure of an operation where the compiler has inlined it into the function of this library that calls it.
const CLOSURE: &str = "the closure of the operation";
/// The beginnings of the names of such functions.
const CALLS_CLOSURE: [&str; 3] =
    ["perf_budget::run::", "perf_budget_criterion::", "perf_budget_divan::"];
/// The most parts of a function in a result.
const PARTS: usize = 8;

/// Compares the sums of both sides. `own` are the crates of the project.
pub(super) fn compared(was: Option<&Sums>, is: &Sums, own: &BTreeSet<String>) -> Blame {
    let none = Sums::default();
    let was_or_none = was.unwrap_or(&none);
    let names: BTreeSet<&String> =
        was_or_none.functions.keys().chain(is.functions.keys()).collect();
    let mut functions: Vec<Blamed> =
        names.into_iter().map(|name| blamed(name, was_or_none, is)).collect();
    let weight = |function: &Blamed| function.own.by().abs();
    functions.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.name.cmp(&b.name)));
    if was.is_some() {
        order(&mut functions, own);
    }
    // If the names of an allocator are not known, no sites are found, and the number of allocations is not known.
    let allocations = Some(Change { before: was_or_none.sites.total(), now: is.sites.total() })
        .filter(|counted| counted.before + counted.now > 0.0);
    let bytes = was_or_none.sites.bytes().zip(is.sites.bytes());
    Blame {
        before: was.map(|was| was.total),
        now: is.total,
        system_calls: is
            .system_calls
            .map(|now| Change { before: was.and_then(|was| was.system_calls).unwrap_or(0.0), now }),
        functions,
        nameless: was_or_none.nameless_share().max(is.nameless_share()),
        allocations,
        allocated: allocations.and(bytes).map(|(before, now)| Change { before, now }),
        sites: sites::changed(&was_or_none.sites, &is.sites),
        system_callers: callers::changed(&was_or_none.callers, &is.callers),
        calls: Some(tree::bounded(&was_or_none.tree, &is.tree)),
        ..Blame::default()
    }
}

/// Puts the functions of the project that changed in the same direction as the whole before the foreign ones that none of them
/// called. For instance, a task of the project that waits more often mostly costs time in the runtime, which is foreign. A
/// function of the project whose change is too small to be named stays where it is, since the cause may also be foreign.
fn order(functions: &mut [Blamed], own: &BTreeSet<String>) {
    let whole: f64 = functions.iter().map(|function| function.own.by()).sum();
    let all: f64 = functions.iter().map(|function| function.own.by().abs()).sum();
    let is_first = |function: &Blamed| {
        is_own(&function.name, own)
            && function.own.by() * whole > 0.0
            && function.own.by().abs() > SMALL * all
    };
    // The sort is stable: each of the two groups keeps its order by amount.
    functions.sort_by_key(|function| !is_first(function));
}

/// The instructions of one operation.
#[derive(Default)]
pub(super) struct Sums {
    total: f64,
    nameless: f64,
    system_calls: Option<f64>,
    functions: BTreeMap<String, Sum>,
    /// Where the operation allocates.
    sites: Sites,
    /// Where the operation calls the system.
    callers: Callers,
    /// The calls of the operation.
    tree: Node,
}

/// The costs of one operation in one function of the project.
#[derive(Default)]
struct Sum {
    own: f64,
    inclusive: f64,
    calls: f64,
    callers: BTreeMap<String, f64>,
    parts: BTreeMap<String, f64>,
}

/// Adds up the profiles of several operations, and returns the mean of one.
pub(super) fn sum(profiles: &[Profile], own: &BTreeSet<String>) -> Sums {
    let mut sums = Sums::default();
    for profile in profiles {
        sums.add(profile, own);
    }
    let calls: Option<u64> = profiles.iter().map(|profile| profile.system_calls).sum();
    sums.system_calls = calls.map(|calls| calls as f64);
    sums.divide(profiles.len().max(1) as f64);
    sums
}

impl Sums {
    /// Adds the profile of one operation. Its amounts are whole numbers and are divided later, so the order of the functions
    /// makes no difference to the last digit.
    fn add(&mut self, profile: &Profile, own: &BTreeSet<String>) {
        let chain = |name: &str| names::chain(name).into_iter().map(plain_or_nameless).collect();
        let chains: Vec<Vec<String>> =
            profile.functions.iter().map(|function| chain(&function.name)).collect();
        for (chain, function) in chains.iter().zip(&profile.functions) {
            if marks::tells_sizes(&chain[0]) {
                let bits =
                    function.calls.iter().map(|call| (chains[call.to][0].as_str(), call.count));
                let chain = marks::without_allocator(chain);
                if !chain.is_empty() {
                    self.sites.add_bytes(chain, owner(chain, own), bits);
                }
                continue;
            }
            let (owner, cost) = (owner(chain, own), function.cost as f64);
            self.total += cost;
            self.callers.add(chain, owner, function.system_calls);
            if chain[owner] == NAMELESS {
                self.nameless += cost;
            }
            let mut inclusive: BTreeSet<&String> =
                chain.iter().filter(|name| is_own(name, own)).collect();
            inclusive.insert(&chain[owner]);
            for name in inclusive {
                self.functions.entry(name.clone()).or_default().inclusive += cost;
            }
            let blamed = self.functions.entry(chain[owner].clone()).or_default();
            blamed.own += cost;
            let part = part(&chain[..owner]).unwrap_or_default();
            *blamed.parts.entry(part).or_default() += cost;
            self.tree.add(of_operation(chain), cost);
            self.sites.add(chain, owner, |call| chains[call].as_slice(), &function.calls);
            let callees =
                function.calls.iter().map(|call| (&chains[call.to][0], call.count as f64));
            for (callee, count) in callees.filter(|(callee, _)| is_own(callee, own)) {
                let called = self.functions.entry(callee.clone()).or_default();
                called.calls += count;
                *called.callers.entry(chain[owner].clone()).or_default() += count;
            }
        }
    }

    /// Returns the share that belongs to functions without a name.
    fn nameless_share(&self) -> f64 {
        if self.total > 0.0 { self.nameless / self.total } else { 0.0 }
    }

    pub(super) fn divide(&mut self, operations: f64) {
        self.total /= operations;
        self.nameless /= operations;
        self.system_calls = self.system_calls.map(|calls| calls / operations);
        self.sites.divide(operations);
        self.callers.divide(operations);
        self.tree.divide(operations);
        for sum in self.functions.values_mut() {
            for amount in [&mut sum.own, &mut sum.inclusive, &mut sum.calls] {
                *amount /= operations;
            }
            sum.callers
                .values_mut()
                .chain(sum.parts.values_mut())
                .for_each(|amount| *amount /= operations);
        }
    }
}

pub(super) fn is_own(name: &str, own: &BTreeSet<String>) -> bool {
    let krate = names::crate_of(name);
    own.contains(krate) && !FOREIGN.contains(&krate) || contains_operation(name)
}

/// Whether a function that measures is compiled anew for each operation, and calls it. The compiler may inline the operation there,
/// so that what such a function runs is the project's own, but for a few instructions that are the same on both sides.
fn contains_operation(name: &str) -> bool {
    let iterates = ["criterion::bencher::Bencher", "divan::bench::Bencher"];
    name == CLOSURE || calls_closure(name) || iterates.iter().any(|start| name.starts_with(start))
}

fn calls_closure(name: &str) -> bool {
    name.ends_with("{closure}") && CALLS_CLOSURE.iter().any(|start| name.starts_with(start))
}

/// Returns the plain name of a function, or [`NAMELESS`] if the profiler only knows its address.
fn plain_or_nameless(name: &str) -> String {
    if name.starts_with("0x") || name.starts_with("???") {
        return NAMELESS.to_owned();
    }
    let name = plain(name);
    if calls_closure(&name) { CLOSURE.to_owned() } else { name }
}

/// Returns which function of a chain of callers its cost is attributed to: the innermost one of the project, or else the
/// innermost one of a dependency, or else one without a name, which may be of the project, or else the function itself.
fn owner(chain: &[String], own: &BTreeSet<String>) -> usize {
    let of_project = chain.iter().position(|name| is_own(name, own));
    let of_dependency = || chain.iter().position(|name| is_of_dependency(name));
    let nameless = || chain.iter().position(|name| name == NAMELESS);
    of_project.or_else(of_dependency).or_else(nameless).unwrap_or(0)
}

/// Returns the foreign function that a cost is attributed to, of those below a function of the project: the innermost one of
/// a dependency, which includes what it runs of the standard library and of the allocator, or else the innermost one. `None`
/// if there is none below.
fn part(below: &[String]) -> Option<String> {
    // hashbrown is the map of the standard library, and says less than the hash function that it calls.
    let dependency =
        |name: &&String| is_of_dependency(name) && names::crate_of(name) != "hashbrown";
    below.iter().find(dependency).or(below.first()).cloned()
}

fn is_of_dependency(name: &str) -> bool {
    let krate = names::crate_of(name);
    !krate.is_empty() && !FOREIGN.contains(&krate)
}

/// Returns a chain of callers without the outermost ones that belong to the measuring: those outside the function of Criterion
/// that iterates, or of the closure that is measured, or else those of this library. A chain that has no other functions stays whole.
fn of_operation(chain: &[String]) -> &[String] {
    let is_measuring = |name: &String| name == CLOSURE || FOREIGN.contains(&names::crate_of(name));
    let iterates = |name: &String| name.starts_with("criterion::bencher::Bencher");
    if let Some(outermost) = chain.iter().rposition(iterates) {
        return &chain[..=outermost];
    }
    // An operation that calls nothing but the standard library and C is all that such a chain has of the project.
    let closure = chain.iter().rposition(|name| name == CLOSURE);
    let is_nameless = |name: &String| names::crate_of(name).is_empty();
    if let Some(closure) =
        closure.filter(|&at| chain[..at].iter().all(|name| is_measuring(name) || is_nameless(name)))
    {
        return &chain[..=closure];
    }
    let inside = chain.iter().rposition(|name| !is_measuring(name));
    inside.map_or(chain, |outermost| &chain[..=outermost])
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
        interval: None,
    }
}
