//! The loop with one operation at a time on a scripted clock: the test states what each operation takes, and nothing
//! waits.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;

use perf_budget_core::budget::{Load, LoadShape};
use perf_budget_core::metric::{Key, Metric, Statistic};
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::stats::{Sample, order};

use super::*;
use crate::instrument::load::schedule::Schedule;
use crate::run::drive::{ByReference, ByValue, CannotFail, Fallible, Policy};

const MEAN: Metric = Key::Mean.at(Statistic::Mean);

/// A clock that only moves when it is told to.
#[derive(Clone, Default)]
struct Scripted {
    now: Rc<Cell<f64>>,
    /// How much later than asked for a wait ends.
    late: f64,
}

impl Clock for Scripted {
    fn now(&self) -> f64 {
        self.now.get()
    }

    fn wait(&self, due: f64) {
        if self.now() < due {
            self.now.set(due + self.late);
        }
    }
}

fn constant(rate: f64, begins: f64, ends: f64) -> Schedule {
    let due: Vec<f64> = (0..(ends * rate).round() as usize).map(|n| n as f64 / rate).collect();
    let warm = due.partition_point(|&due| due < begins);
    Schedule { due, warm, begins, ends }
}

/// Runs operations of which one that starts at `t` ends at `ends(t)`. Returns the process run, and what each
/// operation took from when it was sent.
fn run(schedule: Schedule, late: f64, ends: impl Fn(f64) -> f64) -> (ProcessRun, Vec<f64>) {
    let load = Load { shape: LoadShape::Constant, rate: 1.0, concurrency: 1 };
    let mut arrivals = Arrivals::new(load, schedule);
    let mut failures = Failures::new(Policy::Fatal);
    let clock = Scripted { late, ..Scripted::default() };
    let mut sent = Vec::new();
    let op = |()| {
        let started = clock.now();
        clock.now.set(ends(started));
        sent.push(clock.now() - started);
    };
    arrive::<CannotFail, _, _, _>(
        &mut arrivals,
        &mut failures,
        || clock.clone(),
        || (),
        ByValue(op),
    );
    let mut process = ProcessRun::default();
    arrivals.finish(&mut process);
    (process, sent)
}

fn quantile(values: &[f64], q: f64) -> f64 {
    order::quantile(&Sample::new(values.to_vec()).unwrap(), q).unwrap()
}

fn share_over(values: &[f64], limit: f64) -> f64 {
    values.iter().filter(|&&value| value > limit).count() as f64 / values.len() as f64
}

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected} within {tolerance}");
}

/// Operations of 0.3 ms run at 1000 op/s for two minutes, with a stall of 200 ms every ten seconds. If latency is counted
/// from when they were sent, 11 of 120 000 operations are slow. If it is counted from when they were due, all operations
/// that had to wait behind those are slow too.
#[test]
fn a_stall_delays_all_operations_behind_it() {
    let stalled = |t: f64| {
        let began = (t / 10.0).floor() * 10.0;
        let stalls = began > 0.0 && t < began + 0.2;
        if stalls { began + 0.2 + 0.3e-3 } else { t + 0.3e-3 }
    };
    let (process, sent) = run(constant(1000.0, 0.0, 120.0), 0.0, stalled);
    near(quantile(&sent, 0.99), 0.30e-3, 0.005e-3);
    near(share_over(&sent, 10e-3), 0.0001, 0.000_05);
    near(quantile(&process.operations, 0.99), 124e-3, 0.5e-3);
    near(share_over(&process.operations, 10e-3), 0.0249, 0.000_1);
    // The client was late, but the generator was not.
    assert!(process.lag.unwrap().max < 1e-9, "{process:?}");
    near(process.values[&Metric::from(Key::Throughput)], 1000.0, 0.1);
}

#[test]
fn below_capacity_the_latency_is_the_service_time() {
    let (process, _) = run(constant(100.0, 0.25, 1.25), 0.0, |t| t + 4e-3);
    assert_eq!(process.operations.len(), 100);
    assert!(process.operations.iter().all(|latency| (latency - 4e-3).abs() < 1e-9));
    near(process.values[&MEAN], 4e-3, 1e-9);
    near(process.values[&Metric::from(Key::Throughput)], 100.0, 1e-9);
    assert_eq!(process.values[&Metric::from(Key::ErrorRate)].to_bits(), 0);
    assert_eq!(process.at_least, None);
}

/// At 100 op/s of 15 ms, each operation starts 5 ms later after its due time than the one before.
#[test]
fn above_capacity_latency_grows() {
    let (process, _) = run(constant(100.0, 0.0, 1.0), 0.0, |t| t + 15e-3);
    for (n, latency) in process.operations.iter().enumerate() {
        near(*latency, 15e-3 + 5e-3 * n as f64, 1e-9);
    }
    near(process.values[&Metric::from(Key::Throughput)], 100.0 / 1.5, 1e-6);
    assert_eq!((process.operations.len(), process.at_least), (100, None));
    assert!(process.lag.unwrap().max < 1e-9);
}

