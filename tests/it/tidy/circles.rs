//! No circles: a file is not used by a file of the same crate that it uses itself. Tests are left out.
//!
//! The arrows are the paths that the source writes. These are the paths of each `use`, and those that begin with
//! `crate::`, `super::`, `self::`, the name of a child module (`child::act()`), or the name of a module that a `use`
//! brings in. If a `mod.rs` re-exports a name (`pub use`), a path to that name is an arrow to the file that defines it,
//! not to the `mod.rs`. So a `mod.rs` that declares its children and re-exports their items is in no circle. One that
//! also calls them, while they use its types, is in one. A method call names no module, and is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::arrows::code;
use super::{Text, none, sources};
use crate::module_path::whole;

/// The files of one crate, each by the path of its module: `budget/case.rs` is `["budget", "case"]`.
struct Crate {
    files: BTreeMap<Vec<String>, Text>,
    /// The re-exports: for a module and a name that it re-exports, the module that defines the name.
    reexports: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Crate {
    /// Reads the files that are below a folder.
    fn read(folder: &str, all: &[Text]) -> Crate {
        let is_test = |path: &str| {
            path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
        };
        let files = all.iter().filter(|file| !is_test(&file.path)).filter_map(|file| {
            let inside = file.path.strip_prefix(folder)?.strip_prefix('/')?;
            let face = |part: &&str| !matches!(*part, "mod" | "lib" | "main");
            let parts = inside.trim_end_matches(".rs").split('/');
            let module = parts.filter(face).map(str::to_owned).collect();
            Some((module, Text { path: file.path.clone(), text: code(&file.text) }))
        });
        Crate::new(files.collect())
    }

    fn new(files: BTreeMap<Vec<String>, Text>) -> Crate {
        let mut read = Crate { files, reexports: BTreeMap::new() };
        for (module, file) in &read.files {
            for statement in statements(&file.text).iter().filter(|statement| statement.public) {
                for path in &statement.paths {
                    let is_module = |child: &[String]| read.files.contains_key(child);
                    let Some(mut whole) = whole(module, path, is_module) else { continue };
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
        self.files.iter().map(|(module, file)| (module, self.used(module, &file.text))).collect()
    }

    fn used(&self, module: &Vec<String>, text: &str) -> BTreeSet<Vec<String>> {
        let whole =
            |path: &Vec<String>| whole(module, path, |child| self.files.contains_key(child));
        let uses = statements(text);
        let named: Vec<Vec<String>> =
            uses.iter().flat_map(|statement| statement.paths.iter().filter_map(whole)).collect();
        // The rest of the file calls a module that a `use` names by the last part of its path.
        let modules = named.iter().filter(|path| self.files.contains_key(*path));
        let modules: BTreeMap<&String, &Vec<String>> =
            modules.filter_map(|path| Some((path.last()?, path))).collect();
        let expand = |path: &Vec<String>| match modules.get(path.first()?) {
            Some(module) => Some(module.iter().chain(&path[1..]).cloned().collect()),
            None => whole(path),
        };
        let private = uses.iter().filter(|statement| !statement.public);
        let private = private.flat_map(|statement| statement.paths.iter().filter_map(whole));
        let inline = inline(text, &uses);
        let homes = private.chain(inline.iter().filter_map(expand)).map(|path| self.home(&path));
        homes.filter(|home| home != module && !home.is_empty()).collect()
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

/// A `use` of a file.
struct Statement {
    /// The paths that it names, as the file itself would write them.
    paths: Vec<Vec<String>>,
    /// Whether it re-exports them.
    public: bool,
    /// Where it is in the text.
    range: Range<usize>,
}

fn statements(text: &str) -> Vec<Statement> {
    let inner = modules_within(text);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let before = text[..at].rsplit('\n').next().unwrap_or_default().trim();
        if !before.is_empty() && !before.starts_with("pub") {
            continue;
        }
        let statement = text[at + 4..].split(';').next().unwrap_or_default();
        let range = at..at + 4 + statement.len();
        let depth = depth(&inner, at);
        let paths = flat(&without_names(statement)).into_iter();
        let paths = paths.map(|path| from_the_file(path, depth)).collect();
        found.push(Statement { paths, public: !before.is_empty(), range });
    }
    found
}

/// Returns a statement without spaces, and without the names that `as` gives.
fn without_names(statement: &str) -> String {
    let mut words = statement.split_whitespace();
    let mut short = String::new();
    while let Some(word) = words.next() {
        match word {
            "as" => short.extend(words.next().unwrap_or_default().matches([',', '}'])),
            word => short.push_str(word),
        }
    }
    short
}

/// Returns where the modules are that are written within a file.
fn modules_within(text: &str) -> Vec<Range<usize>> {
    let block = |at: usize| {
        let line = text[at..].lines().next()?;
        let open = at + line.strip_suffix('{')?.len();
        let end = text[open..].find("\n}").unwrap_or(text.len() - open);
        Some(open..open + end)
    };
    text.match_indices("mod ").filter_map(|(at, _)| block(at)).collect()
}

/// Returns how many modules of the file are around a place.
fn depth(inner: &[Range<usize>], at: usize) -> usize {
    inner.iter().filter(|range| range.contains(&at)).count()
}

/// Returns a path that a module within the file writes as the file itself would write it: that module's `super` is the
/// file.
fn from_the_file(mut path: Vec<String>, depth: usize) -> Vec<String> {
    let supers = path.iter().take(depth).take_while(|part| *part == "super").count();
    path.drain(..supers);
    path
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

/// Returns the paths that are written where they are used, as the file itself would write them.
fn inline(text: &str, uses: &[Statement]) -> Vec<Vec<String>> {
    let inner = modules_within(text);
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (middle, _) in text.match_indices("::") {
        let start = text[..middle].rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
        let before = &text[..start];
        let is_start = start < middle && !before.ends_with(':') && !before.ends_with("pub(in ");
        if !is_start || uses.iter().any(|statement| statement.range.contains(&start)) {
            continue;
        }
        let rest = &text[start..];
        let path = rest.split(|c| !(is_name(c) || c == ':')).next().unwrap_or_default();
        let path = path.trim_end_matches(':').split("::").map(str::to_owned).collect();
        found.push(from_the_file(path, depth(&inner, start)));
    }
    found
}

#[test]
fn no_file_is_in_a_circle() {
    let all = sources("");
    let is_root = |file: &&Text| file.path.ends_with("/lib.rs") || file.path.ends_with("/main.rs");
    let folders: BTreeSet<&str> = all
        .iter()
        .filter(is_root)
        .filter_map(|file| file.path.rsplit_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    assert!(folders.contains("core/src"), "the crates are found: {folders:?}");
    let circles = |folder: &&str| Crate::read(folder, &all).circles();
    let found: Vec<String> = folders.iter().flat_map(circles).collect();
    none(
        &found,
        "each of these uses itself by way of others; move what both need to a file below them",
    );
}

#[test]
fn a_circle_is_seen() {
    let check = |files: &[(&str, &str)], want: &[&str]| {
        let files = files.iter().map(|(path, text)| {
            let module = path.split('/').filter(|part| *part != "mod").map(str::to_owned);
            (module.collect(), Text { path: (*path).to_owned(), text: (*text).to_owned() })
        });
        assert_eq!(Crate::new(files.collect()).circles(), want);
    };
    check(&[("a", "use crate::b::B;\n"), ("b", "use crate::c;\n"), ("c", "")], &[]);
    check(&[("a", "use crate::b::{B, C};\n"), ("b", "fn f() { crate::a::f() }\n")], &["a", "b"]);
    // The circle goes through a `mod.rs` that re-exports both.
    let face =
        ("r/mod", "mod a;\nmod b;\npub(crate) use self::a::A;\npub(crate) use self::b::B;\n");
    check(&[face, ("r/a", "use super::B;\n"), ("r/b", "use super::A;\n")], &["r/a", "r/b"]);
    check(&[face, ("r/a", "use super::B;\n"), ("r/b", "")], &[]);
    // A `mod.rs` calls its child, which uses a type of the `mod.rs`.
    let roof = ("r/mod", "mod a;\npub struct R;\nfn f() { a::f() }\n");
    check(&[roof, ("r/a", "use super::R;\n")], &["r/mod", "r/a"]);
    check(&[roof, ("r/a", "use super::b::B;\n"), ("r/b", "")], &[]);
    // A module is brought in, and another one is named by way of it.
    let by_name = ("a", "use crate::r;\nfn f() { r::b::f() }\n");
    check(&[by_name, ("r/mod", "mod b;\n"), ("r/b", "use crate::a::A;\n")], &["a", "r/b"]);
    // `super` in a module within the file is the file.
    let within = ("r/a", "struct A;\nmod inner {\n    use super::A;\n    type B = super::A;\n}\n");
    check(&[("r/mod", "mod a;\nfn f() { a::f() }\n"), within], &[]);
}
