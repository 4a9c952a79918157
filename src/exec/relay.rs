//! A small process between the harness and a command, so that what the harness holds does not count as the command's.
//!
//! A forked process begins as a copy of its parent. When it is reaped, the kernel reports its largest resident size. That
//! would be `peak_rss`, but it includes what the copy held before it loaded its program. So if a harness holds 300 MB,
//! every command seems to need at least 300 MB. (The process's own `VmHWM` would be right, but is gone when the process
//! ends, and polling it misses the end.) The time to discard the copy counts as the command's too: `true` takes 1 ms if a
//! small process starts it, and 8 to 14 ms if one of 300 MB does, most of which counts as its own processor time.
//!
//! Therefore this binary starts itself once more as a relay. A fresh process holds a few megabytes; it forks the
//! command, supervises its tree, and passes on what the kernel reported. The harness and the relay communicate over a
//! socket, which is the relay's standard input. The request and the start pass over it as JSON, each after its length,
//! and then the report that every supervisor writes.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::process::{Command, Stdio};
use std::time::Duration;

use perf_budget_core::budget::Constraint;
use perf_budget_core::exact;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::guardian;
use super::handshake::{self, Rejected, Token};
use super::launch::{Input, Launch};
use super::linux::{self, Handle, Start};
use super::supervisor;
use super::usage::Counted;
use crate::os::traffic::Traffic;
use crate::os::{kernel, moment};

/// The variable that is set for a relay, and for no other process.
const VARIABLE: &str = "PERF_BUDGET_RELAY";

/// How long a relay may take to start, and to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The arguments with which the binary of the unit tests comes to the test that plays the relay; a harness needs
/// none.
const ARGUMENTS: &[&str] = if cfg!(test) {
    &["--exact", "exec::tests::relay", "--nocapture", "--test-threads=1"]
} else {
    &[]
};

/// The process that a relay is asked to start. The relay already has the directory, variables and outputs of the
/// command.
#[derive(Serialize, Deserialize)]
struct WireLaunch {
    program: WireArgument,
    args: Vec<WireArgument>,
    open_input: bool,
    /// The file that the command reads.
    #[serde(default)]
    input: Option<WireArgument>,
    /// The most bytes of its own that a process of the command may have.
    #[serde(default)]
    memory: Option<u64>,
    /// The number of processors that the command may run on.
    #[serde(default)]
    processors: Option<u32>,
}

/// A word of a command line, which need not be text.
type WireArgument = Vec<u8>;

/// The relay's first message.
#[derive(Serialize, Deserialize)]
enum WireStart {
    Started(Started),
    Refused(Refused),
}

#[derive(Serialize, Deserialize)]
struct Started {
    pid: u32,
    spawned_at: u64,
    forked_from: u64,
    /// The page faults of both kinds, and the bytes read and written, before the program was loaded.
    #[serde(default)]
    before: (Option<u64>, Option<u64>, Option<(u64, u64)>),
}

#[derive(Serialize, Deserialize)]
struct Refused {
    errno: Option<i32>,
    text: String,
}

/// Starts a relay in the environment that the command is to have, and has it start the program of `launch`.
pub(super) fn spawn(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    if std::env::var_os(VARIABLE).is_some() {
        return Err(io::Error::other(
            "this program was started as a relay and did not become one; its `main` must call \
             the harness first",
        ));
    }
    let (token, socket) = Token::new()?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut command = Command::new(std::env::current_exe()?);
    surround(&mut command);
    command.args(ARGUMENTS).env(VARIABLE, token.value_at(0, "")).stdin(token.into_socket());
    let guardian = linux::spawn_supervisor(command, &launch.tokens)?;
    let wire = WireLaunch {
        program: launch.program.as_bytes().to_owned(),
        args: launch.args.iter().map(|word| word.as_bytes().to_owned()).collect(),
        open_input: launch.stdin == Input::Open,
        input: match &launch.stdin {
            Input::File(file) => Some(file.as_os_str().as_bytes().to_owned()),
            Input::Null | Input::Open | Input::Channel => None,
        },
        memory: launch.constraint.memory,
        processors: launch.constraint.processors,
    };
    let error = match send(&socket, &wire).and_then(|()| receive(&socket)) {
        Ok(WireStart::Started(Started { pid, spawned_at, forked_from, before })) => {
            socket.set_read_timeout(None)?;
            let (faults, major_faults, traffic) = before;
            let traffic = traffic.map(|(read, written)| Traffic { read, written });
            let before = Counted { faults, major_faults, traffic };
            let start = Start { pid, at: moment::instant(spawned_at), forked_from, before };
            return Ok(Handle::relayed(start, guardian, socket));
        }
        Ok(WireStart::Refused(Refused { errno, text })) => {
            errno.map_or_else(|| io::Error::other(text), io::Error::from_raw_os_error)
        }
        Err(e) => io::Error::other(format!(
            "the relay that should start it did not answer ({e}); \
             the `main` of this program must call the harness first"
        )),
    };
    // The relay may have started the command all the same; then it ends the command.
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let _ = io::copy(&mut &socket, &mut io::sink());
    // A relay that does not answer dies with its guardian.
    drop(socket);
    let was_killed = guardian::dismiss(guardian);
    Err(if was_killed { io::Error::other(supervisor::KILLED) } else { error })
}

