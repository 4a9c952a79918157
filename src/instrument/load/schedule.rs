//! The schedule of a load: when each operation of a process is due. It is pure, and made before the first operation.
//!
//! A schedule has a stretch for warming up, and after it the stretch that is measured. If the load's shape has
//! periods, whole periods are measured, so that no process sees only the calm part of one.

use perf_budget_core::budget::{Load, LoadShape};

/// The seconds for warming up, at the load's rate and without peaks.
const WARM_UP: f64 = 0.1;
/// The number of operations that are measured, if that takes no longer than [`LONGEST`].
const ENOUGH: f64 = 50.0;
/// The most seconds that a slow rate without periods is measured.
const LONGEST: f64 = 1.0;

/// The times at which operations are due, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    /// The time of each operation, ascending.
    pub(crate) due: Vec<f64>,
    /// How many of them belong to the warm-up.
    pub(crate) warm: usize,
    /// When the measured stretch begins.
    pub(crate) begins: f64,
    /// When the measured stretch ends; all operations are due before.
    pub(crate) ends: f64,
}

/// A stretch in which the rate changes evenly from one value to another.
struct RateSegment {
    seconds: f64,
    from: f64,
    to: f64,
}

impl Schedule {
    /// Makes the schedule of `load`, measured for `slice` seconds or a little longer, with at most `most` operations
    /// unless one period has more. `seed` decides the random arrivals.
    pub(crate) fn new(load: &Load, seed: u64, slice: f64, most: usize) -> Schedule {
        let (rate, most) = (load.rate, most as f64);
        let seconds = match load.period() {
            None => slice.max((ENOUGH / rate).min(LONGEST)).min(most / rate),
            Some((operations, every)) => {
                let every = every.as_secs_f64();
                let periods = (slice / every).ceil().min((most / operations).floor()).max(1.0);
                periods * every
            }
        };
        let begins = match load.shape {
            // The only rate of a burst load is that of its bursts.
            LoadShape::Burst { every } => every.as_secs_f64(),
            LoadShape::Constant
            | LoadShape::Poisson
            | LoadShape::Ramp { .. }
            | LoadShape::Spike { .. } => WARM_UP,
        };
        let ends = begins + seconds;
        let due = match load.shape {
            LoadShape::Poisson => poisson(rate, ends, seed),
            LoadShape::Burst { every } => bursts(rate, every.as_secs_f64(), ends),
            LoadShape::Constant | LoadShape::Ramp { .. } | LoadShape::Spike { .. } => {
                evenly(&stretches(load, seconds))
            }
        };
        let warm = due.partition_point(|&due| due < begins);
        Schedule { due, warm, begins, ends }
    }
}

/// Returns the warm-up and the measured stretch of a shape whose rate is a function of time.
fn stretches(load: &Load, seconds: f64) -> Vec<RateSegment> {
    let rate = load.rate;
    let flat = |seconds, rate| RateSegment { seconds, from: rate, to: rate };
    match load.shape {
        LoadShape::Ramp { peak, every } => {
            let every = every.as_secs_f64();
            let rise = || RateSegment { seconds: every, from: rate, to: peak };
            let mut stretches = vec![flat(WARM_UP, rate)];
            for _ in 0..periods(seconds, every) {
                stretches.push(rise());
            }
            stretches
        }
        LoadShape::Spike { peak, every, width } => {
            let (every, width) = (every.as_secs_f64(), width.as_secs_f64());
            let calm = f64::midpoint(every, -width);
            let mut stretches = vec![flat(WARM_UP, rate)];
            for _ in 0..periods(seconds, every) {
                stretches.extend([flat(calm, rate), flat(width, peak), flat(calm, rate)]);
            }
            stretches
        }
        // The other two shapes have no rate at each moment, only times at which operations are due.
        LoadShape::Constant | LoadShape::Poisson | LoadShape::Burst { .. } => {
            vec![flat(WARM_UP + seconds, rate)]
        }
    }
}

fn periods(seconds: f64, every: f64) -> usize {
    (seconds / every).round() as usize
}

/// Returns the times at which the rate, added up over time, reaches the next whole number.
fn evenly(stretches: &[RateSegment]) -> Vec<f64> {
    let (mut due, mut began, mut count) = (Vec::new(), 0.0, 0.0);
    for RateSegment { seconds, from, to } in stretches {
        // This is half of the change of the rate in a second.
        let bend = (to - from) / (2.0 * seconds);
        let reached = count + f64::midpoint(*from, *to) * seconds;
        loop {
            let missing = due.len() as f64 - count;
            // This solves missing = from·x + bend·x², in the form that does not cancel.
            let x = 2.0 * missing / (from + (from * from + 4.0 * bend * missing).sqrt());
            // At the end of a stretch, rounding must neither lose an operation nor repeat one.
            if due.len() as f64 >= reached - 1e-9 {
                break;
            }
            due.push(began + x);
        }
        began += seconds;
        count = reached;
    }
    due
}

