//! Repeating a link: the same inputs, another order of functions each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::align;
use super::kept::{Kept, ends, is_library};
use crate::child;

/// All links of one binary together take no more room on the disk than this, in bytes.
const ROOM: u64 = 1 << 30;
/// Of what a linker says of its failure, so many letters are shown.
const SAID: usize = 300;

/// Why there are no links.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Nothing was kept of the binary as it is now; it has to be linked by cargo once more.
    Stale,
    /// They cannot be had here, for this reason.
    Cannot(String),
}

/// Links `binary` so often, each time by its own seed, by what was kept in `keep`, and gives the links, which stand
/// beside it: what the binary finds by its own place is found by each of them. Fewer where they are large.
pub(crate) fn make(keep: &Path, binary: &Path, count: u32) -> Result<Vec<PathBuf>, Refused> {
    let kept = Kept::of(keep, binary).ok_or(Refused::Stale)?;
    if let Some(reason) = obstacle(&kept.arguments) {
        return Err(Refused::Cannot(reason));
    }
    let place = Kept::place(keep, binary).ok_or(Refused::Stale)?.join("aligned");
    let made = aligned(&kept, &place).and_then(|arguments| {
        let length = fs::metadata(binary).map_or(0, |data| data.len()).max(1);
        let count = u64::from(count).min((ROOM / length).max(1)) as u32;
        all(&kept, &arguments, binary, count)
    });
    // It is as large as all libraries are together.
    let _ = fs::remove_dir_all(&place);
    made.inspect_err(|_| clear(binary)).map_err(Refused::Cannot)
}

/// Removes what was linked of `binary`.
pub(crate) fn clear(binary: &Path) {
    let name = prefix(binary);
    let entries = binary.parent().and_then(|parent| fs::read_dir(parent).ok());
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What the name of each link begins with.
fn prefix(binary: &Path) -> String {
    format!("{}.link-", binary.file_name().unwrap_or_default().to_string_lossy())
}

/// What in a linker's arguments says where functions go, so that no order can be asked for.
fn obstacle(arguments: &[String]) -> Option<String> {
    let words = arguments.iter().flat_map(|argument| argument.split(','));
    let mut words = words.map(|word| word.trim_start_matches('-'));
    let found = words.find(|word| {
        let starts = ["script=", "symbol-ordering-file", "section-ordering-file", "section-start"];
        let scripts = word.starts_with('T') && *word != "Ttext";
        *word == "script" || scripts || starts.iter().any(|start| word.starts_with(start))
    });
    found.map(|word| format!("its link is given `{word}`, which says where functions go"))
}

/// The arguments with aligned copies, in `place`, of all that has functions of Rust.
fn aligned(kept: &Kept, place: &Path) -> Result<Vec<String>, String> {
    let _ = fs::remove_dir_all(place);
    let failed = |e: std::io::Error| format!("failed to create `{}`: {e}", place.display());
    fs::create_dir_all(place).map_err(failed)?;
    let mut arguments = kept.arguments.clone();
    let mut functions = 0;
    for (nth, argument) in arguments.iter_mut().enumerate() {
        let from = kept.directory.join(&*argument);
        let is_object = ends(argument, "o");
        if !(is_object || is_library(argument)) || !from.is_file() {
            continue;
        }
        let name = from.file_name().unwrap_or_default().to_string_lossy();
        let copy = place.join(format!("{nth}-{name}"));
        let found = align::copy(&from, &copy)?;
        if is_object {
            functions += found;
        }
        *argument = copy.to_string_lossy().into_owned();
    }
    if functions == 0 {
        return Err("its objects have no machine code, as where the linker itself optimises".into());
    }
    Ok(arguments)
}

/// Links as often as asked, as many at once as there are processors.
fn all(
    kept: &Kept,
    arguments: &[String],
    binary: &Path,
    count: u32,
) -> Result<Vec<PathBuf>, String> {
    clear(binary);
    let next = AtomicU32::new(1);
    let wrong = Mutex::new(None);
    let at_once = std::thread::available_parallelism().map_or(1, |n| n.get() as u32).min(count);
    let path = |seed: u32| binary.with_file_name(format!("{}{seed}", prefix(binary)));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let stop = || wrong.lock().is_ok_and(|wrong| wrong.is_some());
                    if seed > count || stop() {
                        return;
                    }
                    if let Err(reason) = link(kept, arguments, binary, &path(seed), seed)
                        && let Ok(mut wrong) = wrong.lock()
                    {
                        wrong.get_or_insert(reason);
                    }
                }
            });
        }
    });
    if let Ok(Some(reason)) = wrong.into_inner() {
        return Err(reason);
    }
    let links: Vec<PathBuf> = (1..=count).map(path).collect();
    if let [one, two, ..] = &links[..]
        && fs::read(one).ok() == fs::read(two).ok()
    {
        return Err(format!("`{}` makes the same link by whatever seed", kept.linker));
    }
    Ok(links)
}

