//! What the command tells the harness of a base revision: the names of the variables and their form, for both ends.
//!
//! Four variables are paths, and a person may set them: the base's test binary, those that its times are compared by, the directory
//! of its budgets, and this revision's test binaries. All else is one variable of JSON, which only the command writes. Its form is frozen by a test,
//! since the command and the harness of a project may be of different versions.

mod unchanged;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::unchanged::{MEASURE, Unchanged, Written, holds_if_equal, measures_always};
use crate::error::Error;
use crate::exact;

/// The base's test binary; several, as a search path is written, where it was linked several times.
pub const BINARIES: &str = "PERF_BUDGET_BASE";
/// The base's test binaries that times are compared with, where they are builds of their own.
pub const LINKS: &str = "PERF_BUDGET_BASE_LINKS";
/// The directory with the base's `budgets.toml`, where it is not above the binary.
pub const DIRECTORY: &str = "PERF_BUDGET_BASE_DIR";
/// This revision's test binaries that times are compared by, where they are not the one that runs.
pub const HEADS: &str = "PERF_BUDGET_HEAD";
/// What the command alone writes: [`Told`], as JSON.
pub const TOLD: &str = "PERF_BUDGET_BASE_TOLD";
/// All of them: each comparison sets its own, and takes away those of another.
pub const VARIABLES: [&str; 5] = [BINARIES, LINKS, DIRECTORY, HEADS, TOLD];

/// The version of [`Told`]. It is raised where an older harness would misunderstand what is new.
const VERSION: u32 = 1;

/// A base revision as it is handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handover {
    /// Its test binaries, alike but for how they were linked; none where it was not built.
    pub binaries: Vec<PathBuf>,
    /// Its test binaries that times are compared with; none where those are `binaries`.
    pub links: Vec<PathBuf>,
    /// This revision's, likewise; none where it is the process's own.
    pub heads: Vec<PathBuf>,
    /// Where its `budgets.toml` is; `None`: above the first binary.
    pub directory: Option<PathBuf>,
    /// What only the command knows; the default where a person named the base.
    pub told: Told,
}

/// What only the command knows of a base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The version of this form; that of the default is today's.
    pub version: u32,
    /// How the environment of the base's builds differs from this revision's: the value of each variable, `None` where
    /// it is not set.
    pub environment: BTreeMap<String, Option<String>>,
    /// What is said of each comparison with it.
    pub notes: Vec<String>,
    /// What is said of each comparison of times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_notes: Vec<String>,
    /// What the base has none of, where there is nothing of it to compare with: the change adopts this gate.
    pub lacks: Option<String>,
    /// What need not be measured; `None` where nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<Unchanged>,
}

impl Default for Told {
    fn default() -> Self {
        Told {
            version: VERSION,
            environment: BTreeMap::new(),
            notes: Vec::new(),
            link_notes: Vec::new(),
            lacks: None,
            unchanged: None,
        }
    }
}

impl Handover {
    /// The variables that say it. Those of [`VARIABLES`] that are not among them are not to be set.
    ///
    /// # Errors
    /// Where a path cannot be written in a search path.
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
        if self.told != Told::default() {
            let told = serde_json::to_string(&self.told)
                .map_err(|e| Error::other(format!("failed to write {TOLD}: {e}")))?;
            variables.push((TOLD, told.into()));
        }
        Ok(variables)
    }

    /// What the variables say, each as `lookup` has it; `None` where they name no base.
    ///
    /// # Errors
    /// Where they are not understood.
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Handover>, Error> {
        let set = |name| lookup(name).filter(|value| !value.is_empty());
        let paths = |name| -> Vec<PathBuf> {
            let text = set(name).unwrap_or_default();
            std::env::split_paths(&text).filter(|path| !path.as_os_str().is_empty()).collect()
        };
        let told = set(TOLD).map_or_else(|| Ok(Told::default()), |text| read(&text))?;
        let handover = Handover {
            binaries: paths(BINARIES),
            links: paths(LINKS),
            heads: paths(HEADS),
            directory: set(DIRECTORY).map(PathBuf::from),
            told,
        };
        let told = &handover.told;
        let names_one =
            !handover.binaries.is_empty() || told.lacks.is_some() || told.unchanged.is_some();
        Ok(names_one.then_some(handover))
    }
}

