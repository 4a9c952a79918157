//! Judgement of scripted processes on a scripted machine: which reds noise may excuse, and which it may not.

use std::time::Duration;

use super::tests::{P50, P99, max, min, operations, pending_limits, ratio, rules, run, tenth};
use super::{Inquiry, Origin, Rules};
use crate::budget::{Bound, Inconclusive, Limit};
use crate::metric::{Key, Metric, Statistic};
use crate::outcome::noise::Clock;
use crate::outcome::{Cause, Doubt, Outcome, Unmeasured};
use crate::reading::{Interference, ProcessRun, StallTime, Throttled, Timing, Work};
use crate::verdict::Verdict;
use crate::verdict::judge::Carried;

/// Returns the interference in a tenth of a second in which other work kept `cores` processors busy. Tasks waited for some of
/// the time.
fn interference(cores: f64) -> Interference {
    let waiting = if cores > 0.1 { 0.08 } else { 0.0 };
    Interference {
        seconds: 0.1,
        outside: Some(cores * 0.1),
        stolen: Some((0.0, 0.2)),
        pressure: StallTime { cpu: Some(waiting), ..StallTime::default() },
        throttled: None,
    }
}

/// Returns `process` as measured on that machine by this clock, having waited for this share of its time.
fn on(process: ProcessRun, cores: f64, timing: Timing, waited: f64) -> ProcessRun {
    let interference = Some(interference(cores));
    ProcessRun { interference, timing: Some(timing), waited: Some(waited), ..process }
}

/// Returns operations for a limit of 10 ms, of which one in twenty takes 20 ms.
fn broken(n: usize) -> ProcessRun {
    operations(n, 0.02, 20)
}

fn p99(rules: Rules, process_run: impl Fn(usize) -> ProcessRun + Send + 'static) -> Outcome {
    judged(max(P99, "10 ms"), rules, process_run)
}

fn judged(
    limit: Limit,
    rules: Rules,
    process_run: impl Fn(usize) -> ProcessRun + Send + 'static,
) -> Outcome {
    let outcomes = run(vec![limit], rules, move |n| Ok(process_run(n)));
    assert_eq!(outcomes.len(), 1);
    outcomes[0].clone()
}

#[track_caller]
fn check(outcome: &Outcome, verdict: Verdict, doubt: Option<Doubt>, note: &str) {
    assert_eq!((outcome.verdict, outcome.doubt), (verdict, doubt), "{}", outcome.reason);
    assert_eq!(outcome.notes, [note]);
}

#[test]
fn a_red_says_that_the_machine_was_calm() {
    for timing in [Timing::Wall, Timing::LessWaiting] {
        let outcome = p99(rules(), move |n| on(broken(n), 0.02, timing, 0.0));
        check(&outcome, Verdict::Fail, None, "the machine was calm: 0.02 cores of other work");
    }
    let outcome = p99(rules(), |n| on(broken(n), 0.2, Timing::LessWaiting, 0.0));
    check(&outcome, Verdict::Fail, None, "0.20 cores were busy with other work");
    let outcome = p99(rules(), broken);
    check(&outcome, Verdict::Fail, None, "how busy the machine was is not known");
}

#[test]
fn a_pass_has_no_note_about_the_machine() {
    for cores in [0.0, 1.9] {
        let outcome = p99(rules(), move |n| on(operations(n, 2e-3, 50), cores, Timing::Wall, 0.3));
        assert_eq!(outcome.verdict, Verdict::Pass);
        assert_eq!(outcome.notes, [] as [&str; 0]);
        assert_eq!(outcome.noise.unwrap().clock, Some(Clock::Wall));
    }
}

