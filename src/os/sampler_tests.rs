//! Tests of the sampler.

use std::sync::{Mutex, PoisonError};

use super::*;

/// Held by each test that uses the state of the timer, of which there is one in a process.
static TIMER_STATE: Mutex<()> = Mutex::new(());

#[test]
fn a_line_of_the_map_is_read() {
    let line = "7f00-7f80 r-xp 00001000 fd:01 42          /usr/lib/a b.so";
    let (code, runs) = mapping(line).unwrap();
    assert_eq!((code.start, code.end, code.offset), (0x7f00, 0x7f80, 0x1000));
    assert_eq!((code.path.as_str(), runs), ("/usr/lib/a b.so", true));
    let (code, runs) = mapping("10-20 rw-p 00000000 00:00 0 ").unwrap();
    assert_eq!((code.path.as_str(), runs), ("", false));
    assert!(mapping("nothing").is_none());
}

#[test]
fn the_code_of_this_process_is_found() {
    let (code, kernel) = code().unwrap();
    let function = the_code_of_this_process_is_found as *const () as u64;
    let own = code.iter().find(|code| (code.start..code.end).contains(&function)).unwrap();
    assert!(own.file.is_some() && own.path.starts_with('/'), "{own:?}");
    assert!(kernel.is_empty() || kernel.starts_with(b"\x7fELF"));
}

/// Works until there are enough samples.
#[inline(never)]
fn works() -> u64 {
    let mut sum = 0_u64;
    while TAKEN.load(Relaxed) < MOST.load(Relaxed) {
        sum = (0..1000).fold(sum, |sum, n| sum.wrapping_add(std::hint::black_box(n)));
    }
    sum
}

/// There is one sampler in a process, so no other test makes one.
#[test]
fn a_thread_that_works_is_sampled_in_place_of_the_one_that_waits_for_it() {
    // An emulator has other threads and other memory than it shows.
    if crate::os::emulator::emulator().is_some() {
        return;
    }
    let _state = TIMER_STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let sampler = Sampler::begin(200, Duration::from_micros(250)).unwrap();
    sampler.enter();
    std::thread::spawn(works).join().unwrap();
    let (taken, lost) = sampler.finish();
    let instead = INSTEAD.load(Relaxed);
    // The few others are of the beginning, when the thread is made.
    assert!(taken.len() == 200 && lost == 0 && instead > 150, "{instead} of {}", taken.len());
    let with_stack = taken.iter().filter(|sample| sample.copy.len() >= 64).count();
    assert!(with_stack > 190, "{with_stack}");
}

#[test]
fn the_time_between_samples_is_about_the_period() {
    let _state = TIMER_STATE.lock().unwrap_or_else(PoisonError::into_inner);
    PERIOD.store(1000, Relaxed);
    RANDOM.store(1, Relaxed);
    let periods: Vec<i64> = (0..10_000).map(|_| next_period()).collect();
    let mean = periods.iter().sum::<i64>() / 10_000;
    assert!((950..1050).contains(&mean), "{mean}");
    assert!(periods.iter().all(|period| (15..=16_000).contains(period)));
    // The shares of short times are those of an exponential distribution.
    let shorter = |than| periods.iter().filter(|period| **period < than).count();
    assert!((800..1100).contains(&shorter(100)), "{}", shorter(100));
    assert!((6100..6550).contains(&shorter(1000)), "{}", shorter(1000));
}
