//! What memory layout may make of two revisions that are measured one after the other.
//!
//! The programs of commands are linked once by cargo, and so is the test binary of this process. Where both sides are different
//! files, the functions of each lie where one link put them, and no number of pairs shows what another link would do.

use perf_budget_core::metric::{Better, Metric, SampleKind};
use perf_budget_core::outcome::words::LAYOUT;
use perf_budget_core::reading::ProcessRun;

use crate::worker::process::is_same_program;

/// Whether the programs of two revisions were linked apart. They are read whole for it, so only once.
#[derive(Debug, Default)]
pub(crate) struct Apart(Option<bool>);

impl Apart {
    /// Whether the programs of these processes are different files. A side whose programs are not known has none.
    pub(super) fn are_apart(&mut self, subject: &ProcessRun, reference: &ProcessRun) -> bool {
        let [a, b] = [&subject.programs, &reference.programs];
        *self.0.get_or_insert_with(|| {
            a.len() != b.len() || a.iter().zip(b).any(|(a, b)| !is_same_program(a, b))
        })
    }
}

/// Returns the ratio of both sides without what layout can have made of it at most, to the subject's disadvantage. Layout
/// changes only the time on a processor. `None` where that time is unknown, or where the value is no time.
pub(super) fn without_layout(
    metric: &Metric,
    (subject, reference): (f64, f64),
    processes: [&ProcessRun; 2],
) -> Option<f64> {
    let on_processor = |value: f64, process: &ProcessRun| match metric.sample() {
        SampleKind::Run => process.on_processor.map(|most| most.min(value)),
        // The only time that a process has as a whole is what it used of the processors.
        SampleKind::Process if metric.is_time() => Some(value),
        SampleKind::File
        | SampleKind::Operation
        | SampleKind::Batch
        | SampleKind::Rate
        | SampleKind::Failure
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => None,
    };
    if metric.better() != Better::Lower {
        return None;
    }
    // The extreme is where all of it was on one side.
    let lost = subject - (1.0 - 1.0 / (1.0 + LAYOUT)) * on_processor(subject, processes[0])?;
    let won = reference + LAYOUT * on_processor(reference, processes[1])?;
    let least = (lost / reference).min(subject / won);
    least.is_finite().then_some(least)
}
