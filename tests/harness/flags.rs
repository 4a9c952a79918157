//! Tests of the flags of libtest: what is listed, what is run, and what is printed.

use libtest_mimic::Trial;

use crate::gate::{Case, Run};
use crate::row;

/// Four tests: one green, one red, one that is skipped in every build, and one that is green in every build.
const BUDGETS: &str = r#"
[budget.held]
workload = "tally"
params = { depth = 3 }
max = { depth = 10 }

[budget.broken]
workload = "depth"
params = { depth = 11 }
max = { depth = 10 }

[budget.based]
workload = "depth"
params = { depth = 3 }
max = { depth = "1.05 x base" }

[budget.files]
artifact = "budgets.toml"
max = { size = "1 MB" }
"#;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("flags::list", list),
        row("flags::nextest_skips", nextest_skips),
        row("flags::selection", selection),
        row("flags::threads", threads),
        row("flags::quiet", quiet),
        row("flags::json", json),
        row("flags::colour", colour),
        row("flags::unknown", unknown),
        row("flags::shards", shards),
    ]
}

fn run<const N: usize>(name: &str, args: [&str; N]) -> (Case, Run) {
    let case = Case::new(&format!("flags-{name}"), BUDGETS).args(args);
    let run = case.run();
    (case, run)
}

/// The list has only the lines of the tests, and nothing is measured.
fn list() {
    #[track_caller]
    fn check<const N: usize>(args: [&str; N], listed: &str) {
        let (case, run) = run("list", args);
        let run = run.exited(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (listed, ""));
        assert!(
            !case.dir.join("marks").exists() && !case.dir.join("results/outcomes.jsonl").exists()
        );
    }
    let all =
        "files::size: test\nheld::depth: test\nbroken::depth: test\nbased::depth::x_base: test\n";
    check(["--list"], all);
    // Nextest asks for the tests, and for those that are ignored.
    check(["--list", "--format", "terse"], all);
    check(["--list", "--format", "terse", "--ignored"], "");
    check(["--list", "held"], "held::depth: test\n");
    check(["--list", "--exact", "held"], "");
    check(["--list", "--skip", "depth"], "files::size: test\n");
}

/// Nextest counts a test as passed if it is skipped while it runs. So the list tells nextest which tests are skipped.
fn nextest_skips() {
    let case = || Case::new("flags-nextest", BUDGETS).env("NEXTEST", "1");
    let ignored = case().args(["--list", "--format", "terse", "--ignored"]).run().exited(0);
    assert_eq!(ignored.stdout, "based::depth::x_base: test\n");
    let strict = case().env("PERF_BUDGET_STRICT", "1");
    let ignored = strict.args(["--list", "--format", "terse", "--ignored"]).run().exited(0);
    assert_eq!(ignored.stdout, "");
    // If it is run all the same, it says why it is skipped.
    let run = case().args(["--exact", "based::depth::x_base", "--ignored"]).run().exited(0);
    run.printed(["ignored (no base revision to compare with is given)"]);
}

fn selection() {
    #[track_caller]
    fn check<const N: usize>(args: [&str; N], code: i32, count: &str, recorded: &[&str]) {
        let (case, run) = run("selection", args);
        let run = run.exited(code);
        assert_eq!(run.count(), count, "{run}");
        let measured = case.dir.join("results/outcomes.jsonl").exists();
        let outcomes = if measured { case.outcomes() } else { Vec::new() };
        let names: Vec<_> = outcomes.into_iter().map(|outcome| outcome.test).collect();
        assert!(names.len() == recorded.len() && names.iter().all(|n| recorded.contains(&&**n)));
        // A test that was not selected is not measured.
        assert_eq!(case.dir.join("marks").exists(), recorded.contains(&"held::depth"));
    }
    let (held, broken, based, files) =
        ("held::depth", "broken::depth", "based::depth::x_base", "files::size");
    let all = "4 limits of 4 budgets: 2 pass, 1 fail; 1 skipped";
    check([], 101, all, &[held, broken, based, files]);
    check(["--include-ignored"], 101, all, &[held, broken, based, files]);
    check(["held"], 0, "4 limits of 4 budgets: 1 pass; 3 filtered out", &[held]);
    check(["--exact", held], 0, "4 limits of 4 budgets: 1 pass; 3 filtered out", &[held]);
    check(["--exact", "held"], 0, "4 limits of 4 budgets: 4 filtered out", &[]);
    check(["--ignored"], 0, "4 limits of 4 budgets: 4 filtered out", &[]);
    let skip = ["--skip", "broken", "--skip", "files"];
    check(skip, 0, "4 limits of 4 budgets: 1 pass; 1 skipped, 2 filtered out", &[held, based]);
    check(
        ["--nocapture", "--show-output", "size"],
        0,
        "4 limits of 4 budgets: 1 pass; 3 filtered out",
        &[files],
    );
}

/// Verdicts do not depend on how many tests run at the same time.
fn threads() {
    for threads in ["1", "2", "16"] {
        let (_, run) = run(&format!("threads-{threads}"), ["--test-threads", threads]);
        let run = run.exited(101);
        assert_eq!(run.count(), "4 limits of 4 budgets: 2 pass, 1 fail; 1 skipped");
        run.printed(["test held::depth", "broken::depth", "depth is 11, over the limit of 10"]);
    }
}

/// With `-q` the gate prints the reds and the count, but no table.
fn quiet() {
    let (_, run) = run("quiet", ["-q"]);
    let run = run.exited(101);
    run.printed(["depth is 11, over the limit of 10", "4 limits of 4 budgets: 2 pass, 1 fail"]);
    assert!(!run.stdout.contains("held::depth"), "{run}");
}

/// With `--format json` each line of standard output is one JSON value; the table goes to standard error.
fn json() {
    let (_, run) = run("json", ["--format", "json", "-Z", "unstable-options"]);
    let run = run.exited(101);
    for line in run.stdout.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(event["type"].is_string(), "{line}");
    }
    run.printed(["over the limit of 10"]);
    assert!(run.stderr.contains("4 limits of 4 budgets"), "{run}");
}

fn colour() {
    let coloured =
        |args: &str| run("colour", ["--color", args]).1.exited(101).stdout.contains('\x1b');
    assert_eq!(["always", "never", "auto"].map(coloured), [true, false, false]);
}

fn unknown() {
    let (case, run) = run("unknown", ["--no-such-flag"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(!case.dir.join("marks").exists());
}

/// Every test is in one shard, and a test of another shard is neither run nor counted.
fn shards() {
    let case = |shard: &str| Case::new("flags-shards", BUDGETS).env("PERF_BUDGET_SHARD", shard);
    let mut tests = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let case = case(shard);
        case.run();
        let outcomes = case.outcomes();
        assert!(!outcomes.is_empty(), "{shard}");
        assert!(outcomes.iter().all(|outcome| outcome.run.tests == 4), "{outcomes:#?}");
        tests.extend(outcomes.into_iter().map(|outcome| outcome.test));
    }
    tests.sort();
    assert_eq!(tests, ["based::depth::x_base", "broken::depth", "files::size", "held::depth"]);
    // A filter selects among the tests of the shard.
    let held = case("1/1").args(["held"]);
    held.run().exited(0);
    assert_eq!(held.outcomes().len(), 1);
    let wrong = case("4/3").run().exited(2);
    assert!(wrong.stderr.contains("PERF_BUDGET_SHARD is `4/3`, which is not a part"), "{wrong}");
}
