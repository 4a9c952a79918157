//! Tests of which run is the last one, with results in other target directories, test targets with a file each, and
//! runs that judged nothing or ended before their last test.

use perf_budget_core::outcome::{Outcome, Run};
use perf_budget_core::paths;
use perf_budget_core::record::{self, Begun, Test};
use perf_budget_core::verdict::Verdict;

use crate::command::{Scratch, command, run_in};

/// A project with results.
struct Project(Scratch);

impl Project {
    fn new(name: &str) -> Project {
        let scratch = Scratch::new(name);
        scratch.write("Cargo.toml", "[package]\nname = \"kit\"\n[workspace]\n");
        let project = Project(scratch);
        project.budgets("budgets.toml");
        project
    }

    fn budgets(&self, file: &str) {
        self.0.write(
            file,
            "[budget.a]\nartifact = \"x\"\nmax = { size = \"1 KB\", gzip = \"1 KB\" }\n",
        );
    }

    /// Returns a run of this project.
    fn run(&self, id: &str, began: u64) -> Run {
        let checkout = paths::checkout(&self.0.0, &self.0.0.join("budgets.toml"));
        Run {
            id: id.to_owned(),
            began,
            tests: 2,
            budgets: 1,
            package: "kit".to_owned(),
            checkout,
            ..Run::default()
        }
    }

    /// Records in `results` that the run begins these tests of `file`, and the verdicts that it reaches.
    fn record(
        &self,
        results: &str,
        file: &str,
        run: &Run,
        begun: &[&str],
        judged: &[(&str, Verdict)],
    ) {
        let results = self.0.0.join(results);
        std::fs::create_dir_all(&results).unwrap();
        let path = paths::record(&results);
        let test = |test: &&str| Test {
            test: (*test).to_owned(),
            budget: "a".to_owned(),
            ..Test::default()
        };
        let begun = Begun {
            begun: begun.iter().map(test).collect(),
            filtered: 2 - begun.len(),
            file: file.to_owned(),
            run: run.clone(),
            ..Begun::default()
        };
        record::begin(&path, &begun).unwrap();
        for &(test, verdict) in judged {
            let outcome = Outcome {
                test: test.to_owned(),
                budget: "a".to_owned(),
                verdict,
                file: file.to_owned(),
                run: run.clone(),
                ..Outcome::default()
            };
            record::append(&path, &outcome).unwrap();
        }
        paths::leave(&self.0.0, &results, run.began, &run.checkout).unwrap();
    }

    #[track_caller]
    fn reports(&self, arguments: &[&str], code: i32, texts: &[&str]) -> String {
        let done = run_in(&self.0.0, &[&["report"], arguments].concat());
        let said = done.out + &done.err;
        assert_eq!(done.code, code, "{said}");
        for text in texts {
            assert!(said.contains(text), "{text:?} is not in\n{said}");
        }
        said
    }
}

const BOTH: [&str; 2] = ["a::size", "a::gzip"];
const GREEN: [(&str, Verdict); 2] = [("a::size", Verdict::Pass), ("a::gzip", Verdict::Pass)];
const RED: [(&str, Verdict); 2] = [("a::size", Verdict::Fail), ("a::gzip", Verdict::Pass)];

#[test]
fn the_newest_results_count_wherever_they_are() {
    let project = Project::new("places-newest");
    project.record("target/budgets", "budgets.toml", &project.run("1", 100), &BOTH, &GREEN);
    project.reports(&[], 0, &["2 pass"]);
    project.record("elsewhere/budgets", "budgets.toml", &project.run("2", 200), &BOTH, &RED);
    project.reports(&[], 1, &["1 fail"]);
    // A variable that is empty names no other directory.
    let unset = command(&project.0.0, &["report"]).env("PERF_BUDGET_DIR", "").output().unwrap();
    assert_eq!(unset.status.code(), Some(1), "{unset:?}");
    project.record("target/budgets", "budgets.toml", &project.run("3", 300), &BOTH, &GREEN);
    project.reports(&[], 0, &["2 pass"]);
    // A newer run of another checkout is in the same record.
    let other = Run { checkout: "0".repeat(16), ..project.run("4", 400) };
    project.record("target/budgets", "budgets.toml", &other, &BOTH, &RED);
    project.reports(&[], 0, &["2 pass"]);
    // The results of the last run are gone, and older ones are no answer.
    project.record("gone/budgets", "budgets.toml", &project.run("5", 500), &BOTH, &RED);
    std::fs::remove_dir_all(project.0.0.join("gone")).unwrap();
    project.reports(&[], 3, &["no outcomes are recorded in", "gone"]);
}

