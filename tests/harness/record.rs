//! Tests of the record `outcomes.jsonl`: it has one line for each process that begins, and one for each test that was
//! judged. If it cannot be written, the test is red.

use std::fs;

use libtest_mimic::Trial;
use perf_budget_core::record;
use perf_budget_core::verdict::Verdict;

use crate::gate::Case;
use crate::row;

const BUDGETS: &str = r#"
[budget.depth]
workload = "depth"
params = { depth = [3, 11] }
max = { depth = 10 }
why = "deeper is slower"

[budget.lost]
workload = "panics"
max = { depth = 10 }

[budget.files]
artifact = "budgets.toml"
max = { size = "1 MB" }
"#;

pub(crate) fn rows() -> Vec<Trial> {
    let mut rows = vec![
        row("record::one_line_for_each_test", one_line_for_each_test),
        row(
            "record::a_line_that_is_cut_short_is_a_red_test",
            a_line_that_is_cut_short_is_a_red_test,
        ),
        row("record::a_run_that_dies_leaves_its_tests", a_run_that_dies_leaves_its_tests),
        row("record::the_environment_is_on_record", the_environment_is_on_record),
        row("record::no_place_for_results", no_place_for_results),
        row("record::a_record_that_cannot_be_opened", a_record_that_cannot_be_opened),
    ];
    if cfg!(target_os = "linux") {
        rows.push(row("record::a_full_disk", a_full_disk));
        rows.push(row("record::a_pipe", a_pipe));
    }
    rows
}

fn one_line_for_each_test() {
    let case = Case::new("record-lines", BUDGETS);
    for times in 1..=2 {
        case.run().exited(101);
        let text = fs::read_to_string(case.dir.join("results/outcomes.jsonl")).unwrap();
        assert_eq!(text.lines().count(), 5 * times);
        assert_eq!(case.outcomes().len(), 4 * times);
    }
    let outcomes = case.outcomes();
    let (first, second) = outcomes.split_at(4);
    assert!(first.iter().all(|outcome| outcome.run == first[0].run));
    assert_ne!(first[0].run.id, second[0].run.id);
    let outcome = |test: &str| first.iter().find(|outcome| outcome.test == test).unwrap();
    let red = outcome("depth::depth=11::depth");
    assert_eq!((red.verdict, red.line, red.run.tests), (Verdict::Fail, 5, 4));
    assert_eq!((red.file.as_str(), red.case.as_str()), ("budgets.toml", "depth=11"));
    assert_eq!(red.why.as_deref(), Some("deeper is slower"));
    assert_eq!(red.estimate.map(|estimate| estimate.value.to_bits()), Some(11_f64.to_bits()));
    assert!(red.evidence.is_some_and(|evidence| evidence.processes >= 3));
    assert_eq!(outcome("depth::depth=3::depth").verdict, Verdict::Pass);
    let lost = outcome("lost::depth");
    assert_eq!((lost.verdict, lost.cause.as_deref()), (Verdict::Unmeasured, Some("panicked")));
}

/// The processes of one run share outcomes only in one environment, since another environment has other limits.
fn the_environment_is_on_record() {
    let budgets = "[budget.files]\nartifact = \"budgets.toml\"\nmax.size = \"1 MB\"\n\
                   [env.board.budget.files]\nmax.size = \"9 B\"\n";
    let case = Case::new("record-environment", budgets).env("PERF_BUDGET_RUN", "one");
    case.run().exited(0);
    let case = case.env("PERF_BUDGET_ENV", "board");
    case.run().exited(101).printed(["(budgets.toml:5, [env.board])"]);
    let outcomes = case.outcomes();
    let facts = |nth: usize| {
        let outcome = &outcomes[nth];
        (outcome.environment.as_deref(), outcome.run.environment.as_deref(), outcome.line)
    };
    assert_eq!((facts(0), facts(1)), ((None, None, 3), (Some("board"), Some("board"), 5)));
}

