//! Tests of running the gate again: the evidence of a limit that was red or not settled is continued, and a limit that
//! passed starts afresh.

use libtest_mimic::Trial;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::gate::Case;
use crate::row;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("carried::a_red_is_continued", a_red_is_continued),
        row("carried::another_limit_begins_anew", another_limit_begins_anew),
    ]
}

fn budgets(limit: &str) -> String {
    format!(
        "[budget.depth]\nworkload = \"wavers\"\nparams = {{ depth = 120 }}\nmax.depth = {limit}\n"
    )
}

fn is_continued(outcome: &Outcome) -> bool {
    outcome.notes.iter().any(|note| note.starts_with("continues the evidence"))
}

fn a_red_is_continued() {
    let case = Case::new("again-red", &budgets("100"));
    for runs in 0..3 {
        case.run().exited(101);
        let outcomes = case.outcomes();
        let (last, first) = (outcomes.last().unwrap(), &outcomes[0]);
        assert_eq!(last.verdict, Verdict::Fail, "{last:#?}");
        assert_eq!(is_continued(last), runs > 0, "{last:#?}");
        let processes = |outcome: &Outcome| outcome.evidence.unwrap().processes;
        assert!(runs == 0 || processes(last) < processes(first), "{outcomes:#?}");
    }
    // The same holds under nextest, where each test is a process.
    let case = case.env("NEXTEST_RUN_ID", "again");
    case.start_test("depth::depth").end().exited(101);
    assert!(is_continued(case.outcomes().last().unwrap()));
}

fn another_limit_begins_anew() {
    let case = Case::new("again-another", &budgets("100"));
    case.run().exited(101);
    std::fs::write(case.dir.join("budgets.toml"), budgets("130")).unwrap();
    for _ in 0..2 {
        case.run().exited(0);
        let outcome = case.outcomes().pop().unwrap();
        assert_eq!(outcome.verdict, Verdict::Pass, "{outcome:#?}");
        assert!(!is_continued(&outcome), "{outcome:#?}");
    }
}
