//! The toolchains that rustup has installed, and their order.

use std::cmp::Ordering;

use crate::child;
use crate::failure::Failure;

/// A toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// Its name, without the name of this machine's host at its end.
    pub(super) name: String,
    /// The version that `rustc -vV` reports: `1.89.0`, `1.101.0-nightly`.
    pub(super) release: String,
    /// The hash of its commit. It differs between the toolchains that `rustup update` has put under one name.
    pub(super) hash: String,
    /// The date of its commit, which tells nightlies apart.
    pub(super) date: String,
}

/// The output of a program.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgramOutput {
    succeeded: bool,
    output: String,
    errors: String,
}

/// The toolchains that are installed.
#[derive(Debug, Default)]
pub(super) struct Installed {
    pub(super) usable: Vec<Toolchain>,
    /// The names of the toolchains whose compiler does not run, each with the reason.
    broken: Vec<(String, String)>,
}

impl Toolchain {
    /// Returns the toolchain of this name from the output of its `rustc -vV`; `None` if no compiler prints such an output.
    fn parse(name: &str, printed: &str) -> Option<Toolchain> {
        let host = format!("-{}", field(printed, "host"));
        let toolchain = Toolchain {
            name: name.strip_suffix(&host).unwrap_or(name).to_owned(),
            release: field(printed, "release"),
            hash: field(printed, "commit-hash"),
            date: field(printed, "commit-date"),
        };
        (!toolchain.release.is_empty()).then_some(toolchain)
    }

    /// Returns the name that people are shown.
    pub(super) fn display_name(&self) -> String {
        match &self.release {
            release if *release == self.name => release.clone(),
            release => format!("{} (rustc {release})", self.name),
        }
    }

    /// Checks that the compiler with this output of `rustc -vV` is the one of this toolchain.
    pub(super) fn verify(&self, printed: &ProgramOutput) -> Result<(), String> {
        let compiler = Toolchain::parse(&self.name, &printed.output).filter(|_| printed.succeeded);
        let Some(compiler) = compiler else {
            return Err(format!(
                "rustc {} was asked for, and `rustc -vV` fails there: {}",
                self.release,
                printed.reason()
            ));
        };
        if compiler.release != self.release {
            // A `rustc` that does not belong to rustup does not read the file.
            return Err(format!(
                "rustc {} was asked for, and `rustc` is {:?} there; rustup's has to come first in PATH",
                self.release, compiler.release
            ));
        }
        if compiler == *self {
            return Ok(());
        }
        let commit = |one: &Toolchain| format!("{} of {}", crate::text::short(&one.hash), one.date);
        Err(format!(
            "rustc {} of commit {} was asked for, and `rustc` is of {} there; if the toolchain was updated meanwhile, search again",
            self.release,
            commit(self),
            commit(&compiler)
        ))
    }
}

