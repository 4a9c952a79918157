//! The rules of the project as tests: they check what a reviewer would otherwise have to look for in every change.
//!
//! The rules for files are here. The other modules check:
//!
//! - `arrows`: which module uses which; `circles`: that no two files use each other
//! - `acts`: what only some files may do; `children`: how git and cargo are started
//! - `metrics`: what holds for each metric; `keys`: that `docs/budgets.md` has every key of `budgets.toml`
//! - `pages`: what the pages promise; `book`: their links and samples; `map`: that the maps of the code are whole
//! - `dependencies`: the features of other crates; `workflows`: what GitHub runs; `words`: the words of the glossary

mod acts;
mod arrows;
mod book;
mod children;
mod circles;
mod dependencies;
mod keys;
mod map;
mod metrics;
mod pages;
mod words;
mod workflows;

use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a file; a longer one is split.
const MOST_LINES: usize = 400;

/// The most characters in a line of a comment.
const WIDEST_COMMENT: usize = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns a text of the repository, by its path from the root.
#[track_caller]
fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A file, with its path from the root, whose parts are separated by `/`.
struct Text {
    path: String,
    text: String,
}

/// Returns every text below `folder`, sorted by path, except the files that belong to cargo or git.
fn texts(folder: &str) -> Vec<Text> {
    let mut pending = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        // In a linked worktree `.git` is a file.
        if path.ends_with("target") || path.ends_with(".git") {
            continue;
        }
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push(Text { path: from_root(&path), text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 3, "only {} texts were found below `{folder}`", found.len());
    found
}

fn from_root(path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root()).unwrap().components().collect();
    path.to_str().unwrap().replace('\\', "/")
}

/// Returns every Rust file below `folder`.
fn sources(folder: &str) -> Vec<Text> {
    let is_rust = |file: &Text| Path::new(&file.path).extension().is_some_and(|e| e == "rs");
    texts(folder).into_iter().filter(is_rust).collect()
}

/// Fails with everything that was found, one finding per line.
#[track_caller]
fn none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn every_file_says_what_it_is() {
    let undescribed: Vec<String> = sources("")
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path)
        .collect();
    none(&undescribed, "these do not begin with `//!`");
}

/// A file that no module names is never compiled, and no other rule notices that it is dead.
#[test]
fn every_file_is_a_module() {
    let files: Vec<Text> =
        ["core/src", "src", "cargo-budget/src"].into_iter().flat_map(sources).collect();
    let face = |name: &str| matches!(name, "mod" | "lib" | "main");
    let is_named = |file: &Text| {
        let (folder, name) = file.path.trim_end_matches(".rs").rsplit_once('/').unwrap();
        let (folder, name) =
            if name == "mod" { folder.rsplit_once('/').unwrap() } else { (folder, name) };
        let by_path = format!("#[path = \"{name}.rs\"]");
        let by_name = format!("mod {name};");
        face(name)
            || files.iter().any(|other| {
                let (at, stem) = other.path.trim_end_matches(".rs").rsplit_once('/').unwrap();
                let home = if face(stem) { at.to_owned() } else { format!("{at}/{stem}") };
                (home == folder && other.text.contains(&by_name))
                    || (at == folder && other.text.contains(&by_path))
            })
    };
    let dead: Vec<String> =
        files.iter().filter(|file| !is_named(file)).map(|file| file.path.clone()).collect();
    none(&dead, "no module names these");
}

/// A module with files of its own is the `mod.rs` of their directory, so that it is found beside them.
#[test]
fn a_module_with_a_directory_is_its_mod_rs() {
    let files: Vec<String> = sources("").into_iter().map(|file| file.path).collect();
    let is_beside = |path: &&String| {
        let directory = path.replace(".rs", "/");
        files.iter().any(|file| file.starts_with(&directory))
    };
    let beside: Vec<String> = files.iter().filter(is_beside).cloned().collect();
    none(&beside, "these belong into the directory of the same name, as `mod.rs`");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources("")
        .into_iter()
        .map(|file| (file.text.lines().count(), file.path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path} has {lines} lines"))
        .collect();
    none(&long, &format!("longer than {MOST_LINES} lines"));
}

/// A comment may be wider than code, as the pages are. A row of a table may be wider still, because it cannot be broken.
#[test]
fn no_comment_is_too_wide() {
    let is_wide = |line: &&str| {
        let text = line.trim_start();
        text.starts_with("//")
            && !text.trim_start_matches(['/', '!', ' ']).starts_with('|')
            && line.chars().count() > WIDEST_COMMENT
    };
    let mut wide = Vec::new();
    for file in sources("") {
        let lines = file.text.lines().filter(is_wide);
        wide.extend(lines.map(|line| format!("{}: {line}", file.path)));
    }
    none(&wide, &format!("wider than {WIDEST_COMMENT} characters"));
}

/// A path of a machine only makes sense where it was written.
#[test]
fn no_text_names_a_place_on_a_machine() {
    // The names are put together, because otherwise this file would contain them.
    let places = [["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"], ["/wo", "rk/"], ["C:", "\\"]];
    let places = places.map(|parts| parts.concat());
    let mut found = Vec::new();
    for Text { path, text } in texts("") {
        for (i, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                found.push(format!("{path}:{}: {line}", i + 1));
            }
        }
    }
    none(&found, "these are places on someone's machine");
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let lock = text("Cargo.lock");
    let sources: Vec<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    assert!(sources.len() > 30);
    let other = |source: &&&str| {
        **source != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
    };
    let found: Vec<String> = sources.iter().filter(other).map(ToString::to_string).collect();
    none(&found, "these are not from crates.io");
}

/// `tests/harness` runs each folder with an `expected.txt`; the files of any other folder must be named by a test.
#[test]
fn every_case_is_used() {
    let tests: Vec<Text> = ["core/src", "src", "tests"].into_iter().flat_map(sources).collect();
    let is_named = |name: &str| tests.iter().any(|file| file.text.contains(name));
    let mut unused = Vec::new();
    let mut folders = 0;
    for entry in fs::read_dir(root().join("fixtures/cases")).unwrap() {
        let folder = entry.unwrap().path();
        folders += 1;
        if folder.join("expected.txt").is_file() {
            continue;
        }
        for file in fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()) {
            let name = file.file_name().unwrap().to_str().unwrap();
            if !is_named(&from_root(&folder)) || !is_named(name) {
                unused.push(from_root(&file));
            }
        }
    }
    assert!(folders > 30, "only {folders} cases were found");
    none(&unused, "no test reads these");
}
