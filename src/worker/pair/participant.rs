//! One of the two processes of a pair, seen from the harness: its start, its answers, and its end.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::protocol::{Order, Ready, Reply};
use super::terms::{Place, Side, Terms};
use crate::exec::{Child, Finished, Input};
use crate::os::kernel;
#[cfg(target_os = "linux")]
use crate::os::proc;
use crate::worker::process::{self, PreparedProcess};

/// How long a process may take to end after it was told to, or after it closed the channel.
const ENDING: Duration = Duration::from_secs(10);
/// How often a process that is waited for is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// One of the two processes, while it lives.
pub(super) struct Participant {
    name: String,
    prepared: PreparedProcess,
    child: Child,
    channel: UnixStream,
    timeout: Duration,
}

impl Participant {
    pub(super) fn start(side: &Side, terms: &Terms<'_>) -> Result<Participant, Unmeasured> {
        let name = side.request.workload.clone();
        let mut prepared = PreparedProcess::new(&side.request, terms.scratch, &side.build)?;
        prepared.launch.stdin = Input::Channel;
        // Both processes share one processor already, so a limit on the number of processors has nothing left to
        // restrict.
        if let Place::Core(_) = terms.place {
            prepared.launch.constraint.processors = None;
        }
        let mut child = Child::spawn(&prepared.launch)?;
        let timeout = terms.timeout;
        let channel = child.channel().ok_or("it has none".to_owned()).and_then(|channel| {
            let set = channel.set_read_timeout(Some(timeout)).and_then(|()| {
                channel.set_write_timeout(Some(timeout))?;
                Ok(channel)
            });
            set.map_err(|error| error.to_string())
        });
        let channel = channel.map_err(|error| {
            let text = format!("failed to open a channel to workload `{name}`: {error}");
            Unmeasured::new(Cause::Harness, text)
        })?;
        Ok(Participant { name, prepared, child, channel, timeout })
    }

    pub(super) fn ready(&mut self) -> Result<Ready, Unmeasured> {
        self.listen()?;
        match Ready::receive(&mut self.channel) {
            Ok(Some(ready)) => Ok(ready),
            Ok(None) => Err(self.child.give_up(
                Cause::Unsuitable,
                format!(
                    "workload `{}` is in a test binary with another version of perf-budget, which has \
                     another protocol; build both with the same version",
                    self.name
                ),
            )),
            Err(error) => Err(self.fault(&error)),
        }
    }

    pub(super) fn ask(&mut self, order: Order) -> Result<Reply, Unmeasured> {
        order.send(&mut self.channel).map_err(|error| self.fault(&error))?;
        self.listen()?;
        match Reply::receive(&mut self.channel) {
            Ok(reply) if reply.laps.iter().all(valid) && !reply.laps.is_empty() => Ok(reply),
            Ok(_) => {
                let text = format!("workload `{}` replied with an invalid reading", self.name);
                Err(self.child.give_up(Cause::InvalidReading, text))
            }
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Waits until the process sends something, and checks meanwhile that it is well.
    fn listen(&mut self) -> Result<(), Unmeasured> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match kernel::readable([Some(self.channel.as_fd())], CHECK_INTERVAL) {
                Ok([true]) => return Ok(()),
                Ok([false]) if Instant::now() > deadline => {
                    return Err(self.fault(&std::io::ErrorKind::TimedOut.into()));
                }
                Ok([false]) => {}
                Err(error) => return Err(self.fault(&error)),
            }
            // If the process has ended, the channel shows that too; if it writes too much, only this check does.
            match self.child.wait(Instant::now()) {
                Err(why) => return Err(process::with_workload(&self.name, why)),
                Ok(Some(finished)) => return Err(self.ended(&finished)),
                Ok(None) => {}
            }
        }
    }

    /// Returns why the process does not answer: it hangs, or it has ended and its reply says why.
    fn fault(&mut self, error: &std::io::Error) -> Unmeasured {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        if matches!(error.kind(), TimedOut | WouldBlock) {
            let text = format!(
                "workload `{}` did not answer within {:?} and was killed; if it may take longer, raise \
                 `timeout`",
                self.name, self.timeout
            );
            return self.child.give_up(Cause::TimedOut, text);
        }
        match self.child.wait(Instant::now() + ENDING) {
            Err(why) => process::with_workload(&self.name, why),
            Ok(Some(finished)) => self.ended(&finished),
            Ok(None) => self.child.give_up(
                Cause::Harness,
                format!("workload `{}` closed its channel and did not end: {error}", self.name),
            ),
        }
    }

    /// Returns why the process ended although nobody had asked it to.
    fn ended(&self, finished: &Finished) -> Unmeasured {
        if let Err(why) = self.prepared.reply(finished) {
            why
        } else {
            let text = format!(
                "workload `{}` ended before its operations were interleaved: it called no measuring method, or is in a \
                 test binary with another version of perf-budget",
                self.name
            );
            Unmeasured::new(Cause::MeasuredNothing, text)
        }
    }

    /// Returns the processor time that the process has used so far, in all its threads; `None` where the system does not say.
    pub(super) fn processor_time(&self) -> Option<Duration> {
        #[cfg(target_os = "linux")]
        return proc::processor_time(self.child.id());
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// Tells the process that there is nothing more to measure.
    pub(super) fn dismiss(&mut self) -> Result<(), Unmeasured> {
        Order::End.send(&mut self.channel).map_err(|error| self.fault(&error))
    }

    /// Waits for the process to end, and returns its reply.
    pub(super) fn end(mut self) -> Result<ProcessRun, Unmeasured> {
        match self.child.wait(Instant::now() + self.timeout) {
            Err(why) => Err(process::with_workload(&self.name, why)),
            Ok(Some(finished)) => self.prepared.reply(&finished),
            Ok(None) => Err(self.child.give_up(
                Cause::TimedOut,
                format!(
                    "workload `{}` was measured and did not end within {:?}; it was killed",
                    self.name, self.timeout
                ),
            )),
        }
    }
}

fn valid(lap: &(f64, f64)) -> bool {
    lap.0.is_finite() && lap.1.is_finite() && lap.0 >= 0.0 && lap.1 >= 0.0
}