#[test]
fn noise_excuses_a_red_by_the_wall_clock() {
    let outcome = p99(rules(), |n| on(broken(n), 1.4, Timing::Wall, 0.31));
    let note = "median 1 ms; the tail comes from descheduling: it waited 31 % of the time for a processor \
                while 1.40 cores were busy with other work";
    check(&outcome, Verdict::Inconclusive, Some(Doubt::Noise), note);
    assert!(outcome.is_warning());
    assert_eq!(
        outcome.reason,
        "no verdict: p99 is 20 ms by the wall clock, over the limit of 10 ms, and 1.40 cores were busy \
         with other work; a calm machine would settle it, or a limit against `x base` or another \
         budget, interleaved"
    );
    // It was measured until the effort was spent.
    assert!(outcome.seconds >= rules().effort.as_secs_f64(), "{}", outcome.seconds);
    let noise = outcome.noise.unwrap();
    assert!((noise.outside.unwrap() - 1.4).abs() < 1e-9, "{noise:?}");
    assert_eq!(noise.processes, 100);
}

#[test]
fn noise_is_red_only_if_every_inconclusive_limit_is() {
    let red = |inconclusive| {
        let rules = Rules { inconclusive, ..rules() };
        let outcome = p99(rules, |n| on(broken(n), 1.4, Timing::Wall, 0.31));
        assert_eq!(outcome.verdict, Verdict::Inconclusive);
        outcome.is_red()
    };
    assert!(red(Inconclusive::Fail));
    assert!(!red(Inconclusive::Warn));
}

#[test]
fn a_red_that_waiting_cannot_explain_stays_red() {
    // These times do not contain waiting.
    let outcome = p99(rules(), |n| on(broken(n), 1.4, Timing::LessWaiting, 0.31));
    let note = "it waited 31 % of the time for a processor while 1.40 cores were busy with other \
                work; that time is taken off";
    check(&outcome, Verdict::Fail, None, note);
    // The thread waited for its own threads.
    let outcome = p99(rules(), |n| on(broken(n), 0.02, Timing::Wall, 0.6));
    let note = "median 1 ms; the tail comes from descheduling: it waited 60 % of the time for a processor \
                behind its own threads, while only 0.02 cores were busy with other work";
    check(&outcome, Verdict::Fail, None, note);
    // The machine has processors to spare.
    let outcome = p99(rules(), |n| {
        let mut process = on(broken(n), 20.0, Timing::Wall, 0.0);
        process.interference.as_mut().unwrap().pressure.cpu = Some(0.0);
        process
    });
    check(&outcome, Verdict::Fail, None, "20.00 cores were busy with other work");
    // The machine reports nothing.
    let outcome = p99(rules(), |n| ProcessRun { timing: Some(Timing::Wall), ..broken(n) });
    check(&outcome, Verdict::Fail, None, "how busy the machine was is not known");
    // Memory is not a time.
    let rss = max(Metric::from(Key::Rss), "1 MB");
    let outcome = judged(rss, rules(), |_| {
        on(
            ProcessRun { values: [(Metric::from(Key::Rss), 2e6)].into(), ..tenth() },
            1.9,
            Timing::Wall,
            0.9,
        )
    });
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", outcome.reason);
}

/// Other work uses caches and memory bandwidth. Copying 8 MB on a busy machine was over a limit that it keeps on a calm
/// one, although its waiting was subtracted.
#[test]
fn noise_excuses_a_small_red_without_waiting() {
    let at = |seconds: f64, cores: f64| {
        p99(rules(), move |n| on(operations(n, seconds, 20), cores, Timing::LessWaiting, 0.61))
    };
    let outcome = at(0.013, 1.4);
    assert_eq!((outcome.verdict, outcome.doubt), (Verdict::Inconclusive, Some(Doubt::Noise)));
    assert_eq!(
        outcome.reason,
        "no verdict: p99 is 13 ms, over the limit of 10 ms, and 1.40 cores were busy with other work \
         (other work takes caches and memory bandwidth, and may make an operation 1.5 times as long, although \
         its waiting is subtracted); a calm machine would settle it, or a limit against `x base` or another \
         budget, interleaved"
    );
    assert!(!outcome.is_red());
    // The excess is more than other work can explain, or there is no other work.
    for (seconds, cores) in [(0.016, 1.4), (0.02, 1.4), (0.013, 0.02)] {
        assert_eq!(at(seconds, cores).verdict, Verdict::Fail, "{seconds} {cores}");
    }
}

