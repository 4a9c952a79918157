//! The subcommands, each in a file of its own with its arguments and the few lines that call the module that does the
//! work.

mod accept;
mod added;
mod bisect;
mod check;
mod completions;
mod context;
mod db;
mod diff;
mod doctor;
mod done;
mod explain;
mod history;
#[cfg(feature = "import")]
mod import;
#[cfg(not(feature = "import"))]
#[path = "no_import.rs"]
mod import;
mod init;
mod judged;
#[cfg(unix)]
mod open;
#[cfg(not(unix))]
#[path = "no_open.rs"]
mod open;
mod output;
mod profiled;
mod promises;
mod question;
mod recorded;
mod rendering;
mod report;
mod save_base;
mod selftest;
mod site;
mod suggest;
mod target;
mod targets;
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
    /// Take the limits of the environment `[env.NAME]` instead of the one that PERF_BUDGET_ENV names or that suits the machine;
    /// `none` takes no environment
    #[arg(long, global = true, value_name = "NAME")]
    env: Option<String>,
}

const CODES: &str = "\
Exit codes:
  0  every budget holds, or what was asked for is done
  1  a budget is broken, a limit was loosened without a reason, a selftest did not turn a limit red, or bisect had nothing to find
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names of all commands that do something, with their arguments.
    fn commands(parent: &clap::Command, before: &str) -> Vec<(String, clap::Command)> {
        let mut all = Vec::new();
        for command in parent.get_subcommands().filter(|command| command.get_name() != "help") {
            let name = format!("{before}{}", command.get_name());
            let inner = commands(command, &format!("{name} "));
            if inner.is_empty() {
                all.push((name, command.clone()));
            }
            all.extend(inner);
        }
        all
    }

    /// Every command writes JSON, and the page for programs says which schema it has. What `completions` writes is for a
    /// shell.
    #[test]
    fn every_command_has_json_with_a_schema() {
        let cargo = Cargo::command();
        let budget = cargo.find_subcommand("budget").unwrap();
        let all = commands(budget, "");
        assert!(all.len() >= 20, "only {} commands were found", all.len());
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let page = std::fs::read_to_string(root.join("docs/agents.md")).unwrap();
        for (name, command) in all.iter().filter(|(name, _)| name != "completions") {
            if cfg!(not(feature = "import")) && name == "history import" {
                continue;
            }
            if cfg!(not(unix)) && name == "open" {
                continue;
            }
            let format = command.get_arguments().find(|argument| argument.get_id() == "format");
            let values = format.map(clap::Arg::get_possible_values).unwrap_or_default();
            assert!(values.iter().any(|value| value.get_name() == "json"), "{name} has no JSON");
            let row =
                page.lines().find(|line| line.starts_with(&format!("| `{name} --format json")));
            let row = row.unwrap_or_else(|| panic!("docs/agents.md has no schema of {name}"));
            let schema = row.split('`').nth(3).unwrap();
            assert!(root.join(schema).is_file(), "{name}: there is no {schema}");
        }
    }

    /// Returns the long names of a command's options, with those that every command has.
    fn options(budget: &clap::Command, command: &clap::Command) -> Vec<String> {
        let every = budget.get_arguments().chain(command.get_arguments());
        let named = every.flat_map(|argument| {
            let others = argument.get_all_aliases().unwrap_or_default();
            argument.get_long().into_iter().chain(others).map(str::to_owned).collect::<Vec<_>>()
        });
        named.chain(["help".to_owned(), "version".to_owned()]).collect()
    }

    /// Returns the words of a call up to the arguments of another program. Text in quotes is left out.
    fn words(call: &str) -> Vec<&str> {
        let end = call.find(['`', '|', ';', '#']).unwrap_or(call.len());
        let unquoted = call[..end].split(['"', '\'']).step_by(2);
        let words = unquoted.flat_map(str::split_whitespace);
        words.take_while(|word| !matches!(*word, "--" | "&&")).collect()
    }

    #[test]
    fn the_pages_name_options_that_exist() {
        assert_eq!(words("check --a 'b --c' [--d=e] -- --f"), ["check", "--a", "[--d=e]"]);
        assert_eq!(words("check --a` and `--b`"), ["check", "--a"]);
        let cargo = Cargo::command();
        let budget = cargo.find_subcommand("budget").unwrap();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let pages = std::fs::read_dir(root.join("docs")).unwrap();
        let pages = pages.map(|page| page.unwrap().path()).chain([root.join("README.md")]);
        let (mut unknown, mut count) = (Vec::new(), 0);
        for page in pages.filter(|page| page.extension().is_some_and(|kind| kind == "md")) {
            let text = std::fs::read_to_string(&page).unwrap().replace("\\\n", " ");
            for call in text.lines().flat_map(|line| line.split("cargo budget ").skip(1)) {
                let mut command = budget;
                for word in words(call) {
                    if let Some(inner) = command.find_subcommand(word) {
                        command = inner;
                    }
                    let Some((_, option)) = word.split_once("--") else { continue };
                    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
                    let option = option.split(|c| !is_part(c)).next().unwrap_or_default();
                    let is_cut = command.get_name() == "import" && cfg!(not(feature = "import"))
                        || command.get_name() == "open" && cfg!(not(unix));
                    count += 1;
                    if !is_cut && !options(budget, command).iter().any(|known| known == option) {
                        unknown.push(format!("{}: {call}: --{option}", page.display()));
                    }
                }
            }
        }
        assert!(count > 60, "only {count} options were found");
        assert!(unknown.is_empty(), "there are no such options: {unknown:#?}");
    }
}
