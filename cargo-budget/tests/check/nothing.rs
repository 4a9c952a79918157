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
