//! Which functions are to blame for a red: two profiles of the same operation, and the difference by function.
//!
//! An instruction belongs to the innermost function of the project that was running, so that the cost of an allocation
//! or a hash is attributed to the function that asks for it. The functions of other crates and libraries are listed
//! below it.

mod callers;
mod inlined;
mod locked;
mod marks;
mod names;
mod sampled;
mod sites;
mod sums;
mod tree;

use std::collections::BTreeSet;

use crate::callgrind::Profile;
use crate::outcome::{Blame, Inlined};

pub use self::inlined::{expanded, has_lines};
pub use self::locked::{changed, own_crates};
pub use self::names::plain;
pub use self::sampled::{Stacks, sampled};
use self::sums::{compared, sum};

/// Compares the profiles of one operation each, of the reference and of what is measured. Without a reference the result
/// says where the instructions are. `own` are the crates of the project.
pub fn compare(before: Option<&[Profile]>, now: &[Profile], own: &BTreeSet<String>) -> Blame {
    let was = before.map(|before| sum(before, own));
    let creator = now.first().map_or("callgrind", |profile| profile.creator.as_str());
    Blame {
        by: creator.replacen('-', " ", 1),
        inlined: Some(Inlined::Unknown),
        ..compared(was.as_ref(), &sum(now, own), own)
    }
}

#[cfg(test)]
mod tests;
