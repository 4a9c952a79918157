//! The harness's end of a pair: it starts both processes, interleaves their operations, and ends them.

use std::time::{Duration, Instant};

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::{Clock, Timing, Work};

use super::participant::Participant;
use super::protocol::{Order, Ready, Reply};
use super::result::{Pair, Round};
use super::terms::{Place, Requirements, Side, Terms};
use crate::os::affinity::Pin;

/// About how long a turn takes, in seconds, if an operation is shorter: long compared with the clock and with the
/// switch between the processes, and short compared with the machine's other activity.
const TURN_SECONDS: f64 = 75e-6;
/// The most operations in a turn, so that few inputs are alive.
const MOST_OPERATIONS: f64 = 10_000.0;
/// How long the warm-up lasts, in seconds.
const WARM_SECONDS: f64 = 0.005;
/// The most rounds of the warm-up.
const WARM_ROUNDS: usize = 12;
/// The fewest rounds of a pair. The median of fewer rounds would be of little use.
const FEWEST_ROUNDS: usize = 3;
/// The number of rounds of a kind that is enough, however soon they are done. The noise that is left then belongs to
/// the two processes, and another pair of processes tells more. If the start of a pair costs as much as 20 rounds,
/// and the noise of a round is 4 to 8 times that of a process, the best number is 20 to 37 (Kalibera & Jones 2013;
/// the figures are in `docs/comparison.md`).
const ENOUGH_ROUNDS: usize = 32;
/// The most slices in which an extreme percentile may collect its operations. After that it is computed from those that
/// it has.
const MOST_SLICES: u32 = 8;
/// The order of the turns in a round; true is the second side. Each side has as many turns right after a turn of its own
/// as the other side has, and as many right after a turn of the other. The turn before changes the time by 2 % for work
/// that lives in caches. A linear drift cancels within either half, and a quadratic one over both.
const ROUND: [bool; 8] = [false, true, true, false, true, false, false, true];
/// The share of a turn up to which the work of other threads is ignored. If they work more, it is not known how long
/// they waited for a processor, so the whole turn counts as spent on a processor.
const IGNORED_SHARE: f64 = 0.1;
/// The shortest time that is used, because a logarithm is taken of it.
const SHORTEST: f64 = 1e-9;

/// Measures two sides next to each other, in a process each, started in the given order. The second side begins each
/// round if `swap` is true.
pub fn measure(sides: [&Side; 2], terms: &Terms<'_>, swap: bool) -> Result<Pair, Unmeasured> {
    let began = Instant::now();
    sides.iter().try_for_each(|side| side.check_processors())?;
    // Both processes inherit the pin.
    let pin = match terms.place {
        Place::Free => None,
        Place::Core(count) => Pin::to_nth(count),
    };
    let (mut participants, ready) = start(sides, terms)?;
    // The wait for a processor is known for one thread only. It may be subtracted only if that thread has the processor
    // to itself, since otherwise the workload's own threads may have caused the wait.
    let sees_waiting = ready.iter().all(|ready| ready.sees_waiting);
    let subtracts_waiting = matches!(terms.place, Place::Core(_)) && sees_waiting;
    let repeats = ready.iter().all(|ready| ready.repeats);
    let mut controller = Controller {
        sides,
        participants: &mut participants,
        subtracts_waiting,
        sees_waiting,
        total: Total::default(),
        turn: 1,
    };
    let rounds = if repeats {
        controller.warm_up()?;
        controller.rounds(terms.wants, terms.slice, swap)?
    } else {
        vec![controller.run_once(swap)?]
    };
    let Controller { total, turn, .. } = controller;
    // All measurements are done, so what remains need not queue for the one processor.
    let processor = pin.map(|(cpu, _)| cpu);
    let work = end(participants, sides)?;
    let mut notes = vec![clock_note(processor, subtracts_waiting).to_owned()];
    notes.extend(sides[0].request.constraint.note());
    if !repeats {
        notes.push(
            "each operation runs once in a process, so that a pair gives one ratio".to_owned(),
        );
    }
    let share = |seconds: f64| seconds / total.wall.max(SHORTEST);
    Ok(Pair {
        rounds,
        work,
        batch: turn as usize,
        elapsed: began.elapsed(),
        others: total.others.map(share),
        waited: ready[0].sees_waiting.then(|| share(total.waited)),
        clock: Some(worse_clock(&ready)),
        timing: Some(if subtracts_waiting { Timing::LessWaiting } else { Timing::Wall }),
        processor,
        notes,
        ..Pair::default()
    })
}

