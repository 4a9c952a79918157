//! Profiles with addresses, in which the functions that the compiler has inlined are told apart from those that they are part of.
//!
//! If a function is called from several inlined functions of one caller, the profile only says how much is spent below each
//! of these calls. The function's own instructions are then shared among the callers in the same proportion.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::names;
use super::sums::is_own;
use crate::callgrind::{Call, Function, Profile};

/// The most chains of inlined callers by which one function is told apart. Calls by further chains keep the name of the
/// caller.
const MOST: usize = 16;
/// The most bytes of a chain of callers. A recursion makes long chains, so callers further out are left out.
const LONGEST: usize = 4096;

/// Whether line tables and addresses are known for most of the instructions that the project's own functions run, so
/// that the functions that were inlined there can be named.
pub fn has_lines(profiles: &[Profile], own: &BTreeSet<String>) -> bool {
    let mut sums = [0, 0];
    for function in profiles.iter().flat_map(|profile| &profile.functions) {
        let chain = names::chain(&function.name);
        if is_own(&names::plain(chain[0]), own) {
            let can_be_named = function.has_lines && !function.at.is_empty();
            sums[usize::from(can_be_named)] += function.cost;
        }
    }
    sums[1] > sums[0]
}

/// Returns a profile in which each inlined function is a function of its own. `inlined` says which functions are inlined at an
/// address of an object, the innermost first, and without the one that they are inlined into.
pub fn expanded(profile: &Profile, inlined: &dyn Fn(&str, u64) -> Vec<String>) -> Profile {
    let mut expansion = Expansion::of(profile, inlined);
    let mut functions = Functions::default();
    for (at, function) in profile.functions.iter().enumerate() {
        let callers = expansion.callers(at);
        for (address, cost) in &function.at {
            for ((caller, _), part) in callers.iter().zip(shared(*cost, &callers)) {
                let name = expansion.name(at, *address, caller);
                let to = functions.find_or_add(name, function);
                functions.all[to].cost += part;
            }
        }
        for call in &function.calls {
            let (counts, costs) = (shared(call.count, &callers), shared(call.cost, &callers));
            let shares = counts.into_iter().zip(costs);
            for ((caller, _), (count, cost)) in callers.iter().zip(shares) {
                let chain = expansion.name(at, call.at, caller);
                // A function whose inlined calls are not told apart keeps the caller that the dump gives.
                let is_known = expansion.callers(call.to).iter().any(|(known, _)| *known == chain);
                let called = expansion.called(call.to, Some(&chain).filter(|_| is_known));
                let to = functions.find_or_add(called, &profile.functions[call.to]);
                let from = functions.find_or_add(chain, function);
                functions.all[from].calls.push(Call { to, at: 0, count, cost });
            }
        }
    }
    Profile { functions: functions.all, ..profile.clone() }
}

/// The functions of the result, each once.
#[derive(Default)]
struct Functions {
    all: Vec<Function>,
    /// The index of each function in `all`, by its object and name.
    index: HashMap<(String, String), usize>,
}

impl Functions {
    /// Returns the index of the function with this name in the object of `like`, which is added if it is new.
    fn find_or_add(&mut self, name: String, like: &Function) -> usize {
        let key = (like.object.clone(), name);
        if let Some(&at) = self.index.get(&key) {
            return at;
        }
        let (name, object) = (key.1.clone(), key.0.clone());
        self.all.push(Function { name, object, has_lines: like.has_lines, ..Function::default() });
        self.index.insert(key, self.all.len() - 1);
        self.all.len() - 1
    }
}

/// A chain of callers that begins with the one that calls, and its share of what is spent.
type Caller = (String, f64);

/// How the callers of each function are told apart.
struct Expansion<'a> {
    profile: &'a Profile,
    inlined: &'a dyn Fn(&str, u64) -> Vec<String>,
    /// The calls of each function: which function makes one at which address, and the instructions of it.
    calls: Vec<Vec<(usize, u64, u64)>>,
    /// The callers of each function. `None` until they are asked for.
    known: Vec<Option<Vec<Caller>>>,
    /// Whether the callers in `known` are final. Until then they are those that the dump has.
    done: Vec<bool>,
}

