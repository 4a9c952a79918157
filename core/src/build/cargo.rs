//! Calls of cargo: `cargo metadata` finds a binary or a module in the workspace, and `cargo build` builds it as it is
//! shipped.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::step::{Program, Start, Step, run};
use super::target::{Built, Kind, Site, Target, directory};
use crate::outcome::{Cause, Unmeasured};
use crate::{exact, fnv};

/// The platform of `{wasm:NAME}`.
const WASM: &str = "wasm32-unknown-unknown";

/// The part of the output of `cargo metadata` that is needed here.
#[derive(Deserialize)]
struct WireWorkspace {
    packages: Vec<WirePackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct WirePackage {
    id: String,
    name: String,
    manifest_path: PathBuf,
    targets: Vec<WireTarget>,
}

#[derive(Deserialize)]
struct WireTarget {
    name: String,
    kind: Vec<String>,
}

/// The needed part of one line of `cargo build --message-format=json`, if the line is about an artifact.
#[derive(Deserialize)]
pub(super) struct WireMessage {
    reason: String,
    target: Option<WireTarget>,
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl WireTarget {
    fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

impl WireMessage {
    /// Reads a message of cargo; `None` if it has another form.
    pub(super) fn of(message: serde_json::Value) -> Option<WireMessage> {
        exact::from_tree(message).ok()
    }

    /// Returns the name and the path of a program, if the message says that a target of this kind was built.
    pub(super) fn executable(self, kind: &str) -> Option<(String, PathBuf)> {
        let target = self.target.filter(|target| target.is(kind))?;
        (self.reason == "compiler-artifact").then_some((target.name, self.executable?))
    }

    /// Whether the message says that the target of this name was built, whose kinds are such.
    pub(super) fn built(&self, name: &str, is_kind: impl Fn(&[String]) -> bool) -> bool {
        let is_it = |target: &WireTarget| target.name == name && is_kind(&target.kind);
        self.reason == "compiler-artifact" && self.target.as_ref().is_some_and(is_it)
    }
}

/// Builds a target.
pub(super) fn build(target: &Target, site: &Site, start: Start<'_>) -> Result<Built, Unmeasured> {
    let aim = format!("find the {} `{}`", target.kind.noun(), target.name);
    let workspace: WireWorkspace = metadata(aim, site, start)?;
    let (package, found) = workspace.find(target, &site.package)?;
    let cargo_directory = site.target.as_ref().unwrap_or(&workspace.target_directory);
    let target_directory = directory_of_features(target, &directory(cargo_directory));
    let mut args: Vec<String> = ["build", "--package", &package.id].map(Into::into).into();
    if found.is("bin") {
        args.extend(["--bin".to_owned(), found.name.clone()]);
    } else {
        args.push("--lib".to_owned());
    }
    args.extend(["--profile", &target.profile].map(Into::into));
    args.extend(["--message-format", "json-render-diagnostics"].map(Into::into));
    args.extend(features(target.features.as_deref()));
    let triple = match target.kind {
        Kind::Binary => site.triple.as_deref(),
        Kind::Module => Some(WASM),
    };
    if let Some(triple) = triple {
        args.extend(["--target", triple].map(Into::into));
    }
    args.extend(["--target-dir".to_owned(), text(&target_directory)?.to_owned()]);
    let aim = format!("build the {} `{}`", target.kind.noun(), target.name);
    let step =
        Step { aim, program: Program::Cargo, args, env: Vec::new(), dir: site.package.clone() };
    let stdout = run(&step, start)?;
    let path = find_artifact(&stdout, found, target.kind).ok_or_else(|| {
        let text = format!("cargo built `{}` and did not say where it is", target.name);
        Unmeasured::new(Cause::Harness, text)
    })?;
    let path = optimize(target, path, &target_directory, start)?;
    Ok(Built { path, note: describe(target, triple) })
}

/// Returns the target directory of a target's set of features. Each set has its own, because cargo writes the binaries
/// of all sets to the same path.
fn directory_of_features(target: &Target, built: &Path) -> PathBuf {
    match &target.features {
        None => built.to_owned(),
        Some(features) => {
            built.join(format!("features-{}", fnv::name(features.join(",").as_bytes())))
        }
    }
}

/// Returns cargo's arguments for the features of a target.
pub(super) fn features(features: Option<&[String]>) -> Vec<String> {
    let Some(features) = features else { return Vec::new() };
    let named: Vec<&str> =
        features.iter().map(String::as_str).filter(|&feature| feature != "default").collect();
    let mut args = Vec::new();
    if named.len() == features.len() {
        args.push("--no-default-features".to_owned());
    }
    if !named.is_empty() {
        args.extend(["--features".to_owned(), named.join(",")]);
    }
    args
}

/// Describes a build for an outcome's notes, as in "binary `app`, default features, profile release".
fn describe(target: &Target, triple: Option<&str>) -> String {
    let features = match target.features.as_deref() {
        None => "default features".to_owned(),
        Some([]) => "no features".to_owned(),
        Some([one]) if one == "default" => "default features".to_owned(),
        Some([one]) => format!("feature {one} alone"),
        Some(several) => format!("features {}", several.join(" and ")),
    };
    let Target { kind, name, profile, wasm_opt, .. } = target;
    let triple = triple.map(|triple| format!(", for {triple}")).unwrap_or_default();
    let wasm_opt = match wasm_opt.as_slice() {
        [] => String::new(),
        arguments => format!(", wasm-opt {}", arguments.join(" ")),
    };
    format!("{} `{name}`, {features}, profile {profile}{triple}{wasm_opt}", kind.noun())
}

/// Returns the answer of `cargo metadata` about the workspace, read as `T`. `aim` completes "failed to ...".
pub(super) fn metadata<T: DeserializeOwned>(
    aim: String,
    site: &Site,
    start: Start<'_>,
) -> Result<T, Unmeasured> {
    let step = Step {
        aim,
        program: Program::Cargo,
        args: ["metadata", "--no-deps", "--format-version", "1"].map(Into::into).into(),
        env: Vec::new(),
        dir: site.package.clone(),
    };
    let stdout = run(&step, start)?;
    exact::read(&stdout).map_err(|e| {
        let text = format!("failed to {}: cargo metadata is not understood: {e}", step.aim);
        Unmeasured::new(Cause::Harness, text)
    })
}

impl WireWorkspace {
    /// Finds a target, and the package it belongs to. If several packages have such a target, the package in the
    /// directory `preferred` comes first.
    fn find(
        &self,
        target: &Target,
        preferred: &Path,
    ) -> Result<(&WirePackage, &WireTarget), Unmeasured> {
        let is_preferred =
            |package: &WirePackage| package.manifest_path.parent() == Some(preferred);
        let mut found = None;
        for package in &self.packages {
            let Some(own) = package.target(target) else { continue };
            if is_preferred(package) {
                return Ok((package, own));
            }
            found = found.or(Some((package, own)));
        }
        found.ok_or_else(|| self.missing(target))
    }

    /// Makes the error that the workspace has no such target, with the names of those that it has.
    fn missing(&self, target: &Target) -> Unmeasured {
        let mut names: Vec<String> = Vec::new();
        for package in &self.packages {
            match target.kind {
                Kind::Binary => {
                    let binaries = package.targets.iter().filter(|t| t.is("bin"));
                    names.extend(binaries.map(|t| t.name.clone()));
                }
                Kind::Module if package.targets.iter().any(|t| t.is("cdylib") || t.is("bin")) => {
                    names.push(package.name.clone());
                }
                Kind::Module => {}
            }
        }
        names.sort_unstable();
        let hint = if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!(
                "it has {}",
                names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
            )
        };
        let name = &target.name;
        let text = match target.kind {
            Kind::Binary => format!("no binary is named `{name}` in this workspace; {hint}"),
            Kind::Module => format!(
                "no package `{name}` in this workspace builds a module; {hint}. A library needs \
                 `crate-type = [\"cdylib\"]` under `[lib]`"
            ),
        };
        Unmeasured::new(Cause::NotFound, text)
    }
}

impl WirePackage {
    /// Returns this package's target of the name and kind that is asked for, if it has one. A module is named after its
    /// own target or after its package; the package then has a `cdylib` library, or exactly one binary.
    fn target(&self, target: &Target) -> Option<&WireTarget> {
        let name = &target.name;
        match target.kind {
            Kind::Binary => self.targets.iter().find(|t| t.is("bin") && t.name == *name),
            Kind::Module => {
                let fits = |t: &&WireTarget| t.is("cdylib") || t.is("bin");
                let named = self.targets.iter().filter(fits).find(|t| t.name == *name);
                let library = self.targets.iter().find(|t| t.is("cdylib"));
                let binaries: Vec<&WireTarget> =
                    self.targets.iter().filter(|t| t.is("bin")).collect();
                let only = if let [only] = binaries.as_slice() { Some(*only) } else { None };
                let by_package = library.or(only).filter(|_| self.name == *name);
                named.or(by_package)
            }
        }
    }
}

/// Finds the path of a target in the output of `cargo build`. The target is built last, so the last message about it is
/// taken.
fn find_artifact(stdout: &[u8], target: &WireTarget, kind: Kind) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(stdout);
    let messages =
        text.lines().rev().filter_map(|line| exact::read::<WireMessage>(line.as_bytes()).ok());
    let mut of_target =
        messages.filter(|message| message.reason == "compiler-artifact").filter(|message| {
            message.target.as_ref().is_some_and(|t| t.name == target.name && t.kind == target.kind)
        });
    let is_module = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "wasm");
    of_target.find_map(|message| match kind {
        Kind::Binary => message.executable,
        Kind::Module => message.filenames.into_iter().find(is_module),
    })
}

