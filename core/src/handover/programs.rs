//! The preparations of the command for each program of benchmarks that differs from the base's: how it is linked
//! several times, and the copies that show what a benchmark reaches. They are in a file, since a workspace may have
//! many programs.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{MoreLinks, Watched, Written};
use crate::error::Error;
use crate::exact;

/// The version of the format. A file of another version is refused.
const VERSION: u32 = 1;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    version: u32,
    /// The programs that may have to be measured.
    pub programs: Vec<DifferentProgram>,
}

/// A program of benchmarks that both revisions have, and that is not proven equal as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferentProgram {
    /// The program of this revision. What follows holds for no other file.
    pub program: Written,
    /// How its links and the base's are made. `None` if there is one of each side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<MoreLinks>,
    /// The number of links of each side that are made first.
    #[serde(default)]
    pub first: usize,
    /// The notes for every comparison of its times.
    pub notes: Vec<String>,
    /// The copies of both programs that show what a benchmark reaches. `None` if nothing is proven by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
}

impl Programs {
    /// Returns the content of the file.
    pub fn new(programs: Vec<DifferentProgram>) -> Programs {
        Programs { version: VERSION, programs }
    }

    /// Reads the file that the command wrote.
    ///
    /// # Errors
    /// If there is none, or it is not understood.
    pub fn read(file: &Path) -> Result<Programs, Error> {
        let refused = |why: String| {
            Error::other(format!(
                "failed to read what is known of programs of benchmarks in `{}`: {why}; let `cargo budget check` write it",
                file.display()
            ))
        };
        let text = fs::read(file).map_err(|e| refused(e.to_string()))?;
        let programs: Programs = exact::read(&text).map_err(|e| refused(e.to_string()))?;
        if programs.version != VERSION {
            return Err(refused(format!("it is of version {}", programs.version)));
        }
        Ok(programs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    #[test]
    fn the_format_stays_the_same() {
        let programs: Programs = frozen(
            r#"{"version":1,"programs":[{"program":{"path":"/t/sums-1","bytes":9,"modified":1},"links":{"program":"/t/perf-budget-links","arguments":["{}"],"most":128},"first":16,"notes":["another order"],"watched":{"commit":"0123456789abcdef0123456789abcdef01234567","base":"/t/base","head":"/t/head","of":{"path":"/t/sums-1","bytes":9,"modified":1}}}]}"#,
        );
        assert_eq!(programs.programs[0].first, 16);
        let one: Programs = frozen(
            r#"{"version":1,"programs":[{"program":{"path":"/t/sums-1","bytes":9,"modified":1},"first":0,"notes":[]}]}"#,
        );
        assert_eq!((&one.programs[0].links, &one.programs[0].watched), (&None, &None));
    }

    #[test]
    fn a_file_that_is_not_there_or_of_another_version_is_refused() {
        let place =
            std::env::temp_dir().join(format!("perf-budget-programs-{}", std::process::id()));
        let why = Programs::read(&place).unwrap_err().to_string();
        assert!(why.contains("let `cargo budget check` write it"), "{why}");
        fs::write(&place, r#"{"version":2,"programs":[]}"#).unwrap();
        let why = Programs::read(&place).unwrap_err().to_string();
        assert!(why.contains("it is of version 2"), "{why}");
        fs::remove_file(&place).unwrap();
    }
}
