//! Output that another program waits for.

use std::error::Error;
use std::io::Write;

/// Writes to standard output at once.
pub(crate) fn print(text: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
