//! Tests with a process for each test, as under nextest: one measurement at a time, which its tests share, with the
//! same verdicts.

use std::collections::BTreeMap;
use std::fs;
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::gate::{Case, Run};
use crate::row;

/// Limits that share a measurement: some are judged, and some are compared. The limits of `lost` are not measured.
const BUDGETS: &str = r#"
[budget.tally]
workload = "tally"
params = { depth = 11 }
max = { depth = 10, width = 10 }

[budget.files]
artifact = "budgets.toml"
max = { size = "1 MB", gzip = "1 B" }

[budget.based]
artifact = "budgets.toml"
max = { size = "1 x base" }

[budget.lost]
workload = "panics"
max = { depth = 1, width = 1 }
"#;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("processes::share_a_measurement", share_a_measurement),
        row("processes::a_retry_finds_the_red_again", a_retry_finds_the_red_again),
        row("processes::another_run_measures_again", another_run_measures_again),
        row("processes::a_name_that_is_used_twice_is_red", a_name_that_is_used_twice_is_red),
        row("processes::a_changed_file_is_measured_again", a_changed_file_is_measured_again),
        row(
            "processes::statistical_measurements_never_overlap",
            statistical_measurements_never_overlap,
        ),
        row("processes::a_process_that_dies_leaves_no_lock", a_process_that_dies_leaves_no_lock),
        #[cfg(target_os = "linux")]
        row(
            "processes::a_process_that_dies_leaves_no_process",
            a_process_that_dies_leaves_no_process,
        ),
        #[cfg(target_os = "linux")]
        row("processes::a_build_disturbs_no_measurement", a_build_disturbs_no_measurement),
    ]
}

fn listed(case: &Case) -> Vec<String> {
    let list = case.start_list().end().exited(0).stdout;
    list.lines().map(|line| line.strip_suffix(": test").unwrap().to_owned()).collect()
}

/// Runs every test in a process of its own, all at the same time.
fn run_each(case: &Case) -> Vec<Run> {
    let started: Vec<_> = listed(case).iter().map(|test| case.start_test(test)).collect();
    started.into_iter().map(super::gate::Started::end).collect()
}

fn marks(case: &Case) -> usize {
    fs::read_to_string(case.dir.join("marks")).unwrap_or_default().lines().count()
}

/// Returns the verdict and the reason of the last outcome of each test.
fn verdicts(case: &Case) -> BTreeMap<String, (Verdict, String)> {
    let entry = |o: Outcome| (o.test, (o.verdict, o.reason));
    case.outcomes().into_iter().map(entry).collect()
}

fn share_a_measurement() {
    let in_one_process = Case::new("processes-in-one", BUDGETS);
    let one = in_one_process.run().exited(101);
    assert_eq!(one.count(), "7 limits of 4 budgets: 2 pass, 2 fail; 2 unmeasured, 1 skipped");

    let case = Case::new("processes-in-many", BUDGETS).env("NEXTEST_RUN_ID", "first");
    let runs = run_each(&case);
    assert_eq!(runs.len(), 7);
    for run in &runs {
        let red = run.stdout.contains("FAILED");
        assert_eq!(run.code, Some(if red { 101 } else { 0 }), "{run}");
    }
    assert_eq!(verdicts(&case), verdicts(&in_one_process));
    assert_eq!((marks(&case), case.outcomes().len()), (marks(&in_one_process), 7));
    // Each process reports its own test and the run so far, even one that comes late.
    let case = case.env("NEXTEST_ATTEMPT", "2");
    let late = case.start_test("tally::width").end().exited(0);
    assert_eq!(late.count(), "7 limits of 4 budgets: 1 pass; 6 filtered out");
    late.printed([
        "this run so far: 7 limits of 4 budgets: 2 pass, 2 fail; 2 unmeasured, 1 skipped\n",
    ]);
}

fn a_retry_finds_the_red_again() {
    let case = Case::new("processes-retry", BUDGETS).env("NEXTEST_RUN_ID", "retried");
    let attempt = |case: Case, attempt: &str| {
        let case = case.env("NEXTEST_ATTEMPT", attempt);
        for test in ["tally::depth", "lost::depth"] {
            case.start_test(test).end().exited(101);
        }
        let marks = marks(&case);
        (case, marks)
    };
    let (case, once) = attempt(case, "1");
    let (case, twice) = attempt(case, "2");
    assert_eq!(once, twice, "it was measured again");
    assert_eq!(verdicts(&case)["tally::depth"].0, Verdict::Fail);
    let [deep, lost, deep_again, lost_again] = case.outcomes().try_into().unwrap();
    assert_eq!((deep, lost), (deep_again, lost_again));
}

fn another_run_measures_again() {
    let case = Case::new("processes-again", BUDGETS).env("NEXTEST_RUN_ID", "one");
    case.start_test("tally::width").end().exited(0);
    let once = marks(&case);
    // The number of processes depends on the evidence that was carried over.
    let case = case.env("NEXTEST_RUN_ID", "two");
    case.start_test("tally::width").end().exited(0);
    let twice = marks(&case);
    assert!(once > 0 && twice > once, "{once}, {twice}");
    // A run may also be named by the user.
    let case = case.env("PERF_BUDGET_RUN", "../three/ü");
    case.start_test("tally::width").end().exited(0);
    let thrice = marks(&case);
    assert!(thrice > twice, "{twice}, {thrice}");
}

