//! The parts of a package that could be limited, as cargo knows them.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Package, Target, TargetKind};

use crate::child;
use crate::failure::Failure;

/// A package, and what it has that could be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageContents {
    /// The name of the package.
    pub(crate) name: String,
    /// The directory of its Cargo.toml.
    pub(crate) directory: PathBuf,
    /// The root of its workspace.
    pub(crate) workspace: PathBuf,
    /// The root of its repository, or of the workspace where there is no repository.
    pub(crate) repository: PathBuf,
    /// Whether the workspace has other packages.
    pub(crate) has_siblings: bool,
    /// The binaries of the package.
    pub(crate) binaries: Vec<Binary>,
    /// The names of the binaries of other members, which can be measured here as well.
    pub(crate) others: Vec<String>,
    /// The name of the library in Rust, if the package has one.
    pub(crate) library: Option<String>,
    /// Whether the library is also built for other languages and the web (`cdylib`).
    pub(crate) is_cdylib: bool,
    /// The names of the benchmarks, where Criterion runs them.
    pub(crate) criterion: Vec<String>,
    /// Whether a package of the workspace has benchmarks of Divan, and if so, whether they can be measured as they are.
    pub(crate) divan: Option<Divan>,
    /// The names of the examples.
    pub(crate) examples: Vec<String>,
}

/// Benchmarks of Divan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Divan {
    /// `perf-budget-divan` stands in for Divan, so that they can be measured.
    Served,
    /// Divan itself runs them, and only prints text.
    Plain,
}

/// A binary of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binary {
    /// The name of the binary.
    pub(crate) name: String,
    /// Whether cargo builds it without any features.
    pub(crate) is_plain: bool,
    /// Arguments with which the program surely ends by itself; `None` if none are known.
    pub(crate) ends_with: Option<Vec<String>>,
}

impl PackageContents {
    /// Examines the package that contains `start`, or the one with the given name.
    pub(crate) fn examine(start: &Path, named: Option<&str>) -> Result<PackageContents, Failure> {
        let mut command = child::metadata(start);
        command.no_deps();
        let metadata = command.exec().map_err(|e| cargo_failure(start, &e))?;
        let members = metadata.workspace_packages();
        let workspace = metadata.workspace_root.clone().into_std_path_buf();
        let package = choose(&members, start, named, &workspace)?;
        let directory = directory(package);
        let siblings = members.iter().filter(|member| member.id != package.id);
        let others = siblings.clone().flat_map(|member| bins(member)).map(|bin| bin.name.clone());
        let library = package.targets.iter().find(|target| is_library(target));
        let criterion = package.dependencies.iter().any(|dependency| {
            // Another crate may stand in for Criterion under its name.
            let local_name = dependency.rename.as_ref().unwrap_or(&dependency.name);
            local_name == "criterion" && dependency.kind == DependencyKind::Development
        });
        let names = |kind: &TargetKind| -> Vec<String> {
            let of_kind = package.targets.iter().filter(|target| target.kind.contains(kind));
            of_kind.map(|target| target.name.clone()).collect()
        };
        Ok(PackageContents {
            name: package.name.to_string(),
            repository: repository(&directory).unwrap_or_else(|| workspace.clone()),
            has_siblings: siblings.clone().next().is_some(),
            binaries: bins(package).map(|target| binary(package, target)).collect(),
            others: others.collect(),
            library: library.map(|target| target.name.replace('-', "_")),
            is_cdylib: library.is_some_and(|target| target.kind.contains(&TargetKind::CDyLib)),
            divan: divan(&members),
            criterion: if criterion { names(&TargetKind::Bench) } else { Vec::new() },
            examples: names(&TargetKind::Example),
            directory,
            workspace,
        })
    }

    /// Returns whether the package has nothing that can surely be measured. It then gets a sample workload.
    pub(crate) fn needs_a_sample(&self) -> bool {
        !self.binaries.iter().any(|binary| binary.is_plain)
            && self.criterion.is_empty()
            && self.divan != Some(Divan::Served)
    }

    /// Returns the path of a file relative to the workspace, or to the repository if the file is outside of the workspace.
    pub(crate) fn name_of(&self, path: &Path) -> String {
        let from =
            if path.starts_with(&self.workspace) { &self.workspace } else { &self.repository };
        path.strip_prefix(from).unwrap_or(path).display().to_string().replace('\\', "/")
    }
}

