//! Who calls the system: callgrind counts the system calls of each function by its callers.

use std::collections::{BTreeMap, BTreeSet};

use super::sites::{MOST, Place, called_by};
use crate::outcome::{Change, SystemCaller};

/// How often each place calls the system: a function of the project, and what it calls for that.
#[derive(Default)]
pub(super) struct Callers(BTreeMap<Place, f64>);

impl Callers {
    /// Adds the system calls that one function made itself. `chain` has this function and its callers; the function of the
    /// project is at `owner`.
    pub(super) fn add(&mut self, chain: &[String], owner: usize, count: u64) {
        if count > 0 {
            *self.0.entry(called_by(chain, owner)).or_default() += count as f64;
        }
    }

    pub(super) fn divide(&mut self, operations: f64) {
        self.0.values_mut().for_each(|count| *count /= operations);
    }
}

/// Returns the places with their changes, the greatest first.
pub(super) fn changed(was: &Callers, is: &Callers) -> Vec<SystemCaller> {
    let places: BTreeSet<&Place> = was.0.keys().chain(is.0.keys()).collect();
    let calls = |callers: &Callers, place| callers.0.get(place).copied().unwrap_or(0.0);
    let mut changed: Vec<SystemCaller> = places
        .into_iter()
        .map(|place| SystemCaller {
            name: place.0.clone(),
            through: place.1.clone(),
            calls: Change { before: calls(was, place), now: calls(is, place) },
        })
        .collect();
    changed.sort_by(|a, b| b.calls.order(a.calls));
    changed.truncate(MOST);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_call_belongs_to_the_function_of_the_project_that_asks_for_it() {
        let names = |chain: &[&str]| chain.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        let written = names(&["write", "std::fs::File::write", "work::save", "work::main"]);
        let raw = names(&["work::raw", "work::main"]);
        let with_writes = |saved: u64| {
            let mut callers = Callers::default();
            callers.add(&written, 2, saved);
            callers.add(&raw, 0, 4);
            callers.add(&names(&["work::idle"]), 0, 0);
            callers.divide(2.0);
            callers
        };
        let found = changed(&with_writes(2), &with_writes(20));
        assert_eq!(
            (found[0].name.as_str(), found[0].through.as_str()),
            ("work::save", "std::fs::File::write")
        );
        assert_eq!(found[0].calls, Change { before: 1.0, now: 10.0 });
        assert_eq!(
            (found[1].name.as_str(), found[1].through.as_str(), found.len()),
            ("work::raw", "", 2)
        );
    }
}
