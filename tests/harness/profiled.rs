//! Tests of the profiles that are asked for: only the named budgets are profiled, a missing profile has its reason, and
//! there is never a verdict.

use libtest_mimic::Trial;
use perf_budget_core::profile::{Profile, read};

use crate::gate::Case;
use crate::row;

const BUDGETS: &str = r#"
[budget.count]
workload = "count"
max = { allocs = 1_000_000 }

[budget.other]
workload = "count"
max = { allocs = 1_000_000 }

[budget.true]
command = ["true"]
max = { exit = 0 }
"#;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("profiled::a_case_has_its_functions_and_no_verdict", has_functions),
        row("profiled::a_profile_is_of_what_is_counted", is_of_what_is_counted),
        row("profiled::a_command_has_none", a_command_has_none),
        row("profiled::a_request_that_is_not_understood_is_refused", is_refused),
    ]
}

fn profiled(name: &str, requested: &str) -> (Case, Vec<Profile>) {
    let case = Case::new(name, BUDGETS);
    std::fs::create_dir_all(case.dir.join("results")).unwrap();
    let file = case.dir.join("results/profile.jsonl");
    let request = format!("{{\"file\":{:?},\"name\":\"{requested}\"}}", file.to_str().unwrap());
    let case = case.env("PERF_BUDGET_PROFILE", request);
    case.run().exited(104);
    (case, read(&file).unwrap())
}

/// Returns the remedy that the gate names if nothing counts instructions.
fn remedy() -> &'static str {
    if cfg!(target_os = "linux") { "install Valgrind" } else { "drop the limit on `instructions`" }
}

fn has_functions() {
    let (case, profiles) = profiled("profiled-count", "count::allocs");
    assert!(!case.dir.join("results/outcomes.jsonl").exists(), "nothing is judged");
    let [profile] = &profiles[..] else { panic!("{profiles:?}") };
    assert_eq!(profile.name, "count");
    let Some(blame) = &profile.blame else {
        // Elsewhere the reason says what to do.
        let remedies = ["install Valgrind", "run it where there is Valgrind"];
        assert!(remedies.iter().any(|remedy| profile.why.contains(remedy)), "{}", profile.why);
        return;
    };
    assert!(blame.before.is_none() && blame.now > 0.0 && !blame.functions.is_empty());
    let tree = blame.calls.as_ref().unwrap();
    let sum: f64 = tree.frames.iter().map(|frame| frame.own.now).sum();
    assert!((sum - blame.now).abs() <= 0.1 * tree.frames.len() as f64, "{sum} of {}", blame.now);
}

/// The blame of a red counts the same operations as the verdict does. Both are equal, except for what the measuring
/// itself adds.
fn is_of_what_is_counted() {
    let budgets = "[budget.count]\nworkload = \"count\"\nmax = { instructions = 0 }\n";
    let case = Case::new("profiled-counted", budgets).env("PERF_BUDGET_COUNTER", "callgrind");
    case.run().exited(101);
    let outcome = &case.outcomes()[0];
    let (Some(estimate), Some(counted)) = (outcome.estimate, &outcome.counted) else {
        assert!(outcome.reason.contains(remedy()), "{}", outcome.reason);
        return;
    };
    let counted = estimate.value + counted.allocator.unwrap();
    let blame = outcome.blame.as_ref().unwrap();
    assert!((0.0..200.0).contains(&(blame.now - counted)), "{} of {counted}", blame.now);
}

fn a_command_has_none() {
    let (_, profiles) = profiled("profiled-command", "true");
    let [profile] = &profiles[..] else { panic!("{profiles:?}") };
    assert!(profile.blame.is_none() && profile.why.contains("the subject of `true` is another"));
}

fn is_refused() {
    let case = Case::new("profiled-refused", BUDGETS).env("PERF_BUDGET_PROFILE", "yes");
    let run = case.run().exited(2);
    assert!(run.stderr.contains("`cargo budget explain --profile` alone"), "{run:#}");
}
