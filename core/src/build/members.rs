//! The packages of a workspace and their bench targets, as cargo describes them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The package that has benchmarks of Divan measured.
const DIVAN: &str = "perf-budget-divan";

/// The part of the output of `cargo metadata` that is needed here.
#[derive(Deserialize)]
pub(super) struct WireWorkspace {
    pub(super) packages: Vec<WirePackage>,
    pub(super) workspace_members: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct WirePackage {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    pub(super) targets: Vec<WireTarget>,
    #[serde(default)]
    pub(super) dependencies: Vec<WireDependency>,
    #[serde(default)]
    pub(super) features: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct WireTarget {
    pub(super) name: String,
    pub(super) kind: Vec<String>,
    #[serde(default, rename = "required-features")]
    pub(super) required_features: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct WireDependency {
    pub(super) name: String,
    pub(super) rename: Option<String>,
}

/// Whether a target of these kinds is the library of its package.
pub(super) fn is_library(kinds: &[String]) -> bool {
    kinds.iter().any(|kind| kind.ends_with("lib") || kind == "proc-macro")
}

impl WirePackage {
    /// Whether the package depends on Criterion or on a crate that stands in for it, or serves the benchmarks of another
    /// library. What depends on that library itself is not built in vain.
    pub(super) fn serves_or_has_criterion(&self) -> bool {
        let is_it = |name: &str| name.contains("criterion") || name == DIVAN;
        self.dependencies.iter().any(|d| is_it(&d.name) || d.rename.as_deref().is_some_and(is_it))
    }

    /// Returns the name of its library, if it has one.
    pub(super) fn library(&self) -> Option<&str> {
        let library = self.targets.iter().find(|target| is_library(&target.kind));
        library.map(|library| library.name.as_str())
    }

    pub(super) fn directory(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    /// Returns the features that are on in a build with these, or with the default ones.
    pub(super) fn enabled<'a>(&'a self, features: Option<&'a [String]>) -> HashSet<&'a str> {
        let mut open: Vec<&str> = match features {
            None => vec!["default"],
            Some(features) => features.iter().map(String::as_str).collect(),
        };
        let mut enabled = HashSet::new();
        while let Some(feature) = open.pop() {
            if enabled.insert(feature) {
                let further = self.features.get(feature).map(Vec::as_slice).unwrap_or_default();
                open.extend(further.iter().map(String::as_str));
            }
        }
        enabled
    }
}
