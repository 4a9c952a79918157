//! Tests of commands that fail, and of exit codes that are expected of them.

use super::*;
use crate::subject::command::codes::tests::limited;

#[test]
fn a_failing_command_is_an_error_unless_its_exit_code_is_measured() {
    let fails = sh("echo broken >&2; exit 3");
    check_refused(&fails, &[WALL], LONG, Cause::ExitedBadly, &["`sh`", "exit code 3", "| broken"]);
    // A code that is not expected is a value itself, and no time of such a run is.
    let metrics = [WALL, Metric::from(Key::Transferred), Metric::from(Key::Exit)];
    let process = measured(&fails, &metrics);
    assert_eq!(process.values, [(Metric::from(Key::Exit), 3.0)].into());
    for metric in &metrics[..2] {
        assert_eq!(process.unmeasured[metric].cause, Cause::ExitedBadly);
    }
    let codes = limited("max = { exit = 3 }");
    let place = Place { codes: &codes, ..place_in(Path::new(".")) };
    let values = measure(&fails, place, &metrics[..1], LONG, None).unwrap().values;
    assert!(values[&WALL] > 0.0);
    check_refused(
        &sh("kill -SEGV $$"),
        &[Metric::from(Key::Exit)],
        LONG,
        Cause::Crashed,
        &["SIGSEGV"],
    );
    check_refused(
        &sh("kill -KILL $$"),
        &[Metric::from(Key::Exit)],
        LONG,
        Cause::Killed,
        &["SIGKILL"],
    );
    let gone = Command { argv: vec!["no-such-program".into()], ..sh("") };
    check_refused(&gone, &[WALL], LONG, Cause::NotFound, &["`no-such-program`"]);
    check_refused(&sh("yes"), &[WALL], LONG, Cause::Flooded, &["64 MiB"]);
}
