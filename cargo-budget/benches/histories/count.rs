//! The number of instructions that a workload executes, by callgrind: the check of what the command has proven.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::subjects::{CALLS, FUNCTION};
use super::text;

/// The number of calls that are counted together. The first ones allocate what later ones use again.
const COUNTED: &str = "20";

/// How often a workload is counted whose counts differ.
const TIMES: usize = 6;

/// Returns the fewest and the most instructions that the workload of a test binary executes: the same number twice,
/// unless something random decides what it does.
pub(super) fn range(binary: &Path, place: &Path) -> [u64; 2] {
    let count = || instructions(binary, place);
    let mut counts = vec![count(), count()];
    if counts[0] != counts[1] {
        counts.extend(std::iter::repeat_with(count).take(TIMES - 2));
    }
    counts.sort_unstable();
    [counts[0], counts[counts.len() - 1]]
}

/// Returns the number of instructions that the workload of a test binary executes.
///
/// What moves a count although the code is the same is kept equal: the path of the binary, and its environment.
fn instructions(binary: &Path, place: &Path) -> u64 {
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
