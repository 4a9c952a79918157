//! The seal of the files that one process leaves for another: compressed sizes, evidence, and outcomes of the same run.
//!
//! These files are in the directory of results, which is often part of a cache that is restored from elsewhere, and
//! which anybody who works on the project may edit. A file that was made up would turn a red limit green. So each of
//! them has a seal: an HMAC-SHA256 of its content with a key that never leaves this user's own cache directory. A file
//! without the right seal is ignored, and its values are measured anew.
//!
//! The alternative is to keep nothing. But compressing some megabytes takes longer than all other limits on them, and
//! without evidence a red could be run again until it is green by chance.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::OnceLock;

use hmac_sha256::HMAC;
use perf_budget_core::paths;

use crate::os::random::random;

/// The file in the user's cache directory that has the key.
const NAME: &str = "seal.key";
/// The length of the key in bytes.
const LENGTH: usize = 32;

/// The key of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal([u8; LENGTH]);

impl Seal {
    /// Returns the seal of this user. The first process that needs the key makes it. `None` if there is no place for
    /// it; nothing is kept then.
    pub(crate) fn of_user() -> Option<Seal> {
        static SEAL: OnceLock<Option<Seal>> = OnceLock::new();
        *SEAL.get_or_init(|| Seal::in_directory(&paths::user_cache()?).ok())
    }

    /// Returns the seal whose key is in this directory, and makes the key if there is none.
    pub(crate) fn in_directory(directory: &Path) -> io::Result<Seal> {
        let path = directory.join(NAME);
        match read(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        fs::create_dir_all(directory)?;
        // Another process may have the same number, in another container.
        let number = u64::from_le_bytes(random());
        let new = directory.join(format!(".{NAME}-{number:016x}"));
        private(&new)?.write_all(&random::<LENGTH>())?;
        // If another process has made a key meanwhile, that one counts. A link never replaces a file.
        let linked = fs::hard_link(&new, &path);
        let _ = fs::remove_file(&new);
        match linked {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
            _ => read(&path),
        }
    }

    /// Returns the seal of a content that is kept under a name.
    pub(crate) fn sign(&self, name: &str, content: &[u8]) -> String {
        let parts = [&(name.len() as u64).to_le_bytes()[..], name.as_bytes(), content];
        let mac = HMAC::mac(parts.concat().as_slice(), self.0.as_slice());
        mac.iter().fold(String::new(), |seal, byte| seal + &format!("{byte:02x}"))
    }
}

fn read(path: &Path) -> io::Result<Seal> {
    let mut key = [0; LENGTH];
    fs::File::open(path)?.read_exact(&mut key)?;
    Ok(Seal(key))
}

/// Creates a file that only this user can read.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_seals_a_name_with_its_content() {
        let dir = std::env::temp_dir().join(format!("perf-budget-seal-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let made: Vec<Seal> = std::thread::scope(|scope| {
            let make = || Seal::in_directory(&dir).unwrap();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|seal| *seal == made[0]));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        let sign = |name, content: &str| made[0].sign(name, content.as_bytes());
        assert_eq!(sign("a", "bc"), sign("a", "bc"));
        assert_ne!(sign("a", "bc"), sign("ab", "c"));
        assert_ne!(sign("a", "bc"), Seal(random()).sign("a", b"bc"));
        // A key that was cut off is not completed.
        fs::write(dir.join(NAME), "short").unwrap();
        assert!(Seal::in_directory(&dir).is_err());
        fs::remove_dir_all(&dir).unwrap();
    }
}
