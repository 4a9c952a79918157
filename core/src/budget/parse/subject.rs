//! The reader of a budget's subject: exactly one of the keys in [`KEYS`], and the keys that belong to a command
//! alone.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::collect::Mistakes;
use super::key;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use crate::budget::{Cache, Command, Constraint, Library, Ready, Subject};
use crate::metric::SubjectKind;
use crate::quantity::{Quantity, Unit};

/// The keys that name a subject.
pub(super) const KEYS: [(&str, SubjectKind); 6] = [
    ("artifact", SubjectKind::Artifact),
    ("command", SubjectKind::Command),
    ("workload", SubjectKind::Workload),
    ("criterion", SubjectKind::Criterion),
    ("divan", SubjectKind::Divan),
    ("libtest", SubjectKind::Libtest),
];

/// The words for [`Cache`], each with its meaning.
pub(super) const CACHE: &[(&str, &str, Cache)] = &[
    ("warm", "the program's file has been read before", Cache::Warm),
    ("evicted", "the pages of the program's file are dropped before each run", Cache::Evicted),
];

/// Returns the kind of the subject of the budget whose header is at `at`. If there is no subject or several, this is
/// reported. `meant` are the keys that misspelt ones were probably meant to be.
pub(super) fn kind(
    budget: &DeTable<'_>,
    at: &Range<usize>,
    meant: &[&str],
    mistakes: &mut Mistakes<'_>,
) -> Option<SubjectKind> {
    let mut named: Vec<_> =
        KEYS.iter().filter_map(|k| Some((read::entry(budget, k.0)?, k.1))).collect();
    named.sort_by_cached_key(|(entry, _)| entry.at.start);
    match named.as_slice() {
        // A table says that a record is read, and that nothing is run.
        [(entry, SubjectKind::Criterion)] if entry.value.get_ref().is_table() => {
            Some(SubjectKind::Record)
        }
        [(_, kind)] => Some(*kind),
        [(first, _), (second, _), ..] => {
            let title = "a budget has one subject, this one has several";
            mistakes.report(
                Problem::new(second.at.clone(), title)
                    .also(first.at.clone(), "first here")
                    .help("make a budget of each"),
            );
            None
        }
        [] => {
            let guessed = KEYS.iter().find(|key| meant.contains(&key.0));
            if guessed.is_none() {
                mistakes.report_absence(
                    Problem::new(at.clone(), "the budget has no subject")
                        .help("write one of artifact = \"FILE\", command = [\"PROGRAM\"], workload = \"NAME\", criterion = \"GROUP/BENCH\""),
                );
            }
            guessed.map(|key| key.1)
        }
    }
}

