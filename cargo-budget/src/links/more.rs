//! Further links of both revisions. The harness starts this command to make them while it measures.
//!
//! The harness starts this command under another name, with the two binaries and the numbers of the first and of the
//! last link. Several processes of the harness may do so at once, as under nextest. A lock lets one after the other work,
//! and each makes the links that are still missing then.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use perf_budget_core::build::hold;
use perf_budget_core::handover::{MadeLinks, MoreLinks};

use super::make::{Refused, Repeated};

/// The name under which this command makes further links.
pub(super) const NAME: &str = "perf-budget-links";
/// The file that is locked while links are made, in the directory with the records of this revision's links.
const LOCK: &str = "links.lock";

/// Returns what the harness needs to have further links made. The program for that is put into `place`. Returns `None` if
/// there can be no more links than the ones that are made already.
pub(crate) fn offer(
    place: &Path,
    head: &Repeated,
    base: &Repeated,
    made: usize,
) -> Result<Option<MoreLinks>, String> {
    let most = head.max_links().min(base.max_links());
    if most as usize <= made {
        return Ok(None);
    }
    let program = place.join(NAME);
    let failed = |e: &dyn std::fmt::Display| {
        format!("failed to offer further links in `{}`: {e}", place.display())
    };
    hold(&program).map_err(|e| failed(&e))?;
    let sides = serde_json::to_string(&[head, base]).map_err(|e| failed(&e))?;
    Ok(Some(MoreLinks { program, arguments: vec![sides], most }))
}

/// Makes the links that the harness wants, and prints their paths.
///
/// # Errors
/// Returns the reason why they cannot be made.
pub(super) fn make(arguments: &[OsString]) -> Result<(), String> {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let [sides, from, to] = texts[..] else {
        return Err(format!("`{NAME}` is for the tests that `cargo budget check` starts"));
    };
    let unclear = |e: &dyn std::fmt::Display| format!("failed to read which links to make: {e}");
    let [head, base]: [Repeated; 2] = serde_json::from_str(sides).map_err(|e| unclear(&e))?;
    let number = |text: &str| text.parse::<u32>().map_err(|e| unclear(&e));
    let (from, to) = (number(from)?, number(to)?);
    let lock = head.records.join(LOCK);
    let locked = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let _lock = locked.map_err(|e| format!("failed to lock `{}`: {e}", lock.display()))?;
    let made = |side: &Repeated| -> Result<Vec<PathBuf>, String> {
        side.make(from..=to).map_err(|refused| match refused {
            Refused::Cannot(why) => why,
            Refused::Stale => format!(
                "`{}` was built anew meanwhile, or its link is no longer recorded",
                side.binary.display()
            ),
        })
    };
    let answer = MadeLinks { heads: made(&head)?, links: made(&base)? };
    let text = answer.to_json().map_err(|e| e.to_string())?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}").map_err(|e| format!("failed to name the links: {e}"))
}
