//! Tests of `cargo budget explain --profile`: it says what runs in one operation, whatever its verdict, alone and
//! against another revision. And tests of the functions that a red names where there is no Valgrind.

use crate::{BUDGETS, Crate, Run, schemas};

const WORK: &str = r#"
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("steps", |run| {
            run.iter(|| walk(profiled::STEPS as u64))
        })
        .workload("places", |run| run.iter(|| (often(), rarely(), zeroed(), grows(), waits())))
        .main()
}

#[inline(never)]
fn often() -> usize {
    (0..90_u64).map(|n| std::hint::black_box(Box::new([n, n, n])).len()).sum()
}

#[inline(never)]
fn rarely() -> Vec<u8> {
    Vec::with_capacity(1_000_003)
}

#[inline(never)]
fn zeroed() -> Vec<u32> {
    vec![0; std::hint::black_box(77)]
}

/// Grows to 4, 8, 16, 32 and 64 numbers.
#[inline(never)]
fn grows() -> Vec<u64> {
    let mut numbers = Vec::new();
    for n in 0..std::hint::black_box(50) {
        numbers.push(n);
    }
    numbers
}

/// Allocates 4096 bytes in a function that is inlined into this one.
#[inline(never)]
fn waits() -> Box<[u8; 4096]> {
    let make = || Box::new([std::hint::black_box(7); 4096]);
    make()
}

#[inline(never)]
fn walk(steps: u64) -> u64 {
    scan(steps)
}

#[inline(always)]
fn scan(steps: u64) -> u64 {
    (0..steps).map(std::hint::black_box).sum::<u64>()
}
"#;

/// The message where inlined functions are not known.
const UNKNOWN: &str =
    "inlined functions are counted in their callers: with `debug = \"line-tables-only\"`";

fn programs() -> impl Iterator<Item = std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> =
        std::env::split_paths(&path).filter_map(|at| at.read_dir().ok()).collect();
    folders.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path())
}

fn has_valgrind() -> bool {
    cfg!(target_os = "linux") && programs().any(|program| program.ends_with("valgrind"))
}

/// Runs the command where no Valgrind is found.
#[cfg(target_os = "linux")]
fn without_valgrind(crates: &Crate, arguments: &[&str]) -> Run {
    let hidden = crates.0.path("results/programs");
    std::fs::create_dir_all(&hidden).unwrap();
    for program in programs().filter(|program| !program.ends_with("valgrind")) {
        // If two programs have the same name, the first one is found.
        let _ = std::os::unix::fs::symlink(&program, hidden.join(program.file_name().unwrap()));
    }
    let output = crates.command(arguments).env("PATH", &hidden).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        code: output.status.code().unwrap(),
        out: text(&output.stdout),
        text: text(&output.stdout) + &text(&output.stderr),
        outcomes: Vec::new(),
    }
}

/// Samples name the function that takes nearly all of the time, on demand.
#[cfg(target_os = "linux")]
fn samples_name_what_grew(crates: &Crate) {
    let explained = ["explain", "steps", "--profile"];
    let run = without_valgrind(crates, &explained);
    run.is(0, &[" now, by ", " samples in ", "% budgets::walk  (90 % interval", UNKNOWN]);
    let run = without_valgrind(crates, &[&explained[..], &["--base", "HEAD~1"]].concat());
    run.is(0, &["samples", " budgets::walk  (90 % interval +", "install Valgrind"]);
    // Neither side was profiled, and both were measured.
    assert!(
        !run.text.contains("the base was not") && !run.text.contains("the base: "),
        "{}",
        run.text
    );
}

