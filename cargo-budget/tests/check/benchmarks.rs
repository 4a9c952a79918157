//! Tests of benchmarks of Criterion and Divan whose library is replaced by one line of `Cargo.toml`: they are built,
//! listed, measured and judged as workloads are, and a program that has no benchmarks is red.

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::made::Made;
use crate::{Crate, Run};

/// The crate is built without optimisation. The name of the package is the only one in the shared target directory.
const MANIFEST: &str = r#"
[dev-dependencies.criterion]
package = "perf-budget-criterion"
path = "LIBRARY/adapters/criterion"
default-features = false
features = ["cargo_bench_support", "heap"]

[dev-dependencies.divan]
package = "perf-budget-divan"
path = "LIBRARY/adapters/divan"
default-features = false

[lib]
bench = false

[profile.release]
opt-level = 0

# In each process Divan measures how long fifteen million steps of its own take.
[profile.release.package.divan]
opt-level = 2
"#;

/// How each bench target is declared.
const TARGET: &str = "\n[[bench]]\nname = \"NAME\"\nharness = false\n";

const LIBRARY: &str = r"//! Sums.

/// Makes a list, and so allocates once.
pub fn listed(n: u64) -> Vec<u64> {
    (0..n).collect()
}
";

const CRITERION: &str = r#"
use criterion::{BenchmarkId, Criterion, Throughput, black_box, criterion_group, criterion_main};

fn lists(c: &mut Criterion) {
    let mut group = c.benchmark_group("lists");
    for n in [10, 1000] {
        group.throughput(Throughput::Elements(n));
        group.bench_with_input(BenchmarkId::new("listed", n), &n, |b, &n| {
            b.iter(|| served::listed(black_box(n)));
        });
    }
    group.finish();
}

criterion_group!(benches, lists);
criterion_main!(benches);
"#;

const DIVAN: &str = r"
#[global_allocator]
static ALLOC: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = [10, 1000])]
fn listed(n: u64) -> Vec<u64> {
    served::listed(n)
}
";

/// Measuring ends as soon as a limit is settled, so the effort only has to suffice on a slow machine.
const BUDGETS: &str = r#"
[settings]
effort = "120 s"
layouts = 1

[budget.criterion]
criterion = "*"
max = { p50 = "1 s", p99 = "1 s", allocs = 1 }
min = { throughput = "1 op/s" }

[budget.divan]
divan = "*"
max = { p50 = "1 s", p99 = "1 s", allocs = 1 }

[budget.large]
criterion = "lists/listed/1000"
max = { p50 = "100 x base", alloc_bytes = "8 KB" }

[budget.table]
divan = "tables::listed::1000"
max = { p50 = "0.1 x base", allocs = "1 x base" }
"#;

/// Benchmarks that do not do what they should.
const FAULTS: &str = r#"
use criterion::{Criterion, black_box, criterion_group, criterion_main};

fn faults(c: &mut Criterion) {
    c.bench_function("panics", |b| b.iter(|| assert!(black_box(false), "as it was told to")));
    c.bench_function("ends", |_| std::process::exit(0));
    c.bench_function("hangs", |b| b.iter(|| std::thread::sleep(std::time::Duration::from_secs(600))));
    c.bench_function("nothing", |_| {});
}

criterion_group!(benches, faults);
criterion_main!(benches);
"#;

/// A program that runs a benchmark, and reads no arguments.
const DEAF: &str = r#"
fn main() {
    let short = std::time::Duration::from_millis(10);
    let criterion = criterion::Criterion::default().warm_up_time(short).measurement_time(short);
    criterion.without_plots().bench_function("deaf", |b| b.iter(|| 1));
}
"#;

/// A program without an allocator that counts.
const BARE: &str = r"
fn main() {
    divan::main();
}

#[divan::bench]
fn listed() -> Vec<u64> {
    served::listed(10)
}
";

const FAULTY: &str = r#"
[budget.panics]
criterion = "panics"
max = { p50 = "1 s" }

[budget.ends]
criterion = "ends"
max = { p50 = "1 s" }

[budget.hangs]
criterion = "hangs"
max = { p50 = "1000 s" }
timeout = "2 s"

[budget.nothing]
criterion = "nothing"
max = { p50 = "1 s" }

[budget.bare]
divan = "bare::listed"
max = { allocs = 1 }

[budget.missing]
criterion = "missing"
max = { p50 = "1 s" }

[budget.all]
criterion = "*"
max = { allocs = "1 x base" }
"#;

