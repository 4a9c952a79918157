//! How long the command takes on much data: `report` over a record of 64 MB, `trend` over 2000 runs of a test, and `trend`
//! over all tests of a history. Run it by `cargo bench -p cargo-budget --bench speed`; docs/much-data.md has the figures.
//!
//! Nothing is asserted, since the figures are those of the machine. Each is the median of several runs, with the shortest
//! one beside it, which other work on the machine lengthens the least.

#![expect(clippy::print_stdout, reason = "the figures are the purpose of the bench")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// The size of the record.
const BYTES: usize = 64 * 1024 * 1024;
/// The limits of one run in it: those of the sample, so many times.
const COPIES: usize = 28;
/// The runs of one test in the history, and the tests.
const RUNS: u32 = 2000;
const TESTS: u32 = 100;
/// How often each command is run.
const ROUNDS: usize = 7;

fn main() {
    let directory = tempfile::Builder::new().prefix("budget-speed-").tempdir().unwrap();
    let record = directory.path().join("outcomes.jsonl");
    let lines = write_record(&record);
    println!("a record of {lines} outcomes in {} MB:", BYTES / 1024 / 1024);
    let record = record.to_str().unwrap();
    for format in ["terminal", "markdown", "html", "json"] {
        let page = directory.path().join("page");
        let page = page.to_str().unwrap();
        let arguments = ["report", "--input", record, "--format", format, "--output", page];
        measure(&format!("report --format {format}"), directory.path(), &arguments, 1);
    }
    let history = directory.path().join("history.sqlite");
    write_history(directory.path(), &history);
    println!("a history of {TESTS} tests with {RUNS} runs each:");
    let history = history.to_str().unwrap();
    for (name, last) in
        [("level", "2000"), ("stepped", "2000"), ("drifting", "2000"), ("stepped", "300")]
    {
        let arguments = ["trend", name, "--db", history, "--last", last];
        measure(&format!("trend {name} --last {last}"), directory.path(), &arguments, 0);
    }
    measure("trend", directory.path(), &["trend", "--db", history, "--environment", "Abacus"], 0);
}

/// Runs the command several times, and prints how long it took.
fn measure(what: &str, directory: &Path, arguments: &[&str], code: i32) {
    let mut taken: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let since = Instant::now();
            let ended = command(directory, arguments).stdout(Stdio::null()).status().unwrap();
            let took = since.elapsed();
            assert_eq!(ended.code(), Some(code), "{what}");
            took
        })
        .collect();
    taken.sort();
    let (least, median) = (taken[0].as_secs_f64() * 1e3, taken[ROUNDS / 2].as_secs_f64() * 1e3);
    println!("  {what:<32} {median:6.0} ms, at least {least:.0} ms");
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
    command.current_dir(directory).arg("budget").args(arguments).arg("--quiet");
    command.stderr(Stdio::null());
    command
}

/// Writes a record of many runs of the sample, and returns the number of its lines.
fn write_record(path: &Path) -> usize {
    let sample = include_str!("../../tests/report/compared.jsonl");
    let last = sample.lines().last().and_then(run_id).unwrap();
    let sample: Vec<&str> = sample.lines().filter(|line| run_id(line) == Some(last)).collect();
    let mut file = BufWriter::new(File::create(path).unwrap());
    let (mut bytes, mut lines) = (0, 0);
    for run in 0.. {
        for copy in 0..COPIES {
            for line in &sample {
                let line = line.replace(last, &format!("run-{run}"));
                let line = line.replacen("{\"test\": \"", &format!("{{\"test\": \"c{copy}-"), 1);
                let line = line.replacen("\"budget\": \"", &format!("\"budget\": \"c{copy}-"), 1);
                writeln!(file, "{line}").unwrap();
                bytes += line.len() + 1;
                lines += 1;
            }
        }
        if bytes >= BYTES {
            break;
        }
    }
    lines
}

/// Returns the name of the run of an outcome.
fn run_id(line: &str) -> Option<&str> {
    line.split_once("\"run\": {\"id\": \"")?.1.split('"').next()
}

/// Makes a history: one recorded outcome creates its schema, and the rest is inserted.
fn write_history(directory: &Path, history: &Path) {
    std::fs::write(
        directory.join("budgets.toml"),
        "[budget.merge]\nworkload = \"merge\"\nmax = { p99 = \"1 s\" }\n",
    )
    .unwrap();
    let results = directory.join("target/budgets");
    std::fs::create_dir_all(&results).unwrap();
    let sample = include_str!("../../tests/report/compared.jsonl");
    let line =
        sample.lines().next().unwrap().replace("\"package\": \"textkit\"", "\"package\": \"\"");
    std::fs::write(results.join("outcomes.jsonl"), line + "\n").unwrap();
    let commit = "0".repeat(40);
    let db = history.to_str().unwrap();
    let recorded = ["history", "record", "--db", db, "--commit", &commit, "--branch", "main"];
    assert!(command(directory, &recorded).status().unwrap().success(), "the history is created");
    let mut connection = Connection::open(history).unwrap();
    let all = connection.transaction().unwrap();
    insert(&all);
    all.commit().unwrap();
}

/// Inserts the runs, and the outcomes of each test.
fn insert(all: &Connection) {
    let mut run_row = all
        .prepare(
            "INSERT INTO budget_runs (run, id, began, commit_id, committed, dirty, branch, environment, version) \
             VALUES (?1, ?2, ?3, ?4, ?3, 0, 'main', 'Abacus', '0.1.0')",
        )
        .unwrap();
    let mut series_row = all
        .prepare(
            "INSERT INTO budget_series (series, test, budget, case_name, metric, unit, environment, branch) \
             VALUES (?1, ?2, ?3, '', 'p99', 's', 'Abacus', 'main')",
        )
        .unwrap();
    let mut outcome_row = all
        .prepare(
            "INSERT INTO budget_outcomes (series, run, at, verdict, reason, value, low, high, exact, bound, limit_value) \
             VALUES (?1, ?2, ?3, 'pass', 'held', ?4, NULL, NULL, 0, 'max', 0.002)",
        )
        .unwrap();
    let at = |run: u32| 1_700_000_000 + 3600 * run;
    for run in 0..RUNS {
        run_row.execute((run, format!("r{run}"), at(run), format!("{run:040x}"))).unwrap();
    }
    let mut noise = Noise(1);
    for test in 0..TESTS {
        let budget = match test {
            0 => "level".to_owned(),
            1 => "stepped".to_owned(),
            2 => "drifting".to_owned(),
            n => format!("budget{n}"),
        };
        series_row.execute((test, format!("{budget}::p99"), &budget)).unwrap();
        for run in 0..RUNS {
            let step = if test == 1 { f64::from(run / 400) * 0.04 } else { 0.0 };
            let drift = if test == 2 { f64::from(run) * 0.000_05 } else { 0.0 };
            let value = 0.001 * (1.0 + step + drift) * (1.0 + 0.02 * noise.next());
            outcome_row.execute((test, run, at(run), value)).unwrap();
        }
    }
}

/// A seeded source of roughly normal noise: the sum of uniform numbers by xorshift64* (Vigna 2016).
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
