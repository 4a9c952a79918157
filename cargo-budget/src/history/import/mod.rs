//! The import of other tools' results into the history.
//!
//! Each tool has a file in this directory, which turns its JSON into `Measured` values. This file has what they
//! share: it finds the files, recognizes their tools, and makes one run of each tool's values. Imported values have
//! no limit, so they have no verdict: see `NO_VERDICT`.

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
use super::record::{summary, write};
use super::revision;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// A tool whose results can be imported.
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

/// What to import, and what to record it as.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) files: &'a [PathBuf],
    /// The tool; `None` means that each file is recognized by its contents.
    pub(crate) format: Option<Format>,
    pub(crate) commit: Option<&'a str>,
    pub(crate) branch: Option<&'a str>,
    pub(crate) environment: Option<&'a str>,
    pub(crate) dry: bool,
}

/// The values in a file.
#[derive(Debug, Default, PartialEq)]
struct Parsed {
    values: Vec<Measured>,
    /// When they were measured, in seconds since 1970, where the file says so.
    began: Option<i64>,
    /// The version of the format, where the file says so.
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

    /// Returns the name of the tool.
    fn name(self) -> &'static str {
        match self {
            Format::Criterion => "criterion",
            Format::Hyperfine => "hyperfine",
            Format::Gungraun => "gungraun",
            Format::GoogleBenchmark => "google-benchmark",
            Format::K6 => "k6",
        }
    }

    /// Returns whether this tool wrote the file.
    fn recognizes(self, file: &File) -> bool {
        match self {
            Format::Criterion => criterion::recognizes(file),
            Format::Hyperfine => hyperfine::recognizes(&file.json),
            Format::Gungraun => gungraun::recognizes(&file.json),
            Format::GoogleBenchmark => google::recognizes(&file.json),
            Format::K6 => k6::recognizes(&file.json),
        }
    }

    fn read(self, file: &File) -> Result<Parsed, String> {
        match self {
            Format::Criterion => criterion::read(file),
            Format::Hyperfine => hyperfine::read(&file.json),
            Format::Gungraun => gungraun::read(&file.json),
            Format::GoogleBenchmark => google::read(&file.json),
            Format::K6 => k6::read(&file.json),
        }
    }
}

/// Imports the files as one run for each tool. Returns sentences that say what was done.
pub(crate) fn import(
    place: &Place,
    project: Option<&Project>,
    source: &Source<'_>,
    progress: Progress,
) -> Result<Vec<String>, Failure> {
    let directory = project.map_or(Path::new("."), |project| &project.root);
    let revision = revision::of(directory, source.commit, source.branch)?;
    let mut entries: Vec<Entry> = Vec::new();
    // All files are read before anything is recorded, so that a bad file leaves the history unchanged.
    let files = find(source.files, source.format)?;
    let work = progress.count("reading", "files", files.len());
    for path in files {
        let file = File::read(&path)?;
        let format = source
            .format
            .or_else(|| Format::ALL.into_iter().find(|format| format.recognizes(&file)));
        let format = format.ok_or_else(|| {
            Failure::usage(format!(
                "`{}` is not a result of a known tool ({}); if it is one, name the tool by `--format`",
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
        refuse_duplicates(entry)?;
    }
    if source.dry {
        let would =
            |entry: &Entry| format!("would record {} in `{}`", summary(entry), place.shown());
        return Ok(entries.iter().map(would).collect());
    }
    let all = entries.iter().map(|entry| entry.values.len()).sum();
    let work = progress.count("importing", "outcomes", all);
    let mut store = place.create("record in")?;
    entries.iter().map(|entry| write(&mut store, entry, &|| work.step())).collect()
}

/// Adds the values of a file to the run of its tool. The run's id is a digest of its files, so that importing the
/// same files again gives the same run.
fn add(entries: &mut Vec<Entry>, file: &File, read: Parsed, new: impl FnOnce(String) -> Entry) {
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

/// Refuses two values of the same name, since the history would keep only one of them.
fn refuse_duplicates(entry: &Entry) -> Result<(), Failure> {
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

/// Returns the number at the end of the path `keys`.
fn number(value: &Value, keys: &[&str]) -> Option<f64> {
    keys.iter().try_fold(value, |value, key| value.get(key))?.as_f64()
}

/// Returns the text at `key`.
fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}
