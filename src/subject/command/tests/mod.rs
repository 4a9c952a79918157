//! Measurements of commands of every kind. The times are only compared with bounds that hold on every machine.

mod alike;
mod codes;
mod counted;
mod output;
mod surroundings;
mod traced;

use perf_budget_core::metric::Key;
use perf_budget_core::metric::Statistic::{Mean, P50};
use std::path::{Path, PathBuf};

use super::*;
use crate::exec::{Changes, Parent};

const LONG: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(700);
const WALL: Metric = Key::Wall.at(P50);
const STARTUP: Metric = Key::Startup.at(P50);

fn python(script: &str, ready: Ready) -> Command {
    let script = format!("import os, socket, sys, time\n{script}");
    let argv = ["python3", "-c", &script].map(ToOwned::to_owned).into();
    Command { argv, ready, ..Command::default() }
}

fn sh(script: &str) -> Command {
    let argv = ["sh", "-c", script].map(ToOwned::to_owned).into();
    Command { argv, ..Command::default() }
}

/// Returns a command with these words.
fn command(argv: &[&str]) -> Command {
    Command { argv: argv.iter().map(|word| (*word).to_owned()).collect(), ..Command::default() }
}

/// Returns a place in a directory, in the environment of this process.
fn place_in(root: &Path) -> Place<'_> {
    static NONE: Changes = Changes::new();
    static ZERO: Codes = Codes::ZERO;
    Place { root, environment: &NONE, codes: &ZERO, is_first: false, alike: None }
}

fn measured(command: &Command, metrics: &[Metric]) -> ProcessRun {
    measure(command, place_in(&scratch()), metrics, LONG, None)
        .unwrap_or_else(|reason| panic!("{reason}"))
}

fn check_refused(
    command: &Command,
    metrics: &[Metric],
    timeout: Duration,
    cause: Cause,
    words: &[&str],
) {
    let reason = measure(command, place_in(&scratch()), metrics, timeout, None)
        .expect_err("it must not succeed");
    assert_eq!(reason.cause, cause, "{reason}");
    for word in words {
        assert!(reason.to_string().contains(word), "`{word}` is missing in: {reason}");
    }
}

/// Returns a directory for this run of the tests. It is in cargo's target directory, so `cargo clean` removes it.
fn scratch() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    let dir = binary.with_file_name(format!("command-tests-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn text(text: &str) -> Ready {
    Ready::Stdout(text.to_owned())
}

/// Returns a port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_command_that_ends_by_itself_has_every_time() {
    let metrics =
        [WALL, Key::Wall.at(Mean), STARTUP, Metric::from(Key::Cpu), Metric::from(Key::Exit)];
    let process = measured(&sh("sleep 0.2"), &metrics);
    let wall = process.values[&WALL];
    assert!((0.2..60.0).contains(&wall), "{wall}");
    assert_eq!((process.values[&Key::Wall.at(Mean)], process.values[&STARTUP]), (wall, wall));
    assert!(process.values[&Metric::from(Key::Cpu)] < wall);
    assert_eq!(process.values.get(&Metric::from(Key::Exit)), Some(&0.0));
    assert_eq!(process.values.len(), metrics.len());
    assert!(process.elapsed.as_secs_f64() >= wall);
    assert!(
        (0.0..=1.0).contains(&process.waited.unwrap()) && process.preempted.is_some(),
        "{process:?}"
    );
}

#[test]
fn waiting_is_subtracted_from_the_time_of_one_thread() {
    // The wall time, the processor time and the waiting in milliseconds, and what is left of the wall time.
    let check = |wall: u64, cpu: u64, waited: Option<u64>, expected: Option<f64>| {
        let ms = Duration::from_millis;
        let mut process = ProcessRun {
            values: [(WALL, 9.0), (Metric::from(Key::Cpu), 9.0)].into(),
            ..ProcessRun::default()
        };
        less_waiting(&mut process, ms(wall), ms(cpu), waited.map(ms));
        assert_eq!(process.less_waiting, expected.map(|left| (WALL, left)).into_iter().collect());
        assert_eq!(process.timing, Some(Timing::Wall));
    };
    check(500, 200, Some(300), Some(0.2));
    check(500, 100, Some(300), Some(0.2));
    check(500, 100, Some(0), Some(0.5));
    // The processor time from before the program was loaded is counted too.
    check(500, 210, Some(300), Some(0.21));
    // There were two threads, of which the first waited.
    check(500, 400, Some(300), None);
    check(500, 900, Some(0), None);
    check(500, 100, None, None);
    check(500, 100, Some(600), None);
}

