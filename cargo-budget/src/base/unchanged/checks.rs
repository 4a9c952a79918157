//! Checks whether two builds behave the same. They compare the binaries, the shared libraries that these load, the programs
//! that they start, and the output of build scripts.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::image::Start;
use super::usage::{RevisionFacts, Step};
use super::{BaseTree, Comparison, beside};
use crate::base::build::executables;

impl Comparison<'_> {
    /// Checks that the binaries have the same sections, and that the files beside them that they use are the same.
    pub(super) fn check_sections(
        &self,
        [base, head]: [&Path; 2],
        tree: BaseTree<'_>,
    ) -> Result<(), String> {
        self.check_all_unused(Step::Sections)?;
        beside::difference([base, head], &self.pairs(tree)).map_or(Ok(()), Err)?;
        self.check_beside([base, head], tree, true)
    }

    /// Checks the files beside the binaries that these use when they run: the shared libraries that they load, and the output
    /// of build scripts. With `may_start_programs`, it also checks the programs that the build makes and that they may start.
    pub(super) fn check_beside(
        &self,
        binaries: [&Path; 2],
        tree: BaseTree<'_>,
        may_start_programs: bool,
    ) -> Result<(), String> {
        let RevisionFacts { inputs, sources, .. } = &self.known;
        let starts = self.pairs(tree);
        let messages = &self.revisions.head.built.messages;
        let scripts =
            messages.iter().filter(|message| message["reason"] == "build-script-executed");
        let is_own = |message: &Value| {
            message["package_id"].as_str().is_some_and(|id| id.starts_with("path+"))
        };
        let is_script = |path: &str| inputs.scripts.contains(path);
        let mut own = scripts.clone().filter(|message| is_own(message));
        if own.next().is_some()
            && let Some(from) = sources.reading_variable("OUT_DIR", &is_script)
        {
            return Err(format!("`{from}` may read what a build script wrote, by `OUT_DIR`"));
        }
        let paths = scripts.filter_map(|message| message["linked_paths"].as_array()).flatten();
        let paths = paths
            .filter_map(Value::as_str)
            .map(|path| PathBuf::from(path.split_once('=').map_or(path, |(_, path)| path)));
        let top = self.revisions.head.top;
        let inside: Vec<PathBuf> = paths.filter(|path| path.starts_with(top)).collect();
        if let Some(why) = beside::difference_of_libraries(binaries, &inside, &starts) {
            return Err(why);
        }
        for (name, program) in executables(messages, "bin").filter(|_| may_start_programs) {
            let words = ["CARGO_BIN_EXE", "current_exe", "cargo_bin"];
            let from = words.iter().find_map(|word| sources.containing(word));
            let Some(from) = from.or_else(|| sources.with_word(name)) else { continue };
            if let Some(why) = beside::difference_of_program(binaries, &program, &starts) {
                return Err(format!("the program `{name}`, which `{from}` may start: {why}"));
            }
        }
        Ok(())
    }

    /// Returns the directories from which the compiler names sources, as pairs of the base's and this revision's.
    fn pairs(&self, tree: BaseTree<'_>) -> Vec<Start> {
        let [then, now] = self.starts(tree);
        then.into_iter().zip(now).map(|(then, now)| [then, now]).collect()
    }

    /// Returns the directories from which the compiler names sources: those of the base, and those of this revision.
    pub(super) fn starts(&self, tree: BaseTree<'_>) -> [Vec<PathBuf>; 2] {
        let own = self.revisions.head;
        let head = (own.top, own.metadata.workspace_root.as_std_path());
        [(tree.top, tree.workspace), head].map(|(top, workspace)| {
            let packages = self.known.packages.iter().map(|(package, _)| top.join(package));
            [workspace.to_owned()].into_iter().chain(packages).collect()
        })
    }
}
