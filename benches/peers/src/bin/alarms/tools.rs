//! The tools: how each runs on a base and a head build, and which of its words mean "slower".

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use divan::Bencher;
use perf_budget_core::record;
use perf_budget_core::verdict::Verdict;
use serde_json::Value;

use crate::builds::{Builds, Change, TOOL, WORKLOAD};
use crate::{work, zenbench};

/// How often the program for hyperfine and perfgate does the operation, which takes some tens of milliseconds.
const REPEATS: usize = 400;
/// The threshold of a two-sided test at 5 % for a large sample.
const WELCH: f64 = 1.96;

/// The answers of all rules of one tool, and the seconds that the tool took.
pub(crate) type Answer = (Vec<(&'static str, Change)>, f64);

/// The number of tools.
pub(crate) const TOOLS: usize = 7;

type Tool = fn(&Builds, &str) -> Vec<(&'static str, Change)>;

/// Runs every tool once, in the given order.
pub(crate) fn ask(builds: &Builds, workload: &str, order: &[usize]) -> Vec<Answer> {
    let tools: [Tool; TOOLS] =
        [ours, criterion, tango, hyperfine, divan, perfgate, zenbench::confirm];
    let mut answers = Vec::new();
    for &at in order {
        let begun = Instant::now();
        let changes = tools[at](builds, workload);
        answers.push((changes, begun.elapsed().as_secs_f64()));
    }
    answers
}

/// Runs as the tool that this process was started to be.
pub(crate) fn serve() -> Option<ExitCode> {
    let tool = std::env::var(TOOL).ok()?;
    let workload = std::env::var(WORKLOAD).unwrap_or_default();
    Some(match tool.as_str() {
        "ours" => {
            let named = workload.clone();
            perf_budget::Harness::new()
                .workload(workload, move |run| run.iter(work::operation(&named)))
                .main()
        }
        "criterion" => {
            let mut criterion = criterion::Criterion::default()
                .warm_up_time(Duration::from_millis(500))
                .measurement_time(Duration::from_secs(2))
                .without_plots();
            criterion.bench_function(&workload, |bencher| bencher.iter(work::operation(&workload)));
            ExitCode::SUCCESS
        }
        "tango" => {
            let named = workload.clone();
            let benchmark = tango_bench::benchmark_fn(workload, move |bencher| {
                bencher.iter(work::operation(&named))
            });
            tango_bench::cli::run(vec![benchmark]).unwrap_or(ExitCode::FAILURE)
        }
        "divan" => {
            divan::main();
            ExitCode::SUCCESS
        }
        "rows" => {
            zenbench::print_rows(&workload);
            ExitCode::SUCCESS
        }
        _ => {
            let mut operation = work::operation(&workload);
            for _ in 0..REPEATS {
                std::hint::black_box(operation());
            }
            ExitCode::SUCCESS
        }
    })
}

/// Runs this project, which is red if the head is more than 1 % slower.
fn ours(builds: &Builds, workload: &str) -> Vec<(&'static str, Change)> {
    let results = builds.place.join("results");
    // Evidence is kept for the next run, but each trial must begin without any.
    let _ = std::fs::remove_dir_all(&results);
    let text =
        format!("[budget.b]\nworkload = \"{workload}\"\nmax = {{ mean = \"1.01 x base\" }}\n");
    for build in ["base", "head"] {
        std::fs::write(builds.place.join(build).join("budgets.toml"), &text).expect("written");
    }
    let output = builds
        .build("head", "ours", workload)
        .env("CARGO_MANIFEST_DIR", builds.place.join("head"))
        .env("PERF_BUDGET_DIR", &results)
        .env("PERF_BUDGET_BASE", builds.place.join("base/peer"))
        .env("PERF_BUDGET_BASE_DIR", builds.place.join("base"))
        .env("PERF_BUDGET_MEASURE", "always")
        .stdin(Stdio::null())
        .output()
        .expect("the build starts");
    let record = record::read(&results.join("outcomes.jsonl")).expect("it records its outcome");
    let inconclusive = record.outcomes.iter().any(|o| o.verdict == Verdict::Inconclusive);
    let change = match output.status.code() {
        Some(0) if inconclusive => Change::Unknown,
        Some(0) => Change::Same,
        Some(101) => Change::Slower,
        code => panic!("ours: {code:?}: {}", String::from_utf8_lossy(&output.stderr)),
    };
    vec![("ours, 1.01 x base", change)]
}

/// Runs criterion on the base and then on the head, as a user would, and reads its words about the second.
fn criterion(builds: &Builds, workload: &str) -> Vec<(&'static str, Change)> {
    let home = builds.place.join("criterion");
    let _ = std::fs::remove_dir_all(&home);
    let run = |build| text(builds.build(build, "criterion", workload).env("CRITERION_HOME", &home));
    run("base");
    let printed = run("head");
    let change = if printed.contains("Performance has regressed") {
        Change::Slower
    } else if printed.contains("Performance has improved") {
        Change::Faster
    } else {
        assert!(
            printed.contains("No change") || printed.contains("noise threshold"),
            "criterion: {printed}"
        );
        Change::Same
    };
    vec![("criterion 0.8, 0.5 s + 2 s", change)]
}

/// Runs tango for its default time and for a second, as its page advises. A star marks what it calls significant.
fn tango(builds: &Builds, workload: &str) -> Vec<(&'static str, Change)> {
    let base = builds.place.join("base/peer");
    let run = |time: &[&str]| {
        let mut command = builds.build("head", "tango", workload);
        // Its exit code may be a failure at the end; what it printed before that counts.
        let output = command.arg("compare").arg(&base).args(time).stdin(Stdio::null()).output();
        let output = output.expect("the build starts");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = printed.lines().find(|line| line.contains('%')).unwrap_or_else(|| {
            panic!("tango: {printed} {}", String::from_utf8_lossy(&output.stderr))
        });
        let line = line.trim_end();
        match (line.ends_with('*'), line.contains('+')) {
            (true, true) => Change::Slower,
            (true, false) => Change::Faster,
            (false, _) => Change::Same,
        }
    };
    vec![("tango 0.9", run(&[])), ("tango 0.9, -t 1", run(&["-t", "1"]))]
}

/// Runs hyperfine, and applies two rules: the Welch test of its own script at 5 %, and a difference of the printed means.
fn hyperfine(builds: &Builds, workload: &str) -> Vec<(&'static str, Change)> {
    let Some(hyperfine) = &builds.hyperfine else { return Vec::new() };
    let out = builds.place.join("hyperfine.json");
    let program = |build: &str| builds.place.join(build).join("peer");
    text(
        Command::new(hyperfine)
            .args(["-N", "--style", "none", "--export-json"])
            .arg(&out)
            .arg(program("base"))
            .arg(program("head"))
            .env(TOOL, "program")
            .env(WORKLOAD, workload),
    );
    let report: Value = json(&out);
    let times = |at: usize| -> Vec<f64> {
        let times = report["results"][at]["times"].as_array().expect("it keeps times");
        times.iter().filter_map(Value::as_f64).collect()
    };
    let ((base, base_error), (head, head_error)) = (mean(&times(0)), mean(&times(1)));
    let t = (head - base) / base_error.hypot(head_error);
    vec![
        ("hyperfine 1.x, Welch p < 0.05", beyond(t, WELCH)),
        ("hyperfine 1.x, means by 5 %", beyond(head / base - 1.0, 0.05)),
    ]
}

/// Runs divan, which compares nothing itself, and compares its medians as people do.
fn divan(builds: &Builds, workload: &str) -> Vec<(&'static str, Change)> {
    let median = |build| {
        let printed =
            text(builds.build(build, "divan", workload).args(["--bench", "--color", "never"]));
        let line = printed.lines().rfind(|line| line.matches('│').count() >= 4).expect("a row");
        let cell = line.split('│').nth(2).expect("a median").trim().to_owned();
        let (number, unit) = cell.split_once(' ').expect("a number with its unit");
        let scale = match unit {
            "ns" => 1e-9,
            "µs" => 1e-6,
            "ms" => 1e-3,
            other => panic!("divan's `{other}`"),
        };
        number.parse::<f64>().expect("a number") * scale
    };
    let base = median("base");
    let over = median("head") / base - 1.0;
    vec![
        ("divan 0.1, medians by 2 %", beyond(over, 0.02)),
        ("divan 0.1, medians by 5 %", beyond(over, 0.05)),
    ]
}

#[divan::bench]
fn peer(bencher: Bencher<'_, '_>) {
    bencher.bench_local(work::operation(&std::env::var(WORKLOAD).expect("somebody asks")));
}

/// Runs perfgate in its paired mode, in which "slower" is `significant` and a larger mean.
fn perfgate(builds: &Builds, workload: &str) -> Vec<(&'static str, Change)> {
    let Some(program) = &builds.perfgate else { return Vec::new() };
    let run = |repeat: &[&str]| {
        let out = builds.place.join("perfgate.json");
        let peer = |build: &str| builds.place.join(build).join("peer").display().to_string();
        text(
            Command::new(program)
                .args([
                    "paired",
                    "--name",
                    workload,
                    "--baseline",
                    &peer("base"),
                    "--current",
                    &peer("head"),
                ])
                .args(["--significance-alpha", "0.05"])
                .args(repeat)
                .arg("--out")
                .arg(&out)
                .env(TOOL, "program")
                .env(WORKLOAD, workload),
        );
        let report = json(&out);
        let wall = &report["stats"]["wall_diff_ms"];
        let (significant, mean) = (&wall["significance"]["significant"], &wall["mean"]);
        let (Some(significant), Some(mean)) = (significant.as_bool(), mean.as_f64()) else {
            panic!("perfgate says nothing of significance: {report}");
        };
        if significant { beyond(mean, 0.0) } else { Change::Same }
    };
    vec![
        ("perfgate 0.18 paired", run(&[])),
        ("perfgate 0.18 paired, n = 10", run(&["--repeat", "10"])),
    ]
}

/// Returns the mean and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn beyond(value: f64, limit: f64) -> Change {
    match value {
        over if over > limit => Change::Slower,
        under if under < -limit => Change::Faster,
        _ => Change::Same,
    }
}

fn text(command: &mut Command) -> String {
    let output =
        command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{printed}\n{error}");
    printed
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
