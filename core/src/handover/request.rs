//! A variable by which the command requests something else than verdicts from the harness.

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::exact;

/// Returns the request in a variable of the environment; `None` if it is not set. Only the command `command` sets the
/// variable.
///
/// # Errors
/// If the variable is not understood. A run that judges must not take place instead.
pub(crate) fn of_environment<T: DeserializeOwned>(
    variable: &str,
    command: &str,
) -> Result<Option<T>, Error> {
    let Some(text) = std::env::var_os(variable) else { return Ok(None) };
    let request = exact::read(text.to_string_lossy().as_bytes());
    request.map(Some).map_err(|e| {
        Error::other(format!(
            "{variable} is set, for `{command}` alone, and is not understood: {e}; unset it"
        ))
    })
}