/// Runs as a relay and never returns, if this process was started as one; otherwise it does nothing. Every program
/// that measures commands has to call it first.
///
/// # Errors
/// If the variable asks for a relay, but was not set by a harness.
pub(crate) fn relay() -> Result<(), Rejected> {
    let Some(handshake::Accepted { socket, .. }) = handshake::accept(VARIABLE)? else {
        return Ok(());
    };
    let code = match serve(&socket) {
        Ok(()) => 0,
        // The harness has ended, or it notices that the relay no longer answers.
        Err(_) => 1,
    };
    // Whatever this process wrote from here on, for example at the end of `main`, would be taken for the command's
    // output.
    kernel::exit_now(code);
}

fn serve(socket: &UnixStream) -> io::Result<()> {
    let guardian = parent_id();
    // From here on the relay notices by itself when the harness ends, and then has to end the tree before itself.
    supervisor::begin()?;
    let wire: WireLaunch = receive(socket)?;
    let mut command = Command::new(OsString::from_vec(wire.program));
    command.args(wire.args.into_iter().map(OsString::from_vec)).env_remove(VARIABLE);
    let mut input = None;
    command.stdin(if wire.open_input {
        let (read, write) = io::pipe()?;
        input = Some(write);
        Stdio::from(read)
    } else if let Some(file) = wire.input {
        Stdio::from(File::open(OsString::from_vec(file))?)
    } else {
        Stdio::null()
    });
    // The command inherits the limits of this process, which starts it.
    let constraint = Constraint { memory: wire.memory, processors: wire.processors };
    let constrained = linux::processors(constraint)
        .and_then(|processors| linux::constrain(processors.as_ref(), constraint.memory));
    let start = match constrained.and_then(|()| linux::spawn_below(command)) {
        Ok(start) => start,
        Err(e) => {
            let refused = Refused { errno: e.raw_os_error(), text: e.to_string() };
            return send(socket, &WireStart::Refused(refused));
        }
    };
    let ago = u64::try_from(start.at.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let spawned_at = moment::monotonic().saturating_sub(ago);
    let Start { pid, forked_from, before, .. } = start;
    let traffic = before.traffic.map(|traffic| (traffic.read, traffic.written));
    let before = (before.faults, before.major_faults, traffic);
    let started =
        send(socket, &WireStart::Started(Started { pid, spawned_at, forked_from, before }));
    supervisor::supervise((pid, guardian), socket, None, |report| {
        let _ = (&mut &*socket).write_all(report);
    });
    drop(input);
    started
}

fn send(mut socket: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    socket.write_all(&[&length.to_le_bytes()[..], &text].concat())
}

fn receive<T: DeserializeOwned>(mut socket: &UnixStream) -> io::Result<T> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let mut text = Vec::new();
    let length = u64::from(u32::from_le_bytes(length));
    if socket.take(length).read_to_end(&mut text)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(exact::read(&text)?)
}

#[cfg(test)]
mod tests {
    use perf_budget_core::exact::frozen::{frozen, refused};

    use super::*;

    #[test]
    fn the_messages_stay_as_they_are() {
        let launch: WireLaunch = frozen(
            r#"{"program":[47,98,255],"args":[[97],[]],"open_input":true,"input":[47],"memory":5,"processors":1}"#,
        );
        assert_eq!((launch.program, launch.args), (vec![47, 98, 255], vec![vec![97], vec![]]));
        frozen::<WireStart>(
            r#"{"Started":{"pid":4321,"spawned_at":18446744073709551615,"forked_from":4096,"before":[7,1,[200,192]]}}"#,
        );
        frozen::<WireStart>(
            r#"{"Started":{"pid":4321,"spawned_at":0,"forked_from":4096,"before":[7,1,null]}}"#,
        );
        frozen::<WireStart>(r#"{"Refused":{"errno":2,"text":"no such file"}}"#);
        frozen::<WireStart>(r#"{"Refused":{"errno":null,"text":""}}"#);
    }

    #[test]
    fn other_messages_are_refused() {
        refused::<WireLaunch>(r#"{"program":[256],"args":[],"open_input":true}"#);
        refused::<WireStart>(r#"{"Started":{"pid":-1,"spawned_at":0,"forked_from":0}}"#);
        refused::<WireStart>(r#"{"Started":{"pid":1,"spawned_at":0}}"#);
    }
}
