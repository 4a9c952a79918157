//! A program of benchmarks as users write them, which is measured as a harness measures it.
//!
//! Started without arguments it is the test: it starts itself again for each benchmark.

// Users write `divan`, and so do the attributes.
extern crate perf_budget_divan as divan;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use perf_budget::internals::process::{Build, Request, measure_in};
use perf_budget_core::metric::{Key, Metric, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn two_blocks() -> (Box<u64>, Box<u64>) {
    (Box::new(black_box(1)), Box::new(black_box(2)))
}

#[divan::bench]
fn blocks() -> (Box<u64>, Box<u64>) {
    two_blocks()
}

#[divan::bench(sample_count = 10_000, min_time = 60)]
fn result() -> Result<u32, std::num::ParseIntError> {
    black_box("17").parse()
}

#[divan::bench(args = [10, 100], bytes_count = 64_u32)]
fn sums(n: u64) -> u64 {
    (0..black_box(n)).sum()
}

#[divan::bench(args = ["a", "bc"], counters = [ItemsCount::new(3_u32)])]
fn lengths(bencher: Bencher<'_, '_>, text: &str) {
    bencher.bench(|| black_box(text).len());
}

#[divan::bench(types = [u8, u64], consts = [4, 8])]
fn zeroes<T: Default + Copy, const N: usize>() -> Vec<T> {
    vec![T::default(); N]
}

#[divan::bench(name = "another name")]
fn values(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::new(5_u32))
        .with_inputs(|| vec![1_u8; 64])
        .bench_values(|bytes| bytes.len());
}

#[divan::bench]
fn refs(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| vec![1_u8; 64])
        .input_counter(|bytes: &Vec<u8>| BytesCount::new(bytes.len()))
        .bench_refs(|bytes| bytes.push(2));
}

#[divan::bench]
fn local(bencher: Bencher<'_, '_>) {
    let mut count = 0_u64;
    bencher.bench_local(|| count += 1);
}

#[divan::bench]
fn panics() {
    assert!(black_box(false), "as it was told to");
}

#[divan::bench]
fn nothing(_bencher: Bencher<'_, '_>) {}

#[divan::bench(threads = [1, 2])]
fn shared() -> u64 {
    black_box(7)
}

#[divan::bench]
#[ignore = "to see that it stays so"]
fn ignored() {}

#[divan::bench_group(name = "the group")]
mod group {
    #[divan::bench]
    fn inner() -> u32 {
        divan::black_box(3)
    }
}

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        divan::main();
        return ExitCode::SUCCESS;
    }
    every_form_is_measured();
    what_is_refused_is_named();
    divan_does_all_without_a_harness();
    ExitCode::SUCCESS
}

/// Measures a benchmark in a process of its own.
fn measure(name: &str, metrics: &[Metric]) -> Result<ProcessRun, Unmeasured> {
    let mut build = Build::this()?;
    build.arguments = ["--test", "--exact", "--", name].map(str::to_owned).into();
    let request = Request {
        workload: name.to_owned(),
        params: Vec::new(),
        metrics: metrics.to_vec(),
        load: None,
        slice: Duration::from_millis(5),
        max_operations: 50,
        paired: false,
        injection: None,
        counting: None,
        sampling: None,
        constraint: perf_budget_core::budget::Constraint::default(),
    };
    let scratch: PathBuf =
        std::env::temp_dir().join(format!("perf-budget-divan-{}", std::process::id()));
    let measured = measure_in(&build, &request, &scratch, Duration::from_secs(60));
    let _ = std::fs::remove_dir_all(scratch);
    measured
}

fn times() -> Vec<Metric> {
    vec![Key::Mean.at(Statistic::Mean), Key::Latency.at(Statistic::P50)]
}

fn every_form_is_measured() {
    let one = Work::Operations(1.0);
    for (name, work) in [
        ("served::blocks", one),
        ("served::result", one),
        ("served::sums::100", Work::Bytes(64.0)),
        ("served::lengths::bc", Work::Operations(3.0)),
        ("served::zeroes::u64::8", one),
        ("served::another name", Work::Bytes(5.0)),
        ("served::refs", Work::Bytes(64.0)),
        ("served::local", one),
        ("served::the group::inner", one),
        ("served::shared", one),
    ] {
        let process = measure(name, &times()).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(!process.batches.is_empty() && !process.operations.is_empty(), "{name}");
        assert_eq!(process.work, work, "{name}");
        let is_shared = process.notes.iter().any(|note| note.starts_with("one of 2 threads"));
        assert_eq!(is_shared, name == "served::shared", "{:?}", process.notes);
    }
    for (name, allocs) in
        [("served::blocks", 2.0), ("served::another name", 0.0), ("served::refs", 1.0)]
    {
        let allocations = measure(name, &[Metric::from(Key::Allocs)]).unwrap();
        assert_eq!(allocations.values.get(&Metric::from(Key::Allocs)), Some(&allocs), "{name}");
    }
}

fn what_is_refused_is_named() {
    let check = |name: &str, metrics: &[Metric], cause: Cause, words: &str| {
        let why = measure(name, metrics).unwrap_err();
        assert_eq!(why.cause, cause, "{name}: {why}");
        assert!(why.text.contains(words), "{name}: {why}");
    };
    check("served::panics", &times(), Cause::Panicked, "as it was told to");
    check("served::nothing", &times(), Cause::MeasuredNothing, "measured nothing");
    check("served::missing", &times(), Cause::WorkloadFailed, "the program has no benchmark");
    let allocs = [Metric::from(Key::Allocs)];
    check("served::shared", &allocs, Cause::Unsupported, "runs on 2 threads");
}

fn divan_does_all_without_a_harness() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(arguments).env("NEXTEST", "1").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = run(&["--bench", "--list", "--format", "terse"]);
    for name in
        ["served::blocks", "served::sums::10", "served::zeroes::u8::4", "served::the group::inner"]
    {
        assert!(listed.lines().any(|line| line == format!("{name}: benchmark")), "{listed}");
    }
    assert!(!listed.contains("ignored"), "{listed}");
    let run_once =
        run(&["--bench", "--sample-count", "1", "--sample-size", "1", "--exact", "served::refs"]);
    assert!(run_once.contains("refs"), "{run_once}");
}
