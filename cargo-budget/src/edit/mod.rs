//! Edits of files that people wrote.
//!
//! An edit is shown as a difference before it is written, checked by the library's own reading, and written
//! beside the file, which is then replaced in one step.

pub(crate) mod lock;

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use similar::TextDiff;

use crate::failure::Failure;

/// Reads a file as text.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::InvalidData => {
            Failure::io("read", path, &"it is not UTF-8; save the file as UTF-8")
        }
        _ => Failure::io("read", path, &e),
    })
}

/// Writes a file whole or not at all: beside it first, then in its place. What is linked to stays a link,
/// and who may read it does not change.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let target = match path.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(e) => return Err(Failure::io("resolve", path, &e)),
    };
    let old = target.metadata().ok().map(|file| file.permissions());
    if old.as_ref().is_some_and(std::fs::Permissions::readonly) {
        return Err(Failure::io("write", path, &"it may only be read; allow writing it"));
    }
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let failed = |e: std::io::Error| {
        let remedy = match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "; the file is as it was: make room and run this again"
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "; the file is as it was: a new one is written beside it, so its directory must be writable"
            }
            _ => "; the file is as it was",
        };
        Failure::io("write", path, &format!("{e}{remedy}"))
    };
    std::fs::create_dir_all(parent).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".budgets-").suffix(".new");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: what the process may give, less what its mask takes.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(parent).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if let Some(old) = old {
        file.as_file().set_permissions(old).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|e| failed(e.error))?;
    Ok(())
}

/// What changes, as a unified difference in the colours that terminals have for it; empty where nothing does.
pub(crate) fn difference(before: Option<&str>, after: &str, name: &str) -> String {
    let old = before.map_or("/dev/null".to_owned(), |_| format!("a/{name}"));
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after);
    let plain =
        diff.unified_diff().context_radius(3).header(&old, &format!("b/{name}")).to_string();
    let mut shown = String::new();
    for line in plain.lines() {
        let colour = match line.as_bytes().first() {
            _ if line.starts_with("+++") || line.starts_with("---") => "\u{1b}[1m",
            Some(b'+') => "\u{1b}[32m",
            Some(b'-') => "\u{1b}[31m",
            Some(b'@') => "\u{1b}[36m",
            _ => "",
        };
        let reset = if colour.is_empty() { "" } else { "\u{1b}[0m" };
        let _ = writeln!(shown, "{colour}{line}{reset}");
    }
    shown
}
