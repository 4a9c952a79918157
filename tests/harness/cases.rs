//! Tests that the gate fails closed. Each folder of `fixtures/cases` with an `expected.txt` is a case, and the gate is run
//! on its `budgets.toml`. The test compares the exit code, each outcome in its words, and the count; or, if the gate
//! cannot work, everything that it prints.
//!
//! `BLESS=1` writes what came out instead of comparing; the reviewer reads the difference.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::gate::{Case, Run};
use crate::row;

pub(crate) fn rows() -> Vec<Trial> {
    let cases = folders().into_iter().map(|folder| {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        row(format!("cases::{name}"), move || check(&name, &folder))
    });
    let messages =
        row("cases::each_red_has_a_message_of_its_own", each_red_has_a_message_of_its_own);
    cases.chain([messages]).collect()
}

fn folders() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases");
    let entries = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> =
        entries.filter(|path| path.join("expected.txt").is_file()).collect();
    folders.sort();
    assert!(folders.len() > 30, "only {} cases were found", folders.len());
    folders
}

fn check(name: &str, folder: &Path) {
    let mut case = Case::empty(name);
    copy(folder, &case.dir);
    // A case may set variables, one on each line.
    let environment = fs::read_to_string(folder.join("environment")).unwrap_or_default();
    for (name, value) in environment.lines().filter_map(|line| line.split_once('=')) {
        case = case.env(name, value);
    }
    // The listener is kept while the case runs, for the case that needs a port which is in use.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let file = case.dir.join("budgets.toml");
    if let Ok(budgets) = fs::read_to_string(&file) {
        fs::write(&file, budgets.replace("11111", &port)).unwrap();
    }
    let run = case.run();
    let resolved = case.dir.canonicalize().unwrap();
    let binary = std::env::current_exe().unwrap();
    let binary = binary.file_name().unwrap().to_str().unwrap();
    let dirs = [&resolved, &case.dir].map(|dir| dir.to_str().unwrap());
    let names = [(dirs[0], "DIR"), (dirs[1], "DIR"), (binary, "BINARY"), (&port, "PORT")];
    let plain = |text: &str| {
        let plain =
            names.iter().fold(text.to_owned(), |text, (name, plain)| text.replace(name, plain));
        // Windows shows each path with its own separator.
        if cfg!(windows) { plain.replace('\\', "/") } else { plain }
    };
    let got = plain(&reproducible_part(&case, &run));
    let path = expected(folder);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &got).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(got == expected, "expected\n{expected}\ngot\n{got}\n{run}");
}

/// Returns the file with what is expected of a case on this system. Windows ends a process otherwise than by a signal.
fn expected(folder: &Path) -> PathBuf {
    let special = folder.join("expected.windows.txt");
    if cfg!(windows) && special.is_file() { special } else { folder.join("expected.txt") }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let mut entries: Vec<_> = fs::read_dir(from).unwrap().map(Result::unwrap).collect();
    // The entries are sorted, so that a case that depends on which file is older is the same everywhere.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            // The file is written and not copied, because a copy would keep the modification time on Windows.
            fs::write(to, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// Returns the part of a run that is the same every time.
fn reproducible_part(case: &Case, run: &Run) -> String {
    let mut text = format!("exit code {}\n", run.code.map_or(-1, |code| code));
    if run.code == Some(2) {
        assert_eq!(run.stdout, "", "{run}");
        return text + &run.stderr;
    }
    let mut outcomes = case.outcomes();
    outcomes.sort_by_key(|outcome| (outcome.line, outcome.test.clone()));
    for outcome in &outcomes {
        let Outcome { test, verdict, reason, .. } = outcome;
        let why = outcome.cause.as_ref().map_or(String::new(), |cause| format!(" ({cause})"));
        writeln!(text, "{test}: {}{why}\n    {}", verdict.name(), without_places(reason)).unwrap();
        // The reason on record is the one that was printed.
        if *verdict != Verdict::Pass {
            run.printed([test.as_str(), reason.as_str()]);
        }
    }
    // Remarks on outcomes that are not red are compared too.
    let remarks = run
        .stdout
        .lines()
        .filter(|line| ["changed: ", "note: "].iter().any(|start| line.starts_with(start)));
    for remark in remarks {
        writeln!(text, "{remark}").unwrap();
    }
    text + run.count() + "\n"
}

/// Removes lines and columns of the subjects' source, which change with it.
fn without_places(text: &str) -> String {
    let Some((before, after)) = text.split_once("subjects.rs:") else { return text.to_owned() };
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    format!("{before}subjects.rs: {}", after.trim_start())
}

/// Two different failures never have the same text, apart from the names in it.
fn each_red_has_a_message_of_its_own() {
    let mut seen = BTreeMap::new();
    for folder in folders() {
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
        let lines: Vec<&str> = expected.lines().collect();
        let unmeasured = lines.windows(2).filter(|two| two[0].contains(": unmeasured "));
        for reason in unmeasured.map(|two| two[1]) {
            let outside: String = reason.split('`').step_by(2).collect();
            if let Some(other) = seen.insert(outside.clone(), folder.clone()) {
                assert_eq!(other, folder, "both cases say {outside:?}");
            }
        }
    }
    assert!(seen.len() > 30);
}
