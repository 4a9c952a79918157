//! `cargo budget report` and `explain`, as users call them: the built command on small recorded runs.
//!
//! `BLESS=1` writes the expected texts anew.

mod browser;
mod failures;
mod formats;
mod merge;
mod prometheus;
mod readers;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// What the command did.
struct Done {
    code: i32,
    out: String,
    err: String,
}

/// This folder.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report")
}

/// A file of this folder.
fn file(name: &str) -> String {
    folder().join(name).to_str().unwrap().to_owned()
}

/// Runs the command in `directory`.
fn run_in(directory: &Path, arguments: &[&str]) -> Done {
    let Output { status, stdout, stderr } = command(directory, arguments).output().unwrap();
    Done {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
    command.current_dir(directory).arg("budget").args(arguments);
    for name in ["PERF_BUDGET_DIR", "CARGO_TARGET_DIR", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// Runs the command in this folder.
fn run(arguments: &[&str]) -> Done {
    run_in(&folder(), arguments)
}

/// A directory that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    /// A record of these outcomes.
    fn record(&self, name: &str, outcomes: &[Value]) -> String {
        let lines: Vec<String> = outcomes.iter().map(|outcome| format!("{outcome}\n")).collect();
        self.write(name, &lines.concat())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The outcomes of a record of this folder; of `outcomes.jsonl` the last run begins at the tenth.
fn outcomes(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The outcomes of the last run of `outcomes.jsonl`.
fn last_run() -> Vec<Value> {
    let mut all = outcomes("outcomes.jsonl");
    let last = all.last().unwrap()["run"]["id"].clone();
    all.retain(|outcome| outcome["run"]["id"] == last);
    all
}

/// Holds a text against the expected one of this folder.
#[track_caller]
fn expect(name: &str, text: &str) {
    let path = folder().join("expected").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} differs; BLESS=1 writes it anew:\n{text}");
}

/// Says that a test could not look.
#[expect(clippy::print_stderr, reason = "a test that passes without having looked must say so")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
