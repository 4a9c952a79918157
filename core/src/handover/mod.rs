//! The handover of a base revision from the command `cargo budget` to the harness: the names and the format of the
//! environment variables, for both ends.
//!
//! Four variables hold paths, and a person may set them: the base's test binary, the base's test binaries that times
//! are compared with, the directory of the base's budgets, and this revision's test binaries. Everything else is in
//! one variable of JSON, which only the command writes. A test freezes its format, since the command and the harness
//! of a project may be of different versions.

mod links;
mod programs;
pub(crate) mod request;
mod unchanged;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::links::{MadeLinks, MoreLinks};
pub use self::programs::{DifferentProgram, Programs};
pub use self::unchanged::{MEASURE, Unchanged, Watched, Written, holds_if_equal, measures_always};
use crate::error::Error;
use crate::exact;
use crate::outcome::{BaseRevision, CodeChanges, Proven};

/// The variable with the base's test binary. If it was linked several times, the value lists the binaries as a search
/// path does.
pub const BINARIES: &str = "PERF_BUDGET_BASE";
/// The variable with the base's test binaries that times are compared with, if these are separate builds.
pub const LINKS: &str = "PERF_BUDGET_BASE_LINKS";
/// The variable with the directory of the base's `budgets.toml`, if that is not above the binary.
pub const DIRECTORY: &str = "PERF_BUDGET_BASE_DIR";
/// The variable with the test binaries of this revision that are run to compare times, if the running one is not used.
pub const HEADS: &str = "PERF_BUDGET_HEAD";
/// The variable with what only the command knows: [`Details`], as JSON.
pub const DETAILS: &str = "PERF_BUDGET_BASE_DETAILS";
/// All these variables. Each comparison sets the ones it needs and removes the others.
pub const VARIABLES: [&str; 5] = [BINARIES, LINKS, DIRECTORY, HEADS, DETAILS];

/// The version of the format of [`Details`]. It is raised when an older harness would misunderstand the new format.
const VERSION: u32 = 1;

/// A base revision as the command passes it to the harness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handover {
    /// The base's test binaries, which differ only in how they were linked. Empty if the base was not built.
    pub binaries: Vec<PathBuf>,
    /// The base's test binaries that times are compared with. Empty if `binaries` are used for times too.
    pub links: Vec<PathBuf>,
    /// The test binaries of this revision that are run to compare times. Empty if the running one is used.
    pub heads: Vec<PathBuf>,
    /// The directory of the base's `budgets.toml`. `None` if it is above the first binary.
    pub directory: Option<PathBuf>,
    /// The facts that only the command knows. This is the default value if a person has named the base.
    pub details: Details,
}

/// The facts about a base that only the command knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The version of this format. The default value has today's version.
    pub version: u32,
    /// The differences between the environment in which the base is built and that of this revision. Each entry is a
    /// variable's value in the base, or `None` if the variable is not set there.
    pub environment: BTreeMap<String, Option<String>>,
    /// The differences between the environment in which cargo runs the base's tests and that of this revision's, in the
    /// same form: variables of `[env]`, of build scripts and of cargo itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub run_environment: BTreeMap<String, Option<String>>,
    /// The notes for every comparison with the base.
    pub notes: Vec<String>,
    /// The notes for every comparison of times with the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_notes: Vec<String>,
    /// How further links are made that times are compared with. `None` if there can be no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_links: Option<MoreLinks>,
    /// The changes since the base in the code that runs. `None` if they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<CodeChanges>,
    /// The part that the base lacks, such as `budgets.toml`, if there is nothing in it to compare with. The change that
    /// adds perf-budget to a project has such a base.
    pub lacks: Option<String>,
    /// The benchmarks of both revisions, for each way in which budgets have them built. Empty if none is compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub benchmarks: Vec<Benchmarks>,
    /// The parts that are proven unchanged, so that they need not be measured. `None` if nothing is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<Unchanged>,
    /// The parts that are proven unchanged in the builds that times are compared with, if `unchanged` proves
    /// nothing. The proof holds for comparisons of times alone, since everything else is measured on cargo's own
    /// builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchanged_times: Option<Unchanged>,
    /// The copies of both revisions' test binaries that show whether a workload reaches what differs. `None` if nothing is
    /// proven by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
    /// Which revision the base is. `None` if an older command does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<BaseRevision>,
    /// The most seconds for measuring one limit, if that is less than its own effort: a person waits for the result. `None` if
    /// nobody waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<u32>,
}

