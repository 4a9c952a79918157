//! The choice of who starts a process: this process or a relay.

use std::io;
use std::process::Command;

use super::launch::{Launch, Parent};
use super::linux::{self, Handle};
use super::relay;

/// Starts the program of `launch`, in the environment (variables, streams, directory) that `surround` gives it.
pub(super) fn start(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    match launch.parent {
        // A traced process needs no relay, since nothing is counted before its program is loaded. Only a supervisor
        // that is a copy of this process can trace.
        _ if launch.is_traced => direct(launch, surround),
        Parent::Harness => direct(launch, surround),
        Parent::Relay => relay::spawn(launch, surround),
    }
}

fn direct(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    let mut command = launch.direct();
    surround(&mut command);
    linux::spawn(command, launch)
}
