//! Every metric: its one word, its unit, which way is better, and whatever else differs between metrics.
//!
//! The same word is the key in `budgets.toml`, the last part of the test's name, and the report's column.
//! What is known of a metric is a row of the [table]; a [`Metric`] answers from its row.

mod by_metric;
mod column;
mod effect;
mod statistic;
mod table;

use std::fmt;

use self::table::ROWS;
use crate::quantity::Unit;

pub use by_metric::ByMetric;
pub use column::{
    Better, Halved, Inject, Judged, SampleKind, SubjectKind, Tolerance, Units, Values,
};
pub use effect::Effect;
pub use statistic::Statistic;
pub use table::{Instrument, InstrumentKind, Key, Row};

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

impl Metric {
    /// The metric that `word` names for a subject of this kind. For a workload an unknown word is a
    /// metric of its own; for the others it is `None`.
    pub fn of(subject: SubjectKind, word: &str) -> Option<Metric> {
        Self::known(subject)
            .into_iter()
            .find(|m| m.name() == word)
            .or_else(|| (subject == SubjectKind::Workload).then(|| Metric::Custom(word.to_owned())))
    }

    /// Every metric that a subject of this kind has of itself: families last, by their statistics.
    pub fn known(subject: SubjectKind) -> Vec<Metric> {
        let of_subject = || {
            ROWS.iter().filter(|row| row.key != Key::Own).filter_map(|row| {
                let has = row.has.iter().find(|has| has.0 == subject)?;
                Some((row.key, has.2))
            })
        };
        let plain = of_subject().filter(|row| row.1.is_empty()).map(|row| Metric::from(row.0));
        let timed = Statistic::ALL.iter().flat_map(|&statistic| {
            let families = of_subject().filter(move |row| row.1.contains(&statistic));
            families.map(move |row| row.0.at(statistic))
        });
        plain.chain(timed).collect()
    }

    /// Its one word: `p99`, `startup_p95`, `gzip`; `scaling_rss` for a slope.
    pub fn name(&self) -> String {
        let word = self.row().word;
        match self {
            Metric::Scaling(of) => format!("{word}{of}"),
            Metric::Custom(name) => name.clone(),
            other => [word, other.statistic().map_or("", Statistic::name)].concat(),
        }
    }

    /// What it is, in a sentence without its end.
    pub fn meaning(&self) -> String {
        let meaning = self.row().meaning;
        match self {
            Metric::Scaling(of) => format!("Slope of `{of}` on a log-log scale"),
            Metric::Custom(name) => format!("`{name}`, which the workload records itself"),
            other => match other.statistic() {
                Some(statistic) => format!("{meaning}: {}", statistic.meaning()),
                None => meaning.to_owned(),
            },
        }
    }

    /// How code names its row.
    pub fn key(&self) -> Key {
        match self {
            Metric::Size => Key::Size,
            Metric::Gzip => Key::Gzip,
            Metric::Brotli => Key::Brotli,
            Metric::Zstd => Key::Zstd,
            Metric::Stripped => Key::Stripped,
            Metric::Unpacked => Key::Unpacked,
            Metric::Layers => Key::Layers,
            Metric::Throughput => Key::Throughput,
            Metric::ErrorRate => Key::ErrorRate,
            Metric::Cpu => Key::Cpu,
            Metric::Utilization => Key::Utilization,
            Metric::Rss => Key::Rss,
            Metric::PeakRss => Key::PeakRss,
            Metric::RssGrowth => Key::RssGrowth,
            Metric::Heap => Key::Heap,
            Metric::PeakHeap => Key::PeakHeap,
            Metric::Allocs => Key::Allocs,
            Metric::AllocBytes => Key::AllocBytes,
            Metric::Leaked => Key::Leaked,
            Metric::ContextSwitches => Key::ContextSwitches,
            Metric::Fuel => Key::Fuel,
            Metric::Exit => Key::Exit,
            Metric::Latency(Statistic::Mean) => Key::Mean,
            Metric::Latency(_) => Key::Latency,
            Metric::Wall(_) => Key::Wall,
            Metric::Startup(_) => Key::Startup,
            Metric::Scaling(_) => Key::Slope,
            Metric::Custom(_) => Key::Own,
        }
    }

    /// Which statistic of its family it is; `None` for a metric that is no family.
    pub fn statistic(&self) -> Option<Statistic> {
        match self {
            Metric::Latency(s) | Metric::Wall(s) | Metric::Startup(s) => Some(*s),
            _ => None,
        }
    }

