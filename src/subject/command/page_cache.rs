//! The page cache: this module drops a command's files from it, and checks that they have left it.

use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

use perf_budget_core::outcome::Unmeasured;

use crate::exec::Launch;

/// Drops the program's file, and every argument that is a file, from the page cache. Returns notes about what stayed
/// there: pages that a process has mapped cannot be dropped.
#[cfg(target_os = "linux")]
pub(super) fn evict(launch: &Launch, root: &Path) -> Result<Vec<String>, Unmeasured> {
    let mut notes = Vec::new();
    for path in files(launch, root) {
        evict_file(&path).map_err(|e| {
            let text = format!("failed to drop `{}` from the page cache: {e}", path.display());
            Unmeasured::new(perf_budget_core::outcome::Cause::Harness, text)
        })?;
        match crate::os::page_cache::resident_pages(&path) {
            Ok(Some((0, _))) => {}
            Ok(Some((resident, pages))) => notes.push(format!(
                "{resident} of {pages} pages of `{}` stayed in the page cache: it is not a cold start",
                path.display()
            )),
            Ok(None) => notes.push(format!(
                "the kernel does not tell whether `{}` left the page cache: the file belongs to another \
                 user",
                path.display()
            )),
            Err(e) => notes.push(format!(
                "failed to see whether `{}` left the page cache: {e}",
                path.display()
            )),
        }
    }
    Ok(notes)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn evict(_launch: &Launch, _root: &Path) -> Result<Vec<String>, Unmeasured> {
    let text = "files are only dropped from the page cache on Linux; remove `cache = \"evicted\"`";
    Err(Unmeasured::new(perf_budget_core::outcome::Cause::Unsupported, text))
}

/// Returns the program's file, and the arguments that are files.
#[cfg(target_os = "linux")]
fn files(launch: &Launch, root: &Path) -> Vec<PathBuf> {
    let program = Path::new(&launch.program);
    let in_path = |path: std::ffi::OsString| {
        std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
    };
    let found =
        if program.components().count() > 1 || launch.program.as_encoded_bytes().contains(&b'/') {
            Some(root.join(program))
        } else {
            let set = launch.env.iter().rev().find(|(name, _)| name == "PATH").map(|v| v.1.clone());
            set.or_else(|| std::env::var_os("PATH")).and_then(in_path)
        };
    let mut files: Vec<_> = found.into_iter().collect();
    files.extend(launch.args.iter().map(|arg| root.join(arg)));
    files.retain(|file| file.is_file());
    files.dedup();
    files
}

/// Drops a file from the page cache. Dirty pages cannot be dropped, so they are written first.
#[cfg(target_os = "linux")]
fn evict_file(path: &Path) -> std::io::Result<()> {
    let file = std::fs::File::open(path)?;
    file.sync_data()?;
    crate::os::kernel::drop_cached(&file)
}
