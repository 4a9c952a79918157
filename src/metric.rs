//! Every metric: its one word, its unit, which way is better, and whether it is exact or noisy.
//!
//! The same word is the key in `budgets.toml`, the last part of the test's name, and the report's column.

mod by_metric;

use std::fmt;

use crate::quantity::Unit;

pub use by_metric::ByMetric;

/// Something that can be measured of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Bytes on disk.
    Size,
    /// Bytes after gzip at level 9.
    Gzip,
    /// Bytes after brotli at quality 11.
    Brotli,
    /// Bytes after zstd at level 19.
    Zstd,
    /// Bytes of an ELF file without symbols and debug information.
    Stripped,
    /// Bytes of an image's layers, unpacked.
    Unpacked,
    /// Layers of an image.
    Layers,
    /// Latency of one operation of a workload.
    Latency(Statistic),
    /// From the start of a command to its end.
    Wall(Statistic),
    /// From the start of a command until it is ready.
    Startup(Statistic),
    /// Operations, or bytes, a second.
    Throughput,
    /// Share of the operations that failed.
    ErrorRate,
    /// Processor time: of one operation, or of a whole command.
    Cpu,
    /// Processor time over elapsed time: 100 % is one core.
    Utilization,
    /// Resident memory: what the held value added, or a command's when it is ready.
    Rss,
    /// The highest resident memory.
    PeakRss,
    /// Resident memory that each further operation adds, in bytes.
    RssGrowth,
    /// Live heap bytes while the value is held.
    Heap,
    /// The most live heap bytes at any moment of the operation.
    PeakHeap,
    /// Allocations of one operation.
    Allocs,
    /// Bytes allocated by one operation.
    AllocBytes,
    /// Heap bytes still live after the value is dropped.
    Leaked,
    /// Context switches during one operation.
    ContextSwitches,
    /// Fuel of the WebAssembly that one operation runs.
    Fuel,
    /// A command's exit code.
    Exit,
    /// Slope on a log-log scale of another metric over a parameter.
    Scaling(Box<Metric>),
    /// What a workload records itself, by its name.
    Custom(String),
}

/// Which statistic of a distribution of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Statistic {
    /// The fastest.
    Min,
    /// The arithmetic mean.
    Mean,
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// The 99.9th percentile.
    P999,
    /// The slowest seen.
    Max,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A smaller value is better; a limit is a `max`.
    Lower,
    /// A larger value is better; a limit is a `min`.
    Higher,
    /// Only the project knows: custom metrics, exit codes.
    Either,
}

/// Whether measuring twice gives the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// The same every time on the same input: compared.
    Exact,
    /// Different every time: judged from evidence.
    Noisy,
}

/// The kind of a subject, as far as metrics care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// A file, a directory, an image.
    Artifact,
    /// A process.
    Command,
    /// A function registered in the harness.
    Workload,
    /// What Criterion recorded of a benchmark.
    Criterion,
}

impl Statistic {
    /// Every statistic, in the order of its value.
    pub const ALL: [Statistic; 8] = [
        Statistic::Min,
        Statistic::Mean,
        Statistic::P50,
        Statistic::P90,
        Statistic::P95,
        Statistic::P99,
        Statistic::P999,
        Statistic::Max,
    ];

    /// Its word: `p99`.
    pub fn name(self) -> &'static str {
        match self {
            Statistic::Min => "min",
            Statistic::Mean => "mean",
            Statistic::P50 => "p50",
            Statistic::P90 => "p90",
            Statistic::P95 => "p95",
            Statistic::P99 => "p99",
            Statistic::P999 => "p999",
            Statistic::Max => "max",
        }
    }

    /// The quantile it is, where it is one: `p99` is 0.99.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Statistic::P50 => Some(0.5),
            Statistic::P90 => Some(0.9),
            Statistic::P95 => Some(0.95),
            Statistic::P99 => Some(0.99),
            Statistic::P999 => Some(0.999),
            Statistic::Min | Statistic::Mean | Statistic::Max => None,
        }
    }
}

/// Metrics with a fixed word, each with the subjects that have it.
const PLAIN: &[(&str, Metric, &[SubjectKind])] = {
    use SubjectKind::{Artifact, Command, Criterion, Workload};
    &[
        ("size", Metric::Size, &[Artifact]),
        ("gzip", Metric::Gzip, &[Artifact]),
        ("brotli", Metric::Brotli, &[Artifact]),
        ("zstd", Metric::Zstd, &[Artifact]),
        ("stripped", Metric::Stripped, &[Artifact]),
        ("unpacked", Metric::Unpacked, &[Artifact]),
        ("layers", Metric::Layers, &[Artifact]),
        ("throughput", Metric::Throughput, &[Workload, Criterion]),
        ("error_rate", Metric::ErrorRate, &[Workload]),
        ("cpu", Metric::Cpu, &[Command, Workload]),
        ("utilization", Metric::Utilization, &[Workload]),
        ("rss", Metric::Rss, &[Command, Workload]),
        ("peak_rss", Metric::PeakRss, &[Command, Workload]),
        ("rss_growth", Metric::RssGrowth, &[Workload]),
        ("heap", Metric::Heap, &[Workload]),
        ("peak_heap", Metric::PeakHeap, &[Workload]),
        ("allocs", Metric::Allocs, &[Workload]),
        ("alloc_bytes", Metric::AllocBytes, &[Workload]),
        ("leaked", Metric::Leaked, &[Workload]),
        ("context_switches", Metric::ContextSwitches, &[Workload]),
        ("fuel", Metric::Fuel, &[Workload]),
        ("exit", Metric::Exit, &[Command]),
    ]
};

