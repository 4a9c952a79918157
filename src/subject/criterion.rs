//! What Criterion recorded of a benchmark: `GROUP/FUNCTION/VALUE/new/` with `benchmark.json` and
//! `sample.json`.
//!
//! The only meter that measures nothing: what it reads is of one process, of some time ago, and perhaps of
//! other code. Directories are named after what benchmarks are called, shortened and made safe for file
//! systems, so that a benchmark is found by the name in its `benchmark.json` instead.

mod fresh;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};

use perf_budget_core::budget::spelling;
use perf_budget_core::exact;
use perf_budget_core::metric::Key;
use perf_budget_core::quantity::Unit;

/// Criterion takes no fewer samples, but for `--quick`, which takes two and may make up the second.
const FEWEST: usize = 10;
/// Group, function and value: how deep a benchmark's directory is at the most.
const DEPTH: usize = 3;
/// Names that are listed where one is not there.
const LISTED: usize = 8;
/// What every outcome says.
const NOTE: &str = "one process, as Criterion measures: what varies between processes is not in the \
                    interval, and no error rate is known";

/// Where records are, and what they must not be older than.
pub(crate) struct Place {
    /// Criterion's directory.
    pub(crate) home: PathBuf,
    /// A directory of the package whose benchmarks they are.
    pub(crate) package: PathBuf,
}

#[derive(Deserialize)]
struct WireBenchmark {
    full_id: String,
    throughput: Option<WireThroughput>,
}

/// What one iteration counts for.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum WireThroughput {
    Bits(u64),
    Bytes(u64),
    BytesDecimal(u64),
    Elements(u64),
    ElementsAndBytes { elements: u64, bytes: u64 },
}

/// JSON has no NaN: it is written as `null`.
#[derive(Deserialize)]
struct WireSample {
    /// Iterations of each batch.
    iters: Vec<Option<f64>>,
    /// Nanoseconds that each batch took.
    times: Vec<Option<f64>>,
}

/// What is recorded of the benchmark `name`, as one process whose batches are its samples. `rate` is the unit
/// of the limit on its throughput, where there is one.
pub(crate) fn read(
    name: &str,
    rate: Option<Unit>,
    place: &Place,
) -> Result<ProcessRun, Unmeasured> {
    let (directory, benchmark) = find(name, &place.home)?;
    let file = directory.join("sample.json");
    let batches = batches(&file)?;
    fresh::check(name, &file, &place.package)?;
    let mut process = ProcessRun { batches, batch_size: 1, ..ProcessRun::default() };
    match work(benchmark.throughput, rate) {
        Ok(work) => process.work = work,
        Err(text) => {
            // So that it is told here, in words that are about Criterion.
            let bytes = rate == Some(Unit::BytesPerSecond);
            process.work = if bytes { Work::Bytes(1.0) } else { Work::Operations(1.0) };
            let reason =
                Unmeasured::new(Cause::Unsuitable, format!("the benchmark `{name}` {text}"));
            process.unmeasured.insert(Key::Throughput, reason);
        }
    }
    process.notes.push(NOTE.to_owned());
    Ok(process)
}

/// What one iteration counts for, in the kind that the limit is of.
fn work(throughput: Option<WireThroughput>, rate: Option<Unit>) -> Result<Work, &'static str> {
    use WireThroughput::{Bits, Bytes, BytesDecimal, Elements, ElementsAndBytes};
    let (elements, bytes) = match throughput {
        None => {
            return Err(
                "counts nothing for a throughput: call `throughput` of its group, or limit \
                        `mean`",
            );
        }
        Some(Elements(count)) => (Some(count as f64), None),
        Some(Bytes(count) | BytesDecimal(count)) => (None, Some(count as f64)),
        Some(Bits(count)) => (None, Some(count as f64 / 8.0)),
        Some(ElementsAndBytes { elements, bytes }) => (Some(elements as f64), Some(bytes as f64)),
    };
    match (rate, elements, bytes) {
        (Some(Unit::BytesPerSecond), _, Some(bytes)) => Ok(Work::Bytes(bytes)),
        (Some(Unit::BytesPerSecond), ..) => {
            Err("counts elements, and the limit is in bytes a second: write it as \"1000 op/s\"")
        }
        (_, Some(elements), _) => Ok(Work::Operations(elements)),
        (Some(_), None, _) => {
            Err("counts bytes, and the limit is in operations a second: write it as \"64 MB/s\"")
        }
        (None, None, bytes) => Ok(Work::Bytes(bytes.unwrap_or_default())),
    }
}

