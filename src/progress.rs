//! The line of progress: one line at the bottom of a terminal that says what is being measured. Where standard error is
//! not a terminal, a line is printed only when something takes very long, so that a log shows what a run is doing.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use perf_budget_core::report::line;

/// The line of progress.
pub(crate) struct Progress {
    output: Output,
    /// Whether the line has no colours.
    plain: bool,
    state: Arc<Mutex<State>>,
}

/// Where the line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// On a terminal on which a line can be erased.
    Terminal,
    /// In a log, where a line stays.
    Log,
    /// Nowhere.
    None,
}

/// The state of the line: its text, and when it was drawn.
#[derive(Debug, Default)]
struct State {
    /// The text with which every line begins.
    title: String,
    /// When the line was drawn last. `None` if there is no line on the terminal.
    shown: Option<Instant>,
    /// The present work, for the log, with the time of the last line about it or of its beginning.
    doing: Option<(String, Instant)>,
    /// Whether the thread that writes to the log was started.
    is_watched: bool,
}

/// The variable that hides the line of progress when it is set.
pub(crate) const QUIET: &str = "PERF_BUDGET_QUIET";

/// The time after which something long is reported in a log, and reported again. CI services end a job that prints
/// nothing for ten minutes or so.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Whether the terminal does not understand escape sequences, as that of some editors.
pub(crate) fn is_dumb() -> bool {
    line::is_dumb(std::env::var_os("TERM"))
}

/// Whether the user wants no colours: see <https://no-color.org>.
pub(crate) fn is_plain() -> bool {
    line::is_set(std::env::var_os("NO_COLOR"))
}

impl Progress {
    /// Returns a line on standard error.
    pub(crate) fn new() -> Self {
        let output = if std::env::var_os(QUIET).is_some() {
            Output::None
        } else if std::io::stderr().is_terminal() && !is_dumb() {
            Output::Terminal
        } else {
            Output::Log
        };
        Progress { output, plain: is_plain(), state: Arc::default() }
    }

    /// Sets what every line begins with from now on.
    pub(crate) fn title(&self, text: String) {
        state(&self.state).title = text;
    }

    /// Replaces the line, unless it was replaced a moment ago.
    pub(crate) fn show(&self, text: impl FnOnce() -> String) {
        let mut state = state(&self.state);
        match self.output {
            Output::None => {}
            Output::Terminal => {
                if state.shown.is_none_or(|at| at.elapsed() >= line::EVERY) {
                    self.draw(&mut state, &text());
                }
            }
            Output::Log => {
                let since = state.doing.as_ref().map_or_else(Instant::now, |(_, at)| *at);
                state.doing = Some((format!("{}{}", state.title, text()), since));
                if !std::mem::replace(&mut state.is_watched, true) {
                    watch(Arc::downgrade(&self.state));
                }
            }
        }
    }

    /// Says why the run is waiting. On a terminal the text replaces the line. In a log it is a line of its own, and the same
    /// text is not repeated before a minute has passed.
    pub(crate) fn say(&self, text: &str) {
        let mut state = state(&self.state);
        match self.output {
            Output::None => {}
            Output::Terminal => self.draw(&mut state, text),
            Output::Log => {
                let is_new =
                    |(last, at): &(String, Instant)| last != text || at.elapsed() >= LOG_EVERY;
                if state.doing.as_ref().is_none_or(is_new) {
                    state.doing = Some((text.to_owned(), Instant::now()));
                    log(text);
                }
            }
        }
    }

    /// Erases the line, so that something else can be printed.
    pub(crate) fn clear(&self) {
        let mut state = state(&self.state);
        state.doing = None;
        if state.shown.take().is_some() {
            let _ = write!(std::io::stderr(), "{}", line::CLEARED);
        }
    }

    fn draw(&self, state: &mut State, text: &str) {
        state.shown = Some(Instant::now());
        let line = line::drawn(&format!("{}{text}", state.title), self.plain);
        let _ = write!(std::io::stderr(), "{line}");
    }
}

/// Starts a thread that writes to the log what takes long, until there is no line of progress any more.
fn watch(watched: Weak<Mutex<State>>) {
    // Without the thread there is no line in the log; nothing else depends on it.
    let _ = std::thread::Builder::new().spawn(move || {
        loop {
            std::thread::sleep(LOG_EVERY / 12);
            let Some(shared) = watched.upgrade() else { return };
            let mut state = state(&shared);
            if let Some((doing, at)) = &mut state.doing
                && at.elapsed() >= LOG_EVERY
            {
                *at = Instant::now();
                log(doing);
            }
        }
    });
}

fn log(text: &str) {
    let _ = writeln!(std::io::stderr(), "perf-budget: {text}");
}

fn state(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
