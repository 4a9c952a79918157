//! Tests with values that were accepted on this machine. A fixture cannot have them, because it does not know where it
//! runs.

use std::fs;

use libtest_mimic::Trial;
use perf_budget_core::budget::lock;
use perf_budget_core::outcome::Run as Environment;
use perf_budget_core::verdict::Verdict;

use crate::gate::Case;
use crate::row;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row(
            "locks::a_statistical_value_is_judged_where_it_was_accepted",
            judged_where_it_was_accepted,
        ),
        row("locks::strict_lets_nothing_be_skipped", strict_lets_nothing_be_skipped),
        row("locks::nextest_skips_what_is_not_accepted", nextest_skips_what_is_not_accepted),
        row("locks::another_lock_is_another_run", another_lock_is_another_run),
    ]
}

const BUDGETS: &str = r#"
[budget.subject]
workload = "depth"
params = { depth = DEPTH }
max = { depth = "1.05 x lock" }
"#;

/// Makes a case with a subject of this depth, for which 3 was accepted in this environment.
fn case(name: &str, depth: u32) -> Case {
    let case = Case::new(name, &BUDGETS.replace("DEPTH", &depth.to_string()));
    let run = case.run().exited(0);
    assert_eq!(run.count(), "1 limit of 1 budget: 1 skipped");
    let Environment { platform, processor, cores, profile, .. } = case.outcomes()[0].run.clone();
    let processor = match processor.as_str() {
        "" => String::new(),
        name => format!("processor = {name:?}, "),
    };
    let text = format!(
        "version = 1\n\n[\"subject::depth\"]\nvalue = 3\nlow = 3\nhigh = 3\nunit = \"number\"\n\
         date = \"2026-11-01\"\nenvironment = {{ platform = {platform:?}, {processor}cores = {cores}, \
         profile = {profile:?} }}\n"
    );
    let place = lock::place(&case.dir.join("budgets.toml"));
    fs::write(&place, text).unwrap();
    assert_eq!(lock::load(&place).unwrap().values.len(), 1);
    case
}

fn judged_where_it_was_accepted() {
    let passing = case("locks-held", 3);
    assert_eq!(passing.run().exited(0).count(), "1 limit of 1 budget: 1 pass");
    let outcome = passing.outcomes().pop().unwrap();
    assert_eq!(outcome.verdict, Verdict::Pass);
    let accepted = outcome.accepted.unwrap();
    assert_eq!((accepted.elsewhere, accepted.factor), (None, Some(1.05)));

    let grown = case("locks-grown", 6);
    let run = grown.run().exited(101);
    run.printed([
        "depth is 6, over the limit of 1.05 x lock = 3.15 (accepted 3 on 2026-11-01)",
        "limit      <= 3.15 = 1.05 x lock (+100 % against the accepted value, limit +5 %)",
        "accepted   3 on 2026-11-01\n",
        "note       depth +100 % since 2026-11-01: 3 then, 6 now, 90 % intervals apart",
        "accept it: cargo budget accept --red subject",
    ]);

    let shrunk = case("locks-shrunk", 1);
    let run = shrunk.run().exited(0);
    assert_eq!(run.count(), "1 limit of 1 budget: 1 warn");
    run.printed([
        "warning: subject::depth::x_lock: depth is 1, within the limit of",
        "suspiciously good",
    ]);
}

fn strict_lets_nothing_be_skipped() {
    let budgets = BUDGETS.replace("DEPTH", "3");
    let case = Case::new("locks-strict", &budgets).env("PERF_BUDGET_STRICT", "1");
    let run = case.run().exited(101);
    run.printed([
        "no value of `subject::depth` is accepted yet; PERF_BUDGET_STRICT lets nothing be skipped",
    ]);
    assert_eq!(run.count(), "1 limit of 1 budget: 1 unmeasured");
}

/// Nextest would call a test passed that it runs and that is then skipped.
fn nextest_skips_what_is_not_accepted() {
    let list = ["--list", "--format", "terse", "--ignored"];
    let budgets = BUDGETS.replace("DEPTH", "3");
    let missing = Case::new("locks-nextest", &budgets).env("NEXTEST", "1").args(list);
    assert_eq!(missing.run().exited(0).stdout, "subject::depth::x_lock: test\n");
    let accepted = case("locks-nextest-accepted", 3).env("NEXTEST", "1").args(list);
    assert_eq!(accepted.run().exited(0).stdout, "");
}

/// In a run with a name, every process finds what the first one measured, until the lock file changes.
fn another_lock_is_another_run() {
    let case = case("locks-named", 6).env("PERF_BUDGET_RUN", "named");
    case.run().exited(101);
    let place = case.dir.join("budgets.lock");
    let text = fs::read_to_string(&place).unwrap();
    fs::write(&place, text.replace("= 3\n", "= 6\n")).unwrap();
    assert_eq!(case.run().exited(0).count(), "1 limit of 1 budget: 1 pass");
}
