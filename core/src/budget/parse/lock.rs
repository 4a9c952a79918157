//! The reader of `budgets.lock`.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::collect::Reading;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use super::source::Source;
use super::{file, key, syntax, waiver};
use crate::budget::lock::{Environment, Lock, Locked, UNITS, VERSION};
use crate::budget::spelling;
use crate::error::Error;
use crate::quantity::Unit;

/// The most bytes of a file that is read. A block takes about 300 bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads and checks a `budgets.lock`. Without a file no value is accepted.
///
/// # Errors
/// If the file cannot be read or has mistakes. The error shows all of them, as for `budgets.toml`.
pub fn load(path: &Path) -> Result<Lock, Error> {
    if !path.exists() {
        return Ok(Lock::default());
    }
    let text = file::text(path, LARGEST, "run `cargo budget accept`, which writes it")?;
    parse(&text, path)
}

/// Checks the text of a `budgets.lock`. Messages name the file `path`.
///
/// # Errors
/// The errors are those of [`load`], without those of reading a file.
pub fn parse(text: &str, path: &Path) -> Result<Lock, Error> {
    let mut reading = Reading::new(Source::new(path, text.trim_start_matches('\u{feff}')));
    let lock = check(&mut reading);
    if reading.problems.is_empty() {
        Ok(lock)
    } else {
        Err(Error::config(reading.render(), reading.problems.len()))
    }
}

/// Reads everything in `reading` that can be read, and adds the problems to `reading`.
pub(super) fn check(reading: &mut Reading<'_>) -> Lock {
    if let Some(at) = conflict(reading.source.text) {
        let problem = Problem::new(at, "two versions of the file were not merged").help(
            "keep one block of each name, or take either version and run `cargo budget accept`",
        );
        reading.report(problem);
        return Lock::default();
    }
    let syntax = syntax::parse(reading);
    let sound = reading.problems.len();
    let known = version(&syntax.tree, reading);
    let mut lock = Lock::default();
    if known {
        for entry in read::entries(&syntax.tree).into_iter().filter(|e| e.key != "version") {
            if let Some(locked) = block(&entry, reading) {
                lock.values.insert(entry.key.to_owned(), locked);
            }
        }
    }
    syntax.discount(reading, sound);
    lock
}

/// Returns the place of a conflict that version control has left in the text.
fn conflict(text: &str) -> Option<std::ops::Range<usize>> {
    let at = if text.starts_with("<<<<<<< ") {
        0
    } else {
        text.find(
            "
<<<<<<< ",
        )? + 1
    };
    Some(at..at + 7)
}

