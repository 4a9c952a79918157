//! A program of benchmarks as users write them, which is measured as a harness measures it.
//!
//! Started without arguments it is the test: it starts itself again for each benchmark.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use perf_budget::internals::process::{Build, Request, measure_in};
use perf_budget_core::metric::{Key, Metric, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};
use perf_budget_criterion::async_executor::FuturesExecutor;
use perf_budget_criterion::measurement::{Measurement, ValueFormatter, WallTime};
use perf_budget_criterion::{
    BatchSize, Bencher, BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput,
    black_box, criterion_group,
};

fn two_blocks() -> (Box<u64>, Box<u64>) {
    (Box::new(black_box(1)), Box::new(black_box(2)))
}

fn plain(c: &mut Criterion) {
    c.bench_function("blocks", |b| b.iter(two_blocks));
    c.bench_function("result", |b| b.iter(|| black_box("17").parse::<u32>()));
    c.bench_with_input(BenchmarkId::new("sum", 100), &100_u64, |b, &n| {
        b.iter(|| (0..black_box(n)).sum::<u64>());
    });
    c.bench_function("panics", |b| b.iter(|| assert!(black_box(false), "as it was told to")));
    c.bench_function("nothing", |_| {});
    c.bench_function("twice", |b| {
        b.iter(|| black_box(1));
        b.iter(|| black_box(2));
    });
}

fn grouped(c: &mut Criterion) {
    let mut group: BenchmarkGroup<'_, WallTime> = c.benchmark_group("group");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(600))
        .warm_up_time(Duration::from_secs(60));
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Bytes(1024));
    group.bench_function("batched", |b: &mut Bencher<'_>| {
        b.iter_batched(|| vec![1_u8; 64], |bytes| bytes.len(), BatchSize::SmallInput);
    });
    group.bench_function(String::from("batched_ref"), |b| {
        b.iter_batched_ref(|| vec![1_u8; 64], |bytes| bytes.push(2), BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(7));
    group.bench_with_input(BenchmarkId::from_parameter(3), &3_u64, |b, n| {
        b.iter_with_large_drop(|| vec![0_u8; black_box(*n) as usize]);
    });
    group.bench_function("custom", |b| {
        b.iter_custom(|count| Duration::from_micros(5) * u32::try_from(count).unwrap());
    });
    group.bench_function("async", |b| {
        b.to_async(FuturesExecutor).iter(|| async { drop(two_blocks()) });
    });
    group.bench_function("async_batched", |b| {
        b.to_async(FuturesExecutor).iter_batched_ref(
            || vec![1_u8],
            |bytes| {
                bytes.push(2);
                async { two_blocks() }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A measurement that is not of time.
struct Counting;

impl Measurement for Counting {
    type Intermediate = ();
    type Value = u64;

    fn start(&self) {}

    fn end(&self, (): ()) -> u64 {
        1
    }

    fn add(&self, a: &u64, b: &u64) -> u64 {
        a + b
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, value: &u64) -> f64 {
        *value as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn counting(c: &mut Criterion<Counting>) {
    c.bench_function("counted", |b| b.iter(two_blocks));
}

criterion_group!(all, plain, grouped);
criterion_group!(name = own; config = Criterion::default().with_measurement(Counting); targets = counting);

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        all();
        own();
        perf_budget_criterion::__private::finish();
        return ExitCode::SUCCESS;
    }
    every_method_is_measured();
    what_is_refused_is_named();
    criterion_does_all_without_a_harness();
    ExitCode::SUCCESS
}

fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("perf-budget-criterion-{}", std::process::id()))
}

/// Measures a benchmark in a process of its own.
fn measure(name: &str, metrics: &[Metric]) -> Result<ProcessRun, Unmeasured> {
    let mut build = Build::this()?;
    build.arguments = ["--test", "--exact", "--", name].map(str::to_owned).into();
    let home = Some(scratch().to_string_lossy().into_owned());
    build.environment.insert("CRITERION_HOME".to_owned(), home);
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
    measure_in(&build, &request, &scratch(), Duration::from_secs(60))
}

fn times() -> Vec<Metric> {
    vec![
        Key::Mean.at(Statistic::Mean),
        Key::Latency.at(Statistic::P50),
        Metric::from(Key::Throughput),
    ]
}

fn every_method_is_measured() {
    let bytes = Work::Bytes(1024.0);
    for (name, work) in [
        ("blocks", Work::Operations(1.0)),
        ("result", Work::Operations(1.0)),
        ("sum/100", Work::Operations(1.0)),
        ("group/batched", bytes),
        ("group/batched_ref", bytes),
        ("group/3", Work::Operations(7.0)),
        ("group/custom", Work::Operations(7.0)),
        ("group/async", Work::Operations(7.0)),
        ("group/async_batched", Work::Operations(7.0)),
    ] {
        let process = measure(name, &times()).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(!process.batches.is_empty() && !process.operations.is_empty(), "{name}");
        assert_eq!(process.work, work, "{name}");
    }
    // The time that the benchmark itself reports is taken over exactly.
    let custom = measure("group/custom", &times()).unwrap();
    assert!(
        custom.operations.iter().all(|time| (time - 5e-6).abs() < 1e-12),
        "{:?}",
        custom.operations
    );
    for (name, allocs) in
        [("blocks", 2.0), ("group/batched", 0.0), ("group/3", 1.0), ("group/async", 2.0)]
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
    check("counted", &times(), Cause::Unsupported, "a measurement of its own, `served::Counting`");
    check("panics", &times(), Cause::Panicked, "as it was told to");
    check("nothing", &times(), Cause::MeasuredNothing, "measured nothing");
    check("twice", &times(), Cause::WorkloadFailed, "`iter` was called after `iter`");
    check("missing", &times(), Cause::WorkloadFailed, "the program has no benchmark `missing`");
    let allocs = [Metric::from(Key::Allocs)];
    check(
        "group/custom",
        &allocs,
        Cause::Unsupported,
        "times itself, by `iter_custom`, and so has no `allocs`",
    );
}

fn criterion_does_all_without_a_harness() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(arguments).env("CRITERION_HOME", scratch());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = run(&["--bench", "--list"]);
    for name in ["blocks", "sum/100", "group/3", "counted"] {
        assert!(listed.lines().any(|line| line == format!("{name}: benchmark")), "{listed}");
    }
    assert!(run(&["--test", "--exact", "--", "group/batched"]).contains("Success"));
    run(&["--bench", "--noplot", "--quick", "--exact", "--", "blocks"]);
    let record = scratch().join("blocks/new/sample.json");
    assert!(record.is_file(), "Criterion has written its record");
    std::fs::remove_dir_all(scratch()).unwrap();
}