/// Runs wasm-opt on a module, and returns the path of the result. Returns the path of the module itself if the budget
/// has no `wasm_opt`.
fn optimize(
    target: &Target,
    module: PathBuf,
    target_directory: &Path,
    start: Start<'_>,
) -> Result<PathBuf, Unmeasured> {
    let Some(name) = module.file_name().filter(|_| !target.wasm_opt.is_empty()) else {
        return Ok(module);
    };
    let arguments = format!("wasm-opt-{}", fnv::name(target.wasm_opt.join("\n").as_bytes()));
    let directory = target_directory.join(arguments).join(&target.profile);
    std::fs::create_dir_all(&directory).map_err(|e| {
        let text = format!("failed to create `{}`: {e}", directory.display());
        Unmeasured::new(Cause::Harness, text)
    })?;
    let output = directory.join(name);
    let mut args = target.wasm_opt.clone();
    args.extend([text(&module)?, "-o", text(&output)?].map(Into::into));
    let aim = format!("optimize the module `{}`", target.name);
    let program = Program::Named("wasm-opt".to_owned());
    let env = Vec::new();
    run(&Step { aim, program, args, env, dir: target_directory.to_owned() }, start)?;
    Ok(output)
}

/// Returns a path as text. A path that is not UTF-8 is an error.
pub(super) fn text(path: &Path) -> Result<&str, Unmeasured> {
    path.to_str().ok_or_else(|| {
        let text =
            format!("the path `{}` is not UTF-8; build in another directory", path.display());
        Unmeasured::new(Cause::Unsuitable, text)
    })
}
