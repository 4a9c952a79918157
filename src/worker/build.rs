//! Which test binary a process is started of, and that it is still the same one: whoever builds while a budget
//! is measured puts another program in its place, and what is measured then is of neither.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use perf_budget_core::outcome::{Cause, Unmeasured};

/// A test binary, and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The binary.
    pub binary: PathBuf,
    /// The directory of its package, which it runs in; `None`: where this process is.
    pub package: Option<PathBuf>,
    /// How it was when it was named; `None` where there was no telling.
    written: Option<Written>,
}

/// When a file was written last, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    at: Option<SystemTime>,
    length: u64,
}

impl Written {
    fn of(path: &Path) -> Option<Written> {
        let known = std::fs::metadata(path).ok()?;
        Some(Written { at: known.modified().ok(), length: known.len() })
    }
}

impl Build {
    /// A binary as it is now.
    pub fn of(binary: PathBuf, package: Option<PathBuf>) -> Build {
        let written = Written::of(&binary);
        Build { binary, package, written }
    }

    /// This binary as it was when it was first asked for, where this process is.
    ///
    /// # Errors
    /// Where the system does not tell which it is.
    pub fn this() -> Result<Build, Unmeasured> {
        static THIS: OnceLock<Build> = OnceLock::new();
        if let Some(build) = THIS.get() {
            return Ok(build.clone());
        }
        let binary = std::env::current_exe().map_err(|error| {
            Unmeasured::new(Cause::Harness, format!("failed to find this binary: {error}"))
        })?;
        Ok(THIS.get_or_init(|| Build::of(binary, None)).clone())
    }

    /// # Errors
    /// Where the file is another one than when it was named, or is gone.
    pub(crate) fn unchanged(&self) -> Result<(), Unmeasured> {
        if self.written.is_some() && Written::of(&self.binary) == self.written {
            return Ok(());
        }
        let text = format!(
            "the test binary `{}` was built anew while it was measured; run the tests again, and build \
             nothing meanwhile",
            self.binary.display()
        );
        Err(Unmeasured::new(Cause::Unsuitable, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_in_its_place_is_noticed() {
        let dir = std::env::temp_dir().join(format!("perf-budget-build-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let binary = dir.join("budgets");
        std::fs::write(&binary, "one").unwrap();
        let build = Build::of(binary.clone(), None);
        assert_eq!(build.unchanged(), Ok(()));
        std::fs::write(&binary, "three").unwrap();
        assert_eq!(build.unchanged().unwrap_err().cause, Cause::Unsuitable);
        // As long as before, and written at another time.
        std::fs::write(&binary, "two").unwrap();
        let file = std::fs::File::options().write(true).open(&binary).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(build.unchanged().is_err());
        // Windows removes no file that is open.
        drop(file);
        std::fs::remove_dir_all(&dir).unwrap();
        let gone = build.unchanged().unwrap_err();
        assert!(gone.text.contains("was built anew while it was measured"), "{gone:?}");
        assert_eq!(Build::this().unwrap().unchanged(), Ok(()));
    }
}
