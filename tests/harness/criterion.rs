//! Tests with the records of Criterion as users have them: they are judged in any build, and refused if they may be of
//! other code.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use libtest_mimic::Trial;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::gate::Case;
use crate::row;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("criterion::real_records_are_judged", real_records_are_judged),
        row("criterion::a_change_makes_them_stale", a_change_makes_them_stale),
        row("criterion::reading_again_adds_no_evidence", reading_again_adds_no_evidence),
    ]
}

/// Makes a project with the real records of `fixtures/criterion`.
pub(crate) fn project(name: &str, budgets: &str) -> Case {
    let case = Case::new(name, budgets);
    fs::write(case.dir.join("Cargo.lock"), "").unwrap();
    let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/criterion");
    crate::cases::copy(&records, &case.dir.join("criterion"));
    case
}

fn last_outcome(case: &Case) -> Outcome {
    let outcomes = case.outcomes();
    outcomes.last().unwrap_or_else(|| panic!("nothing is on record")).clone()
}

fn real_records_are_judged() {
    // The samples are from a busy machine, and range from 39 ns to 1.4 µs.
    let budget = |limit: &str| {
        format!("[budget.bare]\ncriterion = {{ record = \"bare\" }}\nmax.mean = \"{limit}\"\n")
    };
    for (limit, code, verdict) in [
        ("1 ms", 0, Verdict::Pass),
        ("350 ns", 0, Verdict::Inconclusive),
        ("20 ns", 101, Verdict::Fail),
    ] {
        let case = project("criterion-judged", &budget(limit));
        let run = case.run().exited(code);
        let outcome = last_outcome(&case);
        assert_eq!(outcome.verdict, verdict, "{}", outcome.reason);
        assert!(outcome.evidence.unwrap().is_recorded());
        assert!(outcome.notes[0].contains("no error rate is known"), "{:?}", outcome.notes);
        if verdict.is_red() {
            run.printed(["from 20 batches in one recorded process", "no error rate is known"]);
        }
    }
}

fn a_change_makes_them_stale() {
    let budgets = "[budget.bare]\ncriterion = { record = \"bare\" }\nmax.mean = \"1 ms\"\n";
    let case = project("criterion-stale", budgets);
    case.run().exited(0);
    let source = case.dir.join("src/lib.rs");
    fs::create_dir_all(source.parent().unwrap()).unwrap();
    let later = SystemTime::now() + Duration::from_secs(1);
    File::create(&source).unwrap().set_modified(later).unwrap();
    let source = Path::new("src").join("lib.rs");
    let older = format!("is older than `{}`", source.display());
    case.run().exited(101).printed([older.as_str(), "run `cargo bench` again"]);
    assert_eq!(last_outcome(&case).verdict, Verdict::Unmeasured);
}

/// Evidence is carried from run to run, but not the evidence of a record, because that is the same each time.
fn reading_again_adds_no_evidence() {
    let budgets = "[budget.bare]\ncriterion = { record = \"bare\" }\nmax.mean = \"20 ns\"\n";
    let case = project("criterion-again", budgets);
    case.run().exited(101);
    let first = last_outcome(&case);
    case.run().exited(101);
    let second = last_outcome(&case);
    assert_eq!((second.notes, second.reason), (first.notes, first.reason));
}
