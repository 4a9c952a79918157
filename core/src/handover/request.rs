//! A variable by which the command asks the harness for something else than verdicts.

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::exact;

/// Returns what the environment asks for; `None` if it asks for nothing. `command` is the only one that sets the
/// variable.
///
/// # Errors
/// If the variable is not understood. A run that judges must not take place instead.
pub(crate) fn of_environment<T: DeserializeOwned>(
    variable: &str,
    command: &str,
) -> Result<Option<T>, Error> {
    let Some(text) = std::env::var_os(variable) else { return Ok(None) };
    let asked = exact::read(text.to_string_lossy().as_bytes());
    asked.map(Some).map_err(|e| {
        Error::other(format!(
            "{variable} is set, for `{command}` alone, and is not understood: {e}; unset it"
        ))
    })
}
