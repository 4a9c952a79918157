//! The programs by which cargo runs tests: `runner` in its configuration.
//!
//! The harness is started by this revision's runner, and starts the base's processes itself. So these are run by this
//! revision's runner too, which may set variables, preload a library or choose processors.

use std::path::Path;

use cargo_metadata::cargo_platform::{Cfg, CfgExpr};
use perf_budget_core::budget::{Budgets, Reference};
use perf_budget_core::suite::Suite;

use super::configuration::Files;
use super::named_files;
use crate::child;
use crate::failure::Failure;

/// Checks that the same program runs the tests of both revisions, if any of these budgets compares them. `root` is the
/// directory of this revision's package.
pub(super) fn check(
    root: &Path,
    budgets: &Budgets,
    [head, base]: [&Files; 2],
) -> Result<(), Failure> {
    let tests = Suite::of(budgets, true).tests;
    if tests.iter().all(|test| test.limit.reference() != Some(&Reference::Base)) {
        return Ok(());
    }
    let (head, base) = (head.settings(), base.settings());
    let keys = head.keys().chain(base.keys()).filter(|key| head.get(*key) != base.get(*key));
    let mut differing = keys.filter_map(|key| {
        let setting = named_files::setting(key);
        let platform = setting.strip_prefix("target.")?.strip_suffix(".runner")?;
        Some((setting, platform))
    });
    // The compiler is asked only where a runner differs.
    let built_for = [&head, &base].into_iter().filter_map(|both| both.get("build.target"));
    let targets: Vec<String> =
        built_for.cloned().chain(std::env::var("CARGO_BUILD_TARGET")).collect();
    let found = differing.find(|(_, platform)| applies(platform, &targets, root));
    found.map_or(Ok(()), |(setting, _)| {
        Err(Failure::unmeasured(format!(
            "`{setting}` runs the tests of this revision and those of the base by different programs, but the base's \
             processes are started within this revision's; change the runner in a commit of its own, and compare with \
             that commit"
        )))
    })
}

/// Whether the settings for a platform, a triple or `cfg(…)`, hold for what is tested. What cannot be found out counts as if
/// they did. `targets` are the values of `build.target`.
fn applies(platform: &str, targets: &[String], root: &Path) -> bool {
    let Some(version) = rustc(&["-vV"], root) else { return true };
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let named = targets.iter().flat_map(|list| list.split(['[', ']', ',', '"', '\'', ' ']));
    let mut triples = named.filter(|name| !name.is_empty()).chain(host);
    let Some(expression) = platform.strip_prefix("cfg(").and_then(|rest| rest.strip_suffix(')'))
    else {
        return triples.any(|triple| triple == platform);
    };
    let Ok(expression) = expression.parse::<CfgExpr>() else { return true };
    triples.any(|triple| {
        let printed = rustc(&["--print", "cfg", "--target", triple], root);
        printed.is_none_or(|printed| holds(&expression, &printed))
    })
}

/// Whether an expression holds for a platform, of which the compiler printed the configuration.
fn holds(expression: &CfgExpr, printed: &str) -> bool {
    let all: Vec<Cfg> = printed.lines().filter_map(|line| line.parse().ok()).collect();
    expression.matches(&all)
}

/// Returns what the compiler of a directory prints; `None` where it fails.
fn rustc(arguments: &[&str], root: &Path) -> Option<String> {
    let mut rustc = child::program("rustc");
    let output = child::output(rustc.args(arguments).current_dir(root)).ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_runner_that_differs_counts_where_it_runs_what_is_tested() {
        let place = tempfile::tempdir().unwrap();
        let check = |head: &str, base: &str| {
            let files = [("head", head), ("base", base)].map(|(name, text)| {
                let top = place.path().join(name);
                fs::create_dir_all(top.join(".cargo")).unwrap();
                fs::write(top.join(".cargo/config.toml"), text).unwrap();
                Files::find(&top, &top)
            });
            let limit = "[budget.b]\nworkload = \"w\"\nmax = { mean = \"1 x base\" }\n";
            let budgets =
                perf_budget_core::budget::parse(limit, Path::new("budgets.toml")).unwrap();
            super::check(place.path(), &budgets, [&files[0], &files[1]])
                .map_err(|failure| failure.text)
        };
        let runner = |platform: &str, program: &str| {
            format!("[target.{platform:?}]\nrunner = [{program:?}, \"-x\"]\n")
        };
        for all in ["cfg(all())", "cfg(any(unix, windows))"] {
            for (head, base) in
                [(runner(all, "a"), String::new()), (String::new(), runner(all, "a"))]
            {
                let why = check(&head, &base).unwrap_err();
                assert!(why.starts_with(&format!("`target.{all}.runner` runs the tests")), "{why}");
            }
            assert!(check(&runner(all, "a"), &runner(all, "b")).is_err());
            assert_eq!(check(&runner(all, "a"), &runner(all, "a")), Ok(()));
        }
        for other in ["cfg(target_arch = \"avr\")", "wasm32-wasip1"] {
            assert_eq!(check(&runner(other, "a"), ""), Ok(()));
        }
        // The same setting names a program that differs.
        for (name, text) in [("head", "one"), ("base", "two")] {
            fs::create_dir_all(place.path().join(name).join("tools")).unwrap();
            fs::write(place.path().join(name).join("tools/run"), text).unwrap();
        }
        let own = runner("cfg(all())", "tools/run");
        assert!(check(&own, &own).is_err());
        assert_eq!(check("", ""), Ok(()));
    }
}
