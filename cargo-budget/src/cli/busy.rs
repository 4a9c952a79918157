//! One line on a terminal while something takes long, and nothing anywhere else.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is done sooner needs no line.
const PATIENCE: Duration = Duration::from_millis(500);
/// Often enough to be alive.
const EVERY: Duration = Duration::from_millis(100);
/// One after the other, they turn.
const TURNING: [char; 4] = ['|', '/', '-', '\\'];

/// Shows that something goes on until it is dropped.
pub(crate) struct Busy(Option<(Sender<()>, JoinHandle<()>)>);

impl Busy {
    /// On standard error, where that is a terminal of somebody who wants to see it: not under `quiet`, and
    /// not in CI, whose logs keep every line.
    pub(super) fn with(text: String, quiet: bool) -> Busy {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if quiet || set("CI") || set("NO_COLOR") || !std::io::stderr().is_terminal() {
            return Busy(None);
        }
        let (end, ended) = mpsc::channel();
        let turn = move || {
            let began = Instant::now();
            let mut wait = PATIENCE;
            for sign in TURNING.iter().cycle() {
                if ended.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                wait = EVERY;
                let line = line(*sign, &text, began.elapsed());
                let _ = write!(std::io::stderr(), "\r\u{1b}[2K{line}");
            }
            if wait == EVERY {
                let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
            }
        };
        Busy(Some((end, std::thread::spawn(turn))))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            // It has nothing left to do but to take its line away.
            let _ = thread.join();
        }
    }
}

fn line(sign: char, text: &str, passed: Duration) -> String {
    format!("{sign} {text}: {} s", passed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_and_for_how_long() {
        assert_eq!(line('|', "reading", Duration::from_millis(2900)), "| reading: 2 s");
    }

    #[test]
    fn nobody_is_told_who_wants_it_quiet() {
        assert!(Busy::with("reading".to_owned(), true).0.is_none());
    }
}
