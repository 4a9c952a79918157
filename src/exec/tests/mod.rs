//! Processes that hide, hang, write too much, crash or cannot be started. These tests look into `/proc`, and so run
//! on Linux only.

mod strays;
mod traced;

use std::path::Path;
use std::time::{Duration, Instant};

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::launch::Written;
use super::*;
use crate::os::calls::Counts;

const LONG: Duration = Duration::from_secs(60);

fn sh(script: &str) -> Launch {
    Launch { args: vec!["-c".into(), script.into()], ..Launch::new("sh") }
}

fn python(script: &str) -> Launch {
    Launch { args: vec!["-c".into(), script.into()], ..Launch::new("python3") }
}

/// Asserts that `launch` fails, for this cause, and with these words in the message.
fn check_refused(launch: &Launch, timeout: Duration, cause: Cause, words: &[&str]) {
    let reason = run(launch, timeout).expect_err("it must not succeed");
    assert_eq!(reason.cause, cause, "{reason}");
    for word in words {
        assert!(reason.to_string().contains(word), "`{word}` is missing in: {reason}");
    }
}

/// Whether a process with this argument in its command line is running.
fn running(argument: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| line.split(|&b| b == 0).any(|word| word == argument.as_bytes()))
    })
}

/// Returns a number of seconds that only one `sleep` in this run is called with.
fn unique_sleep() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}.{}", 100_000 + std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs a script in which `SLEEP` stands for the arguments of a `sleep`, and asserts that no such process is left.
fn check_nothing_left(script: &str, timeout: Duration) -> Result<Finished, Unmeasured> {
    let sleep = unique_sleep();
    let result = run(&python(&script.replace("SLEEP", &format!("'sleep', '{sleep}'"))), timeout);
    assert!(!running(&sleep), "a descendant outlived {result:?}");
    result
}

const DAEMON: &str = "
import os, subprocess, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp('sleep', [SLEEP])
    os._exit(0)
os.wait()
";

#[test]
fn a_run_reports_the_exit_code_the_output_and_the_time() {
    let done = run(&sh("echo out; echo err >&2; sleep 0.2; exit 7"), LONG).unwrap();
    assert_eq!(done.code, 7);
    assert_eq!(done.stdout.tail, b"out\n");
    assert_eq!(done.stderr.text().as_deref(), Some("err"));
    assert!(done.wall >= Duration::from_millis(200) && done.wall < LONG, "{:?}", done.wall);
    assert_eq!(done.strays, 0);
    assert!(done.usage.unwrap().had_children);
}

#[test]
fn a_daemon_is_gone_when_its_starter_ends() {
    assert_eq!(check_nothing_left(DAEMON, LONG).unwrap().strays, 1);
}

