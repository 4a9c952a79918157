//! `cargo budget`: the command that accompanies the tests.
//!
//! It renders and stores what the harness recorded, and edits `budgets.toml`. To have something measured, it runs the tests.
//! It does not judge, and it does not word verdicts.

#![warn(clippy::wildcard_enum_match_arm)]

mod base;
mod benches;
mod bisect;
#[cfg(unix)]
mod browser;
mod child;
mod cli;
mod clock;
mod doctor;
mod edit;
mod environment;
mod exit;
mod failure;
mod file;
mod git;
mod history;
mod init;
mod inside;
mod interrupt;
mod links;
mod profile;
mod progress;
mod project;
mod report;
mod runs;
mod sampled;
mod selftest;
mod site;
mod target;
mod text;
mod watch;

use std::process::ExitCode;

use crate::failure::Failure;

fn main() -> ExitCode {
    match links::act_as_wrapper().or_else(base::print_environment) {
        None => cli::main(),
        Some(Ok(code)) => code,
        Some(Err(reason)) => cli::fail(&Failure::unmeasured(reason)),
    }
}
