//! What there is to budget in a package, as cargo tells it.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Package, Target, TargetKind};

use crate::child;
use crate::failure::Failure;

/// A package and what of it could be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its name.
    pub(crate) package: String,
    /// Where its Cargo.toml is.
    pub(crate) directory: PathBuf,
    /// Where its workspace begins.
    pub(crate) workspace: PathBuf,
    /// Where its repository begins; the workspace, where there is none.
    pub(crate) repository: PathBuf,
    /// Whether the workspace has other packages.
    pub(crate) has_siblings: bool,
    /// Its binaries.
    pub(crate) binaries: Vec<Binary>,
    /// Binaries of other members, which can be budgeted here as well.
    pub(crate) others: Vec<String>,
    /// The name of its library as it is written in Rust.
    pub(crate) library: Option<String>,
    /// Whether that is made for other languages and for the web.
    pub(crate) is_cdylib: bool,
    /// Its benchmarks, where Criterion runs them.
    pub(crate) criterion: Vec<String>,
    /// Its examples.
    pub(crate) examples: Vec<String>,
}

/// One binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binary {
    /// Its name.
    pub(crate) name: String,
    /// Whether cargo builds it without being asked for features.
    pub(crate) is_plain: bool,
    /// How it can be started so that it surely ends by itself, where that is known.
    pub(crate) ends_with: Option<Vec<String>>,
}

impl Found {
    /// Looks at the package that `start` is in, or at the one named.
    pub(crate) fn look(start: &Path, named: Option<&str>) -> Result<Found, Failure> {
        let mut command = child::metadata(start);
        command.no_deps();
        let metadata = command.exec().map_err(|e| told(start, &e))?;
        let members = metadata.workspace_packages();
        let workspace = metadata.workspace_root.clone().into_std_path_buf();
        let package = choose(&members, start, named, &workspace)?;
        let directory = directory(package);
        let siblings = members.iter().filter(|member| member.id != package.id);
        let others = siblings.clone().flat_map(|member| bins(member)).map(|bin| bin.name.clone());
        let library = package.targets.iter().find(|target| is_library(target));
        let criterion = package.dependencies.iter().any(|dependency| {
            dependency.name == "criterion" && dependency.kind == DependencyKind::Development
        });
        let named = |kind: &TargetKind| -> Vec<String> {
            let of_kind = package.targets.iter().filter(|target| target.kind.contains(kind));
            of_kind.map(|target| target.name.clone()).collect()
        };
        Ok(Found {
            package: package.name.to_string(),
            repository: repository(&directory).unwrap_or_else(|| workspace.clone()),
            has_siblings: siblings.clone().next().is_some(),
            binaries: bins(package).map(|target| binary(package, target)).collect(),
            others: others.collect(),
            library: library.map(|target| target.name.replace('-', "_")),
            is_cdylib: library.is_some_and(|target| target.kind.contains(&TargetKind::CDyLib)),
            criterion: if criterion { named(&TargetKind::Bench) } else { Vec::new() },
            examples: named(&TargetKind::Example),
            directory,
            workspace,
        })
    }

    /// Whether nothing of the package is surely there to be measured, so that a sample has to be.
    pub(crate) fn needs_a_sample(&self) -> bool {
        !self.binaries.iter().any(|binary| binary.is_plain)
    }

    /// A file as people know it.
    pub(crate) fn name_of(&self, path: &Path) -> String {
        let from =
            if path.starts_with(&self.workspace) { &self.workspace } else { &self.repository };
        path.strip_prefix(from).unwrap_or(path).display().to_string().replace('\\', "/")
    }
}

fn told(start: &Path, error: &cargo_metadata::Error) -> Failure {
    let text = error.to_string();
    if text.contains("could not find `Cargo.toml`") {
        return Failure::usage(format!(
            "there is no Cargo.toml in `{}` or above it; run this in a crate, or make one with `cargo new`",
            start.display()
        ));
    }
    let text = text.trim_start_matches("`cargo metadata` exited with an error: ");
    Failure::usage(format!("cargo cannot tell what is in this project: {}", text.trim()))
}

/// The package that is meant.
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
            "this is the root of a workspace and no package, and the tests of budgets belong to one; name it, \
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

/// The nearest directory upwards that git knows.
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

/// What is known of a binary. A program is started only where it surely ends by itself: one that parses
/// its arguments with clap does on `--help`, and the one that `cargo new` writes does anyway.
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

/// What `cargo new` writes.
const HELLO: &str = "fn main() { println!(\"Hello, world!\"); }";
