//! The handshake by which a helper process proves that a living harness has started it.
//!
//! The binary under test is also the binary of the helper processes, and a variable in the environment says what a
//! process was started for. The variable alone is not enough: anyone may have such a variable, left over, inherited
//! or made up, and a process that believed it would look like a run in which nothing failed. So the parent also hands
//! over a socket, one of a pair that it made, in which a random secret lies ready. The variable contains the socket's
//! number and the same secret. The process is accepted if the two secrets are equal and if the kernel says that its
//! parent, or the parent of that, made the pair. The kernel says so only while the maker lives. The secret is read once,
//! so that whoever inherits the variable is not accepted again.

use std::fmt;

/// The exit code of a process that was rejected: the same as when the harness cannot work.
pub(crate) const REJECTED: u8 = 2;

/// A variable of earlier releases, for a process that ended what its environment named. No such process exists any
/// more.
const RETIRED: &str = "PERF_BUDGET_GUARD";

/// Why a process is not accepted as a helper, with the remedy.
#[derive(Debug)]
pub(crate) struct Rejected(String);

impl Rejected {
    /// Returns the rejection of a process whose `variable` was not set by its harness.
    pub(crate) fn new(variable: &str, why: impl fmt::Display) -> Rejected {
        Rejected(format!(
            "perf-budget: refused to act on `{variable}` in the environment: {why}; only a harness sets \
             it, for the processes that it starts itself: unset it (`unset {variable}`) and run the tests again"
        ))
    }

    /// Returns the rejection of a process whose `variable` came without a token, as a harness of an earlier release sets
    /// it.
    #[cfg(target_os = "linux")]
    pub(crate) fn without_token(variable: &str) -> Rejected {
        Rejected(format!(
            "perf-budget: refused to act on `{variable}` in the environment: it came without a token; if this binary is \
             the base of a revision with an older release of perf-budget, whose harness has started it, use the base's \
             release in both, or compare with an older base; otherwise unset it (`unset {variable}`) and run the tests \
             again"
        ))
    }

    /// Returns the rejection of a process that a workload has started: workloads do not run tests.
    #[cfg(target_os = "linux")]
    pub(crate) fn below_workload(workload: u32) -> Rejected {
        Rejected(format!(
            "perf-budget: refused to run the tests below one of themselves: process {workload}, a workload that is \
             being measured, has started the test binary; have it start another program"
        ))
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Rejects a process that has the variable of an earlier release.
///
/// # Errors
/// If the variable is set.
pub(crate) fn reject_retired() -> Result<(), Rejected> {
    match std::env::var_os(RETIRED) {
        Some(_) => Err(Rejected::new(RETIRED, "no process of this release has it")),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{Accepted, Copied, Token, accept};

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::parent_id;
    use std::time::Duration;

    use super::Rejected;
    use crate::os::random::random;
    use crate::os::{kernel, proc};

    /// The number of hexadecimal digits of a secret.
    const LENGTH: usize = 32;

    /// The one-time token that a parent hands to a child, by which the child is accepted.
    #[derive(Debug)]
    pub(crate) struct Token {
        socket: OwnedFd,
        secret: String,
    }

    /// A token for a copy of the harness that becomes the parent of the child. It makes the socket anew, since the harness
    /// itself is too far above the child to be accepted as the maker.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Copied {
        number: i32,
        secret: [u8; LENGTH],
    }

    /// The connection of an accepted process to its parent.
    #[derive(Debug)]
    pub(crate) struct Accepted {
        /// The socket, from which the secret has been read.
        pub(crate) socket: UnixStream,
        /// The rest of the variable's value, after the token.
        pub(crate) rest: String,
    }

    impl Token {
        /// Makes a token, and this process's end of its socket.
        pub(crate) fn new() -> io::Result<(Token, UnixStream)> {
            let secret = format!("{:032x}", u128::from_ne_bytes(random::<{ LENGTH / 2 }>()));
            let (mut ours, theirs) = UnixStream::pair()?;
            ours.write_all(secret.as_bytes())?;
            Ok((Token { socket: theirs.into(), secret }, ours))
        }

        /// Returns the number under which a child inherits the socket, if it is allowed to.
        pub(crate) fn number(&self) -> i32 {
            self.socket.as_raw_fd()
        }

        /// Returns a copy for the process that starts the child.
        pub(crate) fn copy(&self) -> Copied {
            let mut secret = [0; LENGTH];
            secret.copy_from_slice(self.secret.as_bytes());
            Copied { number: self.number(), secret }
        }

        /// Returns the variable's value for a child that inherits the socket under its own number.
        pub(crate) fn value(&self, rest: &str) -> String {
            self.value_at(self.number(), rest)
        }

        /// Returns the variable's value for a child that finds the socket under `number`.
        pub(crate) fn value_at(&self, number: i32, rest: &str) -> String {
            format!("{number}-{} {rest}", self.secret)
        }

        /// Returns the socket, for a caller that places it under another number.
        pub(crate) fn into_socket(self) -> OwnedFd {
            self.socket
        }
    }

    impl Copied {
        /// Replaces the socket by one that this process has made, and lets the programs that it starts inherit it. It only
        /// makes system calls, since it runs in a copy of the harness.
        pub(crate) fn renew(&self) -> io::Result<()> {
            let (mut ours, theirs) = UnixStream::pair()?;
            ours.write_all(&self.secret)?;
            kernel::place(theirs.as_fd(), self.number)
        }
    }

    /// Accepts this process as the helper that `variable` asks for; returns `None` if the variable is not set.
    ///
    /// # Errors
    /// If the variable is set, but not by the process that started this one.
    pub(crate) fn accept(variable: &'static str) -> Result<Option<Accepted>, Rejected> {
        let Some(value) = std::env::var_os(variable) else { return Ok(None) };
        let token = value
            .to_str()
            .and_then(parts)
            .ok_or("its value is not in the form that a harness writes".to_owned());
        let accepted = token.and_then(|(number, secret, rest)| {
            let socket = verify(number, secret)?;
            Ok(Accepted { socket, rest: rest.to_owned() })
        });
        accepted.map(Some).map_err(|why| Rejected::new(variable, why))
    }

    /// Splits a value into the socket's number, the secret, and the rest.
    fn parts(value: &str) -> Option<(i32, &str, &str)> {
        let (token, rest) = value.split_once(' ')?;
        let (number, secret) = token.split_once('-')?;
        (secret.len() == LENGTH).then_some((number.parse().ok()?, secret, rest))
    }

    /// Checks the maker of the socket and the secret in it.
    fn verify(number: i32, secret: &str) -> Result<UnixStream, String> {
        let none =
            |_: io::Error| "no parent handed this process the socket that it names".to_owned();
        let mut socket = UnixStream::from(kernel::duplicate(number).map_err(none)?);
        let maker = kernel::maker_of(socket.as_fd()).map_err(none)?;
        let parent = parent_id();
        if maker != parent && proc::parent(parent) != Some(maker) {
            return Err("the process that set it did not start this one, or has ended".to_owned());
        }
        let mut received = [0; LENGTH];
        socket.set_read_timeout(Some(Duration::from_secs(1))).map_err(none)?;
        socket.read_exact(&mut received).map_err(none)?;
        if received != secret.as_bytes() {
            return Err("its secret is not the one that the parent handed over".to_owned());
        }
        socket.set_read_timeout(None).map_err(none)?;
        kernel::inherit(number, false).map_err(none)?;
        Ok(socket)
    }
}
