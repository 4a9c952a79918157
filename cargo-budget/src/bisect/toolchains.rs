//! The installed toolchains from one to another, as what a search goes through.
//!
//! Each is a commit that no branch has: the work tree as it is, with a file that names the toolchain. So a comparison builds
//! each side with its own, as it does where a project's commits name different ones.

use std::cmp::Ordering;
use std::path::Path;
use std::process::Stdio;

use super::range::Range;
use super::series::Series;
use super::snapshot;
use crate::base::Beside;
use crate::child;
use crate::failure::Failure;

/// A toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Toolchain {
    /// Its name, without the host where that is this machine.
    name: String,
    /// What its `rustc -vV` says of the version: `1.89.0`, `1.101.0-nightly`.
    release: String,
    /// The date of its commit, which tells nightlies apart.
    date: String,
}

/// The toolchains after the first one.
pub(super) struct Toolchains {
    pub(super) range: Range,
    /// The release of each, as its compiler says it.
    releases: Vec<String>,
}

impl Toolchains {
    /// Reads `A..B`: two installed toolchains, which are searched with those that were released between them.
    pub(super) fn of(root: &Path, text: &str) -> Result<Toolchains, Failure> {
        let Some((from, to)) =
            text.split_once("..").filter(|(a, b)| !a.is_empty() && !b.is_empty())
        else {
            return Err(Failure::usage(format!(
                "`{text}` is not two toolchains; write 1.89..stable"
            )));
        };
        let all = installed()?;
        let (good, bad) = (named(&all, from)?, named(&all, to)?);
        let chosen = between(&all, good, bad);
        let Some((_, searched)) = chosen.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return Err(Failure::usage(format!(
                "`{from}` and `{to}` are the same rustc {}, so none of them did it; name two that differ",
                good.release
            )));
        };
        let names: Vec<&str> = chosen.iter().map(|toolchain| toolchain.name.as_str()).collect();
        let mut commits = snapshot::pinned(root, &names)?;
        let shown = |toolchain: &Toolchain| match &toolchain.release {
            release if *release == toolchain.name => release.clone(),
            release => format!("{} (rustc {release})", toolchain.name),
        };
        let good = commits.remove(0);
        Ok(Toolchains {
            range: Range {
                good,
                commits,
                subjects: searched.iter().map(shown).collect(),
                is_merge_base: false,
            },
            releases: searched.iter().map(|toolchain| toolchain.release.clone()).collect(),
        })
    }
}

impl Series for Toolchains {
    fn len(&self) -> usize {
        self.range.commits.len()
    }

    fn name(&self, at: usize) -> String {
        self.range.commits[at].clone()
    }

    fn shown(&self, at: usize) -> String {
        self.range.subjects[at].clone()
    }

    fn what(&self) -> &'static str {
        "toolchain"
    }

    fn commit(&self, _: usize) -> Option<&str> {
        None
    }

    fn switch(&self, beside: &Beside, at: usize) -> Result<Result<(), String>, Failure> {
        beside.switch(&self.range.commits[at])?;
        let output = beside.rustc().arg("-vV").stdin(Stdio::null()).output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let (release, wanted) = (field(&said.unwrap_or_default(), "release"), &self.releases[at]);
        // A `rustc` that is none of rustup's does not read the file.
        Ok(if release == *wanted {
            Ok(())
        } else {
            Err(format!(
                "rustc {wanted} was asked for, and `rustc` is {release:?} there; rustup's has to come first in PATH"
            ))
        })
    }
}

/// Returns the installed toolchains.
fn installed() -> Result<Vec<Toolchain>, Failure> {
    let rustup = |arguments: &[&str]| {
        let mut rustup = child::program("rustup");
        rustup.args(arguments).env("RUSTUP_AUTO_INSTALL", "0").stdin(Stdio::null());
        rustup.output()
    };
    let listed = rustup(&["toolchain", "list"]).map_err(|e| {
        Failure::unmeasured(format!(
            "failed to run `rustup`, which has the toolchains: {e}; install it from https://rustup.rs"
        ))
    })?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    let names = names.filter(|name| *name != "no");
    let toolchain = |name: &str| {
        let output = rustup(&["run", name, "rustc", "-vV"]).ok()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let host = format!("-{}", field(&said, "host"));
        let toolchain = Toolchain {
            name: name.strip_suffix(&host).unwrap_or(name).to_owned(),
            release: field(&said, "release"),
            date: field(&said, "commit-date"),
        };
        // One that does not run cannot build anything either.
        (output.status.success() && !toolchain.release.is_empty()).then_some(toolchain)
    };
    Ok(names.filter_map(toolchain).collect())
}

