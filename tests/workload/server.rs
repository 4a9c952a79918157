//! A workload with a server of its own, which lives on while the workload is measured. It is apart because it is the
//! one subject that is two processes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use perf_budget::{Failed, Run};

/// Asks a server, a process below a child of this one that lives on: it counts to 2000 for each operation.
pub(crate) fn ask_server(run: &mut Run) -> Result<(), Failed> {
    const SERVER: &str = "sh -c 'while read line; do n=0; while [ $n -lt 2000 ]; do n=$((n+1)); done; echo; done'; true";
    let (stdin, stdout) = (Stdio::piped(), Stdio::piped());
    let mut server = Command::new("sh").args(["-c", SERVER]).stdin(stdin).stdout(stdout).spawn()?;
    let mut ask = server.stdin.take().ok_or("no input")?;
    let mut answers = BufReader::new(server.stdout.take().ok_or("no output")?);
    let mut answer = String::new();
    run.try_iter(|| {
        ask.write_all(b"\n")?;
        answers.read_line(&mut answer)
    })?;
    drop(ask);
    server.wait()?;
    Ok(())
}
