//! The signal by which a command that does not end by itself counts as started: a text that it prints, a port that it
//! opens, or a file that it creates.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use perf_budget_core::budget::Ready;
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::{Child, Readiness, Stream};
use crate::os::port;

/// The signal that is waited for. The file of a signal is removed when the signal is dropped, so that the next run can
/// wait for it again.
#[derive(Debug)]
pub(super) enum Signal {
    Text(Stream, String),
    Port(u16),
    File(PathBuf),
}

impl Signal {
    /// Returns the signal of `ready`, or `None` if the command ends by itself. Fails if the signal is there
    /// before the command is started.
    pub(super) fn prepare(ready: &Ready, root: &Path) -> Result<Option<Signal>, Unmeasured> {
        Ok(Some(match ready {
            Ready::Exit | Ready::Reported(_) => return Ok(None),
            Ready::Stdout(text) => Signal::Text(Stream::Stdout, text.clone()),
            Ready::Stderr(text) => Signal::Text(Stream::Stderr, text.clone()),
            Ready::Port(port) if port::accepts(*port) => {
                let text = format!(
                    "port {port} is already taken: something accepts connections on it before the \
                     command starts; end it, or choose another port"
                );
                return Err(Unmeasured::new(Cause::PortTaken, text));
            }
            Ready::Port(port) => Signal::Port(*port),
            Ready::File(file) => {
                let file = root.join(file);
                if file.symlink_metadata().is_ok() {
                    // The file may be the user's, so it is not removed here.
                    let text = format!(
                        "`{}` is there before the command starts, so it cannot show when the command is \
                         ready; remove it",
                        file.display()
                    );
                    return Err(Unmeasured::new(Cause::Unsuitable, text));
                }
                Signal::File(file)
            }
        }))
    }

    /// Returns the text to look for in the output of the process, and the stream to look for it in.
    pub(super) fn watch(&self) -> Option<(Stream, String)> {
        match self {
            Signal::Text(stream, text) => Some((*stream, text.clone())),
            Signal::Port(_) | Signal::File(_) => None,
        }
    }

    /// Returns words on what else in the output of the process explains that the signal never came. Empty if nothing does.
    pub(super) fn hint(&self, child: &Child) -> String {
        let Signal::Text(stream, text) = self else { return String::new() };
        let (other, key) = match stream {
            Stream::Stdout => (Stream::Stderr, "stderr"),
            Stream::Stderr => (Stream::Stdout, "stdout"),
        };
        if child.has_written(other, text) {
            return format!(
                "; its {} held {text:?}: write ready = {{ {key} = {text:?} }}",
                named(other)
            );
        }
        String::new()
    }

    /// Waits for the signal.
    pub(super) fn wait(
        &self,
        child: &mut Child,
        deadline: Instant,
    ) -> Result<Readiness, Unmeasured> {
        match self {
            Signal::Text(..) => child.ready(deadline),
            Signal::Port(port) => child.until(deadline, || port::accepts(*port)),
            Signal::File(file) => child.until(deadline, || file.exists()),
        }
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        if let Signal::File(file) = self {
            // If the file cannot be removed, the next run fails because the file is there.
            let _ = fs::remove_file(file);
        }
    }
}

/// Writes the signal as a clause that completes "before ...", "when ..." and "once ...".
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signal::Text(stream, text) => write!(f, "its {} held {text:?}", named(*stream)),
            Signal::Port(port) => write!(f, "port {port} accepted a connection"),
            Signal::File(file) => write!(f, "the file `{}` was there", file.display()),
        }
    }
}

fn named(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "standard output",
        Stream::Stderr => "standard error",
    }
}
