//! Tests of benchmarks in two revisions. Their times are compared with links of their own for each pair, so that a
//! difference which a single link could make by luck is red. A benchmark that reaches nothing that differs is not
//! measured. Criterion's own program and one that serves its benchmarks behave alike here; the second is measured in
//! three parts.

use perf_budget_core::outcome::ComparisonMethod;
use perf_budget_core::verdict::Verdict;

use crate::made::{Made, shared};
use crate::{Crate, Run};

const PLAIN: &str = "criterion = { version = \"0.8\", default-features = false, features = [\"cargo_bench_support\"] }\n";

const SERVED: &str = "criterion = { package = \"perf-budget-criterion\", path = \"LIBRARY/adapters/criterion\", \
                      default-features = false, features = [\"cargo_bench_support\"] }\n";

const TARGET: &str = "
[lib]
bench = false

[[bench]]
name = \"NAME\"
harness = false

[profile.release]
opt-level = 1
debug = false
";

const LIBRARY: &str = "//! Sums.

/// Takes about as long as the square of its number.
#[inline(never)]
pub fn squares(n: u64) -> u64 {
    (0..n * n).fold(0, |sum, by| sum.rotate_left(3) ^ by)
}

/// Takes about as long as its number.
#[inline(never)]
pub fn lines(n: u64) -> u64 {
    (0..n).fold(1, |sum, by| sum.rotate_left(5) ^ by)
}
";

const BENCHES: &str = r#"
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

fn squares(c: &mut Criterion) {
    c.bench_function("squares", |b| b.iter(|| summed::squares(black_box(100))));
}

fn lines(c: &mut Criterion) {
    let mut group = c.benchmark_group("lines");
    group.bench_function("long", |b| b.iter(|| summed::lines(black_box(1000))));
    group.bench_with_input("short", &10, |b, &n| b.iter(|| summed::lines(black_box(n))));
    group.finish();
}

fn started(c: &mut Criterion) {
    c.bench_function("started", |b| b.iter(|| std::process::Command::new("true").status().unwrap()));
}

criterion_group!(benches, squares, lines, started);
criterion_main!(benches);
"#;

/// Measuring ends as soon as a limit is settled, so the effort only has to suffice on a slow machine.
const BUDGETS: &str = r#"
[settings]
effort = "300 s"
layouts = 8

[budget.squares]
criterion = "squares"
max = { mean = "1.05 x base" }

[budget.lines]
criterion = "lines/*"
max = { mean = "1.05 x base" }

[budget.started]
criterion = "started"
max = { mean = "1000 x base" }
"#;

fn made(name: &str, dependency: &str) -> Crate {
    let made = Made::new(name, "perf_budget::main!(perf_budget::Harness::new());\n", BUDGETS);
    let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut manifest = std::fs::read_to_string(made.path("Cargo.toml")).unwrap();
    let dependency = dependency.replace("LIBRARY", library.to_str().unwrap());
    manifest =
        manifest.replace("[dev-dependencies]\n", &format!("[dev-dependencies]\n{dependency}"));
    made.write("Cargo.toml", &(manifest + &TARGET.replace("NAME", name)));
    made.write("src/lib.rs", LIBRARY);
    made.write(&format!("benches/{name}.rs"), &BENCHES.replace("summed", name));
    made.write(".gitignore", "target\nresults\n");
    // Cargo removes from the lock what the crate does not use, and both revisions have to have the same lock.
    let described =
        made.command(env!("CARGO")).args(["metadata", "--format-version", "1"]).output();
    assert!(described.unwrap().status.success());
    let made = Crate(made);
    made.git(&["init", "-q"]);
    made.commit("one");
    made
}

fn proven(run: &Run, test: &str) -> Option<ComparisonMethod> {
    let outcome = run.outcomes.iter().find(|outcome| outcome.test == test).unwrap();
    outcome.proven.as_ref().map(|proven| proven.by)
}

