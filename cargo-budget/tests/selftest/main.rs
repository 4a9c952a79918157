//! Tests of `cargo budget selftest` on a crate for which the size that turns each limit red is known. It must leave
//! nothing behind that an ordinary run would read.
//!
//! The crate is built without optimisation. All of its values are deterministic except for one that is recorded, so nothing
//! depends on how fast the machine is.

#[path = "../made/mod.rs"]
mod made;
#[path = "../schemas/mod.rs"]
mod schemas;

use std::process::Command;

use serde_json::Value;

use crate::made::Made;

const TESTS: &str = r#"
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("boxes", |run| run.iter(|| (Box::new([0_u8; 100]), Box::new([0_u8; 200]))))
        .workload("steps", |run| run.record("steps", 100.0))
        .workload("sized", |run| {
            let n: usize = run.param("n")?;
            run.iter(|| vec![0_u8; n * 1000])
        })
        .main()
}
"#;

const SOUND: &str = r#"
[budget.boxes]
workload = "boxes"
max = { allocs = 4, alloc_bytes = "1 KB", leaked = "0 B", p50 = "1 s" }

[budget.steps]
workload = "steps"
max = { steps = 200 }

[budget.sized]
workload = "sized"
params = { n = [1, 10, 100] }
scaling = { over = "n", max = { alloc_bytes = 1.1 } }

[budget.copy]
command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1000", "count=100", "status=none"]
max = { written_bytes = "200 KB", read_bytes = "500 KB", page_faults = 100_000 }

[budget.source]
artifact = "src/lib.rs"
max = { size = "1000 B", gzip = "1 MB" }
min = { gzip = "1 B" }
"#;

struct Crate(Made);

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Crate {
    fn new(budgets: &str) -> Crate {
        let made = Crate(Made::new("injected", TESTS, budgets));
        made.0.write("src/lib.rs", "//! A library.\n");
        made
    }

    fn ran(command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn selftest(&self, arguments: &[&str]) -> Ran {
        let mut command = self.0.command(env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "selftest", "--profile", "dev"]).args(arguments);
        Crate::ran(&mut command)
    }
}

impl Ran {
    #[track_caller]
    fn is(self, code: i32, words: &[&str]) -> Ran {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        for words in words {
            let there = self.out.contains(words) || self.err.contains(words);
            assert!(there, "no {words:?} in {}{}", self.out, self.err);
        }
        self
    }

    /// Returns the finding of a test, and the value that turned it red.
    #[track_caller]
    fn finding(&self, test: &str) -> (String, Option<f64>) {
        let all: Value = serde_json::from_str(&self.out).unwrap();
        let results = all["results"].as_array().unwrap();
        let result = results.iter().find(|result| result["test"] == test).unwrap();
        (result["finding"].as_str().unwrap().to_owned(), result["red_at"]["target"].as_f64())
    }
}

#[test]
fn every_limit_turns_red_at_its_known_size_and_nothing_is_left_behind() {
    let made = Crate::new(SOUND);
    // The help filters the JSON by the key that the results have.
    made.selftest(&["--help"]).is(0, &["jq '.results[]"]);
    let ran = made.selftest(&["--format", "json"]).is(0, &[]);
    schemas::holds("selftest", &serde_json::from_str(&ran.out).unwrap());
    let check = |test: &str, finding: &str, target: Option<f64>| {
        let (found, at) = ran.finding(test);
        assert_eq!(found, finding, "{test}");
        let near = at.zip(target).is_some_and(|(a, b)| (a - b).abs() < 1e-6 * b);
        assert!(near || at == target, "{test}: {at:?}");
    };
    check("boxes::allocs", "red", Some(5.0));
    check("boxes::alloc_bytes", "red", Some(1010.0));
    check("boxes::leaked", "red", Some(1.0));
    check("sized::scaling_alloc_bytes", "red", Some(1.111));
    check("source::size", "red", Some(1010.0));
    check("steps::steps", "red", Some(202.0));
    check("copy::written_bytes", "red", Some(202_000.0));
    check("copy::read_bytes", "red", Some(505_000.0));
    // Page faults are not the same every time, so that the size which is found is not either.
    assert_eq!(ran.finding("copy::page_faults").0, "red");
    // Times are not judged in a debug build, and only an improvement breaks this floor.
    check("boxes::p50", "aside", None);
    check("source::gzip::min", "aside", None);
    check("source::gzip::max", "red", Some(1_010_000.0));
    assert!(!made.0.path("results/outcomes.jsonl").exists());
    assert!(!made.0.path("results/evidence").exists());

    // A single limit can be named; the output is the table for people.
    let one = made.selftest(&["boxes::allocs"]).is(0, &["boxes::allocs", "5 (+25 %)", "1 of 1"]);
    assert!(!one.out.contains("boxes::leaked"), "{}", one.out);
    made.selftest(&["nothing"]).is(2, &["no budget `nothing`", "`boxes`"]);
}

