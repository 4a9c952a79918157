//! `cargo budget`: the command around the gate.
//!
//! It renders and stores what the harness recorded, and edits what people wrote. It measures nothing by
//! another way than `cargo test` does, and words no verdict of its own.

mod base;
mod child;
mod cli;
mod doctor;
mod edit;
mod exit;
mod failure;
mod file;
mod git;
mod history;
mod init;
mod inside;
mod links;
mod progress;
mod project;
mod report;
mod selftest;
mod text;

use std::process::ExitCode;

use crate::failure::Failure;

fn main() -> ExitCode {
    match links::stand_in() {
        None => cli::main(),
        Some(Ok(code)) => code,
        Some(Err(reason)) => cli::fail(&Failure::unmeasured(reason)),
    }
}
