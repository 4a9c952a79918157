//! Tests of what the budgets take for granted: Python does the same work, and the module, the image and the alerts contain what
//! their descriptions say. If a program is missing, a message names it, and the test that needs it is left out.

mod alerts;
mod image;
#[path = "../budgets/made.rs"]
mod made;
mod module;
mod program;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of this package.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a program says, by `None` that it is not installed.
#[track_caller]
fn run(command: &mut Command) -> Option<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            say(&format!("skipped: {name} is not installed"));
            None
        }
        Err(error) => panic!("failed to run {name}: {error}"),
    }
}

/// Straight to the terminal: the test harness swallows what a passing test prints.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "shield: {text}");
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", told(output));
    told(output)
}