fn link(
    kept: &Kept,
    arguments: &[String],
    binary: &Path,
    to: &Path,
    seed: u32,
) -> Result<(), String> {
    let mut linker = child::inheriting(&kept.linker);
    let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = given.iter().position(|argument| *argument == "-o");
    for (nth, argument) in given.iter().enumerate() {
        if output.is_some_and(|output| nth == output + 1) {
            linker.arg(to);
        } else {
            linker.arg(argument);
        }
    }
    // A compiler that calls the linker hands on what it is told to.
    let handed_on =
        if given.iter().any(|argument| argument.starts_with("-Wl,")) { "-Wl," } else { "" };
    linker.arg(format!("{handed_on}--shuffle-sections=.text*={seed}"));
    if let Some(path) = &kept.path {
        linker.env("PATH", path);
    }
    let output =
        linker.current_dir(&kept.directory).env("LC_ALL", "C").stdin(Stdio::null()).output();
    let output = output.map_err(|e| format!("failed to start `{}`: {e}", kept.linker))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut lines = said.lines().filter(|line| !line.trim().is_empty());
        let line = lines.clone().find(|line| line.contains("error")).or(lines.next_back());
        let line: String = line.unwrap_or("nothing").trim().chars().take(SAID).collect();
        return Err(format!(
            "`{}` cannot put functions in another order; it said: {line}",
            kept.linker
        ));
    }
    // As old as the binary, so that links of the same build are known as the same.
    let time = fs::metadata(binary).and_then(|data| data.modified());
    time.and_then(|time| fs::File::options().append(true).open(to)?.set_modified(time))
        .map_err(|e| format!("failed to date `{}`: {e}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_functions_go_is_named() {
        let check = |argument: &str, want: Option<&str>| {
            let got = obstacle(&["-lc".to_owned(), argument.to_owned(), "-o".to_owned()]);
            assert_eq!(got.is_some(), want.is_some(), "{argument}: {got:?}");
            assert!(got.unwrap_or_default().contains(want.unwrap_or_default()), "{argument}");
        };
        check("-Wl,--gc-sections", None);
        check("/target/release/deps/libTable.rlib", None);
        check("-Wl,-z,relro,-z,now", None);
        check("-Tlink.x", Some("Tlink.x"));
        check("-Wl,-T,link.x", Some("`T`"));
        check("-Wl,--script=link.x", Some("script=link.x"));
        check("-Wl,--symbol-ordering-file=order", Some("symbol-ordering-file=order"));
    }

    #[test]
    fn what_was_not_kept_has_to_be_linked_again() {
        let place = tempfile::tempdir().unwrap();
        let binary = place.path().join("budgets-1");
        fs::write(&binary, "").unwrap();
        assert_eq!(make(&place.path().join("keep"), &binary, 2), Err(Refused::Stale));
    }
}
