//! A small process that outlives this one, for what a killed harness leaves behind.
//!
//! A child dies with the harness (`PR_SET_PDEATHSIG`), and what the child started does not: a server that a
//! workload runs, whatever a command leaves in the background. Where the harness itself is killed, by
//! Ctrl-C, by a test runner's time limit, for want of memory, nobody would end those. So this binary starts
//! itself once more beside a run. It waits at a pipe whose other end is the harness's alone, which the kernel
//! closes however the harness ends, and then ends every process whose environment says that it was started
//! here. It is in a group of its own, so that a signal to the harness's group passes it by, and has no
//! streams of the harness's, so that nobody waits for them.
//!
//! What cleared its environment *and* lost its parents to the same signal is not found.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};

use super::tree::{Marker, Tree};

/// Set for a guard, and for nothing else: what the markers of its harness begin with.
const VARIABLE: &str = "PERF_BUDGET_GUARD";

/// The harness's end. Dropping it ends the guard: a harness that comes so far has ended its children.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    /// Has everything that is started from now on ended with this process, whatever ends it.
    ///
    /// # Errors
    /// Where this binary cannot be started once more.
    pub(crate) fn post() -> io::Result<Guard> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(VARIABLE, Marker::beginning()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Guard(command.spawn()?))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Guards, if this process was started to; `None` at once in every other.
pub(crate) fn guard() -> Option<ExitCode> {
    let beginning = std::env::var_os(VARIABLE)?;
    // Nothing is ever written: this is the harness's end.
    let _ = io::stdin().read(&mut [0]);
    Tree::of_all(Marker::known(&beginning.to_string_lossy())).end();
    Some(ExitCode::SUCCESS)
}