/// The benchmarks of both revisions, built in one way so that they can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmarks {
    /// The features they are built with: those of the budgets that they are for.
    pub features: Option<Vec<String>>,
    /// The profile they are built with.
    pub profile: Option<String>,
    /// Whether every bench target was built.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// The file with the [list](crate::benchmarks::List) of this revision.
    pub head: PathBuf,
    /// The file with the list of the base. `None` if the base was not built, since all of them are proven equal.
    pub base: Option<PathBuf>,
    /// The programs of this revision that are proven equal to the base's, so that they need not be measured.
    #[serde(default)]
    pub equal: Vec<EqualProgram>,
    /// The notes for every comparison of them.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The file with what is prepared for each program that is not proven equal: [`Programs`]. `None` if an older command
    /// prepared nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programs: Option<PathBuf>,
}

/// A program of benchmarks that is the same in both revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EqualProgram {
    /// The program of this revision. The proof holds for no other file.
    pub program: Written,
    /// How it is proven.
    pub proven: Proven,
}

impl Default for Details {
    fn default() -> Self {
        Details {
            version: VERSION,
            environment: BTreeMap::new(),
            run_environment: BTreeMap::new(),
            notes: Vec::new(),
            link_notes: Vec::new(),
            more_links: None,
            changed: None,
            lacks: None,
            benchmarks: Vec::new(),
            unchanged: None,
            unchanged_times: None,
            watched: None,
            revision: None,
            effort: None,
        }
    }
}

impl Handover {
    /// Returns the variables that pass this base on, with their values. The caller must remove those of [`VARIABLES`]
    /// that are not among them.
    ///
    /// # Errors
    /// If a path cannot be an entry of a search path.
    pub fn to_env(&self) -> Result<Vec<(&'static str, OsString)>, Error> {
        let mut variables = Vec::new();
        for (name, paths) in
            [(BINARIES, &self.binaries), (LINKS, &self.links), (HEADS, &self.heads)]
        {
            if paths.is_empty() {
                continue;
            }
            let joined = std::env::join_paths(paths).map_err(|e| {
                Error::other(format!(
                    "failed to name the test binaries in {name}: {e}; build in a directory without such a character"
                ))
            })?;
            variables.push((name, joined));
        }
        if let Some(directory) = &self.directory {
            variables.push((DIRECTORY, directory.into()));
        }
        if self.details != Details::default() {
            let details = serde_json::to_string(&self.details)
                .map_err(|e| Error::other(format!("failed to write {DETAILS}: {e}")))?;
            variables.push((DETAILS, details.into()));
        }
        Ok(variables)
    }

    /// Reads the variables, whose values `lookup` returns. `None` if they name no base.
    ///
    /// # Errors
    /// If a variable cannot be understood.
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Handover>, Error> {
        let set = |name| lookup(name).filter(|value| !value.is_empty());
        let paths = |name| -> Vec<PathBuf> {
            let text = set(name).unwrap_or_default();
            std::env::split_paths(&text).filter(|path| !path.as_os_str().is_empty()).collect()
        };
        let details = set(DETAILS).map_or_else(|| Ok(Details::default()), |text| read(&text))?;
        let handover = Handover {
            binaries: paths(BINARIES),
            links: paths(LINKS),
            heads: paths(HEADS),
            directory: set(DIRECTORY).map(PathBuf::from),
            details,
        };
        let details = &handover.details;
        let names_a_base = !handover.binaries.is_empty()
            || details.lacks.is_some()
            || details.unchanged.is_some()
            || !details.benchmarks.is_empty();
        Ok(names_a_base.then_some(handover))
    }
}

