//! The test targets of a package that may hold budgets, as Cargo.toml and the sources have them.
//!
//! Without `harness = false`, cargo puts a `main` of its own in place of the one that runs the budgets. Such a target has no
//! test, so it always passes.

use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, Table, TableLike, Value};

/// The test targets of a package that look like harnesses. Which file with budgets a target reads is known only by asking it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Harnesses {
    /// Those that `cargo test` runs.
    pub(crate) run: Vec<String>,
    /// Those that `cargo test` runs only if they are named (`test = false`).
    pub(crate) left_out: Vec<String>,
    /// Those whose own `main` is never run, since `harness = false` is missing.
    pub(crate) never_run: Vec<String>,
}

/// Returns the test targets of a package that look like harnesses: their source has the name of the library and a call that
/// starts a harness.
pub(crate) fn harnesses(root: &Path) -> Harnesses {
    let mut harnesses = Harnesses::default();
    let text = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let Ok(manifest) = Document::parse(text) else { return harnesses };
    let library = library(root, manifest.as_table());
    let is_harness = |source: &Path| {
        std::fs::read_to_string(source).is_ok_and(|text| starts_a_harness(&text, &library))
    };
    let (mut listed, mut paths) = (Vec::new(), Vec::new());
    for entry in entries(&manifest) {
        let text = |key: &str| entry.get(key).and_then(Item::as_str);
        let is = |key: &str, value: bool| entry.get(key).and_then(Item::as_bool) == Some(value);
        let Some(name) = text("name") else { continue };
        listed.push(name.to_owned());
        paths.extend(text("path").map(|path| root.join(path)));
        if !sources(root, Some(entry), name).iter().any(|path| is_harness(path)) {
            continue;
        }
        let list = match (is("harness", false), is("test", false)) {
            (false, _) => &mut harnesses.never_run,
            (true, true) => &mut harnesses.left_out,
            (true, false) => &mut harnesses.run,
        };
        list.push(name.to_owned());
    }
    let package = manifest.get("package").and_then(Item::as_table_like);
    let discovers = package.and_then(|package| package.get("autotests")).and_then(Item::as_bool);
    if discovers != Some(false) {
        let files = std::fs::read_dir(root.join("tests")).into_iter().flatten().flatten();
        let mut never_run: Vec<String> = files
            .map(|file| file.path())
            .filter(|path| !paths.contains(path) && !paths.contains(&path.join("main.rs")))
            .filter(|path| {
                [path.clone(), path.join("main.rs")].iter().any(|source| {
                    // A module that other tests share has no `main`.
                    let text = std::fs::read_to_string(source).unwrap_or_default();
                    let has_main = text.contains("fn main") || text.contains("main!");
                    has_main && starts_a_harness(&text, &library)
                })
            })
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|name| !listed.contains(name))
            .collect();
        never_run.sort();
        harnesses.never_run.extend(never_run);
    }
    harnesses
}

