//! The structure of the source: which module of each crate uses which.

use std::collections::{BTreeMap, BTreeSet};

use super::{Text, none, sources, text};

/// The crates whose modules have a table in ARCHITECTURE.md: the line above the table,
/// and the folder of the sources.
const CRATES: &[(&str, &str)] = &[
    ("\nThe core (`core/src`):\n", "core/src"),
    ("\nThe harness (`src`):\n", "src"),
    ("\nThe command (`cargo-budget/src`):\n", "cargo-budget/src"),
];

/// Names at the top of the crate that are not modules, and the module that each comes from.
const NAMES: &[(&str, &str)] = &[
    ("Harness", "harness"),
    ("Heap", "instrument"),
    ("Failed", "run"),
    ("Parameter", "run"),
    ("Run", "run"),
];

/// A row of a table of modules: what a module uses of its own crate and of the core.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    module: String,
    own: BTreeSet<String>,
    core: BTreeSet<String>,
}

/// Returns the rows of the table below a line of ARCHITECTURE.md, the lowest module first. They state what is used, not
/// what is allowed: a new arrow is a new word there, and may only lead to a row above its own.
#[track_caller]
fn rows(map: &str, line: &str) -> Vec<Row> {
    let table = map.split_once(line).unwrap_or_else(|| panic!("no line `{line}`")).1;
    let list = |cell: Option<&&str>| {
        let names = cell.into_iter().flat_map(|cell| cell.split(',')).map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let module = cells[0].trim_matches('`').to_owned();
        Row { module, own: list(cells.get(2)), core: list(cells.get(3)) }
    };
    table.trim_start().lines().skip(2).take_while(|line| line.starts_with('|')).map(row).collect()
}

/// Returns the sources below a folder, without comments and without their tests.
pub(super) fn product(folder: &str) -> Vec<Text> {
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs");
    let files = sources(folder).into_iter().filter(|file| !is_test(&file.path));
    files.map(|file| Text { text: code(&file.text), path: file.path }).collect()
}

/// Returns the sources of the core and of the harness, without comments and without their tests.
pub(super) fn library() -> Vec<Text> {
    ["core/src", "src"].into_iter().flat_map(product).collect()
}

/// Returns what a file compiles without its tests and its comments.
pub(super) fn code(text: &str) -> String {
    // The line before `mod tests` says when there are tests: always, or on some systems.
    let is_cfg =
        |line: &str| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test,");
    let before = text.split_once("\nmod tests {").and_then(|(before, _)| before.rsplit_once('\n'));
    let body = before.filter(|(_, last)| is_cfg(last)).map_or(text, |(body, _)| body);
    body.lines().filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |code, line| {
            let line = line.split(" // ").next().unwrap_or_default();
            code + line + "\n"
        },
    )
}

/// Returns the path of a file's module within its crate: `exec/linux.rs` is `["exec", "linux"]`.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches(".rs");
    path.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).collect()
}

/// Returns the names that follow `crate::`, or as many `super::` as lead to the top of the crate.
fn used<'t>(module: &[&str], text: &'t str) -> BTreeSet<&'t str> {
    let top = "super::".repeat(module.len());
    let top = Some(top.as_str()).filter(|top| !top.is_empty());
    top.into_iter().chain(["crate::"]).flat_map(|start| named_after(start, text)).collect()
}

/// Returns the first names of the paths that follow `start`.
fn named_after<'t>(start: &str, text: &'t str) -> BTreeSet<&'t str> {
    let starts = text.match_indices(start).map(|(at, _)| at);
    // The end of a longer chain of `super::` leads elsewhere.
    let starts = starts.filter(|&at| !(start.starts_with("super") && text[..at].ends_with("::")));
    starts.flat_map(|at| heads(&text[at + start.len()..])).collect()
}

