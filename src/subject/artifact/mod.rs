//! The measurement of artifacts: how many bytes files have as they are, compressed, stripped or unpacked.
//!
//! No process is started and no measurement is repeated, since every reading is exact. These are the rules:
//!
//! - A pattern is a path or a glob (`*`, `?`, `[ab]`, `**`; hidden files match too), relative to the
//!   root. A directory, named or matched, stands for every regular file below it.
//! - A file counts once, however many patterns, hard links or symbolic links lead to it. A symbolic
//!   link that a pattern names is followed; one that is found below a directory is not, and a note says so.
//! - Every pattern must match. A file that a pattern names or matches must not be empty. An empty file below a
//!   directory (`.nojekyll`, `py.typed`) is only noted.
//! - `size` is the sum of the files' lengths. `gzip`, `brotli` and `zstd` are sums too, with each file
//!   compressed by itself, as a web server sends it.
//! - `stripped` is the size that `strip` would leave of each file, and every file must be an ELF file. Bytes that were
//!   appended to it count too, and a note names them.
//! - `layers` and `unpacked` look inside container images: what `docker save` writes, or an OCI layout as an
//!   archive (plain or gzipped) or as a directory. `unpacked` counts the bytes of the layers' tar archives.
//!   `size` of an image is its length as it is stored. Nothing of an image is ever written to disk.

mod cache;
mod compress;
mod content;
mod deadline;
mod difference;
mod elf;
mod files;
mod image;
mod inject;
mod pool;
mod sections;
mod wasm_sections;

use std::path::Path;
use std::time::Duration;

use perf_budget_core::metric::{ByMetric, Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::{Quantity, Unit};

pub(crate) use self::difference::difference;

use self::cache::Cache;
use self::compress::Encoder;
use self::deadline::Deadline;
use self::files::{Artifact, FileEntry};
use self::image::Image;
use crate::inject::Injection;
use crate::seal::Seal;

/// The value of one metric of an artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value in the metric's base unit: bytes, or a count of layers.
    pub value: f64,
    /// The notes for a reader: how many files there are, which is the largest, and what was not counted.
    pub notes: Vec<String>,
}

/// The reading of each metric that was asked for, or the reason why there is none.
pub type Readings = ByMetric<Result<Reading, Unmeasured>>;

/// Measures the files that `patterns` name, starting from `root`.
///
/// Compressed sizes are kept in the directory `cache` by content and encoder, so that the same bytes are
/// never compressed twice. If the cache cannot be written, a note says so, and the measurement goes on.
///
/// Each metric fails by itself. Only if the files are missing do all metrics fail for the same reason. What is not
/// measured within `timeout` fails too.
pub fn measure(
    patterns: &[String],
    root: &Path,
    metrics: &[Metric],
    cache: &Path,
    timeout: Duration,
) -> Readings {
    readings_of(files::find(patterns, root, Deadline::after(timeout)), metrics, cache)
}

/// Measures the files with random bytes added to a copy of the largest one. `injection` says how many bytes are added
/// to files whose value is `bare`. The copy is made in `scratch`, and removed afterwards.
pub(crate) fn measure_injected(
    patterns: &[String],
    root: &Path,
    metrics: &[Metric],
    cache: &Path,
    timeout: Duration,
    (injection, bare, scratch): (Injection, f64, &Path),
) -> Readings {
    let found = files::find(patterns, root, Deadline::after(timeout));
    let grown = found.and_then(|mut artifact| {
        let more = injection.added(bare).ceil() as u64;
        let stripped = metrics.contains(&Key::Stripped.into());
        let copy = inject::grow(&mut artifact, more, stripped, scratch)?;
        Ok((artifact, copy))
    });
    match grown {
        Ok((artifact, _copy)) => readings_of(Ok(artifact), metrics, cache),
        Err(why) => readings_of(Err(why), metrics, cache),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the metrics that are read here are named")]
fn readings_of(found: Result<Artifact, Unmeasured>, metrics: &[Metric], cache: &Path) -> Readings {
    let mut readings = Readings::new();
    let artifact = match found {
        Ok(artifact) => artifact,
        Err(why) => {
            for metric in metrics {
                readings.insert(metric.clone(), Err(why.clone()));
            }
            return readings;
        }
    };
    let cache = Cache::in_directory(cache, Seal::of_user());
    let weighed = weigh(&artifact, metrics, &cache);
    let images = look_inside(&artifact, metrics);
    let read = |metric: &Metric| {
        let mut reading = match metric.key() {
            Key::Layers | Key::Unpacked => of_images(metric, &artifact.named, &images),
            Key::Stripped => stripped(&artifact.files),
            _ => of_files(&artifact.files, weights_by(metric, &weighed)),
        }?;
        reading.notes.extend(artifact.notes.iter().cloned());
        reading.notes.extend(cache.trouble().filter(|_| Encoder::for_metric(metric).is_some()));
        Ok(reading)
    };
    for metric in metrics {
        readings.insert(metric.clone(), read(metric));
    }
    readings
}

/// The size of one file by one metric.
type Weight = Result<u64, Unmeasured>;

/// A metric, the index of a file, and the file's size by this metric.
type MeasuredFile<'m> = ((&'m Metric, usize), Weight);

