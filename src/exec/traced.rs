//! A supervisor that also traces its tree, so that the system calls in it are counted.
//!
//! The supervisor is the tracer, since only a parent may trace where a system is strict (Yama), and since the tree then ends
//! with its tracer in any case. It stays a process that makes system calls and does nothing else.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::time::Duration;

use crate::os::calls::{self, Counts, Progress, Tracer};
use crate::os::kernel::{self, Reaped};

/// The size of what a tracing supervisor adds to its report: an error of the system, and the counts.
pub(super) const SIZE: usize = 8 + calls::BYTES;

/// How often the tracer looks for stopped threads without a signal, since a process that ignores `SIGCHLD` gets none.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The state of the tree that a tracing supervisor watches.
pub(super) struct Tracing {
    tracer: Option<Tracer>,
    /// The counts at the moment that the harness has asked for.
    marked: Option<Counts>,
    /// Why the tree could not be traced, as a number of the system; 0 if it was.
    refused: i32,
}

impl Tracing {
    /// Traces the child `root`, which has not loaded its program yet.
    pub(super) fn begin(root: u32) -> Tracing {
        match Tracer::seize(root) {
            Ok(tracer) => Tracing { tracer: Some(tracer), marked: None, refused: 0 },
            Err(e) => Tracing { tracer: None, marked: None, refused: number(&e) },
        }
    }

    /// Whether the root is traced. It must not load its program if it is not.
    pub(super) fn is_traced(&self) -> bool {
        self.tracer.is_some()
    }

    /// Counts until the root has ended, and returns how it ended. A byte on the channel marks the counts that are reported. The
    /// end of the channel ends the root, as does the end of the guardian.
    pub(super) fn follow(
        &mut self,
        (root, guardian): (u32, u32),
        mut channel: &UnixStream,
    ) -> io::Result<Reaped> {
        let Some(tracer) = &mut self.tracer else { return kernel::reap(root) };
        let stops = calls::stops()?;
        let end = || {
            let _ = kernel::kill_group(root);
            let _ = kernel::kill(root);
        };
        let mut is_over = false;
        loop {
            let patience = match tracer.go_on() {
                Ok(Progress::Ended(reaped)) => return Ok(reaped),
                Ok(Progress::Idle) => POLL_INTERVAL,
                // A process that is not counted must not run on. All threads of the root have to be waited for until it
                // has ended.
                Err(e) if self.refused == 0 => {
                    self.refused = number(&e);
                    end();
                    Duration::ZERO
                }
                Err(e) if e.raw_os_error() == Some(libc::ECHILD) => return Err(e),
                Ok(Progress::Busy) | Err(_) => Duration::ZERO,
            };
            let messages = (!is_over).then(|| channel.as_fd());
            let [has_message, _] = kernel::readable([messages, Some(stops.as_fd())], patience)?;
            // The content of the signals is not needed. One may even be missing, since the tracer looks for every stopped thread.
            calls::drain(stops.as_fd());
            if !is_over && parent_id() != guardian {
                end();
                is_over = true;
            }
            if !has_message {
                continue;
            }
            if channel.read(&mut [0]).is_ok_and(|read| read > 0) {
                self.marked.get_or_insert(tracer.counts);
            } else {
                end();
                is_over = true;
            }
        }
    }

    /// Writes what is added to the report.
    pub(super) fn report(&self) -> [u8; SIZE] {
        let mut report = [0; SIZE];
        let counted = self.tracer.as_ref().map_or(Counts::NONE, |tracer| tracer.counts);
        let refused = u64::from(self.refused.cast_unsigned());
        let numbers =
            std::iter::once(refused).chain(self.marked.as_ref().unwrap_or(&counted).numbers());
        for (to, number) in report.chunks_exact_mut(8).zip(numbers) {
            to.copy_from_slice(&number.to_le_bytes());
        }
        report
    }
}

/// Reaps any process that has ended, as [`kernel::reap_any`] does, and the threads that were traced before it.
///
/// # Errors
/// `NotFound` if there is nothing left.
pub(super) fn reap_any() -> io::Result<Option<Reaped>> {
    loop {
        let Some(id) = calls::ended()? else { return Ok(None) };
        // A tracer also reaps threads, each by itself. A thread has no process descriptor, which tells the two apart.
        let is_process = kernel::process_fd(id).is_ok();
        let reaped = kernel::reap(id)?;
        if is_process {
            return Ok(Some(reaped));
        }
    }
}

/// Reads what was added to a report: the counts, or the error of the system that prevented them.
pub(super) fn read(mut numbers: impl Iterator<Item = u64>) -> Result<Box<Counts>, i32> {
    match numbers.next() {
        Some(0) => Ok(Box::new(Counts::of_numbers(numbers))),
        refused => Err((refused.unwrap_or_default() as u32).cast_signed()),
    }
}

fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}
