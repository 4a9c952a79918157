//! The import of other tools' results into the history.
//!
//! Each tool has a file in this directory, which turns its JSON into `Measured` values. This file puts them together: it
//! finds the files to import, recognizes their tools, and makes one run of each tool's values. Imported values have no
//! limit, so they have no verdict: see `NO_VERDICT`.

mod criterion;
mod files;
mod format;
mod google;
mod gungraun;
mod hyperfine;
mod k6;
mod parsed;

use std::path::{Path, PathBuf};

use self::files::{File, find};
pub(crate) use self::format::Format;
use self::parsed::Parsed;
use super::entry::{Entry, environment_here};
use super::place::Place;
use super::record::{Recorded, write};
use super::revision;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// The files to import, and the commit, branch and environment to record them under.
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

/// Imports the files as one run for each tool. Returns what was done with each.
pub(crate) fn import(
    place: &Place,
    project: Option<&Project>,
    source: &Source<'_>,
    progress: Progress,
) -> Result<Vec<Recorded>, Failure> {
    let directory = project.map_or(Path::new("."), |project| &project.root);
    let revision = revision::resolve(directory, source.commit, source.branch)?;
    let mut entries: Vec<Entry> = Vec::new();
    // All files are read before anything is recorded, so that a bad file leaves the history unchanged.
    let files = find(source.files, source.format)?;
    let work = progress.count("reading", "files", files.len());
    for path in files {
        let file = File::read(&path)?;
        let format = source
            .format
            .or_else(|| Format::ALL.into_iter().find(|&format| recognizes(format, &file)));
        let format = format.ok_or_else(|| {
            Failure::usage(format!(
                "`{}` is not a result of a known tool ({}); if it is one, name the tool by `--tool`",
                file.path.display(),
                Format::ALL.map(Format::name).join(", ")
            ))
        })?;
        let read = read(format, &file).and_then(|read| {
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
        return Ok(entries.iter().map(|entry| Recorded::dry(entry, place)).collect());
    }
    let all = entries.iter().map(|entry| entry.values.len()).sum();
    let work = progress.count("importing", "outcomes", all);
    let mut store = place.create("record in")?;
    entries.iter().map(|entry| write(&mut store, entry, &|| work.step())).collect()
}

/// Whether this tool wrote the file.
fn recognizes(format: Format, file: &File) -> bool {
    match format {
        Format::Criterion => criterion::recognizes(file),
        Format::Hyperfine => hyperfine::recognizes(&file.json),
        Format::Gungraun => gungraun::recognizes(&file.json),
        Format::GoogleBenchmark => google::recognizes(&file.json),
        Format::K6 => k6::recognizes(&file.json),
    }
}

/// Reads the values in the file, as a result of this tool.
fn read(format: Format, file: &File) -> Result<Parsed, String> {
    match format {
        Format::Criterion => criterion::read(file),
        Format::Hyperfine => hyperfine::read(&file.json),
        Format::Gungraun => gungraun::read(&file.json),
        Format::GoogleBenchmark => google::read(&file.json),
        Format::K6 => k6::read(&file.json),
    }
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
