//! Tests of recording: a run is recorded once, however many processes write at the same time, and whatever happens to
//! a writer.

use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;
use perf_budget_core::budget::Inconclusive;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::on_both;
use crate::project::{Project, Ran, outcome};

/// The number of processes that record at the same time. 8 processes with 50 runs each were tried by hand.
const WRITERS: u64 = 8;

pub(crate) fn rows() -> Vec<Trial> {
    let rows = [
        on_both("a_run_recorded_twice_is_in_the_history_once", twice),
        on_both("the_runs_of_two_files_with_budgets_are_two_runs", two_files),
        on_both("concurrent_writers_neither_lose_nor_double_a_run", at_once),
        on_both("a_killed_writer_leaves_all_or_nothing", killed),
        on_both("a_dry_run_writes_nothing", dry),
        on_both("an_older_schema_is_migrated", older_schema),
        on_both("a_newer_schema_is_refused", newer_schema),
        on_both("an_inconclusive_outcome_is_red_only_where_the_settings_say_so", inconclusive),
        on_both("another_run_of_the_same_name_is_refused", same_name),
    ];
    rows.into_iter().flatten().collect()
}

/// Returns how many runs the list has.
#[track_caller]
pub(crate) fn runs(project: &Project) -> usize {
    let listed = project.run(&["history", "list", "--last", "65000", "--format", "json"]);
    listed.json()["runs"].as_array().unwrap().len()
}

fn twice(db: &str) {
    let project = Project::new("twice", db);
    let hash = project.history(&[1.0])[0].clone();
    project.run(&["history", "record"]).says(0, "was recorded already");
    // Another test of the same run is recorded later, as after a run with a filter.
    let more = Outcome { test: "merge::allocs".to_owned(), ..outcome("run-0", 0, 1e-3) };
    project.outcomes(&[more]);
    project.run(&["history", "record"]).says(0, "1 new, 1 recorded already");
    let listed = project.run(&["history", "list"]).says(0, &format!("{} | main", &hash[..9]));
    assert_eq!(listed.out.lines().count(), 1);
    listed.says(0, "2 outcomes, none red | Abacus 9, 4 cores, linux x86_64, release");
}

fn two_files(db: &str) {
    let project = Project::new("two-files", db);
    project.commit(0);
    std::fs::write(project.dir.join("stress.toml"), "").unwrap();
    let of = |file: &str, run: &str| Outcome { file: file.to_owned(), ..outcome(run, 1, 1e-3) };
    project.outcomes(&[of("stress.toml", "run-1"), of("budgets.toml", "run-2")]);
    project.run(&["history", "record"]).says(0, "of run `run-1` | of run `run-2`");
    assert_eq!(runs(&project), 2);
    // One of them is run again.
    project.outcomes(&[of("budgets.toml", "run-3")]);
    project.run(&["history", "record"]).says(0, "recorded already | of run `run-3`");
    assert_eq!(runs(&project), 3);
}

fn at_once(db: &str) {
    let each = std::env::var("PERF_BUDGET_TEST_RUNS").map_or(4, |n| n.parse().unwrap());
    let project = Project::new("at-once", db);
    project.commit(0);
    let names: Vec<String> =
        (0..WRITERS * each).map(|n| format!("run-{}-{}", n / each, n % each)).collect();
    let tests = ["p50", "p90", "p99"];
    for name in &names {
        let of = |test: &&str| Outcome { test: format!("merge::{test}"), ..outcome(name, 1, 1e-3) };
        project.outcomes(&tests.iter().map(of).collect::<Vec<_>>());
    }
    thread::scope(|scope| {
        for writer in names.chunks(each as usize) {
            let project = &project;
            scope.spawn(move || {
                for name in writer {
                    project
                        .run(&["history", "record", "--run", name])
                        .says(0, "recorded 3 outcomes");
                }
            });
        }
    });
    let listed = project.run(&["history", "list", "--last", "65000", "--format", "json"]).json();
    let mut found: Vec<String> = Vec::new();
    for run in listed["runs"].as_array().unwrap() {
        assert_eq!(run["outcomes"], 3, "{run}");
        found.push(run["run"].as_str().unwrap().to_owned());
    }
    let mut names = names;
    names.sort();
    found.sort();
    assert_eq!(found, names);
}

