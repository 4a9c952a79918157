//! The workloads of the trials: work in a hundred equal parts, so that an injected effect of one percent is one more
//! part, and operations whose true times are known because they are drawn.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use perf_budget::{Failed, Harness, Run};

use crate::effects::{PARTS, parts};
use crate::hard;
use crate::random::{Random, seed};

/// The compute-bound workloads.
pub(crate) const COMPUTE: [&str; 4] = ["alu", "sort", "hash", "strings"];
/// The number of workloads of the large suite, which are the first of [`COMPARED`].
pub(crate) const SUITE_WORKLOADS: usize = 5;
/// All workloads that are compared with a base: the compute-bound ones first, then those that are hard to compare.
pub(crate) const COMPARED: [&str; 13] = [
    "alu", "sort", "hash", "strings", "chase", "copy", "pingpong", "long", "setup", "tail", "maps",
    "tasks", "modes",
];
/// The number of links of the chain that `chase` follows: 8 MiB.
const LINKS: u32 = 1 << 21;
/// The number of keys of the table that `hash` looks in. The table fits into the nearest cache: if an operation had to
/// fetch its data anew, one percent more work would be less than one percent more time.
const KEYS: u64 = 1_000;

/// The median of the drawn times, in seconds.
const DRAWN_MEDIAN: f64 = 200e-6;
/// The standard deviation of the logarithm of the drawn times.
const DRAWN_SIGMA: f64 = 0.2;
/// The 99 % quantile of the standard normal distribution.
const NORMAL_99: f64 = 2.326_347_874_040_841;
/// The time of an operation of `sleeps` that does not sleep, in seconds.
const AWAKE: f64 = 100e-6;

/// The true 99th percentile of `drawn`, in seconds.
pub(crate) fn drawn_p99() -> f64 {
    DRAWN_MEDIAN * (DRAWN_SIGMA * NORMAL_99).exp()
}

/// The true throughput of `drawn`, in operations a second.
pub(crate) fn drawn_throughput() -> f64 {
    1.0 / (DRAWN_MEDIAN * (DRAWN_SIGMA * DRAWN_SIGMA / 2.0).exp())
}

/// Returns the harness under test with the workloads of these names. Others are left out, since a workload without a
/// budget is a mistake.
pub(crate) fn harness(names: &str) -> Harness {
    let wanted = |all: &&(&'static str, Work)| names.split(' ').any(|name| name == all.0);
    let work = ALL.iter().filter(wanted);
    work.fold(Harness::new(), |harness, (name, work)| harness.workload(*name, *work))
}

type Work = fn(&mut Run) -> Result<(), Failed>;

const ALL: [(&str, Work); 15] = [
    ("alu", alu),
    ("sort", sort),
    ("hash", hash),
    ("strings", strings),
    ("chase", chase),
    ("copy", hard::copy),
    ("pingpong", hard::pingpong),
    ("long", hard::long),
    ("setup", hard::setup),
    ("tail", hard::tail),
    ("maps", hard::maps),
    ("tasks", hard::tasks),
    ("modes", hard::modes),
    ("drawn", drawn),
    ("sleeps", sleeps),
];

fn alu(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let mut random = Random::new(1);
    run.iter(move || (0..parts * 50).fold(0, |sum: u64, _| sum.wrapping_add(random.next())))
}

fn sort(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let mut random = Random::new(2);
    let mut numbers = [0_u32; 64];
    run.iter(move || {
        for _ in 0..parts {
            numbers.fill_with(|| random.next() as u32);
            numbers.sort_unstable();
            black_box(&numbers);
        }
    })
}

fn hash(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let mut random = Random::new(3);
    let table: HashMap<u64, u64> = (0..KEYS).map(|key| (key * 2, key)).collect();
    run.iter(move || {
        let look = |_| table.get(&(random.next() % (KEYS * 2))).copied().unwrap_or(1);
        (0..parts * 10).map(look).fold(0, u64::wrapping_add)
    })
}

fn strings(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    run.iter(move || {
        let text = |part| format!("{{\"part\":{part},\"of\":\"{PARTS}\"}}");
        (0..parts * 2).map(text).collect::<Vec<String>>()
    })
}

fn chase(run: &mut Run) -> Result<(), Failed> {
    let parts = parts(run)?;
    let chain = chain();
    let mut at = 0;
    run.iter(move || {
        for _ in 0..parts * 10 {
            at = chain[at as usize];
        }
        at
    })
}

fn drawn(run: &mut Run) -> Result<(), Failed> {
    let mut random = Random::new(seed());
    run.iter(move || spin(DRAWN_MEDIAN * (DRAWN_SIGMA * random.normal()).exp()))
}

fn sleeps(run: &mut Run) -> Result<(), Failed> {
    let mut random = Random::new(seed());
    run.iter(move || {
        spin(AWAKE);
        if random.uniform() < 0.02 {
            std::thread::sleep(Duration::from_millis(2));
        }
    })
}

/// Returns a chain that is one cycle through all links in random order (Sattolo 1986).
fn chain() -> Vec<u32> {
    let mut random = Random::new(4);
    let mut chain: Vec<u32> = (0..LINKS).collect();
    for last in (1..chain.len()).rev() {
        chain.swap(last, (random.next() % last as u64) as usize);
    }
    chain
}

/// Works for `seconds` of the thread's own processor time, whatever else the processor does.
fn spin(seconds: f64) {
    let end = own_time() + Duration::from_secs_f64(seconds);
    while own_time() < end {
        std::hint::spin_loop();
    }
}

#[cfg(unix)]
fn own_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The elapsed time, because a thread's own time is not known.
#[cfg(not(unix))]
fn own_time() -> Duration {
    static BEGUN: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    BEGUN.elapsed()
}
