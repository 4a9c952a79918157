//! Tests of a command's surroundings: what is run before and after it, what it reads, where it runs, and what it may
//! use.

use perf_budget_core::budget::Constraint;

use super::*;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn what_prepares_a_command_and_cleans_up_is_run_each_time_and_not_measured() {
    let dir = scratch().join("prepared");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let command = Command {
        // The command fails if its output file is there already.
        argv: words(&[
            "sh",
            "-c",
            "set -C; read line < input; echo $line > output; test $KEY = value",
        ]),
        env: vec![("KEY".to_owned(), "value".to_owned())],
        cwd: Some("prepared".to_owned()),
        prepare: words(&["sh", "-c", "sleep 0.2; echo made > input; echo . >> prepared"]),
        cleanup: words(&["sh", "-c", "rm output; echo $KEY >> cleaned"]),
        ..Command::default()
    };
    for _ in 0..3 {
        let process = measured(&command, &[WALL]);
        assert!(process.values[&WALL] < 60.0);
    }
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(
        (read("prepared").as_str(), read("cleaned").as_str()),
        (".\n.\n.\n", "value\nvalue\nvalue\n")
    );
    // After a run that fails, the clean-up runs too, and the fault of the run is reported.
    let fails = Command { argv: words(&["sh", "-c", "touch output; exit 3"]), ..command.clone() };
    check_refused(&fails, &[WALL], LONG, Cause::ExitedBadly, &["`sh` ended with exit code 3"]);
    assert_eq!(read("cleaned").lines().count(), 4);
    let unprepared =
        Command { prepare: words(&["sh", "-c", "echo no >&2; exit 2"]), ..command.clone() };
    let text = ["`prepare`: `sh` ended with exit code 2", "| no"];
    check_refused(&unprepared, &[WALL], LONG, Cause::ExitedBadly, &text);
    let uncleaned = Command { cleanup: words(&["no-such-program"]), ..command };
    check_refused(&uncleaned, &[WALL], LONG, Cause::NotFound, &["`cleanup`: ", "no-such-program"]);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_command_reads_a_file() {
    let file = scratch().join("input.txt");
    std::fs::write(&file, "one two\n").unwrap();
    let reads = |script: &str| Command { stdin: Some("input.txt".to_owned()), ..sh(script) };
    measured(&reads("test \"$(cat)\" = 'one two'"), &[WALL]);
    // A server reads it too.
    let server = Command { ready: text("one two"), ..reads("cat; exec sleep 1000") };
    measured(&server, &[STARTUP]);
    let missing = Command { stdin: Some("none.txt".to_owned()), ..sh("true") };
    check_refused(&missing, &[WALL], LONG, Cause::Missing, &["none.txt`, which `stdin` names"]);
}

#[test]
fn a_command_is_held_to_its_constraint() {
    let with_constraint = |script: &str, memory, processors| {
        let constraint = Constraint { memory, processors };
        Command { constraint, ..python(script, Ready::Exit) }
    };
    let one = with_constraint("assert len(os.sched_getaffinity(0)) == 1", None, Some(1));
    let process = measured(&one, &[WALL]);
    assert!(
        process.notes.iter().any(|note| note == "measured with at most 1 processor"),
        "{process:?}"
    );
    let holds = "x = b'x' * 200_000_000";
    if crate::os::emulator::emulator().is_some() {
        let constrained = with_constraint(holds, Some(1_000_000_000), None);
        let words = ["does not keep the limit on its memory", "remove `memory` here"];
        return check_refused(&constrained, &[WALL], LONG, Cause::Unsupported, &words);
    }
    measured(&with_constraint(holds, Some(1_000_000_000), None), &[WALL]);
    check_refused(
        &with_constraint(holds, Some(100_000_000), None),
        &[WALL],
        LONG,
        Cause::ExitedBadly,
        &["MemoryError"],
    );
    let many = with_constraint("pass", None, Some(1024));
    check_refused(&many, &[WALL], LONG, Cause::Harness, &["processors may be used here"]);
}
