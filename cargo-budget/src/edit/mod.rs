//! Edits of files that people wrote.
//!
//! An edit replaces bytes at a place that a parser named and leaves every other byte as it was: comments,
//! order, line ends, a mark at the start, a last line without its end. It is shown as a difference before
//! it is written, checked by the library's own reading, and written beside the file, which is then replaced
//! in one step.

pub(crate) mod diff;
pub(crate) mod headroom;
mod insert;
pub(crate) mod lock;
pub(crate) mod number;
pub(crate) mod place;
pub(crate) mod suggest;
pub(crate) mod tighten;

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use similar::TextDiff;

use crate::failure::Failure;

/// The mark that some editors put before the first character of a file.
pub(crate) const MARK: char = '\u{feff}';

/// Replacements in a text, in any order, no two in the same place.
#[derive(Debug, Default)]
pub(crate) struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    /// Replaces the bytes `at` by `text`; an empty range inserts.
    pub(crate) fn replace(&mut self, at: Range<usize>, text: impl Into<String>) {
        self.0.push((at, text.into()));
    }

    /// The text with every replacement made.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(at, _)| (at.start, at.end));
        let (mut edited, mut end) = (String::with_capacity(text.len() + 64), 0);
        for (at, new) in &self.0 {
            edited.push_str(&text[end..at.start]);
            edited.push_str(new);
            end = at.end;
        }
        edited.push_str(&text[end..]);
        edited
    }
}

/// The end of a line as this text writes it.
pub(crate) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

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
    sweep(parent);
    let mut builder = tempfile::Builder::new();
    builder.prefix(BESIDE.0).suffix(BESIDE.1);
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

/// How a file that is written beside another is called: what its name begins and ends with.
const BESIDE: (&str, &str) = (".budgets-", ".new");

/// After so long nobody writes such a file any more.
const ABANDONED: Duration = Duration::from_secs(60);

/// Removes what a process that was killed while it wrote has left in a directory. What cannot be removed is in
/// nobody's way.
fn sweep(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(BESIDE.0) && name.ends_with(BESIDE.1));
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if is_ours && age().is_some_and(|age| age > ABANDONED) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
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

/// Text that cannot steer a terminal or break a line.
pub(crate) fn printable(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_one_writes_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in [".budgets-old.new", ".budgets-new.new", "old.new"] {
            std::fs::write(at(name), "half").unwrap();
        }
        let long_ago = std::time::SystemTime::now() - 10 * ABANDONED;
        for name in [".budgets-old.new", "old.new"] {
            let file = std::fs::File::options().append(true).open(at(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        write(&at("budgets.toml"), "whole").unwrap();
        let there =
            [".budgets-old.new", ".budgets-new.new", "old.new"].map(|name| at(name).exists());
        assert_eq!(there, [false, true, true]);
    }

    #[test]
    fn splices_are_made_from_the_front() {
        let mut splices = Splices::default();
        splices.replace(4..5, "E");
        splices.replace(0..1, "AA");
        splices.replace(2..2, "-");
        assert_eq!(splices.apply("abcde"), "AAb-cdE");
    }

    #[test]
    fn a_file_that_may_only_be_read_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("budgets.toml");
        std::fs::write(&path, "old").unwrap();
        let mut permissions = path.metadata().unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&path, permissions).unwrap();
        let failure = write(&path, "new").unwrap_err();
        assert!(failure.text.contains("may only be read"), "{failure}");
        assert_eq!(read(&path).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_mode_stays() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.toml"), dir.path().join("budgets.toml"));
        std::fs::write(&real, "old").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(read(&real).unwrap(), "new");
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_place_that_cannot_be_written_says_so() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let failure = write(&dir.path().join("file/budgets.toml"), "new").unwrap_err();
        assert_eq!(failure.exit.code(), 3);
        assert!(failure.text.starts_with("failed to "), "{failure}");
    }
}
