//! The files in which Linux keeps its counters.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use super::{Processors, Snapshot, Throttled, parse};
use crate::os::{group, kernel, usage};

/// The longest first line of `/proc/stat`, which is the only line that is read of it.
const FIRST_LINE: u64 = 512;

impl Snapshot {
    /// Takes a reading. What cannot be read is `None`.
    pub(super) fn now() -> Self {
        let stalled = |what| {
            // If the kernel was told not to keep it, the file exists but cannot be read.
            parse::stalled(&fs::read_to_string(format!("/proc/pressure/{what}")).ok()?)
        };
        let stalled = [stalled("cpu"), stalled("memory"), stalled("io")];
        let throttled: Vec<Option<Throttled>> = quota_files()
            .iter()
            .map(|file| parse::throttled(&fs::read_to_string(file).ok()?))
            .collect();
        // The readings that are compared with each other are taken right after each other.
        let processors = processors();
        let own = usage::tree_seconds();
        Snapshot { at: Instant::now(), processors, own, stalled, throttled }
    }
}

fn processors() -> Option<Processors> {
    let mut line = String::new();
    File::open("/proc/stat").ok()?.take(FIRST_LINE).read_to_string(&mut line).ok()?;
    parse::processors(&line, kernel::ticks_per_second())
}

/// Returns the files with the quotas of this process; they do not move while it runs.
fn quota_files() -> &'static [PathBuf] {
    static FILES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = group::own_directories("cpu").into_iter().map(|group| group.join("cpu.stat"));
        // Not every group has the counters: the group of the whole machine has no quota.
        let counts = |file: &PathBuf| {
            fs::read_to_string(file).is_ok_and(|text| parse::throttled(&text).is_some())
        };
        files.filter(counts).collect()
    })
}
