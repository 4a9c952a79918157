//! The record `outcomes.jsonl`: one line of JSON for each process of a run that begins, with the tests that it is going
//! to judge, and one line for each outcome. Every report can be rendered from it.
//!
//! A test that was begun and has no outcome was lost: its process was killed, or could not write any more. Reading the
//! record gives such a test a red outcome, so that a run which died half-way is never taken for a whole one.

mod begun;
mod file;
mod mark;

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Error;
use crate::exact;
use crate::outcome::{Cause, Outcome, Run};

use self::file::{is_cut_off, lock_appending, refuse_pipe, tail};

pub use self::begun::{Begun, Test};
pub use self::mark::Mark;

/// Why a test that was lost is red.
const LOST: &str = "the run has no outcome of this test: it is still going on, or it was ended from outside; run the tests again";

/// The size in bytes beyond which the file is renamed and a new one is begun, so that it does not grow for ever.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The content of a record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// The outcomes run by run, in the order in which the runs began, and those of a run in the order in which they were
    /// written. A test without an outcome has a red one, if its process began.
    pub outcomes: Vec<Outcome>,
    /// The processes that began, run by run too.
    pub begun: Vec<Begun>,
    /// The numbers of the lines that are no JSON, counted from 1. A full disk or a killed process leaves such a line,
    /// and what it lost is red.
    pub damaged: Vec<usize>,
}

impl Record {
    /// Adds outcomes to runs of the record. Each becomes the last outcome of its run, before those of later runs.
    pub fn add(&mut self, outcomes: Vec<Outcome>) {
        let runs = order(self.outcomes.iter().map(|outcome| &outcome.run));
        let at = |outcome: &Outcome| runs.get(&outcome.run.id).copied().unwrap_or(runs.len());
        self.outcomes.extend(outcomes);
        self.outcomes.sort_by_key(at);
    }
}

/// Returns the position of each run among these, by its identifier.
fn order<'r>(runs: impl Iterator<Item = &'r Run>) -> HashMap<String, usize> {
    let mut order = HashMap::new();
    for run in runs {
        let next = order.len();
        order.entry(run.id.clone()).or_insert(next);
    }
    order
}

/// Appends one outcome. The line is written by a single call, so that the lines of concurrent processes never mix.
///
/// # Errors
/// If the line cannot be written whole, as on a full disk or in a read-only directory.
pub fn append(path: &Path, outcome: &Outcome) -> Result<(), Error> {
    write_line(path, outcome)
}

/// Appends what a process is going to judge. A large record is renamed first, unless its last line belongs to the same
/// run.
///
/// # Errors
/// If the line cannot be written whole, or the record cannot be renamed.
pub fn begin(path: &Path, begun: &Begun) -> Result<(), Error> {
    begin_within(LARGEST, path, begun)
}

fn begin_within(largest: u64, path: &Path, begun: &Begun) -> Result<(), Error> {
    if path.metadata().is_ok_and(|file| file.is_file() && file.len() > largest)
        && !ends_with(path, &begun.run.id)
    {
        std::fs::rename(path, older_file(path)).map_err(|e| Error::io("rename", path, e))?;
    }
    write_line(path, begun)
}

/// Returns the file that a large record was renamed to.
fn older_file(path: &Path) -> PathBuf {
    path.with_extension("old.jsonl")
}

/// Whether the last line of the record belongs to this run. A line that cannot be read does not.
fn ends_with(path: &Path, run: &str) -> bool {
    let text = tail(path).unwrap_or_default();
    let last = text.lines().next_back().and_then(|line| Line::read(line).ok());
    last.is_some_and(|line| line.run().id == run)
}

/// Appends a value as one line. If the last line was cut off, the new one does not continue it.
fn write_line(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let failed = |e| Error::io("append to", path, e);
    let mut line = serde_json::to_vec(value).map_err(|e| failed(e.into()))?;
    line.push(b'\n');
    refuse_pipe(path)?;
    let _guard = lock_appending();
    let file = OpenOptions::new().append(true).read(true).create(true).open(path);
    let mut file = file.map_err(failed)?;
    let is_file = file.metadata().map_err(failed)?.is_file();
    if is_file && is_cut_off(&mut file).map_err(failed)? {
        line.insert(0, b'\n');
    }
    file.write_all(&line).map_err(failed)
}

