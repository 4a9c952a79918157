//! The question which file with budgets a test target reads. Only its harness knows, so the command asks it while it lists
//! its tests.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::{atomic, exact};

/// The variable that asks the question. Its value is the file for the answer.
pub const VARIABLE: &str = "PERF_BUDGET_ASKED_FILE";

/// Returns the file with the budgets, as [`budgets`](super::budgets) does. If the environment asks which file it is, the answer
/// is written.
///
/// # Errors
/// If the answer cannot be written.
pub fn budgets(named: Option<&Path>) -> Result<PathBuf, Error> {
    let budgets = super::budgets(named);
    if let Some(to) = std::env::var_os(VARIABLE).filter(|set| !set.is_empty()) {
        let whole = std::path::absolute(&budgets).map_err(|e| Error::io("resolve", &budgets, e))?;
        atomic::write_json(Path::new(&to), &whole)?;
    }
    Ok(budgets)
}

/// Returns the answer in this file; `None` if the program did not answer.
///
/// # Errors
/// If the file cannot be read.
pub fn answered(file: &Path) -> Result<Option<PathBuf>, Error> {
    if !file.is_file() {
        return Ok(None);
    }
    let text = std::fs::read(file).map_err(|e| Error::io("read", file, e))?;
    exact::read(&text)
        .map(Some)
        .map_err(|e| Error::other(format!("failed to read `{}`: {e}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_an_answer_stays() {
        let place = std::env::temp_dir().join(format!("perf-budget-asked-{}", std::process::id()));
        assert_eq!(answered(&place).unwrap(), None);
        std::fs::write(&place, r#""/project/second.toml""#).unwrap();
        assert_eq!(answered(&place).unwrap(), Some(PathBuf::from("/project/second.toml")));
        atomic::write_json(&place, &Path::new("/project/third.toml")).unwrap();
        assert_eq!(answered(&place).unwrap(), Some(PathBuf::from("/project/third.toml")));
        std::fs::remove_file(&place).unwrap();
    }
}
