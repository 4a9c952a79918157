//! The record `outcomes.jsonl`: each outcome is appended as one line of JSON, from which every report can be rendered.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::error::Error;
use crate::exact;
use crate::outcome::Outcome;

/// The size in bytes beyond which the file is renamed and a new one is begun, so that it does not grow for ever.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Appends one outcome. The line is written by a single call, so that the lines of concurrent processes never mix.
///
/// # Errors
/// If the line cannot be written whole, as on a full disk or in a read-only directory.
pub fn append(path: &Path, outcome: &Outcome) -> Result<(), Error> {
    let failed = |e| Error::io("append to", path, e);
    if path.metadata().is_ok_and(|file| file.len() > LARGEST) {
        std::fs::rename(path, path.with_extension("old.jsonl")).map_err(failed)?;
    }
    let mut line = serde_json::to_vec(outcome).map_err(|e| failed(e.into()))?;
    line.push(b'\n');
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    file.write_all(&line).map_err(failed)
}

/// Reads all outcomes, in the order in which they were written.
///
/// # Errors
/// If the file cannot be read, or if a line is not an outcome; the message names the line.
pub fn read(path: &Path) -> Result<Vec<Outcome>, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(i, line)| {
            exact::read(line.as_bytes()).map_err(|e| {
                Error::other(format!(
                    "failed to read `{}`: line {} is not an outcome: {e}; remove the line",
                    path.display(),
                    i + 1
                ))
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
