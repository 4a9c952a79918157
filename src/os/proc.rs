//! What Linux tells of a process in `/proc`.

use std::fs;

/// `/proc/PID/status`, lines of a name and a value: what proc(5) says of it.
#[derive(Debug)]
pub(crate) struct Status(String);

impl Status {
    /// `None` where there is no such process.
    pub(crate) fn of(pid: u32) -> Option<Status> {
        // A process's name is in it, which need not be UTF-8.
        let text = fs::read(format!("/proc/{pid}/status")).ok()?;
        Some(Status(String::from_utf8_lossy(&text).into_owned()))
    }

    /// The number of the line with this name, in kB for sizes; `None` where there is no such line: a
    /// process that has ended holds no memory.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    }
}
