//! The messages of `history record` and `history import` about the runs that they recorded.

use serde_json::json;

use super::context::Context;
use super::rendering::Rendering;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{Place, Recorded};

/// Says what was done with each run: to people in sentences, to programs in one document.
pub(super) fn report_runs(
    place: &Place,
    is_dry: bool,
    runs: &[Recorded],
    format: Rendering,
    context: Context,
) -> Result<Exit, Failure> {
    for run in runs {
        for message in run.warnings.iter().chain([&run.sentence]) {
            context.tell(message);
        }
    }
    let history = place.public_name();
    format.put(
        String::new,
        || json!({ "version": 1, "history": history, "is_dry": is_dry, "runs": runs }),
    )?;
    Ok(Exit::Holds)
}
