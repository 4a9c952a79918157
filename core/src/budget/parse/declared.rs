//! The metrics that a budget declares by `unit`: those that a workload records itself.

use std::ops::Range;

use crate::quantity::Unit;

/// The metrics that a budget declares.
#[derive(Debug, Default)]
pub(super) struct Declared(pub(super) Vec<Metric>);

/// A metric that is declared.
#[derive(Debug)]
pub(super) struct Metric {
    /// Its name.
    pub(super) name: String,
    /// The unit of its limits.
    pub(super) unit: Unit,
    /// Where it is declared.
    pub(super) at: Range<usize>,
}

impl Declared {
    /// Whether a metric of this name is declared.
    pub(super) fn has(&self, name: &str) -> bool {
        self.unit(name).is_some()
    }

    /// Returns the declared unit of a metric of this name.
    pub(super) fn unit(&self, name: &str) -> Option<Unit> {
        self.0.iter().find(|metric| metric.name == name).map(|metric| metric.unit)
    }
}
