//! Something that is built: by cargo, or by a budget's own command.

use super::cargo;
use super::step::{Program, Start, Step, run};
use super::target::{Built, Site, Target};
use crate::budget::Build;
use crate::outcome::{Cause, Unmeasured};

/// Something that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Product {
    /// A program or a module that cargo builds.
    Cargo(Target),
    /// Whatever a command makes: the command and its arguments.
    Made(Vec<String>),
}

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
