//! The output of the subcommands: results on standard output, messages on standard error.

use std::io::Write;

use crate::failure::Failure;
use crate::progress::aside;
use crate::text;

/// Prints a line on standard error. A failure is ignored, since there is no other place to report it.
pub(super) fn say(text: &str) {
    let _ = aside(|| writeln!(anstream::stderr(), "{}", text::safe_for_terminal(text)));
}

/// Prints a text for people on standard output: see [`text::safe_for_terminal`].
pub(crate) fn show(text: &str) -> Result<(), Failure> {
    print(&text::safe_for_terminal(text))
}

/// Prints a text unchanged on standard output. It is not an error if the reader has gone away (`| head`).
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match aside(|| out.write_all(text.as_bytes()).and_then(|()| out.flush())) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::unmeasured(format!("failed to write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}
