//! A harness for the benchmarks of a project that has no budgets: a package of its own below the results, which depends on
//! the library of this command's version.
//!
//! So a benchmark is measured by the same code whether or not the project has budgets.

use std::path::{Path, PathBuf};

use crate::base::Built;
use crate::failure::Failure;
use crate::file;
use crate::init;
use crate::project::Project;

/// The name of the package and of its binary.
const NAME: &str = "perf-budget-benches";
/// The limit of every benchmark.
const BUDGETS: &str = "\
# Written by `cargo budget check --benches`, anew each time.
[budget.benches]
criterion = \"*\"
max = { mean = \"1.05 x base\" }
";

/// The package with the harness.
pub(crate) struct Harness {
    directory: PathBuf,
}

impl Harness {
    /// Writes the package.
    pub(crate) fn write(project: &Project) -> Result<Harness, Failure> {
        let harness = Harness { directory: project.results().join("harness") };
        let library = match init::checkout() {
            Some(path) => format!("path = {:?}", path.to_string_lossy()),
            None => format!("version = \"={}\"", env!("CARGO_PKG_VERSION")),
        };
        let manifest = format!(
            "[package]\nname = \"{NAME}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nperf-budget = {{ {library}, default-features = false }}\n\n[workspace]\n"
        );
        let budgets = harness.budgets();
        let main = format!(
            "fn main() -> std::process::ExitCode {{\n    perf_budget::Harness::new().file({:?}).main()\n}}\n",
            budgets.to_string_lossy()
        );
        for (name, text) in [
            ("Cargo.toml", manifest.as_str()),
            ("src/main.rs", main.as_str()),
            ("budgets.toml", BUDGETS),
        ] {
            write(&harness.directory.join(name), text)?;
        }
        Ok(harness)
    }

    /// Returns the file with the budgets.
    pub(crate) fn budgets(&self) -> PathBuf {
        self.directory.join("budgets.toml")
    }

    /// Builds the harness. It has a target directory of its own, since its features are not the project's.
    pub(crate) fn build(&self) -> Result<Built, Failure> {
        Built::build_apart(&self.directory.join("Cargo.toml"), &self.directory.join("target"), NAME)
    }
}

/// Writes a file unless it has this content, so that cargo builds nothing anew.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    file::write(path, text)
}
