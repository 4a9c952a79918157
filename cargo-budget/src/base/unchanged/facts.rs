//! The sources that are searched, and the names of what packages build.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Package, Target, TargetKind};
use perf_budget_core::budget::{Budgets, Param, Subject};

use super::inputs::Inputs;
use super::mentions::{Sources, is_source};

/// Returns the names by which a program can start or load what a package builds: its own name, which cargo takes, and
/// those of its programs and of its libraries that are loaded at run time.
pub(super) fn runnable(package: &Package) -> Vec<String> {
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

/// Returns the sources that were compiled, and the text parameters that workloads are given.
pub(super) fn sources(top: &Path, inputs: &Inputs, budgets: &Budgets) -> Result<Sources, String> {
    let mut sources = Sources::default();
    for path in inputs.paths.iter().filter(|path| is_source(path)) {
        let text = fs::read(PathBuf::from(top).join(path))
            .map_err(|e| format!("`{path}` cannot be read: {e}"))?;
        sources.add(path, &String::from_utf8_lossy(&text));
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
