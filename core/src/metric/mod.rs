//! The metrics: the name, the unit and the better direction of each, and everything else that differs between
//! metrics.
//!
//! The same name is the key in `budgets.toml`, the last part of the test's name, and the report's column. What is
//! known of a metric is a row of the table (`metric/table.rs`), and a [`Metric`] answers from its row.

#[macro_use]
mod macros;

mod by_metric;
mod column;
mod effect;
mod row;
mod statistic;
mod table;

use std::fmt;

use self::statistic::has_statistic;
use self::table::ROWS;
use crate::quantity::Unit;

pub use by_metric::ByMetric;
pub use column::{
    Better, ExplainedBy, Halved, Inject, InstrumentRow, Judged, MeasuredOn, SampleKind, Starts,
    SubjectKind, Systems, Tolerance, Units, Values,
};
pub use effect::Effect;
pub use row::RowOf;
pub use statistic::Statistic;
pub use table::{InstrumentKind, Key, Row, WorkerInstrument};

/// The resident memory, in bytes, to which a comparison raises smaller readings. If a workload holds less than that, the
/// readings are pages that the process happened to touch or not: 0 at one time and some dozen pages at another.
const LEAST_RESIDENT: f64 = 262_144.0;

/// Something that can be measured of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric(Kind);

/// The kind of a metric. Metrics are in the order of the table; slopes and what workloads record come last.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    /// A row of the table and, if the row is a family, the statistic.
    Row(Key, Option<Statistic>),
    /// The slope of another metric over a parameter.
    Slope(Box<Metric>),
    /// A value that a workload records itself, by its name.
    Own(String),
}

impl Metric {
    /// Returns the metric that `word` names for a subject of this kind. For a workload an unknown word is a metric
    /// that it records itself; for other subjects it is `None`.
    pub fn of(subject: SubjectKind, word: &str) -> Option<Metric> {
        Self::known(subject)
            .into_iter()
            .find(|m| m.name() == word)
            .or_else(|| (subject == SubjectKind::Workload).then(|| Metric::recorded(word)))
    }

    /// Returns every metric of the table that a subject of this kind has; families come last, sorted by their
    /// statistics.
    pub fn known(subject: SubjectKind) -> Vec<Metric> {
        let of_subject = || {
            ROWS.iter().filter(|row| row.key != Key::Own).filter_map(|row| {
                let has = row.has.iter().find(|has| has.0 == subject)?;
                Some((row.key, has.2))
            })
        };
        let plain = of_subject().filter(|row| row.1.is_empty()).map(|row| Metric::from(row.0));
        let mut known: Vec<Metric> = plain.collect();
        for statistic in Statistic::ALL {
            let families = of_subject().filter(|row| row.1.contains(&statistic));
            known.extend(families.map(|row| row.0.at(statistic)));
        }
        known
    }

    /// Makes the slope of a metric over a parameter.
    pub fn slope(of: Metric) -> Metric {
        Metric(Kind::Slope(Box::new(of)))
    }

    /// Makes the metric that a workload records itself under this name.
    pub fn recorded(name: &str) -> Metric {
        Metric(Kind::Own(name.to_owned()))
    }

    /// Returns the metric's name, such as `p99`, `startup_p95` or `gzip`; `scaling_rss` for a slope.
    pub fn name(&self) -> String {
        let word = self.row().name;
        match &self.0 {
            Kind::Row(_, statistic) => [word, statistic.map_or("", Statistic::name)].concat(),
            Kind::Slope(of) => format!("{word}{of}"),
            Kind::Own(name) => name.clone(),
        }
    }

    /// Returns what the metric is, as a sentence without a full stop.
    pub fn meaning(&self) -> String {
        let meaning = self.row().meaning;
        match &self.0 {
            Kind::Row(_, Some(statistic)) => format!("{meaning}: {}", statistic.meaning()),
            Kind::Row(_, None) => meaning.to_owned(),
            Kind::Slope(of) => format!("Slope of `{of}` on a log-log scale"),
            Kind::Own(name) => format!("`{name}`, which the workload records itself"),
        }
    }

    /// Returns the key by which code names its row.
    pub fn key(&self) -> Key {
        match &self.0 {
            Kind::Row(key, _) => *key,
            Kind::Slope(_) => Key::Slope,
            Kind::Own(_) => Key::Own,
        }
    }

