//! Tests of `cargo budget report` and `explain` as users call them: the built command on small recorded runs.
//!
//! `BLESS=1` rewrites the expected texts. `tests/browser` tests the page in a browser.

mod command;
mod failures;
mod formats;
mod merge;
mod places;
mod prometheus;
mod readers;
#[path = "../schemas/mod.rs"]
mod schemas;
mod worst;

use serde_json::Value;

use crate::command::{Scratch, file, folder, run, run_in, skipped};

impl Scratch {
    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    /// Writes a record of these outcomes.
    fn record(&self, name: &str, outcomes: &[Value]) -> String {
        let lines: Vec<String> = outcomes.iter().map(|outcome| format!("{outcome}\n")).collect();
        self.write(name, &lines.concat())
    }
}

/// Returns the outcomes of a record in this folder. In `outcomes.jsonl` the last run begins at the tenth outcome.
fn outcomes(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the outcomes of the last run of `outcomes.jsonl`.
fn last_run() -> Vec<Value> {
    let mut all = outcomes("outcomes.jsonl");
    let last = all.last().unwrap()["run"]["id"].clone();
    all.retain(|outcome| outcome["run"]["id"] == last);
    all
}

/// Compares a text with the expected one in this folder.
#[track_caller]
fn expect(name: &str, text: &str) {
    let path = folder().join("expected").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} differs; BLESS=1 rewrites it:\n{text}");
}
