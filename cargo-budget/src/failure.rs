//! What ends a subcommand early: a message for people, and the exit code that goes with it.

use std::fmt;
use std::path::Path;

use crate::exit::Exit;

/// Why a subcommand could not do its work. The text says what failed, on which thing, why, and the
/// remedy, in lower case.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) text: String,
}

impl Failure {
    /// Arguments or a file that somebody wrote are at fault: exit code 2.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Failure { exit: Exit::Usage, text: text.into() }
    }

    /// The machine is at fault, or something is not there: exit code 3.
    pub(crate) fn unmeasured(text: impl Into<String>) -> Self {
        Failure { exit: Exit::Unmeasured, text: text.into() }
    }

    /// "failed to VERB `path`: source": exit code 3.
    pub(crate) fn io(verb: &str, path: &Path, source: &dyn fmt::Display) -> Self {
        Failure::unmeasured(format!("failed to {verb} `{}`: {source}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<perf_budget_core::error::Error> for Failure {
    fn from(error: perf_budget_core::error::Error) -> Self {
        let exit = if error.is_config() { Exit::Usage } else { Exit::Unmeasured };
        let text = error.to_string();
        // A rendered diagnosis begins with the word that whoever prints a failure puts before it.
        Failure { exit, text: text.strip_prefix("error: ").unwrap_or(&text).to_owned() }
    }
}