/// Reads a record.
///
/// # Errors
/// If the file cannot be read, if a line is JSON but neither an outcome nor the beginning of a process, or if it is not
/// known what was lost with a damaged line. The message names the line.
pub fn read(path: &Path) -> Result<Record, Error> {
    let mut lines = Lines::default();
    lines.read(path)?;
    lines.check_damage(path)?;
    // A record is renamed between two runs. If another run was going on, its beginning is in the renamed file.
    if lines.has_run_without_beginning() && older_file(path).is_file() {
        let rest = std::mem::take(&mut lines);
        lines.read(&older_file(path))?;
        lines.damaged.clear();
        lines.append(rest);
    }
    Ok(lines.record())
}

/// Returns the last run in a record for which `is_wanted` is true, without reading more of a large record than needed.
/// `None` if there is none, or if the file cannot be read.
pub fn last_run(path: &Path, is_wanted: impl Fn(&Run) -> bool) -> Option<Run> {
    // Opening a pipe would block, and a device may have no end.
    if !path.is_file() {
        return None;
    }
    let find = |text: &str, is_read: &dyn Fn(&str) -> bool| {
        let lines = text.lines().rev().filter(|line| is_read(line));
        let mut runs = lines.filter_map(|line| Line::read(line).ok());
        runs.find(|line| is_wanted(line.run())).map(|line| line.run().clone())
    };
    // An outcome may be added to a run after a later one, but each process of a run begins only once.
    let begins = |line: &str| line.starts_with(BEGINS);
    if let Some(run) = find(&tail(path)?, &begins) {
        return Some(run);
    }
    let whole = std::fs::read(path).ok()?;
    let whole = String::from_utf8_lossy(&whole);
    find(&whole, &begins).or_else(|| find(&whole, &|_| true))
}

fn no_outcome(path: &Path, line: usize, why: &serde_json::Error) -> Error {
    Error::other(format!(
        "failed to read `{}`: line {line} is not an outcome: {why}; remove the line",
        path.display()
    ))
}

/// One line of a record.
#[derive(Debug)]
enum Line {
    Begun(Box<Begun>),
    Outcome(Box<Outcome>),
}

/// Why a line cannot be read.
enum Unreadable {
    /// The line is no JSON.
    Damaged(serde_json::Error),
    /// The line is JSON, but no line of a record.
    Foreign(serde_json::Error),
}

/// The beginning of a line that says what a process is going to judge.
const BEGINS: &str = "{\"begun\":";

impl Line {
    fn read(line: &str) -> Result<Line, Unreadable> {
        let unreadable = |e: serde_json::Error| {
            if e.is_data() { Unreadable::Foreign(e) } else { Unreadable::Damaged(e) }
        };
        if line.starts_with(BEGINS) {
            return exact::read(line.as_bytes()).map(Line::Begun).map_err(unreadable);
        }
        exact::read(line.as_bytes()).map(Line::Outcome).map_err(unreadable)
    }

    fn run(&self) -> &Run {
        match self {
            Line::Begun(begun) => &begun.run,
            Line::Outcome(outcome) => &outcome.run,
        }
    }
}

/// The fewest lines for which a further thread is started.
const LINES_OF_A_THREAD: usize = 500;

/// Reads these lines, on several processors if there are many lines.
fn parse(numbered: &[(usize, &str)]) -> Vec<Result<Line, Unreadable>> {
    let read = |lines: &[(usize, &str)]| -> Vec<Result<Line, Unreadable>> {
        lines.iter().map(|(_, line)| Line::read(line)).collect()
    };
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = processors.min(8).min(numbered.len() / LINES_OF_A_THREAD);
    if threads < 2 {
        return read(numbered);
    }
    let size = numbered.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            numbered.chunks(size).map(|part| (part, scope.spawn(move || read(part)))).collect();
        // A thread that panicked has read nothing, so its lines are read once more, here.
        let join = |(part, thread): (_, std::thread::ScopedJoinHandle<'_, _>)| {
            thread.join().unwrap_or_else(|_| read(part))
        };
        parts.into_iter().flat_map(join).collect()
    })
}

/// The lines of a record.
#[derive(Debug, Default)]
struct Lines {
    lines: Vec<Line>,
    damaged: Vec<Damage>,
}

/// A line that is no JSON.
#[derive(Debug)]
struct Damage {
    /// The number of the line, counted from 1.
    line: usize,
    why: serde_json::Error,
    /// Whether the line begins as an outcome does.
    is_outcome: bool,
    /// Whether no line follows.
    is_last: bool,
}