impl Crate {
    /// Makes a crate of its own with these bench targets.
    pub(crate) fn with_benches(name: &str, budgets: &str, benches: &[(&str, &str)]) -> Crate {
        let made = Made::new(name, "perf_budget::main!(perf_budget::Harness::new());\n", budgets);
        let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut manifest = std::fs::read_to_string(made.path("Cargo.toml")).unwrap();
        manifest += &MANIFEST.replace("LIBRARY", library.to_str().unwrap());
        for (target, source) in benches {
            manifest += &TARGET.replace("NAME", target);
            made.write(&format!("benches/{target}.rs"), &source.replace("served", name));
        }
        made.write("Cargo.toml", &manifest);
        made.write("src/lib.rs", LIBRARY);
        made.write(".gitignore", "target\nresults\n");
        let made = Crate(made);
        made.git(&["init", "-q"]);
        made.commit("one");
        made
    }
}

#[track_caller]
fn outcome<'a>(run: &'a Run, test: &str) -> &'a Outcome {
    let found = run.outcomes.iter().find(|outcome| outcome.test == test);
    found.unwrap_or_else(|| panic!("{test} was not run: {}", run.text))
}

#[test]
fn benchmarks_have_every_metric_of_a_workload() {
    let benches = [("lists", CRITERION), ("tables", DIVAN)];
    let made = Crate::with_benches("served", BUDGETS, &benches);
    let run = made.run(&["check"]);
    run.is(0, &["17 pass", "3 skipped"]);
    for test in ["criterion::lists/listed/10", "divan::tables.listed.1000"] {
        let allocs = outcome(&run, &format!("{test}::allocs"));
        assert_eq!(allocs.estimate.map(|estimate| estimate.value), Some(1.0), "{allocs:?}");
    }

    // Twice as many bytes, in one allocation more.
    let twice = LIBRARY.replace(
        "(0..n).collect()",
        "let first: Vec<u64> = (0..n).collect();\n    first.iter().map(|x| x + 1).collect()",
    );
    made.0.write("src/lib.rs", &twice);
    let run = made.run(&["check", "--base", "HEAD"]);
    run.is(
        1,
        &["alloc_bytes is 16 KB, over the limit of 8 KB", "allocs is 2, over the limit of 1"],
    );
    run.is(1, &["allocs is 2 x base, over the limit of 1 x base", "over the limit of 0.1 x base"]);
    for (test, verdict) in [
        ("criterion::lists/listed/1000::p99", Verdict::Pass),
        ("divan::tables.listed.10::p99", Verdict::Pass),
        ("large::p50::x_base", Verdict::Pass),
        ("criterion::lists/listed/1000::allocs", Verdict::Fail),
        ("divan::tables.listed.10::allocs", Verdict::Fail),
        ("table::p50::x_base", Verdict::Fail),
    ] {
        run.verdict(test, verdict);
    }
    let pairs = outcome(&run, "table::p50::x_base");
    let served = "measured as a workload, by perf-budget-divan";
    assert!(pairs.notes.iter().any(|note| note == served), "{:?}", pairs.notes);
}

#[test]
fn a_program_that_misbehaves_is_red() {
    let benches = [
        ("faults", FAULTS),
        ("deaf", DEAF),
        ("bare", BARE),
        ("stray", "fn main() {}\n"),
        // Cargo starts nothing more once one has failed.
        ("broken", "fn main() { does not compile }\n"),
    ];
    let made = Crate::with_benches("misbehaving", FAULTY, &benches);
    let run = made.run(&["check"]);
    // Nothing was measured.
    run.is(3, &[]);
    for (test, cause, words) in [
        ("panics::p50", "panicked", "benchmark `panics` panicked at benches/faults.rs"),
        ("ends::p50", "exited-early", "benchmark `ends` exited with success before it reported"),
        ("hangs::p50", "timed-out", "benchmark `hangs` did not end within 2s and was killed"),
        ("nothing::p50", "measured-nothing", "it called no method of its bencher"),
        (
            "bare::allocs",
            "unsupported",
            "divan = { package = \"perf-budget-divan\", features = [\"heap\"], … }",
        ),
        ("missing::p50", "exited-badly", "no benchmark `missing` was found"),
        ("all::benchmarks", "exited-badly", "and left out `broken`; failed to list"),
        ("all::benchmarks", "exited-badly", "must call `configure_from_args`"),
    ] {
        run.verdict(test, Verdict::Unmeasured);
        let found = outcome(&run, test);
        assert_eq!(found.cause.as_deref(), Some(cause), "{}", found.reason);
        assert!(found.reason.contains(words), "{}", found.reason);
    }
}
