//! What cargo is asked: which binaries and modules a workspace has, and to build one of them as it ships.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::index::hash;
use super::{Built, Kind, Program, Site, Start, Step, Target, directory, run};
use crate::outcome::{Cause, Unmeasured};

/// The platform of `{wasm:NAME}`.
const WASM: &str = "wasm32-unknown-unknown";

/// What `cargo metadata` says, as far as it matters.
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

/// One line of `cargo build --message-format=json`: of an artifact, as far as it matters.
#[derive(Deserialize)]
struct WireMessage {
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

/// Builds a target, and gives where it is.
pub(super) fn build(target: &Target, site: &Site, start: Start<'_>) -> Result<Built, Unmeasured> {
    let workspace = workspace(target, site, start)?;
    let (package, found) = workspace.find(target, &site.package)?;
    let cargos = site.target.as_ref().unwrap_or(&workspace.target_directory);
    let own = own(target, &directory(cargos));
    let mut args: Vec<String> = ["build", "--package", &package.id].map(Into::into).into();
    if found.is("bin") {
        args.extend(["--bin".to_owned(), found.name.clone()]);
    } else {
        args.push("--lib".to_owned());
    }
    args.extend(["--profile", &target.profile].map(Into::into));
    args.extend(["--message-format", "json-render-diagnostics"].map(Into::into));
    args.extend(features(target));
    let triple = match target.kind {
        Kind::Binary => site.triple.as_deref(),
        Kind::Module => Some(WASM),
    };
    if let Some(triple) = triple {
        args.extend(["--target", triple].map(Into::into));
    }
    args.extend(["--target-dir".to_owned(), text(&own)?.to_owned()]);
    let aim = format!("build the {} `{}`", target.kind.noun(), target.name);
    let step = Step { aim, program: Program::Cargo, args, dir: site.package.clone() };
    let stdout = run(&step, start)?;
    let path = produced(&stdout, found, target.kind).ok_or_else(|| {
        let text = format!("cargo built `{}` and did not say where it is", target.name);
        Unmeasured::new(Cause::Harness, text)
    })?;
    let path = optimized(target, path, &own, start)?;
    Ok(Built { path, note: described(target, triple) })
}

/// The target directory of one set of features: cargo puts the binaries of all sets in one place.
fn own(target: &Target, built: &Path) -> PathBuf {
    match &target.features {
        None => built.to_owned(),
        Some(features) => built.join(format!("features-{:016x}", hash(&features.join(",")))),
    }
}

fn features(target: &Target) -> Vec<String> {
    let Some(features) = &target.features else { return Vec::new() };
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

/// "binary `app`, default features, profile release": what an outcome says of it.
fn described(target: &Target, triple: Option<&str>) -> String {
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

fn workspace(target: &Target, site: &Site, start: Start<'_>) -> Result<WireWorkspace, Unmeasured> {
    let step = Step {
        aim: format!("find the {} `{}`", target.kind.noun(), target.name),
        program: Program::Cargo,
        args: ["metadata", "--no-deps", "--format-version", "1"].map(Into::into).into(),
        dir: site.package.clone(),
    };
    let stdout = run(&step, start)?;
    serde_json::from_slice(&stdout).map_err(|e| {
        let text = format!("failed to {}: cargo metadata is not understood: {e}", step.aim);
        Unmeasured::new(Cause::Harness, text)
    })
}

impl WireWorkspace {
    /// The package and the target of it that is meant; of several the one of the package in `own`.
    fn find(&self, target: &Target, own: &Path) -> Result<(&WirePackage, &WireTarget), Unmeasured> {
        let is_own = |package: &WirePackage| package.manifest_path.parent() == Some(own);
        let mut packages: Vec<&WirePackage> = self.packages.iter().collect();
        packages.sort_by_key(|package| !is_own(package));
        let found = packages.into_iter().find_map(|p| Some((p, p.target(target)?)));
        found.ok_or_else(|| self.absent(target))
    }

    fn absent(&self, target: &Target) -> Unmeasured {
        let names = |package: &WirePackage| match target.kind {
            Kind::Binary => {
                package.targets.iter().filter(|t| t.is("bin")).map(|t| t.name.clone()).collect()
            }
            Kind::Module if package.targets.iter().any(|t| t.is("cdylib") || t.is("bin")) => {
                vec![package.name.clone()]
            }
            Kind::Module => Vec::new(),
        };
        let mut there: Vec<String> = self.packages.iter().flat_map(names).collect();
        there.sort_unstable();
        let hint = if there.is_empty() {
            "it has none".to_owned()
        } else {
            format!(
                "it has {}",
                there.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
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
    /// The target that is meant, if it is one of this package's. A module is named by its package, which has a
    /// library for it or one binary.
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
                let own = library.or(only).filter(|_| self.name == *name);
                named.or(own)
            }
        }
    }
}

/// Where cargo says that it left a target, which it builds last of all.
fn produced(stdout: &[u8], target: &WireTarget, kind: Kind) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(stdout);
    let messages =
        text.lines().rev().filter_map(|line| serde_json::from_str::<WireMessage>(line).ok());
    let mut own =
        messages.filter(|message| message.reason == "compiler-artifact").filter(|message| {
            message.target.as_ref().is_some_and(|t| t.name == target.name && t.kind == target.kind)
        });
    let is_module = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "wasm");
    own.find_map(|message| match kind {
        Kind::Binary => message.executable,
        Kind::Module => message.filenames.into_iter().find(is_module),
    })
}

/// The module as wasm-opt leaves it, beside what cargo built; the module itself where nothing is asked of it.
fn optimized(
    target: &Target,
    module: PathBuf,
    own: &Path,
    start: Start<'_>,
) -> Result<PathBuf, Unmeasured> {
    let Some(name) = module.file_name().filter(|_| !target.wasm_opt.is_empty()) else {
        return Ok(module);
    };
    let place = format!("wasm-opt-{:016x}", hash(&target.wasm_opt.join("\n")));
    let directory = own.join(place).join(&target.profile);
    std::fs::create_dir_all(&directory).map_err(|e| {
        let text = format!("failed to create `{}`: {e}", directory.display());
        Unmeasured::new(Cause::Harness, text)
    })?;
    let output = directory.join(name);
    let mut args = target.wasm_opt.clone();
    args.extend([text(&module)?, "-o", text(&output)?].map(Into::into));
    let aim = format!("optimize the module `{}`", target.name);
    let program = Program::Named("wasm-opt".to_owned());
    run(&Step { aim, program, args, dir: own.to_owned() }, start)?;
    Ok(output)
}

fn text(path: &Path) -> Result<&str, Unmeasured> {
    path.to_str().ok_or_else(|| {
        let text =
            format!("the path `{}` is not UTF-8; build in another directory", path.display());
        Unmeasured::new(Cause::Unsuitable, text)
    })
}
