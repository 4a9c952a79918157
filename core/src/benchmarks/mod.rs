//! The benchmarks of a workspace: in which programs they are, and by which names budgets find them.
//!
//! A list is made once the programs are built, and kept in a file beside the results. The programs in it are known by
//! their files, so that a later process, which only lists tests, starts none of them.

#[cfg(test)]
mod beside_tests;
mod list;
mod names;
#[cfg(test)]
mod no_help_tests;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::budget::Library;
use crate::build::runner::Changes;
use crate::build::{Bench, Benches};
use crate::error::Error;
use crate::exact;
use crate::handover::Written;
use crate::metric::{InstrumentKind, Metric, SampleKind, WorkerInstrument};
use crate::outcome::{Cause, Fault, Unmeasured};

pub use self::list::{Ask, SERVES, list, listed};
pub use self::names::{Entry, beginning, expand};

/// The version of the format of a list. A list of another version is made anew.
const VERSION: u32 = 4;

/// The benchmarks of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    version: u32,
    /// The programs, by package and target.
    pub programs: Vec<Program>,
    /// The benchmarks that are not in the list, with the reasons.
    pub faults: Vec<Fault>,
    /// The bench targets whose benchmarks are not in the list, by package and target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(String, String)>,
    /// A note for people on how the programs were built.
    pub note: String,
}

/// One program of benchmarks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The name of its package.
    pub package: String,
    /// The directory of its package, in which it runs.
    pub directory: PathBuf,
    /// The name of its bench target.
    pub target: String,
    /// The path of the program.
    pub binary: PathBuf,
    /// The state of the file when the program was asked.
    pub written: Written,
    /// The variables with which `cargo bench` runs it, as far as they differ from those of the process that has built it.
    pub variables: Changes,
    /// The answer of the program.
    pub content: Content,
}

/// The content of a program of benchmarks. A name that two of its benchmarks have is there twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Benchmarks of Criterion.
    Criterion {
        /// The abilities of this version of Criterion.
        skills: Abilities,
        /// The names of the benchmarks, in the order of the program.
        names: Vec<String>,
    },
    /// Benchmarks of Divan, in a program that serves them.
    Divan {
        /// The names of the benchmarks, in the order of the program.
        names: Vec<String>,
    },
    /// Benchmarks of the standard test harness.
    Libtest {
        /// The names of the benchmarks, in the order of the program.
        names: Vec<String>,
    },
    /// No benchmark, in a program of the standard test harness.
    Standard,
    /// Something else. Such a program is not started, since nobody knows what it would do.
    Other,
}

impl Content {
    /// Returns the benchmarks: their library, what its version can do, and their names. `None` if there are none that can
    /// be measured.
    pub fn benchmarks(&self) -> Option<(Library, Abilities, &[String])> {
        let serves = Abilities { exact: true, quick: false, serves: true };
        match self {
            Content::Criterion { skills, names } => Some((Library::Criterion, *skills, names)),
            Content::Divan { names } => Some((Library::Divan, serves, names)),
            Content::Libtest { names } => {
                Some((Library::Libtest, Abilities { serves: false, ..serves }, names))
            }
            Content::Standard | Content::Other => None,
        }
    }
}

/// The abilities of a program of benchmarks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// `--exact`: the filter is a whole name, and not a regular expression. Criterion 0.5 was the first.
    pub exact: bool,
    /// `--quick`, and times of less than a second. Criterion 0.4 was the first.
    pub quick: bool,
    /// The program measures a benchmark as a workload if the harness asks for it: it has `perf-budget-criterion` or
    /// `perf-budget-divan` in the place of the library.
    #[serde(default)]
    pub serves: bool,
}

impl List {
    /// Makes a list of what was built. `ask` starts a program. Programs that are in `before` and have not changed since
    /// are not asked again.
    pub fn of(benches: &Benches, note: String, before: Option<&List>, ask: Ask<'_>) -> List {
        let mut list = List {
            version: VERSION,
            programs: Vec::new(),
            faults: benches.faults.iter().map(Fault::from).collect(),
            missing: benches.missing.clone(),
            note: [note].iter().chain(&benches.featured).cloned().collect::<Vec<_>>().join(", "),
        };
        for bench in &benches.built {
            match program(bench, before, ask) {
                Ok(program) => list.programs.push(program),
                Err(why) => {
                    list.faults.push(Fault::from(&why));
                    list.missing.push((bench.package.clone(), bench.target.clone()));
                }
            }
        }
        list
    }

    /// Reads a list. `None` if there is none in the file, or it is of another version.
    pub fn read(file: &Path) -> Option<List> {
        let list: List = exact::read(&fs::read(file).ok()?).ok()?;
        (list.version == VERSION).then_some(list)
    }

    /// Writes the list.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        atomic::write_json(file, self)
    }

    /// Returns all reasons why benchmarks are not in the list as one, with the cause of the first.
    pub fn fault(&self) -> Option<Unmeasured> {
        let reasons: Vec<Unmeasured> = self.faults.iter().map(Fault::reason).collect();
        let text = reasons.iter().map(|why| why.text.as_str()).collect::<Vec<_>>().join("; ");
        let outputs: Vec<&str> = reasons.iter().filter_map(|why| why.output.as_deref()).collect();
        let output = (!outputs.is_empty()).then(|| outputs.join("\n"));
        reasons.first().map(|why| Unmeasured { cause: why.cause, text, output })
    }

    /// Whether the benchmarks of a program may be missing from the list. If the list does not say whose benchmarks are
    /// missing, those of any program may be.
    pub fn may_lack(&self, program: &Program) -> bool {
        let is_it = |(package, target): &(String, String)| {
            (package, target) == (&program.package, &program.target)
        };
        !self.faults.is_empty() && (self.missing.is_empty() || self.missing.iter().any(is_it))
    }

    /// Whether each program of the list is still the same file.
    pub fn is_current(&self) -> bool {
        let is_same = |program: &Program| {
            Written::of(&program.binary).is_ok_and(|written| written == program.written)
        };
        self.programs.iter().all(is_same)
    }
}

/// Whether a metric of a benchmark can be measured with the library itself: the mean of batches and what follows from it,
/// which all libraries report, and with Criterion the instructions of one iteration. All other metrics need a program that
/// serves its benchmarks.
pub fn stands_alone(library: Library, metric: &Metric) -> bool {
    matches!(metric.sample(), SampleKind::Batch | SampleKind::Rate)
        || is_counted_within(library, metric)
}

/// Whether a metric is counted while Criterion's own functions iterate.
pub fn is_counted_within(library: Library, metric: &Metric) -> bool {
    let counted = InstrumentKind::Worker(WorkerInstrument::Instructions);
    match library {
        Library::Criterion => metric.instrument(library.kind()) == Some(counted),
        Library::Divan | Library::Libtest => false,
    }
}

fn program(bench: &Bench, before: Option<&List>, ask: Ask<'_>) -> Result<Program, Unmeasured> {
    let written =
        Written::of(&bench.binary).map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
    let known = before.into_iter().flat_map(|list| &list.programs);
    let known = known
        .into_iter()
        .find(|known| known.written == written && known.variables == bench.variables);
    let content = match known {
        Some(known) => known.content.clone(),
        None => list(bench, ask)?,
    };
    let Bench { package, directory, target, binary, variables } = bench.clone();
    Ok(Program { package, directory, target, binary, written, variables, content })
}