#[test]
fn waiting_is_only_subtracted_if_the_command_is_one_process() {
    let process = measured(&sh("exec sleep 0.05"), &[WALL]);
    // How much is left depends on the machine, because the waiting before the program was loaded is subtracted too.
    assert!((0.0..=process.values[&WALL]).contains(&process.less_waiting[&WALL]), "{process:?}");
    let process = measured(&sh("sleep 0.05; true"), &[WALL]);
    assert!(process.less_waiting.is_empty(), "{process:?}");
}

#[test]
fn a_command_is_ready_by_each_kind_of_signal() {
    let port = free_port();
    let listen = format!(
        "time.sleep(0.05); s = socket.create_server(('127.0.0.1', {port})); time.sleep(1000)"
    );
    let split = "time.sleep(0.05)
for part in ('x list', 'ening on 8', '0'): FILE.write(part); FILE.flush(); time.sleep(0.01)
time.sleep(1000)";
    let on = Ready::Stderr("listening on".to_owned());
    for command in [
        python(&split.replace("FILE", "sys.stdout"), text("listening on")),
        python(&split.replace("FILE", "sys.stderr"), on),
        python(&listen, Ready::Port(port)),
        python("time.sleep(0.05); open('up', 'w'); time.sleep(1000)", Ready::File("up".into())),
        // This server ends when its standard input is closed.
        python("time.sleep(0.05); print('up', flush=True); sys.stdin.read()", text("up")),
    ] {
        // The second run fails if the first one has left its port or its file behind.
        let runs = if matches!(command.ready, Ready::Port(_) | Ready::File(_)) { 2 } else { 1 };
        for _ in 0..runs {
            let startup = measured(&command, &[STARTUP]).values[&STARTUP];
            assert!((0.05..60.0).contains(&startup), "{startup}: {command:?}");
        }
    }
}

#[test]
fn a_server_is_ended_when_it_is_ready() {
    let pid = scratch().join("pid");
    let server = "pid = os.fork()
if pid: open('pid', 'w').write(str(pid)); print('up', flush=True)
time.sleep(1000)";
    let process = measured(&python(server, text("up")), &[Metric::from(Key::Rss), STARTUP]);
    let pid = std::fs::read_to_string(pid).unwrap();
    assert!(!Path::new("/proc").join(pid).join("exe").exists(), "its child runs on");
    assert!(process.notes.iter().any(|note| note.contains("2 processes")), "{:?}", process.notes);
}

#[test]
fn the_memory_of_a_server_is_read_when_it_is_ready() {
    let server =
        |body| python(&format!("{body}; print('up', flush=True); time.sleep(1000)"), text("up"));
    let metrics = [Metric::from(Key::Rss), Metric::from(Key::PeakRss), Metric::from(Key::Cpu)];
    let small = measured(&server("pass"), &metrics).values;
    let freed = measured(&server("x = b'x' * 200_000_000; del x"), &metrics).values;
    let held = measured(&server("x = b'x' * 200_000_000"), &metrics).values;
    let over = |a: &Metric, value: f64| assert!(value > 200e6 && value < 300e6, "{a}: {value}");
    over(&Metric::from(Key::PeakRss), freed[&Metric::from(Key::PeakRss)]);
    over(&Metric::from(Key::Rss), held[&Metric::from(Key::Rss)]);
    assert!(freed[&Metric::from(Key::Rss)] < 100e6 && small[&Metric::from(Key::PeakRss)] < 100e6);
    let busy = measured(&server("exec('while time.process_time() < 0.3: pass')"), &metrics).values;
    assert!(busy[&Metric::from(Key::Cpu)] >= 0.3, "{}", busy[&Metric::from(Key::Cpu)]);
}

#[test]
fn a_wrapper_script_does_not_hide_what_it_starts() {
    let script = "python3 -c \"import time; x = b'x' * 100_000_000; print('up', flush=True); \
                  time.sleep(1000)\" & wait";
    let wrapped = Command { ready: text("up"), ..sh(script) };
    let rss = measured(&wrapped, &[Metric::from(Key::Rss)]).values[&Metric::from(Key::Rss)];
    assert!(rss > 100e6, "{rss}");
    let process =
        measured(&sh("python3 -c \"x = b'x' * 100_000_000\"; true"), &[Metric::from(Key::PeakRss)]);
    assert!(process.values[&Metric::from(Key::PeakRss)] > 100e6, "{process:?}");
    assert!(process.notes.iter().any(|note| note.contains("largest process")), "{process:?}");
}

#[test]
fn the_error_of_a_command_that_is_never_ready_names_the_signal() {
    let deaf = python("time.sleep(1000)", text("listening on"));
    let words = ["`python3` was not ready within 700ms", "standard output held \"listening on\""];
    check_refused(&deaf, &[STARTUP], SOON, Cause::TimedOut, &words);
    let port = free_port();
    let words = [format!("port {port} accepted")];
    let closed = python("time.sleep(1000)", Ready::Port(port));
    check_refused(&closed, &[STARTUP], SOON, Cause::TimedOut, &[&words[0]]);
    let nowhere = python("time.sleep(1000)", Ready::File("nowhere".into()));
    check_refused(&nowhere, &[STARTUP], SOON, Cause::TimedOut, &["nowhere` was there"]);
    check_refused(&sh("sleep 1000"), &[WALL], SOON, Cause::TimedOut, &["did not end within 700ms"]);
}