/// They name it in the report of a red test, too. Fifty times as many steps are red on a machine of any speed.
#[cfg(target_os = "linux")]
fn samples_name_what_is_red(crates: &Crate) {
    let red = ["check", "--base", "HEAD~1", "--", "--exact", "steps::p50::x_base"];
    let named = ["steps::p50::x_base by samples:\n", " budgets::walk  (90 % interval +"];
    without_valgrind(crates, &red).is(1, &named);
    // The report has the names from the record, and the stacks are gone.
    crates.run(&["report"]).is(1, &[named[1], "install Valgrind"]);
    let left = std::fs::read_dir(crates.0.path("results/samples")).into_iter().flatten();
    let left: Vec<_> = left.flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_green_budget_is_profiled_alone_and_against_another_revision() {
    let crates = Crate::new("profiled");
    crates.0.write("tests/budgets.rs", WORK);
    let budgets = BUDGETS.replace(
        "max = { steps = [1000, \"1.1 x base\"] }",
        "max = { p50 = [\"1 h\", \"2 x base\"] }",
    );
    let places = "[budget.places]\nworkload = \"places\"\nmax = { alloc_bytes = \"2 MB\" }\n";
    // One link of each side: nothing here is about layout.
    let budgets = budgets.replace("[settings]\n", "[settings]\nlayouts = 1\n");
    crates.0.write("budgets.toml", &format!("{budgets}\n{places}"));
    crates.commit("a workload");
    crates.steps(5000);
    crates.commit("more steps");
    // In the profile that is the default.
    crates.run(&["check"]).is(0, &[]);
    crates.run(&["explain", "none", "--profile"]).is(2, &["has no budget `none`"]);
    let without = ["explain", "steps", "--format", "json"];
    crates.run(&without).is(0, &["\"limits\""]);
    crates.run(&[&without[..], &["--accepted"]].concat()).is(2, &["no value of `steps`"]);
    crates.run(&["explain", "source", "--profile"]).is(3, &["not profiled", "is another"]);
    #[cfg(target_os = "linux")]
    samples_name_what_grew(&crates);
    if !cfg!(target_os = "linux") {
        // Elsewhere the reason says what to do.
        crates
            .run(&["explain", "steps", "--profile"])
            .is(3, &["not profiled: ", "install Valgrind", "no samples"]);
    }
    if has_valgrind() {
        instructions_name_what_grew(&crates);
        bytes_are_those_of_their_places(&crates);
    }
    #[cfg(target_os = "linux")]
    {
        samples_name_what_is_red(&crates);
        inlined_functions_are_named(&crates);
        a_stripped_program_is_said_to_be_one(&crates);
    }
}

/// With line tables, the function is named that was inlined into the one that is there.
#[cfg(target_os = "linux")]
fn inlined_functions_are_named(crates: &Crate) {
    with_profile(crates, "debug = \"line-tables-only\"");
    let profile = ["explain", "steps", "--profile", "--base", "HEAD~1"];
    if has_valgrind() {
        let run = crates.run(&profile);
        run.is(0, &[" instructions (+", " budgets::scan"]);
        assert!(!run.text.contains("budgets::walk") && !run.text.contains(UNKNOWN), "{}", run.text);
        // The counts of a red are kept by the tests, and named by the command.
        let red = ["check", "--base", "HEAD~1", "--", "--exact", "steps::p50::x_base"];
        let said = "`cargo budget report` names them";
        crates
            .run(&red)
            .is(1, &[said, "steps::p50::x_base with inlined functions:", " budgets::scan"]);
        let left = std::fs::read_dir(crates.0.path("results/samples")).unwrap();
        assert_eq!(left.count(), 0);
        let report = crates.run(&["report"]);
        report.is(1, &[" budgets::scan"]);
        assert!(!report.text.contains(said), "{}", report.text);
    }
    let run = without_valgrind(crates, &profile);
    run.is(0, &[" budgets::scan  (90 % interval +"]);
    assert!(!run.text.contains(UNKNOWN), "{}", run.text);
}

/// Without symbols no function is named, and the message has the reason and the remedy.
#[cfg(target_os = "linux")]
fn a_stripped_program_is_said_to_be_one(crates: &Crate) {
    let manifest = std::fs::read_to_string(crates.0.path("Cargo.toml")).unwrap();
    crates.0.write("Cargo.toml", &manifest.replace("debug = \"line-tables-only\"", "strip = true"));
    let said = ["functions without a name: the binary is stripped", "`strip = false`"];
    let explained = ["explain", "steps", "--profile"];
    let check = |run: &Run| {
        run.is(0, &said);
        assert!(!run.text.contains(" 0x") && !run.text.contains(UNKNOWN), "{}", run.text);
    };
    check(&without_valgrind(crates, &explained));
    if has_valgrind() {
        check(&crates.run(&explained));
    }
}

/// Commits another profile of this crate alone, and after it twice as many steps as a limit allows.
#[cfg(target_os = "linux")]
fn with_profile(crates: &Crate, line: &str) {
    let manifest = std::fs::read_to_string(crates.0.path("Cargo.toml")).unwrap();
    let profile = format!("{manifest}\n[profile.release.package.profiled]\n{line}\n");
    crates.0.write("Cargo.toml", &profile);
    crates.steps(5000);
    crates.commit("a profile");
    crates.steps(250_000);
    crates.commit("many more steps");
}

fn instructions_name_what_grew(crates: &Crate) {
    let run = crates.run(&["explain", "steps", "--profile"]);
    run.is(0, &["compared with none", "instructions now, by callgrind", UNKNOWN]);
    let run = crates.run(&["explain", "steps", "--profile", "--base", "HEAD~1"]);
    run.is(0, &["against ", " instructions (+", " budgets::walk"]);
    let json =
        crates.run(&["explain", "steps", "--profile", "--base", "HEAD~1", "--format", "json"]);
    json.is(0, &["\"profiles\"", "\"frames\""]);
    schemas::holds("profile", &json.json());
}

/// The bytes of each place are exact in a release build, and add up to what the metric says.
fn bytes_are_those_of_their_places(crates: &Crate) {
    let explained = crates.run(&["explain", "places", "--profile", "--format", "json"]);
    explained.is(0, &["\"sites\""]);
    let blame = &explained.json()["profiles"][0]["blame"];
    let sites = blame["sites"].as_array().unwrap();
    let mut bytes: Vec<_> = sites
        .iter()
        .map(|site| {
            let of = |what: &str| site[what]["now"].as_f64().unwrap();
            (site["name"].as_str().unwrap(), of("allocations"), of("bytes"))
        })
        .collect();
    bytes.sort_by(|a, b| a.0.cmp(b.0));
    let grown = 8.0 * f64::from(4 + 8 + 16 + 32 + 64);
    let expected = [
        ("budgets::grows", 5.0, grown),
        ("budgets::often", 90.0, 90.0 * 24.0),
        ("budgets::rarely", 1.0, 1_000_003.0),
        ("budgets::waits", 1.0, 4096.0),
        ("budgets::zeroed", 1.0, 308.0),
    ];
    assert_eq!(bytes, expected, "{}", explained.text);
    let whole: f64 = expected.iter().map(|place| place.2).sum();
    assert_eq!(blame["allocated"]["now"].as_f64(), Some(whole));
    let outcomes = crates.outcomes();
    let judged = outcomes.iter().find(|outcome| outcome.test == "places::alloc_bytes").unwrap();
    assert_eq!(judged.estimate.map(|estimate| estimate.value), Some(whole));
}
