//! Where things are: the project's budgets, and the directory that results are kept in.

use std::path::{Path, PathBuf};

use crate::Error;

/// Overrides the directory for results.
const DIRECTORY: &str = "PERF_BUDGET_DIR";

/// The file with the budgets: `named`, or `budgets.toml`, beside the package's manifest.
pub(crate) fn budgets(named: Option<&Path>) -> PathBuf {
    let named = named.unwrap_or(Path::new("budgets.toml"));
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => Path::new(&package).join(named),
        None => named.to_owned(),
    }
}

/// `target/budgets`, made if need be: beside the test binary, which is where cargo's other results are.
///
/// # Errors
/// Where it cannot be made or the test binary's place is unknown.
pub(crate) fn results() -> Result<PathBuf, Error> {
    let directory = match std::env::var_os(DIRECTORY) {
        Some(set) => PathBuf::from(set),
        None => target()?.join("budgets"),
    };
    std::fs::create_dir_all(&directory).map_err(|e| {
        Error::other(format!(
            "failed to create `{}`, which results are kept in: {e}; set {DIRECTORY} to a directory \
             that can be written",
            directory.display()
        ))
    })?;
    directory.canonicalize().map_err(|e| Error::io("resolve", &directory, e))
}

/// Cargo marks its target directory with `CACHEDIR.TAG`; without one, `deps/` lies two below it.
fn target() -> Result<PathBuf, Error> {
    let unknown = |e| Error::io("find the place of", Path::new("the test binary"), e);
    let binary = std::env::current_exe().map_err(unknown)?;
    let marked = binary.ancestors().skip(1).find(|dir| dir.join("CACHEDIR.TAG").is_file());
    let target = marked.or_else(|| binary.ancestors().nth(3));
    Ok(target.unwrap_or(Path::new("target")).to_owned())
}

/// `path` as people know it: from the current directory where it lies below that.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    relative.unwrap_or(path).display().to_string()
}