/// Starts the processes of both sides, and waits until both have prepared their workload.
fn start(
    sides: [&Side; 2],
    terms: &Terms<'_>,
) -> Result<([Participant; 2], [Ready; 2]), Unmeasured> {
    let start = |side: &Side| Participant::start(side, terms).map_err(|why| side.with_role(why));
    let mut participants = [start(sides[0])?, start(sides[1])?];
    let ready = |at: usize, participant: &mut Participant| {
        participant.ready().map_err(|why| sides[at].with_role(why))
    };
    let [first, second] = &mut participants;
    let ready = [ready(0, first)?, ready(1, second)?];
    Ok((participants, ready))
}

/// Ends both processes, and returns the amount that an operation of each side counts for.
fn end(mut participants: [Participant; 2], sides: [&Side; 2]) -> Result<[Work; 2], Unmeasured> {
    for (participant, side) in participants.iter_mut().zip(sides) {
        participant.dismiss().map_err(|why| side.with_role(why))?;
    }
    let end = |participant: Participant, side: &Side| {
        participant.end().map_err(|why| side.with_role(why))
    };
    let [first, second] = participants;
    Ok([end(first, sides[0])?.work, end(second, sides[1])?.work])
}

/// Returns the note about the clock of a pair, which ran on this processor, or on any.
fn clock_note(processor: Option<usize>, subtracts_waiting: bool) -> &'static str {
    match (processor, subtracts_waiting) {
        (Some(_), true) => {
            "clock: wall, scheduling delay subtracted; both interleaved on one processor"
        }
        (Some(_), false) => "clock: wall; both interleaved on one processor",
        (None, _) => "clock: wall; both interleaved, on any processor",
    }
}

/// Returns the larger cost and the larger resolution of the two clocks.
fn worse_clock(ready: &[Ready; 2]) -> Clock {
    let [first, second] = ready.each_ref().map(|ready| ready.clock);
    Clock { cost: first.0.max(second.0), resolution: first.1.max(second.1) }
}

/// The controller of two processes whose operations are interleaved.
struct Controller<'a> {
    sides: [&'a Side; 2],
    participants: &'a mut [Participant; 2],
    subtracts_waiting: bool,
    /// Whether both sides see for how long they wait for a processor.
    sees_waiting: bool,
    total: Total,
    /// The operations in a turn.
    turn: u32,
}

/// The sums over all turns.
#[derive(Default)]
struct Total {
    wall: f64,
    waited: f64,
    others: Option<f64>,
}