/// A green run that was recorded before the clock was set back is not newer than what came after, but may be.
#[test]
fn results_from_the_future_leave_it_open_which_are_the_newest() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let project = Project::new("places-future");
    let ahead = project.run("1", now + 7200);
    project.record("elsewhere/budgets", "budgets.toml", &ahead, &BOTH, &GREEN);
    project.reports(&[], 0, &["2 pass"]);
    let since = now.to_string();
    project.reports(&["--since", &since], 3, &["no run of this project began since then"]);
    project.record("target/budgets", "budgets.toml", &project.run("2", now), &BOTH, &RED);
    project.reports(&[], 3, &["later than now", "elsewhere"]);
}

/// It may be the record of the last run, and an older green one is no answer.
#[test]
fn a_record_that_cannot_be_read_is_not_passed_over() {
    let project = Project::new("places-unreadable");
    project.record("elsewhere/budgets", "budgets.toml", &project.run("1", 100), &BOTH, &GREEN);
    project.reports(&[], 0, &["2 pass"]);
    std::fs::create_dir_all(project.0.0.join("target/budgets/outcomes.jsonl")).unwrap();
    project.reports(
        &[],
        3,
        &["failed to read", "it is not a file", "which results are the newest"],
    );
}

#[test]
fn every_file_with_budgets_counts() {
    let project = Project::new("places-files");
    project.budgets("stress.toml");
    project.record("target/budgets", "stress.toml", &project.run("1", 100), &BOTH, &RED);
    project.record("target/budgets", "budgets.toml", &project.run("2", 101), &BOTH, &GREEN);
    project.reports(&[], 1, &["3 pass, 1 fail"]);
    // A file among the results is that of `check --benches`, which is no run of this project's budgets.
    std::fs::create_dir_all(project.0.0.join("target/budgets/harness")).unwrap();
    project.budgets("target/budgets/harness/budgets.toml");
    let own = "target/budgets/harness/budgets.toml";
    project.record("target/budgets", own, &project.run("3", 102), &BOTH, &RED);
    project.reports(&[], 1, &["3 pass, 1 fail"]);
    // A file that was deleted is judged no more.
    std::fs::remove_file(project.0.0.join("stress.toml")).unwrap();
    project.reports(&[], 0, &["2 pass"]);
}

#[test]
fn without_budgets_the_run_of_check_benches_is_shown() {
    // Above the other scratch directories there is a `budgets.toml`: that of this repository.
    let name = format!("perf-budget-places-benches-{}", std::process::id());
    let scratch = Scratch(std::env::temp_dir().canonicalize().unwrap().join(name));
    std::fs::create_dir_all(&scratch.0).unwrap();
    scratch.write("Cargo.toml", "[package]\nname = \"kit\"\n[workspace]\n");
    let project = Project(scratch);
    std::fs::create_dir_all(project.0.0.join("src")).unwrap();
    project.0.write("src/lib.rs", "");
    let run = project.run("1", 100);
    project.reports(&[], 2, &["there is no budgets.toml"]);
    let own = "target/budgets/harness/budgets.toml";
    std::fs::create_dir_all(project.0.0.join("target/budgets/harness")).unwrap();
    project.budgets(own);
    project.record("target/budgets", own, &run, &BOTH, &RED);
    // Another project that has the same target directory has its runs by the same file.
    let other = Run { id: "2".to_owned(), began: 200, package: "other".to_owned(), ..run };
    project.record("target/budgets", own, &other, &BOTH, &GREEN);
    project.reports(&[], 1, &["1 pass, 1 fail"]);
}

#[test]
fn a_run_that_judged_nothing_is_no_success() {
    let project = Project::new("places-nothing");
    project.record("target/budgets", "budgets.toml", &project.run("1", 100), &BOTH, &GREEN);
    project.record("target/budgets", "budgets.toml", &project.run("2", 200), &[], &[]);
    project.reports(&[], 3, &["the last run judged nothing", "left out all 2 tests"]);
}