/// Runs a script that prints `up` and goes on, in which `SLEEP` stands for the arguments of a `sleep`. Its time is over as soon as
/// it is up, and no earlier: on a slow machine it would have started nothing by then. Asserts that no such process is left.
fn check_nothing_left_when_time_is_over(script: &str) {
    let sleep = unique_sleep();
    let script = script.replace("SLEEP", &format!("'sleep', '{sleep}'"));
    let watch = Some((Stream::Stdout, "up".into()));
    let mut child = Child::spawn(&Launch { watch, ..python(&script) }).unwrap();
    assert!(matches!(child.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
    assert!(child.wait(Instant::now()).unwrap().is_none(), "it ended");
    let reason = timed_out(&mut child, Duration::ZERO);
    assert!(!running(&sleep), "a descendant outlived {reason}");
    assert_eq!(reason.cause, Cause::TimedOut, "{reason}");
}

#[test]
fn a_daemon_is_gone_after_a_timeout() {
    let up = "print('up', flush=True)\ntime.sleep(1000)";
    check_nothing_left_when_time_is_over(&format!("{DAEMON}\n{up}"));
}

#[test]
fn a_child_with_another_environment_is_gone() {
    let script = "
import os, subprocess, time
subprocess.Popen([SLEEP], env={'PATH': os.environ['PATH']}, stdout=subprocess.DEVNULL)
";
    assert_eq!(check_nothing_left(script, LONG).unwrap().strays, 1);
}

#[test]
fn a_tree_that_grows_while_it_is_ended_is_gone() {
    let script = "
import os, subprocess, time
for i in range(20):
    subprocess.Popen([SLEEP], start_new_session=True)
    if i == 2: print('up', flush=True)
time.sleep(1000)
";
    check_nothing_left_when_time_is_over(script);
}

#[test]
fn dropping_a_child_ends_its_tree() {
    let sleep = unique_sleep();
    let launch = Launch {
        watch: Some((Stream::Stdout, "started".into())),
        ..sh(&format!("setsid sleep {sleep} & echo started; wait"))
    };
    let mut child = Child::spawn(&launch).unwrap();
    assert!(matches!(child.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
    let pid = child.id();
    drop(child);
    assert!(!running(&sleep));
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "it was not reaped");
}

#[test]
fn an_inherited_pipe_does_not_block_the_harness() {
    // The grandchild keeps the standard output open.
    let done = check_nothing_left("import subprocess\nsubprocess.Popen([SLEEP])", LONG).unwrap();
    assert_eq!(done.strays, 1);
}

#[test]
fn a_process_that_writes_too_much_is_ended() {
    check_refused(&Launch::new("yes"), LONG, Cause::Flooded, &["`yes`", "64 MiB"]);
}

#[test]
fn much_output_is_counted_and_only_its_end_kept() {
    let done = run(&sh("yes x | head -c 5000000; echo last"), LONG).unwrap();
    assert_eq!(done.stdout.bytes, 5_000_005);
    assert_eq!(done.stdout.tail.len(), Written::KEPT);
    assert!(done.stdout.tail.ends_with(b"x\nlast\n"));
    assert!(done.stdout.text().unwrap().lines().count() <= 20);
}

#[test]
fn signals_have_names() {
    // An emulator may have another number for a signal without a name, so the test asks for it as the library does.
    let number = std::process::Command::new("sh").args(["-c", "kill -34 $$"]).status();
    let number = std::os::unix::process::ExitStatusExt::signal(&number.unwrap()).unwrap();
    for (signal, cause, words) in [
        ("SEGV", Cause::Crashed, "was ended by SIGSEGV"),
        ("ABRT", Cause::Crashed, "was ended by SIGABRT"),
        ("BUS", Cause::Crashed, "was ended by SIGBUS"),
        ("KILL", Cause::Killed, "was ended by SIGKILL from outside; the kernel's out-of-memory"),
        ("34", Cause::Crashed, &format!("was ended by signal {number}")),
    ] {
        check_refused(&sh(&format!("kill -{signal} $$")), LONG, cause, &[words]);
    }
}

#[test]
fn an_abort_for_lack_of_memory_says_so() {
    let script = "echo 'memory allocation of 123 bytes failed' >&2; kill -ABRT $$";
    check_refused(&sh(script), LONG, Cause::Crashed, &["ran out of memory", "allocation of 123"]);
}

#[test]
fn a_refusal_has_a_remedy() {
    let dir = std::env::temp_dir().join(format!("perf-budget-refusal-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = |name: &str, text: &[u8], mode| {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let check = |launch: Launch, cause, words: &[&str]| check_refused(&launch, LONG, cause, words);
    check(Launch::new("no-such-program"), Cause::NotFound, &["`no-such-program`", "PATH"]);
    check(
        Launch::new("./no/such"),
        Cause::NotFound,
        &["`./no/such`", "no such file", "{bin:NAME}"],
    );
    let misplaced = Launch { dir: Some("/no/such/dir".into()), ..Launch::new("true") };
    check(misplaced, Cause::NotFound, &["its directory `/no/such/dir`"]);
    let script = file("script", b"#!/no/interpreter\n", 0o755);
    check(Launch::new(script), Cause::NotFound, &["interpreter"]);
    check(Launch::new(file("plain", b"x", 0o644)), Cause::Unsuitable, &["chmod +x"]);
    let long = Launch { args: vec!["x".repeat(4 << 20).into()], ..Launch::new("true") };
    check(long, Cause::Unsuitable, &["arguments"]);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_watched_text_is_found_across_writes() {
    let launch = |text: &str, script: &str| Launch {
        watch: Some((Stream::Stderr, text.into())),
        ..python(&format!(
            "import sys, time\nw = lambda t: (sys.stderr.write(t), sys.stderr.flush(), time.sleep(0.05))\n{script}"
        ))
    };
    let readiness =
        |launch| match Child::spawn(&launch).unwrap().ready(Instant::now() + LONG).unwrap() {
            Readiness::At(_) => "ready",
            Readiness::Ended(_) => "ended",
            Readiness::Late => "late",
        };
    assert_eq!(
        readiness(launch(
            "listening on",
            "w('xx list'); w('ening'); w(' on 80'); time.sleep(1000)"
        )),
        "ready"
    );
    assert_eq!(readiness(launch("ready", "w('ready')")), "ready");
    assert_eq!(readiness(launch("ready", "w('read'); w('dy')")), "ended");
    assert_eq!(readiness(launch("ready", "print('ready')")), "ended");
}

#[test]
fn an_open_input_stays_open_and_a_null_one_does_not() {
    let cat = Launch { stdin: Input::Open, ..Launch::new("cat") };
    check_refused(&cat, Duration::from_millis(300), Cause::TimedOut, &["`cat` did not end within"]);
    assert_eq!(run(&Launch::new("cat"), LONG).unwrap().code, 0);
}

#[test]
fn a_child_outlives_the_thread_that_made_it() {
    let launch = sh("sleep 0.2; exit 7");
    let mut child = std::thread::spawn(move || Child::spawn(&launch).unwrap()).join().unwrap();
    assert_eq!(child.wait(Instant::now() + LONG).unwrap().unwrap().code, 7);
}

#[test]
fn processor_time_is_that_of_the_child() {
    let busy = "import time\nwhile time.process_time() < 0.3: pass";
    let usage = run(&python(busy), LONG).unwrap().usage.unwrap();
    assert!(usage.cpu >= Duration::from_millis(300) && usage.cpu < LONG, "{usage:?}");
    let idle = run(&sh("sleep 0.5"), LONG).unwrap();
    assert!(idle.usage.unwrap().cpu < idle.wall, "{idle:?}");
}

/// Not a test, but the place at which the relay of the tests below begins. See `relay::ARGUMENTS`.
#[test]
fn relay() {
    assert!(helper().unwrap().is_none());
}

const MEGABYTE: u64 = 1_000_000;

fn relayed(launch: Launch) -> Launch {
    Launch { parent: Parent::Relay, ..launch }
}

#[test]
fn with_a_relay_the_peak_is_that_of_the_child_only() {
    // The memory that the harness holds must not matter.
    let held = std::hint::black_box(vec![1_u8; 300_000_000]);
    let allocate = python("x = bytearray(b'x') * 200_000_000; del x");
    let direct = run(&allocate, LONG).unwrap().usage.unwrap();
    let small = run(&relayed(Launch::new("true")), LONG).unwrap().usage.unwrap();
    assert!(small.forked_from < 50 * MEGABYTE, "{small:?}");
    let none = run(&relayed(python("pass")), LONG).unwrap().usage.unwrap().max_rss;
    let peak = run(&relayed(allocate.clone()), LONG).unwrap().usage.unwrap().peak_rss().unwrap();
    assert!(none < 50 * MEGABYTE, "{none}");
    assert!((200 * MEGABYTE..250 * MEGABYTE).contains(&peak), "{peak}");
    // Without a relay it is the harness's size. (Whether that is noticed depends on what the threads of other tests
    // allocate between the reading of the harness's size and the fork.)
    assert!(direct.max_rss >= held.len() as u64, "{direct:?}");
}

#[test]
fn a_relayed_child_behaves_like_any_other() {
    let done = run(&relayed(sh("echo out; cat; sleep 0.2; exit 7")), LONG).unwrap();
    assert_eq!(done.code, 7);
    assert!(done.stdout.tail.ends_with(b"out\n"));
    assert!(done.wall >= Duration::from_millis(200) && done.wall < LONG, "{:?}", done.wall);
    check_refused(&relayed(Launch::new("no-such-program")), LONG, Cause::NotFound, &["PATH"]);
    check_refused(&relayed(sh("kill -SEGV $$")), LONG, Cause::Crashed, &["`sh`", "SIGSEGV"]);
    check_refused(&relayed(sh("sleep 1000")), Duration::from_millis(300), Cause::TimedOut, &[]);
    let sleep = unique_sleep();
    let done = run(&relayed(sh(&format!("setsid -f sleep {sleep}"))), LONG).unwrap();
    assert_eq!((done.strays, running(&sleep)), (1, false));
}