impl<'a> Expansion<'a> {
    fn of(profile: &'a Profile, inlined: &'a dyn Fn(&str, u64) -> Vec<String>) -> Expansion<'a> {
        let mut calls = vec![Vec::new(); profile.functions.len()];
        for (from, function) in profile.functions.iter().enumerate() {
            for call in &function.calls {
                calls[call.to].push((from, call.at, call.cost));
            }
        }
        let functions = profile.functions.len();
        let (known, done) = (vec![None; functions], vec![false; functions]);
        Expansion { profile, inlined, calls, known, done }
    }

    /// Returns the chains of callers of a function, each with its share of what the function spends.
    fn callers(&mut self, at: usize) -> Vec<Caller> {
        // This is a loop and not a recursion, since a chain of calls may be deeper than this thread's stack.
        let mut waiting = vec![at];
        while let Some(&top) = waiting.last() {
            if self.done[top] {
                waiting.pop();
            } else if self.known[top].is_some() {
                self.find(top);
                waiting.pop();
            } else {
                // A function that calls itself is known by its own callers, as the dump has them.
                self.known[top] = Some(vec![(self.plain(top), 1.0)]);
                let callers = self.calls[top].iter().map(|(from, ..)| *from);
                waiting.extend(callers.filter(|from| self.known[*from].is_none()).rev());
            }
        }
        self.known[at].clone().unwrap_or_default()
    }

    /// Returns the callers of a function as the dump has them.
    fn plain(&self, at: usize) -> String {
        names::chain(&self.profile.functions[at].name)[1..].join("'")
    }

    /// Finds the callers of a function whose own callers are known.
    fn find(&mut self, at: usize) {
        self.done[at] = true;
        let mut shares: BTreeMap<String, f64> = BTreeMap::new();
        for &(from, address, cost) in &self.calls[at] {
            for (caller, share) in self.known[from].iter().flatten() {
                let chain = self.name(from, address, caller);
                *shares.entry(chain).or_default() += share * cost as f64;
            }
        }
        let whole: f64 = shares.values().sum();
        if whole > 0.0 {
            let mut callers: Vec<Caller> =
                shares.into_iter().map(|(chain, share)| (chain, share / whole)).collect();
            callers.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let rest: f64 = callers.iter().skip(MOST).map(|(_, share)| share).sum();
            callers.truncate(MOST);
            if rest > 0.0 {
                callers.push((self.plain(at), rest));
            }
            self.known[at] = Some(callers);
        }
    }

    /// Returns the chain at an address of a function: what is inlined there, the function, and the chain of its callers.
    fn name(&self, at: usize, address: u64, caller: &str) -> String {
        let function = &self.profile.functions[at];
        let mut chain = (self.inlined)(&function.object, address);
        chain.push(names::chain(&function.name)[0].to_owned());
        if !caller.is_empty() {
            chain.push(caller.to_owned());
        }
        shortened(chain.join("'"))
    }

    /// Returns the chain at the beginning of a called function, in which nothing is inlined yet. Without `caller` it has the
    /// callers of the dump.
    fn called(&self, at: usize, caller: Option<&String>) -> String {
        let name = &self.profile.functions[at].name;
        let chain = names::chain(name);
        match caller {
            Some(caller) => format!("{}'{caller}", chain[0]),
            None => chain.join("'"),
        }
    }
}

/// Returns a chain, without its outermost callers if it is longer than [`LONGEST`].
fn shortened(chain: String) -> String {
    if chain.len() <= LONGEST {
        return chain;
    }
    let mut length = 0;
    let fits = |part: &&str| {
        length += part.len() + 1;
        length <= LONGEST
    };
    let parts = names::chain(&chain);
    let inner: Vec<&str> = parts.iter().copied().take_while(fits).collect();
    // The name of the function itself stays, however long it is.
    if inner.is_empty() { parts[0].to_owned() } else { inner.join("'") }
}

