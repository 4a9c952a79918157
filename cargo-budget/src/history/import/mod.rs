//! Results of other tools, into the history.
//!
//! Each format is one file beside this, from a JSON value to `Measured` values; here is what they share:
//! which files, which tool wrote them, and what run they become. What is imported has no limit, so it has
//! no verdict: see `NO_VERDICT`.

mod criterion;
mod files;
mod google;
mod gungraun;
mod hyperfine;
mod k6;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use self::files::{File, find};
use super::Place;
use super::entry::{Entry, Measured, environment_here};
use super::record::{sum, write};
use super::revision;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// A tool whose results are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// target/criterion/**/new/{benchmark,estimates}.json
    Criterion,
    /// hyperfine --export-json
    Hyperfine,
    /// summary.json of gungraun (once iai-callgrind), --save-summary=json
    Gungraun,
    /// --benchmark_out_format=json
    GoogleBenchmark,
    /// k6 run --summary-export, or what handleSummary() gives
    K6,
}

/// What to import.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) files: &'a [PathBuf],
    /// `None`: told from each file.
    pub(crate) format: Option<Format>,
    pub(crate) commit: Option<&'a str>,
    pub(crate) branch: Option<&'a str>,
    pub(crate) environment: Option<&'a str>,
    pub(crate) dry: bool,
}

/// What a file says.
#[derive(Debug, Default, PartialEq)]
struct Read {
    values: Vec<Measured>,
    /// When it was measured, where the file says; seconds since 1970.
    began: Option<i64>,
    /// The format's version, where the file says.
    version: Option<String>,
}

impl Format {
    const ALL: [Format; 5] = [
        Format::Criterion,
        Format::Hyperfine,
        Format::Gungraun,
        Format::GoogleBenchmark,
        Format::K6,
    ];

    /// Its word.
    fn name(self) -> &'static str {
        match self {
            Format::Criterion => "criterion",
            Format::Hyperfine => "hyperfine",
            Format::Gungraun => "gungraun",
            Format::GoogleBenchmark => "google-benchmark",
            Format::K6 => "k6",
        }
    }

    /// Whether the file is of this tool.
    fn is_of(self, file: &File) -> bool {
        match self {
            Format::Criterion => criterion::is(file),
            Format::Hyperfine => hyperfine::is(&file.json),
            Format::Gungraun => gungraun::is(&file.json),
            Format::GoogleBenchmark => google::is(&file.json),
            Format::K6 => k6::is(&file.json),
        }
    }

    fn read(self, file: &File) -> Result<Read, String> {
        match self {
            Format::Criterion => criterion::read(file),
            Format::Hyperfine => hyperfine::read(&file.json),
            Format::Gungraun => gungraun::read(&file.json),
            Format::GoogleBenchmark => google::read(&file.json),
            Format::K6 => k6::read(&file.json),
        }
    }
}

/// Imports files, as one run for each tool; sentences that say what was done.
pub(crate) fn import(
    place: &Place,
    project: Option<&Project>,
    source: &Source<'_>,
    progress: Progress,
) -> Result<Vec<String>, Failure> {
    let directory = project.map_or(Path::new("."), |project| &project.root);
    let revision = revision::of(directory, source.commit, source.branch)?;
    let mut entries: Vec<Entry> = Vec::new();
    // All files are understood before any is recorded.
    let files = find(source.files, source.format)?;
    let work = progress.count("reading", "files", files.len());
    for path in files {
        let file = File::read(&path)?;
        let format =
            source.format.or_else(|| Format::ALL.into_iter().find(|format| format.is_of(&file)));
        let format = format.ok_or_else(|| {
            Failure::usage(format!(
                "`{}` is no result of a tool that is known: {}; if it is, say which by `--format`",
                file.path.display(),
                Format::ALL.map(Format::name).join(", ")
            ))
        })?;
        let read = format.read(&file).and_then(|read| {
            if read.values.is_empty() { Err("it has no results".to_owned()) } else { Ok(read) }
        });
        let read = read.map_err(|why| {
            Failure::usage(format!(
                "failed to import `{}` as a result of {}: {why}",
                file.path.display(),
                format.name()
            ))
        })?;
        let environment =
            source.environment.map_or_else(|| environment_here(format.name()), str::to_owned);
        add(&mut entries, &file, read, |id| Entry {
            id,
            began: 0,
            revision: revision.clone(),
            environment,
            version: String::new(),
            source: format.name().to_owned(),
            values: Vec::new(),
        });
        work.step();
    }
    drop(work);
    for entry in &entries {
        refuse_doubles(entry)?;
    }
    if source.dry {
        let would = |entry: &Entry| format!("would record {} in `{}`", sum(entry), place.shown());
        return Ok(entries.iter().map(would).collect());
    }
    let all = entries.iter().map(|entry| entry.values.len()).sum();
    let work = progress.count("importing", "outcomes", all);
    let mut store = place.create("record in")?;
    entries.iter().map(|entry| write(&mut store, entry, &|| work.step())).collect()
}

/// Adds what a file says to the run of its tool. The run's id is a digest of its files, so that the same
/// files are the same run.
fn add(entries: &mut Vec<Entry>, file: &File, read: Read, new: impl FnOnce(String) -> Entry) {
    let entry = new(String::new());
    let i = entries.iter().position(|known| known.source == entry.source).unwrap_or_else(|| {
        entries.push(entry);
        entries.len() - 1
    });
    let entry = &mut entries[i];
    let began = read.began.unwrap_or(file.modified);
    entry.began = entry.began.max(began);
    entry.version = read.version.unwrap_or_default();
    entry.values.extend(read.values);
    entry.id = format!("{}-{:016x}", entry.source, file.digest_after(&entry.id));
}

/// Two values of one name would be one in the history.
fn refuse_doubles(entry: &Entry) -> Result<(), Failure> {
    let mut names: Vec<&str> = entry.values.iter().map(|value| value.test.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Failure::usage(format!(
            "`{}` is in the files of {} twice; import files of different runs one by one",
            pair[0], entry.source
        ))),
        None => Ok(()),
    }
}

/// The number at `keys`.
fn number(value: &Value, keys: &[&str]) -> Option<f64> {
    keys.iter().try_fold(value, |value, key| value.get(key))?.as_f64()
}

/// The text at `key`.
fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}