#[test]
fn a_run_that_ended_early_is_red_in_every_format() {
    let project = Project::new("places-early");
    project.record("target/budgets", "budgets.toml", &project.run("1", 100), &BOTH, &GREEN[..1]);
    project.reports(&[], 3, &["a::gzip", "no outcome of this test", "1 pass; 1 unmeasured"]);
    let junit = project.reports(&["--format", "junit"], 3, &["errors=\"1\""]);
    assert!(junit.contains("a::gzip"), "{junit}");
    for format in ["html", "markdown", "json", "csv", "openmetrics", "jsonl"] {
        project.reports(&["--format", format], 3, &["a::gzip"]);
    }
    // A filter that left a test out is known.
    project.record(
        "target/budgets",
        "budgets.toml",
        &project.run("2", 200),
        &BOTH[..1],
        &GREEN[..1],
    );
    project.reports(&["--partial"], 0, &["1 pass"]);
    project.reports(&[], 3, &["`a::gzip`: red since an earlier run"]);
    project.reports(&["--since", "201"], 3, &["no run of this project began since then"]);
}

/// A green run of one test does not cover the red that an earlier run gave another.
#[test]
fn a_red_that_a_later_run_left_out_stays_red() {
    let project = Project::new("places-left");
    let record = |id, began, begun: &[&str], judged: &[(&str, Verdict)]| {
        project.record("target/budgets", "budgets.toml", &project.run(id, began), begun, judged);
    };
    record("1", 100, &BOTH, &RED);
    record("2", 200, &BOTH[1..], &GREEN[1..]);
    let why = "`a::size`: red since an earlier run, and left out of the last one";
    project.reports(&[], 1, &[why, "1 pass, 1 fail", "--partial"]);
    for format in ["junit", "csv", "jsonl"] {
        project.reports(&["--format", format], 1, &["a::size"]);
    }
    let accepted = project.reports(&["--partial"], 0, &["1 pass"]);
    assert!(!accepted.contains("--partial"), "{accepted}");
    // Runs that are older than the time that was asked for do not count.
    project.reports(&["--since", "200"], 0, &["1 pass"]);
    project.reports(&["--since", "100"], 1, &[why]);
    // It is judged again.
    record("3", 300, &BOTH[..1], &GREEN[..1]);
    project.reports(&[], 0, &["1 pass"]);
    record("4", 400, &BOTH, &GREEN);
    project.reports(&[], 0, &["2 pass"]);
    // No run was whole.
    let project = Project::new("places-left-parts");
    let record = |id, began, begun: &[&str], judged: &[(&str, Verdict)]| {
        project.record("target/budgets", "budgets.toml", &project.run(id, began), begun, judged);
    };
    record("1", 100, &BOTH[..1], &RED[..1]);
    record("2", 200, &BOTH[1..], &GREEN[1..]);
    project.reports(&[], 1, &[why]);
}

/// Where each test is a process, a test that never began may have been left out, or the runner was killed.
#[test]
fn a_run_of_many_processes_has_to_be_whole() {
    let project = Project::new("places-processes");
    let results = project.0.0.join("target/budgets");
    std::fs::create_dir_all(&results).unwrap();
    let path = paths::record(&results);
    let run = project.run("nextest", 100);
    let begin = |test: &str, ignored: usize| {
        let begun = vec![Test { test: test.to_owned(), budget: "a".to_owned(), ..Test::default() }];
        let file = "budgets.toml".to_owned();
        let run_of = run.clone();
        let begun = Begun { begun, filtered: 1, ignored, shared: true, file, run: run_of };
        record::begin(&path, &begun).unwrap();
        let outcome = Outcome {
            test: test.to_owned(),
            verdict: Verdict::Pass,
            file: "budgets.toml".to_owned(),
            run: run.clone(),
            ..Outcome::default()
        };
        record::append(&path, &outcome).unwrap();
    };
    begin("a::size", 0);
    project.reports(&[], 3, &["1 test of the run has no outcome", "--partial"]);
    project.reports(&["--partial"], 0, &["1 pass"]);
    // Ignored tests are asked for too (`--run-ignored all`), so the one that was ignored here is missing.
    begin("a::size", 1);
    project.reports(&[], 3, &["1 test of the run has no outcome"]);
    begin("a::gzip", 0);
    project.reports(&[], 0, &["2 pass"]);
}

#[test]
fn a_line_that_was_cut_off_is_named() {
    let project = Project::new("places-cut");
    project.record("target/budgets", "budgets.toml", &project.run("1", 100), &BOTH, &GREEN);
    let path = project.0.0.join("target/budgets/outcomes.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 30]).unwrap();
    project.reports(&[], 3, &["line 3 of `", "was cut off", "a::gzip"]);
    project.record("target/budgets", "budgets.toml", &project.run("2", 200), &BOTH, &GREEN);
    project.reports(&[], 0, &["2 pass", "line 3 of `"]);
}