/// The greatest value, a `min` of a rate and processor time are times as well. Shares and exponents are not.
#[test]
fn every_kind_of_time_is_excused_alike() {
    let check = |limit: Limit, at: fn(f64) -> ProcessRun, fails: f64, excused: f64| {
        for (size, verdict) in [(excused, Verdict::Inconclusive), (fails, Verdict::Fail)] {
            let process = move |_| on(at(size), 1.4, Timing::LessWaiting, 0.3);
            let outcome = judged(limit.clone(), rules(), process);
            assert_eq!(outcome.verdict, verdict, "{size}: {}", outcome.reason);
        }
    };
    let most = Key::Latency.at(Statistic::Max);
    check(max(most, "10 ms"), |s| ProcessRun { operations: vec![s; 20], ..tenth() }, 0.02, 0.013);
    let rate = |s| ProcessRun { batches: vec![s; 5], work: Work::Operations(1.0), ..tenth() };
    check(min(Metric::from(Key::Throughput), "100 op/s"), rate, 0.02, 0.013);
    let cpu = |s| ProcessRun { values: [(Metric::from(Key::Cpu), s)].into(), ..tenth() };
    check(max(Metric::from(Key::Cpu), "10 ms"), cpu, 0.02, 0.013);
    let used = ProcessRun { values: [(Metric::from(Key::Utilization), 0.65)].into(), ..tenth() };
    let process = move |_| on(used.clone(), 1.4, Timing::LessWaiting, 0.3);
    let outcome = judged(max(Metric::from(Key::Utilization), "50 %"), rules(), process);
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", outcome.reason);
}

#[test]
fn pairs_are_not_excused() {
    let twice =
        |_| on(ProcessRun { values: [(P50, 2.0)].into(), ..tenth() }, 1.9, Timing::Wall, 0.5);
    let outcome = judged(ratio(P50, Bound::Max, 1.1), rules(), twice);
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", outcome.reason);
}

/// Returns a command that takes `wall` seconds, of which `rest` remain without its waiting.
fn command(wall: f64, rest: Option<f64>) -> ProcessRun {
    let metric = Key::Wall.at(Statistic::P50);
    let less_waiting = rest.map(|rest| (metric.clone(), rest)).into_iter().collect();
    let process = ProcessRun { values: [(metric, wall)].into(), less_waiting, ..tenth() };
    on(process, 1.4, Timing::Wall, rest.map_or(0.0, |rest| 1.0 - rest / wall))
}

#[test]
fn a_command_is_judged_again_without_its_waiting() {
    let wall = |process_run: fn() -> ProcessRun| {
        judged(max(Key::Wall.at(Statistic::P50), "100 ms"), rules(), move |_| process_run())
    };
    // Without its waiting, the first command is within the limit and the second is not; of the third that is not known.
    let outcome = wall(|| command(0.2, Some(0.05)));
    assert_eq!((outcome.verdict, outcome.doubt), (Verdict::Inconclusive, Some(Doubt::Noise)));
    let outcome = wall(|| command(0.2, Some(0.18)));
    assert_eq!((outcome.verdict, outcome.doubt), (Verdict::Fail, None), "{}", outcome.reason);
    let note = "it is over the limit even without the time that it waited for a processor";
    assert_eq!(outcome.notes.last().unwrap(), note);
    let outcome = wall(|| command(0.2, None));
    assert_eq!((outcome.verdict, outcome.doubt), (Verdict::Inconclusive, Some(Doubt::Noise)));
}

