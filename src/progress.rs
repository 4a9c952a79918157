//! The line of progress: one line at the bottom of a terminal that says what is being measured. Nothing is shown where
//! standard error is not a terminal.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Instant;

use perf_budget_core::report::line;

/// The line of progress.
pub(crate) struct Progress {
    /// Whether the line is shown at all.
    terminal: bool,
    /// Whether the line has no colours.
    plain: bool,
    /// What every line begins with.
    title: Mutex<String>,
    /// When the line was shown last. `None` if there is no line on the terminal.
    shown: Mutex<Option<Instant>>,
}

/// The variable that hides the line of progress when it is set.
pub(crate) const QUIET: &str = "PERF_BUDGET_QUIET";

/// Whether the terminal does not understand escape sequences, as that of some editors.
pub(crate) fn is_dumb() -> bool {
    line::is_dumb(std::env::var_os("TERM"))
}

/// Whether the user wants no colours: see <https://no-color.org>.
pub(crate) fn is_plain() -> bool {
    line::is_set(std::env::var_os("NO_COLOR"))
}

impl Progress {
    /// Returns a line on standard error. It is shown only if that is a terminal on which a line can be erased.
    pub(crate) fn new() -> Self {
        let quiet = std::env::var_os(QUIET).is_some();
        let terminal = std::io::stderr().is_terminal() && !quiet && !is_dumb();
        Progress { terminal, plain: is_plain(), title: Mutex::default(), shown: Mutex::new(None) }
    }

    /// Sets what every line begins with from now on.
    pub(crate) fn title(&self, text: String) {
        if let Ok(mut title) = self.title.lock() {
            *title = text;
        }
    }

    /// Replaces the line, unless it was replaced a moment ago.
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

    /// Erases the line, so that something else can be printed.
    pub(crate) fn clear(&self) {
        let Ok(mut shown) = self.shown.lock() else { return };
        if self.terminal && shown.take().is_some() {
            let _ = write!(std::io::stderr(), "{}", line::CLEARED);
        }
    }
}
