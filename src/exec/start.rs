//! Which way a process is started: as this one's own, or by a relay.

use std::io;
use std::process::Command;

use super::launch::{Launch, Parent};
use super::linux::{self, Handle};
use super::relay;

/// Starts what `launch` says, in the surroundings (variables, streams, directory) that it is given.
pub(super) fn start(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    match launch.parent {
        Parent::Harness => {
            let mut command = launch.direct();
            surround(&mut command);
            linux::spawn(command, &launch.passes)
        }
        Parent::Relay => relay::spawn(launch, surround),
    }
}
