//! The built command, run on recorded runs. The test targets that examine its output share this module.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The result of the command.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Returns the folder of recorded runs.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report")
}

/// Returns the path of a file in this folder.
pub(crate) fn file(name: &str) -> String {
    folder().join(name).to_str().unwrap().to_owned()
}

/// Runs the command in `directory`.
pub(crate) fn run_in(directory: &Path, arguments: &[&str]) -> Done {
    let Output { status, stdout, stderr } = command(directory, arguments).output().unwrap();
    Done {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

pub(crate) fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
    command.current_dir(directory).arg("budget").args(arguments);
    for name in ["PERF_BUDGET_DIR", "CARGO_TARGET_DIR", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// Runs the command in this folder.
pub(crate) fn run(arguments: &[&str]) -> Done {
    run_in(&folder(), arguments)
}

/// A directory that is removed at the end of the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Reports that a test was skipped.
#[expect(clippy::print_stderr, reason = "a test that passes without a check must say so")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
