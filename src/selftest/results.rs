//! The file of results, one a line.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

/// A file of results. Each is written at once, so that a selftest that is stopped leaves what it has measured.
pub(crate) struct Results(File);

impl Results {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn create(path: &Path) -> io::Result<Results> {
        File::create(path).map(Results)
    }

    /// Adds a result.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn add(&mut self, result: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(result)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}
