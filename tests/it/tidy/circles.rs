//! No circles: a file of the core, the harness or the command is not used by a file that it uses itself.
//!
//! The arrows are the paths that the source writes: those of each `use`, and those that begin with `crate::`, `super::`
//! or `self::`. A name that a face re-exports (`pub use`) is an arrow to the file that defines it, not to the face. A path
//! that begins with the name of a child module (`child::act()`) is followed only in a `use`; so a `mod.rs` that has the
//! types of its children, and calls them by such paths, is not found.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::code;
use super::{Text, none, sources};
use crate::module_path::whole;

/// The files of one crate, each by the path of its module: `budget/case.rs` is `["budget", "case"]`.
struct Crate {
    files: BTreeMap<Vec<String>, Text>,
    /// The re-exports of faces: for a module and a name, the module that defines it.
    reexports: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Crate {
    fn read(folder: &str) -> Crate {
        let is_test = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs");
        let files = sources(folder).into_iter().filter(|file| !is_test(&file.path)).map(|file| {
            let inside = file.path[folder.len() + 1..].trim_end_matches(".rs").to_owned();
            let face = |part: &&str| !matches!(*part, "mod" | "lib" | "main");
            let module = inside.split('/').filter(face).map(str::to_owned).collect();
            (module, Text { path: file.path, text: code(&file.text) })
        });
        Crate::of(files.collect())
    }

    fn of(files: BTreeMap<Vec<String>, Text>) -> Crate {
        let mut read = Crate { files, reexports: BTreeMap::new() };
        for (module, file) in &read.files {
            for (statement, public) in statements(&file.text) {
                for path in flat(&statement).into_iter().filter(|_| public) {
                    let Some(mut whole) =
                        whole(module, &path, |child| read.files.contains_key(child))
                    else {
                        continue;
                    };
                    let Some(name) = whole.pop() else { continue };
                    read.reexports.insert((module.clone(), name), whole);
                }
            }
        }
        read
    }

    /// Returns the module whose file defines what the path names.
    fn home(&self, whole: &[String]) -> Vec<String> {
        let known = (0..=whole.len()).rev().find(|&n| self.files.contains_key(&whole[..n]));
        let known = known.unwrap_or(0);
        let module = whole[..known].to_vec();
        match whole.get(known).map(|name| self.reexports.get(&(module.clone(), name.clone()))) {
            Some(Some(next)) if *next != module => {
                let next: Vec<String> = next.iter().chain(&whole[known..]).cloned().collect();
                self.home(&next)
            }
            _ => module,
        }
    }

    /// Returns the modules that each module uses.
    fn arrows(&self) -> BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> {
        let of = |(module, file): (&'_ Vec<String>, &Text)| {
            let uses = statements(&file.text).into_iter().filter(|(_, public)| !public);
            let mut paths: Vec<Vec<String>> =
                uses.flat_map(|(statement, _)| flat(&statement)).collect();
            paths.extend(inline(&file.text));
            let homes = paths
                .iter()
                .filter_map(|path| whole(module, path, |child| self.files.contains_key(child)));
            let homes = homes.map(|whole| self.home(&whole));
            homes.filter(|home| home != module && !home.is_empty()).collect()
        };
        self.files.iter().map(|entry| (entry.0, of(entry))).collect()
    }

    /// Returns the files that are in a circle: each can be reached from itself.
    fn circles(&self) -> Vec<String> {
        let arrows = self.arrows();
        let reached = |start: &Vec<String>| {
            let (mut seen, mut waiting) = (BTreeSet::new(), vec![start]);
            while let Some(module) = waiting.pop() {
                for next in arrows.get(module).into_iter().flatten() {
                    if seen.insert(next) {
                        waiting.push(next);
                    }
                }
            }
            seen
        };
        let in_circle = arrows.keys().filter(|&&module| reached(module).contains(module));
        in_circle.map(|module| self.files[*module].path.clone()).collect()
    }
}

/// Returns each `use` without the keyword, and whether it re-exports what it names.
fn statements(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let before = text[..at].rsplit('\n').next().unwrap_or_default().trim();
        if before.is_empty() || before.starts_with("pub") {
            let statement = text[at + 4..].split(';').next().unwrap_or_default();
            found.push((statement.split_whitespace().collect(), !before.is_empty()));
        }
    }
    found
}

/// Flattens a path: `a::{b, c::d}` is `a::b` and `a::c::d`, and `a::{self}` is `a`.
fn flat(statement: &str) -> Vec<Vec<String>> {
    let Some((head, list)) = statement.split_once('{') else {
        return vec![statement.split("::").map(str::to_owned).collect()];
    };
    let list = &list[..list.rfind('}').unwrap_or(list.len())];
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let whole = |part: &str| match part {
        "self" => flat(head.trim_end_matches("::")),
        part => flat(&format!("{head}{part}")),
    };
    parts.flat_map(whole).collect()
}

/// Returns the paths that are written where they are used.
fn inline(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(start) {
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            let continues = line.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if continues || line.contains("use ") || line.contains("pub(") {
                continue;
            }
            let path = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
            let whole = text[at..].split(path).next().unwrap_or_default();
            found.push(whole.split("::").map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn no_file_is_in_a_circle() {
    let mut found = Vec::new();
    for folder in ["core/src", "src", "cargo-budget/src"] {
        found.extend(Crate::read(folder).circles());
    }
    none(
        &found,
        "each of these uses itself by way of others: what both need belongs in a file below them",
    );
}

#[test]
fn a_circle_is_seen() {
    let check = |files: &[(&str, &str)], want: &[&str]| {
        let files = files.iter().map(|(path, text)| {
            let module = path.split('/').filter(|part| *part != "mod").map(str::to_owned);
            (module.collect(), Text { path: (*path).to_owned(), text: (*text).to_owned() })
        });
        assert_eq!(Crate::of(files.collect()).circles(), want);
    };
    check(&[("a", "use crate::b::B;\n"), ("b", "use crate::c;\n"), ("c", "")], &[]);
    check(&[("a", "use crate::b::{B, C};\n"), ("b", "fn f() { crate::a::f() }\n")], &["a", "b"]);
    // The circle goes through a face that re-exports both.
    let face =
        ("r/mod", "mod a;\nmod b;\npub(crate) use self::a::A;\npub(crate) use self::b::B;\n");
    check(&[face, ("r/a", "use super::B;\n"), ("r/b", "use super::A;\n")], &["r/a", "r/b"]);
    check(&[face, ("r/a", "use super::B;\n"), ("r/b", "")], &[]);
}
