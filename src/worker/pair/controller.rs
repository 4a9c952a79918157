//! The harness's end of a pair: starts both, lets them take turns, and ends them.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{Clock, ProcessRun, Timing};

use super::protocol::{Order, Ready, Reply};
use super::{Pair, Place, Round, Side, Terms, Wants};
use crate::exec::{Child, Finished, Input};
use crate::os::affinity::{self, Pin};
use crate::os::kernel;
use crate::worker::process::{self, Asked};

/// About so long is one turn, where an operation is shorter: long beside the clock and the change of
/// process, short beside what the machine does meanwhile.
const TURN: f64 = 75e-6;
/// A turn has no more operations, so that their inputs stay few.
const MOST_OPERATIONS: f64 = 10_000.0;
/// Warming up goes on for so long, in seconds,
const WARM: f64 = 0.005;
/// and for so many rounds, at the most.
const WARM_ROUNDS: usize = 12;
/// Fewer rounds have no middle worth the name.
const FEWEST_ROUNDS: usize = 3;
/// So many rounds of a kind are enough, however soon they are done: what is left then is peculiar to the two
/// processes, and the next pair says more of it. At a start of a pair that costs 20 rounds, and noise of a round
/// that is 4 to 8 times that of a process, the best number is 20 to 37 (Kalibera & Jones 2013; figures:
/// `docs/judgement.md`).
const ENOUGH_ROUNDS: usize = 32;
/// A percentile far out gets its operations within so many slices, or has to do with fewer.
const MOST_SLICES: u32 = 8;
/// Whose turn it is, the second's where it says so. Each has as many turns right after its own as the other, and as
/// many after the other's, which is worth 2 % where work lives in caches; a steady drift cancels in either half, and
/// one that bends cancels over both.
const ROUND: [bool; 8] = [false, true, true, false, true, false, false, true];
/// How long a process may take to end after it was told to, or after it hung up.
const ENDING: Duration = Duration::from_secs(10);
/// How often it is looked after a process that is awaited.
const LOOK: Duration = Duration::from_millis(200);
/// The shortest time there is: a logarithm is taken of it.
const TICK: f64 = 1e-9;

pub(super) fn run(sides: [&Side; 2], terms: &Terms<'_>, swap: bool) -> Result<Pair, Unmeasured> {
    let began = Instant::now();
    // Both inherit it.
    let pin = match terms.place {
        Place::Free => None,
        Place::Core(count) => {
            let allowed = affinity::allowed();
            let cpu = allowed.get(count % allowed.len().max(1));
            cpu.and_then(|&cpu| Pin::to(cpu).map(|pin| (cpu, pin)))
        }
    };
    let start = |side: &Side| Party::start(side, terms).map_err(|why| side.blame(why));
    let mut parties = [start(sides[0])?, start(sides[1])?];
    let ready = |at: usize, party: &mut Party| party.ready().map_err(|why| sides[at].blame(why));
    let [first, second] = &mut parties;
    let ready = [ready(0, first)?, ready(1, second)?];
    // Waiting for a processor is of one thread's, and of nobody's own making, only where it is alone.
    let corrects =
        matches!(terms.place, Place::Core(_)) && ready.iter().all(|ready| ready.sees_waiting);
    let repeats = ready.iter().all(|ready| ready.repeats);
    let mut controller =
        Controller { sides, parties: &mut parties, corrects, total: Total::default(), turn: 1 };
    let rounds = if repeats {
        controller.warm_up()?;
        controller.rounds(terms.wants, terms.slice, swap)?
    } else {
        vec![controller.once(swap)?]
    };
    let Controller { total, turn, .. } = controller;
    // Nothing more is measured: what is left to do need not queue for the one processor.
    let processor = pin.map(|(cpu, _)| cpu);
    for (party, side) in parties.iter_mut().zip(sides) {
        party.dismiss().map_err(|why| side.blame(why))?;
    }
    let end = |party: Party, side: &Side| party.end().map_err(|why| side.blame(why));
    let [first, second] = parties;
    let work = [end(first, sides[0])?.work, end(second, sides[1])?.work];
    let mut pair = Pair { rounds, work, batch: turn as usize, ..Pair::default() };
    pair.elapsed = began.elapsed();
    pair.others = total.others.map(|others| others / total.wall.max(TICK));
    pair.waited = ready[0].sees_waiting.then(|| total.waited / total.wall.max(TICK));
    let grain = |of: fn(&Ready) -> f64| of(&ready[0]).max(of(&ready[1]));
    pair.clock = Some(Clock { cost: grain(|r| r.clock.0), resolution: grain(|r| r.clock.1) });
    pair.timing = Some(if corrects { Timing::LessWaiting } else { Timing::Wall });
    pair.processor = processor;
    pair.notes.push(
        match (processor, corrects) {
            (Some(_), true) => {
                "clock: wall, scheduling delay subtracted; both in turns on one processor"
            }
            (Some(_), false) => "clock: wall; both in turns on one processor",
            (None, _) => "clock: wall; both in turns, on whichever processor",
        }
        .to_owned(),
    );
    if !repeats {
        pair.notes.push("each done once in a process, so that a pair is one ratio".to_owned());
    }
    Ok(pair)
}

