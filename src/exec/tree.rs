//! The tree of processes that descends from one process, which is measured beside a command's own process.

use std::collections::HashMap;
use std::fs;

use crate::os::proc;

/// Returns the living processes below a supervisor, without the supervisor. A process that has left its parent is
/// found too, because the supervisor becomes the parent of orphans.
pub(super) fn members(supervisor: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let pids = fs::read_dir("/proc").into_iter().flatten();
    let pids = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    for pid in pids {
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
