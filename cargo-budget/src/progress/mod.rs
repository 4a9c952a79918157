//! The progress of long work: one line on a terminal, and nothing anywhere else.
//!
//! Counted work has a bar; other work has a turning sign:
//!
//! ```text
//! importing 12 400 of 100 000 outcomes  [==>                 ]   12 %  22 s left
//! | looking for changes  3 s
//! ```
//!
//! The line is our own and not indicatif's, which was examined again at version 0.18.6, for three reasons. indicatif
//! writes blanks up to the last column of the terminal (`DrawState::draw_to_term`), so the `^C` of somebody who stops
//! the command wraps, and the line below is cleared instead. It draws at once, although most work is done before
//! anybody could read the line. And it leaves its line when a signal ends the process. All three could be fixed with
//! our own terminal under it (`TermLike`) that is one column narrower, a thread that delays drawing, and a watch for
//! signals. But that is all that is needed here anyway, and it needs none of indicatif's four crates.

mod terminal;
mod text;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use perf_budget_core::report::line;

pub(crate) use self::terminal::aside;
#[cfg(unix)]
pub(crate) use self::terminal::leave_signals;
use self::text::Line;

/// The time before the line appears: faster work needs no line.
const DELAY: Duration = Duration::from_millis(500);

/// Whether a line is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    is_shown: bool,
}

impl Progress {
    /// Decides whether the line is shown. It is shown on standard error, if that is a terminal on which a line can be
    /// removed, unless the user asked for `quiet`. It is not shown in CI, whose logs would keep every line.
    pub(crate) fn new(quiet: bool) -> Progress {
        let variable = |name| std::env::var_os(name);
        let wanted = !quiet && !line::is_set(variable("CI")) && !line::is_dumb(variable("TERM"));
        let is_shown = wanted && std::io::stderr().is_terminal();
        Progress { is_shown }
    }

    /// Begins work whose length is not known.
    #[must_use]
    pub(crate) fn busy(self, doing: impl Into<String>) -> Work {
        self.begin(doing.into(), None)
    }

    /// Begins work on a number of things; each is one [`Work::step`]: `count("reading", "files", 3)`. A single thing
    /// has no bar, since its progress is not known before it is done.
    #[must_use]
    pub(crate) fn count(self, doing: &str, things: &'static str, all: usize) -> Work {
        if all > 1 {
            self.begin(doing.to_owned(), Some((all as u64, things)))
        } else {
            self.begin(format!("{doing} {things}"), None)
        }
    }

    fn begin(self, doing: String, total: Option<(u64, &'static str)>) -> Work {
        let done = Arc::new(AtomicU64::new(0));
        let thread = self.is_shown.then(|| {
            let (end, ended) = mpsc::channel();
            let (began, done) = (Instant::now(), Arc::clone(&done));
            let draw = move || {
                let mut wait = DELAY;
                for drawn in 0.. {
                    if ended.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                        break;
                    }
                    wait = line::EVERY;
                    let count =
                        total.map(|(all, things)| (done.load(Ordering::Relaxed), all, things));
                    terminal::draw(&Line { doing: &doing, count, passed: began.elapsed(), drawn });
                }
                terminal::clear();
            };
            (end, std::thread::spawn(draw))
        });
        Work { done, thread }
    }
}

/// Work in progress. It ends, and its line is removed, when this is dropped. There is only one line, so only one work
/// may be in progress at a time.
pub(crate) struct Work {
    done: Arc<AtomicU64>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Work {
    /// Counts one more thing as done.
    pub(crate) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            // The thread only has to remove its line.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_work_shows_no_line() {
        let work = Progress::new(true).count("reading", "files", 3);
        assert!(work.thread.is_none());
    }

    #[test]
    fn work_that_ends_at_once_does_not_wait() {
        let work = Progress { is_shown: true }.count("reading", "files", 3);
        work.step();
        let began = Instant::now();
        drop(work);
        // If `drop` waited for the thread to end by itself, it would never return.
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
