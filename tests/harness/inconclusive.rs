//! Tests of limits that evidence cannot settle: the warning is seen, and only a setting makes it red.

use libtest_mimic::Trial;
use perf_budget_core::verdict::Verdict;

use crate::criterion::project;
use crate::gate::{Case, Run};
use crate::row;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("inconclusive::an_open_limit_warns_loudly", an_open_limit_warns_loudly),
        row("inconclusive::the_setting_makes_it_red", the_setting_makes_it_red),
        row("inconclusive::strict_does_not_make_it_red", strict_does_not_make_it_red),
        row("inconclusive::the_old_name_is_read", the_old_name_is_read),
        row("inconclusive::a_run_ends_when_its_time_is_up", a_run_ends_when_its_time_is_up),
    ]
}

/// Records that scatter too far to say on which side of this limit they are.
const BUDGET: &str = "[budget.bare]\ncriterion = { record = \"bare\" }\nmax.mean = \"350 ns\"\n";

fn case(name: &str, settings: &str) -> Case {
    project(&format!("inconclusive-{name}"), &format!("[settings]\n{settings}\n{BUDGET}"))
}

#[track_caller]
fn check(run: &Run, case: &Case) {
    let outcome = &case.outcomes()[0];
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.reason);
    assert_eq!(run.count(), "1 limit of 1 budget: 1 inconclusive");
}

fn an_open_limit_warns_loudly() {
    let case = case("warning", "").env("GITHUB_ACTIONS", "true");
    let run = case.run().exited(0);
    check(&run, &case);
    run.printed([
        "INCONCLUSIVE: bare::mean: no verdict: mean is ",
        "  to settle it: ",
        "::warning file=budgets.toml,line=5,title=bare%3A%3Amean inconclusive::no verdict",
    ]);
    assert!(!case.outcomes()[0].is_red());
}

fn the_setting_makes_it_red() {
    let case = case("red", "inconclusive = \"fail\"").env("GITHUB_ACTIONS", "true");
    let run = case.run().exited(101);
    check(&run, &case);
    run.printed(["::error file=budgets.toml,line=5,title=bare%3A%3Amean inconclusive::no verdict"]);
    assert!(case.outcomes()[0].is_red());
}

fn strict_does_not_make_it_red() {
    let case = case("strict", "").env("PERF_BUDGET_STRICT", "1");
    check(&case.run().exited(0), &case);
}

fn the_old_name_is_read() {
    let old = case("old", "unsure = \"fail\"");
    let run = old.run().exited(101);
    check(&run, &old);
    let note = "note: `unsure` is now called `inconclusive`";
    assert!(run.stderr.contains(note), "{run}");
    let blind = case("blind", "unsure = \"blind\"");
    let run = blind.run().exited(0);
    assert!(run.stderr.contains("read as `inconclusive = \"warn\"`"), "{run}");
}

/// The test needs no slow workload: one nanosecond is over at once.
fn a_run_ends_when_its_time_is_up() {
    let budgets = |total: &str| {
        format!(
            "[settings]\ntotal = \"{total}\"\n[budget.held]\nworkload = \"depth\"\n\
             params = {{ depth = 3 }}\nmax = {{ depth = 10 }}\n"
        )
    };
    let case = Case::new("inconclusive-total", &budgets("1 ns"));
    let run = case.run().exited(101);
    run.printed(["`total = \"1 ns\"` in [settings] was used up before"]);
    assert_eq!(run.count(), "1 limit of 1 budget: 1 unmeasured");
    assert_eq!(case.outcomes()[0].cause.as_deref(), Some("out-of-time"));
    let case = Case::new("inconclusive-in-time", &budgets("1 h"));
    assert_eq!(case.run().exited(0).count(), "1 limit of 1 budget: 1 pass");
    // If there are several processes, the start of the first one counts.
    let many = Case::new("inconclusive-total-many", &budgets("1 h")).env("NEXTEST_RUN_ID", "first");
    many.run().exited(0);
}
