//! `cargo budget diff`: the differences between the promises of two states of `budgets.toml`. The module is pure: it
//! takes two checked files and returns a list of changes.
//!
//! It compares what the gate would do, not how that is written: `1 KiB` and `1024 B` are the same limit. A change
//! *weakens* the gate where something that was red may now be green. Where that cannot be told, because another thing
//! is measured or the reference is another, the change counts as weakening: to write a reason costs a line, but to
//! lose a promise unnoticed costs more.

mod budgets;
mod change;
mod in_force;
pub(crate) mod render;
mod settings;
mod shown;
#[cfg(test)]
mod tests;

use perf_budget_core::budget::Budgets;

pub(crate) use self::change::{Change, Kind};
pub(crate) use self::in_force::switched;

/// Returns every difference between two states of the file; a state is `None` where the file does not exist. Settings
/// come first, then budgets in the order of the new file, then removed budgets.
pub(crate) fn compare(before: Option<&Budgets>, after: Option<&Budgets>) -> Vec<Change> {
    let mut changes = Vec::new();
    if let (Some(before), Some(after)) = (before, after) {
        settings::compare(before, after, &mut changes);
    }
    budgets::compare(before, after, &mut changes);
    changes
}

/// Adds the changes in an environment, without those that are the same in the file without an environment.
pub(crate) fn add_environment(name: &str, own: Vec<Change>, changes: &mut Vec<Change>) {
    let everywhere = changes.iter().filter(|change| !change.what.starts_with("[env."));
    let everywhere: Vec<Change> = everywhere.cloned().collect();
    let own = own.into_iter().filter(|change| !everywhere.contains(change));
    changes.extend(
        own.map(|change| Change { what: format!("[env.{name}] {}", change.what), ..change }),
    );
}
