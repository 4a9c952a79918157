//! Where an operation allocates: callgrind counts the calls of the allocator by their callers. It counts the allocated bytes by the
//! calls with which the allocator tells them.

use std::collections::{BTreeMap, BTreeSet};

use super::marks;
use crate::callgrind::{Call, is_allocator};
use crate::outcome::{Change, Site};

/// The most places in a result.
pub(super) const MOST: usize = 20;
/// The names of the allocator's functions that only give memory back.
const FREES: [&str; 5] = ["free", "cfree", "sdallocx", "dallocx", "__rust_dealloc"];

/// A function of the project, and what it calls to allocate, or to call the system.
pub(super) type Place = (String, String);

/// How often each place allocates, and how many bytes.
#[derive(Default)]
pub(super) struct Sites {
    counts: BTreeMap<Place, f64>,
    bytes: BTreeMap<Place, f64>,
}

impl Sites {
    /// Adds the calls of the allocator by one function. `chain` has this function and its callers; the function of the project
    /// is at `owner`. `callee` returns the chain of a function that is called. A call within the allocator is a part of the
    /// outer one.
    pub(super) fn add<'a>(
        &mut self,
        chain: &[String],
        owner: usize,
        callee: impl Fn(usize) -> &'a [String],
        calls: &[Call],
    ) {
        if chain.iter().any(|name| is_allocator(name)) {
            return;
        }
        for call in calls.iter().filter(|call| allocates(&callee(call.to)[0])) {
            *self.counts.entry(place(chain, owner)).or_default() += call.count as f64;
        }
    }

    /// Adds the bytes that one function asked the allocator for. `chain` has this function and its callers; the function of the
    /// project is at `owner`. `bits` are the functions by which the allocator tells a size, each with how often it was called.
    pub(super) fn add_bytes<'a>(
        &mut self,
        chain: &[String],
        owner: usize,
        bits: impl Iterator<Item = (&'a str, u64)>,
    ) {
        let sum: f64 =
            bits.filter_map(|(bit, count)| Some(marks::bytes(bit)? * count as f64)).sum();
        if sum > 0.0 {
            *self.bytes.entry(place(chain, owner)).or_default() += sum;
        }
    }

    pub(super) fn divide(&mut self, operations: f64) {
        let amounts = self.counts.values_mut().chain(self.bytes.values_mut());
        amounts.for_each(|amount| *amount /= operations);
    }

    pub(super) fn total(&self) -> f64 {
        // The sum of no numbers would be -0.
        self.counts.values().sum::<f64>() + 0.0
    }

    /// Returns the bytes of all places; `None` if the allocator of the program tells none.
    pub(super) fn bytes(&self) -> Option<f64> {
        let sum = self.bytes.values().sum::<f64>() + 0.0;
        (sum > 0.0 || self.counts.is_empty()).then_some(sum)
    }
}

/// Returns the place of the chain of a function: the function of the project at `owner`, and the foreign function that it calls.
/// The second name is empty if only the allocator's own functions are called, since the compiler may inline any of those.
fn place(chain: &[String], owner: usize) -> Place {
    let (name, through) = called_by(chain, owner);
    let is_direct = is_allocator(&through) || marks::is_part(&through);
    (name, if is_direct { String::new() } else { through })
}

/// Returns the function of the project at `owner`, and the foreign function that it calls, which is empty if there is none.
pub(super) fn called_by(chain: &[String], owner: usize) -> Place {
    let below = owner.checked_sub(1).map(|below| chain[below].clone());
    (chain[owner].clone(), below.unwrap_or_default())
}

fn allocates(name: &str) -> bool {
    is_allocator(name) && !FREES.iter().any(|free| name.ends_with(free))
}

