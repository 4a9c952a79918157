//! The number of instructions that a workload executes, by callgrind: the check of what the command has proven.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::subjects::{CALLS, FUNCTION};
use super::text;

/// The number of calls that are counted together. The first ones allocate what later ones use again.
const COUNTED: &str = "20";

/// Returns the number of instructions that the workload of a test binary executes.
///
/// What moves a count although the code is the same is kept equal: the path of the binary, and its environment.
pub(super) fn instructions(binary: &Path, place: &Path) -> u64 {
    let (same, out) = (place.join("counted"), place.join("callgrind.out"));
    fs::copy(binary, &same).expect("the binary is copied");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", &format!("--toggle-collect={FUNCTION}")]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(&same);
    valgrind.env_clear().env("PATH", "/usr/bin:/bin").env(CALLS, COUNTED).current_dir(place);
    let output = valgrind.output().expect("valgrind is installed");
    assert!(output.status.success(), "{}", text(&output));
    let counts = fs::read_to_string(&out).expect("callgrind wrote its counts");
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    total.filter(|&total| total > 0).expect("callgrind counted something")
}
