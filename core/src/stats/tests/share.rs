//! Tests of shares: what one failure proves, and whether the interval covers if failures come together.

use super::super::Share;
use super::assert_at_most;
use super::noise::Noise;

#[test]
fn one_failure_disproves_a_share_of_zero() {
    let mut none = Share::new(0.0, 0.001);
    for _ in 0..4 {
        none.process(1000, 0);
    }
    assert!(none.log_pass() > 3.0 && none.log_fail() < 0.0 && !none.is_disproved());
    none.process(1000, 1);
    assert!(none.log_fail().is_infinite() && none.log_pass() <= 0.0 && none.is_disproved());
    let mut some = Share::new(0.01, 0.011);
    some.process(1000, 1);
    assert!(some.log_fail() < 0.0, "one of a thousand is no 1 %");
}

#[test]
fn the_interval_holds_the_share() {
    const RUNS: u64 = 150;
    for together in [1, 10] {
        let mut random = Noise::seeded(131);
        let mut missed = 0;
        for _ in 0..RUNS {
            let mut share = Share::new(0.05, 0.055);
            for _ in 0..20 {
                let failures: u64 =
                    (0..100 / together).filter(|_| random.happens(0.02)).map(|_| together).sum();
                share.process(100, failures);
            }
            missed += u64::from(!share.interval(0.1).holds(0.02));
        }
        assert_at_most(0.15, missed, RUNS, &format!("{together} at a time"));
    }
    let mut share = Share::new(0.05, 0.055);
    assert!(share.interval(0.1).width() >= 1.0 && share.estimate().is_none());
    share.process(500, 0);
    let got = share.interval(0.1);
    assert!(got.low <= 0.0 && got.high < 0.02, "{got:?}");
}

#[test]
fn more_processes_detect_a_smaller_share() {
    let mut share = Share::new(0.01, 0.011);
    (0..5).for_each(|_| share.process(400, 2));
    let enough = super::super::threshold(0.01, 1);
    let (few, many) = (
        share.smallest_violation(enough, 5).unwrap(),
        share.smallest_violation(enough, 50).unwrap(),
    );
    assert!(few > many && many > 0.01, "{few} {many}");
    let mut none = Share::new(0.0, 0.001);
    none.process(1000, 0);
    let one = none.smallest_violation(enough, 10).unwrap();
    assert!((one - 3e-4).abs() < 1e-5, "three of ten thousand: {one}");
}
