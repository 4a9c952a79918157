//! Tests that a workload is not measured if it reaches only code that is the same in the base, and that every other
//! workload is. One crate with several workloads is changed in each way that matters, and then put back.

use std::fs;

use perf_budget_core::outcome::ComparisonMethod;
use perf_budget_core::verdict::Verdict;

use crate::made::Made;
use crate::{Crate, Run};

const TESTS: &str = r#"
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("plain", |run| run.iter(|| reach::plain(std::hint::black_box(7))))
        .workload("checked", |run| run.iter(|| reach::checked(std::hint::black_box(7))))
        .workload("pointed", |run| {
            let steps = reach::steps();
            run.iter(|| steps.iter().map(|step| step.take(2)).sum::<u64>())
        })
        .workload("started", |run| {
            std::process::Command::new("true").status()?;
            run.iter(|| reach::plain(std::hint::black_box(7)))
        })
        .main()
}
"#;

/// The limits cannot be broken: what is tested is whether they are measured. Two links of each side are the fewest that leave
/// copies for the proof, and sixteen would take longer than all the rest.
const BUDGETS: &str = r#"
[settings]
layouts = 2

[budget.plain]
workload = "plain"
max = { mean = "1000 x base", allocs = "1000 x base" }

[budget.checked]
workload = "checked"
max = { mean = "1000 x base" }

[budget.pointed]
workload = "pointed"
max = { mean = "1000 x base" }

[budget.started]
workload = "started"
max = { mean = "1000 x base" }
"#;

const LIBRARY: &str = r#"//! Work.

/// Calls nothing else.
pub fn plain(by: u64) -> u64 {
    by.rotate_left(3) ^ TABLE[(by % 4) as usize]
}

/// The constants that it uses.
static TABLE: [u64; 4] = [1, 2, 3, 5];

/// Never calls what it calls for great numbers.
pub fn checked(by: u64) -> u64 {
    assert!(by > 0, "it is positive");
    if by > 1000 { rare(by) } else { by + 1 }
}

fn rare(by: u64) -> u64 {
    by.wrapping_mul(31)
}

/// Something that is called through a pointer.
pub trait Step {
    /// Takes a step.
    fn take(&self, by: u64) -> u64;
}

struct Long;

impl Step for Long {
    fn take(&self, by: u64) -> u64 {
        by + 10
    }
}

/// All steps.
pub fn steps() -> Vec<Box<dyn Step>> {
    vec![Box::new(Long), Box::new(Long)]
}
"#;

struct Reach(Crate);

impl Crate {
    /// Turns the debug assertions of the crate and of the library off, since a debug build judges no time. What they depend on is
    /// as in the other crates of these tests, and so is not built again.
    pub(crate) fn judge_times(&self) {
        let manifest = fs::read_to_string(self.0.path("Cargo.toml")).unwrap();
        let off = "debug-assertions = false\noverflow-checks = false\n";
        let own = manifest.replace("[profile.dev]\n", &format!("[profile.dev]\n{off}"));
        assert_ne!(own, manifest);
        let others =
            "\n[profile.dev.package.\"*\"]\ndebug-assertions = true\noverflow-checks = true\n";
        let of = |package: &str| format!("\n[profile.dev.package.{package}]\n{off}");
        let profiles = [others, &of("perf-budget"), &of("perf-budget-core")].concat();
        self.0.write("Cargo.toml", &(own + &profiles));
    }
}

impl Reach {
    fn new() -> Reach {
        let made = Crate(Made::new("reach", TESTS, BUDGETS));
        made.0.write(".gitignore", "target\nresults\n");
        made.0.write("src/lib.rs", LIBRARY);
        made.judge_times();
        made.git(&["init", "-q"]);
        assert_eq!(made.check(&[]).code, 0);
        made.commit("one");
        Reach(made)
    }

    /// Changes the library, compares with HEAD, and checks that exactly these workloads are measured.
    #[track_caller]
    fn check(&self, change: &[(&str, &str)], measured: &[&str]) -> Run {
        let mut text = LIBRARY.to_owned();
        for (old, new) in change {
            assert!(text.contains(old), "{old}");
            text = text.replacen(old, new, 1);
        }
        self.0.0.write("src/lib.rs", &text);
        let run = self.0.check(&["--base", "HEAD"]);
        run.is(0, &[]);
        let times = run.outcomes.iter().filter(|outcome| outcome.metric == "mean");
        for outcome in times.clone() {
            assert_eq!(outcome.verdict, Verdict::Pass, "{}", outcome.reason);
            let by = outcome.proven.as_ref().map(|proven| proven.by);
            let want = (!measured.contains(&&*outcome.budget)).then_some(ComparisonMethod::Reach);
            assert_eq!(
                by, want,
                "{}: {}, {:?}\n{}",
                outcome.test, outcome.reason, outcome.notes, run.text
            );
        }
        assert_eq!(times.count(), 4, "{}", run.text);
        run
    }
}

#[test]
#[cfg(target_os = "linux")]
fn only_a_workload_that_reaches_what_differs_is_measured() {
    let crate_of_four = Reach::new();
    let check = |change: &[(&str, &str)], measured: &[&str]| {
        // A workload that starts a process may start one that reaches what differs.
        crate_of_four.check(change, &[measured, &["started"]].concat())
    };
    let run = check(&[("by + 10", "by + 11")], &["pointed"]);
    assert!(run.text.contains("of a workload that reaches none of them"), "{}", run.text);
    let outcome = run.outcomes.iter().find(|outcome| outcome.test == "plain::mean::x_base");
    assert!(outcome.unwrap().reason.starts_with("it reaches only machine code that is the same"));
    // Limits that are measured on cargo's own builds are not proven by these builds.
    let counted = run.outcomes.iter().find(|outcome| outcome.metric == "allocs").unwrap();
    assert_eq!(counted.proven, None);

    check(&[("by.rotate_left(3)", "by.rotate_left(5)")], &["plain"]);
    check(&[("[1, 2, 3, 5]", "[1, 2, 3, 7]")], &["plain"]);
    // A function that could be called directly counts as reached, even if it is not called.
    check(&[("by.wrapping_mul(31)", "by.wrapping_mul(33)")], &["checked"]);
    // A line that moved changes where a panic is reported, and nothing else.
    let moved = [("/// Calls nothing", "/// One line.\n///\n/// Calls nothing"), ("+ 10", "+ 12")];
    check(&moved, &["pointed"]);
    // Code that runs before `main` may change anything.
    let before = "#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic EARLY: extern \"C\" fn() = early;\n\
                  extern \"C\" fn early() {}\n\n/// All steps.";
    let all = ["plain", "checked", "pointed"];
    let run = check(&[("/// All steps.", before)], &all);
    assert!(run.text.contains("what runs before `main`"), "{}", run.text);

    let mut always = crate_of_four.0.command(&["check", "--profile", "dev", "--base", "HEAD"]);
    let output = always.env("PERF_BUDGET_MEASURE", "always").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !text.contains("proven equal"), "{text}");
}
