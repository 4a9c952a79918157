//! How the subject of a budget is built: which programs are started with which arguments, and where the result is.
//!
//! A subject is built as users ship it (`cargo build --release --bin NAME`) and not as the tests happen to be built. It
//! is built in a target directory of its own, and in the same way for both revisions.
//!
//! This module starts no program itself. The caller passes a function that does: the harness starts programs below its
//! supervisor, and the command `cargo budget` starts plain child processes.

mod benches;
mod cargo;
mod index;
mod install;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::budget::{Budget, Build, Subject};
use crate::outcome::{Cause, Unmeasured};

pub use benches::{Bench, BenchBuild, Benches};
pub use index::{find, note};

/// The variables by which a user chooses cargo's target directory. It belongs to this revision, so a build of the base
/// must not write to it.
pub const TARGET_VARIABLES: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// Something that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Product {
    /// A program or a module that cargo builds.
    Cargo(Target),
    /// Whatever a command makes: the command and its arguments.
    Made(Vec<String>),
}

/// A program or a module that cargo builds, and the options it is built with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether it is a program or a module.
    pub kind: Kind,
    /// The name of the binary. For a module, the name of its package or of its target.
    pub name: String,
    /// See [`Build::features`].
    pub features: Option<Vec<String>>,
    /// The profile of `Cargo.toml`.
    pub profile: String,
    /// See [`Build::wasm_opt`].
    pub wasm_opt: Vec<String>,
}

/// Whether cargo builds a program or a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program, which a budget names by `{bin:NAME}`.
    Binary,
    /// A WebAssembly module, which a budget names by `{wasm:NAME}`.
    Module,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Binary, Kind::Module];

    /// Returns the beginning of a placeholder of this kind, up to the name.
    fn mark(self) -> &'static str {
        match self {
            Kind::Binary => "{bin:",
            Kind::Module => "{wasm:",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Kind::Binary => "binary",
            Kind::Module => "module",
        }
    }
}

/// The result of a successful build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The path of the built file. If a command made it, the directory that the command ran in.
    pub path: PathBuf,
    /// How it was built, as a note for people.
    pub note: String,
}

/// The place where something is built.
#[derive(Debug, Clone)]
pub struct Site {
    /// The directory of `budgets.toml`.
    pub root: PathBuf,
    /// The package whose workspace has the binaries.
    pub package: PathBuf,
    /// The target directory. `None` for the one that cargo chooses.
    pub target: Option<PathBuf>,
    /// The platform to build for. `None` for the one that cargo chooses.
    pub triple: Option<String>,
}

/// One program to start during a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The purpose of the step, in words that complete "failed to ...".
    pub aim: String,
    /// The program.
    pub program: Program,
    /// The program's arguments.
    pub args: Vec<String>,
    /// The variables that are set for the program, each with its value.
    pub env: Vec<(String, String)>,
    /// The directory that the program starts in.
    pub dir: PathBuf,
}

/// Which program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The cargo of the revision that is built.
    Cargo,
    /// A program that is looked up in `PATH`, or a path to one.
    Named(String),
}

impl Program {
    /// Returns the program's name in messages.
    fn name(&self) -> &str {
        match self {
            Program::Cargo => "cargo",
            Program::Named(name) => name,
        }
    }
}

/// The result of a program that ended by itself.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// The whole standard output.
    pub stdout: Vec<u8>,
    /// The end of what the program printed for people.
    pub said: Option<String>,
}

/// A function that starts a program and waits for its end. It fails if the program does not start, or does not end by
/// itself in time.
pub type Start<'s> = &'s dyn Fn(&Step) -> Result<Ended, Unmeasured>;

impl Product {
    /// Returns what the `build` command of a budget makes, if the budget has such a command.
    pub fn made(build: &Build) -> Option<Product> {
        (!build.command.is_empty()).then(|| Product::Made(build.command.clone()))
    }

    /// Returns a text that identifies this product. It is the same in every process.
    pub fn key(&self) -> String {
        match self {
            Product::Cargo(target) => {
                let Target { kind, name, features, profile, wasm_opt } = target;
                format!("{}{name}}} {features:?} {profile} {wasm_opt:?}", kind.mark())
            }
            Product::Made(command) => format!("{command:?}"),
        }
    }

    /// Builds the product.
    ///
    /// # Errors
    /// If a program fails; the error holds the end of its output.
    pub fn build(&self, site: &Site, start: Start<'_>) -> Result<Built, Unmeasured> {
        match self {
            Product::Cargo(target) => cargo::build(target, site, start),
            Product::Made(command) => make(command, site, start),
        }
    }
}