/// Returns which Divan the packages of a workspace have.
fn divan(members: &[&Package]) -> Option<Divan> {
    let mut names = members.iter().flat_map(|package| &package.dependencies).map(|own| &own.name);
    if names.clone().any(|name| name == "perf-budget-divan") {
        return Some(Divan::Served);
    }
    names.any(|name| name == "divan").then_some(Divan::Plain)
}

fn cargo_failure(start: &Path, error: &cargo_metadata::Error) -> Failure {
    let text = error.to_string();
    if text.contains("could not find `Cargo.toml`") {
        return Failure::usage(format!(
            "there is no Cargo.toml in `{}` or above it; run this in a crate, or make one with `cargo new`",
            start.display()
        ));
    }
    let text = text.trim_start_matches("`cargo metadata` exited with an error: ");
    Failure::usage(format!("cargo failed to describe this project: {}", text.trim()))
}

/// Returns the package of this name, or without a name the one that contains `start`.
fn choose<'p>(
    members: &[&'p Package],
    start: &Path,
    named: Option<&str>,
    workspace: &Path,
) -> Result<&'p Package, Failure> {
    let names = || members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = named {
        let found = members.iter().find(|member| member.name.as_str() == name);
        return found.copied().ok_or_else(|| {
            Failure::usage(format!(
                "there is no package `{name}` in this workspace; there are: {}",
                names()
            ))
        });
    }
    let start = start.canonicalize().map_err(|e| Failure::io("resolve", start, &e))?;
    let near = start.ancestors().take_while(|dir| dir.starts_with(workspace));
    let mut at = near.filter_map(|dir| {
        members.iter().find(|member| directory(member).canonicalize().is_ok_and(|own| own == dir))
    });
    match (at.next(), members) {
        (Some(package), _) => Ok(package),
        (None, [only]) => Ok(only),
        (None, []) => {
            Err(Failure::usage("this workspace has no package; add one with `cargo new NAME`"))
        }
        (None, [first, ..]) => Err(Failure::usage(format!(
            "this is the root of a workspace and not a package, but budgets are tests of a package; name one, \
             as `cargo budget init --package {}`; there are: {}; its budgets can measure the binaries of all \
             of them",
            first.name,
            names()
        ))),
    }
}

fn directory(package: &Package) -> PathBuf {
    package.manifest_path.parent().map(|dir| dir.as_std_path().to_owned()).unwrap_or_default()
}

/// Returns the nearest directory upwards that is a git repository.
fn repository(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|dir| dir.join(".git").exists()).map(Path::to_owned)
}

fn bins(package: &Package) -> impl Iterator<Item = &Target> {
    package.targets.iter().filter(|target| target.kind.contains(&TargetKind::Bin))
}

fn is_library(target: &Target) -> bool {
    let kinds = [
        TargetKind::Lib,
        TargetKind::RLib,
        TargetKind::DyLib,
        TargetKind::CDyLib,
        TargetKind::StaticLib,
        TargetKind::ProcMacro,
    ];
    target.kind.iter().any(|kind| kinds.contains(kind))
}

/// Returns what is known about a binary. A program is started only where it surely ends by itself: a program that
/// parses its arguments with clap ends on `--help`, and the one that `cargo new` writes ends anyway.
fn binary(package: &Package, target: &Target) -> Binary {
    let clap = package.dependencies.iter().any(|dependency| {
        dependency.name == "clap"
            && dependency.kind == DependencyKind::Normal
            && !dependency.optional
    });
    let source = std::fs::read_to_string(&target.src_path).unwrap_or_default();
    let ends_with = if source.split_whitespace().eq(HELLO.split_whitespace()) {
        Some(Vec::new())
    } else if clap && source.contains("clap") {
        Some(vec!["--help".to_owned()])
    } else {
        None
    };
    let is_plain = target.required_features.is_empty();
    Binary { name: target.name.clone(), is_plain, ends_with }
}

/// The program that `cargo new` writes.
const HELLO: &str = "fn main() { println!(\"Hello, world!\"); }";
