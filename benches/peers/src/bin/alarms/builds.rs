//! The two builds that every tool compares, and the answer of a tool about them.

use std::path::PathBuf;
use std::process::Command;

use crate::work;

/// The variable that tells a build which tool it is.
pub(crate) const TOOL: &str = "ALARMS_TOOL";
/// The variable that tells a build which workload it runs.
pub(crate) const WORKLOAD: &str = "ALARMS_WORKLOAD";
/// The answer of a tool about the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Slower,
    Faster,
    Same,
    /// The tool itself says that its measurement is not valid, or not sufficient.
    Unknown,
}

/// Two builds of the same program.
pub(crate) struct Builds {
    pub(crate) place: PathBuf,
    pub(crate) perfgate: Option<PathBuf>,
    pub(crate) zenbench: Option<PathBuf>,
    pub(crate) hyperfine: Option<PathBuf>,
}

impl Builds {
    /// Copies this binary as both builds, and gives the head an effect of `percent`.
    pub(crate) fn inject(&self, percent: u32) {
        for (build, percent) in [("base", 0), ("head", percent)] {
            let folder = self.place.join(build);
            std::fs::create_dir_all(&folder).expect("the place can be written");
            let binary = folder.join("peer");
            if !binary.exists() {
                let this = std::env::current_exe().expect("this binary is somewhere");
                std::fs::copy(this, &binary).expect("it can be copied");
            }
            std::fs::write(folder.join(work::EFFECT), percent.to_string()).expect("written");
        }
    }

    /// Returns the command that starts one of the builds as a tool.
    pub(crate) fn build(&self, build: &str, tool: &str, workload: &str) -> Command {
        let mut command = Command::new(self.place.join(build).join("peer"));
        command.env(TOOL, tool).env(WORKLOAD, workload).current_dir(self.place.join(build));
        command
    }
}
