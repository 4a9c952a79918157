//! The file of a record, apart from the meaning of its lines.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;

/// Fails if the file to append to is a named pipe, since opening it may block for ever. A pipe below `/dev` or `/proc` is one
/// that another program has passed on, and reads. A record that a user names to be read may be a pipe.
#[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "it can fail on Unix"))]
pub(super) fn refuse_pipe(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let is_given = path.starts_with("/dev") || path.starts_with("/proc");
        if !is_given && path.metadata().is_ok_and(|data| data.file_type().is_fifo()) {
            let text = format!("`{}` is a named pipe, and no record; remove it", path.display());
            return Err(Error::other(text));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Waits until no other thread of this process appends a line, and keeps them waiting as long as the returned guard lives. On
/// some systems the lines of two threads would mix.
pub(super) fn lock_appending() -> MutexGuard<'static, ()> {
    static APPENDING: Mutex<()> = Mutex::new(());
    APPENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the file ends within a line.
pub(super) fn is_cut_off(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The number of bytes at the end of a record that are searched first for its last run.
const TAIL: u64 = 256 * 1024;

/// Returns the last lines of a record. The first of them may be cut off.
pub(super) fn tail(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
