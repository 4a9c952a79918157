//! A terminal of the test's own, and what a command leaves on it.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// No test waits so long that does not hang.
const LONGEST: Duration = Duration::from_secs(120);

/// A terminal; standard error of a command is drawn on it.
pub(crate) struct Terminal {
    /// Where a command writes; gone as soon as one does, so that its end is the end of what is read.
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
            // An error is how a terminal ends that nobody writes to any more.
            while let Ok(n @ 1..) = master.read(&mut part) {
                if send.send(part[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { line: Some(line), read, seen: Vec::new() }
    }

    /// Starts the command with its standard error here.
    pub(crate) fn run(&mut self, command: &mut Command) -> Child {
        let child = command.stderr(self.line.take().unwrap()).spawn().unwrap();
        // The command held the other end too.
        command.stderr(std::process::Stdio::null());
        child
    }

    /// Everything that was written so far.
    pub(crate) fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Waits until that was written.
    #[track_caller]
    pub(crate) fn wait(&mut self, text: &str) {
        let began = Instant::now();
        while !self.seen().contains(text) {
            let part = self.read.recv_timeout(LONGEST.saturating_sub(began.elapsed()));
            let part = part.unwrap_or_else(|e| panic!("no `{text}` ({e}): {:?}", self.seen()));
            self.seen.extend(part);
        }
    }

    /// What stands there when all is over: of each line what came after it was last taken away, without colours.
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
