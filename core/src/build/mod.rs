//! How what a budget measures is built: which programs are started with which arguments, and where what they
//! make is. It is the same for both revisions, as users ship it: `cargo build --release --bin NAME`, in a
//! directory of its own, and never as the tests happen to be built.
//!
//! Nothing is started here. Whoever builds hands in a function that starts programs: the harness its supervisor,
//! the command a plain child.

mod cargo;
mod index;
mod install;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::budget::{Budget, Build, Subject};
use crate::outcome::{Cause, Unmeasured};

pub use index::{find, note};

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Product {
    /// A program or a module that cargo builds.
    Cargo(Target),
    /// Whatever a command makes, with its arguments.
    Made(Vec<String>),
}

/// What cargo builds, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which form it has.
    pub kind: Kind,
    /// Of a binary its own name; of a module the package's, or a target's.
    pub name: String,
    /// See [`Build::features`].
    pub features: Option<Vec<String>>,
    /// The profile of Cargo.toml.
    pub profile: String,
    /// See [`Build::wasm_opt`].
    pub wasm_opt: Vec<String>,
}

/// Which form something has that cargo builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{bin:NAME}`.
    Binary,
    /// `{wasm:NAME}`.
    Module,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Binary, Kind::Module];

    /// What stands before the name in a text.
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

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Where it is; the directory that the command ran in, for what a command makes.
    pub path: PathBuf,
    /// How it was built, for people.
    pub note: String,
}

/// Where something is built.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where `budgets.toml` is.
    pub root: PathBuf,
    /// The package whose workspace has the binaries.
    pub package: PathBuf,
    /// The target directory; `None`: the one that cargo names.
    pub target: Option<PathBuf>,
    /// The platform that it is built for; `None`: the one that cargo chooses.
    pub triple: Option<String>,
}

/// A program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is for, after "failed to".
    pub aim: String,
    /// Which it is.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where it starts.
    pub dir: PathBuf,
}

/// Which program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The cargo of the revision that is built.
    Cargo,
    /// One that is looked up in `PATH`, or a path.
    Named(String),
}

impl Program {
    /// What it is called in messages.
    fn name(&self) -> &str {
        match self {
            Program::Cargo => "cargo",
            Program::Named(name) => name,
        }
    }
}

/// What came of a program that ended by itself.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// The end of what it said, for people.
    pub said: Option<String>,
}

/// Starts a program and waits for its end. An error where it did not start, or did not end by itself in time.
pub type Start<'s> = &'s dyn Fn(&Step) -> Result<Ended, Unmeasured>;

impl Product {
    /// What the command of a budget makes, if it has one.
    pub fn made(build: &Build) -> Option<Product> {
        (!build.command.is_empty()).then(|| Product::Made(build.command.clone()))
    }

    /// Different for different products, and the same in every process.
    pub fn key(&self) -> String {
        match self {
            Product::Cargo(target) => {
                let Target { kind, name, features, profile, wasm_opt } = target;
                format!("{}{name}}} {features:?} {profile} {wasm_opt:?}", kind.mark())
            }
            Product::Made(command) => format!("{command:?}"),
        }
    }

    /// Builds it.
    ///
    /// # Errors
    /// Where that fails, with what the program said.
    pub fn build(&self, site: &Site, start: Start<'_>) -> Result<Built, Unmeasured> {
        match self {
            Product::Cargo(target) => cargo::build(target, site, start),
            Product::Made(command) => make(command, site, start),
        }
    }
}

/// Runs the command that makes an artifact.
fn make(command: &[String], site: &Site, start: Start<'_>) -> Result<Built, Unmeasured> {
    let line = command.join(" ");
    let (program, args) = command.split_first().ok_or_else(|| {
        Unmeasured::new(Cause::Unsuitable, "`build` names no program; write its name".to_owned())
    })?;
    let step = Step {
        aim: format!("build by `{line}`"),
        program: Program::Named(program.clone()),
        args: args.to_vec(),
        dir: site.root.clone(),
    };
    run(&step, start)?;
    Ok(Built { path: site.root.clone(), note: format!("made by `{line}`") })
}

/// Starts a program that has to succeed; says how to install what is missing.
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

/// A text with each `{bin:NAME}` and `{wasm:NAME}` replaced by the path that `produce` gives, and what is to be
/// said of those.
///
/// # Errors
/// Where one is not built, or has no end.
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

/// Whether a text names something that cargo builds.
pub fn names_a_target(text: &str) -> bool {
    next(text).is_some()
}

/// Whether anything is built for what a budget measures.
pub fn has_any(budget: &Budget) -> bool {
    let texts: Vec<&str> = match &budget.subject {
        Subject::Artifact(patterns) => patterns.iter().map(String::as_str).collect(),
        Subject::Command(command) => {
            let env = command.env.iter().map(|(_, value)| value);
            command.argv.iter().chain(env).map(String::as_str).collect()
        }
        Subject::Workload(_) | Subject::Criterion(_) => Vec::new(),
    };
    !budget.build.command.is_empty() || texts.into_iter().any(names_a_target)
}

/// Where the next mark is in a text.
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

/// The target directory of what is measured, below cargo's own, so that nothing of the user's is overwritten.
pub fn directory(target: &Path) -> PathBuf {
    target.join("budgets").join("built")
}