impl ProgramOutput {
    /// Returns the output of a program that has ended.
    pub(super) fn read(output: &std::process::Output) -> ProgramOutput {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ProgramOutput {
            succeeded: output.status.success(),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }

    /// Returns in one line why it failed.
    fn reason(&self) -> String {
        let lines = self.errors.lines().chain(self.output.lines()).map(str::trim);
        let line = lines.filter(|line| !line.is_empty()).find(|line| !line.starts_with("info:"));
        line.unwrap_or("it printed nothing").trim_start_matches("error: ").to_owned()
    }
}

/// Asks rustup a question, which must not install a toolchain.
pub(super) fn rustup(arguments: &[&str]) -> Result<ProgramOutput, Failure> {
    let mut rustup = child::program("rustup");
    rustup.args(arguments).env("RUSTUP_AUTO_INSTALL", "0");
    let output = child::output(&mut rustup).map_err(|e| {
        Failure::unmeasured(format!(
            "failed to run `rustup`, which has the toolchains: {e}; install it from https://rustup.rs"
        ))
    })?;
    Ok(ProgramOutput::read(&output))
}

/// Returns the installed toolchains. `rustup` asks rustup a question; tests give the answers themselves.
pub(super) fn installed(
    rustup: &dyn Fn(&[&str]) -> Result<ProgramOutput, Failure>,
) -> Result<Installed, Failure> {
    let listed = rustup(&["toolchain", "list"])?;
    if !listed.succeeded {
        return Err(Failure::unmeasured(format!(
            "`rustup toolchain list` failed: {}; run it to see what is wrong with rustup",
            listed.reason()
        )));
    }
    let names = listed.output.lines().filter_map(|line| line.split_whitespace().next());
    let mut installed = Installed::default();
    // The line `no installed toolchains` is a sentence and not the name of a toolchain.
    for name in names.filter(|name| *name != "no") {
        let printed = rustup(&["run", name, "rustc", "-vV"])?;
        match Toolchain::parse(name, &printed.output).filter(|_| printed.succeeded) {
            Some(toolchain) => installed.usable.push(toolchain),
            None => installed.broken.push((name.to_owned(), printed.reason())),
        }
    }
    Ok(installed)
}

/// Returns the value of a field in the output of `rustc -vV`.
fn field(printed: &str, name: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default().trim().to_owned()
}

/// Whether the two names are the same, or one of them is the other with this machine's host at its end.
fn is_same_name(long: &str, short: &str) -> bool {
    let host = long.strip_prefix(short).and_then(|rest| rest.strip_prefix('-'));
    long == short || host.is_some_and(|host| host.split('-').count() >= 3)
}

impl Installed {
    /// Returns the toolchain of this name.
    pub(super) fn named(&self, name: &str) -> Result<&Toolchain, Failure> {
        if let Some(found) = self.usable.iter().find(|one| is_same_name(name, &one.name)) {
            return Ok(found);
        }
        // The host of a toolchain that does not run is not known.
        let is_broken =
            |(other, _): &&(String, String)| is_same_name(other, name) || is_same_name(name, other);
        if let Some((other, why)) = self.broken.iter().find(is_broken) {
            return Err(Failure::unmeasured(format!(
                "the toolchain `{other}` is installed, but its rustc does not run: {why}; `rustup toolchain uninstall {other}` and \
                 `rustup toolchain install {name}` install it anew"
            )));
        }
        let names: Vec<String> = self.usable.iter().map(|one| format!("`{}`", one.name)).collect();
        let (is, names) = match &names[..] {
            [] => ("no toolchain is", String::new()),
            [_] => ("the only one that is installed is", names.concat()),
            _ => ("those that are installed are", names.join(", ")),
        };
        let blank = if names.is_empty() { "installed" } else { &names };
        Err(Failure::usage(format!(
            "the toolchain `{name}` is not installed; {is} {blank}; `rustup toolchain install {name}` installs it"
        )))
    }
}

/// Returns both ends and the toolchains that were released between them, in the order from the good one to the bad one. If
/// one compiler has several names, the names of the two ends are preferred.
pub(super) fn between(all: &[Toolchain], good: &Toolchain, bad: &Toolchain) -> Vec<Toolchain> {
    if order(good, bad).is_eq() {
        return vec![good.clone()];
    }
    let (low, high) = if order(good, bad).is_lt() { (good, bad) } else { (bad, good) };
    let is_inside = |one: &&Toolchain| order(low, one).is_lt() && order(one, high).is_lt();
    let mut inside: Vec<Toolchain> = all.iter().filter(is_inside).cloned().collect();
    inside.sort_by(order);
    inside.dedup_by(|a, b| order(a, b).is_eq());
    if order(good, bad).is_gt() {
        inside.reverse();
    }
    let mut chosen = vec![good.clone()];
    chosen.extend(inside);
    chosen.push(bad.clone());
    chosen
}

/// Compares two toolchains by the release, then by the date, and last by the commit: `1.101.0-nightly` is before `1.101.0`,
/// and `1.101.0-beta.2` before `1.101.0-beta.10`.
fn order(a: &Toolchain, b: &Toolchain) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        text.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    let key = |toolchain: &Toolchain| {
        let (release, stage) =
            toolchain.release.split_once('-').unwrap_or((&toolchain.release, ""));
        let (stage, of_stage) = stage.split_once('.').unwrap_or((stage, ""));
        // A version exists as a nightly first, then as a beta, and then as the release.
        let rank = match stage {
            "nightly" | "dev" => 0,
            "beta" => 1,
            _ => 2,
        };
        let commit = (toolchain.date.clone(), toolchain.hash.clone());
        (numbers(release), rank, stage.to_owned(), numbers(of_stage), commit)
    };
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(name: &str, release: &str, date: &str) -> Toolchain {
        let hash = format!("{release}{date}");
        Toolchain {
            name: name.to_owned(),
            release: release.to_owned(),
            hash,
            date: date.to_owned(),
        }
    }

    fn all() -> Installed {
        let usable = vec![
            toolchain("stable", "1.95.0", "2026-04-14"),
            toolchain("nightly", "1.101.0-nightly", "2026-10-29"),
            toolchain("1.89", "1.89.0", "2025-08-04"),
            toolchain("1.95.0", "1.95.0", "2026-04-14"),
            toolchain("1.9", "1.9.0", "2016-05-18"),
            toolchain("nightly-2026-10-01", "1.101.0-nightly", "2026-09-30"),
            toolchain("late", "1.96.0-beta.10", "2026-05-02"),
            toolchain("early", "1.96.0-beta.2", "2026-04-20"),
        ];
        Installed { usable, broken: Vec::new() }
    }

