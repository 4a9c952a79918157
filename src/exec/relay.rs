//! A small process in between, so that what the harness holds does not count as the command's.
//!
//! A forked process begins as a copy of its parent. What the copy held before it loaded its program
//! is in the largest resident size that the kernel gives when it is reaped, which otherwise is
//! exactly `peak_rss`: a harness that holds 300 MB reads at least 300 MB of every command. (The
//! process's own `VmHWM` knows better and is gone when it ends; polling it misses the end.) And the
//! copy is thrown away on the command's time: `true` takes 1 ms from a small process, 8 to 14 ms from
//! one of 300 MB, most of it counted as its own processor time.
//!
//! Therefore this binary starts itself once more as a relay. Fresh, it holds a few megabytes; it
//! forks the command, reaps it when it is told to, and passes on what the kernel said. They speak by
//! lines of JSON over a socket, which is the relay's standard input.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::linux::{self, Handle};
use super::{Exit, Input, Launch, Usage};

/// Set for a relay, and for nothing else.
const VARIABLE: &str = "PERF_BUDGET_RELAY";

/// How long a relay may take to start, and to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// With these arguments the unit tests' binary comes to the test that plays the relay; a harness
/// needs none.
const ARGUMENTS: &[&str] = if cfg!(test) {
    &["--exact", "exec::tests::relay", "--nocapture", "--test-threads=1"]
} else {
    &[]
};

/// The harness's end of a relay.
#[derive(Debug)]
pub(super) struct Relay {
    own: Box<Handle>,
    socket: BufReader<UnixStream>,
}

/// What a relay is asked for. Its directory, variables and outputs are the command's already.
#[derive(Serialize, Deserialize)]
struct WireLaunch {
    program: WireWord,
    args: Vec<WireWord>,
    open_input: bool,
}

/// A word of a command line, which need not be text.
type WireWord = Vec<u8>;

/// What it says first.
#[derive(Serialize, Deserialize)]
enum WireStart {
    Started(Started),
    Refused(Refused),
}

#[derive(Serialize, Deserialize)]
struct Started {
    pid: u32,
    spawned_at: u64,
}

#[derive(Serialize, Deserialize)]
struct Refused {
    errno: Option<i32>,
    text: String,
}

/// What it is told when the command has ended, or is about to.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireReap {
    Reap,
}

/// What it says last.
#[derive(Serialize, Deserialize)]
enum WireEnd {
    /// How the command ended, and what it used.
    Ended((Exit, Option<Usage>)),
    /// Why that is not known.
    Lost(String),
}

/// The command that starts a relay, without the directory, variables and outputs that the command
/// is to have.
pub(super) fn command() -> io::Result<Command> {
    if std::env::var_os(VARIABLE).is_some() {
        return Err(io::Error::other(
            "this program was started as a relay and did not become one; its `main` must come to \
             the harness first",
        ));
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(ARGUMENTS).env(VARIABLE, "1");
    Ok(command)
}

/// Starts the relay, and by it what `launch` says.
pub(super) fn spawn(mut command: Command, launch: &Launch) -> io::Result<Handle> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(PATIENCE))?;
    command.stdin(OwnedFd::from(theirs));
    let mut own = Box::new(linux::spawn(command)?);
    let mut socket = BufReader::new(ours);
    let wire = WireLaunch {
        program: launch.program.as_bytes().to_owned(),
        args: launch.args.iter().map(|word| word.as_bytes().to_owned()).collect(),
        open_input: launch.stdin == Input::Open,
    };
    let answer = tell(socket.get_ref(), &wire).and_then(|()| hear(&mut socket));
    match answer {
        Ok(WireStart::Started(Started { pid, spawned_at })) => {
            Ok(Handle::relayed(pid, linux::instant(spawned_at), Relay { own, socket }))
        }
        Ok(WireStart::Refused(Refused { errno, text })) => {
            own.kill();
            let _ = own.reap();
            Err(errno.map_or_else(|| io::Error::other(text), io::Error::from_raw_os_error))
        }
        Err(e) => {
            own.kill();
            let _ = own.reap();
            Err(io::Error::other(format!(
                "the relay that should start it did not answer ({e}); \
                 the `main` of this program must come to the harness first"
            )))
        }
    }
}

