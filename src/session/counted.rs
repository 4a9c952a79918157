//! The counts by address of a red, which are written beside the record. The command names the functions that were
//! inlined there, since that takes a reader of debug information.

use std::collections::BTreeSet;
use std::path::Path;

use perf_budget_core::atomic;
use perf_budget_core::blame;
use perf_budget_core::callgrind::Profile;
use perf_budget_core::counts::Counts;
use perf_budget_core::outcome::{Blame, Counts as Waiting, Inlined};
use perf_budget_core::samples::Code;

/// Writes the instructions that both sides run at each address, if both programs say what was inlined, and notes the
/// file in the blame. If the file cannot be written, the blame stays as it is, and inlined functions are not named.
pub(super) fn keep(
    blame: &mut Blame,
    file: &Path,
    before: Option<Vec<Profile>>,
    now: Vec<Profile>,
    own: BTreeSet<String>,
) {
    let has_lines = |profiles: &[Profile]| blame::has_lines(profiles, &own);
    if blame.is_same() || !has_lines(&now) || !before.as_deref().is_none_or(has_lines) {
        return;
    }
    let Some(bytes) = Counts::of(before, now, own).to_bytes() else { return };
    if let Some(at) = written(file, &bytes) {
        blame.inlined =
            Some(Inlined::Waiting(Waiting { file: file.to_string_lossy().into_owned(), at }));
    }
}

/// Writes a file, and returns the time at which it was written.
fn written(file: &Path, bytes: &[u8]) -> Option<u64> {
    std::fs::create_dir_all(file.parent()?).ok()?;
    atomic::write(file, bytes).ok()?;
    Code::state(file).map(|(_, at)| at)
}
