//! The environment of the base's processes: what the user set, without what this revision's files set.
//!
//! Rustup chooses a toolchain by this revision's files and writes its name, and the path of its cargo, into the
//! environment. Cargo adds the variables of `[env]` in this revision's configuration. A base that inherited them
//! would be built with this revision's toolchain and variables instead of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cargo_metadata::MetadataCommand;
use perf_budget_core::budget::{self, Build};

use super::checkout;
use super::configuration::Files;
use super::configured;
use crate::child::{self, Unfinished};
use crate::failure::Failure;

/// The variable by which rustup tells every program that it starts which toolchain is chosen.
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";
/// A variable that cargo sets for each program that it builds and runs, and for no other.
const OF_CARGO: &str = "CARGO_MANIFEST_DIR";
/// The variable that names the directory for cargo's intermediate files. There, cargo distinguishes packages only by their
/// names and versions, so both revisions of a package would have the same files.
const BUILD_DIRECTORY: &str = "CARGO_BUILD_BUILD_DIR";
/// The variables in which cargo puts the directories of this revision's libraries before it runs a test.
const LIBRARIES: [&str; 4] =
    ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH"];

/// The variables in which the environment of the base's processes differs from that of this revision's tests. A
/// variable whose value is `None` is removed.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    variables: BTreeMap<String, Option<String>>,
    /// How long each program that builds the base may take: `build_timeout` of this revision.
    patience: Duration,
}

/// Returns why a program that builds the base did not end by itself, with the remedy.
pub(super) fn describe_unfinished(why: &Unfinished) -> String {
    let remedy = "; if it may take longer, raise `build_timeout` in [settings]";
    format!("{why}{}", if matches!(why, Unfinished::Late(_)) { remedy } else { "" })
}

impl Environment {
    /// Returns the base's environment, given this revision's package in `root`, the configuration of this revision and of
    /// the base, and the directory that the base is built in.
    pub(super) fn new(root: &Path, [head, base]: [&Files; 2], target_dir: &Path) -> Environment {
        let variable = |name: &str| std::env::var(name).ok();
        let mut environment = Environment::from(
            variable,
            |toolchain| !is_chosen_by_user(variable) && is_chosen_by_files(root, toolchain),
            configured::variables(head),
        );
        let is_named = std::env::var_os(BUILD_DIRECTORY).is_some()
            || [head, base].iter().any(|files| files.set(&["build", "build-dir"]));
        // Rustup does not look for an override of this revision's directory in the base's.
        if variable(TOOLCHAIN).is_none()
            && let Some(toolchain) = toolchain_of_override(&active_toolchain(root))
        {
            environment.variables.insert(TOOLCHAIN.to_owned(), Some(toolchain.to_owned()));
        }
        if is_named {
            let own = target_dir.to_string_lossy().into_owned();
            environment.variables.insert(BUILD_DIRECTORY.to_owned(), Some(own));
        }
        if let Ok(budgets) = budget::load(&root.join("budgets.toml")) {
            environment.patience = budgets.settings.build_timeout;
        }
        environment
    }

    fn from(
        variable: impl Fn(&str) -> Option<String>,
        is_chosen_by_files: impl FnOnce(&str) -> bool,
        configured: BTreeMap<String, Option<String>>,
    ) -> Environment {
        let mut own: BTreeMap<_, _> =
            LIBRARIES.iter().map(|name| ((*name).to_owned(), variable(name))).collect();
        // A program that `cargo run` has started, such as a project's `xtask`, has what this revision's configuration sets.
        let is_of_cargo = variable(OF_CARGO).is_some();
        for (name, value) in configured {
            let users = variable(&name).filter(|own| !(is_of_cargo && value.as_ref() == Some(own)));
            own.insert(name, users);
        }
        for name in [TOOLCHAIN, "CARGO"] {
            own.insert(name.to_owned(), variable(name));
        }
        if variable(TOOLCHAIN).is_some_and(|toolchain| is_chosen_by_files(&toolchain)) {
            // The `cargo` that rustup puts on the search path then chooses a toolchain by the base's files.
            own.insert(TOOLCHAIN.to_owned(), None);
            own.insert("CARGO".to_owned(), None);
        }
        Environment { variables: own, patience: Build::TIMEOUT }
    }

    /// Removes the variables that choose a toolchain, so that the project's files choose it.
    pub(super) fn free_toolchain(&mut self) {
        for name in [TOOLCHAIN, "CARGO"] {
            self.variables.insert(name.to_owned(), None);
        }
    }

