//! Reading and writing of files that people edit. Such a file is written completely or not at all.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::failure::Failure;

/// Reads a file as text.
#[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::InvalidData => {
            Failure::io("read", path, &"it is not UTF-8; save the file as UTF-8")
        }
        _ => Failure::io("read", path, &e),
    })
}

/// Writes a file unless it has this content, so that cargo builds nothing anew.
pub(crate) fn write_if_other(path: &Path, text: &str) -> Result<(), Failure> {
    if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    write(path, text)
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    removed(path, std::fs::remove_file(path))
}

/// Removes a directory with all that is in it, if it is there.
pub(crate) fn remove_directory(path: &Path) -> Result<(), Failure> {
    removed(path, std::fs::remove_dir_all(path))
}

fn removed(path: &Path, result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Failure::io("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Writes a file completely or not at all: the text is written to a file beside it, which is then renamed. A symbolic
/// link stays a link to the file, and the permissions of the file stay the same.
#[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let target = match path.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(e) => return Err(Failure::io("resolve", path, &e)),
    };
    let old = target.metadata().ok().map(|file| file.permissions());
    if old.as_ref().is_some_and(std::fs::Permissions::readonly) {
        return Err(Failure::io("write", path, &"it may only be read; allow writing it"));
    }
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let failed = |e: std::io::Error| {
        let remedy = match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "; the file is as it was: make room and run this again"
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "; the file is as it was: a new one is written beside it first, so its directory must be writable"
            }
            _ => "; the file is as it was",
        };
        Failure::io("write", path, &format!("{e}{remedy}"))
    };
    std::fs::create_dir_all(parent).map_err(failed)?;
    sweep(parent);
    let mut builder = tempfile::Builder::new();
    builder.prefix(BESIDE.0).suffix(BESIDE.1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // These are the permissions of any new file; the system removes those in the process's umask.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(parent).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if let Some(old) = old {
        file.as_file().set_permissions(old).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The beginning and the end of the name of a file that is written beside another.
const BESIDE: (&str, &str) = (".budgets-", ".new");

/// The age at which such a file is certainly not written any more.
const ABANDONED: Duration = Duration::from_secs(60);

/// Removes the files in a directory that were left by processes that were killed while they wrote. A file that cannot
/// be removed does no harm.
fn sweep(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(BESIDE.0) && name.ends_with(BESIDE.1));
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if is_ours && age().is_some_and(|age| age > ABANDONED) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_a_killed_process_left_is_removed_and_a_recent_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in [".budgets-old.new", ".budgets-new.new", "old.new"] {
            std::fs::write(at(name), "half").unwrap();
        }
        let long_ago = std::time::SystemTime::now() - 10 * ABANDONED;
        for name in [".budgets-old.new", "old.new"] {
            let file = std::fs::File::options().append(true).open(at(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        write(&at("budgets.toml"), "whole").unwrap();
        let there =
            [".budgets-old.new", ".budgets-new.new", "old.new"].map(|name| at(name).exists());
        assert_eq!(there, [false, true, true]);
    }

    #[test]
    fn a_read_only_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("budgets.toml");
        std::fs::write(&path, "old").unwrap();
        let mut permissions = path.metadata().unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&path, permissions).unwrap();
        let failure = write(&path, "new").unwrap_err();
        assert!(failure.text.contains("may only be read"), "{failure}");
        assert_eq!(read(&path).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_the_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.toml"), dir.path().join("budgets.toml"));
        std::fs::write(&real, "old").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(read(&real).unwrap(), "new");
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_path_that_cannot_be_written_gives_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let failure = write(&dir.path().join("file/budgets.toml"), "new").unwrap_err();
        assert_eq!(failure.exit.code(), 3);
        assert!(failure.text.starts_with("failed to "), "{failure}");
    }
}
