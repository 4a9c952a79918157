//! The error that ends a subcommand early: a message for people, and an exit code.

use std::fmt;
use std::path::Path;

use crate::exit::Exit;

/// The reason why a subcommand could not do its work. The text says what failed, on which thing, why, and what to do, in
/// lower case.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) text: String,
}

impl Failure {
    /// Makes a failure for a mistake in the arguments or in a file that somebody wrote: exit code 2.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Failure { exit: Exit::Usage, text: text.into() }
    }

    /// Makes a failure for a fault of the machine, or for something that does not exist: exit code 3.
    pub(crate) fn unmeasured(text: impl Into<String>) -> Self {
        Failure { exit: Exit::Unmeasured, text: text.into() }
    }

    /// Makes a failure with the text "failed to ACTION `path`: source": exit code 3.
    pub(crate) fn io(action: &str, path: &Path, source: &dyn fmt::Display) -> Self {
        Failure::unmeasured(format!("failed to {action} `{}`: {source}", path.display()))
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
        // A rendered diagnostic begins with "error: ", and so does every failure once it is printed.
        Failure { exit, text: text.strip_prefix("error: ").unwrap_or(&text).to_owned() }
    }
}
