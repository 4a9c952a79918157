//! The test binary that a process is started from, and the check that it is still the same one. If somebody builds
//! while a budget is measured, another program replaces it, and the result describes neither of the two.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::Lengths;

/// A test binary, and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The path of the binary.
    pub binary: PathBuf,
    /// The directory of its package, in which it runs; `None` means the directory of this process.
    pub package: Option<PathBuf>,
    /// The differences of its environment from that of this process: each variable with its value, or `None` if it is
    /// not inherited.
    pub environment: BTreeMap<String, Option<String>>,
    /// The arguments of its processes. A test binary has none; a program of benchmarks is told which of them runs.
    pub arguments: Vec<String>,
    /// The lengths that its process has in common with another one, if it is compared with that.
    pub(crate) lengths: Option<Lengths>,
    /// The state of the file when it was named; `None` if it could not be read.
    written: Option<Written>,
}

/// When a file was last written, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    at: Option<SystemTime>,
    length: u64,
}

impl Written {
    fn read(path: &Path) -> Option<Written> {
        let known = std::fs::metadata(path).ok()?;
        Some(Written { at: known.modified().ok(), length: known.len() })
    }
}

impl Build {
    /// Notes the present state of a binary.
    pub fn new(binary: PathBuf, package: Option<PathBuf>) -> Build {
        let written = Written::read(&binary);
        let (environment, arguments) = (BTreeMap::new(), Vec::new());
        Build { binary, package, environment, arguments, lengths: None, written }
    }

    /// Returns the same binary, running in an environment that differs from this process's in these variables.
    pub(crate) fn within(self, environment: &BTreeMap<String, Option<String>>) -> Build {
        Build { environment: environment.clone(), ..self }
    }

    /// Returns the same binary, whose process is padded to these lengths.
    pub(crate) fn alike(self, lengths: Lengths) -> Build {
        Build { lengths: Some(lengths), ..self }
    }

    /// Returns this binary, run in the same place, with the same arguments and in the same environment as a program.
    pub(crate) fn in_place_of(self, program: Build) -> Build {
        Build { binary: self.binary, written: self.written, ..program }
    }

    /// Returns this binary as it was when this was first called, running in this process's directory.
    ///
    /// # Errors
    /// If the system does not report the path of this binary.
    pub fn this() -> Result<Build, Unmeasured> {
        static THIS: OnceLock<Build> = OnceLock::new();
        if let Some(build) = THIS.get() {
            return Ok(build.clone());
        }
        let binary = std::env::current_exe().map_err(|error| {
            Unmeasured::new(Cause::Harness, format!("failed to find this binary: {error}"))
        })?;
        Ok(THIS.get_or_init(|| Build::new(binary, None)).clone())
    }

    /// Checks that the file is still the same.
    ///
    /// # Errors
    /// If the file has changed since it was named, or is gone.
    pub(crate) fn unchanged(&self) -> Result<(), Unmeasured> {
        if self.written.is_some() && Written::read(&self.binary) == self.written {
            return Ok(());
        }
        let text = format!(
            "the program `{}` was rebuilt while it was measured; run the tests again, and build \
             nothing meanwhile",
            self.binary.display()
        );
        Err(Unmeasured::new(Cause::Unsuitable, text))
    }
}

/// Whether two binaries are one and the same program, in which every function lies at the same place.
pub(crate) fn is_same_program(one: &Path, other: &Path) -> bool {
    let length = |path: &Path| std::fs::metadata(path).ok().map(|data| data.len());
    let content = |path: &Path| std::fs::read(path).ok();
    one == other
        || length(one) == length(other)
            && content(one).is_some_and(|content_of_one| Some(content_of_one) == content(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_binary_is_noticed() {
        let dir = std::env::temp_dir().join(format!("perf-budget-build-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let binary = dir.join("budgets");
        std::fs::write(&binary, "one").unwrap();
        let build = Build::new(binary.clone(), None);
        assert_eq!(build.unchanged(), Ok(()));
        std::fs::write(&binary, "three").unwrap();
        assert_eq!(build.unchanged().unwrap_err().cause, Cause::Unsuitable);
        // The file is as long as before, but was written at another time.
        std::fs::write(&binary, "two").unwrap();
        let file = std::fs::File::options().write(true).open(&binary).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(build.unchanged().is_err());
        // Windows does not remove a file that is open.
        drop(file);
        std::fs::remove_dir_all(&dir).unwrap();
        let gone = build.unchanged().unwrap_err();
        assert!(gone.text.contains("was rebuilt while it was measured"), "{gone:?}");
        assert_eq!(Build::this().unwrap().unchanged(), Ok(()));
    }
}
