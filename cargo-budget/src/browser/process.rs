//! The process of a browser: how it is started, and how it ends with all that it started.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::protocol::Connection;
use crate::child;
use crate::failure::Failure;

/// The options that make a browser quiet: no window, no first page, no updates, and no other work in the background.
const QUIET: &[&str] = &[
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
    "--use-mock-keychain",
];

/// The number of bytes that are kept of the browser's messages.
const KEPT: usize = 16 << 10;

/// A browser. Dropping it ends it and all its processes, which are one group.
pub(super) struct Browser {
    child: Child,
    messages: Arc<Mutex<Vec<u8>>>,
}

impl Browser {
    /// Starts a browser with this profile, and returns it with the connection to it.
    pub(super) fn start(
        program: &Path,
        profile: &Path,
        has_sandbox: bool,
        is_interrupted: impl Fn() -> bool + 'static,
    ) -> Result<(Browser, Connection), Failure> {
        let failed = |e| Failure::io("start", program, &e);
        // The browser reads from descriptor 3 and writes to descriptor 4. The shell puts the two pipes there, and then
        // becomes the browser.
        let mut command = child::program("/bin/sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2"]).arg(program);
        command.args(QUIET).arg("--remote-debugging-pipe");
        if !has_sandbox {
            command.arg("--no-sandbox");
        }
        let mut data = std::ffi::OsString::from("--user-data-dir=");
        data.push(profile);
        command.arg(data).arg("about:blank");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn().map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
        let messages = Arc::new(Mutex::new(Vec::new()));
        let browser = Browser { child, messages: Arc::clone(&messages) };
        let ((input, output), errors) =
            pipes.ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        let keep = move || keep(errors, &messages);
        std::thread::Builder::new().name("browser".to_owned()).spawn(keep).map_err(failed)?;
        let connection = Connection::new(input, output, is_interrupted).map_err(failed)?;
        Ok((browser, connection))
    }

    /// Waits for the browser to end by itself, and returns how it ended; `None` if it has not ended within this time.
    pub(super) fn ends_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Err(_) => return None,
                Ok(None) if Instant::now() >= until => return None,
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Returns the last lines of the browser's messages.
    pub(super) fn last_messages(&self) -> String {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = String::from_utf8_lossy(&messages).into_owned();
        // Every headless Chromium without a desktop complains about the bus of the desktop.
        let lines: Vec<&str> = messages
            .lines()
            .filter(|line| !line.contains("/dbus/") && !line.contains(":dbus"))
            .collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The group has the number of its first process, which is not reaped before this.
        child::signal_group(&self.child, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Reads the browser's messages to their end, and keeps the last of them.
fn keep(mut from: impl Read, messages: &Mutex<Vec<u8>>) {
    let mut piece = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.extend(&piece[..n]);
        let surplus = messages.len().saturating_sub(KEPT);
        messages.drain(..surplus);
    }
}