/// Returns the places with their changes, the greatest first; of equal ones, the one with the most allocations. The places with
/// the greatest changes of bytes follow, as far as they are not among these.
pub(super) fn changed(was: &Sites, is: &Sites) -> Vec<Site> {
    let places = [was, is].map(|sites| sites.counts.keys().chain(sites.bytes.keys()));
    let places: BTreeSet<&Place> = places.into_iter().flatten().collect();
    let has_bytes = was.bytes().is_some() && is.bytes().is_some();
    let amount = |amounts: &BTreeMap<Place, f64>, place| amounts.get(place).copied().unwrap_or(0.0);
    let change = |was, is, place| Change { before: amount(was, place), now: amount(is, place) };
    let mut changed: Vec<Site> = places
        .into_iter()
        .map(|place| Site {
            name: place.0.clone(),
            through: place.1.clone(),
            allocations: change(&was.counts, &is.counts, place),
            // A place without bytes has an allocator that does not tell them, as code in C has.
            bytes: Some(change(&was.bytes, &is.bytes, place))
                .filter(|bytes| has_bytes && bytes.before + bytes.now > 0.0),
        })
        .collect();
    changed.sort_by(|a, b| b.allocations.order(a.allocations));
    let mut others = changed.split_off(changed.len().min(MOST));
    others.sort_by(|a, b| b.order_by_bytes(a));
    others.truncate(if has_bytes { MOST } else { 0 });
    changed.extend(others);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(chain: &[&str]) -> Vec<String> {
        chain.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn an_allocation_is_counted_once_and_belongs_to_the_function_that_asks_for_it() {
        let dealloc = names(&["__rustc::__rust_dealloc"]);
        let callees = [names(&["malloc"]), names(&["free"]), names(&["realloc"]), dealloc];
        let call = |to, count| Call { to, at: 0, count, cost: 0 };
        let of = |count| {
            let mut sites = Sites::default();
            let chain = names(&["finish_grow", "reserve", "work::post"]);
            sites.add(
                &chain,
                2,
                |to| callees[to].as_slice(),
                &[call(0, count), call(1, 9), call(2, 4), call(3, 9)],
            );
            sites.add(&names(&["work::post"]), 0, |to| callees[to].as_slice(), &[call(0, 2)]);
            // What `realloc` calls is part of it, and so is what the program's own allocator calls.
            sites.add(
                &names(&["__rustc::__rust_alloc", "work::post"]),
                1,
                |to| callees[to].as_slice(),
                &[call(0, 7)],
            );
            sites.add(
                &names(&["realloc", "work::post"]),
                1,
                |to| callees[to].as_slice(),
                &[call(0, 4)],
            );
            sites.divide(2.0);
            sites
        };
        let (was, is) = (of(2), of(6));
        assert_eq!((was.total(), is.total()), (4.0, 6.0));
        let sites = changed(&was, &is);
        let first = &sites[0];
        assert_eq!((first.name.as_str(), first.through.as_str()), ("work::post", "reserve"));
        assert_eq!(first.allocations, Change { before: 3.0, now: 5.0 });
        assert_eq!((sites[1].through.as_str(), sites.len()), ("", 2));
        assert!(sites.iter().all(|site| site.bytes.is_none()), "no sizes were told");
    }

    /// Which functions of the allocator are inlined may differ between the call that is counted and the one that tells the size.
    #[test]
    fn the_allocations_and_the_bytes_of_a_place_are_together_whatever_is_inlined() {
        let callees = [names(&["calloc"]), names(&["__rustc::__rust_alloc"])];
        let system = "<std::alloc::System as core::alloc::global::GlobalAlloc>::alloc";
        let counted =
            [&["work::post"][..], &["__rustc::__rg_alloc", "work::post"], &[system, "work::post"]];
        let heap =
            "<perf_budget::instrument::heap::Heap as core::alloc::global::GlobalAlloc>::alloc";
        let told = [
            &["perf_budget::instrument::heap::count", "work::post"][..],
            &["perf_budget::instrument::heap::count", heap, "work::post"],
            &["perf_budget::instrument::heap::count", "__rustc::__rust_alloc", "work::post"],
        ];
        let bit = "perf_budget::instrument::marked::bit_4";
        let mut is = Sites::default();
        for (counted, told) in counted.iter().zip(told) {
            let (counted, told) = (names(counted), names(told));
            let call = Call { to: 0, at: 0, count: 2, cost: 0 };
            is.add(&counted, counted.len() - 1, |to| callees[to].as_slice(), &[call]);
            let callers = marks::without_allocator(&told);
            is.add_bytes(callers, callers.len() - 1, [(bit, 2)].into_iter());
        }
        let sites = changed(&Sites::default(), &is);
        let [site] = &sites[..] else { panic!("{sites:?}") };
        assert_eq!((site.name.as_str(), site.through.as_str()), ("work::post", ""));
        assert_eq!((site.allocations.now, site.bytes.unwrap().now), (6.0, 96.0));
    }

    #[test]
    fn bytes_belong_to_the_place_whose_allocations_they_are() {
        let malloc = [names(&["malloc"])];
        let mut is = Sites::default();
        let (often, rarely) = (names(&["reserve", "work::often"]), names(&["work::rarely"]));
        for (chain, owner, count) in [(&often, 1, 90), (&rarely, 0, 1)] {
            let calls = [Call { to: 0, at: 0, count, cost: 0 }];
            is.add(chain, owner, |to| malloc[to].as_slice(), &calls);
        }
        let bit = |bit: u32| format!("perf_budget::instrument::marked::bit_{bit}");
        let (three, four, twenty) = (bit(3), bit(4), bit(20));
        is.add_bytes(&often, 1, [(three.as_str(), 90), (four.as_str(), 90)].into_iter());
        is.add_bytes(&rarely, 0, [(twenty.as_str(), 1), ("other", 9)].into_iter());
        assert_eq!(is.bytes(), Some(90.0 * 24.0 + 1_048_576.0));
        let other = Call { to: 0, at: 0, count: 1, cost: 0 };
        is.add(&names(&["in_c", "work::compress"]), 1, |to| malloc[to].as_slice(), &[other]);
        let sites = changed(&Sites::default(), &is);
        let of = |name: &str| {
            let site = sites.iter().find(|site| site.name == name).unwrap();
            (site.through.as_str(), site.bytes.map(|bytes| bytes.now))
        };
        assert_eq!(of("work::often"), ("reserve", Some(2160.0)));
        assert_eq!(of("work::rarely"), ("", Some(1_048_576.0)));
        assert_eq!(of("work::compress"), ("in_c", None), "what C allocates is not told");
        // Many places that allocate often do not displace one that allocates much.
        for at in 0..40 {
            let chain = names(&[&format!("work::small_{at}")]);
            is.add(
                &chain,
                0,
                |to| malloc[to].as_slice(),
                &[Call { to: 0, at: 0, count: 100, cost: 0 }],
            );
        }
        assert!(changed(&Sites::default(), &is).iter().any(|site| site.name == "work::rarely"));
        assert_eq!(sites.len(), 3);
    }
}