/// Runs the `build` command of a budget.
fn make(command: &[String], site: &Site, start: Start<'_>) -> Result<Built, Unmeasured> {
    let line = command.join(" ");
    let (program, args) = command.split_first().ok_or_else(|| {
        Unmeasured::new(Cause::Unsuitable, "`build` names no program; write its name".to_owned())
    })?;
    let step = Step {
        aim: format!("build by `{line}`"),
        program: Program::Named(program.clone()),
        args: args.to_vec(),
        env: Vec::new(),
        dir: site.root.clone(),
    };
    run(&step, start)?;
    Ok(Built { path: site.root.clone(), note: format!("made by `{line}`") })
}

/// Starts a program and returns its standard output. If it fails, the error says how to install what is missing.
fn run(step: &Step, start: Start<'_>) -> Result<Vec<u8>, Unmeasured> {
    let name = step.program.name();
    let failed = |text: String| format!("failed to {}: {text}", step.aim);
    let ended = start(step).map_err(|why| {
        let remedy = install::tool(name).filter(|_| why.cause == Cause::NotFound);
        let text = match remedy {
            Some(command) => failed(format!("`{name}` is not installed; run `{command}`")),
            None => failed(why.text),
        };
        Unmeasured { text, ..why }
    })?;
    if ended.code == 0 {
        return Ok(ended.stdout);
    }
    let said = ended.said.as_deref().unwrap_or_default();
    let (cause, text) = match install::target(said) {
        Some((target, command)) => {
            (Cause::NotFound, format!("the target `{target}` is not installed; run `{command}`"))
        }
        None => (Cause::ExitedBadly, format!("`{name}` ended with exit code {}", ended.code)),
    };
    Err(Unmeasured { cause, text: failed(text), output: ended.said })
}

/// Replaces each `{bin:NAME}` and `{wasm:NAME}` in a text by the path that `produce` returns. Returns the new text, and
/// the notes about how these were built.
///
/// # Errors
/// If a build fails, or a placeholder has no closing brace.
pub fn expand(
    text: &str,
    build: &Build,
    produce: &mut dyn FnMut(Product) -> Result<Built, Unmeasured>,
) -> Result<(String, Vec<String>), Unmeasured> {
    let (mut expanded, mut notes) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((at, kind)) = next(rest) {
        let (before, after) = rest.split_at(at);
        let open = kind.mark();
        let Some((name, after)) = after[open.len()..].split_once('}') else {
            let text = format!("`{text}` has `{open}` without an end; close it with `}}`");
            return Err(Unmeasured::new(Cause::NotFound, text));
        };
        let built = produce(Product::Cargo(target(kind, name, build)))?;
        let path = built.path.to_str().ok_or_else(|| {
            let text = format!("the path of `{name}` is not UTF-8: `{}`", built.path.display());
            Unmeasured::new(Cause::Unsuitable, text)
        })?;
        expanded += before;
        expanded += path;
        if !notes.contains(&built.note) {
            notes.push(built.note);
        }
        rest = after;
    }
    Ok((expanded + rest, notes))
}

/// Whether a text has a placeholder for something that cargo builds.
pub fn names_a_target(text: &str) -> bool {
    next(text).is_some()
}

/// Whether anything must be built before a budget is measured.
pub fn has_any(budget: &Budget) -> bool {
    let texts: Vec<&str> = match &budget.subject {
        Subject::Artifact(patterns) => patterns.iter().map(String::as_str).collect(),
        Subject::Command(command) => {
            let env = command.env.iter().map(|(_, value)| value);
            command.argv.iter().chain(env).map(String::as_str).collect()
        }
        Subject::Criterion(_) => return true,
        Subject::Workload(_) | Subject::Record(_) => Vec::new(),
    };
    !budget.build.command.is_empty() || texts.into_iter().any(names_a_target)
}

/// Returns the position and the kind of the first placeholder in a text.
fn next(text: &str) -> Option<(usize, Kind)> {
    let marks = Kind::ALL.iter().filter_map(|&kind| Some((text.find(kind.mark())?, kind)));
    marks.min_by_key(|(at, _)| *at)
}

fn target(kind: Kind, name: &str, build: &Build) -> Target {
    let mut features = build.features.clone();
    if let Some(features) = &mut features {
        features.sort();
        features.dedup();
    }
    Target {
        kind,
        name: name.to_owned(),
        features,
        profile: build.profile.clone().unwrap_or_else(|| "release".to_owned()),
        wasm_opt: if kind == Kind::Module { build.wasm_opt.clone() } else { Vec::new() },
    }
}

/// Returns the target directory for the subjects of budgets. It is below cargo's own target directory, so that no file
/// of the user is overwritten.
pub fn directory(target: &Path) -> PathBuf {
    target.join("budgets").join("built")
}