    /// Returns a command that starts the cargo that the base is built with.
    pub(super) fn cargo(&self) -> Command {
        let mut command = child::program(self.program());
        self.apply(&mut command);
        command
    }

    /// Returns a command by which that cargo describes the workspace of a directory.
    pub(super) fn metadata(&self, directory: &Path) -> MetadataCommand {
        let mut command = child::metadata(directory);
        command.cargo_path(self.program());
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Gives this environment to a command.
    pub(super) fn apply(&self, command: &mut Command) {
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }

    /// Returns the variables, for the harness: it runs in this revision's environment and builds programs of the base.
    pub(super) fn variables(&self) -> BTreeMap<String, Option<String>> {
        self.variables.clone()
    }

    /// Returns how long each program that builds the base may take.
    pub(super) fn program_timeout(&self) -> Duration {
        self.patience
    }

    fn program(&self) -> &str {
        self.variables.get("CARGO").and_then(Option::as_deref).unwrap_or("cargo")
    }
}

/// Returns, in words, the setting that replaces the compiler of the toolchain by another one; `None` where there is none. Such
/// a compiler builds the project whatever toolchain a file of the project names.
pub(crate) fn replaced_compiler(root: &Path) -> Result<Option<String>, Failure> {
    let (top, _) = checkout::top(root)?;
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    Ok(replacing_setting(is_set, &Files::find(root, &top)))
}

fn replacing_setting(is_set: impl Fn(&str) -> bool, files: &Files) -> Option<String> {
    if let Some(name) = ["RUSTC", "CARGO_BUILD_RUSTC"].into_iter().find(|name| is_set(name)) {
        return Some(format!("the variable `{name}`"));
    }
    let keys = [["build", "rustc"], ["env", TOOLCHAIN]].into_iter().find(|keys| files.set(keys))?;
    Some(format!("`{}` in cargo's configuration", keys.join(".")))
}

/// Whether rustup says that the user chose the toolchain, by `cargo +NAME` or by `RUSTUP_TOOLCHAIN`. Rustup says so since
/// version 1.29. A program that rustup started has `RUSTUP_TOOLCHAIN` too. If it starts rustup again, it is not known whether
/// the user chose the toolchain.
fn is_chosen_by_user(variable: impl Fn(&str) -> Option<String>) -> bool {
    match variable("RUSTUP_TOOLCHAIN_SOURCE").as_deref() {
        Some("cli") => true,
        Some("env") => variable("RUST_RECURSION_COUNT").is_some_and(|count| count == "1"),
        _ => false,
    }
}

/// Whether rustup chose this toolchain by a file of the project or by its default. A choice that the user made on the
/// command line, in the environment or for the directory (`rustup override`) applies to the base too.
fn is_chosen_by_files(root: &Path, toolchain: &str) -> bool {
    is_by_files(&active_toolchain(root), toolchain)
}

/// Returns what rustup prints about the toolchain of a directory: its name, and the reason why it is chosen. Nothing where
/// there is no rustup.
fn active_toolchain(root: &Path) -> String {
    let mut rustup = child::program("rustup");
    rustup.args(["show", "active-toolchain"]).current_dir(root).env_remove(TOOLCHAIN);
    // This call must not install a toolchain.
    rustup.env("RUSTUP_AUTO_INSTALL", "0");
    let output = child::output(&mut rustup).map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).into_owned()
}

/// Returns the toolchain that the user chose for a directory by `rustup override`; `None` where there is no such choice.
fn toolchain_of_override(printed: &str) -> Option<&str> {
    printed.split_whitespace().next().filter(|_| is_override(printed))
}

fn is_override(printed: &str) -> bool {
    printed.contains("directory override")
}