impl Lines {
    fn read(&mut self, path: &Path) -> Result<(), Error> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
        // A cut-off line may end within a character.
        let text = String::from_utf8_lossy(&bytes);
        let numbered: Vec<(usize, &str)> =
            (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).collect();
        let last = numbered.last().map(|(number, _)| *number);
        let parsed = parse(&numbered);
        self.lines.reserve(parsed.len());
        for ((number, line), parsed) in numbered.into_iter().zip(parsed) {
            match parsed {
                Ok(line) => self.lines.push(line),
                Err(Unreadable::Damaged(why)) => self.damaged.push(Damage {
                    line: number,
                    why,
                    is_outcome: line.starts_with("{\"test\":"),
                    is_last: last == Some(number),
                }),
                Err(Unreadable::Foreign(why)) => return Err(no_outcome(path, number, &why)),
            }
        }
        Ok(())
    }

    /// Checks that it is known what was lost with each damaged line.
    ///
    /// # Errors
    /// If a line may have been the beginning of the last process, or an outcome of a last run that has recorded no
    /// beginning.
    fn check_damage(&self, path: &Path) -> Result<(), Error> {
        let last = self.lines.last().map(|line| &line.run().id);
        let begun = |line: &&Line| matches!(line, Line::Begun(_));
        let is_known = self.lines.iter().filter(begun).any(|line| Some(&line.run().id) == last);
        let unknown = |damage: &&Damage| !is_known || (damage.is_last && !damage.is_outcome);
        let unknown = self.damaged.iter().find(unknown);
        unknown.map_or(Ok(()), |damage| Err(no_outcome(path, damage.line, &damage.why)))
    }

    fn append(&mut self, other: Lines) {
        self.lines.extend(other.lines);
        self.damaged.extend(other.damaged);
    }

    /// Whether there is an outcome of a run whose beginning is missing. Records of earlier releases have no beginnings at
    /// all, so nothing is missing in a record without any.
    fn has_run_without_beginning(&self) -> bool {
        let begun = |line: &Line| matches!(line, Line::Begun(_)).then(|| line.run().id.clone());
        let begun: HashSet<String> = self.lines.iter().filter_map(begun).collect();
        !begun.is_empty() && self.lines.iter().any(|line| !begun.contains(&line.run().id))
    }

    /// Returns what the lines say, with a red outcome for each test that was lost.
    fn record(self) -> Record {
        // Each test target of a run may have its own file with budgets, so two targets may have tests of the same name.
        let mut judged: HashMap<(&str, &str), HashSet<&str>> = HashMap::new();
        for line in &self.lines {
            if let Line::Outcome(outcome) = line {
                let run_and_file = (outcome.run.id.as_str(), outcome.file.as_str());
                judged.entry(run_and_file).or_default().insert(&outcome.test);
            }
        }
        let mut lost: Vec<Vec<Outcome>> = Vec::new();
        for line in &self.lines {
            let Line::Begun(begun) = line else { continue };
            let known = judged.entry((&begun.run.id, &begun.file)).or_default();
            // A test that is tried again is begun again, and is lost only once.
            let tests = begun.begun.iter().filter(|test| known.insert(&test.test));
            lost.push(tests.map(|test| begun.lost(test)).collect());
        }
        let mut lost = lost.into_iter();
        let runs = order(self.lines.iter().map(Line::run));
        let damaged = self.damaged.iter().map(|damage| damage.line).collect();
        let mut record = Record { damaged, ..Record::default() };
        for line in self.lines {
            match line {
                Line::Begun(begun) => {
                    record.outcomes.extend(lost.next().unwrap_or_default());
                    record.begun.push(*begun);
                }
                Line::Outcome(outcome) => record.outcomes.push(*outcome),
            }
        }
        record.outcomes.sort_by_key(|outcome| runs.get(&outcome.run.id).copied());
        record.begun.sort_by_key(|begun| runs.get(&begun.run.id).copied());
        record
    }
}

impl Begun {
    /// Returns the outcome of a test that was lost.
    fn lost(&self, test: &Test) -> Outcome {
        let Test { test, budget, case, metric, subject, line } = test.clone();
        Outcome {
            test,
            budget,
            case,
            metric,
            subject,
            line,
            cause: Some(Cause::Harness.name().to_owned()),
            reason: LOST.to_owned(),
            file: self.file.clone(),
            run: self.run.clone(),
            ..Outcome::default()
        }
    }
}

#[cfg(test)]
mod tests;
