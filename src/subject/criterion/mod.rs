//! The reader of Criterion's records. A benchmark's record is the directory `GROUP/FUNCTION/VALUE/new/` with the files
//! `benchmark.json` and `sample.json`.
//!
//! This subject measures nothing itself: its reading comes from one process that ran some time ago, and perhaps with
//! other code. Criterion shortens the name of a benchmark to make a directory name of it. So a benchmark is found by
//! the name in its `benchmark.json`, and not by its directory.

mod fresh;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};

use perf_budget_core::benchmarks::beginning;
use perf_budget_core::budget::spelling;
use perf_budget_core::exact;
use perf_budget_core::metric::Key;
use perf_budget_core::quantity::Unit;

/// The fewest samples that Criterion takes. Only `--quick` takes fewer: two, of which the second may be made up.
const FEWEST_SAMPLES: usize = 10;
/// The depth of a benchmark's directory at the most: its group, its function and its value.
const DEEPEST: usize = 3;
/// The most names that are listed if the wanted one is missing.
const MOST_LISTED: usize = 8;
/// The note of every outcome.
const NOTE: &str = "one process, as Criterion measures: what varies between processes is not in the \
                    interval, and no error rate is known";

/// The place of the records and of the code that they must not be older than.
pub(crate) struct Place {
    /// Criterion's directory.
    pub(crate) home: PathBuf,
    /// A directory of the package that the benchmarks belong to.
    pub(crate) package: PathBuf,
}

#[derive(Deserialize)]
struct WireBenchmark {
    full_id: String,
    throughput: Option<WireThroughput>,
}

/// The amount of work of one iteration.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum WireThroughput {
    Bits(u64),
    Bytes(u64),
    BytesDecimal(u64),
    Elements(u64),
    ElementsAndBytes { elements: u64, bytes: u64 },
}

/// The content of `sample.json`. A value is `None` if it was NaN, which JSON can only write as `null`.
#[derive(Deserialize)]
struct WireSample {
    /// The number of iterations of each batch.
    iters: Vec<Option<f64>>,
    /// The time of each batch in nanoseconds.
    times: Vec<Option<f64>>,
}

/// Reads the record of the benchmark `name`. The result is one process whose batches are Criterion's samples. `rate` is
/// the unit of the limit on the throughput, if there is such a limit.
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
            // The work is set to the unit of the limit, so that the throughput fails by this reason and not by a
            // later one that says nothing about Criterion.
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

/// The record of one benchmark in one process, as Criterion wrote it.
pub(super) struct Recorded {
    /// The whole name of the benchmark, which Criterion cuts off where it lists it.
    pub(super) name: String,
    /// The iterations and the seconds of each batch.
    pub(super) times: Vec<(f64, f64)>,
    /// The work of one iteration, or the reason why it is unknown.
    pub(super) work: Result<Work, Unmeasured>,
}

/// Whether a benchmark is the one that is listed by this name.
fn is_listed_as(listed: &str, name: &str) -> bool {
    let is_cut = || beginning(listed).is_some_and(|beginning| name.starts_with(beginning));
    listed == name || is_cut()
}

/// Reads the record of the benchmark `name` in `home`, where a process has just run that benchmark and no other.
pub(super) fn only(name: &str, rate: Option<Unit>, home: &Path) -> Result<Recorded, Unmeasured> {
    let mut files = Vec::new();
    search(home, DEEPEST, &mut files)?;
    let file = match files.as_slice() {
        [one] => one,
        [] => {
            let text = format!(
                "the program of the benchmark `{name}` ended without a record of it: the benchmark ended the process \
                 itself, or Criterion refused what it measured (see what the program printed), or the program has none that it \
                 runs by exactly this name (a name with a line feed, the second of two with one name, or a text that the program \
                 prints on its standard output beside its list), or it wrote the record elsewhere (it sets CRITERION_HOME itself, or \
                 calls `output_directory`), or its `main` does not read its arguments; call `configure_from_args`, as \
                 `criterion_main!` does"
            );
            return Err(Unmeasured::new(Cause::MeasuredNothing, text));
        }
        several => {
            let is_named = |file: &PathBuf| {
                parse::<WireBenchmark>(file).is_ok_and(|record| is_listed_as(name, &record.full_id))
            };
            if several.iter().all(is_named) {
                let text = format!(
                    "the program has {} benchmarks that are named `{name}`, and nobody knows which of them is meant; give each a \
                     name of its own",
                    several.len()
                );
                return Err(Unmeasured::new(Cause::Unsuitable, text));
            }
            let text = format!(
                "the program of the benchmark `{name}` ran {} benchmarks, though it was asked for one: its `main` does \
                 not read its arguments (call `configure_from_args`, as `criterion_main!` does), or a group has a filter of its own \
                 (`with_filter`); take that out",
                several.len()
            );
            return Err(Unmeasured::new(Cause::Unsuitable, text));
        }
    };
    let benchmark: WireBenchmark = parse(file)?;
    if !is_listed_as(name, &benchmark.full_id) {
        let text = format!(
            "the program of the benchmark `{name}` ran `{}` instead; its `main` does not read its arguments",
            benchmark.full_id
        );
        return Err(Unmeasured::new(Cause::Unsuitable, text));
    }
    let work = work(benchmark.throughput, rate).map_err(|text| {
        Unmeasured::new(Cause::Unsuitable, format!("the benchmark `{name}` {text}"))
    });
    let times = times(&file.with_file_name("sample.json"))?;
    Ok(Recorded { name: benchmark.full_id, times, work })
}