/// Whether the output of `rustup show active-toolchain`, which is the toolchain and the reason, shows such a choice.
fn is_by_files(printed: &str, toolchain: &str) -> bool {
    let active = printed.split_whitespace().next();
    active == Some(toolchain) && !is_override(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_does_not_inherit_what_a_file_of_this_revision_chose() {
        let variable = |name: &str| {
            let value = match name {
                "RUSTUP_TOOLCHAIN" => "1.90",
                "CARGO" => "/toolchains/1.90/bin/cargo",
                "SET_BY_USER" => "theirs",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let configured = || {
            let names = ["SET_BY_USER", "SET_BY_FILE"];
            names.map(|name| (name.to_owned(), Some("ours".to_owned()))).into()
        };
        let seen = |is_chosen: bool| {
            let environment = Environment::from(variable, |_| is_chosen, configured());
            let mut command = environment.cargo();
            environment.apply(&mut command);
            let value = |name: &str| {
                let found = command.get_envs().find(|(key, _)| *key == name);
                found.map(|(_, value)| value.map(|value| value.to_str().unwrap().to_owned()))
            };
            let program = command.get_program().to_str().unwrap().to_owned();
            assert_eq!(value("SET_BY_USER"), Some(Some("theirs".to_owned())));
            assert_eq!(value("SET_BY_FILE"), Some(None));
            assert_eq!(value("LD_LIBRARY_PATH"), Some(None));
            (program, value("RUSTUP_TOOLCHAIN").unwrap(), value("CARGO").unwrap())
        };
        assert_eq!(seen(true), ("cargo".to_owned(), None, None));
        let (program, toolchain, cargo) = seen(false);
        assert_eq!(program, "/toolchains/1.90/bin/cargo");
        assert_eq!((toolchain.as_deref(), cargo.as_deref()), (Some("1.90"), Some(&*program)));
    }

    /// A project's `xtask` may compare revisions: what it inherits from cargo is this revision's.
    #[test]
    fn what_cargo_set_for_the_program_that_started_this_one_is_not_the_users() {
        let check = |is_run_by_cargo: bool, value: &str, want: Option<&str>| {
            let variable = |name: &str| match name {
                "CARGO_MANIFEST_DIR" => is_run_by_cargo.then(|| "/xtask".to_owned()),
                "MODE" => Some(value.to_owned()),
                _ => None,
            };
            let configured = [("MODE".to_owned(), Some("ours".to_owned()))].into();
            let environment = Environment::from(variable, |_| false, configured);
            assert_eq!(environment.variables()["MODE"].as_deref(), want, "{value}");
        };
        check(true, "ours", None);
        check(true, "theirs", Some("theirs"));
        check(false, "ours", Some("ours"));
    }

    #[test]
    fn a_setting_that_replaces_the_compiler_of_a_toolchain_is_named() {
        let place = tempfile::tempdir().unwrap();
        let setting = |set: &str, text: &str| {
            std::fs::create_dir_all(place.path().join(".cargo")).unwrap();
            std::fs::write(place.path().join(".cargo/config.toml"), text).unwrap();
            replacing_setting(|name| name == set, &Files::find(place.path(), place.path()))
        };
        let check = |set: &str, text: &str, want: &str| {
            assert_eq!(setting(set, text).as_deref(), Some(want));
        };
        check("RUSTC", "", "the variable `RUSTC`");
        check("CARGO_BUILD_RUSTC", "", "the variable `CARGO_BUILD_RUSTC`");
        let configured = "`build.rustc` in cargo's configuration";
        check("", "[build]\nrustc = \"/usr/bin/rustc\"\n", configured);
        let variable = "[env]\nRUSTUP_TOOLCHAIN = { value = \"stable\", force = true }\n";
        check("", variable, "`env.RUSTUP_TOOLCHAIN` in cargo's configuration");
        // A wrapper does not replace the compiler: it gets the compiler's path as an argument.
        let wrapped = setting("RUSTC_WRAPPER", "[build]\nrustc-wrapper = \"sccache\"\n");
        assert!(wrapped.is_none_or(|by| !by.contains("wrapper")));
    }

    #[test]
    fn a_toolchain_that_the_user_chose_is_kept() {
        let check = |source: &str, count: &str, want: bool| {
            let variable = |name: &str| {
                let value = if name == "RUST_RECURSION_COUNT" { count } else { source };
                (!value.is_empty()).then(|| value.to_owned())
            };
            assert_eq!(is_chosen_by_user(variable), want, "{source} {count}");
        };
        check("cli", "1", true);
        check("env", "1", true);
        // The variable is rustup's own, and was inherited from the outer program.
        check("env", "2", false);
        check("env", "", false);
        check("toolchain-file", "1", false);
        check("", "1", false);
    }

    #[test]
    fn the_reason_that_rustup_prints_is_understood() {
        let check = |printed: &str, by_files: bool| {
            assert_eq!(is_by_files(printed, "1.90"), by_files, "{printed}");
        };
        check("1.90 (overridden by '/p/rust-toolchain.toml')\n", true);
        check("1.90 (default)\n", true);
        check("1.90 (directory override for '/p')\n", false);
        check("stable (default)\n", false);
        check("", false);
        assert_eq!(toolchain_of_override("1.90 (directory override for '/p')\n"), Some("1.90"));
        for printed in ["1.90 (default)\n", "1.90 (overridden by '/p/rust-toolchain.toml')\n", ""] {
            assert_eq!(toolchain_of_override(printed), None);
        }
    }
}
