//! Another name for this program, under which it stays the same even if the program is built or installed anew meanwhile.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many names this process has created.
static MADE: AtomicU64 = AtomicU64::new(0);

/// Creates the file `name` as another name of this program: as a second link to its file, or as a copy if the file
/// system allows no such link.
///
/// # Errors
/// If the file cannot be created.
pub fn hold(name: &Path) -> io::Result<()> {
    let this = env::current_exe()?;
    if is_same(&this, name) {
        return Ok(());
    }
    if let Some(directory) = name.parent() {
        fs::create_dir_all(directory)?;
    }
    // On Linux this path leads to the program even if its file was removed.
    let itself = Path::new("/proc/self/exe");
    let from = if itself.exists() { itself } else { &this };
    // Other processes may start the program by this name at any moment.
    let nth = MADE.fetch_add(1, Ordering::Relaxed);
    let part = name.with_file_name(format!(".held-{}-{nth}", std::process::id()));
    let made = fs::hard_link(&this, &part).or_else(|_| fs::copy(from, &part).map(drop));
    let made = made.and_then(|()| fs::rename(&part, name));
    // `rename` leaves `part` in place if both were names of one file already.
    let _ = fs::remove_file(&part);
    made.or_else(|error| if is_same(&this, name) { Ok(()) } else { Err(error) })
}

/// Whether both names are those of one file.
#[cfg(unix)]
fn is_same(this: &Path, name: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path| fs::symlink_metadata(path).map(|data| (data.dev(), data.ino())).ok();
    id(this).is_some() && id(this) == id(name)
}

/// Whether both names are those of the same program: a copy has the length and the time of its original on Windows. This must be
/// known before the name is replaced, since Windows lets nobody remove a program that runs, by any of its names.
#[cfg(not(unix))]
fn is_same(this: &Path, name: &Path) -> bool {
    let state = |path| fs::metadata(path).and_then(|data| Ok((data.len(), data.modified()?))).ok();
    state(this).is_some() && state(this) == state(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_name_is_the_same_program_and_replaces_what_was_there() {
        let place = env::temp_dir().join(format!("perf-budget-held-{}", std::process::id()));
        let name = place.join("linker/cc");
        hold(&name).unwrap();
        let length = |path: &Path| fs::metadata(path).unwrap().len();
        assert_eq!(length(&name), length(&env::current_exe().unwrap()));
        hold(&name).unwrap();
        let name = place.join("earlier/cc");
        fs::create_dir(name.parent().unwrap()).unwrap();
        fs::write(&name, "another release").unwrap();
        hold(&name).unwrap();
        hold(&name).unwrap();
        assert_eq!(length(&name), length(&env::current_exe().unwrap()));
        fs::remove_dir_all(&place).unwrap();
    }
}
