//! The words about counts of two counters, which cannot be compared.

use crate::outcome::Counted;

/// Says that another counter counted the accepted value, and what to do.
pub fn other_counter(counted: &Counted, accepted_by: &str) -> String {
    let why = if counted.differs_by_rule(accepted_by) {
        "which leave out other instructions of the allocator, so that they"
    } else {
        "and counts of different counters"
    };
    format!(
        "it was counted by {}, and the accepted value by {accepted_by}, {why} are never compared: accept the value that this one \
         counts",
        counted.by
    )
}
