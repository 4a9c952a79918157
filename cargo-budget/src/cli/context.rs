//! The global options, and the messages that depend on them.

use super::output::say;
use crate::progress::Progress;

/// The global options, for every subcommand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// Whether only the result, warnings and errors are printed.
    pub(crate) quiet: bool,
    /// The line of progress for work that takes long.
    pub(crate) progress: Progress,
}

impl Context {
    /// Prints a message on standard error, unless `--quiet` is given.
    pub(crate) fn tell(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// Prints a message on standard error, even with `--quiet`.
    #[expect(clippy::unused_self, reason = "it is called in the same way as the other two")]
    pub(crate) fn warn_always(self, text: &str) {
        say(text);
    }

    /// Prints a warning on standard error, even with `--quiet`.
    pub(crate) fn warn(self, text: &str) {
        self.warn_always(&format!("\u{1b}[1;33mwarning\u{1b}[0m: {text}"));
    }
}
