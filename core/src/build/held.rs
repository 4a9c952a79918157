//! This program under another name, which stays the same program even if it is built or installed anew meanwhile.

use std::env;
use std::fs;
use std::io;
use std::path::Path;

/// Creates the file `name` as another name of this program: as a second link to its file, or as a copy where the file
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
    match fs::remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Another process may have created it in between.
    if fs::hard_link(&this, name).is_ok() || is_same(&this, name) {
        return Ok(());
    }
    // On Linux this path leads to the program even if its file was removed.
    let itself = Path::new("/proc/self/exe");
    let from = if itself.exists() { itself } else { &this };
    fs::copy(from, name).map(drop)
}

/// Whether both names are those of one file.
#[cfg(unix)]
fn is_same(this: &Path, name: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path| fs::symlink_metadata(path).map(|data| (data.dev(), data.ino())).ok();
    id(this).is_some() && id(this) == id(name)
}

/// Windows lets nobody remove a program that runs, by whichever of its names, so it must be known before that. A copy has the
/// time of its original there.
#[cfg(not(unix))]
fn is_same(this: &Path, name: &Path) -> bool {
    let kept = |path| fs::metadata(path).and_then(|data| Ok((data.len(), data.modified()?))).ok();
    kept(this).is_some() && kept(this) == kept(name)
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
