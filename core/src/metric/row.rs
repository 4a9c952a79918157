//! The columns of a row of the table of metrics. The table itself defines the keys and the instruments.

use super::column::{
    Better, Halved, Inject, Judged, MeasuredOn, SampleKind, SubjectKind, Units, Values,
};
use super::statistic::Statistic;

/// A metric, or a family of metrics that differ in their statistic (`wall_p50` to `wall_max`).
#[derive(Debug)]
pub struct RowOf<Key: 'static, Instrument: 'static> {
    /// The key by which code names it.
    pub key: Key,
    /// The name in `budgets.toml`; for a family the part before the statistic, which may be empty.
    pub name: &'static str,
    /// The meaning of the metric, as a sentence without a full stop.
    pub meaning: &'static str,
    /// The subjects that have it, with what reads it there and which statistics there are. There are no statistics if
    /// it is a single metric and not a family.
    pub has: &'static [(SubjectKind, Instrument, &'static [Statistic])],
    /// The units of its limits.
    pub unit: Units,
    /// The numbers that a limit may be.
    pub values: Values,
    /// Which way is better.
    pub better: Better,
    /// How it is judged against a limit.
    pub judged: Judged,
    /// The kind of its values: what one value describes.
    pub sample: SampleKind,
    /// How to regard a value that is half of the accepted one.
    pub halved: Halved,
    /// How a selftest moves it.
    pub inject: Inject,
    /// The systems that tell it, of a command and of a workload.
    pub on: MeasuredOn,
}
