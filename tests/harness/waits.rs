//! Tests of waiting: for the lock of the machine, and for an artifact that takes too long to read.

use std::fs::{self, File};

use libtest_mimic::Trial;
use perf_budget_core::outcome::Cause;
use perf_budget_core::verdict::Verdict;

use crate::gate::Case;
use crate::row;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("waits::a_wait_that_runs_out_is_red_and_recorded", a_wait_that_runs_out_is_recorded),
        row("waits::nothing_is_built_without_the_lock", nothing_is_built_without_the_lock),
        row("waits::the_holder_of_the_lock_is_named", the_holder_of_the_lock_is_named),
        #[cfg(target_os = "linux")]
        row("waits::a_run_never_names_itself", a_run_never_names_itself),
        row("waits::an_artifact_obeys_its_timeout", an_artifact_obeys_its_timeout),
    ]
}

/// Makes a case of two budgets that waits this long for the lock of the machine.
fn case(name: &str, wait: &str) -> Case {
    Case::new(
        name,
        &format!(
            "[settings]\nlock_timeout = \"{wait}\"\n[budget.one]\nartifact = \"a\"\nmax.size = \"1 KB\"\n\
             [budget.two]\nartifact = \"a\"\nmax.gzip = \"1 KB\"\n"
        ),
    )
}

/// Takes the lock of the machine as a process does that measures.
fn hold(case: &Case) -> File {
    fs::write(case.dir.join("a"), "some content").unwrap();
    let lock = File::create(case.dir.join("tmp/perf-budget.lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// A subject that has to be built first is neither built nor measured if the lock is held for too long.
fn nothing_is_built_without_the_lock() {
    let case = Case::new(
        "waits-to-build",
        "[settings]\nlock_timeout = \"300 ms\"\n[budget.made]\nartifact = \"a\"\n\
         build = [\"touch\", \"built\"]\nmax.size = \"1 KB\"\n\
         [budget.run]\ncommand = [\"true\"]\nbuild = [\"touch\", \"built\"]\nmax.exit = 0\n",
    );
    let _held = hold(&case);
    case.run().exited(101);
    let outcomes = case.outcomes();
    assert_eq!(outcomes.len(), 2);
    for outcome in outcomes {
        assert_eq!(outcome.cause.as_deref(), Some(Cause::MachineBusy.name()), "{outcome:?}");
    }
    assert!(!case.dir.join("built").exists());
}

fn a_wait_that_runs_out_is_recorded() {
    let case = case("waits-out", "300 ms");
    let held = hold(&case);
    let run = case.run().exited(101);
    assert_eq!(run.count(), "2 limits of 2 budgets: 2 unmeasured");
    run.printed([
        "the lock of the machine was held for more than 300 ms by ",
        "allow a longer wait by `lock_timeout` in [settings]",
    ]);
    #[cfg(target_os = "linux")]
    run.printed([format!("process {} (`", std::process::id()).as_str()]);
    let outcomes = case.outcomes();
    assert_eq!(outcomes.len(), 2);
    for outcome in outcomes {
        assert_eq!(outcome.verdict, Verdict::Unmeasured);
        assert_eq!(outcome.cause.as_deref(), Some(Cause::MachineBusy.name()));
    }
    drop(held);
    case.run().exited(0);
}

fn the_holder_of_the_lock_is_named() {
    let case = case("waits-said", "6 s");
    let _held = hold(&case);
    let run = case.run().exited(101);
    let message = "perf-budget: waiting for the lock of the machine, held by ";
    assert_eq!(run.stderr.matches(message).count(), 1, "{run:#}");
}

/// Under nextest each test is a process. A message that names the holder of the lock would tell the user to end a test
/// of the same run.
#[cfg(target_os = "linux")]
fn a_run_never_names_itself() {
    let script = "touch began; while [ ! -f go ]; do sleep 0.05; done";
    let command = format!("command = [\"sh\", \"-c\", {script:?}]\nmax.peak_rss = \"10 GB\"\n");
    let case = Case::new(
        "waits-for-itself",
        &format!(
            "[settings]\nlock_timeout = \"300 ms\"\n[budget.one]\n{command}[budget.two]\n{command}"
        ),
    );
    let case = case.env("PERF_BUDGET_RUN", "waits-for-itself");
    let first = case.start_test("one::peak_rss");
    while !case.dir.join("began").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let waited = case.start_test("two::peak_rss").end().exited(101);
    waited.printed(["for more than 300 ms by another measurement of this run, and only one"]);
    // The message of another run names the process.
    let other = case.env("PERF_BUDGET_RUN", "another run");
    let waited = other.start_test("two::peak_rss").end().exited(101);
    waited.printed(["for more than 300 ms by process "]);
    fs::write(other.dir.join("go"), "").unwrap();
    first.end().exited(0);
}

fn an_artifact_obeys_its_timeout() {
    let case = Case::new(
        "waits-artifact",
        "[settings]\ntimeout = \"1 us\"\n[budget.one]\nartifact = \"a\"\nmax.size = \"1 KB\"\nmax.brotli = \"1 KB\"\n",
    );
    fs::write(case.dir.join("a"), "some content").unwrap();
    let run = case.run().exited(101);
    assert_eq!(run.count(), "2 limits of 1 budget: 1 pass; 1 unmeasured");
    run.printed(["failed to read `a`: it was not measured within 1µs; if it may take longer, raise `timeout`"]);
}
