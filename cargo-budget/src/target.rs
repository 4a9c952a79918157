//! The test target of the budgets, as Cargo.toml has it.
//!
//! Without `harness = false`, cargo puts a `main` of its own in place of the one that runs the budgets. Such a target
//! has no test, so that it passes whatever the budgets say.

use std::path::Path;

use toml_edit::{Document, Item, Table};

/// Returns what is wrong with the test target of this name in a package, if its own `main` is never run.
pub(crate) fn fault(root: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).ok()?;
    let manifest = Document::parse(text).ok()?;
    let named = |test: &&Table| test.get("name").and_then(Item::as_str) == Some(name);
    let tests = manifest.get("test").and_then(Item::as_array_of_tables);
    let entry = tests.and_then(|tests| tests.iter().find(named));
    if entry.and_then(|entry| entry.get("harness")).and_then(Item::as_bool) == Some(false) {
        return None;
    }
    let path = entry.and_then(|entry| entry.get("path")).and_then(Item::as_str);
    let default = [format!("tests/{name}.rs"), format!("tests/{name}/main.rs")];
    let mut sources = path.into_iter().chain(default.iter().map(String::as_str));
    let source = sources.find_map(|path| std::fs::read_to_string(root.join(path)).ok())?;
    if !source.contains("perf_budget") {
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
        // This target contains tests of another kind, and no budgets.
        check(package, "#[test]\nfn holds() {}\n", None);
    }
}
