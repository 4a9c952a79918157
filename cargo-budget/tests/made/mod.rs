//! A crate that a test creates in its own directory, with budgets and a harness. The test targets that build such a
//! crate share this module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = r#"[package]
name = "NAME"
version = "0.1.0"
edition = "2024"

[dev-dependencies]
perf-budget = { path = "LIBRARY", default-features = false }

[[test]]
name = "budgets"
harness = false

[workspace]

[profile.dev]
debug = false
incremental = false
"#;

/// A crate with `tests/budgets.rs`, which is removed when this is dropped.
pub(crate) struct Made(tempfile::TempDir);

impl Made {
    /// Creates a crate of this name, whose harness is `tests`. Each test must use another name, because cargo tells
    /// packages that share a target directory apart only by their names.
    pub(crate) fn new(name: &str, tests: &str, budgets: &str) -> Made {
        let made =
            Made(tempfile::Builder::new().prefix(&format!("budget-{name}-")).tempdir().unwrap());
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = MANIFEST.replace("NAME", name);
        made.write("Cargo.toml", &manifest.replace("LIBRARY", library.to_str().unwrap()));
        made.write("tests/budgets.rs", tests);
        made.write("budgets.toml", budgets);
        // Cargo uses the same versions as this repository, so that nothing is downloaded.
        fs::copy(library.join("Cargo.lock"), made.path("Cargo.lock")).unwrap();
        made
    }

    /// Returns the directory of the crate.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Returns a command in the crate, which has nothing in its environment that a harness would take for its own.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        isolate(&mut command, &self.path("results"));
        command.current_dir(self.root());
        command
    }
}

/// Removes everything from a command's environment that a harness would take for its own.
pub(crate) fn isolate(command: &mut Command, results: &Path) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let others = ["PERF_BUDGET", "NEXTEST", "GITHUB_", "GIT_", "CI_"];
        if others.iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    // All such crates share one target directory, so that the library is built once.
    command.env("PERF_BUDGET_DIR", results).env("CARGO_TARGET_DIR", shared().join("head"));
    command.env("CARGO_NET_OFFLINE", "true");
    // The cache is shared too; the next test removes what ended tests left there.
    command.env("PERF_BUDGET_CACHE", shared().join("cache"));
}

/// Returns the directory in which built files stay from one test to the next.
pub(crate) fn shared() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("check")
}
