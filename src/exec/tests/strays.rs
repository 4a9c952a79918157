//! Tests with processes that hide from whoever looks for them, and with other processes that look like ours.

use super::*;

/// Runs a Python script in which `SLEEP` stands for the arguments of a `sleep`, both with and without a relay, and
/// asserts how many of its descendants outlived it.
fn check_strays(script: &str, strays: usize) {
    for parent in [Parent::Harness, Parent::Relay] {
        let sleep = unique_sleep();
        let script = script.replace("SLEEP", &format!("['sleep', '{sleep}']"));
        let done = run(&Launch { parent, ..python(&script) }, LONG).unwrap();
        assert!(!running(&sleep), "{parent:?}: a descendant outlived {done:?}");
        assert_eq!(done.strays, strays, "{parent:?}: {done:?}");
    }
}

#[test]
fn a_sleeper_in_a_session_of_its_own_is_gone_each_time() {
    for _ in 0..15 {
        let sleep = unique_sleep();
        let script = format!("(setsid sleep {sleep} >/dev/null 2>&1 </dev/null &); exit 0");
        assert_eq!(run(&sh(&script), LONG).unwrap().code, 0);
        assert!(!running(&sleep), "it was left behind");
    }
}

#[test]
fn a_double_fork_with_an_empty_environment_is_gone() {
    check_strays(
        "
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open('/dev/null', os.O_RDWR)
        for stream in range(3): os.dup2(null, stream)
        os.chdir('/')
        os.execvpe('sleep', SLEEP, {})
    os._exit(0)
os.wait()
",
        1,
    );
}

#[test]
fn a_process_that_cannot_be_inspected_is_gone() {
    // PR_SET_DUMPABLE makes root the owner of its files in /proc.
    check_strays(
        "
import ctypes, os, time
if os.fork() == 0:
    os.setsid()
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    if os.fork() == 0:
        time.sleep(100000)
    os._exit(0)
os.wait()
",
        1,
    );
    // The same, but the process is only hidden until it is executed, so that its name can be found.
    let mark = unique_sleep();
    let script = format!(
        "
import ctypes, os, sys, time
if os.fork() == 0:
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    os.execvp('sleep', ['sleep', '{mark}'])
time.sleep(0.1)
"
    );
    assert_eq!(run(&python(&script), LONG).unwrap().strays, 1);
    assert!(!running(&mark));
}

