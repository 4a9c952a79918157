//! The note that an artifact, or the program of a command, may have been built from older sources. It is for budgets that do not
//! say how the file is built.
//!
//! This is only a note and never an error: the sources of the file are unknown, and a clone or an archive sets its own
//! times.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget_core::files;
use perf_budget_core::outcome::words;

use super::sources;

/// The extensions of source files that no tool generates. A script or a style sheet may be a source or be generated, so
/// these are left out.
const SOURCES: &[&str] = &[
    "rs", "c", "cc", "cpp", "go", "h", "hpp", "jsx", "proto", "scss", "svelte", "ts", "tsx", "vue",
    "wat", "wit",
];
/// The time within which a clone writes all its files, so that a smaller difference in age means nothing.
const CLONE: Duration = Duration::from_secs(10);
/// How far the clocks of two machines may differ.
const SKEW: Duration = Duration::from_secs(60);

/// The endings of programs that something else runs, and that are always built.
const PROGRAMS: [&str; 6] = ["wasm", "jar", "exe", "so", "dylib", "dll"];

/// Returns the note about the files that these patterns stand for. `None` if the files are sources themselves, or are
/// younger than every source file below `root`.
pub(super) fn note(patterns: &[String], root: &Path) -> Option<String> {
    let found = files::find(patterns, root).ok()?.files.into_iter();
    note_at(found.map(|file| (file.path, file.shown)).collect(), root, SystemTime::now())
}

/// Returns the note about the program of a command, given its words: one below `root` that it names by a path, or by an ending
/// that only programs have. A script is not built, so there is none about it.
pub(super) fn note_on_program(argv: &[String], root: &Path) -> Option<String> {
    let is_program = |(nth, word): &(usize, &String)| {
        let ending = Path::new(word.as_str()).extension().and_then(|ending| ending.to_str());
        let is_path = *nth == 0 && word.contains(['/', std::path::MAIN_SEPARATOR]);
        is_path || ending.is_some_and(|ending| PROGRAMS.contains(&ending))
    };
    let programs = argv.iter().enumerate().filter(is_program).filter_map(|(_, word)| {
        let path = root.join(word);
        let is_inside = path.canonicalize().ok()?.starts_with(root.canonicalize().ok()?);
        (is_inside && path.is_file() && !is_script(&path)).then(|| (path, word.clone()))
    });
    note_at(programs.collect(), root, SystemTime::now())
}

/// Whether a file names the program that runs it. A file that cannot be read does not count as a script.
fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}

/// Returns the note about these files, each with the name that is shown.
fn note_at(found: Vec<(PathBuf, String)>, root: &Path, now: SystemTime) -> Option<String> {
    if found.iter().any(|(path, _)| sources::is_source(path, SOURCES)) {
        return None;
    }
    let age = |(path, shown): (PathBuf, String)| Some((sources::modified(&path).ok()?, shown));
    let (built, oldest) = found.into_iter().filter_map(age).min()?;
    let (changed, source) = sources::newest(root, SOURCES).ok()??;
    if built > now + SKEW {
        return Some(words::built_later_than_now(&oldest));
    }
    if changed <= built + CLONE {
        return None;
    }
    // The path is shown as in `budgets.toml`, with `/` on every system.
    let inside = source.strip_prefix(root).unwrap_or(&source).iter();
    let source = inside.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
    Some(words::older_than_source(&oldest, &source))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_older_than_the_sources_is_noted() {
        let root = std::env::temp_dir().join(format!("perf-budget-stale-{}", std::process::id()));
        fs::create_dir_all(root.join("src")).unwrap();
        let write = |name: &str, seconds: u64| {
            fs::write(root.join(name), "x").unwrap();
            let file = File::options().append(true).open(root.join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        let note_of = |artifact: &str| note(&[artifact.to_owned()], &root);
        write("app.wasm", 1000);
        assert_eq!(note_of("app.wasm"), None);
        write("src/lib.rs", 1005);
        assert_eq!(note_of("app.wasm"), None);
        write("src/lib.rs", 2000);
        let note = note_of("app.wasm").unwrap();
        assert!(note.starts_with("`app.wasm` is older than `src/lib.rs`, and may have"), "{note}");
        assert_eq!(note_of("src/lib.rs"), None);
        // The clock was set back after the file was built, and the source changed after that.
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let app = || vec![(root.join("app.wasm"), "app.wasm".to_owned())];
        let later = |now| note_at(app(), &root, at(now));
        write("app.wasm", 9000);
        assert_eq!(later(9000), None);
        assert!(later(3000).is_some_and(|note| note.contains("later than now")));
        assert_eq!(note_of("none"), None);
        // The program of a command is noted too, unless it is a script, or is elsewhere.
        let on_program = |argv: &[&str]| {
            let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
            note_on_program(&argv, &root)
        };
        fs::create_dir(root.join("out")).unwrap();
        write("out/app", 1000);
        write("app.wasm", 1000);
        let note = on_program(&["out/app", "--fast"]).unwrap();
        assert!(note.starts_with("`out/app` is older than `src/lib.rs`"), "{note}");
        assert!(on_program(&["wasmtime", "app.wasm"]).unwrap().starts_with("`app.wasm` is older"));
        assert_eq!(on_program(&["app", "data.json"]), None);
        assert_eq!(on_program(&["out/none"]), None);
        assert_eq!(on_program(&["/bin/sh", "src/lib.rs"]), None);
        fs::write(root.join("run"), "#!/bin/sh\n").unwrap();
        File::options()
            .append(true)
            .open(root.join("run"))
            .unwrap()
            .set_modified(at(1000))
            .unwrap();
        assert_eq!(on_program(&["./run"]), None);
        write("out/app", 3000);
        assert_eq!(on_program(&["out/app"]), None);
        // A style sheet may have been generated, so it does not count as a source.
        fs::remove_file(root.join("src/lib.rs")).unwrap();
        write("page.css", 2000);
        assert_eq!(note_of("app.wasm"), None);
        fs::remove_dir_all(&root).unwrap();
    }
}