    /// Returns which statistic of its family it is; `None` if it belongs to no family.
    pub fn statistic(&self) -> Option<Statistic> {
        match self.0 {
            Kind::Row(_, statistic) => statistic,
            Kind::Slope(_) | Kind::Own(_) => None,
        }
    }

    /// Returns the part of the name before the statistic, such as `wall_`; it may be empty.
    pub fn family(&self) -> &'static str {
        self.row().name
    }

    /// Returns the metric whose slope it is; `None` if it is not a slope.
    pub fn slope_of(&self) -> Option<&Metric> {
        match &self.0 {
            Kind::Slope(of) => Some(of),
            Kind::Row(..) | Kind::Own(_) => None,
        }
    }

    /// Returns its name, if the workload records it itself.
    pub fn custom_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Own(name) => Some(name),
            Kind::Row(..) | Kind::Slope(_) => None,
        }
    }

    /// Returns the units that its limits are written in.
    pub fn units(&self) -> Units {
        self.row().unit
    }

    /// Returns the unit that its limits are written in; `None` if there are several. (A throughput counts operations
    /// or bytes; the unit of a workload's own metric is up to the project.)
    pub fn unit(&self) -> Option<Unit> {
        match self.units() {
            Units::One(unit) => Some(unit),
            Units::Rate | Units::Any => None,
        }
    }

    /// Returns which numbers a limit on it may be.
    pub fn values(&self) -> Values {
        self.row().values
    }

    /// Whether its slope over a parameter may be limited. An exit code is not an amount, and a rate falls as its time
    /// grows.
    pub fn has_slope(&self) -> bool {
        let amount = match self.values() {
            Values::Amount | Values::Size | Values::Time | Values::Share | Values::Own => true,
            Values::Code | Values::Slope => false,
        };
        amount && self.better() != Better::Higher
    }

    /// Returns which way is better.
    pub fn better(&self) -> Better {
        self.row().better
    }

    /// Whether the value can be given as a multiple of another one. It cannot if it is a code, if the workload records it
    /// itself, or if it is zero in a healthy program: failures, leaks, growth and context switches.
    pub fn has_ratio(&self) -> bool {
        let of_nothing = matches!(self.judged(), Judged::Statistical(Tolerance::Growth));
        let values = self.values();
        !of_nothing
            && self.halved() != Halved::Welcome
            && !matches!(values, Values::Code | Values::Own | Values::Slope)
    }

    /// Whether the ratio of two single values shows the ratio of the metric. It does not if a value is a whole run and the
    /// statistic is not that of a typical run.
    pub fn is_typical(&self) -> bool {
        self.sample() != SampleKind::Run
            || self.statistic().is_none_or(|statistic| statistic == Statistic::P50)
    }

    /// Returns how it is judged against a limit. The slope of a deterministic metric is compared, as the metric is.
    pub fn judged(&self) -> Judged {
        let judged = self.row().judged;
        match self.slope_of().map(Metric::judged) {
            Some(compared @ (Judged::Compared { .. } | Judged::Agreed { .. })) => compared,
            Some(Judged::Statistical(_) | Judged::UntilConstant(_)) | None => judged,
        }
    }

    /// Whether it is compared, rather than judged from evidence.
    pub fn is_deterministic(&self) -> bool {
        match self.judged() {
            Judged::Compared { .. } | Judged::Agreed { .. } => true,
            Judged::Statistical(_) | Judged::UntilConstant(_) => false,
        }
    }

    /// Whether it depends on how fast the code runs, so that a debug build says nothing about it.
    pub fn is_time(&self) -> bool {
        match self.slope_of().unwrap_or(self).judged() {
            Judged::Statistical(tolerance) | Judged::UntilConstant(tolerance) => {
                tolerance == Tolerance::Time
            }
            Judged::Compared { .. } | Judged::Agreed { .. } => false,
        }
    }

    /// Returns the amount to which a comparison of two readings raises a smaller one; 0 if it raises none.
    pub fn least_compared(&self) -> f64 {
        let of_process = self.sample() == SampleKind::Process;
        let resident = self.judged() == Judged::Statistical(Tolerance::Memory);
        if of_process && resident { LEAST_RESIDENT } else { 0.0 }
    }

    /// Returns what one value of it is.
    pub fn sample(&self) -> SampleKind {
        self.row().sample
    }

    /// Returns how to regard a value that is half of the accepted one.
    pub fn halved(&self) -> Halved {
        self.row().halved
    }

    /// Returns how a selftest moves it. A slope is moved by the effect of its metric, in proportion to each size.
    pub fn inject(&self) -> Inject {
        match self.slope_of() {
            Some(of) => Inject { lowers: None, ..of.inject() },
            None => self.row().inject,
        }
    }

    /// Returns what reads it for such a subject; `None` if the subject does not have it.
    pub fn instrument(&self, subject: SubjectKind) -> Option<InstrumentKind> {
        let of = self.slope_of().unwrap_or(self);
        of.row().has.iter().find(|has| has.0 == subject).map(|has| has.1)
    }

    /// Returns the instrument in the measuring process that reads it; `None` if such a subject is measured otherwise.
    pub fn worker_instrument(&self, subject: SubjectKind) -> Option<WorkerInstrument> {
        self.instrument(subject)?.worker()
    }

    /// Returns its row.
    pub fn row(&self) -> &'static Row {
        self.key().row()
    }
}

