//! `cargo budget explain --profile`: what runs in one operation, whatever its verdict, alone and against another revision.

use crate::{BUDGETS, Crate, schemas};

const WORK: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("steps", |run| {
            run.iter(|| (0..profiled::STEPS as u64).map(std::hint::black_box).sum::<u64>())
        })
        .main()
}
"#;

#[test]
fn a_green_budget_is_profiled_alone_and_against_another_revision() {
    let crates = Crate::new("profiled");
    crates.0.write("tests/budgets.rs", WORK);
    crates.0.write(
        "budgets.toml",
        &BUDGETS.replace("max = { steps = [1000, \"1.1 x base\"] }", "max = { p50 = \"1 h\" }"),
    );
    crates.commit("a workload");
    crates.steps(5000);
    crates.commit("more steps");
    crates.check(&[]).is(0, &[]);
    crates.run(&["explain", "none", "--profile"]).is(2, &["has no budget `none`"]);
    let without = ["explain", "steps", "--format", "json"];
    crates.run(&without).is(0, &["\"limits\""]);
    crates.run(&[&without[..], &["--accepted"]].concat()).is(2, &["no value of `steps`"]);
    crates.run(&["explain", "source", "--profile"]).is(3, &["not profiled", "is another"]);
    let run = crates.run(&["explain", "steps", "--profile"]);
    if run.code == 3 {
        // Elsewhere the reason says what to do.
        run.is(3, &["not profiled: ", "install Valgrind"]);
        return;
    }
    run.is(0, &["compared with none", "instructions now, by callgrind"]);
    let run = crates.run(&["explain", "steps", "--profile", "--base", "HEAD~1"]);
    run.is(0, &["against ", " instructions (+", "+"]);
    let json =
        crates.run(&["explain", "steps", "--profile", "--base", "HEAD~1", "--format", "json"]);
    json.is(0, &["\"profiles\"", "\"frames\""]);
    schemas::holds("profile", &json.json());
}
