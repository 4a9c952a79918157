//! What goes on while something takes long: one line on a terminal, and nothing anywhere else.
//!
//! Work that is counted has a bar, other work a sign that turns:
//!
//! ```text
//! importing 12 400 of 100 000 outcomes  [==>                 ]   12 %  22 s left
//! | looking for changes  3 s
//! ```
//!
//! The line is our own and not indicatif's, which was read again at version 0.18.6. It writes blanks up to the
//! terminal's last column (`DrawState::draw_to_term`), so that the `^C` of somebody who has enough wraps, and the line
//! below is cleared instead. It draws at once, while most work is done before anybody could read a line. And it leaves
//! its line where a signal ends the process. A terminal of our own under it (`TermLike`), which is one column narrower,
//! a thread that lets it draw after a while, and the watch for signals would fix all three, and are what is here
//! already, without its four crates.

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
use self::text::Line;

/// What is done sooner needs no line.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether somebody sees what goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    seen: bool,
}

impl Progress {
    /// On standard error, where that is a terminal of somebody who wants to see it: not under `quiet`, not in CI, whose
    /// logs keep every line, and not on a terminal that can take no line away.
    pub(crate) fn new(quiet: bool) -> Progress {
        let variable = |name| std::env::var_os(name);
        let wanted = !quiet && !line::is_set(variable("CI")) && !line::is_dumb(variable("TERM"));
        let seen = wanted && std::io::stderr().is_terminal();
        Progress { seen }
    }

    /// Begins work whose length is not known.
    #[must_use]
    pub(crate) fn busy(self, doing: impl Into<String>) -> Work {
        self.begin(doing.into(), None)
    }

    /// Begins work on so many things, each of which is one [`Work::step`]: `count("reading", "files", 3)`. How much of a
    /// single thing is done is not known before all of it is, so that it has no bar.
    #[must_use]
    pub(crate) fn count(self, doing: &str, things: &'static str, all: usize) -> Work {
        if all > 1 {
            self.begin(doing.to_owned(), Some((all as u64, things)))
        } else {
            self.begin(format!("{doing} {things}"), None)
        }
    }

    fn begin(self, doing: String, of: Option<(u64, &'static str)>) -> Work {
        let done = Arc::new(AtomicU64::new(0));
        let thread = self.seen.then(|| {
            let (end, ended) = mpsc::channel();
            let (began, done) = (Instant::now(), Arc::clone(&done));
            let draw = move || {
                let mut wait = PATIENCE;
                for turn in 0.. {
                    if ended.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                        break;
                    }
                    wait = line::EVERY;
                    let of = of.map(|(all, things)| (done.load(Ordering::Relaxed), all, things));
                    terminal::draw(&Line { doing: &doing, of, passed: began.elapsed(), turn });
                }
                terminal::clear();
            };
            (end, std::thread::spawn(draw))
        });
        Work { done, thread }
    }
}

/// Work that goes on until this is dropped; its line goes with it. One at a time: there is one line.
pub(crate) struct Work {
    done: Arc<AtomicU64>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Work {
    /// One thing more is done.
    pub(crate) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            // It has nothing left to do but to take its line away.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_who_wants_it_quiet() {
        let work = Progress::new(true).count("reading", "files", 3);
        assert!(work.thread.is_none());
    }

    #[test]
    fn work_that_is_done_at_once_is_not_waited_for() {
        let work = Progress { seen: true }.count("reading", "files", 3);
        work.step();
        let began = Instant::now();
        drop(work);
        // A join that waited for the line's own end would take for ever.
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