/// Returns the work of one iteration, in the unit of the limit. The error completes "the benchmark `NAME` ...".
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

/// Finds the benchmark of this name. Returns its directory `new`, and the content of its `benchmark.json`.
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
    search(home, DEEPEST, &mut files)?;
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
            suggest(name, &others)
        ))),
        _ => Err(Unmeasured::new(
            Cause::Unsuitable,
            format!(
                "Criterion has recorded two benchmarks `{name}`: `{}` and `{}`; remove the record that is \
                 no longer used, or give them different names",
                found[0].0.display(),
                found[1].0.display()
            ),
        )),
    }
}

/// Finds every `new/benchmark.json` below a directory.
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

/// Returns words on which benchmark was probably meant by a name, or on which benchmarks there are.
fn suggest(name: &str, others: &[String]) -> String {
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    if let Some(near) = spelling::nearest(name, others.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let group = name.split('/').next().unwrap_or_default();
    let (mut near, far): (Vec<&str>, Vec<&str>) =
        others.into_iter().partition(|other| other.split('/').next() == Some(group));
    near.extend(far);
    let more = match near.len() {
        0 => return "it has none".to_owned(),
        count if count > MOST_LISTED => format!(" and {} more", count - MOST_LISTED),
        _ => String::new(),
    };
    near.truncate(MOST_LISTED);
    format!("it has `{}`{more}", near.join("`, `"))
}

/// Reads the mean seconds of one iteration in each batch.
fn batches(file: &Path) -> Result<Vec<f64>, Unmeasured> {
    let times = times(file)?;
    if times.len() < FEWEST_SAMPLES {
        let text = format!(
            "`{}` has {} samples, as `--quick` takes, which are too few to tell how far they scatter; run `cargo bench` \
             without it",
            file.display(),
            times.len()
        );
        return Err(Unmeasured::new(Cause::Unsuitable, text));
    }
    Ok(times.into_iter().map(|(iters, seconds)| seconds / iters).collect())
}

/// Reads the iterations and the seconds of each batch.
fn times(file: &Path) -> Result<Vec<(f64, f64)>, Unmeasured> {
    let shown = file.display();
    let WireSample { iters, times } = parse(file)?;
    if iters.len() != times.len() {
        let (iters, times) = (iters.len(), times.len());
        let text = format!(
            "`{shown}` has {times} times of {iters} batches; it is not what Criterion writes: run `cargo bench` again"
        );
        return Err(Unmeasured::new(Cause::Unsuitable, text));
    }
    if times.is_empty() {
        let text = format!("`{shown}` has no samples; run `cargo bench` again");
        return Err(Unmeasured::new(Cause::MeasuredNothing, text));
    }
    let positive = |value: &Option<f64>| value.filter(|v| v.is_finite() && *v > 0.0);
    let batch = |(iters, times)| Some((positive(iters)?, positive(times)? * 1e-9));
    let batches: Option<Vec<(f64, f64)>> = iters.iter().zip(&times).map(batch).collect();
    batches.ok_or_else(|| {
        let text = format!(
            "`{shown}` has a batch whose time or number of iterations is not above zero; if \
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
