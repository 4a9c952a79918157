//! A crate that a test makes in a directory of its own, with budgets and a harness; shared by the targets that build
//! one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = r#"[package]
name = "NAME"
version = "0.1.0"
edition = "2024"

[dev-dependencies]
perf-budget = { path = "LIBRARY" }

[[test]]
name = "budgets"
harness = false

[workspace]

[profile.dev]
debug = false
incremental = false
"#;

/// A crate with `tests/budgets.rs`; gone with this.
pub(crate) struct Made(tempfile::TempDir);

impl Made {
    /// One of this name, whose harness is `tests`. No other test gives its own that name: cargo tells packages that
    /// share a target directory by their names alone.
    pub(crate) fn new(name: &str, tests: &str, budgets: &str) -> Made {
        let made =
            Made(tempfile::Builder::new().prefix(&format!("budget-{name}-")).tempdir().unwrap());
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = MANIFEST.replace("NAME", name);
        made.write("Cargo.toml", &manifest.replace("LIBRARY", library.to_str().unwrap()));
        made.write("tests/budgets.rs", tests);
        made.write("budgets.toml", budgets);
        // The same versions as here, so that nothing is downloaded.
        fs::copy(library.join("Cargo.lock"), made.path("Cargo.lock")).unwrap();
        made
    }

    /// Where it is.
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

    /// A command in it, of whose surroundings nothing is left that a harness would take for its own.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        isolate(&mut command, &self.path("results"));
        command.current_dir(self.root());
        command
    }
}

/// Leaves a command nothing of its surroundings that a harness would take for its own.
pub(crate) fn isolate(command: &mut Command, results: &Path) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let others = ["PERF_BUDGET", "NEXTEST", "GITHUB_", "GIT_"];
        if others.iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    // One for all of them, so that the library is built once.
    command.env("PERF_BUDGET_DIR", results).env("CARGO_TARGET_DIR", shared().join("head"));
    command.env("CARGO_NET_OFFLINE", "true");
    // What tests that are gone left there goes with the next one.
    command.env("PERF_BUDGET_CACHE", shared().join("cache"));
}

/// Where what is built stays from one test to the next.
pub(crate) fn shared() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("check")
}
