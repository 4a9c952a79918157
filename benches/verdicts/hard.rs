//! The workloads of the trials that are hard to compare: memory-bound work, two threads that wait for each other, an
//! operation of 13 ms, a costly set-up, a heavy tail, hash maps with random seeds, asynchronous tasks, and processes of
//! two kinds. Each does its work in a hundred parts, as the others do.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::mpsc;

use perf_budget::{Failed, Run};

use crate::effects::parts;
use crate::random::{Random, seed};

/// The bytes that `copy` copies: more than the caches of most machines hold.
const COPIED: usize = 8 << 20;
/// The rounds of `alu` that take about 13 ms.
const LONG: u64 = 65_000;
/// How much longer the slower kind of process takes, as one part in so many.
const SLOWER: u64 = 25;

/// Copies 8 MB, which is bound by memory.
pub(crate) fn copy(run: &mut Run) -> Result<(), Failed> {
    let part = COPIED / 100;
    let parts = parts(run)? as usize;
    let from = vec![1_u8; part * parts];
    let mut to = vec![0_u8; part * parts];
    run.iter(move || {
        to.copy_from_slice(black_box(&from));
        black_box(&to);
    })
}

/// Sends a number to another thread and waits for its answer, once for each part.
pub(crate) fn pingpong(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)? / 5;
    let (ask, asked) = mpsc::channel::<u64>();
    let (answer, answered) = mpsc::channel::<u64>();
    let other = std::thread::spawn(move || {
        while let Ok(number) = asked.recv() {
            if answer.send(number + 1).is_err() {
                break;
            }
        }
    });
    let measured = run.iter(|| {
        (0..parts).fold(0, |number, _| {
            let _ = ask.send(number);
            answered.recv().unwrap_or(0)
        })
    });
    drop(ask);
    let _ = other.join();
    measured
}

/// Works for about 13 ms, so that few operations fit into a run.
pub(crate) fn long(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let mut random = Random::new(5);
    run.iter(move || sum(&mut random, parts * LONG))
}

/// Prepares for about a tenth of a second before its first operation.
pub(crate) fn setup(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let mut random = Random::new(6);
    black_box(sum(&mut random, 40_000_000));
    run.iter(move || sum(&mut random, parts * 50))
}

/// Works for times whose tail is Pareto's with an exponent of 1.5: it has a mean and no variance.
pub(crate) fn tail(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let (mut random, mut drawn) = (Random::new(7), Random::new(seed()));
    run.iter(move || {
        let times = (1.0 - drawn.uniform()).powf(-1.0 / 1.5).min(1e3);
        sum(&mut random, (parts as f64 * 20.0 * times) as u64)
    })
}

/// Fills a table whose hashes differ from table to table.
pub(crate) fn maps(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    run.iter(move || {
        let table: HashMap<u64, u64> = (0..parts * 4).map(|key| (key, key)).collect();
        table.get(&(parts * 2)).copied()
    })
}

/// Starts a task for each part and waits for all of them.
pub(crate) fn tasks(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    run.iter_async(async move || {
        let tasks: Vec<_> =
            (0..parts).map(|part| tokio::spawn(async move { black_box(part) })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap_or(0);
        }
        sum
    })
}

/// Takes 4 % longer in half of the processes, which a coin decides.
pub(crate) fn modes(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let slower = if Random::new(seed()).uniform() < 0.5 { parts * 50 / SLOWER } else { 0 };
    let mut random = Random::new(8);
    run.iter(move || sum(&mut random, parts * 50 + slower))
}

fn sum(random: &mut Random, rounds: u64) -> u64 {
    (0..rounds).fold(0, |sum: u64, _| sum.wrapping_add(random.next()))
}
