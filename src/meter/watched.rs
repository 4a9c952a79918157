//! A source whose readings say what else the machine did meanwhile.

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::Source;
use crate::noise;

/// A source that is wrapped so that the noise of the machine is read before and after each measurement.
pub(crate) struct Watched(pub(crate) Box<dyn Source>);

impl Source for Watched {
    fn prepare(&mut self) {
        self.0.prepare();
    }

    fn pending_preparation(&self) -> Option<String> {
        self.0.pending_preparation()
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        // A record was made earlier, so the noise while it is read says nothing about it.
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
