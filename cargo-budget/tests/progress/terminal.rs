//! A terminal that the test provides, and what a command leaves on it.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The longest wait, which only a test that hangs reaches.
const LONGEST: Duration = Duration::from_secs(120);

/// A terminal that shows the standard error of a command.
pub(crate) struct Terminal {
    /// The end to which a command writes. It is given away to the first command, so that reading ends when the
    /// command ends.
    line: Option<File>,
    read: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Terminal {
    pub(crate) fn new(columns: u16) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let line = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        tcsetwinsize(&line, size).unwrap();
        let (send, read) = mpsc::channel();
        std::thread::spawn(move || {
            let mut master = File::from(master);
            let mut part = [0; 4096];
            // When nobody has the terminal open for writing any more, reading it ends with an error.
            while let Ok(n @ 1..) = master.read(&mut part) {
                if send.send(part[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { line: Some(line), read, seen: Vec::new() }
    }

    /// Starts the command with its standard error on the terminal.
    pub(crate) fn run(&mut self, command: &mut Command) -> Child {
        let child = command.stderr(self.line.take().unwrap()).spawn().unwrap();
        // The `Command` itself still holds the end of the terminal, so it gets another one.
        command.stderr(std::process::Stdio::null());
        child
    }

    /// Returns everything that was written so far.
    pub(crate) fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Waits until this text was written.
    #[track_caller]
    pub(crate) fn wait(&mut self, text: &str) {
        let began = Instant::now();
        while !self.seen().contains(text) {
            let part = self.read.recv_timeout(LONGEST.saturating_sub(began.elapsed()));
            let part = part.unwrap_or_else(|e| panic!("no `{text}` ({e}): {:?}", self.seen()));
            self.seen.extend(part);
        }
    }

    /// Returns what the terminal shows in the end: of each line what was written after it was last removed, without
    /// colours.
    #[track_caller]
    pub(crate) fn left(&mut self) -> String {
        loop {
            match self.read.recv_timeout(LONGEST) {
                Ok(part) => self.seen.extend(part),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:?}", self.seen()),
            }
        }
        let seen = self.seen();
        let lines =
            seen.split("\r\n").map(|line| line.rsplit("\r\u{1b}[2K").next().unwrap_or(line));
        let lines: Vec<String> =
            lines.map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        lines.join("\n").trim_end_matches('\n').to_owned()
    }
}