impl Controller<'_> {
    /// Runs one turn of one process. Returns the seconds of each operation, or the mean of a batch; and the most seconds
    /// that an operation was on a processor.
    fn run_turn(&mut self, side: usize, single: bool) -> Result<(Vec<f64>, f64), Unmeasured> {
        let order = if single { Order::Singles(self.turn) } else { Order::Batch(self.turn) };
        let before = self.participants[side].processor_time();
        let reply =
            self.participants[side].ask(order).map_err(|why| self.sides[side].with_role(why))?;
        let after = self.participants[side].processor_time();
        let own = before.zip(after).and_then(|(before, after)| after.checked_sub(before));
        for (wall, waited) in &reply.laps {
            self.total.wall += wall;
            self.total.waited += waited;
        }
        // Workers of earlier releases report slightly less than zero for an idle turn, and a whole second less than
        // zero if they do not know the value.
        if reply.others > -1.0 {
            *self.total.others.get_or_insert(0.0) += reply.others.max(0.0);
        }
        let operations = if single { 1.0 } else { f64::from(self.turn) };
        let seconds = |lap: &(f64, f64)| {
            let own = if self.subtracts_waiting {
                (lap.0 - lap.1).max(SHORTEST)
            } else {
                lap.0.max(SHORTEST)
            };
            own / operations
        };
        let busy = own.filter(|_| self.sees_waiting).map(|own| self.busy(&reply, own));
        let busy = busy.unwrap_or(f64::INFINITY) / operations;
        Ok((reply.laps.iter().map(seconds).collect(), busy))
    }

    /// Returns the most seconds that a turn was on a processor, with those in which it waited for one if they are part of
    /// its times. `own` is the processor time of its process, with what it did between the operations.
    fn busy(&self, reply: &Reply, own: Duration) -> f64 {
        let wall: f64 = reply.laps.iter().map(|(wall, _)| wall).sum();
        if !(0.0..=IGNORED_SHARE * wall).contains(&reply.others) {
            return f64::INFINITY;
        }
        let waited: f64 = reply.laps.iter().map(|(_, waited)| waited).sum();
        let waited = if self.subtracts_waiting { 0.0 } else { waited };
        own.as_secs_f64() + reply.others + waited
    }

    /// Runs both sides until they are warm, and finds how many operations make a turn.
    fn warm_up(&mut self) -> Result<(), Unmeasured> {
        for _ in 0..WARM_ROUNDS {
            let mut slowest: f64 = SHORTEST;
            for side in [1, 0, 0, 1] {
                slowest = slowest.max(self.run_turn(side, false)?.0[0]);
            }
            let wanted = (TURN_SECONDS / slowest).clamp(1.0, MOST_OPERATIONS) as u32;
            // The first operations are slow, and tell little about how many fit in a turn.
            let settled = wanted <= self.turn.saturating_mul(2);
            self.turn = wanted.min(self.turn.saturating_mul(16)).max(1);
            if settled && self.total.wall >= WARM_SECONDS {
                break;
            }
        }
        self.total = Total { others: self.total.others.map(|_| 0.0), ..Total::default() };
        Ok(())
    }

    fn rounds(
        &mut self,
        wants: Requirements,
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
        let mut round = Round { single, ..Round::default() };
        for second in ROUND {
            let second = second != swap;
            let (turn, busy) = self.run_turn(usize::from(second), single)?;
            round.busy[usize::from(second)].push(busy);
            if second { &mut round.second } else { &mut round.first }.push(turn);
        }
        Ok(round)
    }

    /// Runs the one operation that each side has.
    fn run_once(&mut self, swap: bool) -> Result<Round, Unmeasured> {
        let mut round = Round { single: true, ..Round::default() };
        for side in if swap { [1, 0] } else { [0, 1] } {
            let (times, busy) = self.run_turn(side, true)?;
            round.busy[side].push(busy);
            if side == 0 { &mut round.first } else { &mut round.second }.push(times);
        }
        Ok(round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither side has a better place in a round. Each has as many turns as the other, as many right after a turn of the
    /// other, and as early ones, so that a linear and a quadratic drift cancel. The last turn of a round comes right before
    /// the first one of the next.
    #[test]
    fn both_sides_have_equal_places_in_a_round() {
        let sum = |second: bool, value: fn(usize) -> usize| -> usize {
            (0..ROUND.len()).filter(|&at| ROUND[at] == second).map(value).sum()
        };
        let same = |value: fn(usize) -> usize| assert_eq!(sum(false, value), sum(true, value));
        same(|_| 1);
        same(|at| at);
        same(|at| at * at);
        same(|at| usize::from(ROUND[at] != ROUND[(at + ROUND.len() - 1) % ROUND.len()]));
    }
}