impl InstrumentKind {
    /// Returns the instrument of a workload's process, if it is one.
    pub fn worker(self) -> Option<WorkerInstrument> {
        match self {
            InstrumentKind::Worker(instrument) => Some(instrument),
            InstrumentKind::Files
            | InstrumentKind::Process
            | InstrumentKind::Traced
            | InstrumentKind::Benchmark
            | InstrumentKind::Recorded => None,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

impl From<Key> for Metric {
    /// # Panics
    /// If a key alone does not make a metric, because a statistic, the metric of a slope, or a name is missing.
    fn from(key: Key) -> Metric {
        let statistics: &[Statistic] = key.row().has.first().map_or(&[], |has| has.2);
        match (key, statistics) {
            (Key::Slope | Key::Own, _) | (_, [_, _, ..]) => {
                panic!("{key:?} is not a metric by itself")
            }
            (_, [one]) => Metric(Kind::Row(key, Some(*one))),
            (_, []) => Metric(Kind::Row(key, None)),
        }
    }
}

impl Key {
    /// Returns the metric of this family with this statistic.
    ///
    /// # Panics
    /// If no subject has it.
    pub const fn at(self, statistic: Statistic) -> Metric {
        assert!(has_statistic(self.row().has, statistic), "the family has no such statistic");
        Metric(Kind::Row(self, Some(statistic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_its_metric() {
        for kind in SubjectKind::ALL {
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
        assert_eq!(Metric::of(SubjectKind::Record, "p99"), None);
        assert_eq!(
            Metric::of(SubjectKind::Workload, "accuracy"),
            Some(Metric::recorded("accuracy"))
        );
    }

    #[test]
    fn a_key_without_statistics_is_a_metric() {
        let panics = |key: Key| std::panic::catch_unwind(|| Metric::from(key)).is_err();
        assert_eq!(Metric::from(Key::Mean).name(), "mean");
        assert_eq!(Key::Startup.at(Statistic::P95).name(), "startup_p95");
        for key in [Key::Latency, Key::Wall, Key::Startup, Key::Slope, Key::Own] {
            assert!(panics(key), "{key:?}");
        }
        let wrong = |key: Key| std::panic::catch_unwind(|| key.at(Statistic::Mean)).is_err();
        assert!(wrong(Key::Latency) && wrong(Key::Rss) && !wrong(Key::Wall));
    }

    #[test]
    fn a_slope_is_read_judged_and_moved_like_its_metric() {
        let of = |key: Key| Metric::slope(Metric::from(key));
        assert_eq!(of(Key::Allocs).judged(), Judged::Compared { repeats: 2 });
        assert_eq!(of(Key::Rss).judged(), Judged::Statistical(Tolerance::Slope));
        assert!(of(Key::Mean).is_time() && !of(Key::Rss).is_time() && !of(Key::Heap).is_time());
        let own = Metric::slope(Metric::recorded("depth"));
        assert_eq!(own.judged(), Judged::Statistical(Tolerance::Slope));
        assert_eq!(own.inject(), Inject { raises: Some(Effect::Recorded), lowers: None });
        let memory = InstrumentKind::Worker(WorkerInstrument::Memory);
        assert_eq!(of(Key::Rss).instrument(SubjectKind::Workload), Some(memory));
        assert_eq!(of(Key::Rss).instrument(SubjectKind::Artifact), None);
    }
}