#[test]
fn a_budget_that_detects_nothing_is_found() {
    let budgets = r#"
[budget.broken]
workload = "boxes"
max = { allocs = 1 }

[budget.waived]
workload = "steps"
max = { steps = 200 }
waive = { until = "2999-01-01", owner = "a", why = "for now" }
"#;
    let made = Crate::new(budgets);
    let ran = made.selftest(&[]).is(1, &["0 of 2 turned red, 1 never did, 1 red by themselves"]);
    assert!(ran.out.contains("by itself") && ran.out.contains("never"), "{}", ran.out);
}

const REPEATED: &str = r#"
[budget.boxes]
workload = "boxes"
max = { allocs = "1 x base", alloc_bytes = "1 KB", p50 = "1 s" }

[budget.steps]
workload = "steps"
max = { steps = "1.02 x base" }
"#;

/// The same code twice: limits against the base compare this commit with itself.
#[test]
fn the_same_code_is_counted() {
    let made = Crate(Made::new("repeated", TESTS, REPEATED));
    made.0.write("src/lib.rs", "//! A library.\n");
    made.0.write(".gitignore", "/results\n");
    let git = |arguments: &[&str]| {
        let mut git = made.0.command("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b.example"]).args(arguments);
        Crate::ran(&mut git).is(0, &[]);
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "all"]);
    let rates = "a limit was red in 0 of 2 runs: between 0.0 and 84.2 % of runs";
    let ran =
        made.selftest(&["--same", "2", "--format", "json"]).is(0, &[rates, "run 2 of 2: 0 of "]);
    let all: Value = serde_json::from_str(&ran.out).unwrap();
    schemas::holds("selftest-same", &all);
    let limits = all["limits"].as_array().unwrap();
    let of =
        |limit: &Value| (limit["test"].as_str().unwrap().to_owned(), limit["red"]["of"].as_u64());
    let mut seen: Vec<_> = limits.iter().map(of).collect();
    seen.sort();
    // Times are not judged in a debug build, and so are in no count.
    let names = ["boxes::alloc_bytes", "boxes::allocs::x_base", "steps::steps::x_base"];
    assert_eq!(seen, names.map(|name| (name.to_owned(), Some(2))));
    assert!(ran.err.contains("does not judge it: boxes::p50"), "{}", ran.err);
    assert!(!made.0.path("results/outcomes.jsonl").exists());

    // The base would be other code than what is checked out.
    made.0.write("src/lib.rs", "//! Another library.\n");
    made.selftest(&["--same", "2"]).is(2, &["differ from HEAD; commit or stash"]);
    // A limit without a base needs no commit, and a red is counted in every run.
    made.0.write("budgets.toml", "[budget.boxes]\nworkload = \"boxes\"\nmax = { allocs = 1 }\n");
    let ran = made.selftest(&["--same", "3", "boxes::allocs"]).is(1, &["red in 3 of 3 runs"]);
    assert!(ran.out.contains("3 of 3") && ran.out.contains("allocs is 2"), "{}", ran.out);
}

/// The variable that asks for a selftest may stay set by accident.
#[test]
fn a_run_that_injects_is_never_green() {
    let made = Crate::new(SOUND);
    let file = made.0.path("results/selftest.jsonl");
    let asked = serde_json::json!({ "file": file, "only": ["steps"] }).to_string();
    let run = |value: &str| {
        let mut cargo = made.0.command("cargo");
        Crate::ran(cargo.args(["test", "--test", "budgets"]).env("PERF_BUDGET_SELFTEST", value))
    };
    for (value, words) in [(&*asked, "nothing was judged"), ("1", "unset it"), ("", "unset it")] {
        let ran = run(value);
        assert_ne!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
        assert!(!made.0.path("results/outcomes.jsonl").exists());
    }
}
