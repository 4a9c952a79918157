//! One line on a terminal while something long is measured, and nothing anywhere else.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Instant;

use perf_budget_core::report::line;

/// The line at the bottom of a terminal.
pub(crate) struct Progress {
    terminal: bool,
    /// Nobody wants colours.
    plain: bool,
    title: Mutex<String>,
    shown: Mutex<Option<Instant>>,
}

/// Set where nobody wants to see it.
pub(crate) const QUIET: &str = "PERF_BUDGET_QUIET";

/// Whether the terminal knows no escape sequences: an editor's, say.
pub(crate) fn is_dumb() -> bool {
    line::is_dumb(std::env::var_os("TERM"))
}

impl Progress {
    /// Shows on standard error if that is a terminal that can take a line back.
    pub(crate) fn new() -> Self {
        let quiet = std::env::var_os(QUIET).is_some();
        let terminal = std::io::stderr().is_terminal() && !quiet && !is_dumb();
        let plain = line::is_set(std::env::var_os("NO_COLOR"));
        Progress { terminal, plain, title: Mutex::default(), shown: Mutex::new(None) }
    }

    /// What every line begins with from now on.
    pub(crate) fn title(&self, text: String) {
        if let Ok(mut title) = self.title.lock() {
            *title = text;
        }
    }

    /// Replaces the line.
    pub(crate) fn show(&self, text: impl FnOnce() -> String) {
        if !self.terminal {
            return;
        }
        let Ok(mut shown) = self.shown.lock() else { return };
        if shown.is_some_and(|at| at.elapsed() < line::EVERY) {
            return;
        }
        *shown = Some(Instant::now());
        let title = self.title.lock().map(|title| title.clone()).unwrap_or_default();
        let line = line::drawn(&format!("{title}{}", text()), self.plain);
        let _ = write!(std::io::stderr(), "{line}");
    }

    /// Takes the line away before something else is printed.
    pub(crate) fn clear(&self) {
        let Ok(mut shown) = self.shown.lock() else { return };
        if self.terminal && shown.take().is_some() {
            let _ = write!(std::io::stderr(), "{}", line::CLEARED);
        }
    }
}
