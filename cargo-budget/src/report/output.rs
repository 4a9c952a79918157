//! The output of a report into a file, either as a whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::failure::Failure;
use crate::file;

/// Writes `text` to `path`. A file is written under another name and then renamed, so that nobody can read half of
/// it, and an old file stays until the new one is complete. A device or a pipe is written to directly.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => {
            Err(Failure::io("write", path, &"it is a directory; name a file in it"))
        }
        Ok(data) if !data.is_file() => {
            let device = OpenOptions::new().write(true).open(path);
            let written = device.and_then(|mut device| {
                device.write_all(text.as_bytes())?;
                device.flush()
            });
            written.map_err(|e| Failure::io("write", path, &e))
        }
        _ => file::write(path, text),
    }
}