    /// What stands before the statistic in the words of its family: `wall_`, or nothing.
    pub fn family(&self) -> &'static str {
        self.row().word
    }

    /// The metric whose slope it is; `None` where it is no slope.
    pub fn slope_of(&self) -> Option<&Metric> {
        match self {
            Metric::Scaling(of) => Some(of),
            _ => None,
        }
    }

    /// Its name, where the workload records it itself.
    pub fn own(&self) -> Option<&str> {
        match self {
            Metric::Custom(name) => Some(name),
            _ => None,
        }
    }

    /// The units that its limits are written in.
    pub fn units(&self) -> Units {
        self.row().unit
    }

    /// The unit its limits are written in; `None` where more than one will do (a throughput counts
    /// operations or bytes; a custom metric counts what it likes).
    pub fn unit(&self) -> Option<Unit> {
        match self.units() {
            Units::One(unit) => Some(unit),
            Units::Rate | Units::Any => None,
        }
    }

    /// What a limit on it may be.
    pub fn values(&self) -> Values {
        self.row().values
    }

    /// Whether it grows with a parameter at a slope that may be limited: an exit code is no amount, and
    /// a rate falls as its time grows.
    pub fn has_slope(&self) -> bool {
        let amount = match self.values() {
            Values::Amount | Values::Size | Values::Time | Values::Share | Values::Own => true,
            Values::Code | Values::Slope => false,
        };
        amount && self.better() != Better::Higher
    }

    /// Which way is better.
    pub fn better(&self) -> Better {
        self.row().better
    }

    /// How it is held against a limit. The slope of what is compared is compared too.
    pub fn judged(&self) -> Judged {
        let judged = self.row().judged;
        match self.slope_of().map(Metric::judged) {
            Some(compared @ Judged::Compared { .. }) => compared,
            Some(Judged::Statistical(_) | Judged::UntilConstant(_)) | None => judged,
        }
    }

    /// Whether it is compared, rather than judged from evidence.
    pub fn is_exact(&self) -> bool {
        match self.judged() {
            Judged::Compared { .. } => true,
            Judged::Statistical(_) | Judged::UntilConstant(_) => false,
        }
    }

    /// Whether it depends on how fast the code runs, so that a debug build says nothing about it.
    pub fn is_time(&self) -> bool {
        match self.slope_of().unwrap_or(self).judged() {
            Judged::Statistical(tolerance) | Judged::UntilConstant(tolerance) => {
                tolerance == Tolerance::Time
            }
            Judged::Compared { .. } => false,
        }
    }

    /// What one value is.
    pub fn sample(&self) -> SampleKind {
        self.row().sample
    }

    /// What to think of half of the accepted value.
    pub fn halved(&self) -> Halved {
        self.row().halved
    }

    /// How a selftest moves it. A slope is moved by what moves its metric, as much more at each size.
    pub fn inject(&self) -> Inject {
        match self.slope_of() {
            Some(of) => Inject { lowers: None, ..of.inject() },
            None => self.row().inject,
        }
    }

    /// What reads it of such a subject; `None` where that does not have it.
    pub fn instrument(&self, subject: SubjectKind) -> Option<InstrumentKind> {
        let of = self.slope_of().unwrap_or(self);
        of.row().has.iter().find(|has| has.0 == subject).map(|has| has.1)
    }

    /// Its row.
    pub(crate) fn row(&self) -> &'static Row {
        self.key().row()
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

impl From<Key> for Metric {
    fn from(key: Key) -> Metric {
        match key {
            Key::Size => Metric::Size,
            Key::Gzip => Metric::Gzip,
            Key::Brotli => Metric::Brotli,
            Key::Zstd => Metric::Zstd,
            Key::Stripped => Metric::Stripped,
            Key::Unpacked => Metric::Unpacked,
            Key::Layers => Metric::Layers,
            Key::Throughput => Metric::Throughput,
            Key::ErrorRate => Metric::ErrorRate,
            Key::Cpu => Metric::Cpu,
            Key::Utilization => Metric::Utilization,
            Key::Rss => Metric::Rss,
            Key::PeakRss => Metric::PeakRss,
            Key::RssGrowth => Metric::RssGrowth,
            Key::Heap => Metric::Heap,
            Key::PeakHeap => Metric::PeakHeap,
            Key::Allocs => Metric::Allocs,
            Key::AllocBytes => Metric::AllocBytes,
            Key::Leaked => Metric::Leaked,
            Key::ContextSwitches => Metric::ContextSwitches,
            Key::Fuel => Metric::Fuel,
            Key::Exit => Metric::Exit,
            Key::Latency | Key::Mean | Key::Wall | Key::Startup | Key::Slope | Key::Own => {
                panic!("`{key:?}` is no metric by itself")
            }
        }
    }
}

impl Key {
    /// The metric of this family with this statistic.
    fn at(self, statistic: Statistic) -> Metric {
        match self {
            Key::Wall => Metric::Wall(statistic),
            Key::Startup => Metric::Startup(statistic),
            _ => Metric::Latency(statistic),
        }
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
