//! Tests with processes whose system calls are counted.

use std::io::Write as _;

use super::*;

/// Whether this system lets no process trace another. If so, a message says that the test is skipped.
fn is_refused() -> bool {
    let refused = crate::exec::tracing_refused();
    if let Some(why) = &refused {
        let _ = writeln!(std::io::stderr(), "{why}");
    }
    refused.is_some()
}

fn counted(calls: &Counts, name: &str) -> u64 {
    calls.by_name().find(|call| call.0 == name).map_or(0, |call| call.1)
}

/// Files by which a test and a process give each other a sign. They are removed however the test ends.
struct Files([std::path::PathBuf; 2]);

impl Drop for Files {
    fn drop(&mut self) {
        for file in &self.0 {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Calls after the moment are not counted, except for the few that the tracer handles before it looks.
#[test]
fn calls_are_counted_up_to_the_moment_that_is_marked() {
    if is_refused() {
        return;
    }
    let binary = std::env::current_exe().unwrap();
    let file = |name| binary.with_file_name(format!("traced-{}-{name}", std::process::id()));
    let files = Files(["go", "done"].map(file));
    let [go, done] = &files.0;
    let script = format!(
        "
import os, time
for _ in range(100): os.getsid(0)
os.write(1, b'up')
while not os.path.exists({go:?}): time.sleep(0.01)
for _ in range(500): os.getsid(0)
open({done:?}, 'w').close()
time.sleep(1000)
"
    );
    let watch = Some((Stream::Stdout, "up".into()));
    let launch = Launch { is_traced: true, watch, ..python(&script) };
    let mut child = Child::spawn(&launch).unwrap();
    let deadline = Instant::now() + LONG;
    assert!(matches!(child.ready(deadline).unwrap(), Readiness::At(_)));
    child.mark();
    std::fs::write(go, "").unwrap();
    assert!(matches!(child.until(deadline, || done.exists()).unwrap(), Readiness::At(_)));
    child.kill();
    let made = counted(child.calls().unwrap().unwrap(), "getsid");
    assert!((100..200).contains(&made), "{made}");
}

/// The tree ends with its supervisor, even where it is stopped at a call.
#[test]
fn a_traced_tree_ends_with_its_supervisor() {
    if is_refused() {
        return;
    }
    let sleep = unique_sleep();
    let watch = Some((Stream::Stdout, "started".into()));
    let script = format!("setsid sleep {sleep} & echo started; while :; do :; done");
    let launch = Launch { is_traced: true, watch, ..sh(&script) };
    let mut child = Child::spawn(&launch).unwrap();
    assert!(matches!(child.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
    crate::os::kernel::kill(parent_of(child.id())).unwrap();
    let killed = child.wait(Instant::now() + LONG).unwrap_err();
    assert!(killed.to_string().contains("its supervisor was killed"), "{killed}");
    let patience = Instant::now() + LONG;
    while running(&sleep) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!running(&sleep));
}

fn parent_of(pid: u32) -> u32 {
    crate::os::proc::parent(pid).unwrap()
}
