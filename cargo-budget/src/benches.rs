//! A harness for the benchmarks of a project that has no budgets: a package of its own below the results, which depends on
//! the library of this command's version.
//!
//! So a benchmark is measured by the same code whether or not the project has budgets.

use std::path::PathBuf;
use std::process::Command;

use perf_budget_core::benchmarks::List;
use perf_budget_core::report::next::{AT_MOST, MADE};
use perf_budget_core::{budget, paths};

use crate::base::{Base, Built};
use crate::child;
use crate::failure::Failure;
use crate::file;
use crate::init::{self, Measured};
use crate::project::{HARNESS, MEASURED, Project};

/// The name of the package and of its binary.
const NAME: &str = MADE;
/// A limit that no benchmark breaks.
const GENEROUS: &str = "1 h";
/// The crate that stands in for Divan, so that its benchmarks can be measured.
const DIVAN: &str = "perf-budget-divan";

/// Reads how many times as long as in the base a benchmark may take.
pub(crate) fn factor(text: &str) -> Result<f64, String> {
    let factor: Option<f64> = text.parse().ok();
    factor.filter(|factor| factor.is_finite() && *factor >= 1.0).ok_or_else(|| {
        "it is no number from 1 on; write how many times as long as in the base a benchmark may take, such as 1.02"
            .to_owned()
    })
}

/// The package with the harness.
pub(crate) struct Harness {
    directory: PathBuf,
}

impl Harness {
    /// Writes the package, whose budgets limit each benchmark to so many times the base.
    pub(crate) fn write(project: &Project, at_most: Option<f64>) -> Result<Harness, Failure> {
        Harness::with_limit(project, &format!("{} x base", at_most.unwrap_or(AT_MOST)))
    }

    /// Measures every benchmark once, under a limit that none of them breaks. `run` starts the harness.
    pub(crate) fn measure(
        project: &Project,
        run: &dyn Fn(&mut Command) -> Result<(), Failure>,
    ) -> Result<Measured, Failure> {
        let harness = Harness::with_limit(project, GENEROUS)?;
        let built = harness.build()?;
        // These outcomes get a record of their own, since the project's record is about its own budgets.
        let results = harness.directory.join(MEASURED);
        file::remove(&paths::record(&results))?;
        let mut command = built.harness(&project.root);
        Base::tell(None, &mut command)?;
        run(command.env("PERF_BUDGET_DIR", &results))?;
        let lists = std::fs::read_dir(results.join("benchmarks"));
        let lists = lists.into_iter().flatten().flatten();
        Ok(Measured {
            budgets: Some(budget::load(&harness.budgets())?),
            lists: lists.filter_map(|entry| List::read(&entry.path())).collect(),
            // The harness may be outside of the project, and its runs are then known by the place of its budgets.
            outcomes: project
                .with_file(harness.budgets())
                .read_record(&paths::record(&results))?
                .outcomes,
        })
    }

    /// Writes the package into its directory of the results, with this limit on each benchmark.
    fn with_limit(project: &Project, limit: &str) -> Result<Harness, Failure> {
        let harness = Harness { directory: project.results().join(HARNESS) };
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
            ("budgets.toml", limits(libraries(project), limit).as_str()),
        ] {
            file::write_if_other(&harness.directory.join(name), text)?;
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

/// The libraries whose benchmarks a workspace has.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the workspace")]
struct Libraries {
    has_criterion: bool,
    /// Whether a package has the crate with which benchmarks of Divan can be measured.
    serves_divan: bool,
    /// Whether a package has Divan itself.
    has_divan: bool,
    /// Whether there is a bench target, of whatever library.
    has_target: bool,
}

/// Returns the libraries that packages of the workspace depend on. If cargo cannot describe the workspace, there is none.
fn libraries(project: &Project) -> Libraries {
    let mut metadata = child::metadata(&project.root);
    let packages = metadata.no_deps().exec().map(|all| all.packages).unwrap_or_default();
    let depends = |is_named: &dyn Fn(&str) -> bool| {
        let mut all = packages.iter().flat_map(|package| &package.dependencies);
        all.any(|own| is_named(&own.name) || own.rename.as_deref().is_some_and(is_named))
    };
    Libraries {
        has_criterion: depends(&|name| name.contains("criterion")),
        serves_divan: depends(&|name| name == DIVAN),
        has_divan: depends(&|name| name == "divan"),
        has_target: packages
            .iter()
            .flat_map(|own| &own.targets)
            .any(cargo_metadata::Target::is_bench),
    }
}

/// Returns budgets that limit every benchmark. Some of them are red and say what to write: a budget for Divan itself, which
/// is only made if Criterion has no benchmarks, one for functions with `#[bench]` if the workspace has no library, and one for
/// a workspace without benchmarks.
fn limits(libraries: Libraries, limit: &str) -> String {
    let Libraries { has_criterion, serves_divan, has_divan, has_target } = libraries;
    let budget = |name: &str, library: &str| {
        format!("[budget.{name}]\n{library} = \"*\"\nmax = {{ mean = \"{limit}\" }}\n")
    };
    let mut text = "# Written by `cargo budget`, anew each time.\n".to_owned();
    let has_none = !has_criterion && !serves_divan && !has_divan;
    if has_criterion || (has_none && !has_target) {
        text += &budget("benches", "criterion");
    }
    if serves_divan || (has_divan && !has_criterion) {
        text += &budget("divan", "divan");
    }
    if has_none && has_target {
        text += &budget("benches", "libtest");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use perf_budget_core::budget::{Budget, Library, Subject};

    use super::*;

    #[test]
    fn a_factor_is_a_number_from_one_on() {
        assert_eq!(factor("1.02"), Ok(1.02));
        assert_eq!(factor("1"), Ok(1.0));
        for text in ["0.99", "inf", "NaN", "2 %", "-1.02", ""] {
            assert!(factor(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_library_has_its_budget_and_a_workspace_without_benchmarks_has_one_too() {
        let check = |libraries: [bool; 4], want: &[(&str, Library)]| {
            let [has_criterion, serves_divan, has_divan, has_target] = libraries;
            let libraries = Libraries { has_criterion, serves_divan, has_divan, has_target };
            let text = limits(libraries, "1.05 x base");
            let file = budget::parse(&text, Path::new("budgets.toml")).unwrap();
            let library = |own: &Budget| {
                let Subject::Benchmark(library, _) = own.subject else { panic!("{text}") };
                (own.name.clone(), library)
            };
            let found: Vec<(String, Library)> = file.budgets.iter().map(library).collect();
            let want: Vec<(String, Library)> =
                want.iter().map(|&(name, library)| (name.to_owned(), library)).collect();
            assert_eq!(found, want, "{text}");
        };
        let (criterion, divan) = (("benches", Library::Criterion), ("divan", Library::Divan));
        check([true, false, false, true], &[criterion]);
        check([true, true, false, true], &[criterion, divan]);
        check([false, true, false, true], &[divan]);
        // A budget for Divan itself is red, and its message has the line to write. Beside Criterion it would stay red.
        check([false, false, true, true], &[divan]);
        check([true, false, true, true], &[criterion]);
        check([false, false, false, true], &[("benches", Library::Libtest)]);
        check([false, false, false, false], &[criterion]);
    }
}