/// At 100 op/s of 0.5 s, nothing more is started from two seconds after the schedule began.
#[test]
fn operations_that_were_not_started_count_as_long_as_they_waited() {
    let (process, sent) = run(constant(100.0, 0.0, 1.0), 0.0, |t| t + 0.5);
    assert_eq!(sent.len(), 5);
    assert_eq!(process.operations.len(), 100);
    // The loop gives up at 2.5 s, when the last operation has been due since 0.99 s.
    near(process.at_least.unwrap(), 2.5 - 0.99, 1e-9);
    near(process.operations[5], 2.5 - 0.05, 1e-9);
    near(process.values[&Metric::from(Key::Throughput)], 2.0, 1e-9);
    assert!(process.notes.iter().any(|note| note.contains("95 operations were never started")));
}

#[test]
fn a_late_generator_is_distinguished_from_a_slow_operation() {
    let (process, _) = run(constant(100.0, 0.0, 1.0), 2e-3, |t| t + 1e-3);
    let lag = process.lag.unwrap();
    near(lag.p99, 2e-3, 1e-9);
    near(lag.max, 2e-3, 1e-9);
    // The delay is part of the latency in any case. It only makes a value over a limit doubtful.
    near(quantile(&process.operations, 0.5), 3e-3, 1e-9);
}

#[test]
fn failures_count_and_their_latencies_do_not() {
    let load = Load { shape: LoadShape::Constant, rate: 100.0, concurrency: 1 };
    let mut arrivals = Arrivals::new(load, constant(100.0, 0.5, 1.0));
    let mut failures = Failures::new(Policy::Counted);
    let clock = Scripted::default();
    let mut count = 0;
    let op = |()| {
        count += 1;
        clock.now.set(clock.now() + if count % 5 == 0 { 9e-3 } else { 1e-3 });
        if count % 5 == 0 { Err("the fifth") } else { Ok::<(), &str>(()) }
    };
    arrive::<Fallible, _, _, _>(&mut arrivals, &mut failures, || clock.clone(), || (), ByValue(op));
    let mut process = ProcessRun::default();
    arrivals.finish(&mut process);
    near(process.values[&Metric::from(Key::ErrorRate)], 0.2, 1e-12);
    assert_eq!((process.operations.len(), failures.count), (40, 20));
    assert!(process.operations.iter().all(|&latency| latency < 2e-3));
    near(process.values[&Metric::from(Key::Throughput)], 80.0, 1e-9);
}

#[test]
fn the_first_failure_ends_the_measurement_if_failures_are_not_counted() {
    let load = Load { shape: LoadShape::Constant, rate: 100.0, concurrency: 1 };
    let mut arrivals = Arrivals::new(load, constant(100.0, 0.0, 1.0));
    let mut failures = Failures::new(Policy::Fatal);
    let op = |()| Err::<Infallible, _>("no luck");
    arrive::<Fallible, _, _, _>(
        &mut arrivals,
        &mut failures,
        Scripted::default,
        || (),
        ByValue(op),
    );
    assert_eq!((failures.operations, failures.count), (1, 1));
}

/// The input takes 5 ms to drop, which counts only if the operation drops it.
#[test]
fn an_input_that_is_lent_is_dropped_outside_of_the_measured_part() {
    struct Input(Rc<Cell<f64>>);

    impl Drop for Input {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 5e-3);
        }
    }

    fn latency(op: impl Operation<Input, ()>, clock: &Scripted) -> f64 {
        let load = Load { shape: LoadShape::Constant, rate: 1.0, concurrency: 1 };
        let mut arrivals = Arrivals::new(load, constant(100.0, 0.0, 1.0));
        let mut failures = Failures::new(Policy::Fatal);
        let setup = || Input(Rc::clone(&clock.now));
        arrive::<CannotFail, _, _, _>(&mut arrivals, &mut failures, || clock.clone(), setup, op);
        let mut process = ProcessRun::default();
        arrivals.finish(&mut process);
        assert_eq!(process.operations.len(), 100);
        quantile(&process.operations, 0.5)
    }

    let clock = Scripted::default();
    let work = || clock.now.set(clock.now() + 1e-3);
    near(latency(ByReference(|_: &mut Input| work()), &clock), 1e-3, 1e-9);
    let clock = Scripted::default();
    let work = || clock.now.set(clock.now() + 1e-3);
    near(latency(ByValue(|_: Input| work()), &clock), 6e-3, 1e-9);
}