/// The directory `new` of the benchmark of this name, and what is said of it.
fn find(name: &str, home: &Path) -> Result<(PathBuf, WireBenchmark), Unmeasured> {
    let missing = |what: String| Unmeasured::new(Cause::Missing, what);
    if !home.is_dir() {
        return Err(missing(format!(
            "Criterion has recorded nothing, as there is no `{}`; run `cargo bench` first, or set \
             CRITERION_HOME to where its results are",
            home.display()
        )));
    }
    let mut files = Vec::new();
    search(home, DEPTH, &mut files)?;
    files.sort();
    let (mut found, mut others, mut broken) = (Vec::new(), Vec::new(), None);
    for file in files {
        match parse::<WireBenchmark>(&file) {
            Ok(benchmark) if benchmark.full_id == name => found.push((file, benchmark)),
            Ok(benchmark) => others.push(benchmark.full_id),
            Err(reason) => broken = broken.or(Some(reason)),
        }
    }
    match (found.len(), broken) {
        (1, _) => {
            let (file, benchmark) = found.remove(0);
            Ok((file.parent().unwrap_or(home).to_owned(), benchmark))
        }
        (0, Some(reason)) => Err(reason),
        (0, None) => Err(missing(format!(
            "Criterion has recorded no benchmark `{name}` in `{}`; {}; run `cargo bench` first, or fix \
             the name in the budget",
            home.display(),
            there(name, &others)
        ))),
        _ => Err(Unmeasured::new(
            Cause::Unsuitable,
            format!(
                "Criterion has recorded two benchmarks `{name}`: `{}` and `{}`; remove the one that is \
                 no more, or give them different names",
                found[0].0.display(),
                found[1].0.display()
            ),
        )),
    }
}

/// Every `new/benchmark.json` below a directory.
fn search(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Unmeasured> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    for entry in entries.map_err(|e| unreadable(dir, &e))? {
        let path = entry.path();
        let file = path.join("new/benchmark.json");
        if file.is_file() {
            files.push(file);
        }
        if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            search(&path, depth - 1, files)?;
        }
    }
    Ok(())
}

/// Which names there are: the one that was meant, or some.
fn there(name: &str, others: &[String]) -> String {
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    if let Some(near) = spelling::meant(name, others.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let group = name.split('/').next().unwrap_or_default();
    let (mut near, far): (Vec<&str>, Vec<&str>) =
        others.into_iter().partition(|other| other.split('/').next() == Some(group));
    near.extend(far);
    let more = match near.len() {
        0 => return "it has none".to_owned(),
        count if count > LISTED => format!(" and {} more", count - LISTED),
        _ => String::new(),
    };
    near.truncate(LISTED);
    format!("it has `{}`{more}", near.join("`, `"))
}

/// Mean seconds of one iteration in each batch.
fn batches(file: &Path) -> Result<Vec<f64>, Unmeasured> {
    let shown = file.display();
    let WireSample { iters, times } = parse(file)?;
    let unsuitable = |what: String| {
        let text = format!("`{shown}` {what}");
        Err(Unmeasured::new(Cause::Unsuitable, text))
    };
    if iters.len() != times.len() {
        let (iters, times) = (iters.len(), times.len());
        return unsuitable(format!(
            "has {times} times of {iters} batches; it is not what Criterion writes: run `cargo bench` \
             again"
        ));
    }
    match times.len() {
        0 => {
            let text = format!("`{shown}` has no samples; run `cargo bench` again");
            return Err(Unmeasured::new(Cause::MeasuredNothing, text));
        }
        few if few < FEWEST => {
            return unsuitable(format!(
                "has {few} samples, as `--quick` takes, which say nothing of how far they scatter; run \
                 `cargo bench` without it"
            ));
        }
        _ => {}
    }
    let positive = |value: &Option<f64>| value.filter(|v| v.is_finite() && *v > 0.0);
    let batch = |(iters, times)| Some(positive(times)? / positive(iters)? * 1e-9);
    let batches: Option<Vec<f64>> = iters.iter().zip(&times).map(batch).collect();
    batches.ok_or_else(|| {
        let text = format!(
            "`{shown}` has a batch whose time or number of iterations is not a number over zero; if \
             `iter_custom` measures, it must return the time that passed"
        );
        Unmeasured::new(Cause::InvalidReading, text)
    })
}

fn parse<T: DeserializeOwned>(file: &Path) -> Result<T, Unmeasured> {
    let text = fs::read(file).map_err(|e| unreadable(file, &e))?;
    exact::read(&text).map_err(|e| {
        let text = format!(
            "`{}` is not what Criterion writes: {e}; run `cargo bench` again",
            file.display()
        );
        Unmeasured::new(Cause::Unsuitable, text)
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Unmeasured {
    let text = format!(
        "failed to read what Criterion recorded, `{}`: {error}; run `cargo bench` again",
        path.display()
    );
    Unmeasured::new(Cause::Missing, text)
}