/// Returns the entries of the test targets in a manifest, which may be tables or an array.
fn entries(manifest: &Table) -> Vec<&dyn TableLike> {
    match manifest.get("test") {
        Some(Item::ArrayOfTables(tables)) => {
            tables.iter().map(|table| table as &dyn TableLike).collect()
        }
        Some(Item::Value(Value::Array(tables))) => {
            let tables = tables.iter().filter_map(Value::as_inline_table);
            tables.map(|table| table as &dyn TableLike).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the files that may be the source of a test target: the one that its entry names, and the usual ones.
fn sources(root: &Path, entry: Option<&dyn TableLike>, name: &str) -> Vec<PathBuf> {
    let named = entry.and_then(|entry| entry.get("path")).and_then(Item::as_str);
    let usual = [format!("tests/{name}.rs"), format!("tests/{name}/main.rs")];
    named.map(str::to_owned).into_iter().chain(usual).map(|path| root.join(path)).collect()
}

/// Returns what is wrong with the test targets of a package: those whose own `main` is never run.
pub(crate) fn faults(root: &Path) -> Vec<String> {
    let usual = ["budgets".to_owned()];
    let never_run = harnesses(root).never_run;
    let others = never_run.iter().filter(|name| !usual.contains(name));
    usual.iter().chain(others).filter_map(|name| fault(root, name)).collect()
}

/// Returns the name of the library in sources. The package or its workspace may have renamed the dependency.
fn library(root: &Path, manifest: &Table) -> String {
    let renamed = renamed(manifest, |_| true).or_else(|| {
        let inherits = |name: &str| {
            let mut named = dependencies(manifest).filter(|(own, _)| own == name);
            named.any(|(_, item)| {
                let entry = item.as_table_like();
                entry.and_then(|entry| entry.get("workspace")?.as_bool()) == Some(true)
            })
        };
        root.ancestors().find_map(|above| {
            let text = std::fs::read_to_string(above.join("Cargo.toml")).ok()?;
            let manifest = Document::parse(text).ok()?;
            renamed(manifest.get("workspace")?.as_table()?, inherits)
        })
    });
    renamed.as_deref().unwrap_or("perf-budget").replace('-', "_")
}

/// Returns the dependencies in a table of a manifest, by their names.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (String, &Item)> {
    let tables = ["dev-dependencies", "dependencies"].into_iter();
    let tables = tables.filter_map(|table| manifest.get(table)?.as_table_like());
    tables.flat_map(|table| table.iter().map(|(name, item)| (name.to_owned(), item)))
}

/// Returns the name that a manifest gives to the library instead of its own, if `counts` accepts that name.
fn renamed(manifest: &Table, counts: impl Fn(&str) -> bool) -> Option<String> {
    let is_library = |item: &Item| {
        let entry = item.as_table_like();
        entry.and_then(|entry| entry.get("package")?.as_str()) == Some("perf-budget")
    };
    let mut named = dependencies(manifest);
    named.find(|(name, item)| is_library(item) && counts(name)).map(|(name, _)| name)
}

/// Whether a source has the name of the library.
fn has_name(source: &str, library: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut ends = source.match_indices(library).map(|(at, name)| &source[at + name.len()..]);
    ends.any(|rest| !rest.starts_with(is_part))
}

/// Whether a source has the name of the library and a call that starts a harness.
fn starts_a_harness(source: &str, library: &str) -> bool {
    has_name(source, library)
        && ["main!", "Harness::new", ".main()"].iter().any(|starts| source.contains(starts))
}

/// Returns what is wrong with the test target of this name in a package, if its own `main` is never run.
pub(crate) fn fault(root: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).ok()?;
    let manifest = Document::parse(text).ok()?;
    let named = |test: &&dyn TableLike| test.get("name").and_then(Item::as_str) == Some(name);
    let entry = entries(&manifest).into_iter().find(named);
    if entry.and_then(|entry| entry.get("harness")).and_then(Item::as_bool) == Some(false) {
        return None;
    }
    let sources = sources(root, entry, name);
    let source = sources.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    if !has_name(&source, &library(root, manifest.as_table())) {
        return None;
    }
    let shown = root.join("Cargo.toml");
    let shown = shown.display();
    Some(match entry {
        Some(_) => format!(
            "the test target `{name}` has libtest's own `main`, which runs no budget; write `harness = false` under \
             `name = \"{name}\"` in `{shown}`"
        ),
        None => format!(
            "the test target `{name}` has libtest's own `main`, which runs no budget; add these lines to `{shown}`:\n\n\
             [[test]]\nname = \"{name}\"\nharness = false\n"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harnesses_of_a_package_are_found() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let entry = |name: &str, more: &str| {
            format!("[[test]]\nname = \"{name}\"\nharness = false\n{more}")
        };
        let manifest = [
            "[package]\nname = \"a\"\n".to_owned(),
            entry("budgets", ""),
            entry("second", "path = \"more/two.rs\"\n"),
            entry("nightly", "test = false\n"),
            entry("folder", ""),
            entry("trybuild", ""),
            "[[test]]\nname = \"plain\"\n".to_owned(),
        ];
        write("Cargo.toml", &manifest.concat());
        let own = "perf_budget::main!(perf_budget::Harness::new());\n";
        for name in ["tests/budgets.rs", "more/two.rs", "tests/nightly.rs", "tests/folder/main.rs"]
        {
            write(name, own);
        }
        write("tests/trybuild.rs", "fn main() { perf_budget_criterion::main!() }\n");
        write("tests/plain.rs", "use perf_budget::Harness; fn main() { Harness::new().main(); }\n");
        write("tests/found.rs", own);
        // A module that the others share.
        write("tests/common.rs", "pub fn harness() { perf_budget::Harness::new() }\n");
        write("tests/unit.rs", "#[test]\nfn holds() {}\n");
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let want = Harnesses {
            run: names(&["budgets", "second", "folder"]),
            left_out: names(&["nightly"]),
            never_run: names(&["plain", "found"]),
        };
        assert_eq!(harnesses(place.path()), want);

        let renamed =
            "[dev-dependencies]\nspeed-gate = { version = \"0.1\", package = \"perf-budget\" }\n";
        write("Cargo.toml", &format!("{}{renamed}", entry("other", "")));
        write("tests/other.rs", &own.replace("perf_budget", "speed_gate"));
        assert_eq!(harnesses(place.path()).run, ["other"]);

        // The entries may be an array, and their files may have other names.
        let entries =
            "test = [{ name = \"perf\", path = \"tests/budgets.rs\", harness = false }]\n";
        write("Cargo.toml", &format!("{entries}[package]\nname = \"a\"\n"));
        for name in ["plain", "found", "nightly", "folder/main", "other"] {
            std::fs::remove_file(place.path().join(format!("tests/{name}.rs"))).unwrap();
        }
        let want = Harnesses { run: names(&["perf"]), ..Harnesses::default() };
        assert_eq!(harnesses(place.path()), want);
    }

    #[test]
    fn a_target_whose_main_is_never_run_is_found() {
        let place = tempfile::tempdir().unwrap();
        let check = |manifest: &str, source: &str, want: Option<&str>| {
            std::fs::create_dir_all(place.path().join("tests")).unwrap();
            std::fs::write(place.path().join("Cargo.toml"), manifest).unwrap();
            std::fs::write(place.path().join("tests/budgets.rs"), source).unwrap();
            let got = fault(place.path(), "budgets");
            assert_eq!(got.is_some(), want.is_some(), "{manifest}: {got:?}");
            let got = got.unwrap_or_default();
            assert!(got.contains(want.unwrap_or_default()), "{got}");
        };
        let own = "fn main() { perf_budget::Harness::new().main(); }";
        let package = "[package]\nname = \"a\"\n";
        check(package, own, Some("[[test]]\nname = \"budgets\"\nharness = false"));
        let entry = format!("{package}[[test]]\nname = \"budgets\"\n");
        check(&entry, own, Some("write `harness = false` under"));
        check(&format!("{entry}harness = true\n"), own, Some("write `harness = false` under"));
        check(&format!("{entry}harness = false\n"), own, None);
        check(
            &format!("{package}[[test]]\nname = \"other\"\nharness = false\n"),
            own,
            Some("[[test]]"),
        );
        // Here the library has another name, which the package or its workspace gives to it.
        let other = own.replace("perf_budget", "speed_gate");
        let named = "speed-gate = { package = \"perf-budget\", version = \"0.1\" }\n";
        check(&format!("{package}[dev-dependencies]\n{named}"), &other, Some("[[test]]"));
        let inherited = "[dev-dependencies]\nspeed-gate.workspace = true\n";
        let workspace = format!("{package}{inherited}[workspace.dependencies]\n{named}");
        check(&workspace, &other, Some("[[test]]"));
        check(&format!("{package}[workspace.dependencies]\n{named}"), &other, None);
        // This target contains tests of another kind, and no budgets.
        check(package, "#[test]\nfn holds() {}\n", None);
    }
}
