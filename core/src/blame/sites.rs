//! Where the allocations of an operation are made: callgrind counts the calls of the allocator by their callers.

use std::collections::{BTreeMap, BTreeSet};

use crate::callgrind::{Call, is_allocator};
use crate::outcome::{Change, Site};

/// How many places are kept.
const MOST: usize = 20;
/// The names of the allocator's functions that only give memory back.
const FREES: [&str; 5] = ["free", "cfree", "sdallocx", "dallocx", "__rust_dealloc"];

/// How often each place allocates: a function of the project, and what it calls for that.
#[derive(Default)]
pub(super) struct Sites(BTreeMap<(String, String), f64>);

impl Sites {
    /// Adds the calls of the allocator by one function, whose callers are `chain`; the one of the project is at `owner`.
    /// `callee` returns the chain of a function that is called. A call within the allocator is a part of the outer one.
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
            let through = match owner.checked_sub(1) {
                Some(below) => &chain[below],
                None => &callee(call.to)[0],
            };
            *self.0.entry((chain[owner].clone(), through.clone())).or_default() +=
                call.count as f64;
        }
    }

    pub(super) fn divide(&mut self, operations: f64) {
        self.0.values_mut().for_each(|count| *count /= operations);
    }

    pub(super) fn total(&self) -> f64 {
        // The sum of no numbers would be -0.
        self.0.values().sum::<f64>() + 0.0
    }
}

fn allocates(name: &str) -> bool {
    is_allocator(name) && !FREES.iter().any(|free| name.ends_with(free))
}

/// Returns the places with their changes, the greatest first; of equal ones, the one with the most allocations.
pub(super) fn changed(was: &Sites, is: &Sites) -> Vec<Site> {
    let places: BTreeSet<&(String, String)> = was.0.keys().chain(is.0.keys()).collect();
    let of = |sites: &Sites, place| sites.0.get(place).copied().unwrap_or(0.0);
    let mut changed: Vec<Site> = places
        .into_iter()
        .map(|place| Site {
            name: place.0.clone(),
            through: place.1.clone(),
            allocations: Change { before: of(was, place), now: of(is, place) },
        })
        .collect();
    let weight = |site: &Site| (site.allocations.by().abs(), site.allocations.now);
    changed.sort_by(|a, b| {
        let ((a_by, a_now), (b_by, b_now)) = (weight(a), weight(b));
        b_by.total_cmp(&a_by).then_with(|| b_now.total_cmp(&a_now))
    });
    changed.truncate(MOST);
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
        assert_eq!((sites[1].through.as_str(), sites.len()), ("malloc", 2));
    }
}
