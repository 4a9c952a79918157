//! The spread of processes, checked against tables and in cases without a spread.

use super::super::{Percentile, Spread, threshold};

/// Returns ten levels with a mean of 0 and a variance of 1.
fn ten() -> Vec<f64> {
    let raw: Vec<f64> = (0..10).map(|i| f64::from(i) - 4.5).collect();
    let sd = (raw.iter().map(|v| v * v).sum::<f64>() / 9.0).sqrt();
    raw.iter().map(|v| v / sd).collect()
}

#[track_caller]
fn about(got: f64, want: f64) {
    assert!((got - want).abs() < 2e-3, "{got}, and the table has {want}");
}

/// The interval is that of Student's distribution, at its tabled 95 %.
#[test]
fn a_middle_of_single_values_is_students() {
    let check = |n: usize, t: f64| {
        let values: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let mean = (n - 1) as f64 / 2.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
        let error = (variance / n as f64).sqrt();
        let spread = Spread::of_centres(&values).unwrap();
        about(spread.confidence_below(mean + t * error), 0.95);
        about(spread.confidence_below(mean - t * error), 0.05);
    };
    check(3, 2.919_986);
    check(5, 2.131_847);
    check(9, 1.859_548);
}

/// The ends are the factors of normal tolerance limits, one-sided at 95 % (Krishnamoorthy & Mathew 2009, table B1).
#[test]
fn a_tail_of_levels_is_a_tolerance_limit() {
    // Two equal values of each process leave no remainder.
    let processes: Vec<Vec<f64>> = ten().into_iter().map(|level| vec![level; 2]).collect();
    for (q, factor) in [(0.9, 2.355), (0.95, 2.911), (0.99, 3.981)] {
        about(Spread::of(&processes, q).unwrap().confidence_below(factor), 0.95);
    }
}

/// For a lower limit the values are negated, so the two ends change places.
#[test]
fn mirrored_values_have_the_same_spread() {
    let up: Vec<Vec<f64>> = ten().into_iter().map(|v| vec![v.exp(), (v + 0.1).exp()]).collect();
    let down: Vec<Vec<f64>> = up.iter().map(|p| p.iter().map(|v| -v).collect()).collect();
    for q in [0.1, 0.5, 0.9] {
        let one = Spread::of(&up, q).unwrap().interval(0.1);
        let other = Spread::of(&down, 1.0 - q).unwrap().interval(0.1);
        assert!((one.low + other.high).abs() < 1e-3 * one.low, "{q}: {one:?} {other:?}");
        assert!((one.high + other.low).abs() < 1e-3 * one.high, "{q}: {one:?} {other:?}");
    }
}

#[test]
fn without_two_processes_nothing_is_known_of_a_spread() {
    assert_eq!(Spread::of(&[vec![1.0, 2.0]], 0.5), None);
    assert_eq!(Spread::of(&[], 0.9), None);
    assert_eq!(Spread::of(&[vec![1.0], vec![2.0], vec![3.0]], 0.9), None, "single values");
    assert!(Spread::of(&[vec![1.0], vec![2.0]], 0.5).is_some());
}

/// Values that are equal to the last digit have no spread. A limit far away leaves room, whatever its sign.
#[test]
fn a_value_that_never_varies_leaves_room() {
    let alike = vec![vec![1.0; 20]; 5];
    let spread = Spread::of(&alike, 0.9).unwrap();
    assert!(spread.leaves_room(1.001, 0) && !spread.leaves_room(0.999, 0));
    assert!(!spread.leaves_room(-1.0, 0));
    let below = vec![vec![-1.0; 20]; 3];
    assert!(Spread::of(&below, 0.5).unwrap().leaves_room(f64::MAX / 4.0, 0));
}

/// There are two equally common kinds of process, and three processes happened to be of one kind.
#[test]
fn few_processes_pass_only_far_from_the_limit() {
    let leaves_room = |processes: usize, tolerance_limit: f64| {
        let mut p50 = Percentile::by_processes(0.5, tolerance_limit / 1.1, tolerance_limit);
        for i in 0..processes {
            p50.add_process(&[1.0, 1.0 + 1e-3 * i as f64, 1.001]).unwrap();
        }
        p50.leaves_room(0)
    };
    assert!(!leaves_room(4, 1.4) && leaves_room(5, 1.4) && leaves_room(3, 1.6));
}

/// The minimum detectable effect grows with the differences between processes, and shrinks with their number.
#[test]
fn a_violation_is_told_by_the_spread() {
    let claim = |apart: f64, processes: u64| {
        let each = |i: i32| vec![1.0 + apart * f64::from(i % 5 - 2); 20];
        let all: Vec<Vec<f64>> = (0..10).map(each).collect();
        let spread = Spread::of(&all, 0.5).unwrap();
        spread.smallest_violation(2.0, processes, threshold(0.01, 1)).unwrap()
    };
    assert!(claim(0.0, 20) < 2.01 && claim(0.02, 20) > 2.01);
    assert!(claim(0.05, 20) > claim(0.02, 20) && claim(0.05, 80) < claim(0.05, 20));
    let few = Spread::of(&[vec![1.0; 9], vec![1.1; 9], vec![1.2; 9]], 0.5).unwrap();
    assert_eq!(few.smallest_violation(2.0, 3, threshold(0.01, 1)), None, "three show nothing");
}
