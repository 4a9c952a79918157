//! The profiles that `cargo budget explain --profile` asks for, written to a file of their own. Nothing is judged, and the
//! process ends as if a test were red, so that it is never mistaken for a run.

use std::process::ExitCode;

use perf_budget_core::error::Error;
use perf_budget_core::profile::{PROFILED, Profile, Request};
use perf_budget_core::selftest::names;

use crate::selftest::Results;
use crate::session::Session;

/// Profiles what the environment asks for, and writes each profile as soon as there is one. `None` if it asks for nothing.
///
/// # Errors
/// If the request is not understood, or the file cannot be written.
pub(crate) fn run(session: &Session) -> Result<Option<ExitCode>, Error> {
    let Some(request) = Request::of_environment()? else { return Ok(None) };
    let failed = |e| Error::io("write", &request.file, e);
    let mut results = Results::create(&request.file).map_err(failed)?;
    for case in session.cases(&|name| names(&request.name, name)) {
        let (blame, why) = match session.profiled(&case) {
            Ok(blame) => (Some(Box::new((*blame).clone())), String::new()),
            Err(why) => (None, why),
        };
        let sampled = session.sampled(&case, blame.as_deref(), &why);
        let (sampled, why) = match sampled {
            Some(Ok(taken)) => (Some(Box::new((*taken).clone())), String::new()),
            Some(Err(none)) => (None, format!("{why}; no samples were taken: {none}")),
            None => (None, why),
        };
        results.add(&Profile { name: case.name, blame, why, sampled }).map_err(failed)?;
    }
    Ok(Some(ExitCode::from(PROFILED)))
}
