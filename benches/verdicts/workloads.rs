//! The workloads of the trials: work in a hundred equal parts, so that an injected effect of one percent is one more
//! part, and operations whose true times are known because they are drawn.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use perf_budget::{Failed, Harness, Run};

use crate::hard;

/// The number of parts of one operation.
const PARTS: u64 = 100;
/// The file with the effects of a revision, in the current directory of its workers.
pub(crate) const EFFECTS: &str = "effects.txt";
/// The compute-bound workloads.
pub(crate) const COMPUTE: [&str; 4] = ["alu", "sort", "hash", "strings"];
/// The number of workloads of the large suite, which are the first of [`COMPARED`].
pub(crate) const OF_SUITE: usize = 5;
/// All workloads that are compared with a base: the compute-bound ones first, then those that are hard to compare.
pub(crate) const COMPARED: [&str; 13] = [
    "alu", "sort", "hash", "strings", "chase", "copy", "pingpong", "long", "setup", "tail", "maps",
    "tasks", "modes",
];
/// The number of links of the chain that `chase` follows: 8 MiB.
const LINKS: u32 = 1 << 21;
/// The number of keys of the table that `hash` looks in. It stays in the nearest cache. If an operation had to fetch
/// its data anew at every turn, one percent more work would be less than one percent more time.
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

/// Returns the number of parts of an operation of this budget in this revision, with its injected effect.
pub(crate) fn parts(run: &mut Run) -> Result<u64, Failed> {
    let id: u64 = run.param("id")?;
    let text = std::fs::read_to_string(EFFECTS)
        .map_err(|error| Failed::from(format!("failed to read `{EFFECTS}`: {error}")))?;
    let injected = text.lines().find_map(|line| {
        let (of, percent) = line.split_once(' ')?;
        (of.parse() == Ok(id)).then(|| percent.parse::<u64>().ok())?
    });
    Ok(black_box(PARTS + injected.unwrap_or(0)))
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

/// Works for `seconds` of the thread's own processor time, whatever else the processor does meanwhile.
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

/// The elapsed time, where a thread's own time is not known.
#[cfg(not(unix))]
fn own_time() -> Duration {
    static BEGUN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGUN.elapsed()
}

/// Returns another seed in each process.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u128(Instant::now().elapsed().as_nanos());
    hasher.finish()
}

/// The splitmix64 generator (Steele, Lea & Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a standard normal number (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
    }
}