/// Measures the size of every file by every metric that is a sum over files. The result is in the order of the files.
fn weigh<'m>(artifact: &Artifact, metrics: &'m [Metric], cache: &Cache) -> Vec<MeasuredFile<'m>> {
    let files = &artifact.files;
    let mut work: Vec<(&Metric, usize)> = Vec::new();
    for (i, metric) in metrics.iter().enumerate() {
        let is_repeated = metrics[..i].contains(metric);
        if !is_repeated && !matches!(metric.key(), Key::Layers | Key::Unpacked | Key::Stripped) {
            work.extend((0..files.len()).map(|file| (metric, file)));
        }
    }
    // The longest work comes first, so that no thread is still busy with it when all others are done.
    let cost = |metric: &Metric| if metric.key() == Key::Brotli { 20 } else { 1 };
    work.sort_by_cached_key(|&(metric, file)| {
        usize::MAX - files[file].bytes.saturating_mul(cost(metric)) as usize
    });
    let weights = pool::map(&work, |&(metric, file)| weight(metric, &files[file], cache));
    let mut weighed: Vec<_> = work.into_iter().zip(weights).collect();
    weighed.sort_by_cached_key(|&((_, file), _)| file);
    weighed
}

/// Returns the sizes by this metric, in the order of the files.
fn weights_by(metric: &Metric, weighed: &[MeasuredFile<'_>]) -> Vec<Weight> {
    let weights = weighed.iter().filter(|((own, _), _)| *own == metric);
    weights.map(|(_, weight)| weight.clone()).collect()
}

fn weight(metric: &Metric, file: &FileEntry, cache: &Cache) -> Weight {
    match (metric.key(), Encoder::for_metric(metric)) {
        (Key::Size, _) => Ok(file.bytes),
        (_, Some(encoder)) => encoder.size(file, cache),
        _ => {
            let text = format!(
                "failed to measure `{metric}` of `{}`: it is not a metric of an artifact",
                file.shown
            );
            Err(Unmeasured::new(Cause::Unsupported, text))
        }
    }
}

/// Returns what is left of the files without their symbols, with notes on what was appended to them.
fn stripped(files: &[FileEntry]) -> Result<Reading, Unmeasured> {
    let sizes = pool::map(files, elf::stripped);
    let weights = sizes.iter().map(|size| size.clone().map(|size| size.kept + size.appended));
    let mut reading = of_files(files, weights.collect())?;
    let sizes = sizes.into_iter().flatten();
    reading
        .notes
        .extend(files.iter().zip(sizes).filter_map(|(file, size)| note(file, size.appended)));
    Ok(reading)
}

/// Returns the note on bytes that were appended to a program.
fn note(file: &FileEntry, appended: u64) -> Option<String> {
    let bytes = Quantity::new(appended as f64, Unit::Bytes);
    (appended > 0).then(|| {
        format!("{bytes} at the end of `{}` belong to no part of the program; they count, though `strip` would drop them", file.shown)
    })
}

fn of_files(files: &[FileEntry], weights: Vec<Weight>) -> Result<Reading, Unmeasured> {
    let weights = all_values(weights)?;
    let mut notes = vec![];
    if let ([_, _, ..], Some((file, bytes))) =
        (files, files.iter().zip(&weights).max_by_key(|w| w.1))
    {
        let bytes = Quantity::new(*bytes as f64, Unit::Bytes);
        notes.push(format!("{} files; the largest is `{}` with {bytes}", files.len(), file.shown));
    }
    Ok(Reading { value: weights.iter().sum::<u64>() as f64, notes })
}

/// Opens the images that patterns name, if a metric of images is asked for.
fn look_inside(artifact: &Artifact, metrics: &[Metric]) -> Vec<Result<Image, Unmeasured>> {
    let inside = |metric: &Metric| matches!(metric.key(), Key::Layers | Key::Unpacked);
    let wanted = metrics.iter().any(inside);
    pool::map(if wanted { &artifact.named } else { &[] }, image::open)
}

fn of_images(
    metric: &Metric,
    named: &[FileEntry],
    images: &[Result<Image, Unmeasured>],
) -> Result<Reading, Unmeasured> {
    let images = all_values(images.to_vec())?;
    let mut layers = vec![];
    for (image, found) in images.iter().zip(named) {
        for (i, &bytes) in image.layers.iter().enumerate() {
            layers.push((bytes, i + 1, &found.shown));
        }
    }
    let mut notes = vec![];
    if let ([_, _, ..], Some((bytes, nth, shown))) =
        (layers.as_slice(), layers.iter().max_by_key(|l| l.0))
    {
        let bytes = Quantity::new(*bytes as f64, Unit::Bytes);
        let image = if images.len() > 1 { format!(" of `{shown}`") } else { String::new() };
        notes.push(format!(
            "{} layers; the largest is number {nth}{image}, unpacked {bytes}",
            layers.len()
        ));
    }
    let value = if metric.key() == Key::Layers {
        layers.len() as f64
    } else {
        layers.iter().map(|layer| layer.0).sum::<u64>() as f64
    };
    Ok(Reading { value, notes })
}

/// Returns every value, or the first failure with the number of further failures.
fn all_values<T>(results: Vec<Result<T, Unmeasured>>) -> Result<Vec<T>, Unmeasured> {
    let (mut values, mut failures) = (vec![], vec![]);
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(why) => failures.push(why),
        }
    }
    let more = failures.len().saturating_sub(1);
    match failures.into_iter().next() {
        None => Ok(values),
        Some(mut why) => {
            if more > 0 {
                why.text = format!("{} (and {more} more)", why.text);
            }
            Err(why)
        }
    }
}