/// Returns Poisson arrivals, which have exponential times between them.
fn poisson(rate: f64, ends: f64, mut seed: u64) -> Vec<f64> {
    let (mut due, mut at) = (Vec::new(), 0.0);
    while at < ends {
        due.push(at);
        // splitmix64 (Steele, Lea & Flood 2014), as a number in (0, 1].
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = (((z ^ (z >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        at -= uniform.ln() / rate;
    }
    due
}

/// Returns bursts: all operations of a period at its beginning. The fraction that remains is carried to the next
/// period.
fn bursts(rate: f64, every: f64, ends: f64) -> Vec<f64> {
    let mut due = Vec::new();
    for period in 0..periods(ends, every) {
        let reached = (rate * every * (period + 1) as f64).round() as usize;
        due.resize(reached, period as f64 * every);
    }
    due
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn schedule(shape: LoadShape, rate: f64) -> Schedule {
        Schedule::new(&Load { shape, rate, concurrency: 1 }, 17, 0.5, 20_000)
    }

    /// Counts the operations that are due in a stretch, counted from where the measurement begins.
    fn between(schedule: &Schedule, from: f64, to: f64) -> usize {
        let from = schedule.begins + from - 1e-9;
        let to = schedule.begins + to - 1e-9;
        schedule.due.iter().filter(|&&due| due >= from && due < to).count()
    }

    #[track_caller]
    fn check(schedule: &Schedule, begins: f64, seconds: f64, counts: &[usize]) {
        assert!(schedule.due.is_sorted());
        assert_eq!((schedule.begins, schedule.due[0]), (begins, 0.0));
        assert!((schedule.ends - begins - seconds).abs() < 1e-12, "{}", schedule.ends);
        assert!(schedule.due.iter().all(|&due| due < schedule.ends));
        let part = seconds / counts.len() as f64;
        let counted: Vec<usize> = (0..counts.len())
            .map(|n| between(schedule, part * n as f64, part * (n + 1) as f64))
            .collect();
        assert_eq!(counted, counts);
        assert_eq!(schedule.due.len() - schedule.warm, counts.iter().sum::<usize>());
    }

    #[test]
    fn each_shape_has_its_arrivals() {
        let ms = Duration::from_millis;
        check(&schedule(LoadShape::Constant, 1000.0), 0.1, 0.5, &[100; 5]);
        let ramp = LoadShape::Ramp { peak: 900.0, every: ms(500) };
        // From 100 to 900 in half a second: 18, 34, 50, … each step 16 more.
        check(&schedule(ramp, 100.0), 0.1, 0.5, &[18, 34, 50, 66, 82]);
        let spike = LoadShape::Spike { peak: 2000.0, every: ms(250), width: ms(50) };
        check(&schedule(spike, 100.0), 0.1, 0.5, &[5, 5, 100, 5, 5, 5, 5, 100, 5, 5]);
        check(
            &schedule(LoadShape::Burst { every: ms(100) }, 205.0),
            0.1,
            0.5,
            &[20, 21, 20, 21, 20],
        );
    }

    #[test]
    fn slow_rates_take_longer_and_fast_ones_are_cut() {
        check(&schedule(LoadShape::Constant, 100.0), 0.1, 0.5, &[25, 25]);
        check(&schedule(LoadShape::Constant, 60.0), 0.1, 50.0 / 60.0, &[25, 25]);
        check(&schedule(LoadShape::Constant, 1.0), 0.1, 1.0, &[0, 1]);
        check(&schedule(LoadShape::Constant, 1e6), 0.1, 0.02, &[10_000, 10_000]);
        // A period is never cut, and there are no more periods than there is room for.
        let every = Duration::from_millis(5);
        check(&schedule(LoadShape::Ramp { peak: 1.2e6, every }, 8e5), 0.1, 0.02, &[5000; 4]);
        check(&schedule(LoadShape::Burst { every: Duration::from_secs(4) }, 0.5), 4.0, 4.0, &[2]);
    }

    #[test]
    fn constant_is_due_to_the_nanosecond() {
        let Schedule { due, warm, .. } = schedule(LoadShape::Constant, 1000.0);
        assert_eq!(warm, 100);
        for (n, due) in due.iter().enumerate() {
            assert!((due - n as f64 / 1000.0).abs() < 1e-12, "{n}: {due}");
        }
    }

    /// The mean and the standard deviation of an exponential distribution are equal. Different seeds give different
    /// arrivals, and the same seed the same.
    #[test]
    fn poisson_is_exponential() {
        let load = Load { shape: LoadShape::Poisson, rate: 20_000.0, concurrency: 1 };
        let arrivals = |seed| Schedule::new(&load, seed, 0.5, 20_000).due;
        let due = arrivals(1);
        let gaps: Vec<f64> = due.windows(2).map(|two| two[1] - two[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean * load.rate - 1.0).abs() < 0.05, "{mean}");
        assert!((square.sqrt() / mean - 1.0).abs() < 0.05, "{square}");
        let long = gaps.iter().filter(|&&gap| gap > mean).count() as f64 / gaps.len() as f64;
        assert!((long - (-1.0_f64).exp()).abs() < 0.02, "{long}");
        assert_eq!(due, arrivals(1));
        assert_ne!(due, arrivals(2));
    }
}