/// Measures in so many parts, as the jobs of a CI system would. The exit code is that of their records, joined.
fn in_parts(made: &Crate, parts: usize) -> Run {
    let mut all = Run { code: 0, out: String::new(), text: String::new(), outcomes: Vec::new() };
    let record = made.0.path("results/outcomes.jsonl");
    let mut records = Vec::new();
    for part in 1..=parts {
        let _ = std::fs::remove_file(&record);
        let run = made.run(&["check", "--base", "HEAD", "--shard", &format!("{part}/{parts}")]);
        all.text += &run.text;
        all.outcomes.extend(run.outcomes);
        let kept = made.0.path(&format!("results/part-{part}.jsonl"));
        std::fs::copy(&record, &kept).unwrap();
        records.push(kept.to_string_lossy().into_owned());
    }
    let mut tests: Vec<&str> = all.outcomes.iter().map(|outcome| outcome.test.as_str()).collect();
    tests.sort_unstable();
    let want = [
        "lines::benchmarks",
        "lines::lines/long::mean::x_base",
        "lines::lines/short::mean::x_base",
        "squares::mean::x_base",
        "started::mean::x_base",
    ];
    assert_eq!(tests, want, "{}", all.text);
    let merge = records.iter().flat_map(|record| ["--merge", record]);
    let joined = made.run(&["report"].into_iter().chain(merge).collect::<Vec<_>>());
    assert!(joined.text.contains("4 limits of 3 budgets: 3 pass"), "{}", joined.text);
    assert!(joined.text.contains("1 fail"), "{}", joined.text);
    Run { code: joined.code, ..all }
}

/// A fifth more work is less than what layout alone can make of a single link, and is red with several.
fn check(name: &str, dependency: &str, run: &dyn Fn(&Crate) -> Run) -> Crate {
    let made = made(name, dependency);
    let slower = LIBRARY.replace("(0..n * n)", "(0..n * n * 12 / 10)");
    made.0.write("src/lib.rs", &slower);
    let built = made.run(&["check", "--base", "HEAD", "--no-run"]);
    built.is(
        0,
        &["built 4 benchmarks in 1 program of this revision, and 4 benchmarks in 1 program of"],
    );
    assert!(built.outcomes.is_empty(), "{}", built.text);
    let run = run(&made);
    let says = format!(
        "1 function differs in the program `{name}` (`{name}::squares`); a benchmark that reaches none of them"
    );
    run.is(1, &[&says]);
    run.verdict("squares::mean::x_base", Verdict::Fail);
    let red = run.outcomes.iter().find(|o| o.test == "squares::mean::x_base").unwrap();
    let says = |words: &str| red.notes.iter().any(|note| note.contains(words));
    assert!(says("each with a link of either side that no other pair had"), "{:?}", red.notes);
    assert!(says("has its functions in another order"), "{:?}", red.notes);
    for test in ["lines::lines/long::mean::x_base", "lines::lines/short::mean::x_base"] {
        run.verdict(test, Verdict::Pass);
        assert_eq!(proven(&run, test), Some(ComparisonMethod::Reach), "{test}: {}", run.text);
    }
    // A benchmark that starts a process may start one that reaches what differs.
    run.verdict("started::mean::x_base", Verdict::Pass);
    assert_eq!(proven(&run, "started::mean::x_base"), None, "{}", run.text);
    // Nothing is left of the links.
    let built = std::fs::read_dir(shared().join("head/release/deps")).unwrap().flatten();
    let names = built.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let own: Vec<String> = names.filter(|own| own.starts_with(&format!("{name}-"))).collect();
    let is_link = |own: &String| own.contains(".link-");
    assert!(!own.is_empty() && !own.iter().any(is_link), "{own:?}");

    made
}

/// With one link of each side the same difference may be luck.
fn check_with_one_link(made: &Crate) {
    made.0.write("budgets.toml", &BUDGETS.replace("layouts = 8", "layouts = 1"));
    let run = made.run(&["check", "--base", "HEAD", "--", "--exact", "squares::mean::x_base"]);
    run.verdict("squares::mean::x_base", Verdict::Inconclusive);
}

/// The dependency is taken without its default features, and so without the allocator that counts.
fn check_without_allocator(made: &Crate) {
    let budget = "[budget.squares]\ncriterion = \"squares\"\nmax = { allocs = 0 }\n";
    made.0.write("budgets.toml", budget);
    let run = made.run(&["check"]);
    run.verdict("squares::allocs", Verdict::Unmeasured);
    let words = "criterion = { package = \"perf-budget-criterion\", features = [\"heap\"], … }";
    assert!(run.outcomes[0].reason.contains(words), "{}", run.text);
}

