//! Tests of checks in which no budget is judged although cargo's tests succeed: none of them is a success.

use crate::Crate;

/// A budget that the harness need not be told of.
const BUDGETS: &str = "[budget.source]\nartifact = \"src/lib.rs\"\nmax = { size = \"1 KB\" }\n";

const MACRO: &str = "perf_budget::main!(perf_budget::Harness::new());\n";
const MAIN: &str =
    "fn main() -> std::process::ExitCode {\n    perf_budget::Harness::new()FILE.main()\n}\n";

#[test]
fn a_target_without_its_own_main_is_named() {
    let made = Crate::new("forgotten");
    made.0.write("budgets.toml", BUDGETS);
    made.0.write("tests/budgets.rs", MACRO);
    made.check(&[]).is(0, &["1 limit of 1 budget: 1 pass"]);
    made.run(&["report"]).is(0, &["1 pass"]);

    let manifest = std::fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
    made.0.write("Cargo.toml", &manifest.replace("harness = false\n", ""));
    // The macro brings a test that fails under libtest.
    made.check(&[]).is(
        3,
        &["the_test_target_has_harness_false", "[[test]]\nname = \"budgets\"\nharness = false"],
    );
    // A `main` that was written by hand cannot, so the manifest is read.
    made.0.write("tests/budgets.rs", &MAIN.replace("FILE", ""));
    made.check(&[])
        .is(3, &["running 0 tests", "write `harness = false` under `name = \"budgets\"`"]);
    made.run(&["doctor"]).is(0, &["write `harness = false` under"]);
}

#[test]
fn a_filter_that_leaves_nothing_is_no_success() {
    let made = Crate::new("filtered");
    made.0.write("budgets.toml", BUDGETS);
    made.0.write("tests/budgets.rs", MACRO);
    made.check(&["--", "typo"]).is(3, &["left out the only test of budgets.toml"]);
    made.run(&["report"]).is(3, &["the last run judged nothing"]);
}

#[test]
fn a_file_that_the_tests_do_not_read_is_no_success() {
    let made = Crate::new("another");
    made.0.write("budgets.toml", BUDGETS);
    made.0.write("other.toml", BUDGETS);
    made.0.write("tests/budgets.rs", &MAIN.replace("FILE", ".file(\"other.toml\")"));
    made.check(&[])
        .is(3, &["1 pass", "reads `other.toml`, and so nothing judged", "budgets.toml`"]);
}

/// The test targets of a package may read a file each. What one of them judges says nothing about the others.
#[test]
fn every_target_that_has_budgets_is_judged() {
    let made = Crate::new("targets");
    let manifest = std::fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
    let entry = "[[test]]\nname = \"second\"\nharness = false\n\n[workspace]\n";
    made.0.write("Cargo.toml", &manifest.replace("[workspace]\n", entry));
    made.0.write("budgets.toml", BUDGETS);
    made.0.write("tests/budgets.rs", MACRO);
    let second = "[settings]\nbase = \"10 %\"\n\n[budget.other]\nartifact = \"../src/lib.rs\"\nmax = { size = \"1 KB\" }\n";
    made.0.write("limits/second.toml", second);
    made.0.write("tests/second.rs", &MAIN.replace("FILE", ".file(\"limits/second.toml\")"));
    made.commit("two targets");
    made.check(&[]).is(
        0,
        &[
            "budgets.toml, by the test target `budgets`:",
            "limits/second.toml, by the test target `second`:",
            "each of these 2 judgements has an `alpha` of its own, so the chance of any false red is at most 2 % in all",
        ],
    );
    let json = made.check(&["--format", "json"]).json();
    assert_eq!(json["count"], "2 limits of 2 budgets: 2 pass");
    // A filter may leave out all tests of one of them, and not those of both.
    made.check(&["--", "other"]).is(0, &["1 pass"]);
    made.run(&["report"]).is(0, &["2 limits of 2 budgets: 1 pass; 1 not judged yet"]);
    made.check(&["--", "typo"]).is(3, &["left out the only test of"]);
    // One that is named is run alone, and reads its own file.
    let alone = made.check(&["--test", "second"]);
    alone.is(0, &["1 limit of 1 budget: 1 pass"]);
    assert_eq!(alone.outcomes.len(), 1);

    // Only the second file has a limit against the base, and is red.
    made.steps(1_000_000_000);
    let run = made.check(&["--base", "HEAD"]);
    run.is(1, &["no limit is against", "size is 1.", "over the limit of 1.1 x base"]);
    run.verdict("other::size::x_base", perf_budget_core::verdict::Verdict::Fail);
    assert_eq!(run.outcomes.len(), 3);
    // The proofs take paths from the package, and say so.
    let asked = made.check(&["--test", "second", "--base", "HEAD", "--unchanged"]);
    asked.is(3, &["nothing is proven to be equal: `limits/second.toml` is not in the directory"]);

    // One whose `main` is never run is named before anything is judged.
    made.0.write("Cargo.toml", &manifest);
    made.check(&[]).is(3, &["nothing was judged", "name = \"second\"\nharness = false"]);
    made.run(&["doctor"]).is(0, &["name = \"second\"\nharness = false"]);
}
