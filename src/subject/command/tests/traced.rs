//! Tests that the system calls of a command are those that strace counts, and only those that it made until it was ready.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::*;
use crate::exec::tracing_refused;
use crate::subject::command::codes::tests::limited;

/// Whether this system lets no process trace another. If so, a message says that the test is skipped.
fn is_refused() -> bool {
    let refused = tracing_refused();
    if let Some(why) = &refused {
        let _ = writeln!(std::io::stderr(), "{why}");
    }
    refused.is_some()
}

fn calls(command: &Command) -> ProcessRun {
    measured(command, &[Metric::from(Key::Syscalls)])
}

fn total(process: &ProcessRun) -> f64 {
    process.values[&Metric::from(Key::Syscalls)]
}

fn by_name(process: &ProcessRun) -> BTreeMap<String, f64> {
    process.system_calls.iter().map(|call| (call.name.clone(), call.now)).collect()
}

/// Returns what strace counts of the same command. `None` if it is not installed, or may not trace.
fn straced(command: &Command, file: &Path) -> Option<BTreeMap<String, f64>> {
    let mut strace = std::process::Command::new("strace");
    strace.args(["-c", "-f", "-o"]).arg(file).args(&command.argv).current_dir(scratch());
    strace.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    let Ok(output) = strace.stderr(std::process::Stdio::piped()).output() else {
        let _ = writeln!(std::io::stderr(), "not run: strace is not installed");
        return None;
    };
    let message = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && message.contains("ptrace") {
        let _ = writeln!(std::io::stderr(), "not run: strace may not trace: {message}");
        return None;
    }
    assert!(output.status.success(), "{}: {message}", output.status);
    let table = std::fs::read_to_string(file).unwrap();
    // The columns are `% time`, `seconds`, `usecs/call`, `calls`, `errors` if there were any, and the name.
    let rows = table.lines().skip(2).take_while(|line| !line.starts_with('-'));
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[words.len() - 1].to_owned(), words[3].parse().unwrap())
    };
    Some(rows.map(row).collect())
}

#[test]
fn children_and_threads_are_counted_as_strace_does() {
    if is_refused() {
        return;
    }
    let script = "
import os, subprocess, sys, threading
def work():
    for _ in range(50): os.getsid(0)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for _ in range(3):
    if os.fork() == 0:
        for _ in range(70): os.getpgid(0)
        os._exit(0)
    os.wait()
subprocess.run(['true'])
";
    let command = Command {
        argv: ["python3", "-c", script].map(ToOwned::to_owned).into(),
        ..Command::default()
    };
    let process = calls(&command);
    let ours = by_name(&process);
    assert_eq!((ours["getsid"] as u64, ours["getpgid"] as u64), (200, 210));
    assert_eq!(total(&process) as u64, ours.values().sum::<f64>() as u64);
    assert!(ours["exit_group"] >= 5.0, "{ours:?}");
    let Some(theirs) = straced(&command, &scratch().join("python.strace")) else { return };
    // How often a thread has to wait for another one differs from run to run, and so does much of what an interpreter does.
    for name in ["getsid", "getpgid", "execve", "wait4", "clone", "clone3", "vfork"] {
        assert_eq!(ours.get(name), theirs.get(name), "{name}: {ours:?}\n{theirs:?}");
    }
}

#[test]
fn a_command_of_one_thread_has_exactly_the_calls_of_strace() {
    if is_refused() {
        return;
    }
    let command =
        command(&["dd", "if=/dev/zero", "of=/dev/null", "bs=1000", "count=300", "status=none"]);
    let process = calls(&command);
    let mut ours = by_name(&process);
    assert!(ours["read"] >= 300.0 && ours["write"] >= 300.0, "{ours:?}");
    assert_eq!(total(&calls(&command)) as u64, total(&process) as u64);
    let Some(theirs) = straced(&command, &scratch().join("dd.strace")) else { return };
    // strace counts calls that return, and this one never does.
    assert_eq!(ours.remove("exit_group"), Some(1.0));
    assert_eq!(ours, theirs);
}

#[test]
fn a_command_with_a_signal_is_counted_until_it_is_ready() {
    if is_refused() {
        return;
    }
    let script = "for _ in range(300): os.getsid(0)\nos.write(1, b'up')\ntime.sleep(1000)";
    let command = python(script, text("up"));
    let ours = by_name(&calls(&command));
    assert_eq!(ours["getsid"] as u64, 300);
    assert!(ours["write"] >= 1.0, "{ours:?}");
}

/// Job control, signals and ends of all kinds pass through the tracer.
#[test]
fn a_traced_command_behaves_as_it_does_otherwise() {
    if is_refused() {
        return;
    }
    let stops = "
import os, signal, sys, time
caught = []
signal.signal(signal.SIGUSR1, lambda *_: caught.append(1))
os.kill(os.getpid(), signal.SIGUSR1)
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(7)
assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
os.kill(child, signal.SIGCONT)
assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 7
assert caught == [1]
";
    calls(&python(stops, Ready::Exit));
    let metrics = [Metric::from(Key::Syscalls)];
    let killed = python("os.kill(os.getpid(), 11)", Ready::Exit);
    check_refused(&killed, &metrics, LONG, Cause::Crashed, &["SIGSEGV"]);
    let failed = sh("exit 3");
    check_refused(&failed, &metrics, LONG, Cause::ExitedBadly, &["exit code 3"]);
    // A run that is traced has more time, but not without end.
    let hangs = sh("sleep 1000");
    check_refused(&hangs, &metrics, SOON / 5, Cause::TimedOut, &["did not end within"]);
    let missing = command(&["no-such-program-anywhere"]);
    check_refused(&missing, &metrics, LONG, Cause::NotFound, &["no such program in PATH"]);
}

/// A daemon that outlives its starter is ended, whatever it is stopped at.
#[test]
fn what_a_traced_command_leaves_behind_is_ended() {
    if is_refused() {
        return;
    }
    let left = sh("(while :; do :; done; exec true) & (setsid sleep 100000 &) ; true");
    let process = calls(&left);
    assert!(
        process.notes.iter().any(|note| note.contains("left") && note.contains("ended")),
        "{process:?}"
    );
    // A process is one, however many threads it has.
    let threads = "
import threading
if os.fork() == 0:
    for _ in range(3): threading.Thread(target=time.sleep, args=(1000,)).start()
    open('threads-are-up', 'w').close()
    time.sleep(1000)
while not os.path.exists('threads-are-up'): time.sleep(0.01)
os.remove('threads-are-up')
os._exit(0)";
    let process = calls(&python(threads, Ready::Exit));
    assert!(process.notes.iter().any(|note| note.contains("left 1 running")), "{process:?}");
}

#[test]
fn an_exit_code_that_is_limited_is_no_failure() {
    if is_refused() {
        return;
    }
    let metrics = [Metric::from(Key::Syscalls)];
    let run_with = |limit: &str| {
        let codes = limited(limit);
        let place = Place { codes: &codes, ..place_in(Path::new(".")) };
        measure(&sh("exit 3"), place, &metrics, LONG, None)
    };
    assert!(total(&run_with("max = { exit = 3 }").unwrap()) > 1.0);
    let refused = run_with("max = { exit = 2 }").unwrap_err();
    assert_eq!(refused.cause, Cause::ExitedBadly);
}
