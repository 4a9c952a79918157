//! The worker's end of a pair: it runs operations when it is told to, and reports what they took.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use perf_budget_core::metric::Key;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::protocol::{Order, Ready, Reply};
use crate::instrument::clock::Stopwatch;
use crate::instrument::laps::{Instrument, Repeat};
use crate::os::kernel;
use crate::os::usage::Contention;

/// An instrument that watches the laps that the controller asks for.
pub(crate) struct Responder {
    channel: UnixStream,
    watch: Stopwatch,
    repeat: Repeat,
    state: State,
    reply: Reply,
    /// The counters when the current order arrived.
    contention: Option<Contention>,
    /// The process that the channel was given to. A copy of it, which a workload has forked, has the channel too.
    process: u32,
    operations: u64,
    failed: u64,
    channel_error: Option<io::Error>,
}

/// The step that is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The controller has not been told yet that the workload is prepared.
    Preparing,
    /// This many single operations are still to be timed.
    Singles(u32),
    /// The order has been carried out.
    Done,
    /// No other order will come.
    Over,
}

impl Responder {
    /// Takes the channel from standard input, which the workload then finds empty.
    pub(crate) fn new(repeat: Repeat) -> Result<Responder, Unmeasured> {
        let channel = channel().map_err(|error| {
            let text = format!(
                "failed to take the channel of a pair from standard input: {error}; does the workload \
                 read standard input before it measures?"
            );
            Unmeasured::new(Cause::Harness, text)
        })?;
        Ok(Responder {
            channel,
            watch: Stopwatch::calibrated(),
            repeat,
            state: State::Preparing,
            reply: Reply::default(),
            contention: None,
            process: std::process::id(),
            operations: 0,
            failed: 0,
            channel_error: None,
        })
    }

    /// Answers the last order, if there was one, and waits for the next.
    fn exchange(&mut self) -> io::Result<Option<usize>> {
        if std::process::id() != self.process {
            return Err(io::Error::other("this is a copy of the process that was asked"));
        }
        if self.state == State::Preparing {
            let clock = self.watch.clock();
            Ready {
                repeats: self.repeat == Repeat::Looped,
                sees_waiting: self.watch.sees_waiting(),
                clock: (clock.cost, clock.resolution),
            }
            .send(&mut self.channel)?;
        } else {
            let now = Contention::now();
            let others = self.contention.zip(now).map(|(before, now)| now.others_since(&before));
            self.reply.others = others.unwrap_or(-1.0);
            self.reply.send(&mut self.channel)?;
            self.reply.laps.clear();
            self.reply.failed = 0;
        }
        self.state = State::Done;
        let order = Order::receive(&mut self.channel)?;
        self.contention = Contention::now();
        Ok(match order {
            Order::End => None,
            Order::Batch(count) => Some(count as usize),
            Order::Singles(count) => {
                // The room is allocated now, and not while the operations are timed.
                self.reply.laps.reserve(count as usize);
                self.state = State::Singles(count.saturating_sub(1));
                Some(1)
            }
        })
    }
}

impl Instrument for Responder {
    fn next(&mut self) -> Option<usize> {
        match self.state {
            State::Over => return None,
            State::Singles(left @ 1..) => {
                self.state = State::Singles(left - 1);
                return Some(1);
            }
            State::Done | State::Singles(0) if self.repeat == Repeat::Once => {
                // The only operation has run, and its time still has to be sent.
                let _ = self.exchange();
                self.state = State::Over;
                return None;
            }
            State::Preparing | State::Singles(0) | State::Done => {}
        }
        let next = self.exchange().unwrap_or_else(|error| {
            self.channel_error = Some(error);
            None
        });
        if next.is_none() {
            self.state = State::Over;
        }
        if self.repeat == Repeat::Once { next.map(|_| 1) } else { next }
    }

    #[inline]
    fn start(&mut self) {
        self.watch.start(false);
    }

    #[inline]
    fn stop(&mut self) {
        let reading = self.watch.stop();
        self.reply.laps.push((reading.wall, reading.waited));
    }

    #[cfg(feature = "internals")]
    fn stop_after(&mut self, took: std::time::Duration) {
        self.watch.stop();
        self.reply.laps.push((took.as_secs_f64(), 0.0));
    }

    fn record(&mut self, operations: usize, failed: usize) {
        self.operations += operations as u64;
        self.failed += failed as u64;
        self.reply.failed += failed as u32;
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        if let Some(error) = &self.channel_error {
            let text = format!("the harness closed the channel while a pair was measured: {error}");
            return Err(Unmeasured::new(Cause::Harness, text));
        }
        let share = self.failed as f64 / self.operations.max(1) as f64;
        process.values.insert(Key::ErrorRate, share);
        Ok(())
    }
}

/// Takes the channel, which is standard input, and replaces standard input with an empty pipe.
fn channel() -> io::Result<UnixStream> {
    let channel = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // This fails if standard input is not a socket.
    channel.peer_addr()?;
    let (nothing, _) = io::pipe()?;
    kernel::replace_stdin(nothing.as_fd())?;
    Ok(channel)
}