#[test]
fn a_command_that_ends_before_it_is_ready_is_an_error() {
    let ends = |ready| python("print('no', file=sys.stderr); sys.exit(3)", ready);
    let words = ["ended with exit code 3 before", "| no"];
    for ready in [text("up"), Ready::Port(free_port()), Ready::File("early".into())] {
        check_refused(&ends(ready), &[STARTUP], LONG, Cause::ExitedEarly, &words);
    }
    let ended = python("print('u'); print('p')", text("up"));
    check_refused(&ended, &[STARTUP], LONG, Cause::ExitedEarly, &["exit code 0 before", "u\n"]);
}

#[test]
fn a_command_that_ends_as_soon_as_it_is_ready_is_an_error() {
    let server = |script: &str| Command { ready: text("listening"), ..sh(script) };
    let metrics = [STARTUP, Metric::from(Key::Rss)];
    let words = ["`sh` ended with exit code 3 soon after it was ready", "| sorry"];
    for _ in 0..10 {
        let dies = server("echo listening; echo sorry >&2; exit 3");
        check_refused(&dies, &metrics, LONG, Cause::ExitedEarly, &words);
    }
    let words =
        ["exit code 0 soon after it was ready", "standard output held \"listening\"", "`ready`"];
    check_refused(&server("echo listening"), &metrics, LONG, Cause::ExitedEarly, &words);
    let killed = server("echo listening; kill -SEGV $$");
    check_refused(&killed, &metrics, LONG, Cause::Crashed, &["SIGSEGV"]);
    let words = ["exit code 0 soon after it was ready"];
    let file = python("time.sleep(0.05); open('last', 'w')", Ready::File("last".into()));
    check_refused(&file, &[STARTUP], LONG, Cause::ExitedEarly, &words);
    // A process that the command leaves behind does not count as the server.
    let daemon = server("(setsid sleep 1000 &); echo listening");
    check_refused(&daemon, &[STARTUP], LONG, Cause::ExitedEarly, &words);
}

#[test]
fn a_command_that_ends_a_moment_after_it_is_ready_is_an_error_in_its_first_run() {
    let script = "print('listening', flush=True); time.sleep(0.05); os._exit(3)";
    let dies = python(script, text("listening"));
    let root = scratch();
    let place = Place { is_first: true, ..place_in(&root) };
    let reason = measure(&dies, place, &[STARTUP], LONG, None).expect_err("it must not succeed");
    assert_eq!(reason.cause, Cause::ExitedEarly, "{reason}");
    assert!(reason.to_string().contains("exit code 3 soon after it was ready"), "{reason}");
    // One that keeps running is measured in its first run too.
    let server = python("print('listening', flush=True); time.sleep(1000)", text("listening"));
    assert!(measure(&server, place, &[STARTUP], LONG, None).is_ok());
}

#[test]
fn a_signal_that_is_there_before_the_command_starts_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = python("time.sleep(1000)", Ready::Port(port));
    let words = format!("port {port} is already taken");
    check_refused(&server, &[STARTUP], LONG, Cause::PortTaken, &[&words]);
    let existing = scratch().join("precious");
    std::fs::write(&existing, "keep me").unwrap();
    let server = python("time.sleep(1000)", Ready::File("precious".into()));
    check_refused(&server, &[STARTUP], LONG, Cause::Unsuitable, &["is there before", "remove it"]);
    assert_eq!(std::fs::read_to_string(&existing).unwrap(), "keep me");
}

#[test]
fn a_metric_that_cannot_be_measured_is_an_error() {
    let server = python("pass", text("up"));
    check_refused(
        &sh("true"),
        &[Metric::from(Key::Rss)],
        LONG,
        Cause::Unsupported,
        &["`rss`", "`ready`"],
    );
    check_refused(&server, &[WALL], LONG, Cause::Unsupported, &["`wall_p50`", "ends by itself"]);
    check_refused(&server, &[Metric::from(Key::Exit)], LONG, Cause::Unsupported, &["`exit`"]);
    check_refused(
        &server,
        &[Metric::from(Key::Gzip)],
        LONG,
        Cause::Unsupported,
        &["`gzip` is not"],
    );
    for metric in Metric::known(perf_budget_core::metric::SubjectKind::Command) {
        let both = [sh("true"), server.clone()].map(|command| unsupported(&command, &metric));
        assert!(both.iter().any(Option::is_none), "{metric} is of no command at all");
    }
}

