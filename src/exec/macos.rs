//! Processes on macOS. Each leads a group. What has left the group is found as a child of a child, as long as its parent lives.

use std::io::{self, PipeReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::Instant;

use super::exit::Exit;
use super::family::{self, Member};
use super::launch::{Event, Launch};
use super::portable::{self, End};
use super::usage::{Counted, Living, Usage};
use crate::os::kernel;
use crate::os::macos::{self, Signal};

/// A started process. It stays a zombie until it is reaped here, so that nobody else gets its number before.
#[derive(Debug)]
pub(super) struct Handle {
    id: u32,
    spawned_at: Instant,
}

/// Starts the program of `launch` as the leader of a group of its own, in the environment that `surround` gives it.
pub(super) fn start(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    let mut command = launch.direct();
    surround(&mut command);
    command.process_group(0);
    let spawned_at = Instant::now();
    Ok(Handle { id: command.spawn()?.id(), spawned_at })
}

impl Handle {
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn spawned_at(&self) -> Instant {
        self.spawned_at
    }

    /// Does nothing: system calls are counted on Linux only.
    #[expect(clippy::unused_self, reason = "the same call as on Linux")]
    pub(super) fn mark(&self) {}

    /// Waits for at most a millisecond; the caller looks at the streams each time.
    pub(super) fn wait_for_event(
        &mut self,
        _wake: &PipeReader,
        deadline: Instant,
    ) -> io::Result<Event> {
        Ok(portable::wait(macos::has_ended(self.id)?, deadline))
    }

    /// Kills the process and what belongs to it.
    pub(super) fn kill(&mut self) {
        self.end_family();
    }

    /// Reaps the process, after what is left of its family has been ended.
    pub(super) fn reap(&mut self) -> io::Result<End> {
        macos::wait_until_ended(self.id)?;
        let strays = self.end_family();
        let some_left = portable::some_left(|| Ok(!self.family()?.is_empty()))?;
        // What macOS has kept of a process that is not reaped yet. If that is hidden, children are not ruled out.
        let had_children = macos::resources(self.id).is_none_or(|used| used.had_children);
        let (status, used) = macos::reap(self.id)?;
        let status = ExitStatus::from_raw(status);
        let exit = status.signal().map_or(Exit::Code(status.code().unwrap_or(-1)), Exit::Signal);
        let usage = Usage {
            cpu: kernel::duration(used.ru_utime) + kernel::duration(used.ru_stime),
            // What macOS calls involuntary are most switches, those of a process that waits among them.
            preempted: None,
            waited: None,
            // In bytes, where Linux has kilobytes.
            max_rss: used.ru_maxrss.cast_unsigned(),
            // Each exec begins with a new address space and new counts.
            forked_from: 0,
            had_children,
            counted: Counted::with_faults(
                (used.ru_minflt + used.ru_majflt).cast_unsigned(),
                used.ru_majflt.cast_unsigned(),
                None,
            ),
        };
        Ok(End { exit, usage: Some(usage), strays, some_left, calls: None })
    }

    /// Returns what the process and everything that it started hold and have used.
    pub(super) fn living(&self) -> Option<Living> {
        let units = macos::units_per_second()?;
        let member = |id| {
            let used = macos::resources(id)?;
            Some(Member { cpu: family::time(used.cpu, units)?, rss: used.resident })
        };
        let root = member(self.id)?;
        let family = self.family().ok().filter(|family| family.contains(&self.id))?;
        let others = family.into_iter().filter(|id| *id != self.id);
        // A process that has ended in the meantime holds nothing.
        let others: Vec<Member> = others.filter_map(member).collect();
        Some(family::living(root, &others))
    }

    /// Returns the living processes that the process has started, and itself if it lives.
    fn family(&self) -> io::Result<Vec<u32>> {
        let mut found = macos::group(self.id)?;
        found.insert(0, self.id);
        let mut found = family::below(found, macos::children)?;
        found.retain(|id| macos::is_living(*id));
        Ok(found)
    }

    /// Ends the processes of the family, and returns how many there were but for the process itself. Each is stopped before its
    /// children are looked for, so that it can neither start another one nor make way for another process with its number.
    fn end_family(&self) -> usize {
        let all = family::settle(
            || self.family().unwrap_or_default(),
            |id| drop(macos::send(id, Signal::Stop)),
        );
        for id in &all {
            let _ = macos::send(*id, Signal::Kill);
        }
        let _ = kernel::kill_group(self.id);
        all.iter().filter(|id| **id != self.id).count()
    }
}
