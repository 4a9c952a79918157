//! Tests of debug builds: time and instructions are not judged, and the tests say so; if nothing may be skipped, they are red.

use libtest_mimic::Trial;
use perf_budget_core::verdict::Verdict;

use crate::gate::{Case, NOTHING};
use crate::row;

/// Limits that every machine holds, and that only a release build may judge.
const BUDGETS: &str = r#"
[settings]
inconclusive = "warn"

[budget.count]
workload = "count"
max = { p50 = "1 h", mean = "1 h" }
min = { throughput = "0.001 op/s" }

[budget.half]
workload = "half of them"
max = { error_rate = "90 %" }

[budget.sleep]
command = NOTHING
max = { wall_p50 = "1 h", exit = 0 }
"#;

/// The tests of limits on time.
const TIMES: [&str; 4] = ["count::p50", "count::mean", "count::throughput", "sleep::wall_p50"];

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("profile::time_is_judged_in_release_only", time_is_judged_in_release_only),
        row(
            "profile::instructions_are_judged_in_release_only",
            instructions_are_judged_in_release_only,
        ),
        row("profile::strict_lets_nothing_be_skipped", strict_lets_nothing_be_skipped),
    ]
}

fn budgets() -> String {
    BUDGETS.replace("NOTHING", NOTHING)
}

fn time_is_judged_in_release_only() {
    for strict in ["", "0"] {
        let case = Case::new("profile-lenient", &budgets()).env("PERF_BUDGET_STRICT", strict);
        let run = case.run().exited(0);
        for outcome in case.outcomes() {
            let skipped = cfg!(debug_assertions) && TIMES.contains(&outcome.test.as_str());
            assert_eq!(outcome.verdict == Verdict::Skipped, skipped, "{outcome:#?}");
            assert!(!outcome.is_red(), "{outcome:#?}");
        }
        if cfg!(debug_assertions) {
            run.printed(["ignored (a debug build says nothing about time", "4 skipped"]);
            assert!(run.count().starts_with("6 limits of 3 budgets"), "{run}");
        } else {
            assert!(run.count().starts_with("6 limits of 3 budgets"), "{run}");
        }
    }
}

/// A limit that fits the release build is far too low for a debug build, and to count takes long there.
fn instructions_are_judged_in_release_only() {
    let budgets = "[budget.count]\nworkload = \"count\"\nmax = { instructions = 0 }\n";
    let case = Case::new("profile-instructions", budgets);
    let run = case.run().exited(if cfg!(debug_assertions) { 0 } else { 101 });
    let skipped = case.outcomes()[0].verdict == Verdict::Skipped;
    assert_eq!(skipped, cfg!(debug_assertions), "{run}");
    if skipped {
        run.printed(["ignored (a debug build runs many more instructions", "1 skipped"]);
    }
}

fn strict_lets_nothing_be_skipped() {
    let based = "\n[budget.based]\nworkload = \"count\"\nmax = { rss = \"1 x base\" }\n";
    let budgets = format!("{}{based}", budgets());
    let case = Case::new("profile-strict", &budgets).env("PERF_BUDGET_STRICT", "1");
    let run = case.run().exited(101);
    for outcome in case.outcomes() {
        let about_time = TIMES.contains(&outcome.test.as_str());
        let red = outcome.budget == "based" || cfg!(debug_assertions) && about_time;
        assert_eq!(outcome.verdict == Verdict::Unmeasured, red, "{outcome:#?}");
    }
    run.printed(["PERF_BUDGET_STRICT lets nothing be skipped", "no base revision"]);
}
