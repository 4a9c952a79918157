//! The tree of processes that descends from one process, which is measured beside a command's own process.

use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::io;

use crate::os::proc;

/// Returns the living processes below a supervisor, without the supervisor. A process that has left its parent is
/// found too, because the supervisor becomes the parent of orphans.
pub(super) fn members(supervisor: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: io::Result<DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    for entry in entries {
        let Some(pid) = pid(entry) else { continue };
        if let Some(parent) = proc::parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut members = children.remove(&supervisor).unwrap_or_default();
    let mut at = 0;
    while let Some(&member) = members.get(at) {
        members.extend(children.remove(&member).unwrap_or_default());
        at += 1;
    }
    members
}
