//! The doors by which helper processes of a measurement come into this binary, and what opens them.
//!
//! A variable in the environment says what a process was started for. That alone opens nothing: anyone may have
//! such a variable, be it left over, inherited or made up, and what came in by it would look like a run in which
//! nothing failed. So the parent also hands over a socket, one of a pair that it made, in which a word of the
//! system's chance lies ready. The variable has the socket's number and the same word. A door opens where both
//! words are one, and where the kernel says that the pair was made by this process's parent or by the parent of
//! that, which is so only while it lives. The word is read once, so that nobody who inherits the variable comes
//! in after.

use std::fmt;

/// The exit code of a process that nobody let in: as where the harness cannot work.
pub(crate) const SHUT: u8 = 2;

/// Once set for a process that ended what its environment named. There is no such process any more.
const RETIRED: &str = "PERF_BUDGET_GUARD";

/// Why a door stays shut, with the remedy.
#[derive(Debug)]
pub(crate) struct Shut(String);

impl Shut {
    /// Nobody who may has set this variable.
    pub(crate) fn new(variable: &str, why: impl fmt::Display) -> Shut {
        Shut(format!(
            "perf-budget: refused to be what `{variable}` in the environment asks for: {why}; only a harness sets \
             it, for the processes that it starts itself: unset it (`unset {variable}`) and run the tests again"
        ))
    }

    /// Workloads do not run tests.
    #[cfg(target_os = "linux")]
    pub(crate) fn below(workload: u32) -> Shut {
        Shut(format!(
            "perf-budget: refused to run the tests below one of themselves: process {workload}, a workload that is \
             being measured, has started the test binary; have it start another program"
        ))
    }
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// # Errors
/// Where a variable is set that opens nothing any more.
pub(crate) fn retired() -> Result<(), Shut> {
    match std::env::var_os(RETIRED) {
        Some(_) => Err(Shut::new(RETIRED, "no process of this release has it")),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{Opened, Pass, knock};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::parent_id;
    use std::time::Duration;

    use super::Shut;
    use crate::os::{kernel, proc};

    /// Letters of a word.
    const LENGTH: usize = 32;

    /// What a parent hands to a child that it starts.
    #[derive(Debug)]
    pub(crate) struct Pass {
        socket: OwnedFd,
        word: String,
    }

    /// What came in by an open door.
    #[derive(Debug)]
    pub(crate) struct Opened {
        /// The socket, behind the word.
        pub(crate) socket: UnixStream,
        /// What else the variable says.
        pub(crate) rest: String,
    }

    impl Pass {
        /// A new one, and this process's end of its socket.
        pub(crate) fn new() -> io::Result<(Pass, UnixStream)> {
            let mut chance = [0; LENGTH / 2];
            File::open("/dev/urandom")?.read_exact(&mut chance)?;
            let word = format!("{:032x}", u128::from_ne_bytes(chance));
            let (mut ours, theirs) = UnixStream::pair()?;
            ours.write_all(word.as_bytes())?;
            Ok((Pass { socket: theirs.into(), word }, ours))
        }

        /// The number under which a child inherits it, if it is let to.
        pub(crate) fn number(&self) -> i32 {
            self.socket.as_raw_fd()
        }

        /// The variable's value, where the child inherits it as it is.
        pub(crate) fn value(&self, rest: &str) -> String {
            self.value_at(self.number(), rest)
        }

        /// The variable's value, where the child finds the socket under this number.
        pub(crate) fn value_at(&self, number: i32, rest: &str) -> String {
            format!("{number}-{} {rest}", self.word)
        }

        /// The socket, to be put somewhere else.
        pub(crate) fn into_socket(self) -> OwnedFd {
            self.socket
        }
    }

    /// Opens the door of this variable; `None` where it is not set.
    ///
    /// # Errors
    /// Where it is set, and not by whoever started this process.
    pub(crate) fn knock(variable: &'static str) -> Result<Option<Opened>, Shut> {
        let Some(value) = std::env::var_os(variable) else { return Ok(None) };
        let opened =
            value.to_str().and_then(parts).ok_or("it is not what a harness writes".to_owned());
        let opened = opened.and_then(|(number, word, rest)| {
            let socket = show(number, word)?;
            Ok(Opened { socket, rest: rest.to_owned() })
        });
        opened.map(Some).map_err(|why| Shut::new(variable, why))
    }

    /// The socket's number, the word, and the rest.
    fn parts(value: &str) -> Option<(i32, &str, &str)> {
        let (pass, rest) = value.split_once(' ')?;
        let (number, word) = pass.split_once('-')?;
        (word.len() == LENGTH).then_some((number.parse().ok()?, word, rest))
    }

    fn show(number: i32, word: &str) -> Result<UnixStream, String> {
        let none = |_: io::Error| "nobody handed this process what it names".to_owned();
        let mut socket = UnixStream::from(kernel::duplicate(number).map_err(none)?);
        let maker = kernel::maker_of(socket.as_fd()).map_err(none)?;
        let parent = parent_id();
        if maker != parent && proc::parent(parent) != Some(maker) {
            return Err(
                "the process that set it is not the one that started this, or has ended".to_owned()
            );
        }
        let mut said = [0; LENGTH];
        socket.set_read_timeout(Some(Duration::from_secs(1))).map_err(none)?;
        socket.read_exact(&mut said).map_err(none)?;
        if said != word.as_bytes() {
            return Err("the word in it is another than the one that was handed over".to_owned());
        }
        socket.set_read_timeout(None).map_err(none)?;
        kernel::inherit(number, false).map_err(none)?;
        Ok(socket)
    }
}
