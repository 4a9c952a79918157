//! What else the machine does, read beside every reading.

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::Source;
use crate::noise;

/// A source that watches the machine while it measures.
pub(crate) struct Watched(pub(crate) Box<dyn Source>);

impl Source for Watched {
    fn prepare(&mut self) {
        self.0.prepare();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        // What the machine does while a record is read says nothing of when it was made.
        if self.is_recorded() {
            self.0.measure_process()
        } else {
            noise::watch(|| self.0.measure_process())
        }
    }

    fn is_recorded(&self) -> bool {
        self.0.is_recorded()
    }

    fn burst(&self) -> std::time::Duration {
        self.0.burst()
    }
}