/// Shares a whole number among callers, so that the parts add up to it.
fn shared(whole: u64, callers: &[Caller]) -> Vec<u64> {
    let (mut sum, mut given) = (0.0, 0);
    let mut parts: Vec<u64> = callers
        .iter()
        .map(|(_, share)| {
            sum += share * whole as f64;
            let part = (sum.round() as u64).clamp(given, whole) - given;
            given += part;
            part
        })
        .collect();
    if let Some(last) = parts.last_mut() {
        *last += whole - given;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of the test: its chain, its costs by address, and its calls (to, at, count, cost).
    type Row<'a> = (&'a str, &'a [(u64, u64)], &'a [(usize, u64, u64, u64)]);

    fn profile(rows: &[Row<'_>]) -> Profile {
        let function = |&(name, at, calls): &Row<'_>| Function {
            name: name.to_owned(),
            object: "/work".to_owned(),
            cost: at.iter().map(|(_, cost)| cost).sum(),
            system_calls: 0,
            has_lines: true,
            at: at.to_vec(),
            calls: calls
                .iter()
                .map(|&(to, at, count, cost)| Call { to, at, count, cost })
                .collect(),
        };
        Profile { functions: rows.iter().map(function).collect(), ..Profile::default() }
    }

    /// Returns the function that is inlined at an address: from 10 on `work::scan`, and from 20 on `core::next` in
    /// `work::list`.
    fn inlined(_: &str, address: u64) -> Vec<String> {
        let names: &[&str] = match address {
            10..20 => &["work::scan"],
            20..30 => &["core::next", "work::list"],
            _ => &[],
        };
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn costs(profile: &Profile) -> Vec<(&str, u64)> {
        let mut costs: Vec<(&str, u64)> =
            profile.functions.iter().map(|f| (f.name.as_str(), f.cost)).collect();
        costs.retain(|(_, cost)| *cost > 0);
        costs.sort_unstable();
        costs
    }

    #[test]
    fn an_inlined_function_is_named() {
        let expanded =
            expanded(&profile(&[("work::post", &[(1, 5), (10, 70), (20, 9)], &[])]), &inlined);
        assert_eq!(
            costs(&expanded),
            [
                ("core::next'work::list'work::post", 9),
                ("work::post", 5),
                ("work::scan'work::post", 70)
            ]
        );
    }

    #[test]
    fn callees_of_an_inlined_function_are_below_it_and_shared_by_the_cost_of_the_calls() {
        let calls: &[_] = &[(1, 11, 3, 75), (1, 1, 1, 25)];
        let before =
            profile(&[("work::post", &[(1, 5)], calls), ("malloc'work::post", &[(0, 100)], &[])]);
        let after = expanded(&before, &inlined);
        assert_eq!(after.total(), before.total());
        assert_eq!(
            costs(&after),
            [("malloc'work::post", 25), ("malloc'work::scan'work::post", 75), ("work::post", 5)]
        );
        let named = |name: &str| after.functions.iter().position(|f| f.name == name).unwrap();
        let scan = &after.functions[named("work::scan'work::post")];
        let to = named("malloc'work::scan'work::post");
        assert_eq!(scan.calls, [Call { to, at: 0, count: 3, cost: 75 }]);
    }

    #[test]
    fn a_function_that_calls_itself_ends() {
        let before = profile(&[("work::post", &[(1, 5), (10, 2)], &[(0, 1, 4, 3), (0, 10, 4, 3)])]);
        assert_eq!(expanded(&before, &inlined).total(), 7);
    }

    #[test]
    fn calls_may_be_deeper_than_the_stack_of_this_thread() {
        const DEEP: usize = 2000;
        let names: Vec<String> = (0..DEEP).map(|nth| format!("work::f{nth}")).collect();
        // The function that is first in the dump is the innermost one.
        let calls: Vec<[_; 1]> = (0..DEEP).map(|nth| [(nth.saturating_sub(1), 1, 1, 1)]).collect();
        let rows: Vec<Row<'_>> =
            (0..DEEP).map(|nth| (names[nth].as_str(), &[(1, 1)][..], &calls[nth][..])).collect();
        let before = profile(&rows);
        let small = std::thread::Builder::new().stack_size(128 << 10);
        let after = small.spawn(move || expanded(&before, &inlined)).unwrap().join().unwrap();
        assert_eq!(after.total(), DEEP as u64);
        assert!(after.functions.iter().all(|function| function.name.len() <= LONGEST + 1000));
    }

    #[test]
    fn many_calls_are_bounded_and_nothing_is_lost() {
        let calls: Vec<_> = (0..100).map(|at| (1, at, 1, 1)).collect();
        let before = profile(&[("a", &[(0, 1)], &calls), ("b'a", &[(0, 101)], &[])]);
        let each =
            |_: &str, at: u64| if at > 0 { vec![format!("inlined{at}")] } else { Vec::new() };
        let after = expanded(&before, &each);
        assert_eq!(after.total(), before.total());
        assert!(after.functions.len() < 200);
        let count: u64 = after.functions.iter().flat_map(|f| &f.calls).map(|call| call.count).sum();
        assert_eq!(count, 100);
    }

    #[test]
    fn lines_are_known_where_most_of_the_projects_code_has_them() {
        let own = BTreeSet::from(["work".to_owned()]);
        let mut one =
            profile(&[("work::post", &[(1, 5)], &[]), ("malloc'work::post", &[(0, 100)], &[])]);
        assert!(has_lines(std::slice::from_ref(&one), &own));
        one.functions[0].has_lines = false;
        assert!(!has_lines(std::slice::from_ref(&one), &own));
        assert!(!has_lines(&[], &own));
    }
}
