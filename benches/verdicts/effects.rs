//! The effects that are injected: an operation has a hundred equal parts, and one more for each percent.

use std::hint::black_box;

use perf_budget::{Failed, Run};

/// The number of parts of one operation.
pub(crate) const PARTS: u64 = 100;
/// The file with the effects of a revision, in the current directory of its workers.
pub(crate) const EFFECTS: &str = "effects.txt";

/// Returns the number of parts of an operation of this budget in this revision, with its injected effect.
pub(crate) fn parts(run: &mut Run) -> Result<u64, Failed> {
    let id: u64 = run.param("id")?;
    let text = std::fs::read_to_string(EFFECTS)
        .map_err(|error| Failed::from(format!("failed to read `{EFFECTS}`: {error}")))?;
    let injected = text.lines().find_map(|line| {
        let (of, percent) = line.split_once(' ')?;
        (of.parse() == Ok(id)).then(|| percent.parse::<u64>().ok())?
    });
    Ok(black_box(PARTS + injected.unwrap_or(0)))
}
