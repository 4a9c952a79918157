//! The truth about a pair of versions: how many instructions an operation takes in either of them, counted by Valgrind.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::pairs::Pair;
use crate::project::{Project, cargo, run};

/// How often an operation runs in the shorter and in the longer of two runs. The start of the program is not part of their
/// difference.
const TIMES: [u64; 2] = [10, 60];

/// The instructions of one operation: at the first version and at the second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) instructions: [f64; 2],
}

impl Truth {
    /// Returns the ratio of the second version to the first.
    pub(crate) fn ratio(self) -> f64 {
        self.instructions[1] / self.instructions[0]
    }

    /// Whether both take the same number, except for effects of the state of a hasher or the allocator.
    pub(crate) fn is_equal(self) -> bool {
        (self.ratio() - 1.0).abs() < 5e-4
    }
}

/// Counts the instructions of each workload of a pair, in both versions. The head is checked out afterwards.
pub(crate) fn of(pair: &Pair, project: &Project) -> Result<Vec<Truth>, String> {
    let before = counts(pair, project, "HEAD~1");
    project.git(&["checkout", "--quiet", "-"])?;
    let (before, after) = (before?, counts(pair, project, "HEAD")?);
    project.git(&["checkout", "--quiet", "-"])?;
    let pairs = before.into_iter().zip(after);
    Ok(pairs.map(|(before, after)| Truth { instructions: [before, after] }).collect())
}

fn counts(pair: &Pair, project: &Project, revision: &str) -> Result<Vec<f64>, String> {
    project.git(&["checkout", "--quiet", "--detach", revision])?;
    // Git sets the times of changed files to that of the checkout, so cargo builds them.
    let mut build = cargo();
    build.args(["build", "--release", "--quiet", "--bin", "pair"]).current_dir(&project.root);
    run(build.env("CARGO_TARGET_DIR", &project.target))?;
    let program = project.target.join("release/pair");
    pair.works.iter().map(|work| per_operation(&program, work.name)).collect()
}

fn per_operation(program: &Path, work: &str) -> Result<f64, String> {
    let [few, many] = TIMES.map(|times| count(program, work, times));
    Ok((many? - few?) / (TIMES[1] - TIMES[0]) as f64)
}

/// Returns the number of instructions of a whole run.
fn count(program: &Path, work: &str, times: u64) -> Result<f64, String> {
    let out = std::env::temp_dir().join(format!("real-{}.callgrind", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(program).args([work, &times.to_string()]);
    run(&mut valgrind)?;
    let text = fs::read_to_string(&out).map_err(|e| format!("failed to read counts: {e}"))?;
    let _ = fs::remove_file(&out);
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.split_whitespace().next()?.parse().ok());
    total.ok_or_else(|| "valgrind wrote no total".to_owned())
}
