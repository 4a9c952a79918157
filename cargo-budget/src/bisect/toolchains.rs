//! The installed toolchains from one to another, as the series that a search goes through.
//!
//! Each entry is a commit that no branch has: the work tree as it is, with a file that names the toolchain. So a comparison
//! builds each side with its own toolchain, as it does for a project whose commits name different ones.

use std::path::Path;

use super::installed::{ProgramOutput, Toolchain, between, installed, rustup};
use super::range::Range;
use super::series::Series;
use super::snapshot;
use crate::base::{self, TemporaryWorkTree};
use crate::child;
use crate::failure::Failure;

/// The toolchains after the first one.
#[derive(Debug)]
pub(super) struct Toolchains {
    pub(super) range: Range,
    /// The toolchain that the others are compared with.
    good: Toolchain,
    searched: Vec<Toolchain>,
    /// The name of the good one, as people are shown it.
    shown: String,
}

impl Toolchains {
    /// Reads `A..B`: two installed toolchains, which are searched with those that were released between them.
    pub(super) fn parse(root: &Path, text: &str) -> Result<Toolchains, Failure> {
        let Some((from, to)) =
            text.split_once("..").filter(|(a, b)| !a.is_empty() && !b.is_empty())
        else {
            return Err(Failure::usage(format!(
                "`{text}` is not two toolchains; write 1.89..stable"
            )));
        };
        if let Some(by) = base::replaced_compiler(root)? {
            return Err(Failure::usage(format!(
                "{by} chooses the compiler, so both sides would be built by the same one; remove it for this search"
            )));
        }
        let all = installed(&rustup)?;
        let (good, bad) = (all.named(from)?, all.named(to)?);
        let chosen = between(&all.usable, good, bad);
        let Some((_, searched)) = chosen.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return Err(Failure::usage(format!(
                "`{from}` and `{to}` are the same rustc {}, so none of them did it; name two that differ",
                good.release
            )));
        };
        let names: Vec<&str> = chosen.iter().map(|toolchain| toolchain.name.as_str()).collect();
        let mut commits = snapshot::pinned(root, &names)?;
        let first = commits.remove(0);
        Ok(Toolchains {
            range: Range {
                good: first,
                commits,
                subjects: searched.iter().map(Toolchain::display_name).collect(),
                is_merge_base: false,
            },
            good: good.clone(),
            searched: searched.to_vec(),
            shown: good.display_name(),
        })
    }

    /// Checks out a commit that names a toolchain, and checks that the compiler there is of this toolchain.
    fn choose(
        beside: &TemporaryWorkTree,
        commit: &str,
        toolchain: &Toolchain,
    ) -> Result<Result<(), String>, Failure> {
        beside.switch(commit)?;
        let output = child::output(beside.rustc().arg("-vV"));
        Ok(match output {
            Ok(output) => toolchain.verify(&ProgramOutput::read(&output)),
            Err(e) => Err(format!("`rustc -vV` cannot be started there: {e}")),
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

    fn display_entry(&self, at: usize) -> String {
        self.range.subjects[at].clone()
    }

    fn entry_kind(&self) -> &'static str {
        "toolchain"
    }

    fn commit(&self, _: usize) -> Option<&str> {
        None
    }

    fn good(&self) -> Option<&str> {
        Some(&self.shown)
    }

    fn verify_good(&self, beside: &TemporaryWorkTree) -> Result<(), Failure> {
        Toolchains::choose(beside, &self.range.good, &self.good)?.map_err(|why| {
            Failure::unmeasured(format!("the good toolchain `{}`: {why}", self.good.name))
        })
    }

    fn switch(&self, beside: &TemporaryWorkTree, at: usize) -> Result<Result<(), String>, Failure> {
        Toolchains::choose(beside, &self.range.commits[at], &self.searched[at])
    }
}