/// Whether this reader knows the version of the file.
fn version(tree: &DeTable<'_>, reading: &mut Reading<'_>) -> bool {
    const EXAMPLE: &str = "version = 1";
    let Some(entry) = read::entry(tree, "version") else {
        let problem = Problem::new(0..0, "the lock does not say of which version it is");
        reading.report_absence(problem.help(format!("write {EXAMPLE} at its top")));
        return false;
    };
    match read::number(entry.value.get_ref()) {
        Some(1.0) => true,
        Some(version) if version > VERSION as f64 => {
            let title = format!("the lock is of version {version}, and {VERSION} is known here");
            let help =
                "a newer perf-budget wrote it: update perf-budget, or accept the values anew";
            reading.report(Problem::new(entry.value.span(), title).help(help));
            false
        }
        _ => {
            let problem =
                Problem::new(entry.value.span(), "the lock is of no version that there is");
            reading.report(problem.help(format!("write {EXAMPLE}")));
            false
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn block(entry: &Entry<'_>, reading: &mut Reading<'_>) -> Option<Locked> {
    const EXAMPLE: &str = "[\"BUDGET::METRIC\"]";
    let table = match entry.value.get_ref() {
        DeValue::Table(table) if entry.key.contains("::") => table,
        _ => {
            let title = format!("{} is not an accepted value", quoted(entry.key));
            let help = format!("a lock has `version` and blocks of {EXAMPLE}");
            reading.report(Problem::new(entry.at.clone(), title).help(help));
            return None;
        }
    };
    read::check_keys(table, "an accepted value", key::LOCKED, reading);
    for name in ["value", "unit", "date", "environment"] {
        lacks(table, name, entry, reading);
    }
    let value = number(table, "value", reading);
    let (low, high) = (number(table, "low", reading), number(table, "high", reading));
    if let (Some(low), Some(high), Some(at)) = (low, high, read::entry(table, "low"))
        && low > high
    {
        let problem = Problem::new(at.value.span(), "`low` is over `high`");
        reading.report(problem.help("write the lower end of the interval as `low`"));
    }
    let unit = read::entry(table, "unit").and_then(|entry| unit(&entry, reading));
    let date = read::entry(table, "date").and_then(|entry| waiver::date(&entry, reading));
    let commit =
        read::entry(table, "commit").and_then(|e| e.text(reading, "the revision in quotes"));
    let counter = read::entry(table, "counter").and_then(|e| e.text(reading, "it in quotes"));
    let environment = read::entry(table, "environment").and_then(|e| environment(&e, reading));
    let line = reading.line(&entry.at);
    let (value, unit, date, environment) = (value?, unit?, date?, environment?);
    Some(Locked { value, low, high, unit, date, commit, counter, environment, line })
}

fn lacks(table: &DeTable<'_>, name: &str, entry: &Entry<'_>, reading: &mut Reading<'_>) {
    if !table.contains_key(name) {
        let title = format!("{} lacks the key `{name}`", quoted(entry.key));
        let problem = Problem::new(entry.at.clone(), title);
        reading
            .report_absence(problem.help("run `cargo budget accept` for it, or remove the block"));
    }
}

fn number(table: &DeTable<'_>, name: &str, reading: &mut Reading<'_>) -> Option<f64> {
    let entry = read::entry(table, name)?;
    let number = read::number(entry.value.get_ref());
    if number.is_none() {
        let example = "a number in the base unit";
        return read::mismatch(name, entry.value, reading, "a finite number", example);
    }
    number
}

fn unit(entry: &Entry<'_>, reading: &mut Reading<'_>) -> Option<Unit> {
    let example = format!("one of \"{}\"", UNITS.map(|unit| unit.0).join("\", \""));
    let word = entry.text(reading, &example)?;
    let unit = UNITS.iter().find(|unit| unit.0 == word).map(|unit| unit.1);
    if unit.is_none() {
        let near = spelling::nearest(&word, UNITS.iter().map(|unit| unit.0));
        let label = near.map(|near| format!("did you mean \"{near}\"?")).unwrap_or_default();
        let title = format!("{} is not the unit of an accepted value", quoted(&word));
        let problem = Problem::new(entry.value.span(), title).label(label);
        reading.report(problem.help(format!("write {example}")));
    }
    unit
}

fn environment(entry: &Entry<'_>, reading: &mut Reading<'_>) -> Option<Environment> {
    const EXAMPLE: &str = "environment = { platform = \"linux x86_64\", processor = \"…\", cores = 2, \
                           profile = \"release\" }";
    let table = entry.table(reading, EXAMPLE)?;
    read::check_keys(table, "`environment`", key::ENVIRONMENT, reading);
    for name in ["platform", "cores", "profile"] {
        lacks(table, name, entry, reading);
    }
    let text = |name, reading: &mut Reading<'_>| {
        read::entry(table, name).and_then(|entry| entry.text(reading, "it in quotes"))
    };
    let platform = text("platform", reading);
    let profile = text("profile", reading);
    let processor = text("processor", reading).unwrap_or_default();
    let cores = number(table, "cores", reading).map(|cores| cores as usize);
    Some(Environment { processor, cores: cores?, platform: platform?, profile: profile? })
}