/// Kills a process at several moments while it writes 2000 outcomes.
fn killed(db: &str) {
    const OUTCOMES: u64 = 2000;
    let project = Project::new("killed", db);
    project.commit(0);
    let of = |n: u64| Outcome { test: format!("merge::metric_{n}"), ..outcome("long", 1, 1e-3) };
    project.outcomes(&(0..OUTCOMES).map(of).collect::<Vec<_>>());
    project.outcomes(&[outcome("short", 1, 1e-3)]);
    project.run(&["history", "record"]).says(0, "recorded 1 outcome ");
    let mut cut_short = 0;
    for wait in [40, 120, 300] {
        let mut writer = project.command(&["history", "record", "--run", "long"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(wait));
        writer.kill().unwrap();
        cut_short += u32::from(!writer.wait().unwrap().success());
        let listed = project.run(&["history", "list", "--format", "json"]);
        for run in listed.json()["runs"].as_array().unwrap() {
            let whole = if run["run"] == "long" { OUTCOMES } else { 1 };
            assert_eq!(run["outcomes"], whole, "{run}");
        }
    }
    assert!(cut_short > 0, "no writer was killed before its end");
    project.run(&["history", "record", "--run", "long"]).says(0, "2000 outcomes");
    assert_eq!(runs(&project), 2);
}

fn dry(db: &str) {
    let project = Project::new("dry", db);
    project.commit(0);
    project.outcomes(&[outcome("run", 0, 1e-3)]);
    project.run(&["history", "record", "--dry-run"]).says(0, "would record 1 outcome of run `run`");
    if !db.contains("://") {
        assert!(!project.dir.join(".budgets").exists());
        project.run(&["history", "list"]).says(3, "there is no history in | history record");
    }
    project.run(&["history", "record"]).says(0, "recorded 1 outcome of run `run`");
    assert_eq!(runs(&project), 1);
}

/// A database with the first version of the schema and one run.
const OLDER: &str = concat!(
    include_str!("../../src/history/schema/1.sql"),
    "INSERT INTO budget_schema (version) VALUES (1);
     INSERT INTO budget_runs VALUES (1, 'old', 1699990000, 'c0ffee', 1699990000, 0, 'main', 'Abacus 8', '0.1.0');
     INSERT INTO budget_series VALUES (1, 'merge::p99', 'merge', '', 'p99', 's', 'Abacus 8', 'main');
     INSERT INTO budget_series VALUES (2, 'merge::p50', 'merge', '', 'p50', 's', 'Abacus 8', 'main');
     INSERT INTO budget_outcomes VALUES (1, 1, 1699990000, 'pass', '', 0.001, NULL, NULL, 0, 'max', 0.002);
     INSERT INTO budget_outcomes VALUES (2, 1, 1699990000, 'unsure', '', 0.001, NULL, NULL, 0, 'max', 0.001);"
);

fn older_schema(db: &str) {
    let project = Project::new("older", db);
    execute(&project, db, OLDER);
    project.commit(0);
    project.outcomes(&[outcome("run", 0, 1e-3)]);
    // Several processes start at once: one of them migrates, and the others wait for it.
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let mut record = project.command(&["history", "record"]);
            thread::spawn(move || Ran::of(&record.output().unwrap()))
        })
        .collect();
    for writer in writers {
        writer.join().unwrap().says(0, "recorded");
    }
    project.run(&["history", "list"]).says(0, "c0ffee | 2 outcomes, 1 red | (old) | (run)");
    project.run(&["trend", "merge", "--environment", "Abacus 8"]).says(0, "1 commit");
    assert_eq!(runs(&project), 2);
}

fn inconclusive(db: &str) {
    let project = Project::new("inconclusive", db);
    let hash = project.commit(0);
    for (n, setting) in [Inconclusive::Warn, Inconclusive::Fail].into_iter().enumerate() {
        let run = outcome(&format!("run-{n}"), n as u64, 1e-3);
        let verdict = Verdict::Inconclusive;
        project.outcomes(&[Outcome { verdict, inconclusive: setting, ..run }]);
        project.run(&["history", "record", "--commit", &hash]).says(0, "recorded 1 outcome");
        let red = if setting == Inconclusive::Fail { "1 red" } else { "none red" };
        let listed = project.run(&["history", "list", "--last", "1"]);
        listed.says(0, &format!("1 outcome, {red} | (run-{n})"));
        let trend = project.run(&["trend", "merge", "--format", "json"]).json();
        let is_red = trend["series"][0]["commits"][0]["red"].as_bool();
        assert_eq!(is_red, Some(setting == Inconclusive::Fail), "{trend}");
    }
}

fn newer_schema(db: &str) {
    let project = Project::new("newer", db);
    project.history(&[1.0]);
    execute(&project, db, "INSERT INTO budget_schema (version) VALUES (99)");
    let refused = "its schema has version 99 | cargo install cargo-budget";
    project.run(&["history", "list"]).says(3, refused);
    project.run(&["trend", "merge"]).says(3, refused);
    project.run(&["history", "record"]).says(3, refused).says(3, "Nothing is lost");
}

fn same_name(db: &str) {
    let project = Project::new("same-name", db);
    project.history(&[1.0]);
    project.commit(7);
    project
        .run(&["history", "record"])
        .says(3, "run `run-0` is recorded already as commit | and would now be commit");
    assert_eq!(runs(&project), 1);
}

/// Runs SQL on the history, without the command.
pub(crate) fn execute(project: &Project, db: &str, sql: &str) {
    if db.contains("://") {
        postgres::Client::connect(db, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
    } else {
        let path = project.dir.join(db);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    }
}