    fn parse_output(release: &str, hash: &str) -> ProgramOutput {
        let output = format!(
            "rustc {release}\nbinary: rustc\ncommit-hash: {hash}\ncommit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: {release}\n"
        );
        ProgramOutput { succeeded: true, output, errors: String::new() }
    }

    fn failed(errors: &str) -> ProgramOutput {
        ProgramOutput { errors: errors.to_owned(), ..ProgramOutput::default() }
    }

    #[track_caller]
    fn check(from: &str, to: &str, names: &[&str]) {
        let all = all();
        let ends = (all.named(from).unwrap(), all.named(to).unwrap());
        let chosen = between(&all.usable, ends.0, ends.1);
        let found: Vec<&str> = chosen.iter().map(|toolchain| toolchain.name.as_str()).collect();
        assert_eq!(found, names);
    }

    #[test]
    fn the_toolchains_that_were_released_between_two_are_in_order() {
        check("1.89", "stable", &["1.89", "stable"]);
        let all = ["1.9", "1.89", "stable", "early", "late", "nightly-2026-10-01", "nightly"];
        check("1.9", "nightly", &all);
        check("nightly", "stable", &["nightly", "nightly-2026-10-01", "late", "early", "stable"]);
        check("stable", "1.95.0", &["stable"]);
        check("1.89-x86_64-unknown-linux-gnu", "1.95.0", &["1.89", "1.95.0"]);
    }

    #[test]
    fn a_toolchain_that_is_not_there_is_named_with_the_remedy() {
        let text = all().named("1.90").unwrap_err().text;
        assert!(text.starts_with(
            "the toolchain `1.90` is not installed; those that are installed are `stable`, "
        ));
        assert!(text.ends_with("`rustup toolchain install 1.90` installs it"), "{text}");
        let mut one = all();
        one.usable.truncate(1);
        let text = one.named("nightly").unwrap_err().text;
        assert!(text.contains("; the only one that is installed is `stable`; "), "{text}");
        let none = Installed::default().named("stable").unwrap_err().text;
        assert!(none.contains("; no toolchain is installed; "), "{none}");
    }

    #[test]
    fn a_toolchain_that_is_installed_and_does_not_run_is_not_called_missing() {
        let rustup = |arguments: &[&str]| {
            Ok(match arguments {
                ["toolchain", "list"] => ProgramOutput {
                    succeeded: true,
                    output: "stable-x86_64-unknown-linux-gnu (active, default)\n1.80-x86_64-unknown-linux-gnu\n".to_owned(),
                    errors: String::new(),
                },
                ["run", name, ..] if name.starts_with("stable") => parse_output("1.95.0", "abc"),
                _ => failed("info: syncing\nerror: the 'rustc' binary is not applicable\n"),
            })
        };
        let installed = installed(&rustup).unwrap();
        assert_eq!(installed.named("stable").unwrap().hash, "abc");
        let text = installed.named("1.80").unwrap_err().text;
        assert!(
            text.contains(
                "is installed, but its rustc does not run: the 'rustc' binary is not applicable; "
            ),
            "{text}"
        );
    }

    #[test]
    fn a_rustup_that_fails_is_quoted() {
        let text = installed(&|_| Ok(failed("error: no home\n"))).unwrap_err().text;
        assert!(text.starts_with("`rustup toolchain list` failed: no home; "), "{text}");
    }

    #[test]
    fn another_compiler_than_the_one_that_was_asked_for_is_refused() {
        let wanted = Toolchain::parse("stable", &parse_output("1.95.0", "aaaa").output).unwrap();
        assert_eq!(wanted.verify(&parse_output("1.95.0", "aaaa")), Ok(()));
        let other = wanted.verify(&parse_output("1.96.0", "aaaa")).unwrap_err();
        assert!(
            other.contains("`rustc` is \"1.96.0\" there; rustup's has to come first"),
            "{other}"
        );
        // The same release of another commit: the toolchain was updated.
        let updated = wanted.verify(&parse_output("1.95.0", "bbbb")).unwrap_err();
        assert!(updated.contains("of commit aaaa of 2026-04-14 was asked for"), "{updated}");
        let fails = wanted.verify(&failed("error: no such toolchain\n")).unwrap_err();
        assert!(fails.ends_with("`rustc -vV` fails there: no such toolchain"), "{fails}");
        let silent = ProgramOutput { succeeded: true, ..ProgramOutput::default() };
        assert!(wanted.verify(&silent).unwrap_err().ends_with("it printed nothing"));
    }
}
