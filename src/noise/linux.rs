//! The files that Linux keeps its counters in.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use super::{Processors, Reading, Throttled, parse};
use crate::os::{kernel, usage};

/// The first line of `/proc/stat` is all that is read of it, and shorter than this.
const FIRST_LINE: u64 = 512;

impl Reading {
    /// Takes a reading. Whatever cannot be read is `None`.
    pub(super) fn now() -> Self {
        let stalled = |what| {
            // Where the kernel was told not to keep it, the file is there and cannot be read.
            parse::stalled(&fs::read_to_string(format!("/proc/pressure/{what}")).ok()?)
        };
        let stalled = [stalled("cpu"), stalled("memory"), stalled("io")];
        let throttled: Vec<Option<Throttled>> = quota_files()
            .iter()
            .map(|file| parse::throttled(&fs::read_to_string(file).ok()?))
            .collect();
        // Those that are held against each other stand next to each other.
        let processors = processors();
        let own = usage::tree_seconds();
        Reading { at: Instant::now(), processors, own, stalled, throttled }
    }
}

fn processors() -> Option<Processors> {
    let mut line = String::new();
    File::open("/proc/stat").ok()?.take(FIRST_LINE).read_to_string(&mut line).ok()?;
    parse::processors(&line, kernel::ticks_per_second())
}

/// Where the quotas of this process are; they do not move while it runs.
fn quota_files() -> &'static [PathBuf] {
    static FILES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FILES.get_or_init(|| {
        let text = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let files = parse::quota_files(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"));
        // Not every group has the counters: that of the whole machine has no quota.
        let counts = |file: &PathBuf| {
            fs::read_to_string(file).is_ok_and(|text| parse::throttled(&text).is_some())
        };
        files.into_iter().filter(counts).collect()
    })
}