/// One of the two, alive.
struct Party {
    name: String,
    asked: Asked,
    child: Child,
    channel: UnixStream,
    timeout: Duration,
}

impl Party {
    fn start(side: &Side, terms: &Terms<'_>) -> Result<Party, Unmeasured> {
        let name = side.request.workload.clone();
        let mut asked = Asked::new(&side.request, terms.scratch, &side.build)?;
        asked.launch.stdin = Input::Channel;
        let mut child = Child::spawn(&asked.launch)?;
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
        Ok(Party { name, asked, child, channel, timeout })
    }

    fn ready(&mut self) -> Result<Ready, Unmeasured> {
        self.listen()?;
        match Ready::receive(&mut self.channel) {
            Ok(Some(ready)) => Ok(ready),
            Ok(None) => Err(self.child.give_up(
                Cause::Unsuitable,
                format!(
                    "workload `{}` is in a test binary with another version of perf-budget, which takes \
                     turns by other rules; build both with the same version",
                    self.name
                ),
            )),
            Err(error) => Err(self.fault(&error)),
        }
    }

    fn ask(&mut self, order: Order) -> Result<Reply, Unmeasured> {
        order.send(&mut self.channel).map_err(|error| self.fault(&error))?;
        self.listen()?;
        match Reply::receive(&mut self.channel) {
            Ok(reply) if reply.laps.iter().all(valid) && !reply.laps.is_empty() => Ok(reply),
            Ok(_) => {
                let text = format!("workload `{}` replied with what is no reading", self.name);
                Err(self.child.give_up(Cause::InvalidReading, text))
            }
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Waits until it says something, and looks after it meanwhile.
    fn listen(&mut self) -> Result<(), Unmeasured> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match kernel::readable([Some(self.channel.as_fd())], LOOK) {
                Ok([true]) => return Ok(()),
                Ok([false]) if Instant::now() > deadline => {
                    return Err(self.fault(&std::io::ErrorKind::TimedOut.into()));
                }
                Ok([false]) => {}
                Err(error) => return Err(self.fault(&error)),
            }
            // That it has ended shows on the channel too; that it floods shows only here.
            match self.child.wait(Instant::now()) {
                Err(why) => return Err(process::named(&self.name, why)),
                Ok(Some(finished)) => return Err(self.ended(&finished)),
                Ok(None) => {}
            }
        }
    }

    /// Why it does not answer: it hangs, or it has ended and its reply says why.
    fn fault(&mut self, error: &std::io::Error) -> Unmeasured {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        if matches!(error.kind(), TimedOut | WouldBlock) {
            let text = format!(
                "workload `{}` did not go on within {:?} and was killed; if it may take longer, raise \
                 `timeout`",
                self.name, self.timeout
            );
            return self.child.give_up(Cause::TimedOut, text);
        }
        match self.child.wait(Instant::now() + ENDING) {
            Err(why) => process::named(&self.name, why),
            Ok(Some(finished)) => self.ended(&finished),
            Ok(None) => self.child.give_up(
                Cause::Harness,
                format!("workload `{}` hung up and did not end: {error}", self.name),
            ),
        }
    }

    /// Why it ended although nobody had asked it to.
    fn ended(&self, finished: &Finished) -> Unmeasured {
        if let Err(why) = self.asked.reply(finished) {
            why
        } else {
            let text = format!(
                "workload `{}` ended without taking turns: it called no measuring method, or is in a \
                 test binary with another version of perf-budget",
                self.name
            );
            Unmeasured::new(Cause::MeasuredNothing, text)
        }
    }

    /// Tells it that that was all.
    fn dismiss(&mut self) -> Result<(), Unmeasured> {
        Order::End.send(&mut self.channel).map_err(|error| self.fault(&error))
    }