#[test]
fn a_process_that_a_command_leaves_behind_is_ended_and_noted() {
    let process = measured(&sh("setsid -f sleep 100000"), &[WALL]);
    assert!(
        process.notes.iter().any(|note| note.contains("left 1 running")),
        "{:?}",
        process.notes
    );
}

#[test]
fn a_command_runs_in_its_own_environment_and_directory() {
    let mut command = sh("test \"$GREETING\" = hello && test -d ../$(basename \"$PWD\")");
    command.env = vec![("GREETING".into(), "hello".into())];
    measured(&command, &[Metric::from(Key::PeakRss)]);
    measured(&command, &[WALL]);
    let own = scratch().join("own");
    std::fs::write(&own, "#!/bin/sh\nexit 0\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&own, mode).unwrap();
    measured(&Command { argv: vec!["./own".into()], ..sh("") }, &[WALL]);
}

/// Returns what GNU time measures of a command: its user and system seconds, and its peak in bytes. `None` if GNU
/// time is not installed.
fn gnu_time(command: &Command) -> Option<(f64, f64)> {
    let mut argv = vec!["-f".to_owned(), "%U %S %M".to_owned()];
    argv.extend(command.argv.clone());
    let mut launch = Launch::new("/usr/bin/time");
    launch.args = argv.into_iter().map(Into::into).collect();
    // The relay is a small process. GNU time would inherit the size of this process and count it as the command's.
    launch.parent = Parent::Relay;
    let done = match exec::run(&launch, LONG) {
        Err(reason) if reason.cause == Cause::NotFound => return None,
        done => done.unwrap(),
    };
    let output = done.stderr.text().unwrap();
    let values: Vec<f64> = output.split_whitespace().map(|word| word.parse().unwrap()).collect();
    Some((values[0] + values[1], values[2] * 1024.0))
}

#[test]
fn peak_and_processor_time_agree_with_gnu_time() {
    let held = std::hint::black_box(vec![1_u8; 300_000_000]);
    for (script, least) in [
        ("pass", 0.0),
        ("x = bytearray(b'x') * 200_000_000; del x", 200e6),
        ("x = b'x' * 50_000_000", 50e6),
    ] {
        let command = python(script, Ready::Exit);
        let peak =
            measured(&command, &[Metric::from(Key::PeakRss)]).values[&Metric::from(Key::PeakRss)];
        assert!(peak >= least && peak < held.len() as f64, "{script}: {peak}");
        let Some((_, theirs)) = gnu_time(&command) else { return missing("GNU time") };
        // The copy of an emulator, as which a command begins there, may be larger than the command.
        if crate::os::emulator::emulator().is_some() && least == 0.0 {
            continue;
        }
        assert!((peak / theirs - 1.0).abs() < 0.05, "{script}: {peak}, GNU time says {theirs}");
    }
    let busy = python("while time.process_time() < 0.5: pass", Ready::Exit);
    let cpu = measured(&busy, &[Metric::from(Key::Cpu)]).values[&Metric::from(Key::Cpu)];
    let Some((theirs, _)) = gnu_time(&busy) else { return missing("GNU time") };
    // The script ends after a given processor time, so the result does not depend on how busy the machine is.
    assert!(cpu >= 0.5 && (cpu / theirs - 1.0).abs() < 0.2, "{cpu}, GNU time says {theirs}");
}

/// Prints that a comparison is skipped, because a program is not installed.
fn missing(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped in part: {what} is not installed");
}

#[test]
fn an_evicted_file_leaves_the_page_cache() {
    // The file is beside this program, wherever that was built. A temporary directory may be in memory, and such a file cannot
    // leave the page cache.
    let dir = scratch();
    let file = dir.join(format!("evicted-{}", std::process::id()));
    std::fs::write(&file, vec![1; 1 << 20]).unwrap();
    let pages = |path: &Path| crate::os::page_cache::resident_pages(path).unwrap().unwrap();
    let (resident, total) = pages(&file);
    assert!(resident == total && total >= 16, "{resident} of {total}");
    let mut launch = Launch::new("true");
    launch.args = vec![file.file_name().unwrap().into(), "not a file".into()];
    let notes = page_cache::evict(&launch, &dir).unwrap();
    assert_eq!(pages(&file), (0, total));
    assert!(!notes.iter().any(|note| note.contains("evicted")), "{notes:?}");
    // The file of this process is mapped, so it stays in the page cache and is noted.
    let own = std::env::current_exe().unwrap();
    let notes = page_cache::evict(&Launch::new(own), &dir).unwrap();
    assert!(notes.len() == 1 && notes[0].contains("stayed in the page cache"), "{notes:?}");
    std::fs::remove_file(&file).unwrap();
}
