//! The files that patterns stand for. Everything that is skipped on the way is an error or a note.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use glob::Pattern;

use crate::outcome::{Cause, Unmeasured};

/// The files that the patterns of a budget stand for.
#[derive(Debug, Default)]
pub struct Matched {
    /// The files and directories that patterns name or match.
    pub named: Vec<FileEntry>,
    /// Every regular file among these and below them.
    pub files: Vec<FileEntry>,
    /// Notes about what was skipped.
    pub notes: Vec<String>,
}

/// A file or a directory.
#[derive(Debug, Clone)]
pub struct FileEntry {
    /// Its path.
    pub path: PathBuf,
    /// The path as messages show it: relative to the root, if it is below the root.
    pub shown: String,
    /// The length of the file. That of a directory means nothing.
    pub bytes: u64,
}

/// Returns the files that `patterns` stand for, each once.
///
/// # Errors
/// If a pattern matches nothing, if what it names cannot be read, or if every file is empty.
pub fn find(patterns: &[String], root: &Path) -> Result<Matched, Unmeasured> {
    let mut search = Search {
        root,
        seen: HashSet::new(),
        links: 0,
        special: 0,
        empty: vec![],
        found: Matched::default(),
    };
    for pattern in patterns {
        search.pattern(pattern)?;
    }
    if search.found.files.is_empty() {
        let text = format!(
            "failed to measure {}: there is no file in it; build first, or correct the path",
            list(patterns)
        );
        return Err(Unmeasured::new(Cause::Empty, text));
    }
    if search.found.files.iter().all(|file| file.bytes == 0) {
        let text = format!(
            "failed to measure {}: every file in it is empty; see why the build left nothing in them",
            list(patterns)
        );
        return Err(Unmeasured::new(Cause::Empty, text));
    }
    search.add_notes();
    Ok(search.found)
}

/// A search that is going on.
struct Search<'a> {
    root: &'a Path,
    seen: HashSet<Identity>,
    links: usize,
    /// The number of pipes, sockets and devices.
    special: usize,
    empty: Vec<String>,
    found: Matched,
}

