//! Ctrl-C, for a subcommand that has to clean up before it ends.
//!
//! Each program that the command starts is in a process group of its own, to which the terminal does not send the signal. So
//! the command passes the signal on, waits until the program has ended, and then removes what it has made itself.

use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[cfg(unix)]
use crate::child;
use crate::failure::Failure;

/// How long a started program may take to end by itself after Ctrl-C, before it is ended.
const GRACE: Duration = Duration::from_secs(10);
/// How long the command sleeps before it looks again.
const PAUSE: Duration = Duration::from_millis(20);

/// Whether the user wants the command to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to watch for Ctrl-C and for a request to terminate. From now on neither ends the command by itself.
    pub(crate) fn watched() -> Interrupt {
        let interrupt = Interrupt::default();
        interrupt.watch();
        interrupt
    }

    #[cfg(unix)]
    fn watch(&self) {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        // The line of progress would end the command at once.
        crate::progress::leave_signals();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // If the signal cannot be caught, it ends the command at once, as it usually does.
            let _ = signal_hook::flag::register(signal, Arc::clone(&self.0));
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "it is called in the same way as the other")]
    fn watch(&self) {}

    /// Whether the command was asked to end.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails if the command was asked to end.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.is_requested() { Err(Failure::unmeasured("interrupted")) } else { Ok(()) }
    }

    /// Runs a program to its end. If the command is asked to end meanwhile, it asks the program and all that it has started to
    /// end too.
    ///
    /// # Errors
    /// If the program cannot be run, or if the command was asked to end.
    pub(crate) fn status(&self, command: &mut Command) -> Result<ExitStatus, Failure> {
        let program = command.get_program().to_string_lossy().into_owned();
        let failed =
            |e: &std::io::Error| Failure::unmeasured(format!("failed to run `{program}`: {e}"));
        give_own_group(command);
        let mut child = command.spawn().map_err(|e| failed(&e))?;
        let mut asked_at: Option<Instant> = None;
        loop {
            if let Some(status) = child.try_wait().map_err(|e| failed(&e))? {
                return self.check().map(|()| status);
            }
            if self.is_requested() && asked_at.is_none() {
                asked_at = Some(Instant::now());
                end(&mut child, false);
            } else if asked_at.is_some_and(|time| time.elapsed() > GRACE) {
                asked_at = Some(Instant::now());
                end(&mut child, true);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits for a moment, or until the command is asked to end.
    pub(crate) fn sleep(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_requested() && Instant::now() < until {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Gives a program a process group of its own, so that a signal reaches it with all that it starts.
#[cfg(unix)]
fn give_own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn give_own_group(_: &mut Command) {}

/// Ends a program with its process group. Without `is_forced`, the program is asked to end and may clean up.
#[cfg(unix)]
fn end(child: &mut Child, is_forced: bool) {
    use rustix::process::Signal;

    let signal = if is_forced { Signal::KILL } else { Signal::TERM };
    if !child::signal_group(child, signal) {
        let _ = child.kill();
    }
}

#[cfg(not(unix))]
fn end(child: &mut Child, _: bool) {
    let _ = child.kill();
}
