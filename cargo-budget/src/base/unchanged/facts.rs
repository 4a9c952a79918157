//! The sources that are searched, and the names of what packages build.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, Package, Target, TargetKind};
use perf_budget_core::budget::{Budgets, Param, Subject};
use toml_edit::Item;

use super::inputs::{Inputs, Place};
use super::literals::without_tests;
use super::mentions::{Sources, is_source};
use crate::base::configuration;

/// Returns the packages in the repository: the directory of each, and the names by which a program can start or load what
/// the package builds.
pub(super) fn packages(metadata: &Metadata, place: Place<'_>) -> Vec<(String, Vec<String>)> {
    let own = metadata.packages.iter().filter(|package| package.source.is_none());
    let packages = own.flat_map(|package| {
        let directory = package.manifest_path.parent().map(|at| at.as_std_path().to_owned());
        let builds = runnable(package);
        let places = directory.into_iter().flat_map(|directory| place.both(&directory));
        places.map(move |directory| (directory, builds.clone())).collect::<Vec<_>>()
    });
    packages.collect()
}

/// Returns the names by which a program can start or load what a package builds: its own name, which cargo takes, and
/// those of its programs and of its libraries that are loaded at run time.
fn runnable(package: &Package) -> Vec<String> {
    let is_runnable = |target: &&Target| {
        target.kind.iter().any(|kind| {
            !matches!(
                kind,
                TargetKind::Test
                    | TargetKind::Bench
                    | TargetKind::CustomBuild
                    | TargetKind::Lib
                    | TargetKind::RLib
                    | TargetKind::ProcMacro
            )
        })
    };
    let targets = package.targets.iter().filter(is_runnable).flat_map(|target| {
        let file = target.name.replace('-', "_");
        let is_library =
            target.kind.iter().any(|kind| matches!(kind, TargetKind::CDyLib | TargetKind::DyLib));
        let files = [format!("lib{file}.so"), format!("lib{file}.dylib"), format!("{file}.dll")];
        [target.name.clone()].into_iter().chain(files.into_iter().filter(move |_| is_library))
    });
    [package.name.to_string()].into_iter().chain(targets).collect()
}

/// Adds the texts of a configuration file of cargo or rustup, because a linker or a wrapper that it names is used. Of a file
/// outside of the repository, only the variables that it sets count.
pub(super) fn add_configuration(sources: &mut Sources, path: &str, file: &Path, is_inside: bool) {
    let Some(document) = configuration::read(file) else {
        // `rust-toolchain` may contain nothing but the name of a toolchain.
        let text = fs::read(file).unwrap_or_default();
        sources.add_text(path, &String::from_utf8_lossy(&text), &|_| true);
        return;
    };
    let item = if is_inside { Some(document.as_item()) } else { document.get("env") };
    let mut texts = Vec::new();
    if let Some(item) = item {
        add_texts(item, &mut texts);
    }
    let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    sources.add(path, &texts.join("\n"));
}

fn add_texts(item: &Item, texts: &mut Vec<String>) {
    if let Some(table) = item.as_table_like() {
        table.iter().for_each(|(_, item)| add_texts(item, texts));
    } else if let Some(tables) = item.as_array_of_tables() {
        tables.iter().flat_map(|table| table.iter()).for_each(|(_, item)| add_texts(item, texts));
    } else if let Some(values) = item.as_array() {
        values.iter().for_each(|value| add_texts(&Item::Value(value.clone()), texts));
    } else {
        texts.extend(item.as_str().map(str::to_owned));
    }
}

/// Returns the sources that were compiled, and the text parameters that workloads are given.
pub(super) fn sources(top: &Path, inputs: &Inputs, budgets: &Budgets) -> Result<Sources, String> {
    let mut sources = Sources::default();
    for path in inputs.paths.iter().filter(|path| is_source(path)) {
        let text = fs::read(PathBuf::from(top).join(path))
            .map_err(|e| format!("`{path}` cannot be read: {e}"))?;
        let text = String::from_utf8_lossy(&text);
        if inputs.harness.contains(path) {
            sources.add_of_harness(path, &without_tests(&text));
        } else if inputs.untested.contains(path) {
            sources.add(path, &without_tests(&text));
        } else {
            sources.add(path, &text);
        }
    }
    for budget in &budgets.budgets {
        if !matches!(budget.subject, Subject::Workload(_)) {
            continue;
        }
        for (_, param) in budget.cases.iter().flat_map(|case| &case.params) {
            if let Param::Text(text) = param {
                sources.add("budgets.toml", &format!("{text:?}"));
            }
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_text_of_a_configuration_may_be_a_path() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("config.toml");
        let text = "# It isn't a text: docs/no.md\n[env]\nA = 'docs/a.md'\nB = { value = \"data\\u002Fb.md\", relative = true }\n\
                    [target.x]\nrunner = [\"sh\", \"kit/run.sh\"]\n[[patch.y]]\npath = \"other\"\n[build]\nrustflags = \"-Clinker=l/x\"\n";
        let named = |text: &str, path: &str, is_inside: bool| {
            fs::write(&file, text).unwrap();
            let mut sources = Sources::default();
            add_configuration(&mut sources, ".cargo/config.toml", &file, is_inside);
            sources.naming(path, &BTreeSet::new()).is_some()
        };
        let check = |path: &str, inside: bool, outside: bool| {
            assert_eq!(named(text, path, true), inside, "{path}");
            assert_eq!(named(text, path, false), outside, "{path}");
        };
        check("docs/a.md", true, true);
        check("data/b.md", true, true);
        check("kit/run.sh", true, false);
        check("other/x.md", true, false);
        check("l/x", true, false);
        check("docs/no.md", false, false);
        assert!(named("1.90", "1.90", true));
    }
}
