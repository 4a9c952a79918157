//! Tests of where results are kept: beside the binary, wherever cargo has put it, with a pointer in the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::Trial;
use perf_budget_core::{paths, record};

use crate::gate::{Case, SUBJECT};
use crate::row;

const BUDGETS: &str = "[budget.file]\nartifact = \"budgets.toml\"\nmax = { size = \"1 MB\" }\n";

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("places::a_target_directory_elsewhere", a_target_directory_elsewhere),
        row("places::an_archive_that_nextest_unpacks", an_archive_that_nextest_unpacks),
    ]
}

/// Runs this binary under the path that cargo would give it in `target`, as a test of the package in `package`.
fn run_in(target: &Path, package: &Path) -> Output {
    let name = format!("budgets-0123456789abcdef{}", std::env::consts::EXE_SUFFIX);
    let binary = target.join("debug/deps").join(name);
    fs::create_dir_all(binary.parent().unwrap()).unwrap();
    let this = std::env::current_exe().unwrap();
    // Windows removes no file of a program that runs, by any of its names.
    if cfg!(windows) || fs::hard_link(&this, &binary).is_err() {
        fs::copy(&this, &binary).unwrap();
    }
    let mut command = Command::new(&binary);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["PERF_BUDGET", "NEXTEST", "CARGO_TARGET", "GITHUB_", "CI_"]
            .iter()
            .any(|s| text.starts_with(s))
        {
            command.env_remove(&name);
        }
    }
    command.env(SUBJECT, "1").env("CARGO_MANIFEST_DIR", package).current_dir(package);
    let output = command.output().unwrap();
    fs::remove_file(&binary).unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// Makes an empty target directory and a package with a workspace above it, and returns both.
fn target_and_package(name: &str) -> (PathBuf, PathBuf) {
    let case = Case::new(name, "");
    let (target, package) = (case.dir.join("far"), case.dir.join("work/member"));
    fs::create_dir_all(&target).unwrap();
    fs::create_dir_all(&package).unwrap();
    fs::write(case.dir.join("work/Cargo.toml"), "[workspace]\nmembers = [\"member\"]\n").unwrap();
    fs::write(package.join("Cargo.toml"), "[package]\nname = \"member\"\n").unwrap();
    fs::write(package.join("budgets.toml"), BUDGETS).unwrap();
    (target, package)
}

fn a_target_directory_elsewhere() {
    let (target, package) = target_and_package("places-elsewhere");
    fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
    run_in(&target, &package);
    let results = target.join("budgets").canonicalize().unwrap();
    let record = record::read(&paths::record(&results)).unwrap();
    assert_eq!((record.begun.len(), record.outcomes.len()), (1, 1));
    let run = &record.begun[0].run;
    assert_eq!(run.target, "budgets");
    assert_eq!(run.checkout, paths::checkout(&package, &package.join("budgets.toml")));
    let place = paths::Place { results, began: Some(run.began) };
    assert!(
        paths::places(&package, &run.checkout).contains(&place),
        "{:?}",
        paths::places(&package, &run.checkout)
    );
}

/// Nextest deletes what it has unpacked, so the results must not be kept beside the binary.
fn an_archive_that_nextest_unpacks() {
    let (target, package) = target_and_package("places-archive");
    fs::create_dir_all(target.join("nextest")).unwrap();
    fs::write(target.join("nextest/binaries-metadata.json"), "{}").unwrap();
    run_in(&target, &package);
    let results = paths::default(package.parent().unwrap());
    assert_eq!(record::read(&paths::record(&results)).unwrap().outcomes.len(), 1);
    assert!(!target.join("budgets").exists());
}
