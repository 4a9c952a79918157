//! The record of one link: the linker's arguments, and copies of the files that the compiler deletes afterwards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::response;

/// The name of the file in the directory of one binary.
const FILE: &str = "link.json";
/// The version of that file's format. A file of another version is ignored.
const VERSION: u32 = 1;

/// Everything that is needed to repeat one link.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    /// The user's own linker.
    pub(super) linker: String,
    /// The directory that the linker ran in.
    pub(super) directory: PathBuf,
    /// The search path of the linker, to which the compiler adds directories.
    pub(super) path: Option<String>,
    /// The file that the linker wrote.
    pub(super) output: PathBuf,
    /// All arguments of the linker, including the output.
    pub(super) arguments: Vec<String>,
}

impl Record {
    /// Returns the directory in `records` for the record of a binary.
    pub(super) fn place(records: &Path, binary: &Path) -> Option<PathBuf> {
        Some(records.join(binary.file_name()?))
    }

    /// Records a link that has just been done.
    pub(super) fn write(records: &Path, linker: &str, arguments: &[String]) -> io::Result<()> {
        let directory = std::env::current_dir()?;
        let mut arguments = response::expanded(arguments)?;
        let output = arguments.iter().skip_while(|argument| *argument != "-o").nth(1);
        let output = output.map(|output| directory.join(output));
        let place = output.as_deref().and_then(|output| Record::place(records, output));
        let (Some(output), Some(place)) = (output, place) else {
            return Err(io::Error::other("the linker's arguments name no output"));
        };
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&place)?,
        }
        for (nth, temporary) in temporaries(&arguments, &directory).into_iter().enumerate() {
            // The copy keeps the extension, by which the linker recognises an object file.
            let ending = if has_extension(&temporary, "o") { ".o" } else { "" };
            let kept_copy = place.join(format!("{nth}{ending}"));
            copy(&directory.join(&temporary), &kept_copy)?;
            let kept_copy = kept_copy.to_string_lossy();
            for argument in &mut arguments {
                *argument = replaced(argument, &temporary, &kept_copy);
            }
        }
        let path = std::env::var("PATH").ok();
        let linker = linker.to_owned();
        let record = Record { version: VERSION, linker, directory, path, output, arguments };
        // This file is written last and renamed into place, so that an incomplete record does not have it.
        let part = place.join("part");
        fs::write(&part, serde_json::to_vec(&record)?)?;
        fs::rename(part, place.join(FILE))
    }

    /// Returns the record of a link that never happened.
    #[cfg(test)]
    pub(super) fn test(output: PathBuf, arguments: Vec<String>) -> Record {
        let (linker, directory) = ("cc".to_owned(), PathBuf::from("/"));
        Record { version: VERSION, linker, directory, path: None, output, arguments }
    }

    /// Reads the record of the link of `binary`. Returns `None` where there is none, or where the binary or one of its
    /// libraries was built after it was written.
    pub(super) fn read(records: &Path, binary: &Path) -> Option<Record> {
        let file = Record::place(records, binary)?.join(FILE);
        let record: Record = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
        let written = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        let at = written(&file)?;
        let is_older = |path: &Path| written(path).is_some_and(|time| time <= at);
        let libraries = record.arguments.iter().filter(|argument| is_library(argument));
        let is_current = record.version == VERSION
            && record.output == binary
            && is_older(binary)
            && libraries.into_iter().all(|library| is_older(&record.directory.join(library)));
        is_current.then_some(record)
    }
}

/// Removes the records of all binaries but these from `records`, such as binaries of other features or other commits.
pub(crate) fn forget_others(records: &Path, binaries: &[&Path]) {
    let is_own = |name: &std::ffi::OsStr| binaries.iter().any(|own| own.file_name() == Some(name));
    for entry in fs::read_dir(records).into_iter().flatten().flatten() {
        let is_record = entry.path().join(FILE).is_file();
        if is_record && !is_own(&entry.file_name()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether an argument is the path of a file with this extension.
pub(super) fn has_extension(argument: &str, kind: &str) -> bool {
    !argument.starts_with('-') && Path::new(argument).extension().is_some_and(|own| own == kind)
}

/// Whether an argument is a library that the compiler made and does not delete.
pub(super) fn is_library(argument: &str) -> bool {
    has_extension(argument, "rlib")
}

/// Returns the paths that the compiler deletes when it ends: its object files, and the temporary directory in which it
/// puts everything else.
fn temporaries(arguments: &[String], directory: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for argument in arguments.iter().filter(|argument| has_extension(argument, "o")) {
        let parent = Path::new(argument).parent();
        let own = parent.filter(|parent| {
            let name = parent.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("rustc")
        });
        let temporary = own.map_or_else(|| argument.clone(), |own| own.display().to_string());
        if !found.contains(&temporary) && directory.join(&temporary).exists() {
            found.push(temporary);
        }
    }
    found
}

/// Returns an argument with `path` replaced by another one. The path must be followed by a separator or by nothing, so that
/// the beginning of a longer name is not replaced.
fn replaced(argument: &str, path: &str, by: &str) -> String {
    let Some(at) = argument.find(path) else { return argument.to_owned() };
    let rest = &argument[at + path.len()..];
    if !rest.is_empty() && !rest.starts_with(['/', ',']) {
        return argument.to_owned();
    }
    format!("{}{by}{rest}", &argument[..at])
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_temporary_file_is_replaced_by_that_of_its_copy() {
        let check = |argument: &str, want: &str| {
            assert_eq!(replaced(argument, "/t/rustcAb", "/kept/0"), want);
        };
        check("/t/rustcAb/symbols.o", "/kept/0/symbols.o");
        check("-Wl,--version-script=/t/rustcAb/list", "-Wl,--version-script=/kept/0/list");
        check("/t/rustcAb", "/kept/0");
        check("/t/rustcAbc/symbols.o", "/t/rustcAbc/symbols.o");
        check("-lc", "-lc");
    }
}
