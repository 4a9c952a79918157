//! The environment in which cargo runs a program that it has built.
//!
//! Before cargo runs a test or a benchmark, it sets the variables of `[env]`, those of build scripts, the directories of
//! shared libraries, and a description of the package. Whoever starts such a program without cargo has to know them. So cargo
//! is told to run it by another program, a runner, which prints its own environment and does nothing else. The runner is this
//! program under another name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exact;

/// Differences between two environments: each variable with its value, or `None` if it is not there.
pub type Changes = BTreeMap<String, Option<String>>;

/// The name under which a program prints its environment.
const NAME: &str = "perf-budget-environment";

/// A program that prints its environment in the place of what cargo runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner(PathBuf);

/// An environment, as the runner prints it: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The kind of the line, since cargo prints lines of its own beside it.
    reason: String,
    /// The program that cargo runs. `None` if the runner was started without one.
    pub program: Option<String>,
    /// The variables. Those that are not UTF-8 are left out: no file of cargo's can set them.
    pub variables: BTreeMap<String, String>,
}

impl Runner {
    /// Returns the runner of this name in a directory, where `hold` creates another name of this program.
    ///
    /// # Errors
    /// If the name cannot be created.
    pub fn new(
        directory: &Path,
        hold: impl FnOnce(&Path) -> std::io::Result<()>,
    ) -> std::io::Result<Runner> {
        // The path has to be absolute, since cargo starts the runner in other directories.
        let directory = std::path::absolute(directory)?;
        let name = directory.join(format!("{NAME}{}", std::env::consts::EXE_SUFFIX));
        hold(&name)?;
        Ok(Runner(name))
    }

    /// Returns the path of the program.
    pub fn program(&self) -> &Path {
        &self.0
    }

    /// Returns the arguments and the variables by which cargo runs the programs of these platforms by this one.
    ///
    /// A variable replaces whatever runner a configuration file names, while an argument cannot replace one that is written in
    /// another form. But cargo splits a variable at its spaces, so a path with spaces becomes an argument.
    pub fn settings(&self, triples: &[String]) -> (Vec<String>, Vec<(String, String)>) {
        let path = self.0.to_string_lossy();
        if path.contains(char::is_whitespace) {
            let path = serde_json::Value::from(path.as_ref());
            let setting = |triple| format!("target.{triple:?}.runner=[{path}]");
            let settings = triples.iter().map(setting);
            return (settings.flat_map(|own| ["--config".to_owned(), own]).collect(), Vec::new());
        }
        let variable = |triple: &String| (runner_variable(triple), path.clone().into_owned());
        (Vec::new(), triples.iter().map(variable).collect())
    }
}

/// Returns the variable by which cargo is told how to run the programs of a platform.
fn runner_variable(triple: &str) -> String {
    format!("CARGO_TARGET_{}_RUNNER", triple.replace('-', "_").to_uppercase())
}

