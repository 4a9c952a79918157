//! Tests of parsing texts of real systems, and of the amounts between two readings.

use std::time::{Duration, Instant};

use perf_budget_core::reading::ProcessRun;

use super::parse::{processors, stalled, throttled};
use super::{Interference, Orphans, Processors, Snapshot, Throttled, most_throttled, watch};

/// A virtual machine with two processors under Firecracker, Linux 6.18.
const FIRECRACKER: &str = "cpu  1279316 0 167324 801268 6081 0 1072 1487 0 0\n\
                           cpu0 629617 0 79649 416855 1132 0 83 737 0 0\n";

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
}

#[test]
fn busy_idle_and_stolen() {
    let read = processors(FIRECRACKER, 100).unwrap();
    near(read.busy, 14_477.12);
    near(read.idle, 8_073.49);
    near(read.stolen.unwrap(), 14.87);
    // The time of guests is part of the user time, and must not be counted twice.
    let host = processors("cpu  1000 0 0 500 0 0 0 0 900 0\n", 100).unwrap();
    near(host.busy, 10.0);
    // Before Linux 2.6.11 there is no stolen time.
    assert_eq!(processors("cpu  100 0 0 100 0 0 0\n", 100).unwrap().stolen, None);
    // A sandbox shows zeros.
    assert_eq!(processors("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n", 100), None);
    for broken in ["", "cpu0 1 2 3 4\n", "cpu  1 2 3\n", "cpu  1 2 three 4\n"] {
        assert_eq!(processors(broken, 100), None, "{broken:?}");
    }
}

#[test]
fn pressure() {
    let check = |text: &str, micros: Option<u64>| {
        assert_eq!(stalled(text), micros.map(Duration::from_micros), "{text:?}");
    };
    let both = "some avg10=0.11 avg60=0.29 avg300=1.41 total=4529766806\n\
                full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
    check(both, Some(4_529_766_806));
    // The pressure of processors before Linux 5.13 has no line `full`.
    check("some avg10=0.00 avg60=0.00 avg300=0.00 total=7156\n", Some(7_156));
    check("", None);
    check("full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n", None);
    check("some avg10=0.00\n", None);
}

#[test]
fn quotas() {
    let check = |text: &str, expected: Option<(u64, f64)>| {
        let got = throttled(text).map(|found| (found.periods, found.seconds));
        assert_eq!(got, expected, "{text:?}");
    };
    // A container with `--cpus 0.5`: first in version 2, then in version 1.
    check(
        "usage_usec 5120131\nuser_usec 5059772\nsystem_usec 60358\nnr_periods 102\n\
         nr_throttled 100\nthrottled_usec 5250000\nnr_bursts 0\nburst_usec 0\n",
        Some((100, 5.25)),
    );
    check("nr_periods 102\nnr_throttled 100\nthrottled_time 5250000000\n", Some((100, 5.25)));
    // The virtual machine has no quota.
    check(
        "nr_periods 0\nnr_throttled 0\nthrottled_time 0\nnr_bursts 0\nburst_time 0\n",
        Some((0, 0.0)),
    );
    // The group of a whole machine has no quota.
    check("usage_usec 5120131\nuser_usec 5059772\nsystem_usec 60358\n", None);
    check("", None);
}

/// Shows why pressure and `/proc/stat` are read by hand. If one of these succeeds one day, procfs-core can read it.
#[test]
fn procfs_refuses_what_is_read_by_hand() {
    use procfs_core::{CpuPressure, ExplicitSystemInfo, FromBufRead, FromBufReadSI, KernelStats};

    let system = ExplicitSystemInfo {
        boot_time_secs: 0,
        ticks_per_second: 100,
        page_size: 4096,
        is_little_endian: true,
    };
    let before_5_13 = "some avg10=0.00 avg60=0.00 avg300=0.00 total=7156\n";
    assert!(CpuPressure::from_buf_read(before_5_13.as_bytes()).is_err());
    assert!(stalled(before_5_13).is_some());
    // The first line only, and a sandbox's file, which has no counts of processes.
    for stat in [FIRECRACKER.lines().next().unwrap(), FIRECRACKER] {
        assert!(KernelStats::from_buf_read(stat.as_bytes(), &system).is_err());
        assert!(processors(stat, 100).is_some());
    }
}

fn reading(at: Instant, busy: f64, idle: f64, own: f64, stalled: u64) -> Snapshot {
    Snapshot {
        at,
        processors: Some(Processors { busy, idle, stolen: Some(busy / 100.0) }),
        own: Some(own),
        stalled: [Some(Duration::from_secs(stalled)), None, Some(Duration::ZERO)],
        throttled: vec![Some(Throttled { periods: stalled, seconds: own })],
    }
}

#[test]
fn the_difference_of_two_readings() {
    let at = Instant::now();
    let before = reading(at, 100.0, 200.0, 10.0, 1);
    let after = reading(at + Duration::from_secs(10), 114.0, 206.0, 16.0, 8);
    let found = after.since(&before);
    near(found.seconds, 10.0);
    near(found.outside.unwrap(), 8.0);
    let (stolen, all) = found.stolen.unwrap();
    near(stolen, 0.14);
    near(all, 20.14);
    assert_eq!((found.pressure.cpu, found.pressure.memory), (Some(7.0), None));
    assert_eq!(found.throttled, Some(Throttled { periods: 7, seconds: 6.0 }));
    // An amount that one of the two readings lacks is not known.
    let without_counters =
        Snapshot { processors: None, own: None, throttled: Vec::new(), ..before };
    let found = after.since(&without_counters);
    assert_eq!((found.outside, found.stolen, found.throttled), (None, None, None));
}

#[test]
fn the_strictest_quota_counts() {
    let quota = |periods, seconds| Some(Throttled { periods, seconds });
    let before = [quota(5, 1.0), None, quota(0, 0.0)];
    let after = [quota(5, 1.0), quota(9, 9.0), quota(3, 0.5)];
    assert_eq!(most_throttled(&before, &after), quota(3, 0.5));
    assert_eq!(most_throttled(&[], &[]), None);
}

/// The time of processes that nobody waited for is not the work of others, but it is not known how much it was.
#[test]
fn the_work_of_orphans_is_not_the_work_of_others() {
    let outside = |orphans| {
        let process = watch(|| Ok(ProcessRun { orphans, ..ProcessRun::default() })).unwrap();
        let Interference { seconds, outside, .. } = process.interference.unwrap();
        assert!(seconds > 0.0);
        outside
    };
    assert_eq!(outside(Orphans::Unknown), None);
    // Nothing uses a million seconds in a moment.
    assert!(outside(Orphans::Used(1e6)).is_none_or(|seconds| seconds < -9e5));
}

/// Reads this system: whatever it reports must be a possible amount.
#[test]
fn this_machine_can_be_read() {
    let before = Snapshot::now();
    std::thread::sleep(Duration::from_millis(30));
    let found = Snapshot::now().since(&before);
    assert!(found.seconds >= 0.03);
    let pressure = found.pressure;
    for share in [pressure.cpu, pressure.memory, pressure.io].into_iter().flatten() {
        assert!(share >= 0.0, "{found:?}");
    }
    if let Some((stolen, all)) = found.stolen {
        assert!(stolen >= 0.0 && stolen <= all, "{found:?}");
    }
}