#[test]
fn a_descendant_that_adopts_orphans_is_gone() {
    // PR_SET_CHILD_SUBREAPER, as a harness in a harness has it.
    let sleep = unique_sleep();
    let script = format!(
        "
import ctypes, os, sys, time
if os.fork() == 0:
    os.setsid()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    if os.fork() == 0:
        if os.fork() == 0:
            os.execvpe('sleep', ['sleep', '{sleep}'], {{}})
        os._exit(0)
    os.wait()
    print('up', flush=True)
    time.sleep(100000)
time.sleep(100000)
"
    );
    let watch = Some((Stream::Stdout, "up".into()));
    let mut child = Child::spawn(&Launch { watch, ..python(&script) }).unwrap();
    assert!(matches!(child.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
    // These are the root, the process that adopts, and its orphan.
    assert_eq!(child.living().unwrap().processes, 3);
    child.kill();
    assert!(!running(&sleep), "the orphan is left");
}

#[test]
fn a_server_that_makes_itself_a_daemon_is_gone() {
    if std::process::Command::new("redis-server").arg("--version").output().is_err() {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: redis-server is not installed");
        return;
    }
    let dir = std::env::temp_dir().join(format!("perf-budget-redis-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let mark = unique_sleep();
    let mut launch = Launch { dir: Some(dir.clone()), ..Launch::new("redis-server") };
    let args = ["--port", "0", "--unixsocket", "socket", "--daemonize", "yes", "--logfile", &mark];
    launch.args = args.map(Into::into).into();
    launch.args.extend(["--pidfile", "pid"].map(Into::into));
    let done = run(&launch, LONG).unwrap();
    assert_eq!(done.code, 0, "{done:?}");
    // The server renames itself, so it is found by its directory.
    let left = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == dir));
    let left = left.count();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!((left, done.strays), (0, 1));
}

#[test]
fn another_process_with_our_variables_is_not_touched() {
    let mut stranger = std::process::Command::new("sleep");
    for variable in ["GUARD", "TREE", "WORKER", "WORKER_TOKEN", "RELAY", "INJECT"] {
        stranger.env(format!("PERF_BUDGET_{variable}"), "zz");
    }
    let mut stranger = stranger.arg(unique_sleep()).spawn().unwrap();
    let mine = Launch { env: vec![("PERF_BUDGET_TREE".into(), "zz".into())], ..sh("sleep 1000 &") };
    assert_eq!(run(&mine, LONG).unwrap().strays, 1);
    assert!(stranger.try_wait().unwrap().is_none(), "it was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_tree_that_ends_does_not_touch_another() {
    let long = unique_sleep();
    let watch = Some((Stream::Stdout, "up".into()));
    let script = format!("(setsid sleep {long} &); echo up; sleep 1000");
    let mut other = Child::spawn(&Launch { watch, ..sh(&script) }).unwrap();
    assert!(matches!(other.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
    while !running(&long) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(run(&sh("(setsid sleep 1000 &); exit 0"), LONG).unwrap().code, 0);
    assert!(running(&long), "a process of another tree was ended");
    drop(other);
    assert!(!running(&long));
}

/// Runs a script that does something to the processes above it, and has started `SLEEP` in a session of its own by then,
/// both with and without a relay. Asserts that nothing is left, and that the failure has these words.
fn check_attack(script: &str, timeout: Duration, cause: Cause, words: &str) {
    for parent in [Parent::Harness, Parent::Relay] {
        let sleep = unique_sleep();
        let script = script.replace("SLEEP", &format!("setsid sleep {sleep} >/dev/null 2>&1 &"));
        let reason = run(&Launch { parent, ..sh(&script) }, timeout).unwrap_err();
        assert!(!running(&sleep), "{parent:?}: a descendant outlived {reason}");
        assert_eq!(reason.cause, cause, "{parent:?}: {reason}");
        assert!(reason.text.contains(words), "{parent:?}: {reason}");
    }
}

#[test]
fn what_a_killed_supervisor_leaves_is_gone() {
    const WORDS: &str = "killed from outside";
    for script in [
        "SLEEP kill -KILL $PPID; sleep 1000",
        "SLEEP kill -KILL -$PPID; sleep 1000",
        "(SLEEP env -i setsid sh -c 'sleep 0.05; SLEEP' >/dev/null 2>&1 &); kill -KILL $PPID",
    ] {
        check_attack(script, LONG, Cause::Harness, WORDS);
    }
    // The supervisor has adopted the descendant before that one kills it.
    let script = "
export ABOVE=$PPID
(setsid sh -c 'SLEEP until [ $(sed -n s/^PPid:.//p /proc/$$/status) = $ABOVE ]; do :; done; kill -KILL $ABOVE' &)
sleep 1000";
    check_attack(script, LONG, Cause::Harness, WORDS);
}

#[test]
fn a_killed_guardian_ends_the_tree() {
    let script = "SLEEP kill -KILL $(sed -n s/^PPid:.//p /proc/$PPID/status); sleep 1000";
    check_attack(script, LONG, Cause::Killed, "SIGKILL");
}

#[test]
fn a_stopped_supervisor_goes_on() {
    let sleep = unique_sleep();
    let script = format!("setsid sleep {sleep} & kill -STOP $PPID; exit 3");
    for parent in [Parent::Harness, Parent::Relay] {
        assert_eq!(run(&Launch { parent, ..sh(&script) }, LONG).unwrap().code, 3);
        assert!(!running(&sleep), "{parent:?}: it was left behind");
    }
}

/// As long as a supervisor has not answered, the harness does not know that it has started anything. So the script waits for
/// a file, which is made after the answer.
#[test]
fn a_supervisor_that_is_stopped_with_its_guardian_goes_on_when_the_time_is_over() {
    for parent in [Parent::Harness, Parent::Relay] {
        let sleep = unique_sleep();
        let answered = std::env::temp_dir().join(format!("perf-budget-answered-{sleep}"));
        let script = format!(
            "setsid sleep {sleep} >/dev/null 2>&1 &
until [ -e {} ]; do sleep 0.01; done
kill -STOP $(sed -n s/^PPid:.//p /proc/$PPID/status) $PPID; sleep 1000",
            answered.display()
        );
        let mut child = Child::spawn(&Launch { parent, ..sh(&script) }).unwrap();
        std::fs::write(&answered, "").unwrap();
        let deadline = Instant::now() + Duration::from_secs(1);
        assert!(child.wait(deadline).unwrap().is_none(), "{parent:?}: it ended");
        let reason = timed_out(&mut child, Duration::from_secs(1));
        std::fs::remove_file(&answered).unwrap();
        assert!(!running(&sleep), "{parent:?}: a descendant outlived {reason}");
        assert_eq!(reason.cause, Cause::TimedOut, "{parent:?}: {reason}");
    }
}

/// A process that is not ours to end; it ends with the test.
struct Foreign(std::process::Child);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_child_of_another_part_of_this_process_is_not_touched() {
    let foreign = std::process::Command::new("sleep").arg(unique_sleep()).spawn().unwrap();
    let mut foreign = Foreign(foreign);
    check_attack("SLEEP kill -KILL $PPID; sleep 1000", LONG, Cause::Harness, "killed from outside");
    assert!(foreign.0.try_wait().unwrap().is_none(), "it was ended");
}