/// Reads the JSON that the command wrote. Another version of the format is refused, because what it adds may matter for
/// the verdicts.
fn read(text: &OsStr) -> Result<Details, Error> {
    #[derive(Deserialize)]
    struct WireVersion {
        version: u32,
    }
    let remedy = "let `cargo budget check` set it";
    let refused =
        |why: String| Error::other(format!("{DETAILS} is not understood: {why}; {remedy}"));
    let text = text.to_str().ok_or_else(|| refused("it is not UTF-8".to_owned()))?;
    let version: WireVersion = exact::read(text.as_bytes()).map_err(|e| refused(e.to_string()))?;
    if version.version != VERSION {
        return Err(Error::other(format!(
            "{DETAILS} is of version {}, and this harness reads version {VERSION}; install the version of \
             cargo-budget that belongs to the project's perf-budget",
            version.version
        )));
    }
    exact::read(text.as_bytes()).map_err(|e| refused(e.to_string()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::exact::frozen::frozen;
    use crate::outcome::ComparisonMethod;

    /// The JSON of the first version, which every later version must read.
    const ALL: &str = r#"{"version":1,"environment":{"CARGO":"/bin/cargo","RUSTUP_TOOLCHAIN":null},"notes":["with another lock"],"lacks":"has no budgets.toml"}"#;

    const PROVEN: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"unchanged":{"proven":{"by":"files","commit":"0123456789abcdef0123456789abcdef01234567"},"budgets":["program"],"head":{"path":"/t/budgets-1","bytes":4096,"modified":1780000000123456789}}}"#;

    const TIMES: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"unchanged_times":{"proven":{"by":"sections","commit":"0123456789abcdef0123456789abcdef01234567"},"budgets":[],"head":{"path":"/t/budgets-1","bytes":4096,"modified":1780000000123456789}}}"#;

    const RUN: &str = r#"{"version":1,"environment":{},"run_environment":{"MODE":"slow","OUT_DIR":null},"notes":[],"lacks":null}"#;

    const LINKED: &str = r#"{"version":1,"environment":{},"notes":[],"link_notes":["one unit"],"more_links":{"program":"/t/perf-budget-links","arguments":["{}"],"most":128},"lacks":null}"#;

    const BENCHMARKS: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"benchmarks":[{"features":null,"profile":"dist","head":"/t/h.json","base":"/t/b.json","equal":[{"program":{"path":"/t/sums-1","bytes":9,"modified":1},"proven":{"by":"sections","commit":"0123456789abcdef0123456789abcdef01234567"}}],"notes":["one link"]}]}"#;

    const PREPARED: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"benchmarks":[{"features":null,"profile":null,"head":"/t/h.json","base":"/t/b.json","equal":[],"notes":[],"programs":"/t/p.json"}]}"#;

    const REVISION: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"revision":{"name":"main","commit":"0123456789abcdef0123456789abcdef01234567"}}"#;

    const EFFORT: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"effort":2}"#;

    #[test]
    fn the_format_of_an_effort_stays_the_same() {
        let details: Details = frozen(EFFORT);
        assert_eq!(details.effort, Some(2));
    }

    #[test]
    fn the_format_of_a_revision_stays_the_same() {
        let details: Details = frozen(REVISION);
        assert_eq!(details.revision.unwrap().name, "main");
    }

    #[test]
    fn the_format_of_compared_benchmarks_stays_the_same() {
        let details: Details = frozen(BENCHMARKS);
        assert_eq!(details.benchmarks[0].profile.as_deref(), Some("dist"));
        let prepared: Details = frozen(PREPARED);
        assert_eq!(prepared.benchmarks[0].programs.as_deref(), Some(Path::new("/t/p.json")));
        // They name a base, even if it has no tests.
        let handover = Handover { details, ..Handover::default() };
        assert_eq!(back(&handover.to_env().unwrap()).unwrap(), Some(handover));
    }

    /// Reads the base back from these variables.
    fn back(variables: &[(&'static str, OsString)]) -> Result<Option<Handover>, Error> {
        let named = |name: &str| variables.iter().find(|(own, _)| *own == name);
        Handover::from_env(|name| named(name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn the_format_of_the_variable_stays_the_same() {
        let details: Details = frozen(ALL);
        assert_eq!(details.environment["RUSTUP_TOOLCHAIN"], None);
        assert_eq!(details.lacks.as_deref(), Some("has no budgets.toml"));
        let details: Details = frozen(RUN);
        assert_eq!(details.run_environment["MODE"].as_deref(), Some("slow"));
    }

    #[test]
    fn the_format_of_the_notes_about_links_stays_the_same() {
        let details: Details = frozen(LINKED);
        assert_eq!(details.link_notes, ["one unit"]);
        assert_eq!(details.more_links.map(|more| more.most), Some(128));
    }

    #[test]
    fn the_format_of_a_proof_stays_the_same() {
        let details: Details = frozen(PROVEN);
        let unchanged = details.unchanged.unwrap();
        assert_eq!(
            unchanged.proven.describe(),
            "nothing that it runs has changed since 0123456789ab"
        );
        let details: Details = frozen(TIMES);
        assert_eq!(
            (details.unchanged, details.unchanged_times.unwrap().proven.by),
            (None, ComparisonMethod::Sections)
        );
    }

    const WATCHED: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"watched":{"commit":"0123456789abcdef0123456789abcdef01234567","base":"/t/base","head":"/t/head","of":{"path":"/t/budgets-1","bytes":4096,"modified":1}}}"#;

    #[test]
    fn the_format_of_watched_programs_stays_the_same() {
        let details: Details = frozen(WATCHED);
        let proven = details.watched.unwrap().proven();
        assert_eq!(
            proven.describe(),
            "it reaches only machine code that is the same as at 0123456789ab"
        );
    }

    #[test]
    fn a_base_is_read_as_it_was_written() {
        let whole = Handover {
            binaries: vec!["/b/one".into(), "/b/two".into()],
            links: vec!["/b/link-1".into(), "/b/link-2".into()],
            heads: vec!["/h/one".into()],
            directory: Some("/b".into()),
            details: frozen(ALL),
        };
        let variables = whole.to_env().unwrap();
        assert!(
            variables
                .iter()
                .map(|(name, _)| name)
                .eq([BINARIES, LINKS, HEADS, DIRECTORY, DETAILS].iter())
        );
        assert_eq!(back(&variables).unwrap(), Some(whole));
        // A person who has built the base sets the variables by hand.
        let by_hand = [(BINARIES, "/b/one".into()), (HEADS, OsString::new())];
        let handover = back(&by_hand).unwrap().unwrap();
        assert_eq!((handover.binaries.len(), handover.heads.len()), (1, 0));
        assert_eq!((handover.directory, handover.details), (None, Details::default()));
        assert_eq!(back(&[]).unwrap(), None);
        assert_eq!(back(&[(BINARIES, OsString::new())]).unwrap(), None);
        assert_eq!(back(&[(DIRECTORY, "/b".into())]).unwrap(), None);
        let lacks = Details { lacks: Some("has no test".to_owned()), ..Details::default() };
        let lacks = Handover { details: lacks, ..Handover::default() };
        assert_eq!(back(&lacks.to_env().unwrap()).unwrap(), Some(lacks));
    }

    #[test]
    fn a_variable_that_is_not_understood_is_refused() {
        let check = |text: &str, want: &str| {
            let why =
                back(&[(BINARIES, "/b".into()), (DETAILS, text.into())]).unwrap_err().to_string();
            assert!(why.contains(want), "{why}");
        };
        check("{", "is not understood");
        check("{\"version\":1}", "missing field");
        check("{\"version\":2,\"new\":true}", "is of version 2, and this harness reads version 1");
    }
}
