//! The measurements of criterion and divan, each in a process of its own, with as much time as ours.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use divan::Bencher;

use crate::{Row, subjects};

/// The variable that tells a process which tool it is.
pub(crate) const VARIABLE: &str = "PEER";
/// The start of the line in which a process reports the processor time of an operation.
const SPENT: &str = "spent ";

/// Runs as the tool.
pub(crate) fn serve(tool: &str) {
    match tool {
        "criterion" => serve_criterion(),
        _ => divan::main(),
    }
}

#[expect(clippy::print_stdout, reason = "the parent process reads it")]
fn tell() {
    println!("\n{SPENT}{}", subjects::spent());
}

fn serve_criterion() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(250))
        .measurement_time(Duration::from_millis(500))
        .without_plots();
    let subject = std::env::var("SUBJECT").unwrap_or_default();
    let numbers = subjects::numbers();
    criterion.bench_function(&subject, |bencher| match subject.as_str() {
        "empty" => bencher.iter(subjects::empty),
        "hash" => bencher.iter(subjects::hash),
        _ => bencher.iter_batched(|| numbers.clone(), subjects::sort, BatchSize::SmallInput),
    });
    tell();
}

#[divan::bench]
fn empty(bencher: Bencher<'_, '_>) {
    bencher.bench(subjects::empty);
    tell();
}

#[divan::bench]
fn hash(bencher: Bencher<'_, '_>) {
    bencher.bench(subjects::hash);
    tell();
}

#[divan::bench]
fn sort(bencher: Bencher<'_, '_>) {
    let numbers = subjects::numbers();
    bencher.with_inputs(|| numbers.clone()).bench_values(subjects::sort);
    tell();
}

pub(crate) fn criterion(subject: &str) -> Row {
    let home = std::env::temp_dir().join("perf-budget-peers-criterion");
    let output = run(Command::new(binary())
        .env(VARIABLE, "criterion")
        .env("SUBJECT", subject)
        .env("CRITERION_HOME", &home));
    let path = home.join(subject).join("new/estimates.json");
    let text = std::fs::read(path).expect("criterion keeps its estimates");
    let estimates: serde_json::Value = serde_json::from_slice(&text).expect("they are JSON");
    let reported = estimates["median"]["point_estimate"].as_f64().expect("with a median");
    Row { reported, spent: spent(&output) }
}

/// Runs divan with samples of the size that it chooses itself.
pub(crate) fn divan(subject: &str) -> Row {
    divan_with(subject, &["--min-time", "0.5", "--sample-count", "1000"])
}

/// Runs divan with every operation as a sample.
pub(crate) fn divan_singles(subject: &str) -> Row {
    let count = if subject == "sort" { "50000" } else { "1000000" };
    divan_with(subject, &["--sample-size", "1", "--sample-count", count])
}

fn divan_with(subject: &str, options: &[&str]) -> Row {
    let mut command = Command::new(binary());
    command.env(VARIABLE, "divan").args(options).args(["--bench", "--color", "never", "--exact"]);
    let output = run(command.arg(format!("peers::theirs::{subject}")));
    // name  fastest │ slowest │ median │ mean │ samples │ iters
    let median = output
        .lines()
        .filter(|line| line.matches('│').count() >= 4)
        .filter_map(|line| nanoseconds(line.split('│').nth(2)?))
        .next_back()
        .unwrap_or_else(|| panic!("divan printed no median:\n{output}"));
    Row { reported: median, spent: spent(&output) }
}

fn nanoseconds(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let scale = match unit {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * scale)
}

fn binary() -> impl AsRef<std::ffi::OsStr> + AsRef<Path> {
    std::env::current_exe().expect("this binary is there")
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("this binary starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{text}\n{stderr}");
    text
}

fn spent(output: &str) -> f64 {
    let line = output.lines().rfind(|line| line.starts_with(SPENT));
    let line = line.unwrap_or_else(|| panic!("nobody said how much was spent:\n{output}"));
    line[SPENT.len()..].trim().parse().expect("a number of nanoseconds")
}
