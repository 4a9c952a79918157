//! Tests of the progress line as people see it: the built command runs on a terminal that the test provides.
//!
//! No test depends on how slow the machine is. The command waits for the test, which either holds back the text of a
//! pipe or keeps the history locked.
#![cfg(target_os = "linux")]

mod terminal;

use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use perf_budget_core::outcome::{Outcome, Run};
use perf_budget_core::verdict::Verdict;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::terminal::Terminal;

/// A time longer than the delay before the command shows a line.
const LONG: Duration = Duration::from_millis(800);

/// Returns a directory with a record, and with a pipe in place of another record.
fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("progress-{name}"));
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("a.jsonl"), record("a::p99")).unwrap();
    mknodat(CWD, place.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    place
}

/// Returns a shard with an outcome of this test.
fn record(test: &str) -> String {
    let outcome = Outcome {
        test: test.to_owned(),
        budget: test.to_owned(),
        metric: "p99".to_owned(),
        verdict: Verdict::Pass,
        run: Run { tests: 2, ..Run::default() },
        ..Outcome::default()
    };
    serde_json::to_string(&outcome).unwrap() + "\n"
}

fn command(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
    command.arg("budget").args(arguments).current_dir(place).stdout(Stdio::piped());
    for name in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PERF_BUDGET_HISTORY"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm");
    command
}

/// Writes into the pipe, so that the command can continue.
fn feed(place: &Path, text: &str) {
    File::options()
        .write(true)
        .open(place.join("pipe"))
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

const MERGE: [&str; 4] = ["report", "--merge", "a.jsonl", "pipe"];

#[test]
fn counted_work_has_a_bar_that_is_removed() {
    let place = place("bar");
    let mut terminal = Terminal::new(80);
    let child = terminal.run(&mut command(&place, &MERGE));
    terminal.wait("reading 1 of 2 files  [==========>         ]   50 %");
    feed(&place, &record("b::p99"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 limits of "));
    assert_eq!(terminal.left(), "");
}

#[test]
fn uncounted_work_has_a_turning_sign() {
    let place = place("turns");
    let mut terminal = Terminal::new(80);
    let child = terminal.run(&mut command(&place, &["report", "--input", "pipe"]));
    for sign in
        ["| reading files  ", "/ reading files  ", "- reading files  ", "\\ reading files  "]
    {
        terminal.wait(sign);
    }
    feed(&place, &record("b::p99"));
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(terminal.left(), "");
}

#[test]
fn an_error_has_its_own_line() {
    let place = place("error");
    let mut terminal = Terminal::new(80);
    let child = terminal.run(&mut command(&place, &MERGE));
    terminal.wait("reading 1 of 2 files");
    feed(&place, "rubbish\n");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(3));
    let left = terminal.left();
    assert!(left.starts_with("error: failed to read `pipe`: line 1 is not an outcome"), "{left}");
}

#[test]
fn a_signal_removes_the_line_and_ends_the_command() {
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let place = place(&format!("signal-{}", signal.as_raw()));
        let mut terminal = Terminal::new(80);
        let child = terminal.run(&mut command(&place, &MERGE));
        terminal.wait("reading 1 of 2 files");
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, signal).unwrap();
        let status = child.wait_with_output().unwrap().status;
        assert_eq!(status.signal(), Some(signal.as_raw()));
        assert_eq!(terminal.left(), "");
        // The cursor was never hidden.
        assert!(!terminal.seen().contains("\u{1b}[?25l"));
    }
}

#[cfg(feature = "import")]
#[test]
fn recording_shows_progress() {
    let place = place("history");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history/samples");
    let sample = samples.join("hyperfine.json");
    let import = |file: &str| {
        let mut command = command(&place, &["history", "import", file, "--db", "history.sqlite"]);
        command.env("GIT_CEILING_DIRECTORIES", env!("CARGO_TARGET_TMPDIR"));
        command
    };
    let other = samples.join("google_benchmark.json");
    assert!(import(other.to_str().unwrap()).output().unwrap().status.success());
    let lock = rusqlite::Connection::open(place.join("history.sqlite")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut terminal = Terminal::new(80);
    let child = terminal.run(&mut import(sample.to_str().unwrap()));
    terminal.wait("importing 0 of ");
    lock.execute_batch("COMMIT").unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    let left = terminal.left();
    assert!(left.starts_with("recorded ") && !left.contains("importing"), "{left}");
}

/// How a case changes the command.
type Change = fn(&mut Command) -> &mut Command;

/// Runs work that takes longer than the delay of the line; returns everything that was written to the terminal.
fn seen(name: &str, change: Change) -> String {
    let place = place(name);
    let mut terminal = Terminal::new(80);
    let mut command = command(&place, &["report", "--merge", "a.jsonl", "a.jsonl", "pipe"]);
    change(&mut command);
    let child = terminal.run(&mut command);
    std::thread::sleep(LONG);
    feed(&place, &record("b::p99"));
    assert!(child.wait_with_output().unwrap().status.success());
    terminal.left();
    terminal.seen()
}

#[test]
fn the_line_is_hidden_where_it_is_unwanted() {
    let check = |name, change: Change| {
        let seen = seen(name, change);
        assert!(!seen.contains("reading") && !seen.contains("\u{1b}[2K"), "{name}: {seen:?}");
    };
    check("quiet", |command| command.arg("--quiet"));
    check("ci", |command| command.env("CI", "true"));
    check("dumb", |command| command.env("TERM", "dumb"));
    check("no-term", |command| command.env_remove("TERM"));
    let place = place("file");
    let file = File::create(place.join("error")).unwrap();
    let mut command = command(&place, &[&MERGE[..], &["--color", "always"]].concat());
    let child = command.stderr(file).spawn().unwrap();
    std::thread::sleep(LONG);
    feed(&place, &record("b::p99"));
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(std::fs::read_to_string(place.join("error")).unwrap(), "");
}

/// Returns everything that was written to a terminal on which the line appears.
#[track_caller]
fn line(name: &str, columns: u16, change: Change) -> String {
    let place = place(name);
    let mut terminal = Terminal::new(columns);
    let mut command = command(&place, &MERGE);
    change(&mut command);
    let child = terminal.run(&mut command);
    terminal.wait("reading 1 of 2 files");
    feed(&place, &record("b::p99"));
    assert!(child.wait_with_output().unwrap().status.success());
    terminal.left();
    terminal.seen()
}

#[test]
fn colours_follow_the_options() {
    let check = |name, coloured, change: Change| {
        let seen = line(name, 80, change);
        assert_eq!(seen.contains("\u{1b}[2mreading"), coloured, "{name}: {seen:?}");
    };
    check("plain", true, |command| command);
    check("no-color", false, |command| command.env("NO_COLOR", "1"));
    check("never", false, |command| command.args(["--color", "never"]));
    check("always", true, |command| command.args(["--color", "always"]).env("NO_COLOR", "1"));
}

#[test]
fn the_line_fits_a_narrow_terminal() {
    let seen = line("narrow", 22, |command| command);
    assert!(
        seen.contains("reading 1 of 2 files\u{1b}[0m") && !seen.contains("files  "),
        "{seen:?}"
    );
}
