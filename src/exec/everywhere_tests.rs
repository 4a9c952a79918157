//! Tests of starting and ending processes on every system. They start the test binary itself and use nothing that only
//! one system has. A file that a descendant holds locked shows whether the descendant lives.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::launch::Written;
use super::*;

/// Says what the actor has to do.
const ACT: &str = "PERF_BUDGET_TEST_ACT";
/// The file that the actor holds locked.
const HELD: &str = "PERF_BUDGET_TEST_HELD";
/// The file that the actor's child holds locked.
const BELOW: &str = "PERF_BUDGET_TEST_BELOW";
const LONG: Duration = Duration::from_secs(60);

/// Not a test, but the process that the tests below start. It does nothing unless the variable says what to do.
#[test]
#[expect(clippy::exit, reason = "a process that behaves badly is what it is for")]
fn actor() {
    let Ok(act) = std::env::var(ACT) else { return };
    let _held = std::env::var_os(HELD).map(|path| {
        let file = File::create(path).unwrap();
        file.lock().unwrap();
        file
    });
    let say = |text: &str| {
        let mut out = std::io::stdout();
        out.write_all(text.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    let sleep = || std::thread::sleep(Duration::from_secs(1000));
    match act.as_str() {
        "speak" => {
            say("spoken\n");
            std::io::stderr().write_all(b"complained\n").unwrap();
            std::process::exit(7);
        }
        "read" => {
            let mut text = Vec::new();
            std::io::stdin().read_to_end(&mut text).unwrap();
            std::process::exit(i32::from(!text.is_empty()));
        }
        "flood" => loop {
            say(&"x".repeat(1 << 16));
        },
        "sleep" => {
            say("ready");
            sleep();
        }
        // Is in the middle of a start: what it starts is in no job of its own yet.
        "begin" => {
            run(&acting("speak"), LONG).unwrap();
            let below = PathBuf::from(std::env::var_os(BELOW).unwrap());
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(ARGUMENTS).env(ACT, "sleep").env(HELD, &below).spawn().unwrap();
            sleep();
            std::process::exit(0);
        }
        "leave" | "keep" => {
            let below = PathBuf::from(std::env::var_os(BELOW).unwrap());
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(ARGUMENTS).env(ACT, "sleep").env(HELD, &below).spawn().unwrap();
            while File::open(&below).map_or(true, |file| file.try_lock().is_ok()) {
                std::thread::sleep(Duration::from_millis(1));
            }
            if act == "keep" {
                sleep();
            }
            std::process::exit(0);
        }
        other => panic!("`{other}` is not an action"),
    }
}

const ARGUMENTS: [&str; 3] = ["exec::everywhere_tests::actor", "--exact", "--nocapture"];

fn acting(act: &str) -> Launch {
    Launch {
        args: ARGUMENTS.map(Into::into).into(),
        env: vec![(ACT.into(), act.into())],
        ..Launch::new(std::env::current_exe().unwrap())
    }
}

#[track_caller]
fn refused(launch: &Launch, timeout: Duration, cause: Cause, words: &str) {
    let reason = run(launch, timeout).expect_err("it must not succeed");
    assert_eq!(reason.cause, cause, "{reason}");
    assert!(reason.to_string().contains(words), "`{words}` is missing in: {reason}");
}

/// A file for a descendant to hold; it is removed when this value is dropped.
struct HeldFile(PathBuf);

impl HeldFile {
    fn new(name: &str) -> HeldFile {
        let name = format!("perf-budget-held-{name}-{}", std::process::id());
        let held = HeldFile(std::env::temp_dir().join(name));
        let _ = std::fs::remove_file(&held.0);
        held
    }

    fn launch(&self, act: &str) -> Launch {
        let mut launch = acting(act);
        launch.env.push((BELOW.into(), self.0.clone().into()));
        launch
    }

    /// Asserts that the descendant ran, and has ended.
    #[track_caller]
    fn assert_released(&self) {
        let file = File::open(&self.0).expect("the descendant never ran");
        assert!(file.try_lock().is_ok(), "the descendant lives");
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_exit_code_and_the_output_are_reported() {
    let done = run(&acting("speak"), LONG).unwrap();
    assert_eq!((done.code, done.strays), (7, 0));
    let out = String::from_utf8(done.stdout.tail).unwrap();
    assert!(out.ends_with("spoken\n"), "{out:?}");
    assert_eq!(done.stderr.text().as_deref(), Some("complained"));
    assert!(done.wall > Duration::ZERO && done.wall < LONG);
}

#[test]
fn a_process_that_takes_too_long_is_killed() {
    let short = Duration::from_millis(200);
    refused(&acting("sleep"), short, Cause::TimedOut, "did not end within 200ms and was killed");
}

#[test]
fn a_process_that_writes_too_much_is_ended() {
    refused(&acting("flood"), LONG, Cause::Flooded, "64 MiB");
}

#[test]
fn a_missing_program_is_reported_with_the_remedy() {
    refused(&Launch::new("no-such-program"), LONG, Cause::NotFound, "no such program in PATH");
    let misplaced = Launch { dir: Some("no/such/dir".into()), ..acting("speak") };
    refused(&misplaced, LONG, Cause::NotFound, "its directory `no/such/dir` is not there");
}

#[test]
fn a_null_input_ends_and_an_open_one_does_not() {
    assert_eq!(run(&acting("read"), LONG).unwrap().code, 0);
    let open = Launch { stdin: Input::Open, ..acting("read") };
    refused(&open, Duration::from_millis(300), Cause::TimedOut, "did not end");
}

#[test]
fn a_watched_text_makes_it_ready() {
    let watch = |text: &str, act| {
        let watch = Some((Stream::Stdout, text.to_owned()));
        let mut child = Child::spawn(&Launch { watch, ..acting(act) }).unwrap();
        child.ready(Instant::now() + LONG).unwrap()
    };
    assert!(matches!(watch("ready", "sleep"), Readiness::At(_)));
    assert!(matches!(watch("ready", "speak"), Readiness::Ended(done) if done.code == 7));
}

#[test]
fn a_descendant_that_outlives_the_root_is_ended() {
    let held = HeldFile::new("left");
    let done: Result<Finished, Unmeasured> = run(&held.launch("leave"), LONG);
    let done = done.unwrap();
    assert_eq!(done.code, 0);
    held.assert_released();
    assert_eq!(done.strays, 1);
}

#[test]
fn what_living_processes_hold_is_added_up() {
    let held = HeldFile::new("held");
    let watch = Some((Stream::Stdout, "ready".to_owned()));
    let living = |launch: Launch| {
        let mut child = Child::spawn(&launch).unwrap();
        assert!(matches!(child.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
        child.living().unwrap()
    };
    let one = living(Launch { watch: watch.clone(), ..acting("sleep") });
    let two = living(Launch { watch, ..held.launch("keep") });
    assert_eq!((one.processes, two.processes), (1, 2));
    for living in [one, two] {
        // Each holds a test binary.
        assert!(living.rss > living.processes as u64 * 100_000, "{living:?}");
        // macOS tells it at the end of a process.
        assert_eq!(living.peak_rss.is_none(), cfg!(target_os = "macos"));
        let peak = living.peak_rss.unwrap_or(u64::MAX);
        assert!(peak > living.processes as u64 * 100_000, "{living:?}");
    }
}

/// A peak is only reported if it covers every process that was started.
#[test]
fn a_process_that_starts_others_is_known_to() {
    let held = HeldFile::new("known");
    let usage = |launch: &Launch| run(launch, LONG).unwrap().usage.unwrap();
    assert!(!usage(&acting("speak")).had_children);
    // On Unix only a child that was waited for counts, and this one outlives its parent.
    let above = usage(&held.launch("leave"));
    assert_eq!(above.had_children, cfg!(windows), "{above:?}");
    assert_eq!(above.max_rss().is_none(), cfg!(windows), "{above:?}");
}

#[test]
fn what_a_process_had_used_is_known_once_it_was_ended() {
    let watch = Some((Stream::Stdout, "ready".to_owned()));
    let mut child = Child::spawn(&Launch { watch, ..acting("sleep") }).unwrap();
    assert!(matches!(child.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
    assert_eq!(child.used(), None);
    child.kill();
    let used = child.used().unwrap();
    // Wine keeps no peak of a process that has ended.
    let peak = used.max_rss();
    assert!(peak.map_or(cfg!(windows), |peak| peak > 100_000), "{used:?}");
}

/// A harness may be killed just after it has made a process, which is in no job of its own then.
#[test]
#[cfg(windows)]
fn a_process_ends_with_a_harness_that_is_killed_while_it_starts_it() {
    let held = HeldFile::new("begun");
    let mut harness = Command::new(std::env::current_exe().unwrap());
    harness.args(ARGUMENTS).env(ACT, "begin").env(BELOW, &held.0);
    let mut harness = harness.stdout(std::process::Stdio::null()).spawn().unwrap();
    let is_held = || File::open(&held.0).is_ok_and(|file| file.try_lock().is_err());
    let until = |wanted: bool| {
        let began = Instant::now();
        while is_held() != wanted && began.elapsed() < LONG {
            std::thread::sleep(Duration::from_millis(10));
        }
        is_held() == wanted
    };
    let began = until(true);
    harness.kill().unwrap();
    harness.wait().unwrap();
    assert!(began, "the process never ran");
    assert!(until(false), "the process lives");
}

#[test]
fn dropping_a_child_ends_what_it_started() {
    let held = HeldFile::new("dropped");
    let watch = Some((Stream::Stdout, "ready".to_owned()));
    let mut child = Child::spawn(&Launch { watch, ..held.launch("keep") }).unwrap();
    assert!(matches!(child.ready(Instant::now() + LONG).unwrap(), Readiness::At(_)));
    drop(child);
    held.assert_released();
}

#[test]
fn only_the_end_of_much_output_is_kept() {
    let done = run(&Launch { keep: 4, ..acting("speak") }, LONG).unwrap();
    assert_eq!(done.stdout.tail, b"ken\n");
    assert!(done.stdout.bytes > 4 && done.stdout.bytes < Written::KEPT as u64);
}