impl Search<'_> {
    fn pattern(&mut self, pattern: &str) -> Result<(), Unmeasured> {
        // The name of an existing file is taken literally, even if it has brackets in it.
        let literal = self.root.join(pattern);
        let matches = if !pattern.is_empty() && literal.symlink_metadata().is_ok() {
            vec![literal]
        } else if pattern.contains(['*', '?', '[']) {
            self.expand(pattern)?
        } else {
            vec![]
        };
        if matches.is_empty() {
            return Err(self.missing(pattern));
        }
        matches.into_iter().try_for_each(|path| self.add_named(path, pattern))
    }

    /// Adds what a pattern names or matches.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
    fn add_named(&mut self, path: PathBuf, pattern: &str) -> Result<(), Unmeasured> {
        let shown = self.show(&path);
        let matched_by =
            if shown == pattern { String::new() } else { format!(", which `{pattern}` matches") };
        let metadata = fs::metadata(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                let text = format!(
                    "failed to measure `{shown}`{matched_by}: it is a symbolic link to nothing; build what it \
                     leads to, or fix the link"
                );
                Unmeasured::new(Cause::Missing, text)
            }
            _ => failed("read", &shown, &e),
        })?;
        if metadata.is_dir() {
            self.add_below(&path)?;
        } else if !metadata.is_file() {
            let text = format!(
                "failed to measure `{shown}`{matched_by}: it is neither a file nor a directory; name what the \
                 build wrote"
            );
            return Err(Unmeasured::new(Cause::Unsuitable, text));
        } else if metadata.len() == 0 {
            let text = format!(
                "failed to measure `{shown}`{matched_by}: it is empty; see why the build left nothing in it"
            );
            return Err(Unmeasured::new(Cause::Empty, text));
        } else {
            self.file(&path, &metadata)?;
        }
        if !self.found.named.iter().any(|named| named.path == path) {
            self.found.named.push(FileEntry { path, shown, bytes: metadata.len() });
        }
        Ok(())
    }

    /// Adds every regular file below a directory.
    fn add_below(&mut self, dir: &Path) -> Result<(), Unmeasured> {
        for path in self.list(dir)? {
            let metadata =
                path.symlink_metadata().map_err(|e| failed("read", &self.show(&path), &e))?;
            if metadata.is_dir() {
                self.add_below(&path)?;
            } else if metadata.is_file() {
                self.file(&path, &metadata)?;
            } else if metadata.is_symlink() {
                self.links += 1;
            } else {
                self.special += 1;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, metadata: &Metadata) -> Result<(), Unmeasured> {
        let shown = self.show(path);
        let identity = identity(path, metadata).map_err(|e| failed("read", &shown, &e))?;
        if self.seen.insert(identity) {
            let bytes = metadata.len();
            if bytes == 0 {
                self.empty.push(shown.clone());
            }
            self.found.files.push(FileEntry { path: path.to_owned(), shown, bytes });
        }
        Ok(())
    }

    /// Returns what a glob matches, sorted.
    fn expand(&self, pattern: &str) -> Result<Vec<PathBuf>, Unmeasured> {
        let invalid = |e: glob::PatternError| {
            let text = format!(
                "failed to read the pattern `{pattern}`: {}; `[[]` stands for a bracket",
                e.msg
            );
            Unmeasured::new(Cause::Missing, text)
        };
        let mut parts = pattern.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>();
        parts.dedup_by(|a, b| *a == "**" && a == b);
        for part in &parts {
            Pattern::new(part).map_err(invalid)?;
        }
        let start =
            if pattern.starts_with('/') { PathBuf::from("/") } else { self.root.to_owned() };
        let mut matches = vec![];
        self.descend(start, &parts, &mut matches)?;
        matches.sort_unstable();
        matches.dedup();
        Ok(matches)
    }

    fn descend(
        &self,
        at: PathBuf,
        parts: &[&str],
        matches: &mut Vec<PathBuf>,
    ) -> Result<(), Unmeasured> {
        let Some((&part, rest)) = parts.split_first() else {
            matches.push(at);
            return Ok(());
        };
        if !part.contains(['*', '?', '[']) {
            let next = at.join(part);
            return if next.symlink_metadata().is_ok() {
                self.descend(next, rest, matches)
            } else {
                Ok(())
            };
        }
        if !at.is_dir() {
            return Ok(());
        }
        if part == "**" {
            for path in self.list(&at)? {
                // A link may lead back up, so only real directories are entered.
                if !rest.is_empty() && path.symlink_metadata().is_ok_and(|m| m.is_dir()) {
                    self.descend(path, parts, matches)?;
                }
            }
            return self.descend(at, rest, matches);
        }
        // The patterns were checked before, so this one parses.
        let Ok(pattern) = Pattern::new(part) else { return Ok(()) };
        for path in self.list(&at)? {
            // A name that is not Unicode still has the characters that a star stands for.
            if path.file_name().is_some_and(|name| pattern.matches(&name.to_string_lossy())) {
                self.descend(path, rest, matches)?;
            }
        }
        Ok(())
    }

    /// Returns the content of a directory, sorted by name. A directory that cannot be read is an error, because it
    /// might contain anything.
    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, Unmeasured> {
        let paths =
            || fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
        let mut paths = paths().map_err(|e| failed("list", &self.show(dir), &e))?;
        paths.sort_unstable();
        Ok(paths)
    }

    fn missing(&self, pattern: &str) -> Unmeasured {
        let within = if pattern.starts_with('/') {
            String::new()
        } else {
            format!(" in `{}`", self.root.display())
        };
        let text = if pattern.contains('{') {
            format!(
                "failed to measure `{pattern}`: there is no such file{within}; braces are no alternatives here, \
                 write a list of patterns"
            )
        } else if pattern.contains(['*', '?', '[']) {
            format!(
                "failed to measure `{pattern}`: it matches nothing{within}; build first, or correct the pattern"
            )
        } else {
            format!(
                "failed to measure `{pattern}`: there is no such file{within}; build first, or correct the path"
            )
        };
        Unmeasured::new(Cause::Missing, text)
    }

    fn show(&self, path: &Path) -> String {
        path.strip_prefix(self.root).unwrap_or(path).display().to_string()
    }

    fn add_notes(&mut self) {
        let notes = &mut self.found.notes;
        match self.links {
            0 => {}
            1 => notes.push("1 symbolic link is not followed".to_owned()),
            n => notes.push(format!("{n} symbolic links are not followed")),
        }
        match self.special {
            0 => {}
            1 => notes.push("1 pipe, socket or device is not read".to_owned()),
            n => notes.push(format!("{n} pipes, sockets or devices are not read")),
        }
        match self.empty.as_slice() {
            [] => {}
            [one] => notes.push(format!("`{one}` is empty")),
            [first, ..] => {
                notes.push(format!("{} files are empty, `{first}` among them", self.empty.len()));
            }
        }
    }
}

/// Makes the reason "failed to ACTION `path`: cause" of an error of the system.
#[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
pub fn failed(action: &str, shown: &str, cause: &io::Error) -> Unmeasured {
    let kind =
        if cause.kind() == io::ErrorKind::NotFound { Cause::Missing } else { Cause::Harness };
    let remedy = match cause.kind() {
        io::ErrorKind::PermissionDenied => "; let this user read it",
        _ => "",
    };
    Unmeasured::new(kind, format!("failed to {action} `{shown}`: {cause}{remedy}"))
}

fn list(patterns: &[String]) -> String {
    patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", ")
}

/// The identity of a file, by which two paths to the same file are recognized.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn identity(_path: &Path, metadata: &Metadata) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    Ok((metadata.dev(), metadata.ino()))
}

/// The identity of a file, by which two paths to the same file are recognized; two hard links count as two files.
#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(not(unix))]
fn identity(path: &Path, _metadata: &Metadata) -> io::Result<Identity> {
    path.canonicalize()
}
