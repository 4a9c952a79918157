//! The file that a selftest writes its results to.

use std::fs::File;
use std::io::Write;

use serde::Serialize;

/// The file of results, one a line. What was measured is written at once, so that a selftest that is stopped leaves it.
pub(super) struct Results(pub(super) File);

impl Results {
    pub(super) fn add(&mut self, result: &impl Serialize) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(result)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}