/// What a test measures may have changed since the run of the same name, so an old outcome is no answer.
fn a_name_that_is_used_twice_is_red() {
    let budgets = "[budget.file]\nartifact = \"file\"\nmax = { size = \"1 KB\" }\n";
    for variable in ["PERF_BUDGET_RUN", "NEXTEST_RUN_ID"] {
        let case = Case::new(&format!("processes-twice-{variable}"), budgets).env(variable, "one");
        fs::write(case.dir.join("file"), "small").unwrap();
        case.run().exited(0);
        fs::write(case.dir.join("file"), "large".repeat(1000)).unwrap();
        let red = case.run().exited(101);
        red.printed(["the run `one` has judged this test before", "a name of its own"]);
        assert_eq!(case.outcomes().last().unwrap().verdict, Verdict::Unmeasured);
        // A variable that is empty names no run.
        let case = case.env(variable, "");
        fs::write(case.dir.join("file"), "small").unwrap();
        case.run().exited(0);
        case.run().exited(0);
    }
}

/// If the user gives the same name again, values that were measured for other limits are not used.
fn a_changed_file_is_measured_again() {
    let case = Case::new("processes-changed", BUDGETS).env("PERF_BUDGET_RUN", "mine");
    case.start_test("tally::width").end().exited(0);
    fs::write(case.dir.join("budgets.toml"), BUDGETS.replace("width = 10", "width = 0")).unwrap();
    case.start_test("tally::width").end().exited(101);
}

/// The subject notices if another one is measured at the same time, within one process and across many.
fn statistical_measurements_never_overlap() {
    let budget = |n: usize| {
        format!(
            "[budget.alone{n}]\nworkload = \"alone\"\nparams = {{ file = \"mine\", depth = {n} }}\n\
             max = {{ depth = 1 }}\n"
        )
    };
    let budgets: String = (0..6).map(budget).collect();
    let case = Case::new("processes-alone", &budgets).args(["--test-threads", "6"]);
    case.run().exited(0);
    let once = marks(&case);
    assert!(once >= 18);
    // The same holds if the run has no name: then only the lock keeps them apart.
    for run in run_each(&case) {
        run.exited(0);
    }
    let case = case.env("NEXTEST_RUN_ID", "alone");
    for run in run_each(&case) {
        run.exited(0);
    }
    assert_eq!(marks(&case), 3 * once);
}

/// A process that waits for a measurement goes on by itself when the measuring process is gone.
fn a_process_that_dies_leaves_no_lock() {
    let budgets = "[budget.hang]\nworkload = \"never ends\"\ntimeout = \"2 s\"\n\
                   max = { depth = 1, width = 1 }\n";
    let case = Case::new("processes-dying", budgets).env("NEXTEST_RUN_ID", "dying");
    let first = case.start_test("hang::depth");
    while !case.dir.join("results/runs").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = case.start_test("hang::width");
    first.kill();
    let red = second.end().exited(101);
    red.printed(["did not end within 2s and was killed"]);
}

/// What a command started is ended too when the gate is killed, even in another session or without a parent.
#[cfg(target_os = "linux")]
fn a_process_that_dies_leaves_no_process() {
    let sleeps = ["1", "2", "3", "4"].map(|n| format!("{}.{n}", 100_000 + std::process::id()));
    let [session, orphan, child, hidden] = &sleeps;
    let budgets = format!(
        "[budget.server]\ncommand = [\"sh\", \"-c\", \"setsid sleep {session} & (sleep {orphan} &); \
         (setsid env -i PATH=\\\"$PATH\\\" sleep {hidden} >/dev/null 2>&1 &); \
         sleep {child} & echo > started; wait\"]\nmax = {{ rss = \"1 GB\" }}\nready = {{ stdout = \"never\" }}\n"
    );
    let case = Case::new("processes-killed", &budgets);
    let gate = case.start_test("server::rss");
    let soon = |what: &str, reached: &dyn Fn() -> bool| {
        let patience = Instant::now() + Duration::from_secs(60);
        while !reached() {
            assert!(Instant::now() < patience, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let running = || sleeps.iter().filter(|sleep| is_running(sleep)).count();
    soon("the command does not start", &|| running() == sleeps.len());
    gate.kill();
    soon("something outlived the gate", &|| running() == 0);
}

/// Whether a process has this argument.
#[cfg(target_os = "linux")]
fn is_running(argument: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|&byte| byte == 0).any(|word| word == argument.as_bytes())
    })
}

/// Two budgets that build something: one for a size, and one for the memory of a command, which is statistical. The
/// build asks for the lock of the machine in both ways.
#[cfg(target_os = "linux")]
const BUILT: &str = r#"
[budget.size]
artifact = "size.alone"
build = ["sh", "build.sh", "size"]
max.size = "1 KB"

[budget.command]
command = ["sh", "-c", "exit 0"]
build = ["sh", "build.sh", "command"]
max.peak_rss = "1 GB"
"#;

/// While something is built, a statistical measurement waits, and another build or count does not.
#[cfg(target_os = "linux")]
fn a_build_disturbs_no_measurement() {
    let case = Case::new("processes-build", BUILT);
    let script = "lock=$TMPDIR/perf-budget.lock\n\
        flock --nonblock --exclusive $lock true; echo $? >> $1.alone\n\
        flock --nonblock --shared $lock true; echo $? >> $1.beside\n";
    fs::write(case.dir.join("build.sh"), script).unwrap();
    assert_eq!(case.run().exited(0).count(), "2 limits of 2 budgets: 2 pass");
    for (name, expected) in [("alone", "1\n"), ("beside", "0\n")] {
        for budget in ["size", "command"] {
            let file = case.dir.join(budget).with_extension(name);
            assert_eq!(fs::read_to_string(&file).unwrap(), expected, "{}", file.display());
        }
    }
}
