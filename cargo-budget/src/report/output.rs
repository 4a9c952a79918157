//! Where a rendering goes: a file, whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::failure::Failure;

/// Writes `text` to `path`. A file is written beside its place and renamed, so that nobody ever reads
/// half of it and an old one stays until the new one is whole; what is no file (a device, a pipe) is
/// written to as it is.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    // Through a link, or the rename would put a file in the link's place.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let written = match fs::metadata(&place) {
        Ok(data) if data.is_dir() => {
            Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; name a file in it"))
        }
        Ok(data) if !data.is_file() => straight(&place, text),
        _ => beside(&place, text),
    };
    written.map_err(|e| Failure::io("write", path, &e))
}

fn straight(place: &Path, text: &str) -> io::Result<()> {
    let mut device = OpenOptions::new().write(true).open(place)?;
    device.write_all(text.as_bytes())?;
    device.flush()
}

fn beside(place: &Path, text: &str) -> io::Result<()> {
    let Some(name) = place.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no file"));
    };
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(format!(".{}.part", std::process::id()));
    let part = place.with_file_name(part);
    let whole = OpenOptions::new().write(true).create(true).truncate(true).open(&part).and_then(
        |mut file| {
            file.write_all(text.as_bytes())?;
            // Some systems say only now that the disk is full.
            file.sync_all()
        },
    );
    let renamed = whole.and_then(|()| fs::rename(&part, place));
    if renamed.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&part);
    }
    renamed
}
