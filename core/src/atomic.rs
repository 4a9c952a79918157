//! Files that several processes use at the same time: each is written whole or not at all, and what is in it is
//! computed once.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::exact;

/// Writes a file, and the directories above it. A reader finds the old content or the new content, and never a part of
/// it.
///
/// # Errors
/// If the file cannot be written. It then has its old content.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let nth = WRITTEN.fetch_add(1, Ordering::Relaxed);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    // Other processes and threads may write the same file at this moment.
    let part = path.with_file_name(format!(".{}-{nth}", std::process::id()));
    let written = fs::write(&part, content).and_then(|()| fs::rename(&part, path));
    written.inspect_err(|_| drop(fs::remove_file(&part)))
}

/// Writes a value as the JSON of a file, in the same way.
///
/// # Errors
/// If the value cannot be JSON, or the file cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_vec(value).map_err(io::Error::from);
    text.and_then(|text| write(path, &text)).map_err(|e| Error::io("write", path, e))
}

/// Takes the lock of a file, which another process may hold. It is released when the returned file is dropped.
///
/// # Errors
/// If the file cannot be opened or locked.
pub fn lock(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|e| Error::io("open", path, e))?;
    file.lock().map_err(|e| Error::io("lock", path, e))?;
    Ok(file)
}

/// Returns the value that the file `NAME.json` has, if `place` ends in NAME. If there is no such file, it computes the
/// value and writes it, while other processes that want the same value wait.
///
/// # Errors
/// If the file cannot be read or written, or if the lock `NAME.lock` cannot be taken.
pub fn once<T: Serialize + DeserializeOwned>(
    place: &Path,
    compute: impl FnOnce() -> T,
) -> Result<T, Error> {
    let path = place.with_extension("json");
    let _lock = lock(&place.with_extension("lock"))?;
    match fs::read(&path) {
        Ok(text) => return exact::read(&text).map_err(|e| Error::io("read", &path, e.into())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(Error::io("read", &path, e)),
    }
    let value = compute();
    write_json(&path, &value)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_value_is_computed_once_and_a_damaged_one_is_an_error() {
        let dir = std::env::temp_dir().join(format!("perf-budget-atomic-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let place = dir.join("value");
        let count = Cell::new(0);
        for _ in 0..2 {
            let compute = || {
                count.set(count.get() + 1);
                vec![0.1 + 0.2, f64::MIN_POSITIVE]
            };
            assert_eq!(once(&place, compute).unwrap(), [0.1 + 0.2, f64::MIN_POSITIVE]);
        }
        assert_eq!(count.get(), 1);
        fs::write(dir.join("value.json"), "[0.3").unwrap();
        let why = once(&place, || vec![0.0]).unwrap_err().to_string();
        assert!(why.contains("failed to read") && why.contains("value.json"), "{why}");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_behind() {
        let dir = std::env::temp_dir().join(format!("perf-budget-whole-{}", std::process::id()));
        write(&dir.join("below/file"), b"one").unwrap();
        write(&dir.join("below/file"), b"two").unwrap();
        assert_eq!(fs::read(dir.join("below/file")).unwrap(), b"two");
        // A directory cannot be replaced by a file.
        write(&dir.join("below"), b"three").unwrap_err();
        let names = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["below"]);
        fs::remove_dir_all(dir).unwrap();
    }
}