/// Reads the subject itself. `None` if it has a mistake, which is reported.
pub(super) fn read(
    kind: SubjectKind,
    budget: &DeTable<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Subject> {
    match kind {
        SubjectKind::Artifact => artifact(&read::entry(budget, "artifact")?, mistakes),
        SubjectKind::Command => command(budget, mistakes),
        SubjectKind::Workload => {
            let workload = read::entry(budget, "workload")?;
            Some(Subject::Workload(workload.text(mistakes, "the name in quotes: \"merge\"")?))
        }
        SubjectKind::Criterion => benchmark(Library::Criterion, budget, mistakes),
        SubjectKind::Divan => benchmark(Library::Divan, budget, mistakes),
        SubjectKind::Libtest => benchmark(Library::Libtest, budget, mistakes),
        SubjectKind::Record => record(&read::entry(budget, "criterion")?, mistakes),
    }
}

fn benchmark(
    library: Library,
    budget: &DeTable<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Subject> {
    let example = match library {
        Library::Criterion => "the name as Criterion prints it: \"group/bench\", or \"*\" for all",
        Library::Divan => "the name with its path: \"crate::group::bench\", or \"*\" for all",
        Library::Libtest => {
            "the name as `cargo bench` prints it: \"module::bench\", or \"*\" for all"
        }
    };
    let name = read::entry(budget, library.key())?.text(mistakes, example)?;
    Some(Subject::Benchmark(library, name))
}

fn record(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Subject> {
    const EXAMPLE: &str = "criterion = { record = \"group/bench\" }";
    let table = entry.table(mistakes, EXAMPLE)?;
    let problems_before = mistakes.problems.len();
    read::check_keys(table, "`criterion`", key::RECORD, mistakes);
    let Some(record) = read::entry(table, "record") else {
        // An unknown key that has just been reported is probably a misspelt `record`.
        if mistakes.problems.len() > problems_before {
            return None;
        }
        let problem = Problem::new(entry.value.span(), "`criterion` names no record");
        mistakes.report_absence(
            problem.help(format!(
                "write {EXAMPLE}, or criterion = \"group/bench\" to run the benchmark"
            )),
        );
        return None;
    };
    Some(Subject::Record(
        record.text(mistakes, "the name as Criterion prints it: \"group/bench\"")?,
    ))
}

fn artifact(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Subject> {
    const EXAMPLE: &str = "a path, or a list of paths: \"target/release/app\"";
    let DeValue::Array(list) = entry.value.get_ref() else {
        return Some(Subject::Artifact(vec![entry.text(mistakes, EXAMPLE)?]));
    };
    let paths = entry.texts(mistakes, EXAMPLE)?;
    let mut seen = HashSet::new();
    for (path, item) in paths.iter().zip(list.iter()) {
        if !seen.insert(path) {
            let title = format!("{} is listed twice", quoted(path));
            mistakes
                .report(Problem::new(item.span(), title).help("keep one, so that it counts once"));
        }
    }
    Some(Subject::Artifact(paths))
}

fn command(budget: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<Subject> {
    let entry = read::entry(budget, "command")?;
    let argv = argv(&entry, mistakes);
    let mut beside = |key| read::entry(budget, key).map(|entry| self::argv(&entry, mistakes));
    let (prepare, cleanup) = (beside("prepare"), beside("cleanup"));
    let mut path = |key, example| read::entry(budget, key).map(|e| e.text(mistakes, example));
    let cwd = path("cwd", "the directory in quotes: \"fixtures\"");
    let stdin = path("stdin", "the file in quotes: \"tests/input.txt\"");
    let constraint = constraint(budget, mistakes);
    let env = read::entry(budget, "env").map(|e| env(&e, mistakes)).unwrap_or_default();
    let ready = match read::entry(budget, "ready") {
        Some(entry) => ready(&entry, mistakes),
        None => Some(Ready::Exit),
    };
    let cache = match read::entry(budget, "cache") {
        Some(entry) => entry.choice(mistakes, CACHE),
        None => Some(Cache::Warm),
    };
    Some(Subject::Command(Command {
        argv: argv?,
        env,
        ready: ready?,
        cache: cache?,
        // If one of these has a mistake, it has been reported.
        cwd: cwd.flatten(),
        stdin: stdin.flatten(),
        prepare: prepare.flatten().unwrap_or_default(),
        cleanup: cleanup.flatten().unwrap_or_default(),
        constraint,
    }))
}

/// The most `processors`: as many as a set of processors of the kernel has room for.
pub(super) const MOST_PROCESSORS: u32 = 1024;

/// Reads the resources that the subject may use.
pub(super) fn constraint(budget: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Constraint {
    let memory = read::entry(budget, "memory").and_then(|entry| memory(&entry, mistakes));
    let processors = read::entry(budget, "processors");
    let processors = processors.and_then(|entry| entry.count(mistakes, MOST_PROCESSORS));
    Constraint { memory, processors }
}

/// Reads a number of bytes above zero.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn memory(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let quantity = match entry.value.get_ref() {
        DeValue::String(text) => Quantity::parse(text).ok(),
        _ => None,
    };
    match quantity {
        Some(Quantity { value, unit: Unit::Bytes }) if value >= 1.0 => Some(value as u64),
        _ => {
            let title = format!("`{}` has to be a number of bytes with its unit", entry.key);
            mistakes.report(Problem::new(entry.value.span(), title).help("write \"512 MB\""));
            None
        }
    }
}

/// Reads the program, whose name may not be empty, and its arguments, which may be empty texts.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn argv(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<String>> {
    const EXAMPLE: &str = "a list: [\"{bin:app}\", \"--help\"]";
    let list = match entry.value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => list,
        DeValue::String(line) => {
            let words: Vec<_> = line.split_whitespace().map(|w| format!("{w:?}")).collect();
            let title = format!(
                "`{}` is a list of the program and its arguments, not a line for a shell",
                entry.key
            );
            let help = format!("write [{}]", words.join(", "));
            mistakes.report(Problem::new(entry.value.span(), title).help(help));
            return None;
        }
        _ => return read::mismatch(entry.key, entry.value, mistakes, "a list of strings", EXAMPLE),
    };
    let mut argv = Vec::new();
    for (i, item) in list.iter().enumerate() {
        match item.get_ref() {
            DeValue::String(text) if i > 0 && text.is_empty() => argv.push(Some(String::new())),
            _ => argv.push(read::text(entry.key, item, mistakes, "each argument in quotes")),
        }
    }
    argv.into_iter().collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn env(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Vec<(String, String)> {
    let Some(table) = entry.table(mistakes, "env = { NAME = \"value\" }") else {
        return Vec::new();
    };
    let mut env = Vec::new();
    for variable in read::entries(table) {
        if variable.key.is_empty() || variable.key.contains(['=', '\0']) {
            let title = format!("{} cannot be the name of a variable", quoted(variable.key));
            mistakes.report(Problem::new(variable.at, title).help("write a name without `=`"));
            continue;
        }
        let value = match variable.value.get_ref() {
            DeValue::String(text) if text.is_empty() => Some(String::new()),
            _ => variable.text(mistakes, "the value in quotes"),
        };
        env.extend(value.map(|value| (variable.key.to_owned(), value)));
    }
    env
}

fn ready(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Ready> {
    let table = entry.table(mistakes, "ready = { stdout = \"listening\" }")?;
    read::check_keys(table, "`ready`", key::READY, mistakes);
    let named = read::entries(table).into_iter();
    let named: Vec<_> = named.filter(|e| key::READY.iter().any(|k| k.name == e.key)).collect();
    let one = match named.as_slice() {
        [one] => one,
        [] => {
            if table.is_empty() {
                let title = "`ready` does not say when";
                mistakes.report_absence(Problem::new(entry.value.span(), title).help(
                    "write one of stdout, stderr, port, file, reported; without `ready` it is when the command ends",
                ));
            }
            return None;
        }
        [first, second, ..] => {
            mistakes.report(
                Problem::new(second.at.clone(), "`ready` is one thing, here it is several")
                    .also(first.at.clone(), "first here")
                    .help("keep the last that happens"),
            );
            return None;
        }
    };
    match one.key {
        "stdout" => one.text(mistakes, "the text in quotes").map(Ready::Stdout),
        "stderr" => one.text(mistakes, "the text in quotes").map(Ready::Stderr),
        "file" => {
            one.text(mistakes, "the path in quotes").map(|path| Ready::File(PathBuf::from(path)))
        }
        "reported" => reported(one, mistakes),
        _ => port(one, mistakes),
    }
}

fn reported(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Ready> {
    let name = entry.text(mistakes, "the name of the line in quotes")?;
    if name.contains(char::is_whitespace) {
        let title = format!("{} cannot be the name of a line", quoted(&name));
        mistakes.report(
            Problem::new(entry.value.span(), title).help(
                "write one word, as in reported = \"startup\" for the line `startup 132.4 ms`",
            ),
        );
        return None;
    }
    Some(Ready::Reported(name))
}

fn port(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Ready> {
    let DeValue::Integer(integer) = entry.value.get_ref() else {
        return read::mismatch("port", entry.value, mistakes, "an integer", "a port such as 8080");
    };
    match u16::from_str_radix(integer.as_str(), integer.radix()) {
        Ok(port) if port > 0 => Some(Ready::Port(port)),
        _ => {
            let title = format!("`port` cannot be {}", quoted(&integer.to_string()));
            mistakes.report(
                Problem::new(entry.value.span(), title).help("write a number from 1 to 65535"),
            );
            None
        }
    }
}
