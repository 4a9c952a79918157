//! The reader of `budgets.lock`.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::collect::Mistakes;
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
    let mut mistakes = Mistakes::new(Source::new(path, text.trim_start_matches('\u{feff}')));
    let lock = check(&mut mistakes);
    if mistakes.problems.is_empty() {
        Ok(lock)
    } else {
        Err(Error::config(mistakes.render(), mistakes.problems.len()))
    }
}

/// Reads everything in `mistakes` that can be read, and adds the problems to `mistakes`.
pub(super) fn check(mistakes: &mut Mistakes<'_>) -> Lock {
    if let Some(at) = conflict(mistakes.source.text) {
        let problem = Problem::new(at, "two versions of the file were not merged").help(
            "keep one block of each name, or take either version and run `cargo budget accept`",
        );
        mistakes.report(problem);
        return Lock::default();
    }
    let syntax = syntax::parse(mistakes);
    let problems_before = mistakes.problems.len();
    let mut lock = Lock::default();
    if has_known_version(&syntax.tree, mistakes) {
        for entry in read::entries(&syntax.tree).into_iter().filter(|e| e.key != "version") {
            if let Some(locked) = block(&entry, mistakes) {
                lock.values.insert(entry.key.to_owned(), locked);
            }
        }
    }
    syntax.remove_consequences(mistakes, problems_before);
    lock
}

/// Returns the place of a conflict that version control has left in the text.
fn conflict(text: &str) -> Option<std::ops::Range<usize>> {
    let at = if text.starts_with("<<<<<<< ") { 0 } else { text.find("\n<<<<<<< ")? + 1 };
    Some(at..at + 7)
}

/// Whether this reader knows the version of the file. If not, this is reported.
fn has_known_version(tree: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> bool {
    let example = format!("version = {VERSION}");
    let Some(entry) = read::entry(tree, "version") else {
        let problem = Problem::new(0..0, "the lock does not say which version it has");
        mistakes.report_absence(problem.help(format!("write {example} at its top")));
        return false;
    };
    match read::number(entry.value.get_ref()) {
        Some(version) if (1.0..=VERSION as f64).contains(&version) && version.fract() == 0.0 => {
            true
        }
        Some(version) if version > VERSION as f64 => {
            let title = format!("the lock is of version {version}, and {VERSION} is known here");
            let help =
                "a newer perf-budget wrote it: update perf-budget, or accept the values anew";
            mistakes.report(Problem::new(entry.value.span(), title).help(help));
            false
        }
        _ => {
            let problem = Problem::new(entry.value.span(), "there is no such version of the lock");
            mistakes.report(problem.help(format!("write {example}")));
            false
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn block(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Locked> {
    const EXAMPLE: &str = "[\"BUDGET::METRIC\"]";
    let table = match entry.value.get_ref() {
        DeValue::Table(table) if entry.key.contains("::") => table,
        _ => {
            let title = format!("{} is not an accepted value", quoted(entry.key));
            let help = format!("a lock has `version` and blocks of {EXAMPLE}");
            mistakes.report(Problem::new(entry.at.clone(), title).help(help));
            return None;
        }
    };
    read::check_keys(table, "an accepted value", key::LOCKED, mistakes);
    for name in ["value", "unit", "date", "environment"] {
        require_key(table, name, entry, mistakes);
    }
    let value = number(table, "value", mistakes);
    let (low, high) = (number(table, "low", mistakes), number(table, "high", mistakes));
    if let (Some(low), Some(high), Some(at)) = (low, high, read::entry(table, "low"))
        && low > high
    {
        let problem = Problem::new(at.value.span(), "`low` is over `high`");
        mistakes.report(problem.help("write the lower end of the interval as `low`"));
    }
    let unit = read::entry(table, "unit").and_then(|entry| unit(&entry, mistakes));
    let date = read::entry(table, "date").and_then(|entry| waiver::date(&entry, mistakes));
    let commit =
        read::entry(table, "commit").and_then(|e| e.text(mistakes, "the revision in quotes"));
    let counter = read::entry(table, "counter").and_then(|e| e.text(mistakes, "it in quotes"));
    let environment = read::entry(table, "environment").and_then(|e| environment(&e, mistakes));
    let line = mistakes.line(&entry.at);
    let (value, unit, date, environment) = (value?, unit?, date?, environment?);
    Some(Locked { value, low, high, unit, date, commit, counter, environment, line })
}

/// Reports a key that an accepted value needs and does not have.
fn require_key(table: &DeTable<'_>, name: &str, entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) {
    if !table.contains_key(name) {
        let title = format!("{} lacks the key `{name}`", quoted(entry.key));
        let problem = Problem::new(entry.at.clone(), title);
        mistakes
            .report_absence(problem.help("run `cargo budget accept` for it, or remove the block"));
    }
}

fn number(table: &DeTable<'_>, name: &str, mistakes: &mut Mistakes<'_>) -> Option<f64> {
    let entry = read::entry(table, name)?;
    let number = read::number(entry.value.get_ref());
    if number.is_none() {
        let example = "a number in the base unit";
        return read::mismatch(name, entry.value, mistakes, "a finite number", example);
    }
    number
}

fn unit(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Unit> {
    let example = format!("one of \"{}\"", UNITS.map(|unit| unit.0).join("\", \""));
    let word = entry.text(mistakes, &example)?;
    let unit = UNITS.iter().find(|unit| unit.0 == word).map(|unit| unit.1);
    if unit.is_none() {
        let near = spelling::nearest(&word, UNITS.iter().map(|unit| unit.0));
        let label = near.map(|near| format!("did you mean \"{near}\"?")).unwrap_or_default();
        let title = format!("{} is not the unit of an accepted value", quoted(&word));
        let problem = Problem::new(entry.value.span(), title).label(label);
        mistakes.report(problem.help(format!("write {example}")));
    }
    unit
}

fn environment(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Environment> {
    const EXAMPLE: &str = "environment = { platform = \"linux x86_64\", processor = \"…\", cores = 2, \
                           profile = \"release\" }";
    let table = entry.table(mistakes, EXAMPLE)?;
    read::check_keys(table, "`environment`", key::ENVIRONMENT, mistakes);
    for name in ["platform", "cores", "profile"] {
        require_key(table, name, entry, mistakes);
    }
    let text = |name, mistakes: &mut Mistakes<'_>| {
        read::entry(table, name).and_then(|entry| entry.text(mistakes, "it in quotes"))
    };
    let platform = text("platform", mistakes);
    let profile = text("profile", mistakes);
    let processor = text("processor", mistakes).unwrap_or_default();
    let cores = number(table, "cores", mistakes).map(|cores| cores as usize);
    Some(Environment { processor, cores: cores?, platform: platform?, profile: profile? })
}