/// The outcome on the line is lost, but its test is known to have begun.
fn a_line_that_is_cut_short_is_a_red_test() {
    let case = Case::new("record-cut", BUDGETS);
    case.run().exited(101);
    let path = case.dir.join("results/outcomes.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let record = record::read(&path).unwrap();
    assert_eq!(record.damaged, [5]);
    assert_eq!(record.outcomes.len(), 4);
    let lost =
        record.outcomes.iter().find(|outcome| outcome.reason.contains("no outcome of this test"));
    assert_eq!(lost.unwrap().verdict, Verdict::Unmeasured);
    // The next run is recorded as usual.
    case.run().exited(101);
    let record = record::read(&path).unwrap();
    assert_eq!((record.damaged.len(), record.outcomes.len(), record.begun.len()), (1, 8, 2));
}

/// The tests that the process was going to judge are on record before it measures anything.
fn a_run_that_dies_leaves_its_tests() {
    let budgets = "[budget.hang]\nworkload = \"never ends\"\nmax = { depth = 1, width = 1 }\n";
    let case = Case::new("record-dying", budgets);
    let started = case.start("dying", &[]);
    let path = case.dir.join("results/outcomes.jsonl");
    while !fs::read_to_string(&path).is_ok_and(|text| text.ends_with('\n')) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    started.kill();
    let lost = case.outcomes();
    let names: Vec<&str> = lost.iter().map(|outcome| outcome.test.as_str()).collect();
    assert_eq!(names, ["hang::depth", "hang::width"]);
    assert!(lost.iter().all(|outcome| outcome.verdict == Verdict::Unmeasured && outcome.is_red()));
    let hang = &lost[0];
    assert_eq!((hang.budget.as_str(), hang.metric.as_str()), ("hang", "depth"));
    assert_eq!((hang.subject.as_str(), hang.line), ("workload never ends", 3));
}

/// Nothing is measured if no result can be kept.
fn no_place_for_results() {
    let case = Case::new("record-nowhere", BUDGETS);
    let file = case.dir.join("budgets.toml");
    for place in [file.clone(), file.join("below")] {
        let case = Case::new("record-nowhere", BUDGETS).env("PERF_BUDGET_DIR", place);
        let run = case.run().exited(2);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.starts_with("failed to create `"), "{run}");
        assert!(run.stderr.contains("PERF_BUDGET_DIR"), "{run}");
    }
}

fn a_record_that_cannot_be_opened() {
    let case = Case::new("record-closed", BUDGETS).args(["files"]);
    fs::create_dir_all(case.dir.join("results/outcomes.jsonl")).unwrap();
    let run = case.run().exited(2);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("failed to append to `"), "{run}");
    assert!(run.stderr.contains("outcomes.jsonl`"), "{run}");
}

/// Nothing is measured where no outcome could be recorded. If the disk becomes full later, a value that was measured is
/// missing from every report, so its test is red.
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let case = Case::new("record-full", BUDGETS).args(["files"]);
    fs::create_dir_all(case.dir.join("results")).unwrap();
    let path = case.dir.join("results/outcomes.jsonl");
    std::os::unix::fs::symlink("/dev/full", path).unwrap();
    let run = case.run().exited(2);
    assert!(run.stderr.contains("No space left on device"), "{run}");
    assert!(run.stderr.contains("make room there"), "{run}");

    let budgets = "[budget.fill]\ncommand = [\"ln\", \"-sf\", \"/dev/full\", \"results/outcomes.jsonl\"]\n\
                   max = { exit = 0 }\n";
    let case = Case::new("record-filling", budgets);
    let run = case.run().exited(101);
    run.printed(["failed to append to `", "No space left on device", "fill::exit"]);
    run.printed(["make room there", "unmeasured\n"]);
    // An outcome that is not on record is not counted as a pass.
    assert!(!run.stdout.contains("  pass"), "{}", run.stdout);
}

#[cfg(not(target_os = "linux"))]
fn a_full_disk() {}

/// To open a pipe in the place of a file might never end.
#[cfg(target_os = "linux")]
fn a_pipe() {
    let make = |path: std::path::PathBuf| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success(), "{}", path.display());
    };
    let case = Case::new("record-pipe", BUDGETS).args(["files"]);
    make(case.dir.join("results/outcomes.jsonl"));
    let run = case.run().exited(2);
    assert!(run.stderr.contains("is a named pipe"), "{run}");
    let summary = std::env::temp_dir().join(format!("perf-budget-summary-{}", std::process::id()));
    make(summary.clone());
    let case = Case::new("summary-pipe", BUDGETS).args(["files"]);
    let case =
        case.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let run = case.run().exited(0);
    run.printed(["::warning::the step summary `", "is not a file"]);
    fs::remove_file(summary).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn a_pipe() {}
