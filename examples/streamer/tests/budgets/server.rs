//! A real server on loopback, for as long as a workload runs: in an empty directory, on a port that was
//! free, keeping nothing on disk.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use perf_budget::Failed;

/// Another process may take a port after it was found free and before the server starts.
const ATTEMPTS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(10);

/// How a server is started.
pub(crate) struct Program {
    /// What it may be called, and where: `/usr/sbin` is not on everybody's path.
    pub(crate) names: &'static [&'static str],
    /// The package of Debian that has it.
    pub(crate) package: &'static str,
    pub(crate) arguments: fn(port: &str, directory: &Path) -> Vec<String>,
}

/// A server; it ends when this is dropped, and with the workload's process at the latest.
pub(crate) struct Server {
    child: Child,
    _directory: tempfile::TempDir,
}

impl Server {
    /// Starts it, and connects to it.
    pub(crate) fn start(program: &Program) -> Result<(Server, TcpStream), Failed> {
        for _ in 1..ATTEMPTS {
            if let Ok(started) = Server::attempt(program) {
                return Ok(started);
            }
        }
        Server::attempt(program)
    }

    fn attempt(program: &Program) -> Result<(Server, TcpStream), Failed> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let directory = tempfile::tempdir()?;
        let arguments = (program.arguments)(&port.to_string(), directory.path());
        let child = spawn(program, &arguments)?;
        let mut server = Server { child, _directory: directory };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let name = program.names[0];
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{name} ended before it took a connection: {status}").into());
            }
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok((server, stream));
                }
                Err(error) if Instant::now() > deadline => {
                    return Err(
                        format!("{name} takes no connections on port {port}: {error}").into()
                    );
                }
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

fn spawn(program: &Program, arguments: &[String]) -> Result<Child, Failed> {
    let silent = |name: &str| {
        let mut command = Command::new(name);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let is_there = |name: &&&str| silent(name).arg("--version").status().is_ok();
    let Some(name) = program.names.iter().find(is_there) else {
        let (name, package) = (program.names[0], program.package);
        return Err(format!("{name} is not installed: apt-get install {package}").into());
    };
    // With `setpriv` the kernel kills the server when this process ends, even if it is killed.
    let mut bound = silent("setpriv");
    bound.args(["--pdeathsig", "KILL", name]).args(arguments);
    match bound.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(silent(name).args(arguments).spawn()?)
        }
        other => Ok(other?),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing a server that has ended fails, which does no harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The error for an answer that was not expected.
pub(crate) fn unexpected(answer: &[u8]) -> io::Error {
    io::Error::other(format!("unexpected answer: {}", String::from_utf8_lossy(answer).trim_end()))
}
