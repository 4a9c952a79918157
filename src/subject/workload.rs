//! The processes of a workload as a source, and a source that is the reference of a comparison.

use std::path::PathBuf;
use std::time::Duration;

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::request::slice_after;
use crate::meter::Source;
use crate::worker::process::{self, Build, Request};

/// The processes of a workload.
pub(super) struct WorkloadProcesses {
    pub(super) request: Request,
    /// The test binary that the processes run. `None` for that of this process.
    pub(super) build: Option<Build>,
    pub(super) scratch: PathBuf,
    pub(super) timeout: Duration,
}

impl Source for WorkloadProcesses {
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let build = self.build.clone().map_or_else(Build::this, Ok)?;
        let process = process::measure_in(&build, &self.request, &self.scratch, self.timeout)?;
        self.request.slice = slice_after(&self.request, process.elapsed);
        Ok(ProcessRun { programs: vec![build.binary], ..process })
    }
}

/// A reference. If it cannot be measured, the error says that it is the reference that failed.
pub(super) struct NamedReference {
    pub(super) name: String,
    pub(super) source: Box<dyn Source>,
}

impl Source for NamedReference {
    fn prepare(&mut self) {
        self.source.prepare();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        self.source.measure_process().map_err(|why| why.of_role(Some(&self.name)))
    }
}
