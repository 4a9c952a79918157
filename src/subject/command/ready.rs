//! The signal by which a command that does not end by itself counts as started: a text that it prints, a port that it
//! opens, or a file that it creates.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use perf_budget_core::budget::Ready;
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::{Child, Readiness, Stream};

/// The signal that is waited for. The file of a signal is removed when the signal is dropped, so that the next run can
/// wait for it again.
#[derive(Debug)]
pub(super) enum Signal {
    Text(Stream, String),
    Port(u16),
    File(PathBuf),
}

impl Signal {
    /// Returns the signal of `ready`, or `None` if the command is ready when it ends. Fails if the signal is there
    /// before the command is started.
    pub(super) fn prepare(ready: &Ready, root: &Path) -> Result<Option<Signal>, Unmeasured> {
        Ok(Some(match ready {
            Ready::Exit => return Ok(None),
            Ready::Stdout(text) => Signal::Text(Stream::Stdout, text.clone()),
            Ready::Stderr(text) => Signal::Text(Stream::Stderr, text.clone()),
            Ready::Port(port) if accepts(*port) => {
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

    /// Waits for the signal.
    pub(super) fn wait(
        &self,
        child: &mut Child,
        deadline: Instant,
    ) -> Result<Readiness, Unmeasured> {
        match self {
            Signal::Text(..) => child.ready(deadline),
            Signal::Port(port) => child.until(deadline, || accepts(*port)),
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
            Signal::Text(Stream::Stdout, text) => {
                write!(f, "its standard output held {text:?}")
            }
            Signal::Text(Stream::Stderr, text) => write!(f, "its standard error held {text:?}"),
            Signal::Port(port) => write!(f, "port {port} accepted a connection"),
            Signal::File(file) => write!(f, "the file `{}` was there", file.display()),
        }
    }
}

/// Whether a connection to the port of the loopback interface is accepted, by IPv4 or IPv6.
fn accepts(port: u16) -> bool {
    // A connection is refused at once if nobody listens. But a full backlog would block the call for minutes.
    let patience = Duration::from_millis(100);
    [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]
        .iter()
        .any(|address| TcpStream::connect_timeout(address, patience).is_ok())
}