/// Returns the line to print, if this process was started as the runner; `None` if it was not. `arguments` are those of the
/// process, its name first.
pub fn line(
    mut arguments: impl Iterator<Item = OsString>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Option<String> {
    let called = PathBuf::from(arguments.next()?);
    if called.file_stem()? != NAME {
        return None;
    }
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let environment = Environment {
        reason: NAME.to_owned(),
        program: arguments.next().and_then(|program| program.into_string().ok()),
        variables: variables.filter_map(text).collect(),
    };
    // A line that somebody else has begun must end before this one.
    serde_json::to_string(&environment).ok().map(|line| format!("\n{line}\n"))
}

/// Returns the environments in what was printed.
pub fn printed(output: &[u8]) -> Vec<Environment> {
    let text = String::from_utf8_lossy(output);
    let environments = text.lines().filter_map(|line| exact::read(line.as_bytes()).ok());
    environments.filter(|environment: &Environment| environment.reason == NAME).collect()
}

/// Returns what cargo changes for a program, given the environment of a process that was started in the place of cargo.
pub fn between(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Changes {
    let names = before.keys().chain(after.keys());
    // The variables that describe a package are set for the program even if they have the same value here, where they describe
    // another package.
    let of_package = |name: &str| name.starts_with("CARGO_PKG_") && after.contains_key(name);
    let differs = |name: &str| before.get(name) != after.get(name) || of_package(name);
    let differing = names.filter(|name| differs(name) && is_handed(name));
    differing.map(|name| (name.clone(), after.get(name).cloned())).collect()
}

/// Whether a variable is one that cargo hands to the programs that it runs, and not one that was set for cargo itself.
fn is_handed(name: &str) -> bool {
    let is_runner = name.starts_with("CARGO_TARGET_") && name.ends_with("_RUNNER");
    // A shell sets `_` for each program that it starts. The other two kinds are set by the command that records links.
    !is_runner && name != "_" && name != "RUSTC_WRAPPER" && !name.starts_with("PERF_BUDGET_RECORD_")
}

/// Returns the platforms that a program may be built for, given what `cargo -vV` prints: this machine's, and the one in
/// the path of the program, which is `TARGET_DIR/TRIPLE/PROFILE/deps/NAME`.
pub fn triples<'a>(version: &str, programs: impl IntoIterator<Item = &'a Path>) -> Vec<String> {
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let mut found: Vec<String> = host.map(|host| host.trim().to_owned()).into_iter().collect();
    let of_path =
        |program: &Path| Some(program.ancestors().nth(3)?.file_name()?.to_str()?.to_owned());
    for triple in programs.into_iter().filter_map(of_path) {
        if !found.contains(&triple) {
            found.push(triple);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn added_changed_and_removed_variables_are_found() {
        let package = ("CARGO_PKG_VERSION", "0.1.0");
        let before =
            all(&[("same", "1"), ("changed", "1"), ("removed", "1"), ("_", "env"), package]);
        let after = all(&[
            ("same", "1"),
            ("changed", "2"),
            ("added", "1"),
            ("_", "cargo"),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "/r"),
            ("CARGO_TARGET_TMPDIR", "/t"),
            package,
        ]);
        let text = |value: &str| Some(value.to_owned());
        let want = [
            ("added", text("1")),
            ("changed", text("2")),
            ("removed", None),
            ("CARGO_TARGET_TMPDIR", text("/t")),
            ("CARGO_PKG_VERSION", text("0.1.0")),
        ];
        let want: Changes = want.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(between(&before, &after), want);
    }

    #[test]
    fn the_runner_is_known_by_its_name_and_its_line_is_found_beside_others() {
        let words = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>().into_iter();
        let variables = || [("MODE".into(), "x\ny".into())].into_iter();
        let own = format!("/r/{NAME}{}", std::env::consts::EXE_SUFFIX);
        assert_eq!(line(words(&["/r/budgets", "/t/sums"]), variables()), None);
        let said = line(words(&[&own, "/t/sums", "--list"]), variables()).unwrap();
        let output = format!("{{\"reason\":\"build-finished\"}}\nhello{said}more\n");
        let [found] = &printed(output.as_bytes())[..] else { panic!("{output}") };
        assert_eq!(found.program.as_deref(), Some("/t/sums"));
        assert_eq!(found.variables, all(&[("MODE", "x\ny")]));
        let alone = line(words(&[&own]), variables()).unwrap();
        assert_eq!(printed(alone.as_bytes())[0].program, None);
    }

    #[test]
    fn cargo_is_told_for_each_platform() {
        let version = "cargo 1.95.0\nrelease: 1.95.0\nhost: x86_64-unknown-linux-gnu\nos: Debian\n";
        let of = |path: &str| triples(version, [Path::new(path)]);
        assert_eq!(of("/w/target/release/deps/b"), ["x86_64-unknown-linux-gnu", "target"]);
        let both = of("/w/target/arm-none-eabi/release/deps/b");
        assert_eq!(both, ["x86_64-unknown-linux-gnu", "arm-none-eabi"]);
        let plain = Runner("/w/runner".into()).settings(&both);
        let names: Vec<&str> = plain.1.iter().map(|(name, _)| name.as_str()).collect();
        let want =
            ["CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "CARGO_TARGET_ARM_NONE_EABI_RUNNER"];
        assert_eq!(names, want);
        assert!(plain.0.is_empty() && plain.1.iter().all(|(_, value)| value == "/w/runner"));
        let (arguments, variables) = Runner("/my w/runner".into()).settings(&both[1..]);
        assert_eq!(arguments, ["--config", "target.\"arm-none-eabi\".runner=[\"/my w/runner\"]"]);
        assert!(variables.is_empty());
    }
}
