//! How the subject of a budget is built: which programs are started with which arguments, and where the result is.
//!
//! A subject is built as users ship it (`cargo build --release --bin NAME`) and not as the tests happen to be built. It
//! is built in a target directory of its own, and in the same way for both revisions.
//!
//! This module starts no program itself. The caller passes a function that does: the harness starts programs below its
//! supervisor, and the command `cargo budget` starts plain child processes.

mod benches;
#[cfg(test)]
mod benches_tests;
mod cargo;
mod held;
mod index;
mod install;
mod members;
mod placeholder;
mod product;
pub mod runner;
mod step;
mod target;
#[cfg(test)]
mod tests;

pub use self::benches::{Bench, BenchBuild, Benches};
pub use self::held::hold;
pub use self::index::{find, note};
pub use self::placeholder::{expand, has_any, names_a_target, needs_cargo};
pub use self::product::Product;
pub use self::step::{Program, ProgramResult, Start, Step};
pub use self::target::{Built, Kind, Site, Target};

/// The variables by which a user chooses cargo's target directory. It belongs to this revision, so a build of the base
/// must not write to it.
pub const TARGET_VARIABLES: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];
