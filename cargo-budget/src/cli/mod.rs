//! The subcommands, each in a file of its own with its arguments and the few lines that call the module that does the
//! work.

mod accept;
mod bisect;
mod check;
mod completions;
mod context;
mod db;
mod diff;
mod doctor;
mod explain;
mod history;
#[cfg(feature = "import")]
mod import;
#[cfg(not(feature = "import"))]
#[path = "no_import.rs"]
mod import;
mod init;
#[cfg(unix)]
mod open;
#[cfg(not(unix))]
#[path = "no_open.rs"]
mod open;
mod output;
mod profiled;
mod question;
mod rendering;
mod report;
mod save_base;
mod selftest;
mod site;
mod suggest;
mod target;
mod tighten;
mod watch;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, Parser, Subcommand};
use perf_budget_core::budget::environment;

use self::context::Context;
use self::output::say;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;

/// The command line as cargo calls it: `cargo-budget budget …`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true)]
enum Cargo {
    Budget(Budget),
}

/// Performance budgets: compare with the base, edit limits, keep history, render reports.
#[derive(Debug, clap::Args)]
#[command(version, about, after_help = CODES)]
struct Budget {
    #[command(subcommand)]
    command: Command,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    /// Print only the result, warnings and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Take the limits of this environment, `[env.NAME]`, instead of the one that PERF_BUDGET_ENV names or that the machine
    /// is; `none` for none of them
    #[arg(long, global = true, value_name = "NAME")]
    env: Option<String>,
}

const CODES: &str = "\
Exit codes:
  0  every budget holds, or what was asked for is done
  1  a budget is broken, a limit was loosened without a reason, a selftest did not turn a limit red, or bisect has nothing to find
  2  a mistake in the arguments or in the configuration
  3  something could not be measured, read or written
  4  the evidence did not suffice, and the settings make that red, or bisect needs it";

#[derive(Debug, Subcommand)]
enum Command {
    Accept(accept::Accept),
    Bisect(bisect::Bisect),
    Check(check::Check),
    SaveBase(save_base::SaveBase),
    Report(report::Report),
    Explain(explain::Explain),
    Completions(completions::Completions),
    Diff(diff::Diff),
    Doctor(doctor::Doctor),
    Init(init::Init),
    Open(open::Open),
    Selftest(selftest::Selftest),
    Site(site::Site),
    Suggest(suggest::Suggest),
    Tighten(tighten::Tighten),
    History(history::History),
    Trend(history::Trend),
    Watch(watch::Watch),
}

/// Reads the arguments, runs the subcommand, and returns the exit code.
pub(crate) fn main() -> ExitCode {
    let Cargo::Budget(budget) = match Cargo::try_parse_from(arguments()) {
        Ok(cargo) => cargo,
        Err(error) => {
            // Help and version arrive here too, and are not errors. If they cannot be printed, nothing can.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Holds.into() };
        }
    };
    match budget.color {
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        ColorChoice::Auto => {}
    }
    if let Some(name) = budget.env {
        environment::name_for_process(name);
    }
    let context = Context { quiet: budget.quiet, progress: Progress::new(budget.quiet) };
    match run(budget.command, context) {
        Ok(exit) => exit.into(),
        Err(failure) => fail(&failure),
    }
}

/// Prints a failure and returns its exit code.
pub(crate) fn fail(failure: &Failure) -> ExitCode {
    say(&format!("\u{1b}[1;31merror\u{1b}[0m: {failure}"));
    failure.exit.into()
}

fn run(command: Command, context: Context) -> Result<Exit, Failure> {
    match command {
        Command::Accept(args) => args.run(context),
        Command::Bisect(args) => args.run(context),
        Command::Check(args) => args.run(context),
        Command::SaveBase(args) => args.run(context),
        Command::Report(args) => args.run(context),
        Command::Explain(args) => args.run(context),
        Command::Completions(args) => args.run(&mut Cargo::command()),
        Command::Diff(args) => args.run(),
        Command::Doctor(args) => args.run(context),
        Command::Init(args) => args.run(context),
        Command::Open(args) => args.run(context),
        Command::Selftest(args) => args.run(context),
        Command::Site(args) => args.run(context),
        Command::Suggest(args) => args.run(context),
        Command::Tighten(args) => args.run(context),
        Command::History(args) => args.run(context),
        Command::Trend(args) => args.run(context),
        Command::Watch(args) => args.run(),
    }
}

/// Returns the arguments as cargo gives them. `cargo-budget report` means the same as `cargo budget report`.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|first| first != "budget") {
        arguments.insert(arguments.len().min(1), "budget".into());
    }
    arguments
}