/// Returns what a line of `rustc -vV` says.
fn field(said: &str, name: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default().trim().to_owned()
}

/// Returns the toolchain of this name.
fn named<'a>(all: &'a [Toolchain], name: &str) -> Result<&'a Toolchain, Failure> {
    let is_named = |toolchain: &&Toolchain| {
        // A name with this machine's host is the same toolchain.
        let host = name.strip_prefix(&toolchain.name).and_then(|rest| rest.strip_prefix('-'));
        toolchain.name == name || host.is_some_and(|host| host.split('-').count() >= 3)
    };
    all.iter().find(is_named).ok_or_else(|| {
        let names: Vec<String> =
            all.iter().map(|toolchain| format!("`{}`", toolchain.name)).collect();
        let (is, names) = match &names[..] {
            [] => ("no toolchain is", String::new()),
            [_] => ("the only one that is installed is", names.concat()),
            _ => ("those that are installed are", names.join(", ")),
        };
        let blank = if names.is_empty() { "installed" } else { &names };
        Failure::usage(format!(
            "the toolchain `{name}` is not installed; {is} {blank}; `rustup toolchain install {name}` installs it"
        ))
    })
}

/// Returns both ends and what was released between them, in the order from the good one to the bad one. Of several names of
/// one compiler, the ends are taken first.
fn between(all: &[Toolchain], good: &Toolchain, bad: &Toolchain) -> Vec<Toolchain> {
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

/// Compares by the release, and two of one release by their dates: `1.101.0-nightly` is before `1.101.0`.
fn order(a: &Toolchain, b: &Toolchain) -> Ordering {
    let key = |toolchain: &Toolchain| {
        let (numbers, stage) =
            toolchain.release.split_once('-').unwrap_or((&toolchain.release, "~"));
        let numbers: Vec<u64> = numbers.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        // Of one version there is a nightly first, then a beta, then the release.
        let rank = match stage.split('.').next().unwrap_or_default() {
            "nightly" | "dev" => 0,
            "beta" => 1,
            _ => 2,
        };
        (numbers, rank, stage.to_owned(), toolchain.date.clone())
    };
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(name: &str, release: &str, date: &str) -> Toolchain {
        Toolchain { name: name.to_owned(), release: release.to_owned(), date: date.to_owned() }
    }

    fn all() -> Vec<Toolchain> {
        vec![
            toolchain("stable", "1.95.0", "2026-04-14"),
            toolchain("nightly", "1.101.0-nightly", "2026-10-29"),
            toolchain("1.89", "1.89.0", "2025-08-04"),
            toolchain("1.95.0", "1.95.0", "2026-04-14"),
            toolchain("1.9", "1.9.0", "2016-05-18"),
            toolchain("nightly-2026-10-01", "1.101.0-nightly", "2026-09-30"),
        ]
    }

    #[track_caller]
    fn check(from: &str, to: &str, names: &[&str]) {
        let all = all();
        let chosen = between(&all, named(&all, from).unwrap(), named(&all, to).unwrap());
        let found: Vec<&str> = chosen.iter().map(|toolchain| toolchain.name.as_str()).collect();
        assert_eq!(found, names);
    }

    #[test]
    fn what_was_released_between_two_is_searched_in_this_order() {
        check("1.89", "stable", &["1.89", "stable"]);
        check("1.9", "nightly", &["1.9", "1.89", "stable", "nightly-2026-10-01", "nightly"]);
        check("nightly", "1.89", &["nightly", "nightly-2026-10-01", "stable", "1.89"]);
        check("stable", "1.95.0", &["stable"]);
        check("1.89-x86_64-unknown-linux-gnu", "1.95.0", &["1.89", "1.95.0"]);
    }

    #[test]
    fn a_toolchain_that_is_not_there_is_named_with_the_remedy() {
        let text = named(&all(), "1.90").unwrap_err().text;
        assert!(text.starts_with(
            "the toolchain `1.90` is not installed; those that are installed are `stable`, "
        ));
        assert!(text.ends_with("`rustup toolchain install 1.90` installs it"), "{text}");
        let one = named(&all()[..1], "nightly").unwrap_err().text;
        assert!(one.contains("; the only one that is installed is `stable`; "), "{one}");
        assert!(named(&[], "stable").unwrap_err().text.contains("; no toolchain is installed; "));
    }
}