#[test]
fn noise_excuses_a_red_min_too() {
    let slow = |_| {
        let batches = vec![0.1; 5];
        on(ProcessRun { batches, work: Work::Operations(10.0), ..tenth() }, 1.4, Timing::Wall, 0.3)
    };
    let outcome = judged(min(Metric::from(Key::Throughput), "1000 op/s"), rules(), slow);
    assert_eq!((outcome.verdict, outcome.doubt), (Verdict::Inconclusive, Some(Doubt::Noise)));
    assert!(
        outcome.reason.contains("is 100 op/s by the wall clock, under the limit of 1 K op/s, and"),
        "{}",
        outcome.reason
    );
}

/// The clock of a measurement is the one that timed most of its processes.
#[test]
fn one_process_by_the_wall_clock_excuses_nothing() {
    let mixed = |most: Timing, one: Timing| {
        p99(rules(), move |n| on(broken(n), 1.4, if n % 5 == 3 { one } else { most }, 0.3)).verdict
    };
    assert_eq!(mixed(Timing::LessWaiting, Timing::Wall), Verdict::Fail);
    assert_eq!(mixed(Timing::Wall, Timing::LessWaiting), Verdict::Inconclusive);
}

/// Noise that goes away in time excuses nothing: a regression that is measured under a burst is red in the end.
#[test]
fn a_burst_hides_no_regression() {
    let outcome = p99(Rules { effort: Duration::from_secs(20), ..rules() }, |n| {
        on(broken(n), if n < 20 { 1.4 } else { 0.0 }, Timing::Wall, 0.0)
    });
    assert_eq!((outcome.verdict, outcome.doubt), (Verdict::Fail, None), "{}", outcome.reason);
    assert!(outcome.evidence.unwrap().processes > 20);
}

#[test]
fn amounts_add_up_and_unknown_ones_are_left_out() {
    let outcome = p99(rules(), |n| {
        let mut process = on(broken(n), 0.0, Timing::LessWaiting, 0.0);
        // A tick is ten milliseconds, so most processes see none, and one sees a whole tick.
        let found = process.interference.as_mut().unwrap();
        found.outside = if n == 0 { None } else { Some(if n % 5 == 1 { 0.01 } else { -0.002 }) };
        found.stolen = None;
        found.throttled = Some(Throttled { periods: 1, seconds: 0.25 });
        process.preempted = Some(7);
        process
    });
    let noise = outcome.noise.unwrap();
    let processes = noise.processes;
    let ticks = (1..processes).filter(|n| n % 5 == 1).count();
    let expected = (ticks as f64 * 0.01 - (processes - 1 - ticks) as f64 * 0.002).max(0.0);
    let near = |got: Option<f64>, expected: f64| assert!((got.unwrap() - expected).abs() < 1e-9);
    near(noise.outside, expected / ((processes - 1) as f64 * 0.1));
    near(noise.throttled, processes as f64 * 0.25);
    near(noise.preempted, 70.0);
    assert_eq!((noise.throttled_periods, noise.steal), (Some(processes as u64), None));
    let note = format!(
        "a processor quota held it back in {processes} periods, {:.1} s in all",
        processes as f64 * 0.25
    );
    assert_eq!(outcome.notes, [note]);
}

/// The time for all measurements is up before the machine is calm again.
#[test]
fn a_limit_that_is_cut_off_says_that_noise_may_have_broken_it() {
    let pending = pending_limits(Carried::default(), vec![max(P99, "10 ms")]);
    let mut inquiry = Inquiry::new(pending, rules(), Origin::Measured);
    for n in 0..20 {
        inquiry.add(Ok(on(broken(n), 1.9, Timing::Wall, 0.5)));
    }
    assert!(!inquiry.is_done());
    inquiry.cut_off(&Unmeasured::new(Cause::OutOfTime, "the time was up"));
    let outcome = &inquiry.outcomes()[0];
    let found = (outcome.verdict, outcome.doubt);
    assert_eq!(found, (Verdict::Inconclusive, Some(Doubt::Noise)), "{}", outcome.reason);
}