impl Relay {
    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.own.id()
    }

    /// Has it reap the command, waiting for the command's end, and end itself.
    pub(super) fn reap(&mut self) -> io::Result<(Exit, Option<Usage>)> {
        let end =
            tell(self.socket.get_ref(), &WireReap::Reap).and_then(|()| hear(&mut self.socket));
        self.own.kill();
        let _ = self.own.reap();
        match end? {
            WireEnd::Ended(ended) => Ok(ended),
            WireEnd::Lost(text) => Err(io::Error::other(text)),
        }
    }
}

/// To be called first by every program that measures commands. Where it was started as a relay it is
/// one, and the program must then end with the code that is given; else this is `None` at once.
pub(crate) fn relay() -> Option<ExitCode> {
    std::env::var_os(VARIABLE)?;
    Some(match serve() {
        Ok(()) => ExitCode::SUCCESS,
        // The harness has gone, or hears that its relay fell silent.
        Err(_) => ExitCode::FAILURE,
    })
}

fn serve() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut socket = BufReader::new(socket);
    let wire: WireLaunch = hear(&mut socket)?;
    let mut command = Command::new(OsString::from_vec(wire.program));
    command.args(wire.args.into_iter().map(OsString::from_vec)).env_remove(VARIABLE);
    let mut input = None;
    command.stdin(if wire.open_input {
        let (read, write) = io::pipe()?;
        input = Some(write);
        Stdio::from(read)
    } else {
        Stdio::null()
    });
    let mut handle = match linux::spawn(command) {
        Ok(handle) => handle,
        Err(e) => {
            let refused =
                WireStart::Refused(Refused { errno: e.raw_os_error(), text: e.to_string() });
            tell(socket.get_ref(), &refused)?;
            return hear::<WireReap>(&mut socket).map(|WireReap::Reap| ());
        }
    };
    let spawned_at = linux::nanos(handle.spawned_at());
    let started = WireStart::Started(Started { pid: handle.id(), spawned_at });
    tell(socket.get_ref(), &started)?;
    let WireReap::Reap = hear(&mut socket)?;
    let end = match handle.reap() {
        Ok(ended) => WireEnd::Ended(ended),
        Err(e) => WireEnd::Lost(e.to_string()),
    };
    drop(input);
    tell(socket.get_ref(), &end)?;
    // To be killed here, and write nothing more: what it writes counts as the command's.
    hear::<WireReap>(&mut socket).map(|WireReap::Reap| ())
}

fn tell(mut socket: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    socket.write_all(&line)
}

fn hear<T: DeserializeOwned>(socket: &mut BufReader<UnixStream>) -> io::Result<T> {
    let mut line = String::new();
    if socket.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&line)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::tests::{frozen, refused};

    #[test]
    fn the_lines_stay_as_they_are() {
        let launch: WireLaunch =
            frozen(r#"{"program":[47,98,255],"args":[[97],[]],"open_input":true}"#);
        assert_eq!((launch.program, launch.args), (vec![47, 98, 255], vec![vec![97], vec![]]));
        frozen::<WireStart>(r#"{"Started":{"pid":4321,"spawned_at":18446744073709551615}}"#);
        frozen::<WireStart>(r#"{"Refused":{"errno":2,"text":"no such file"}}"#);
        frozen::<WireStart>(r#"{"Refused":{"errno":null,"text":""}}"#);
        frozen::<WireReap>(r#""reap""#);
        let used = r#"{"cpu":{"secs":1,"nanos":999999999},"preempted":3,"waited":null,"max_rss":8192,"forked_from":4096,"had_children":false}"#;
        let WireEnd::Ended((exit, used)) =
            frozen::<WireEnd>(&format!(r#"{{"Ended":[{{"Code":-1}},{used}]}}"#))
        else {
            panic!("it ended")
        };
        assert_eq!((exit, used.unwrap().cpu), (Exit::Code(-1), Duration::new(1, 999_999_999)));
        frozen::<WireEnd>(r#"{"Ended":[{"Signal":9},null]}"#);
        frozen::<WireEnd>(r#"{"Lost":"no child"}"#);
    }

    #[test]
    fn other_lines_are_refused() {
        refused::<WireLaunch>(r#"{"program":[256],"args":[],"open_input":true}"#);
        refused::<WireReap>(r#""run""#);
        refused::<WireStart>(r#"{"Started":{"pid":-1,"spawned_at":0}}"#);
        refused::<WireEnd>(r#"{"Ended":[{"Code":0}]}"#);
    }
}
