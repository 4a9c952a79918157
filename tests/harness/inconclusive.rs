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
        row(
            "inconclusive::a_half_measured_run_ends_with_its_report",
            a_half_measured_run_ends_with_its_report,
        ),
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

/// The time is up after the first process of the first slow budget, which takes longer than that, and before the other one.
fn a_half_measured_run_ends_with_its_report() {
    let budgets = |slow: &[&str]| {
        let slow = slow.iter().map(|name| {
            format!(
                "[budget.{name}]\nworkload = \"records after three seconds\"\nparams = {{ depth = 9 }}\n\
                 max = {{ depth = 10 }}\n"
            )
        });
        let file = "[budget.file]\nartifact = \"budgets.toml\"\nmax = { size = \"9 KB\" }\n";
        format!("[settings]\ntotal = \"2 s\"\n{file}{}", slow.collect::<String>())
    };
    let case = Case::new("inconclusive-total-half", &budgets(&["one"]));
    let run = case.run().exited(0);
    assert_eq!(run.count(), "2 limits of 2 budgets: 1 pass, 1 inconclusive", "{run}");
    run.printed([
        "INCONCLUSIVE: one::depth: no verdict: depth is 9 after 1 reading in 1 process",
        "; `total` in [settings] was used up before it was settled",
        "  to settle it: allow a longer `total` in [settings], or measure in several jobs by `--shard`",
    ]);
    // A limit without a reading is red, and the others keep their verdicts.
    let case = Case::new("inconclusive-total-unread", &budgets(&["one", "two"]));
    let run = case.run().exited(101);
    assert_eq!(run.count(), "3 limits of 3 budgets: 1 pass, 1 inconclusive; 1 unmeasured", "{run}");
    run.printed([
        "was not measured: `total = \"2 s\"` in [settings] was used up before; allow more",
    ]);
    let causes = case.outcomes().into_iter().map(|o| (o.budget, o.verdict, o.cause));
    let mut causes: Vec<_> = causes.collect();
    causes.sort_by(|one, other| one.0.cmp(&other.0));
    let out_of_time = Some("out-of-time".to_owned());
    assert_eq!(
        causes,
        [
            ("file".to_owned(), Verdict::Pass, None),
            ("one".to_owned(), Verdict::Inconclusive, out_of_time.clone()),
            ("two".to_owned(), Verdict::Unmeasured, out_of_time),
        ]
    );
}
