//! What a linker was given: its arguments, and copies of those files that the compiler removes afterwards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::response;

/// In the directory of one binary.
const FILE: &str = "link.json";
/// The form of that file. One of another form is as good as none.
const VERSION: u32 = 1;

/// One link, by which it can be repeated.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    /// The user's own linker.
    pub(super) linker: String,
    /// Where it ran.
    pub(super) directory: PathBuf,
    /// Where it finds its programs: the compiler adds to the user's.
    pub(super) path: Option<String>,
    /// What it made.
    pub(super) output: PathBuf,
    /// All of its arguments, that output among them.
    pub(super) arguments: Vec<String>,
}

impl Kept {
    /// The place of a binary's in `keep`.
    pub(super) fn place(keep: &Path, binary: &Path) -> Option<PathBuf> {
        Some(keep.join(binary.file_name()?))
    }

    /// Keeps a link that was done just now.
    pub(super) fn keep(keep: &Path, linker: &str, given: &[String]) -> io::Result<()> {
        let directory = std::env::current_dir()?;
        let mut arguments = response::expanded(given)?;
        let output = arguments.iter().skip_while(|argument| *argument != "-o").nth(1);
        let output = output.map(|output| directory.join(output));
        let place = output.as_deref().and_then(|output| Kept::place(keep, output));
        let (Some(output), Some(place)) = (output, place) else {
            return Err(io::Error::other("the linker was told no output"));
        };
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&place)?,
        }
        for (nth, temporary) in temporaries(&arguments, &directory).into_iter().enumerate() {
            // An object is known by how its name ends, for the linker too.
            let ending = if ends(&temporary, "o") { ".o" } else { "" };
            let there = place.join(format!("{nth}{ending}"));
            copy(&directory.join(&temporary), &there)?;
            let there = there.to_string_lossy();
            for argument in &mut arguments {
                *argument = replaced(argument, &temporary, &there);
            }
        }
        let path = std::env::var("PATH").ok();
        let linker = linker.to_owned();
        let kept = Kept { version: VERSION, linker, directory, path, output, arguments };
        // Last, and whole: without it nothing was kept.
        let part = place.join("part");
        fs::write(&part, serde_json::to_vec(&kept)?)?;
        fs::rename(part, place.join(FILE))
    }

    /// Reads what was kept when `binary` was linked; `None` where nothing was, or something was built since.
    pub(super) fn of(keep: &Path, binary: &Path) -> Option<Kept> {
        let file = Kept::place(keep, binary)?.join(FILE);
        let kept: Kept = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
        let written = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        let at = written(&file)?;
        let is_older = |path: &Path| written(path).is_some_and(|time| time <= at);
        let libraries = kept.arguments.iter().filter(|argument| is_library(argument));
        let is_same = kept.version == VERSION
            && kept.output == binary
            && is_older(binary)
            && libraries.into_iter().all(|library| is_older(&kept.directory.join(library)));
        is_same.then_some(kept)
    }
}

/// Whether an argument is the path of a file of this kind.
pub(super) fn ends(argument: &str, kind: &str) -> bool {
    !argument.starts_with('-') && Path::new(argument).extension().is_some_and(|own| own == kind)
}

/// Whether an argument is a library that the compiler has made, which stays where it is.
pub(super) fn is_library(argument: &str) -> bool {
    ends(argument, "rlib")
}

/// What is gone when the compiler has ended: its objects, and the directory of its own in which it puts all else.
fn temporaries(arguments: &[String], directory: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for argument in arguments.iter().filter(|argument| ends(argument, "o")) {
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

/// An argument with a path in another place, where the path is all of it, or where it ends at a part's end.
fn replaced(argument: &str, path: &str, there: &str) -> String {
    let Some(at) = argument.find(path) else { return argument.to_owned() };
    let rest = &argument[at + path.len()..];
    if !rest.is_empty() && !rest.starts_with(['/', ',']) {
        return argument.to_owned();
    }
    format!("{}{there}{rest}", &argument[..at])
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
    fn what_the_compiler_removes_is_found_in_another_place() {
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