/// A saved base has the test binary alone. The programs of benchmarks are built beside it, and all is compared.
fn check_with_saved_base(made: &Crate) {
    let tests = |steps: u32| {
        format!(
            "perf_budget::main!(perf_budget::Harness::new().workload(\"steps\", |run| run.record(\"steps\", {steps}.0)));\n"
        )
    };
    let (settings, budgets) = BUDGETS.split_once("[budget.squares]").unwrap();
    let (_, budgets) = budgets.split_once("[budget.lines]").unwrap();
    let steps = "[budget.steps]\nworkload = \"steps\"\nmax = { steps = \"1.1 x base\" }\n";
    made.0.write("budgets.toml", &format!("{settings}[budget.lines]{budgets}\n{steps}"));
    made.0.write("tests/budgets.rs", &tests(100));
    made.0.write("src/lib.rs", LIBRARY);
    made.commit("a workload");
    made.run(&["save-base", "results/saved"]).is(0, &["saved "]);
    made.0.write("tests/budgets.rs", &tests(105));
    made.0.write("src/lib.rs", &LIBRARY.replace("rotate_left(3)", "rotate_left(4)"));
    let run = made.run(&["check", "--base", "HEAD", "--base-from", "results/saved"]);
    run.is(0, &["taking ", "from results/saved", "building the benchmarks of "]);
    let steps = run.outcomes.iter().find(|o| o.test == "steps::steps::x_base").unwrap();
    assert_eq!(steps.estimate.map(|estimate| estimate.value), Some(1.05), "{}", run.text);
    let long = "lines::lines/long::mean::x_base";
    assert_eq!(proven(&run, long), Some(ComparisonMethod::Reach), "{}", run.text);
    let started = run.outcomes.iter().find(|o| o.test == "started::mean::x_base").unwrap();
    assert!(started.evidence.is_some(), "{}", run.text);
    run.verdict("started::mean::x_base", Verdict::Pass);
}

/// A project without budgets: its first limits are what each benchmark takes now, and one command compares all of them. The
/// results are in cargo's target directory, which is not in the project.
#[test]
fn a_project_without_budgets_is_limited_and_compared() {
    let made = made("firstbench", PLAIN);
    let file = made.0.path("budgets.toml");
    // No budget can have this name.
    let named = "    c.bench_function(\"-5\", |b| b.iter(|| black_box(5)));\n}\n\nfn lines(";
    let text = BENCHES.replace("summed", "firstbench").replacen("}\n\nfn lines(", named, 1);
    made.0.write("benches/firstbench.rs", &text);
    std::fs::remove_file(&file).unwrap();
    made.commit("no budgets");
    let target = tempfile::Builder::new().prefix("budget-target-").tempdir().unwrap();
    let target = target.path().canonicalize().unwrap();
    let results = target.join("budgets");
    // What is built is shared with the other tests.
    let built = [
        (shared().join("harness"), results.join("harness/target")),
        (shared().join("head/release"), target.join("release")),
    ];
    for (built, place) in built {
        std::fs::create_dir_all(&built).unwrap();
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(built, place).unwrap();
    }
    let run = |arguments: &[&str]| {
        let mut command = made.command(arguments);
        command.env_remove("PERF_BUDGET_DIR").env("CARGO_TARGET_DIR", &target);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), text)
    };
    let (code, text) = run(&["init", "--limits"]);
    assert_eq!(code, Some(0), "{text}");
    let budgets = perf_budget_core::budget::load(&file).unwrap();
    let names: Vec<&str> = budgets.budgets.iter().map(|own| own.name.as_str()).collect();
    for want in ["squares", "benchmark_-5", "lines/long", "lines/short", "started"] {
        assert!(names.contains(&want), "{want}: {names:?}\n{text}");
    }

    made.git(&["clean", "-q", "-f", "-d"]);
    made.git(&["checkout", "-q", "."]);
    let (code, text) = run(&["check", "--base", "HEAD", "--benches"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("5 limits of "), "{text}");
    for nested in [results.join("harness/measured/harness"), made.0.path("target/budgets/harness")]
    {
        assert!(!nested.exists(), "{text}");
    }
    let (code, text) = run(&["report"]);
    assert!(code == Some(0) && text.contains("5 limits of "), "{text}");
    let (code, text) = run(&["explain", "benches::squares::mean::x_base"]);
    assert!(code == Some(0) && text.contains("benches::squares"), "{text}");
}

/// Both share a directory of built files, in which one must not replace what the other has linked.
#[test]
fn a_small_difference_of_a_benchmark_is_red_with_several_links() {
    let plain = check("plainbench", PLAIN, &|made| made.run(&["check", "--base", "HEAD"]));
    check_with_one_link(&plain);
    check_with_saved_base(&plain);
    let served = check("servedbench", SERVED, &|made| in_parts(made, 3));
    check_without_allocator(&served);
}