/// Returns the first names of a path: `a::b` names `a`, and `{a, b::{c, d}}` names `a` and `b`.
fn heads(path: &str) -> Vec<&str> {
    let word =
        |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(list) = path.strip_prefix('{') else { return vec![&path[..word(path)]] };
    let (mut depth, mut names, mut start) = (1, Vec::new(), 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            let name = list[start..at].trim();
            names.push(&name[..word(name)]);
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn paths_in_the_source_are_parsed() {
    let check = |module: &[&str], text: &str, want: &[&str]| {
        let got: Vec<&str> =
            used(module, text).into_iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(got, want, "{text}");
    };
    check(&["reading"], "use crate::metric::{Metric, Statistic};", &["metric"]);
    check(&["harness"], "use crate::{Error, exec, place};", &["Error", "exec", "place"]);
    check(&["harness"], "use crate::{\n a::{b, c},\n d,\n};", &["a", "d"]);
    check(&["harness"], "use perf_budget_core::date;", &[]);
    check(&["instrument", "heap"], "use super::{laps}; use super::super::stats;", &["stats"]);
    check(&["exec", "linux", "tree"], "use super::super::linux;", &[]);
    check(&["suite"], "use super::verdict::Outcome;", &["verdict"]);
    assert_eq!(code("a // b\n/// c\nd\n\n#[cfg(test)]\nmod tests {\nuse crate::e;"), "a\nd\n");
}

/// Returns what each module of a crate uses, by its sources: modules of the crate, and of the core.
fn used_by_modules(folder: &str, modules: &BTreeSet<String>, core: &BTreeSet<String>) -> Vec<Row> {
    let mut found: BTreeMap<String, Row> = BTreeMap::new();
    for file in product(folder) {
        let module = module(&file.path[folder.len() + 1..]);
        let Some(&top) = module.first() else { continue };
        let row = found.entry(top.to_owned()).or_default();
        top.clone_into(&mut row.module);
        for name in used(&module, &file.text) {
            let renamed = NAMES.iter().find(|row| row.0 == name).map_or(name, |row| row.1);
            row.own.extend(modules.get(renamed).filter(|other| *other != top).cloned());
        }
        let names = named_after("perf_budget_core::", &file.text).into_iter();
        row.core.extend(names.filter_map(|name| core.get(name)).cloned());
    }
    found.into_values().collect()
}

#[test]
fn arrows_run_only_downward() {
    let map = text("ARCHITECTURE.md");
    let modules = |rows: &[Row]| rows.iter().map(|row| row.module.clone()).collect();
    let core: BTreeSet<String> = modules(&rows(&map, CRATES[0].0));
    let mut problems = Vec::new();
    for (line, folder) in CRATES {
        let rows = rows(&map, line);
        let own: BTreeSet<String> = modules(&rows);
        assert!(own.len() > 15, "only {} modules were found below `{}`", own.len(), line.trim());
        let mut found = used_by_modules(folder, &own, &core);
        for (floor, row) in rows.iter().enumerate() {
            let up: Vec<_> =
                rows[floor..].iter().filter(|up| row.own.contains(&up.module)).collect();
            let up = up.into_iter().map(|up| &up.module);
            problems.extend(up.map(|up| {
                format!("{folder}: `{}` uses `{up}`, which is not above it", row.module)
            }));
            match found.iter().position(|found| found.module == row.module) {
                None => problems.push(format!("{folder} has no module `{}`", row.module)),
                Some(at) => {
                    let found = found.swap_remove(at);
                    if found != *row {
                        problems.push(format!(
                            "{folder}: the row has {row:?}, and the code has {found:?}"
                        ));
                    }
                }
            }
        }
        problems.extend(found.iter().map(|row| format!("{folder}: `{}` has no row", row.module)));
    }
    none(&problems, "the tables of ARCHITECTURE.md, section Modules, and the code differ");
}

#[test]
fn a_table_of_modules_is_read() {
    let map = "a\n\nThe core:\n\n| module | what | uses | of the core |\n|---|---|---|---|\n\
               | `low` | `a`, b | | |\n| `high` | c | low, os | date |\n\n| `no` | | |\n";
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let low = Row { module: "low".to_owned(), ..Row::default() };
    let high =
        Row { module: "high".to_owned(), own: names(&["low", "os"]), core: names(&["date"]) };
    assert_eq!(rows(map, "\nThe core:\n"), [low, high]);
}
