//! The files to import: those that are named, and the results in directories that are named.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::Value;

use super::format::Format;
use perf_budget_core::fnv;

use crate::failure::Failure;

/// A JSON file that was read.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) json: Value,
    text: String,
    /// When the file was last written, in seconds since 1970.
    pub(super) modified: i64,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<File, Failure> {
        let text = std::fs::read_to_string(path).map_err(|e| Failure::io("read", path, &e))?;
        let json = serde_json::from_str(&text).map_err(|e| {
            let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
            let hint = if lines > 1 && text.starts_with('{') && text.contains("\"type\":\"Point\"")
            {
                "; k6's `--out json` lists every single point; import the file of `--summary-export` instead"
            } else {
                ""
            };
            Failure::usage(format!("`{}` is not JSON: {e}{hint}", path.display()))
        })?;
        let modified = path.metadata().and_then(|file| file.modified()).ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = since.map_or(0, |since| since.as_secs().cast_signed());
        Ok(File { path: path.to_owned(), json, text, modified })
    }

    /// Returns a digest (FNV-1a) of this file's text, chained to the digest of the files before it.
    pub(super) fn digest_after(&self, before: &str) -> u64 {
        fnv::hash(&[before.as_bytes(), &[0xff], self.text.as_bytes()].concat())
    }
}

/// Returns the named files and, for a named directory, the result files below it, sorted by path.
pub(super) fn find(named: &[PathBuf], format: Option<Format>) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            let found = below(path, format)?;
            if found.is_empty() {
                return Err(Failure::usage(format!(
                    "there is no `new/estimates.json` (Criterion) and no `summary.json` (gungraun) below \
                     `{}`; name the files of other tools themselves",
                    path.display()
                )));
            }
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn below(directory: &Path, format: Option<Format>) -> Result<Vec<PathBuf>, Failure> {
    let mut waiting = vec![directory.to_owned()];
    let mut found = Vec::new();
    while let Some(directory) = waiting.pop() {
        let entries =
            std::fs::read_dir(&directory).map_err(|e| Failure::io("read", &directory, &e))?;
        for entry in entries {
            let entry = entry.map_err(|e| Failure::io("read", &directory, &e))?;
            let path = entry.path();
            // Links are not followed, since a circle of them has no end.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(path);
            } else if is_result(&path, format) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_result(path: &Path, format: Option<Format>) -> bool {
    match format {
        Some(Format::Criterion) => path.ends_with("new/estimates.json"),
        Some(Format::Gungraun) => path.ends_with("summary.json"),
        None => path.ends_with("new/estimates.json") || path.ends_with("summary.json"),
        Some(_) => false,
    }
}