impl Metric {
    /// The metric that `word` names for a subject of this kind. For a workload an unknown word is a
    /// [custom](Metric::Custom) metric; for the others it is `None`.
    pub fn of(subject: SubjectKind, word: &str) -> Option<Metric> {
        Self::known(subject)
            .into_iter()
            .find(|m| m.name() == word)
            .or_else(|| (subject == SubjectKind::Workload).then(|| Metric::Custom(word.to_owned())))
    }

    /// Every metric that a subject of this kind has of itself.
    pub fn known(subject: SubjectKind) -> Vec<Metric> {
        let timed = Statistic::ALL.iter().flat_map(|&s| match subject {
            SubjectKind::Command => vec![Metric::Wall(s), Metric::Startup(s)],
            SubjectKind::Workload => vec![Metric::Latency(s)],
            // It times batches, and a percentile of batches is none of operations.
            SubjectKind::Criterion if s == Statistic::Mean => vec![Metric::Latency(s)],
            SubjectKind::Artifact | SubjectKind::Criterion => vec![],
        });
        let plain = PLAIN.iter().filter(|p| p.2.contains(&subject)).map(|p| p.1.clone());
        plain.chain(timed).collect()
    }

    /// Its one word: `p99`, `startup_p95`, `gzip`; `scaling_rss` for a slope.
    pub fn name(&self) -> String {
        match self {
            Metric::Latency(s) => s.name().to_owned(),
            Metric::Wall(s) => format!("wall_{}", s.name()),
            Metric::Startup(s) => format!("startup_{}", s.name()),
            Metric::Scaling(of) => format!("scaling_{}", of.name()),
            Metric::Custom(name) => name.clone(),
            plain => PLAIN.iter().find(|p| p.1 == *plain).map_or("", |p| p.0).to_owned(),
        }
    }

    /// The unit its limits are written in; `None` where more than one will do (a throughput counts
    /// operations or bytes; a custom metric counts what it likes).
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Metric::Throughput | Metric::Custom(_) => None,
            Metric::Latency(_) | Metric::Wall(_) | Metric::Startup(_) | Metric::Cpu => {
                Some(Unit::Seconds)
            }
            Metric::ErrorRate | Metric::Utilization => Some(Unit::Share),
            Metric::Layers
            | Metric::Allocs
            | Metric::ContextSwitches
            | Metric::Fuel
            | Metric::Exit
            | Metric::Scaling(_) => Some(Unit::Number),
            _ => Some(Unit::Bytes),
        }
    }

    /// Which way is better.
    pub fn better(&self) -> Better {
        match self {
            Metric::Throughput => Better::Higher,
            Metric::Exit | Metric::Custom(_) | Metric::Utilization => Better::Either,
            _ => Better::Lower,
        }
    }

    /// Whether it is compared or judged. A custom metric is judged until its samples prove equal.
    pub fn nature(&self) -> Nature {
        match self {
            Metric::Size
            | Metric::Gzip
            | Metric::Brotli
            | Metric::Zstd
            | Metric::Stripped
            | Metric::Unpacked
            | Metric::Layers
            | Metric::Heap
            | Metric::PeakHeap
            | Metric::Allocs
            | Metric::AllocBytes
            | Metric::Leaked
            | Metric::Fuel
            | Metric::Exit => Nature::Exact,
            _ => Nature::Noisy,
        }
    }

    /// Whether it depends on how fast the code runs, so that a debug build says nothing about it.
    pub fn is_time(&self) -> bool {
        match self {
            Metric::Latency(_)
            | Metric::Wall(_)
            | Metric::Startup(_)
            | Metric::Throughput
            | Metric::Cpu
            | Metric::Utilization
            | Metric::ContextSwitches => true,
            Metric::Scaling(of) => of.is_time(),
            _ => false,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_its_metric() {
        use SubjectKind::{Artifact, Command, Criterion, Workload};
        for kind in [Artifact, Command, Workload, Criterion] {
            let known = Metric::known(kind);
            for metric in &known {
                assert_eq!(Metric::of(kind, &metric.name()).as_ref(), Some(metric));
                assert!(!metric.name().is_empty());
            }
            let mut names: Vec<_> = known.iter().map(Metric::name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), known.len());
        }
    }

    #[test]
    fn only_a_workload_has_custom_metrics() {
        assert_eq!(Metric::of(SubjectKind::Artifact, "accuracy"), None);
        assert_eq!(Metric::of(SubjectKind::Criterion, "p99"), None);
        assert_eq!(
            Metric::of(SubjectKind::Workload, "accuracy"),
            Some(Metric::Custom("accuracy".into()))
        );
    }
}