/// Reads what the command wrote. A form of another version is refused, and not read as if it were this one: what it adds
/// may be what must not be missed.
fn read(text: &OsStr) -> Result<Told, Error> {
    #[derive(Deserialize)]
    struct WireVersion {
        version: u32,
    }
    let remedy = "let `cargo budget check` set it";
    let refused = |why: String| Error::other(format!("{TOLD} is not understood: {why}; {remedy}"));
    let text = text.to_str().ok_or_else(|| refused("it is not UTF-8".to_owned()))?;
    let version: WireVersion = exact::read(text.as_bytes()).map_err(|e| refused(e.to_string()))?;
    if version.version != VERSION {
        return Err(Error::other(format!(
            "{TOLD} is of version {}, and this harness reads version {VERSION}; install the version of \
             cargo-budget that belongs to the project's perf-budget",
            version.version
        )));
    }
    exact::read(text.as_bytes()).map_err(|e| refused(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    /// Written by the first version, and read for ever.
    const ALL: &str = r#"{"version":1,"environment":{"CARGO":"/bin/cargo","RUSTUP_TOOLCHAIN":null},"notes":["with another lock"],"lacks":"has no budgets.toml"}"#;

    const PROVEN: &str = r#"{"version":1,"environment":{},"notes":[],"lacks":null,"unchanged":{"proven":{"by":"files","commit":"0123456789abcdef0123456789abcdef01234567"},"budgets":["program"],"head":{"path":"/t/budgets-1","bytes":4096,"modified":1780000000123456789}}}"#;

    const LINKED: &str = r#"{"version":1,"environment":{},"notes":[],"link_notes":["8 links of each side"],"lacks":null}"#;

    fn back(variables: &[(&'static str, OsString)]) -> Result<Option<Handover>, Error> {
        let named = |name: &str| variables.iter().find(|(own, _)| *own == name);
        Handover::from_env(|name| named(name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn what_is_told_stays_as_it_is_written() {
        let told: Told = frozen(ALL);
        assert_eq!(told.environment["RUSTUP_TOOLCHAIN"], None);
        assert_eq!(told.lacks.as_deref(), Some("has no budgets.toml"));
    }

    #[test]
    fn what_is_said_of_links_stays_as_it_is_written() {
        let told: Told = frozen(LINKED);
        assert_eq!(told.link_notes, ["8 links of each side"]);
    }

    #[test]
    fn what_is_proven_stays_as_it_is_written() {
        let told: Told = frozen(PROVEN);
        let unchanged = told.unchanged.unwrap();
        assert_eq!(unchanged.proven.words(), "nothing that it runs has changed since 0123456789ab");
    }

    #[test]
    fn what_is_handed_over_arrives() {
        let whole = Handover {
            binaries: vec!["/b/one".into(), "/b/two".into()],
            links: vec!["/b/link-1".into(), "/b/link-2".into()],
            heads: vec!["/h/one".into()],
            directory: Some("/b".into()),
            told: frozen(ALL),
        };
        let variables = whole.to_env().unwrap();
        assert!(
            variables
                .iter()
                .map(|(name, _)| name)
                .eq([BINARIES, LINKS, HEADS, DIRECTORY, TOLD].iter())
        );
        assert_eq!(back(&variables).unwrap(), Some(whole));
        // Told in the old way, by a person who built it.
        let by_hand = [(BINARIES, "/b/one".into()), (HEADS, OsString::new())];
        let handover = back(&by_hand).unwrap().unwrap();
        assert_eq!((handover.binaries.len(), handover.heads.len()), (1, 0));
        assert_eq!((handover.directory, handover.told), (None, Told::default()));
        assert_eq!(back(&[]).unwrap(), None);
        assert_eq!(back(&[(BINARIES, OsString::new())]).unwrap(), None);
        assert_eq!(back(&[(DIRECTORY, "/b".into())]).unwrap(), None);
        let lacks = Told { lacks: Some("has no test".to_owned()), ..Told::default() };
        let lacks = Handover { told: lacks, ..Handover::default() };
        assert_eq!(back(&lacks.to_env().unwrap()).unwrap(), Some(lacks));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let check = |text: &str, want: &str| {
            let why =
                back(&[(BINARIES, "/b".into()), (TOLD, text.into())]).unwrap_err().to_string();
            assert!(why.contains(want), "{why}");
        };
        check("{", "is not understood");
        check("{\"version\":1}", "missing field");
        check("{\"version\":2,\"new\":true}", "is of version 2, and this harness reads version 1");
    }
}
