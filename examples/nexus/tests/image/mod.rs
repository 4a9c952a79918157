//! The container image that the budget `image` is about: of the program that cargo built beside this test.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// Makes the image, unless it is of this very program already. If it cannot be made, there is none, and the budget is
/// red.
pub(crate) fn make() {
    let program = Path::new(env!("CARGO_BIN_EXE_nexus"));
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nexus.tar");
    let age = |path: &Path| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    // The processes that measure run this code too, and must not make another image.
    if age(program).is_some() && age(program) == age(&image) {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("image.sh");
    let why = match Command::new("sh").arg(script).arg(program).arg(&image).output() {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    // An image that is left here is of an older program. It does not matter if there is none.
    let _ = std::fs::remove_file(&image);
    let _ = writeln!(io::stderr(), "failed to make `{}`: {}", image.display(), why.trim());
}