    /// Hears what it has to say in the end.
    fn end(mut self) -> Result<ProcessRun, Unmeasured> {
        match self.child.wait(Instant::now() + self.timeout) {
            Err(why) => Err(process::named(&self.name, why)),
            Ok(Some(finished)) => self.asked.reply(&finished),
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

/// Two parties that take turns.
struct Controller<'a> {
    sides: [&'a Side; 2],
    parties: &'a mut [Party; 2],
    corrects: bool,
    total: Total,
    /// Operations of a turn.
    turn: u32,
}

/// Over all turns.
#[derive(Default)]
struct Total {
    wall: f64,
    waited: f64,
    others: Option<f64>,
}

impl Controller<'_> {
    /// One turn of one of them: seconds of each operation, or the mean of a batch.
    fn turn(&mut self, who: usize, single: bool) -> Result<Vec<f64>, Unmeasured> {
        let order = if single { Order::Singles(self.turn) } else { Order::Batch(self.turn) };
        let reply = self.parties[who].ask(order).map_err(|why| self.sides[who].blame(why))?;
        for (wall, waited) in &reply.laps {
            self.total.wall += wall;
            self.total.waited += waited;
        }
        if reply.others >= 0.0 {
            *self.total.others.get_or_insert(0.0) += reply.others;
        }
        let operations = if single { 1.0 } else { f64::from(self.turn) };
        let seconds = |lap: &(f64, f64)| {
            let own = if self.corrects { (lap.0 - lap.1).max(TICK) } else { lap.0.max(TICK) };
            own / operations
        };
        Ok(reply.laps.iter().map(seconds).collect())
    }

    /// Runs both until neither is new to it, and finds how many operations make a turn.
    fn warm_up(&mut self) -> Result<(), Unmeasured> {
        for _ in 0..WARM_ROUNDS {
            let mut slowest: f64 = TICK;
            for who in [1, 0, 0, 1] {
                slowest = slowest.max(self.turn(who, false)?[0]);
            }
            let wanted = (TURN / slowest).clamp(1.0, MOST_OPERATIONS) as u32;
            // The first operations are slow, and say little of how many fit.
            let settled = wanted <= self.turn.saturating_mul(2);
            self.turn = wanted.min(self.turn.saturating_mul(16)).max(1);
            if settled && self.total.wall >= WARM {
                break;
            }
        }
        self.total = Total { others: self.total.others.map(|_| 0.0), ..Total::default() };
        Ok(())
    }

    fn rounds(
        &mut self,
        wants: Wants,
        slice: Duration,
        swap: bool,
    ) -> Result<Vec<Round>, Unmeasured> {
        let began = Instant::now();
        let mut rounds: Vec<Round> = Vec::new();
        let (mut singles, mut batches, mut operations) = (0, 0, 0);
        loop {
            let have = |least| {
                (!wants.singles || singles >= least) && (!wants.batches || batches >= least)
            };
            let spent = began.elapsed();
            let many = operations >= wants.fewest || spent >= slice * MOST_SLICES;
            let long = spent >= slice || have(ENOUGH_ROUNDS);
            if have(FEWEST_ROUNDS) && many && long {
                return Ok(rounds);
            }
            let single = wants.singles && (!wants.batches || singles <= batches);
            *(if single { &mut singles } else { &mut batches }) += 1;
            let round = self.round(single, swap)?;
            operations += if single { round.first.iter().map(Vec::len).sum() } else { 0 };
            rounds.push(round);
        }
    }

    fn round(&mut self, single: bool, swap: bool) -> Result<Round, Unmeasured> {
        let mut round = Round { single, first: Vec::new(), second: Vec::new() };
        for second in ROUND {
            let second = second != swap;
            let turn = self.turn(usize::from(second), single)?;
            if second { &mut round.second } else { &mut round.first }.push(turn);
        }
        Ok(round)
    }

    /// The one operation that each of them has.
    fn once(&mut self, swap: bool) -> Result<Round, Unmeasured> {
        let mut times: [Vec<f64>; 2] = Default::default();
        for who in if swap { [1, 0] } else { [0, 1] } {
            times[who] = self.turn(who, true)?;
        }
        let [first, second] = times.map(|times| vec![times]);
        Ok(Round { single: true, first, second })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither side has a better place in a round: as many turns, as many of them after the other's, and as
    /// early, so that a drift cancels, a straight one and one that bends. A round follows another.
    #[test]
    fn places_in_a_round_are_alike() {
        let sum = |second: bool, of: fn(usize) -> usize| -> usize {
            (0..ROUND.len()).filter(|&at| ROUND[at] == second).map(of).sum()
        };
        let same = |of: fn(usize) -> usize| assert_eq!(sum(false, of), sum(true, of));
        same(|_| 1);
        same(|at| at);
        same(|at| at * at);
        same(|at| usize::from(ROUND[at] != ROUND[(at + ROUND.len() - 1) % ROUND.len()]));
    }
}
